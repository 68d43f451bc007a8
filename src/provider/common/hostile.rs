//! Text from a remote system, cut to size and cleaned of credentials before anything else may see it.

use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};

use super::repeated_secret;

/// The longest message that is kept. The longest recorded one, a lock error of Salesforce that names ten records, has about 350.
const LONGEST_MESSAGE: usize = 2_000;
/// The longest code that is kept.
const LONGEST_CODE: usize = 100;
/// What stands for a code that is none.
const UNREADABLE_CODE: &str = "unreadable-code";

/// A system's words: bounded, and without anything that looks like an access token.
///
/// A session of Salesforce is `00D`, 12 or 15 more letters and digits, `!` and the rest (client). A system that repeats one in
/// an error must not bring it into a log or a journal.
pub(in crate::provider) fn words(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(LONGEST_MESSAGE));
    let mut rest = text.trim();
    while let Some(bang) = rest.find('!') {
        let before = &rest[..bang];
        let start = before
            .rfind(|character: char| !character.is_ascii_alphanumeric())
            .map_or(0, |place| place + before[place..].chars().next().map_or(1, char::len_utf8));
        let organization = &before[start..];
        if organization.starts_with("00D") && organization.len() >= 15 {
            kept.push_str(&before[..start]);
            kept.push_str(repeated_secret::REDACTED);
            let secret = &rest[bang + 1..];
            let end = secret
                .find(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)))
                .unwrap_or(secret.len());
            rest = &secret[end..];
        } else {
            kept.push_str(&rest[..=bang]);
            rest = &rest[bang + 1..];
        }
        if kept.len() > LONGEST_MESSAGE {
            break;
        }
    }
    kept.push_str(rest);
    shortened(kept, LONGEST_MESSAGE)
}

/// A system's words about a request that carried these secrets.
pub(in crate::provider) fn words_without(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = repeated_secret::without(&text, secret.expose_secret());
    }
    words(&text)
}

/// The code of an answer to a request that carried these secrets.
pub(in crate::provider) fn code_without(text: &str, secrets: &[&SecretString]) -> String {
    let repeats = secrets.iter().any(|secret| repeated_secret::repeats(text, secret.expose_secret()));
    if repeats { UNREADABLE_CODE.to_owned() } else { code(text) }
}

/// A system's words about a request it refused, on one line, whatever lines the system drew: what it said, or else what its status says.
pub(in crate::provider) fn refusal_words(text: &str, status: StatusCode, secrets: &[&SecretString]) -> String {
    if status.is_redirection() {
        return "the system points to another address, which is not followed".to_owned();
    }
    let message = words_without(&one_line(text), secrets);
    if message.is_empty() { status.canonical_reason().unwrap_or("no reason given").to_owned() } else { message }
}

/// A text on one line.
pub(in crate::provider) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a body says that is none of the system's own forms: the title of an HTML page, or the text itself.
pub(in crate::provider) fn page_words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").map(|start| start + "<title>".len()).and_then(|start| {
        let end = start + lower.get(start..)?.find("</title>")?;
        text.get(start..end)
    });
    match title {
        Some(title) => title.trim().to_owned(),
        None if lower.trim_start().starts_with('<') => "a page without a title".to_owned(),
        None => text.into_owned(),
    }
}

/// A system's code if it has the form of one, else a code of our own.
pub(in crate::provider) fn code(text: &str) -> String {
    let well_formed = (1..=LONGEST_CODE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if well_formed { text.to_owned() } else { UNREADABLE_CODE.to_owned() }
}

fn shortened(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        let mut end = longest;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn removes_what_looks_like_an_access_token() {
        for (text, expected) in [
            ("bad token 00D000000000001!AQ.canary_x-1, sorry!", "bad token [redacted], sorry!"),
            ("00D000000000001EAA!canary", "[redacted]"),
            ("é00D000000000001EAA!canary é!", "é[redacted] é!"),
            ("Wow! 00D! short", "Wow! 00D! short"),
            ("  \n", ""),
        ] {
            assert_eq!(words(text), expected);
        }
    }

    #[test]
    fn removes_the_secrets_of_the_request() {
        let secret = SecretString::from("canary-secret");
        assert_eq!(words_without("you sent canary-secret", &[&secret]), "you sent [redacted]");
        assert_eq!(words_without("you sent Y2FuYXJ5LXNlY3JldA==", &[&secret]), "you sent [redacted]");
        assert_eq!(code_without("canary-secret", &[&secret]), "unreadable-code");
        assert_eq!(code_without("INVALID_LOGIN", &[&secret]), "INVALID_LOGIN");
    }

    #[test]
    fn keeps_a_code_only_when_it_is_one() {
        assert_eq!(code("UNABLE_TO_LOCK_ROW"), "UNABLE_TO_LOCK_ROW");
        for text in ["", "a b", "<script>", &"X".repeat(101)] {
            assert_eq!(code(text), "unreadable-code");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn is_bounded_and_never_panics(text in "(.|!|00D000000000001){0,400}", times in 1usize..20) {
            prop_assert!(words(&text.repeat(times)).len() <= LONGEST_MESSAGE + '…'.len_utf8());
        }
    }
}
