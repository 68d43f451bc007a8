//! What a file says that it is: manifests lie beside files of other tools, some of which are no YAML at all.

use super::node::{Node, Value, documents, parse};
use super::{DocumentKind, MOST_FILE_BYTES};
use crate::base::SourceMap;

/// How the format of every version of Sexton begins.
const OWN_FORMAT: &str = "sexton";

/// How many letters of [`OWN_FORMAT`] may be wrong, missing or too many in what is meant for it.
const FORMAT_SLIPS: usize = 2;

/// The same of a kind. Other tools have kinds such as `Pod` and `Role`, which are not far from `Hold`.
fn kind_slips(kind: DocumentKind) -> usize {
    match kind {
        DocumentKind::DeletionPolicy => 3,
        DocumentKind::Hold | DocumentKind::Project | DocumentKind::Target => 1,
    }
}

/// Whether a word is another with no more than so many slips, whatever the case of its letters.
fn is_near(word: &str, meant: &str, slips: usize) -> bool {
    // No longer word is near, and it may be as long as a file.
    word.len() <= 2 * meant.len()
        && strsim::damerau_levenshtein(&word.to_ascii_lowercase(), &meant.to_ascii_lowercase()) <= slips
}

/// What one document says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nothing of Sexton's.
    Foreign,
    /// Sexton's, and no hold.
    Manifest,
    /// Sexton's, and a hold, or with a mistake that may hide one.
    Hold,
}

/// What each document of a file says that it is. It is asked of all of them before any of them is read, so a mistake in a
/// document, in its format or its kind is no reason to call it foreign.
pub(super) fn claims(bytes: &[u8]) -> impl Iterator<Item = Claim> {
    // What was saved as UTF-16 begins with a mark, and has a zero beside each of these letters.
    let text = String::from_utf8_lossy(bytes).trim_start_matches(['\u{feff}', '\u{fffd}']).replace('\0', "");
    let is_small = bytes.len() as u64 <= MOST_FILE_BYTES;
    let source = SourceMap::default().add("", "");
    documents(&text).into_iter().map(move |document| {
        let node = is_small.then(|| parse(source, &text, &document).ok()).flatten();
        let mut head = Head::default();
        match &node {
            Some(node) => head.take(node),
            None => head.take_lines(&text[document]),
        }
        head.claim()
    })
}

/// Every format and every kind that a document says it has. It ought to be one of each.
#[derive(Default)]
struct Head {
    formats: Vec<String>,
    kinds: Vec<String>,
}

