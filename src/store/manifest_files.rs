//! Finds and reads the files that may hold manifests.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::bundle::{PLAN_FILE, SUMS_FILE};
use super::files::is_absent;
use super::{FileKind, OpenMode, Place};
use crate::manifest::{MOST_FILE_BYTES, MOST_SIFTED_BYTES, ManifestFile, ManifestFileError};

/// The file that names what is to be passed over.
const IGNORE_FILE: &str = ".sextonignore";

/// The `.yaml` and `.yml` files below a directory, and what could not be looked into, not read yet.
#[derive(Debug)]
pub struct FoundFiles {
    files: Vec<FoundFile>,
    /// The directories whose name begins with a dot, which were not searched.
    pub hidden: Vec<String>,
    /// The directories that are the bundle of a plan. The one that was searched is none, whatever it holds.
    pub bundles: Vec<String>,
}

#[derive(Debug)]
struct FoundFile {
    name: String,
    place: Place,
    /// Why it is known that it cannot be read.
    refusal: Option<io::Error>,
}

impl FoundFiles {
    /// Reads them one after the other, in the byte order of their names, which are relative to the directory, with `/`.
    ///
    /// What cannot be read comes with its [`ManifestFileError`], so that all of it is told at once. A file of more than
    /// [`MOST_SIFTED_BYTES`] is not read: its size is asked for first, and reading stops at the limit even if the size was wrong.
    pub fn read(self) -> impl Iterator<Item = ManifestFile> {
        self.files.into_iter().map(|file| ManifestFile {
            content: match file.refusal {
                Some(error) => Err(ManifestFileError::Unreadable(error)),
                None => content(&file.place),
            },
            name: file.name,
        })
    }
}

/// Finds files below a directory; `None` where there is no directory.
///
/// Directories whose name begins with `.` are left out. Links are followed; a directory that was seen already, by whatever name, is
/// not entered again.
pub fn find(directory: &Place) -> Option<FoundFiles> {
    directory.resolved_metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory).then(|| {
        let mut walk = Walk::new(directory, false);
        walk.enter(directory);
        walk.end()
    })
}

/// Finds files in a directory below `root` that [`find`] leaves out, whatever directories in it are called. What cannot be read is
/// left out.
pub fn find_hidden(root: &Place, directory: &Path) -> impl Iterator<Item = ManifestFile> {
    let mut walk = Walk::new(root, true);
    let place = root.join(directory);
    if place.resolved_metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory) {
        walk.enter(&place);
    }
    walk.end().read().filter(|file| file.content.is_ok())
}

/// Reads what was named and is no directory: one file, whatever its ending; its name is its whole path.
pub fn read_named(file: &Place) -> ManifestFile {
    let content = match file.metadata() {
        Err(error) if is_absent(&error) => Err(ManifestFileError::NoDirectory),
        _ => content(file),
    };
    ManifestFile { name: shown(file.path()), content }
}

/// Reads the file that names what is to be passed over, where a directory has one.
pub fn read_ignore_file(directory: &Place) -> Option<ManifestFile> {
    let place = directory.join(IGNORE_FILE);
    place.metadata().is_ok().then(|| ManifestFile { name: IGNORE_FILE.into(), content: content(&place) })
}

