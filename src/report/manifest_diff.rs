//! How the manifests of two plans differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffableStr as _};

use super::{Palette, terminal_line};
use crate::plan::SealedFile;

/// A unified text difference of two sets of manifest files, harmless for a terminal; empty when they are the same.
pub fn manifest_diff(before: &[SealedFile], after: &[SealedFile]) -> String {
    let by_path = |files: &[SealedFile]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
    };
    let (before, after) = (by_path(before), by_path(after));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut shown = String::new();
    for path in paths {
        let empty = String::new();
        let (old, new) = (before.get(path).unwrap_or(&empty), after.get(path).unwrap_or(&empty));
        if old == new {
            continue;
        }
        let name = terminal_line(path);
        let _ = writeln!(shown, "--- {name} (planned before)");
        let _ = writeln!(shown, "+++ {name} (now)");
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

    fn file(path: &str, text: &str) -> SealedFile {
        SealedFile { path: path.into(), digest: Digest::of(text.as_bytes()), text: text.into() }
    }

    #[test]
    fn shows_changed_added_and_removed_files_and_no_others() {
        let before = [file("a.yaml", "one\ntwo\n"), file("b.yaml", "same\n"), file("c.yaml", "gone\n")];
        let after = [file("a.yaml", "one\n2\u{1b}[2J\n"), file("b.yaml", "same\n"), file("d.yaml", "new\n")];
        insta::assert_snapshot!(manifest_diff(&before, &after), @r"
        --- a.yaml (planned before)
        +++ a.yaml (now)
        @@ -1,2 +1,2 @@
         one
        -two
        +2\u{1b}[2J
        --- c.yaml (planned before)
        +++ c.yaml (now)
        @@ -1 +0,0 @@
        -gone
        --- d.yaml (planned before)
        +++ d.yaml (now)
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
