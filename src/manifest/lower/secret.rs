//! References to secrets.

use std::path::PathBuf;

use crate::base::Diagnostic;
use crate::manifest::fields::{Field, Findings};
use crate::manifest::mask::is_variable_name;
use crate::manifest::node::Value;
use crate::manifest::{SecretReference, codes};

const HELP: &str = "write `{ env: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, ARGUMENT] }`";

/// Reads a reference. No message repeats what stands in its place.
pub(super) fn secret(field: Field<'_>, findings: &mut Findings<'_>) -> Option<SecretReference> {
    if matches!(field.node.value, Value::Text(_) | Value::Number(_) | Value::Boolean(_)) {
        findings.push(
            Diagnostic::error(
                codes::LITERAL_SECRET,
                format!("`{}` holds the secret itself", field.key),
                field.node.span,
                "a reference belongs here",
            )
            .with_help(HELP)
            .with_note("if this file has been shared, change the secret"),
        );
        return None;
    }
    let mut fields = findings.fields(field, "a secret reference")?;
    let given: Vec<Field<'_>> = ["env", "file", "command"].into_iter().filter_map(|key| fields.optional(key)).collect();
    fields.end(findings);
    let [one] = given[..] else {
        let title = format!("`{}` needs exactly one of `env`, `file` and `command`", field.key);
        let place = given.get(1).map_or(field.place, |second| second.place);
        findings.push(
            Diagnostic::error(codes::SECRET_REFERENCE, title, place, format!("{} are given", given.len())).with_help(HELP),
        );
        return None;
    };
    match one.key {
        "env" => {
            let name = findings.text(one)?;
            if is_variable_name(name) {
                return Some(SecretReference::Environment(name.to_owned()));
            }
            findings.push(
                Diagnostic::error(
                    codes::SECRET_REFERENCE,
                    "`env` must be the name of an environment variable",
                    one.node.span,
                    "this cannot be one",
                )
                .with_help("write a name of letters, digits and `_`, such as `CRM_CLIENT_SECRET`"),
            );
            None
        }
        "file" => findings.text(one).map(|path| SecretReference::File(PathBuf::from(path))),
        _ => {
            let words: Option<Vec<String>> =
                findings.list(one)?.into_iter().map(|item| findings.text(item).map(str::to_owned)).collect();
            let words = words?;
            if words.is_empty() {
                findings.push(
                    Diagnostic::error(codes::SECRET_REFERENCE, "`command` names no program", one.place, "an empty list")
                        .with_help(HELP),
                );
                return None;
            }
            Some(SecretReference::Command(words))
        }
    }
}