impl Head {
    /// Documents may be wrapped in a list, as other tools do it.
    fn take(&mut self, node: &Node) {
        match &node.value {
            Value::Sequence(items) => items.iter().for_each(|item| self.take(item)),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    match (&key.value, &value.value) {
                        (Value::Text(key), Value::Text(text)) => self.take_entry(key, text),
                        (Value::Text(key), Value::Sequence(_)) if key == "items" => self.take(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// What is no YAML says it with a line that would be such an entry.
    fn take_lines(&mut self, text: &str) {
        let before = |letter: char| letter.is_whitespace() || "-{[,?\"'".contains(letter);
        let after = |letter: char| letter.is_whitespace() || ",}]#\"'".contains(letter);
        for (key, value) in text.lines().filter_map(|line| line.trim_start_matches(before).split_once(':')) {
            let value = value.trim_start_matches(before).split(after).next().unwrap_or_default();
            self.take_entry(key.trim_end_matches(after), value);
        }
    }

    fn take_entry(&mut self, key: &str, value: &str) {
        if key.eq_ignore_ascii_case("apiVersion") {
            self.formats.push(value.trim().to_ascii_lowercase());
        } else if key.eq_ignore_ascii_case("kind") {
            self.kinds.push(value.trim().to_owned());
        }
    }

    fn claim(&self) -> Claim {
        let known = |kind: &String| DocumentKind::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(kind));
        let kinds: Vec<Option<DocumentKind>> = self.kinds.iter().map(known).collect();
        let is_ours = |format: &str| {
            let group = format.split('/').next().unwrap_or_default();
            format.starts_with(OWN_FORMAT) || is_near(group, OWN_FORMAT, FORMAT_SLIPS)
        };
        let own_format = self.formats.iter().any(|format| is_ours(format));
        let foreign_format = !own_format && self.formats.iter().any(|format| format.contains('/'));
        let near = |kind: &String| DocumentKind::ALL.into_iter().any(|known| is_near(kind, known.name(), kind_slips(known)));
        // What is meant for another tool by its format may be called anything.
        let misspelt = !own_format && !foreign_format && self.kinds.iter().any(near);
        let is_own = own_format
            || misspelt
            || kinds.iter().flatten().any(|kind| match kind {
                DocumentKind::DeletionPolicy | DocumentKind::Hold => true,
                // Other tools have these, too.
                DocumentKind::Project | DocumentKind::Target => !foreign_format,
            });
        let no_hold = |kind: &Option<DocumentKind>| kind.is_some_and(|kind| kind != DocumentKind::Hold);
        match is_own {
            false => Claim::Foreign,
            // It may be another tool's after all, so that `.sextonignore` may name it.
            true if misspelt && kinds.iter().all(Option::is_none) => Claim::Manifest,
            true if foreign_format || !kinds.is_empty() && kinds.iter().all(no_hold) => Claim::Manifest,
            true => Claim::Hold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: impl AsRef<[u8]>) -> Vec<Claim> {
        claims(text.as_ref()).collect()
    }

    #[test]
    fn files_of_other_tools_say_nothing_of_sexton() {
        for text in [
            "",
            "# apiVersion: sexton/v1\n",
            "stages: [test]\ntest:\n  script: |\n    cat > hold.yaml <<E\n    apiVersion: sexton/v1\n    kind: Hold\n    E\n",
            "markdown_extensions:\n  - emoji: !!python/name:material.extensions.emoji.twemoji\n",
            "test: !reference [.setup, script]\n",
            "services:\n  web: { image: nginx }\n",
            "apiVersion: argoproj.io/v1alpha1\nkind: Project\n",
            "apiVersion: v1\nkind: ConfigMap\n",
            "{{- if .Values.on }}\napiVersion: example.com/v1\nkind: Target\n{{- end }}\n",
            "a: 'never closed\n",
            "- 1\n- kind: Pod\n",
            "kind: [Hold]\napiVersion: { sexton: 1 }\n",
            "apiVersion: v1\nkind: Pod\n",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n",
            "apiVersion: kyverno.io/v1\nkind: Policy\n",
            "apiVersion: machinelearning.seldon.io/v1\nkind: Holds\n",
            "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\n",
            "kind: pipeline\n",
            "kind: Policy\n",
        ] {
            assert!(says(text).iter().all(|claim| *claim == Claim::Foreign), "{text}");
        }
    }

    #[test]
    fn a_hold_is_one_whatever_else_is_wrong_with_it() {
        let utf16: Vec<u8> = "\u{feff}kind: Hold\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(says(utf16), [Claim::Hold], "saved as UTF-16");
        for text in [
            &b"kind: Hold\n"[..],
            b"Kind: hold\n",
            b"apiVersion: sexton/v2\nkind: Holds\n",
            b"apiVersion: SEXTON/v1\n",
            b"apiVersion: \"sexton/v1\"\nkind: &a Hold\nspec: !tag {}\n",
            b"apiVersion: v1\nkind: Hold\n",
            b"- kind: Hold\n- kind: Project\n",
            b"kind: List\nitems:\n  - { kind: Hold }\n",
            b"kind: Project\nkind: Hold\n",
            b"\xef\xbb\xbfkind: Hold\n",
            b"# caf\xe9\nkind: Hold\n",
            b"<<<<<<< ours\nkind: Hold\n=======\nkind: Hold\n>>>>>>> theirs\n",
            b"kind: 'Hold' # the lawsuit\n  a: 'never closed\n",
            b"{ \"apiVersion\": \"sexton/v1\", \"kind\": \"Hold\"\n",
            b"apiVersion: sexton/v1\nspec: {{ .Values.spec }}\n",
            b"kind: Hold\n\tspec: {}\n",
        ] {
            assert_eq!(says(text), [Claim::Hold], "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_slip_in_the_format_or_the_kind_is_told_and_not_passed_over() {
        for text in [
            "apiVersion: sextn/v1\nkind: Hodl\n",
            "apiVersion: Setxon/v1\nkind: Hold\n",
            "apiVersion: sexon/v1\nkind: Whatever\n",
        ] {
            assert_eq!(says(text), [Claim::Hold], "{text}");
        }
        for text in [
            "kind: Holds\n",
            "kind: Hodl\n",
            "apiVersion: v1\nkind: holds\n",
            "kind: DeletePolicy\n",
            "kind: DeletionPolicies\n",
            "kind: Targets\n",
            "apiVersion: sextn/v1\nkind: DeletionPolicy\n",
        ] {
            assert_eq!(says(text), [Claim::Manifest], "{text}");
        }
    }

    #[test]
    fn one_document_of_sextons_is_enough_and_says_whether_it_may_be_a_hold() {
        use Claim::{Foreign, Hold, Manifest};
        assert_eq!(says("a: 1\n---\nkind: DeletionPolicy\n---\nkind: Hold\n--- 'x\n"), [Foreign, Manifest, Hold, Foreign]);
        for text in [
            "apiVersion: sexton/v1\nkind: Target\n",
            "kind: Project\n",
            "apiVersion: v1\nkind: Target\n",
            "apiVersion: example.com/v1\nkind: Hold\n",
            "{{ if .x }}\nkind: DeletionPolicy\n",
        ] {
            assert_eq!(says(text), [Manifest], "{text}");
        }
        let mut large = "#\n".repeat(600_000);
        large.push_str("a: 1\nkind: Hold\n");
        assert_eq!(says(large), [Hold], "a large file is asked line by line");
    }
}
