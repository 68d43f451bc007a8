//! Finds and reads manifest files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::bundle::{PLAN_FILE, SUMS_FILE};
use super::{FileKind, OpenMode, Place};
use crate::manifest::{MOST_FILE_BYTES, ManifestFile, ManifestFileError};

/// Reads every `.yaml` and `.yml` file below a directory, or the one file that `place` is, whatever its ending.
///
/// Directories whose name starts with `.` are left out, and those of `outputs`, which are relative to `place`. Links are
/// followed; a directory that was seen already, by whatever name, is not entered again. Files come in the byte order of
/// their names, which are relative to `place`, with `/`; a file that `place` is itself keeps its name.
///
/// The bundle of a plan holds no manifests, wherever it lies. A file in one that would be read elsewhere comes as one that cannot be:
/// to pass over it might pass over a hold.
///
/// What cannot be read comes as a file with its [`ManifestFileError`], so that all of it is told at once. A file that is too large
/// is not read: its size is asked for first, and reading stops at the limit even if the size was wrong.
pub fn read(place: &Place, outputs: &[&Path]) -> Vec<ManifestFile> {
    if !place.resolved_metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory) {
        return vec![ManifestFile { name: shown(place.path()), content: content(place) }];
    }
    let mut walk = Walk { root: place, outputs, seen: BTreeSet::new(), files: Vec::new() };
    walk.enter(place, false);
    walk.files.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
    walk.files
}

/// The way through the directories below a root.
struct Walk<'a> {
    root: &'a Place,
    outputs: &'a [&'a Path],
    /// The directories that were entered.
    seen: BTreeSet<PathBuf>,
    files: Vec<ManifestFile>,
}

impl Walk<'_> {
    /// By name, so that of two links to one directory always the same one is entered.
    fn enter(&mut self, directory: &Place, in_bundle: bool) {
        // One that cannot be resolved is entered, so that its listing says why it cannot be read.
        if directory.files().resolve(directory.path()).is_ok_and(|resolved| !self.seen.insert(resolved)) {
            return;
        }
        let names = match directory.list() {
            Ok(names) => names,
            Err(error) => return self.take(directory, Err(ManifestFileError::Unreadable(error))),
        };
        // The project itself is none, whatever it holds.
        let is_bundle = || [PLAN_FILE, SUMS_FILE].iter().all(|file| names.iter().any(|name| name == file));
        let in_bundle = in_bundle || (directory.path() != self.root.path() && is_bundle());
        for name in &names {
            let place = directory.join(name);
            let passed_over = name.as_encoded_bytes().starts_with(b".") || self.outputs.contains(&self.relative(&place));
            match place.resolved_metadata() {
                Ok(metadata) if metadata.kind == FileKind::Directory && !passed_over => self.enter(&place, in_bundle),
                Ok(metadata) if metadata.kind == FileKind::Directory => {}
                _ if is_manifest(place.path()) && in_bundle => self.take(&place, Err(in_a_bundle())),
                _ if is_manifest(place.path()) => self.take(&place, content(&place)),
                // A link that leads nowhere may have led to a directory of manifests, holds among them. What is not there any more
                // is not a link.
                Err(error) if !passed_over && place.metadata().is_ok() => {
                    self.take(&place, Err(ManifestFileError::Unreadable(error)));
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, place: &Place, content: Result<Vec<u8>, ManifestFileError>) {
        let path = if place.path() == self.root.path() { place.path() } else { self.relative(place) };
        self.files.push(ManifestFile { name: shown(path), content });
    }

    fn relative<'p>(&self, place: &'p Place) -> &'p Path {
        place.path().strip_prefix(self.root.path()).unwrap_or(place.path())
    }
}

fn in_a_bundle() -> ManifestFileError {
    ManifestFileError::Unreadable(io::Error::other(
        "it lies in the bundle of a plan, where there are no manifests: move it out",
    ))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml"))
}

