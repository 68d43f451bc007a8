//! Which files were read as manifests, and what was passed over.

use std::fmt::Write as _;

use super::{JsonEvent, JsonPassedOver, Palette, View, terminal_line};
use crate::base::counted;
use crate::manifest::{PassedOverCause, Reading};

/// The files of a project: how many, or each of them.
#[derive(Clone, Copy, Debug)]
pub struct FilesView<'a> {
    /// What came of reading them.
    pub reading: &'a Reading,
    /// Whether each is named.
    pub listed: bool,
}

impl FilesView<'_> {
    fn read(&self) -> impl Iterator<Item = &str> {
        self.reading.sources.iter().map(|(_, source)| source.name.as_str())
    }

    /// Files that are passed over. What hidden directories have in them is not known.
    fn passed_over(&self) -> u64 {
        self.reading.passed_over.iter().filter(|passed| passed.cause != PassedOverCause::Hidden).count() as u64
    }
}

/// The word for machines, and the words for people.
fn because(cause: PassedOverCause) -> (&'static str, &'static str) {
    match cause {
        PassedOverCause::Foreign => ("foreign", "no document of it is Sexton's"),
        PassedOverCause::Ignored => ("ignored", "named in .sextonignore"),
        PassedOverCause::Hidden => ("hidden", "a hidden directory, not searched"),
    }
}

impl View for FilesView<'_> {
    fn text(&self, _: Palette) -> String {
        let mut text = String::new();
        if self.listed {
            self.read().for_each(|name| text.push_str(&format!("read         {}\n", terminal_line(name))));
            for passed in &self.reading.passed_over {
                let _ = writeln!(text, "passed over  {}: {}", terminal_line(&passed.name), because(passed.cause).1);
            }
            return text;
        }
        text.push_str(&counted(self.read().count() as u64, "file"));
        text.push_str(" read");
        if !self.reading.passed_over.is_empty() {
            let _ = write!(text, ", {} passed over; `sexton validate --files` lists them", self.passed_over());
        }
        text.push('\n');
        text
    }

    fn events(&self) -> Vec<JsonEvent> {
        let passed_over = self
            .reading
            .passed_over
            .iter()
            .map(|passed| JsonPassedOver { path: passed.name.clone(), cause: because(passed.cause).0.into() });
        vec![JsonEvent::Files {
            read_count: self.read().count() as u64,
            passed_over_count: self.passed_over(),
            read: self.listed.then(|| self.read().map(str::to_owned).collect()),
            passed_over: self.listed.then(|| passed_over.collect()),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{ManifestFile, Sifted};

    #[test]
    fn counts_files_or_names_each() {
        let file = |name: &str, text: &str| ManifestFile { name: name.into(), content: Ok(text.into()) };
        let files =
            [file("a\u{1b}.yaml", "kind: Hold\n"), file("b.yaml", "kind: DeletionPolicy\n"), file("c.yaml", "stages: []\n")];
        let mut sifted = Sifted::new(files, Some(file(".sextonignore", "b.yaml\n")));
        sifted.add_hidden([".github".to_owned()]);
        let reading = sifted.read();
        let palette = Palette::new(false);
        let view = |listed| FilesView { reading: &reading, listed };
        assert_eq!(view(false).text(palette), "1 file read, 2 passed over; `sexton validate --files` lists them\n");
        insta::assert_snapshot!(view(true).text(palette), @r"
        read         a\u{1b}.yaml
        passed over  .github: a hidden directory, not searched
        passed over  b.yaml: named in .sextonignore
        passed over  c.yaml: no document of it is Sexton's
        ");
        insta::assert_snapshot!(serde_json::to_string(&view(false).events()).expect("JSON"), @r#"[{"type":"files","readCount":1,"passedOverCount":2}]"#);
        insta::assert_snapshot!(serde_json::to_string(&view(true).events()).expect("JSON"), @r#"[{"type":"files","readCount":1,"passedOverCount":2,"read":["a\u001b.yaml"],"passedOver":[{"path":".github","cause":"hidden"},{"path":"b.yaml","cause":"ignored"},{"path":"c.yaml","cause":"foreign"}]}]"#);
    }
}
