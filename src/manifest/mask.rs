//! Finds text that may be a secret before anything of a file is shown.
//!
//! A literal secret is an error, and the error must not be what publishes it. So every scalar below a key that sounds
//! like a secret, and every scalar of a sign-in, is masked unless it stands where a reference or a plain setting stands.

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
        let key = line.split(':').next().unwrap_or_default();
        if below.is_some_and(|depth| indentation > depth || line.trim().is_empty()) {
            found.push(Span { source, start: offset + indentation.min(line.len()), end: offset + line.len() });
        } else {
            below = None;
            if key.len() < line.len() && sounds_secret(key.trim_matches([' ', '\t', '"', '\'', '-', '{', '?'])) {
                found.push(Span { source, start: offset + key.len() + 1, end: offset + line.len() });
                below = Some(indentation);
            }
        }
        offset += line.len();
    }
    found
}