/// The way through the directories below a root.
struct Walk<'a> {
    root: &'a Place,
    /// Whether directories are entered whose name begins with a dot.
    enters_hidden: bool,
    /// The directories that were entered.
    seen: BTreeSet<PathBuf>,
    found: FoundFiles,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Place, enters_hidden: bool) -> Self {
        let found = FoundFiles { files: Vec::new(), hidden: Vec::new(), bundles: Vec::new() };
        Self { root, enters_hidden, seen: BTreeSet::new(), found }
    }

    /// By name, so that of two links to one directory always the same one is entered.
    fn enter(&mut self, directory: &Place) {
        // One that cannot be resolved is entered, so that its listing says why it cannot be read.
        if directory.files().resolve(directory.path()).is_ok_and(|resolved| !self.seen.insert(resolved)) {
            return;
        }
        let names = match directory.list() {
            Ok(names) => names,
            Err(error) => return self.take(directory, Some(error)),
        };
        let is_bundle = [PLAN_FILE, SUMS_FILE].iter().all(|file| names.iter().any(|name| name == file));
        if is_bundle && directory.path() != self.root.path() {
            self.found.bundles.push(self.name(directory));
        }
        for name in names {
            let place = directory.join(&name);
            let hidden = !self.enters_hidden && name.as_encoded_bytes().starts_with(b".");
            match place.resolved_metadata() {
                Ok(metadata) if metadata.kind == FileKind::Directory && !hidden => self.enter(&place),
                Ok(metadata) if metadata.kind == FileKind::Directory => self.found.hidden.push(self.name(&place)),
                _ if is_manifest(place.path()) => self.take(&place, None),
                // A link that leads nowhere may have led to a directory of manifests, holds among them. What is not there any more
                // is not a link.
                Err(error) if !hidden && place.metadata().is_ok() => self.take(&place, Some(error)),
                _ => {}
            }
        }
    }

    fn take(&mut self, place: &Place, refusal: Option<io::Error>) {
        self.found.files.push(FoundFile { name: self.name(place), place: place.clone(), refusal });
    }

    fn name(&self, place: &Place) -> String {
        let path = place.path();
        shown(path.strip_prefix(self.root.path()).ok().filter(|path| !path.as_os_str().is_empty()).unwrap_or(path))
    }

    fn end(mut self) -> FoundFiles {
        self.found.files.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
        self.found
    }
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
    if metadata.length > MOST_SIFTED_BYTES {
        return Err(too_large(metadata.length));
    }
    let read = place.open(OpenMode::Read).and_then(|file| file.read_whole(MOST_SIFTED_BYTES));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(MOST_SIFTED_BYTES + 1),
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

    fn read(directory: &Path) -> Vec<ManifestFile> {
        find(&Place::of_machine(directory)).expect("a directory").read().collect()
    }

    fn names(files: &[ManifestFile]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn finds_manifests_in_byte_order_and_tells_of_hidden_directories() {
        let root = tempfile::tempdir().expect("a directory");
        for name in
            ["b.yaml", "a/z.yml", "a.yaml", "a/note.txt", ".git/x.yaml", "plan/x.yaml", "a/.b/x.yaml", ".hidden.yaml"]
        {
            write(root.path(), name, name);
        }
        let place = Place::of_machine(root.path());
        let found = find(&place).expect("a directory");
        assert_eq!(found.hidden, [".git", "a/.b"]);
        let files: Vec<_> = found.read().collect();
        assert_eq!(names(&files), [".hidden.yaml", "a.yaml", "a/z.yml", "b.yaml", "plan/x.yaml"]);
        assert!(files.iter().all(|file| file.content.as_deref().ok() == Some(file.name.as_bytes())));
        let hidden: Vec<_> = find_hidden(&place, Path::new("a")).collect();
        assert_eq!(names(&hidden), ["a/.b/x.yaml", "a/z.yml"]);
        assert_eq!(find_hidden(&place, Path::new("absent")).count(), 0);
        assert!(read_ignore_file(&place).is_none());
        write(root.path(), ".sextonignore", "a/");
        assert_eq!(read_ignore_file(&place).expect("there").content.ok().as_deref(), Some(&b"a/"[..]));
    }

    #[test]
    fn tells_of_the_bundles_of_plans_but_for_the_directory_itself() {
        let root = tempfile::tempdir().expect("a directory");
        for bundle in ["", "plans/pr-17/", "plans/pr-18/"] {
            write(root.path(), &format!("{bundle}plan.json"), "{}");
            write(root.path(), &format!("{bundle}SHA256SUMS"), "");
        }
        write(root.path(), "notes/plan.json", "{}");
        let found = find(&Place::of_machine(root.path())).expect("a directory");
        assert_eq!(found.bundles, ["plans/pr-17", "plans/pr-18"]);
    }

    #[test]
    fn reports_a_large_file_without_reading_it() {
        let root = tempfile::tempdir().expect("a directory");
        let limit = fs::File::create(root.path().join("a.yaml")).expect("writable");
        limit.set_len(MOST_SIFTED_BYTES).expect("writable");
        let large = fs::File::create(root.path().join("b.yaml")).expect("writable");
        // Sparse: reading it would need this much memory, writing it needs no disk.
        large.set_len(1 << 40).expect("writable");
        let files = read(root.path());
        assert_eq!(files[0].content.as_ref().map(Vec::len).ok(), Some(MOST_SIFTED_BYTES as usize));
        assert!(matches!(files[1].content, Err(ManifestFileError::TooLarge { bytes, .. }) if bytes == 1 << 40));
    }

    #[test]
    fn a_file_may_be_named_and_what_is_missing_is_told() {
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "one.txt", "x");
        let path = root.path().join("one.txt");
        assert!(find(&Place::of_machine(&path)).is_none());
        let file = read_named(&Place::of_machine(&path));
        assert_eq!(file.name, path.to_str().expect("UTF-8"));
        assert!(file.content.is_ok());
        let file = read_named(&Place::of_machine(root.path().join("absent")));
        assert!(matches!(&file.content, Err(ManifestFileError::NoDirectory)));
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
        let files = read(root.path());
        assert_eq!(names(&files), ["a/one.yaml", "gone.yaml", "two.yaml"]);
        assert!(matches!(&files[1].content, Err(ManifestFileError::Unreadable(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_may_have_led_to_holds_and_is_reported() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "policy.yaml", "1");
        for name in ["holds", ".hidden"] {
            symlink(root.path().join("nowhere"), root.path().join(name)).expect("a link");
        }
        let files = read(root.path());
        assert_eq!(names(&files), ["holds", "policy.yaml"]);
        assert!(matches!(&files[0].content, Err(ManifestFileError::Unreadable(_))));
    }
}
