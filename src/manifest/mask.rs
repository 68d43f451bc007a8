//! Finds text that may be a secret before anything of a file is shown.
//!
//! A literal secret is an error, and the error must not publish it. So every scalar below a key that sounds like a secret, and
//! every scalar of a sign-in, is masked unless it is part of a reference or a plain setting.

use super::node::{Node, Value};
use crate::base::{SourceId, Span};

/// Keys that hold no secret wherever they stand: the parts of a reference, and the settings of a sign-in.
const OPEN_KEYS: [&str; 7] = ["env", "file", "command", "username", "audience", "targetOrg", "loginUrl"];

/// Whether a key sounds as if its value were secret.
fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "auth"
        || ["secret", "password", "passphrase", "token", "clientid", "privatekey", "private_key", "apikey", "credential"]
            .iter()
            .any(|word| key.contains(word))
}

/// The places of all scalars of a document that may be secrets.
pub(super) fn secrets(node: &Node) -> Vec<Span> {
    let mut found = Vec::new();
    collect(node, false, &mut found);
    found
}

fn collect(node: &Node, secret: bool, found: &mut Vec<Span>) {
    match &node.value {
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let Value::Text(name) = &key.value else { continue };
                let within = secret || sounds_secret(name);
                let open = OPEN_KEYS.contains(&name.as_str()) && harmless(name, value);
                if !open {
                    collect(value, within, found);
                }
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, secret, found)),
        // A URL with a user part has a password in it.
        Value::Text(text) if secret || text.contains("://") && text.contains('@') => found.push(node.span),
        Value::Number(_) if secret => found.push(node.span),
        _ => {}
    }
}

/// Whether the value of an open key can be what the key says. A secret pasted where a name belongs cannot.
fn harmless(key: &str, node: &Node) -> bool {
    match (&node.value, key) {
        (Value::Text(text), "env") => is_variable_name(text),
        (Value::Text(text), "loginUrl" | "audience") => !text.contains('@'),
        (Value::Text(text), _) => !text.contains('\n'),
        (Value::Sequence(_), "command") => true,
        _ => false,
    }
}

/// Whether a text can name an environment variable (POSIX: letters, digits and `_`, no digit first).
pub(super) fn is_variable_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The places of what may be secrets in a text that is not YAML, line by line: whatever follows a key that sounds like a
/// secret, and the lines that are indented more than it.
pub(super) fn secrets_of_lines(source: SourceId, text: &str, base: usize) -> Vec<Span> {
    let mut found = Vec::new();
    let mut below: Option<usize> = None;
    let mut offset = base;
    for line in text.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start().len();
        if below.is_some_and(|depth| indentation > depth || line.trim().is_empty()) {
            found.push(Span { source, start: offset + indentation, end: offset + line.len() });
        } else {
            let value = line.match_indices(':').find(|(at, _)| sounds_secret(last_word(&line[..*at])));
            if let Some((at, _)) = value {
                found.push(Span { source, start: offset + at + 1, end: offset + line.len() });
            }
            below = value.map(|_| indentation);
        }
        offset += line.len();
    }
    found
}

/// The word at the end of a text, without quotes and spaces after it.
fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    text.rsplit(|before: char| !before.is_ascii_alphanumeric() && before != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceMap;

    #[test]
    fn finds_secrets_in_text_that_is_not_yaml() {
        let text = "\
a: 1
spec: { target: x, \"auth\": { clientSecret: CANARY
clientSecret: |
    CANARY

    CANARY
after: 1
ä: 'CANARY_IS_NO_SECRET_HERE'
";
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", text);
        secrets_of_lines(id, text, 0).into_iter().for_each(|span| sources.mask(span));
        insta::assert_snapshot!(sources.shown(Span { source: id, start: 0, end: text.len() }).expect("inside"), @r#"
        a: 1
        spec: { target: x, "auth":***********************
        clientSecret:**
            ******

            ******
        after: 1
        ä: 'CANARY_IS_NO_SECRET_HERE'
        "#);
    }

    #[test]
    fn a_character_that_rfind_meets_may_be_long() {
        assert_eq!(last_word("ätoken"), "token");
        assert_eq!(last_word("'x-token' "), "token");
    }
}
