//! Text from elsewhere, made safe for where it is shown.

use std::borrow::Cow;

use crate::base::is_dangerous;

/// One line for a terminal or a log: control characters and direction marks are shown as `\u{..}`, line breaks as `\n`.
///
/// ```
/// assert_eq!(sexton::report::terminal_line("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
/// ```
pub fn terminal_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_dangerous(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Text for one cell of a Markdown table, or inside a Markdown line: nothing in it is a link, an image, markup, HTML or a
/// mention.
pub fn markdown_cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    for character in terminal_line(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '@' => shown.push_str("&#64;"),
            ':' => shown.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '$' => {
                shown.push('\\');
                shown.push(character);
            }
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_would_move_the_cursor() {
        assert_eq!(terminal_line("plain ä"), "plain ä");
        assert_eq!(terminal_line("a\r\nb\u{7}\u{9b}2J\u{202e}"), "a\\r\\nb\\u{7}\\u{9b}2J\\u{202e}");
    }

    #[test]
    fn leaves_no_markup_in_a_cell() {
        assert_eq!(
            markdown_cell("a|b <img src=x> [x](http://y) @all `c`\n"),
            "a\\|b &lt;img src=x&gt; \\[x\\]\\(http&#58;//y\\) &#64;all \\`c\\`\\\\n"
        );
    }
}
