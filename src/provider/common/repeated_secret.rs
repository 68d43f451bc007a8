//! Secrets that a system repeats, whatever it made of them on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What stands for a secret.
pub(super) const REDACTED: &str = "[redacted]";
/// What stands for words that cannot be told from a secret in them.
const LEFT_OUT: &str = "the system's words repeat a secret and are left out";
/// The shortest secret that is looked for: one of a few characters would blot out ordinary words.
const SHORTEST: usize = 6;

/// How many characters of a text are looked at; what follows is left out. Fewer than a tenth of them are ever shown.
const MOST_LOOKED_AT: usize = 32_000;

/// The text without the secret: as it is, and in the encodings of addresses, forms, XML, JSON and base64. Where it is in the text in yet
/// another mixture of them, nothing of the text is left.
pub(super) fn without(text: &str, secret: &str) -> String {
    if secret.len() < SHORTEST {
        return text.to_owned();
    }
    let mut text: String = text.chars().take(MOST_LOOKED_AT).collect();
    for form in forms(secret) {
        text = text.replace(&form, REDACTED);
    }
    text = without_base64(&text, secret);
    if repeats(&text, secret) { LEFT_OUT.to_owned() } else { text }
}

/// Whether the text has the secret in it, in whatever encoding.
pub(super) fn repeats(text: &str, secret: &str) -> bool {
    if secret.len() < SHORTEST {
        return false;
    }
    let mut wanted = base64_fragments(secret);
    wanted.push(secret.to_owned());
    wanted.push(on_one_line(secret));
    wanted.retain(|wanted| wanted.len() >= SHORTEST);
    views(text).iter().any(|view| wanted.iter().any(|wanted| view.contains(wanted)))
}

/// The text, and what it is with one, two and three layers of encoding taken off, in every order.
fn views(text: &str) -> Vec<String> {
    const DECODERS: [fn(&str) -> String; 4] = [json_decoded, xml_decoded, percent_decoded, form_decoded];
    let mut views = vec![text.to_owned()];
    let mut first = 0;
    for _ in 0..3 {
        let layer = first..views.len();
        first = views.len();
        for number in layer {
            for decode in DECODERS {
                let view = decode(&views[number]);
                if !views.contains(&view) {
                    views.push(view);
                }
            }
        }
    }
    views
}

/// The usual forms of a secret, the longest first, so that none leaves a part of another one.
fn forms(secret: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let percent: String = secret
        .bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let json = serde_json::Value::from(secret).to_string();
    let xml = quick_xml::escape::escape(secret).into_owned();
    let mut forms = vec![secret.to_owned(), on_one_line(secret), form, percent, json.trim_matches('"').to_owned(), xml];
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// What is certain of the base64 of any text that has the secret in it: its place there decides with which bits a digit begins.
fn base64_fragments(secret: &str) -> Vec<String> {
    let fragment = |before: usize| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let end = encoded.len() - usize::from(!bytes.len().is_multiple_of(3));
        encoded.get((before * 8).div_ceil(6)..end).unwrap_or_default().to_owned()
    };
    let standard = (0..3).map(fragment).filter(|fragment| fragment.len() >= SHORTEST);
    standard.flat_map(|fragment| [fragment.replace('+', "-").replace('/', "_"), fragment]).collect()
}

/// The text with every run of base64 redacted that has the secret in it.
fn without_base64(text: &str, secret: &str) -> String {
    let fragments = base64_fragments(secret);
    let is_digit = |character: char| character.is_ascii_alphanumeric() || "+/-_=".contains(character);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_digit) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|character| !is_digit(character)).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        kept.push_str(before);
        kept.push_str(if fragments.iter().any(|fragment| run.contains(fragment)) { REDACTED } else { run });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// The words of a text, whatever is between them.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The spaces of a form's encoding; and lines that somebody drew anew.
fn form_decoded(text: &str) -> String {
    on_one_line(&text.replace('+', " "))
}

