//! How the manifests of two plans differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffableStr as _};

use super::{Palette, terminal_line};
use crate::plan::SealedDocument;

/// A unified text difference of two sets of documents, harmless for a terminal; empty when they are the same. A document that moved
/// to another file is the same.
pub fn manifest_diff<'a>(
    before: impl IntoIterator<Item = &'a SealedDocument>,
    after: impl IntoIterator<Item = &'a SealedDocument>,
) -> String {
    let mut documents: BTreeMap<_, [Option<&SealedDocument>; 2]> = BTreeMap::new();
    let both = before.into_iter().map(|document| (0, document)).chain(after.into_iter().map(|document| (1, document)));
    for (side, document) in both {
        documents.entry((document.kind, &document.name)).or_default()[side] = Some(document);
    }
    let mut shown = String::new();
    for ((kind, name), [before, after]) in documents {
        let text =
            |document: Option<&'a SealedDocument>| document.map(|document| document.text.as_str()).unwrap_or_default();
        let (old, new) = (text(before), text(after));
        if old == new {
            continue;
        }
        let title = |document: Option<&SealedDocument>| {
            let place = document
                .map_or_else(|| "nothing".to_owned(), |document| format!("{} {name} in {}", kind.name(), document.file));
            terminal_line(&place).into_owned()
        };
        let _ = writeln!(shown, "--- {} (planned before)", title(before));
        let _ = writeln!(shown, "+++ {} (now)", title(after));
        // What `TextDiff` does, without the five algorithms that it would compile beside this one: they are a twelfth of a build.
        let (old, new) = (old.tokenize_lines(), new.tokenize_lines());
        let mut captured = Compact::new(Replace::new(Capture::new()), &old, &new);
        let Ok(()) = myers::diff(&mut captured, &old, 0..old.len(), &new, 0..new.len());
        for hunk in captured.into_inner().into_inner().into_grouped_ops(2) {
            let _ = writeln!(shown, "{}", UnifiedHunkHeader::new(&hunk));
            for change in hunk.iter().flat_map(|operation| operation.iter_changes(&old, &new)) {
                let line = change.value().trim_end_matches(['\r', '\n']);
                let line = terminal_line(line);
                let _ = match change.tag() {
                    ChangeTag::Delete => writeln!(shown, "-{line}"),
                    ChangeTag::Insert => writeln!(shown, "+{line}"),
                    ChangeTag::Equal => writeln!(shown, " {line}"),
                };
            }
        }
    }
    shown
}

/// A difference as [`manifest_diff`] gives it, with the colours of a terminal. A difference out of a plan may be any text.
pub fn painted_diff(difference: &str, palette: Palette) -> String {
    difference.lines().fold(String::new(), |mut shown, line| {
        let line = terminal_line(line);
        let painted = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] | [b'@', ..] => palette.faint(&line),
            [b'-', ..] => palette.deletion(&line),
            [b'+', ..] => palette.kept(&line),
            _ => line.into_owned(),
        };
        let _ = writeln!(shown, "{painted}");
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::manifest::DocumentKind;

    fn document(name: &str, file: &str, text: &str) -> SealedDocument {
        SealedDocument {
            kind: DocumentKind::DeletionPolicy,
            name: name.into(),
            file: file.into(),
            digest: Digest::of(text.as_bytes()),
            text: text.into(),
            list: None,
        }
    }

    #[test]
    fn shows_changed_added_and_removed_documents_and_no_others() {
        let before =
            [document("a", "a.yaml", "one\ntwo\n"), document("b", "b.yaml", "same\n"), document("c", "c.yaml", "gone\n")];
        let after = [
            document("a", "a.yaml", "one\n2\u{1b}[2J\n"),
            document("b", "moved.yaml", "same\n"),
            document("d", "a.yaml", "new\n"),
        ];
        insta::assert_snapshot!(manifest_diff(&before, &after), @r"
        --- DeletionPolicy a in a.yaml (planned before)
        +++ DeletionPolicy a in a.yaml (now)
        @@ -1,2 +1,2 @@
         one
        -two
        +2\u{1b}[2J
        --- DeletionPolicy c in c.yaml (planned before)
        +++ nothing (now)
        @@ -1 +0,0 @@
        -gone
        --- nothing (planned before)
        +++ DeletionPolicy d in a.yaml (now)
        @@ -0,0 +1 @@
        +new
        ");
        assert_eq!(manifest_diff(&before, &before), "");
    }

    #[test]
    fn colours_nothing_but_whole_lines() {
        let difference = "--- a.yaml (planned before)\n@@ -1 +1 @@\n-two\n+2\u{1b}[2J\n same\n";
        assert_eq!(painted_diff(difference, Palette::new(false)), difference.replace('\u{1b}', "\\u{1b}"));
        assert!(painted_diff(difference, Palette::new(true)).contains(&Palette::new(true).deletion("-two")));
    }
}