/// A path as people are shown it: with `/` everywhere.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn content(place: &Place) -> Result<Vec<u8>, ManifestFileError> {
    let metadata = place.resolved_metadata().map_err(ManifestFileError::Unreadable)?;
    // Opening a pipe would wait for a writer that may never come.
    if metadata.kind != FileKind::File {
        return Err(ManifestFileError::Unreadable(io::Error::other("not a regular file")));
    }
    let too_large = |bytes| ManifestFileError::TooLarge { bytes, most: MOST_FILE_BYTES };
    if metadata.length > MOST_FILE_BYTES {
        return Err(too_large(metadata.length));
    }
    let read = place.open(OpenMode::Read).and_then(|file| file.read_whole(MOST_FILE_BYTES));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(MOST_FILE_BYTES + 1),
        _ => ManifestFileError::Unreadable(error),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a look at the machine's files from outside")]

    use std::fs;

    use super::*;

    fn write(root: &Path, name: &str, content: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("below root")).expect("writable");
        fs::write(path, content).expect("writable");
    }

    fn names(files: &[ManifestFile]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn finds_manifests_in_byte_order_and_leaves_outputs_and_hidden_directories_out() {
        let root = tempfile::tempdir().expect("a directory");
        for name in [
            "b.yaml",
            "a/z.yml",
            "a.yaml",
            "a/note.txt",
            ".git/x.yaml",
            "plan/x.yaml",
            "deep/plan/x.yaml",
            "out/runs/x.yaml",
            ".hidden.yaml",
        ] {
            write(root.path(), name, name);
        }
        let files = read(&Place::of_machine(root.path()), &[Path::new("plan"), Path::new("out/runs")]);
        assert_eq!(names(&files), [".hidden.yaml", "a.yaml", "a/z.yml", "b.yaml", "deep/plan/x.yaml"]);
        assert!(files.iter().all(|file| file.content.as_deref().ok() == Some(file.name.as_bytes())));
    }

    #[test]
    fn a_manifest_in_the_bundle_of_a_plan_is_reported_and_not_read() {
        let root = tempfile::tempdir().expect("a directory");
        for bundle in ["", "plans/pr-17/", "plans/pr-18/"] {
            write(root.path(), &format!("{bundle}plan.json"), "{}");
            write(root.path(), &format!("{bundle}SHA256SUMS"), "");
            write(root.path(), &format!("{bundle}records/leads.csv"), "Id");
        }
        for name in ["plans/pr-17/records/deep.yaml", "plans/pr-18/hold.yaml", "plans/policy.yaml", "policy.yaml"] {
            write(root.path(), name, "1");
        }
        let files = read(&Place::of_machine(root.path()), &[]);
        let found: Vec<(&str, bool)> = files.iter().map(|file| (file.name.as_str(), file.content.is_ok())).collect();
        assert_eq!(
            found,
            [
                ("plans/policy.yaml", true),
                ("plans/pr-17/records/deep.yaml", false),
                ("plans/pr-18/hold.yaml", false),
                ("policy.yaml", true),
            ]
        );
    }

    #[test]
    fn reports_a_large_file_without_reading_it() {
        let root = tempfile::tempdir().expect("a directory");
        let limit = fs::File::create(root.path().join("a.yaml")).expect("writable");
        limit.set_len(MOST_FILE_BYTES).expect("writable");
        let large = fs::File::create(root.path().join("b.yaml")).expect("writable");
        // Sparse: reading it would need this much memory, writing it needs no disk.
        large.set_len(1 << 40).expect("writable");
        let files = read(&Place::of_machine(root.path()), &[]);
        assert_eq!(files[0].content.as_ref().map(Vec::len).ok(), Some(MOST_FILE_BYTES as usize));
        assert!(matches!(files[1].content, Err(ManifestFileError::TooLarge { bytes, .. }) if bytes == 1 << 40));
    }

    #[test]
    fn a_file_may_be_named_and_what_is_missing_is_told() {
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "one.txt", "x");
        let path = root.path().join("one.txt");
        let files = read(&Place::of_machine(&path), &[]);
        assert_eq!(names(&files), [path.to_str().expect("UTF-8")]);
        assert!(files[0].content.is_ok());
        let files = read(&Place::of_machine(root.path().join("absent")), &[]);
        assert!(
            matches!(&files[0].content, Err(ManifestFileError::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound)
        );
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "a/one.yaml", "1");
        symlink(root.path(), root.path().join("a/up")).expect("a link");
        symlink(root.path().join("a"), root.path().join("b")).expect("a link");
        symlink(root.path().join("a/one.yaml"), root.path().join("two.yaml")).expect("a link");
        symlink(root.path().join("nowhere"), root.path().join("gone.yaml")).expect("a link");
        let files = read(&Place::of_machine(root.path()), &[]);
        assert_eq!(names(&files), ["a/one.yaml", "gone.yaml", "two.yaml"]);
        assert!(matches!(&files[1].content, Err(ManifestFileError::Unreadable(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_may_have_led_to_holds_and_is_reported() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "policy.yaml", "1");
        for name in ["holds", "plan", ".hidden"] {
            symlink(root.path().join("nowhere"), root.path().join(name)).expect("a link");
        }
        let files = read(&Place::of_machine(root.path()), &[Path::new("plan")]);
        assert_eq!(names(&files), ["holds", "policy.yaml"]);
        assert!(matches!(&files[0].content, Err(ManifestFileError::Unreadable(_))));
    }
}