fn json_decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        decoded.push_str(before);
        let mut characters = escape.chars();
        let code = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        rest = match characters.next() {
            Some('u') => match escape.get(1..5).and_then(code) {
                Some(character) => {
                    decoded.push(character);
                    &escape[5..]
                }
                None => escape,
            },
            Some('n' | 'r' | 't' | 'b' | 'f') => {
                decoded.push(' ');
                characters.as_str()
            }
            Some(character) => {
                decoded.push(character);
                characters.as_str()
            }
            None => "",
        };
    }
    decoded.push_str(rest);
    decoded
}

fn xml_decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        decoded.push_str(before);
        let named = entity.split_once(';').and_then(|(name, after)| Some((entity_of(name)?, after)));
        rest = match named {
            Some((character, after)) => {
                decoded.push(character);
                after
            }
            None => {
                decoded.push('&');
                entity
            }
        };
    }
    decoded.push_str(rest);
    decoded
}

fn entity_of(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let digits = text.get(place + 1..place + 3).filter(|_| *byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) => {
                decoded.push(escaped);
                place += 3;
            }
            None => {
                decoded.push(*byte);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "p@ss/wörd+\"<&>'=%41 x";

    fn percent(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    #[test]
    fn a_secret_is_recognized_in_every_encoding_and_the_words_around_it_stay() {
        let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        for encoded in [
            SECRET.to_owned(),
            form,
            "p%40ss%2Fw%C3%B6rd%2B%22%3C%26%3E%27%3D%2541%20x".into(),
            "p@ss/wörd+&quot;&lt;&amp;&gt;&apos;=%41 x".into(),
            r#"p@ss/wörd+\"<&>'=%41 x"#.into(),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("user:{SECRET}")),
            STANDARD.encode(format!("sexton@example.com:{SECRET}:more")),
            URL_SAFE.encode(format!("x{SECRET}")),
        ] {
            assert_eq!(without(&format!("you sent {encoded}, sorry"), SECRET), "you sent [redacted], sorry", "{encoded}");
        }
    }

    #[test]
    fn base64_is_recognized_in_its_alphabet_for_addresses_too() {
        let secret = "~~~>>>???~~~";
        for before in ["", "x", "xy"] {
            let encoded = URL_SAFE.encode(format!("{before}{secret}"));
            assert!(encoded.contains('-') && encoded.contains('_'), "{encoded} is the same in both alphabets");
            assert_eq!(without(&format!("you sent {encoded}, sorry"), secret), "you sent [redacted], sorry", "{encoded}");
        }
    }

    #[test]
    fn in_a_mixture_of_encodings_nothing_of_the_words_is_left() {
        for encoded in [
            percent(SECRET),
            SECRET.chars().map(|character| format!("&#{};", u32::from(character))).collect(),
            SECRET.chars().map(|character| format!("&#x{:x};", u32::from(character))).collect(),
            SECRET.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect(),
            r#"p@ss\/w\u00f6rd+\"<&amp;>'=%2541\nx"#.into(),
            percent(&STANDARD.encode(SECRET)),
        ] {
            assert_eq!(without(&format!("you sent {encoded}"), SECRET), LEFT_OUT, "{encoded}");
        }
    }

    #[test]
    fn ordinary_words_are_left_alone() {
        for (text, secret) in [
            ("the password is wrong: 100% of it &c. \\o/ %zz &#99999999; \\u12", "hunter22"),
            ("no such user", "user"),
            ("é%é\\é&é", "x23456"),
            ("a + b", "++++++"),
        ] {
            assert_eq!(without(text, secret), text);
        }
    }

    #[test]
    fn a_secret_that_looks_encoded_itself_is_recognized() {
        for secret in ["+aAa!A", "%2541bc", "&amp;xx", "\\u0041b"] {
            for encoded in [secret.to_owned(), percent(secret), percent(&percent(secret)), secret.replace('&', "&amp;")] {
                let told = without(&format!("you sent {encoded}"), secret);
                assert!(!told.contains(&encoded), "{told}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn never_panics_and_never_leaves_it(text in ".{0,40}", secret in "[!-~]{6,20}") {
            for encoded in [secret.clone(), percent(&secret), STANDARD.encode(&secret)] {
                let told = without(&format!("{text} {encoded} {text}"), &secret);
                prop_assert!(!told.contains(&secret) && !told.contains(&encoded), "{told}");
            }
        }
    }
}
