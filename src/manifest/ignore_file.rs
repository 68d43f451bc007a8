//! `.sextonignore`: the files that are none of Sexton's although they look like it, or cannot be looked into.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{ManifestFile, codes};
use crate::base::Diagnostic;

/// The patterns of `.sextonignore`, in the language of `.gitignore`.
pub(super) struct IgnoreFile(Gitignore);

impl IgnoreFile {
    /// The patterns, and what is wrong with some. Without a file nothing is ignored.
    pub(super) fn read(file: Option<ManifestFile>) -> (Self, Vec<Diagnostic>) {
        let Some(ManifestFile { name, content }) = file else { return (Self(Gitignore::empty()), Vec::new()) };
        let wrong = |what: String| Diagnostic::bare(codes::IGNORE_FILE, format!("`{name}` {what}"));
        let text = match content.map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                return (Self(Gitignore::empty()), vec![wrong("is not UTF-8".into()).with_help("save it as UTF-8")]);
            }
            Err(error) => {
                let found = wrong(format!("{error}")).with_help("check that it may be read");
                return (Self(Gitignore::empty()), vec![found]);
            }
        };
        let mut builder = GitignoreBuilder::new("");
        let mut found = Vec::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            if let Err(error) = builder.add_line(None, line) {
                found.push(
                    wrong(format!("has no pattern in line {number}: {error}"))
                        .with_help("write a pattern as in `.gitignore`, such as `charts/` or `*.tmpl.yaml`"),
                );
            }
        }
        let patterns = builder.build().unwrap_or_else(|error| {
            found.push(wrong(format!("cannot be used: {error}")).with_help("write fewer or simpler patterns"));
            Gitignore::empty()
        });
        (Self(patterns), found)
    }

    /// Whether a file, or a directory, is named by it. The path is relative to where it lies.
    pub(super) fn names(&self, path: &str, is_directory: bool) -> bool {
        !path.starts_with('/') && self.0.matched_path_or_any_parents(path, is_directory).is_ignore()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> (IgnoreFile, Vec<Diagnostic>) {
        IgnoreFile::read(Some(ManifestFile { name: ".sextonignore".into(), content: Ok(text.into()) }))
    }

    #[test]
    fn its_patterns_are_those_of_gitignore() {
        let (file, found) = patterns("\u{feff}# charts\r\n/charts/\r\n*.tmpl.yaml\n!keep.tmpl.yaml\ndeep/**/x.yaml\n\n");
        assert_eq!(found, Vec::new());
        for (path, is_directory, expected) in [
            ("charts/a/b.yaml", false, true),
            ("charts", true, true),
            ("charts", false, false),
            ("other/charts/b.yaml", false, false),
            ("a/b.tmpl.yaml", false, true),
            ("a/keep.tmpl.yaml", false, false),
            ("deep/a/b/x.yaml", false, true),
            ("x.yaml", false, false),
            ("/charts/a.yaml", false, false),
        ] {
            assert_eq!(file.names(path, is_directory), expected, "{path}");
        }
    }

    #[test]
    fn a_line_that_is_no_pattern_is_told_with_its_number() {
        let (_, found) = patterns("a\n[z-a]\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].title.starts_with("`.sextonignore` has no pattern in line 2: "), "{}", found[0].title);
        let (_, found) = IgnoreFile::read(Some(ManifestFile { name: "x".into(), content: Ok(vec![0xff]) }));
        assert_eq!(found[0].title, "`x` is not UTF-8");
    }
}
