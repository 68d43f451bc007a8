//! Text from elsewhere, made safe for whoever looks at it.

/// Whether a character could move the cursor, change colours, end a line, or turn the direction of what follows.
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
        )
}

/// JSON that a terminal shows and does not obey: what JSON lets stand as it is and a terminal acts on is written as an escape. Only
/// within texts can there be any, so that it means the same.
pub fn inert_json(json: String) -> String {
    // The control characters of ASCII are escaped by every writer of JSON; line ends between the texts stay.
    let acts = |character: &char| *character >= '\u{7f}' && is_dangerous(*character);
    if json.is_ascii() && !json.contains('\u{7f}') || !json.chars().any(|character| acts(&character)) {
        return json;
    }
    let mut inert = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if acts(&character) {
            // All of them are in the basic plane, where an escape has four digits.
            inert.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            inert.push(character);
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_and_moves_no_cursor() {
        let value = serde_json::json!({"a\u{9b}2J": ["\u{202e}x\u{7f}", "plain ä\n\u{1b}", "\u{85}"]});
        for json in [serde_json::to_string(&value), serde_json::to_string_pretty(&value)] {
            let inert = inert_json(json.expect("JSON"));
            assert!(!inert.chars().any(|character| character != '\n' && is_dangerous(character)), "{inert}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&inert).expect("JSON"), value);
        }
        assert_eq!(inert_json("{\n\"ä\": 1}".into()), "{\n\"ä\": 1}");
    }
}
