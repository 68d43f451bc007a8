//! The manifests among the files of a directory.

use std::path::{Path, PathBuf};

use super::claim::{Claim, claims};
use super::ignore_file::IgnoreFile;
use super::reader::{Reading, read_beside, settings};
use super::{ManifestFile, PassedOver, PassedOverCause, Project, codes};
use crate::base::Diagnostic;

/// A directory of a project that Sexton itself writes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputDirectory {
    /// Its path, relative to the project's directory.
    pub path: PathBuf,
    /// What people call it.
    pub what: &'static str,
}

impl OutputDirectory {
    fn has(&self, name: &str) -> bool {
        Path::new(name).starts_with(&self.path)
    }
}

/// The files of a directory, those with manifests and the others told apart.
#[derive(Debug)]
pub struct Sifted {
    manifests: Vec<ManifestFile>,
    passed_over: Vec<PassedOver>,
    diagnostics: Vec<Diagnostic>,
}

impl Sifted {
    /// Tells the files of a directory apart. What cannot be looked into may hold a manifest, and is taken for one.
    ///
    /// A hold is never passed over: a file that may have one and that `ignore`, the file `.sextonignore`, names is a mistake.
    pub fn new(files: impl IntoIterator<Item = ManifestFile>, ignore: Option<ManifestFile>) -> Self {
        let (ignore, diagnostics) = IgnoreFile::read(ignore);
        let mut sifted = Self { manifests: Vec::new(), passed_over: Vec::new(), diagnostics };
        for file in files {
            let cause = match &file.content {
                Ok(bytes) if claims(bytes).all(|claim| claim == Claim::Foreign) => Some(PassedOverCause::Foreign),
                Ok(bytes) if ignore.names(&file.name, false) => {
                    if claims(bytes).any(|claim| claim == Claim::Hold) {
                        sifted.diagnostics.push(ignored_hold(&file.name));
                    }
                    Some(PassedOverCause::Ignored)
                }
                // Nobody can say whether it is a directory.
                Err(_) if ignore.names(&file.name, false) || ignore.names(&file.name, true) => {
                    Some(PassedOverCause::Ignored)
                }
                _ => None,
            };
            match cause {
                Some(cause) => sifted.passed_over.push(PassedOver { name: file.name, cause }),
                None => sifted.manifests.push(file),
            }
        }
        sifted
    }

    /// Tells of directories that were not searched.
    pub fn add_hidden(&mut self, directories: impl IntoIterator<Item = String>) {
        let hidden = |name| PassedOver { name, cause: PassedOverCause::Hidden };
        self.passed_over.extend(directories.into_iter().map(hidden));
        self.passed_over.sort_by(|left, right| left.name.cmp(&right.name));
    }

    /// What the Project document says, as far as it can be read.
    pub fn project(&self) -> Project {
        settings(&self.manifests)
    }

    /// Passes over what lies in a directory that Sexton writes into, of which `unsearched` are files that were not among the
    /// first ones. Sexton writes no YAML: a manifest there was put into the wrong place, and is a mistake.
    pub fn leave_out(&mut self, outputs: &[OutputDirectory], unsearched: impl IntoIterator<Item = ManifestFile>) {
        let manifests = std::mem::take(&mut self.manifests);
        for file in manifests.into_iter().chain(Self::new(unsearched, None).manifests) {
            match outputs.iter().find(|output| output.has(&file.name)) {
                Some(output) if file.content.is_ok() => self.diagnostics.push(in_output(&file.name, output)),
                Some(_) => {}
                None => self.manifests.push(file),
            }
        }
    }

    /// Reads and checks the manifests.
    pub fn read(self) -> Reading {
        read_beside(self.manifests, self.diagnostics, self.passed_over)
    }
}

fn ignored_hold(name: &str) -> Diagnostic {
    Diagnostic::bare(
        codes::IGNORED_HOLD,
        format!("`.sextonignore` names `{name}`, in which there is a hold or what may be one"),
    )
    .with_help("a hold is never passed over: change the pattern, or move the file out of the project")
}

fn in_output(name: &str, output: &OutputDirectory) -> Diagnostic {
    let OutputDirectory { path, what } = output;
    Diagnostic::bare(codes::MANIFEST_IN_OUTPUT, format!("there is a manifest in {what}, where none is looked for: `{name}`"))
        .with_help(format!("move it out of `{}/`, which sexton itself writes into", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::ManifestFileError;

    fn file(name: &str, text: &str) -> ManifestFile {
        ManifestFile { name: name.into(), content: Ok(text.into()) }
    }

    fn unreadable(name: &str) -> ManifestFile {
        ManifestFile { name: name.into(), content: Err(ManifestFileError::Unreadable(std::io::ErrorKind::NotFound.into())) }
    }

    fn names(files: &[ManifestFile]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn tells_manifests_from_other_files_and_from_those_that_are_ignored() {
        let files = [
            file("chart/t.yaml", "{{ if .x }}\nkind: DeletionPolicy\n"),
            file("ci.yml", "stages: []\n"),
            unreadable("data"),
            unreadable("gone.yaml"),
            file("hold.yaml", "kind: Hold\n"),
            file("old/hold.yaml", "kind: DeletionPolicy\n---\nkind: Hold\n"),
        ];
        let sifted = Sifted::new(files, Some(file(".sextonignore", "chart/\ndata/\nold/\nci.yml\n")));
        assert_eq!(names(&sifted.manifests), ["gone.yaml", "hold.yaml"]);
        let passed_over: Vec<_> = sifted.passed_over.iter().map(|passed| (passed.name.as_str(), passed.cause)).collect();
        use PassedOverCause::{Foreign, Ignored};
        assert_eq!(
            passed_over,
            [("chart/t.yaml", Ignored), ("ci.yml", Foreign), ("data", Ignored), ("old/hold.yaml", Ignored)]
        );
        let titles: Vec<_> = sifted.diagnostics.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(titles, ["`.sextonignore` names `old/hold.yaml`, in which there is a hold or what may be one"]);
    }

    #[test]
    fn a_manifest_where_sexton_writes_is_a_mistake_and_everything_else_there_is_none() {
        let files = [
            file("out/hold.yaml", "kind: Hold\n"),
            file("out/values.yaml", "a: 1\n"),
            unreadable("out/x"),
            file("outer/hold.yaml", "kind: Hold\n"),
            file("p.yaml", "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: a }\nspec: { planDirectory: out }\n"),
        ];
        let mut sifted = Sifted::new(files, None);
        assert_eq!(sifted.project().plan_directory, Path::new("out"));
        let output = |path: &str| OutputDirectory { path: path.into(), what: "a directory" };
        sifted.leave_out(&[output("out"), output(".sexton")], [file(".sexton/a.yaml", "kind: Hold\n")]);
        assert_eq!(names(&sifted.manifests), ["outer/hold.yaml", "p.yaml"]);
        let titles: Vec<_> = sifted.diagnostics.iter().map(|found| found.title.as_str()).collect();
        let wrong = |name: &str| format!("there is a manifest in a directory, where none is looked for: `{name}`");
        assert_eq!(titles, [wrong("out/hold.yaml"), wrong(".sexton/a.yaml")]);
        assert!(sifted.read().workspace.is_none());
    }
}
