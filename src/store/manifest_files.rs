//! Finds and reads manifest files.

#![expect(clippy::disallowed_methods, reason = "this is the adapter that reads manifest files")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::manifest::{FileTrouble, MOST_FILE_BYTES, ManifestFile};

/// Reads every `.yaml` and `.yml` file below a directory, or the one file that `path` names, whatever its ending.
///
/// Directories whose name starts with `.` are left out, and those of `outputs`, which are relative to `path`. Links are
/// followed; a directory that was seen already, by whatever name, is not entered again. Files come in the byte order of
/// their names, which are relative to `path`, with `/`; a file that `path` names itself keeps that name.
///
/// What cannot be read comes as a file with its [`FileTrouble`], so that all of it is told at once. A file that is too large
/// is not read: its size is asked for first, and reading stops at the limit even if the size was wrong.
pub fn read(path: &Path, outputs: &[&Path]) -> Vec<ManifestFile> {
    let mut files =
        if path.is_dir() { below(path, outputs) } else { vec![ManifestFile { name: shown(path), content: content(path) }] };
    files.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
    files
}

fn below(root: &Path, outputs: &[&Path]) -> Vec<ManifestFile> {
    let relative = |path: &Path| path.strip_prefix(root).map_or_else(|_| path.to_owned(), Path::to_owned);
    let mut seen = BTreeSet::new();
    let mut enters = |entry: &DirEntry| {
        let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
        let passed_over = hidden || outputs.contains(&relative(entry.path()).as_path());
        // A directory that cannot be resolved is entered, so that the walk says why it cannot be read.
        !passed_over && entry.path().canonicalize().map_or(true, |directory| seen.insert(directory))
    };
    // By name, so that of two links to one directory always the same one is entered.
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    let entries = entries.filter_entry(|entry| !entry.file_type().is_dir() || enters(entry));
    entries
        .filter_map(|entry| match entry {
            Ok(entry) => (!entry.file_type().is_dir() && is_manifest(entry.path()))
                .then(|| ManifestFile { name: shown(&relative(entry.path())), content: content(entry.path()) }),
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                // A link that leads nowhere is of interest only where it is named like a manifest; a circle never is.
                let matters = is_manifest(&path) || path.is_dir() || path == root;
                let name = if path == root { shown(root) } else { shown(&relative(&path)) };
                let error = error.into_io_error().filter(|_| matters)?;
                Some(ManifestFile { name, content: Err(FileTrouble::Unreadable(error)) })
            }
        })
        .collect()
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml"))
}

/// A path as people are shown it: with `/` everywhere.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn content(path: &Path) -> Result<Vec<u8>, FileTrouble> {
    let metadata = fs::metadata(path).map_err(FileTrouble::Unreadable)?;
    // Opening a pipe would wait for a writer that may never come.
    if !metadata.is_file() {
        return Err(FileTrouble::Unreadable(io::Error::other("not a regular file")));
    }
    let too_large = |bytes| FileTrouble::TooLarge { bytes, most: MOST_FILE_BYTES };
    if metadata.len() > MOST_FILE_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = fs::File::open(path).map_err(FileTrouble::Unreadable)?;
    file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(FileTrouble::Unreadable)?;
    if bytes.len() as u64 > MOST_FILE_BYTES { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
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
        let files = read(root.path(), &[Path::new("plan"), Path::new("out/runs")]);
        assert_eq!(names(&files), [".hidden.yaml", "a.yaml", "a/z.yml", "b.yaml", "deep/plan/x.yaml"]);
        assert!(files.iter().all(|file| file.content.as_deref().ok() == Some(file.name.as_bytes())));
    }

    #[test]
    fn reports_a_large_file_without_reading_it() {
        let root = tempfile::tempdir().expect("a directory");
        let limit = fs::File::create(root.path().join("a.yaml")).expect("writable");
        limit.set_len(MOST_FILE_BYTES).expect("writable");
        let large = fs::File::create(root.path().join("b.yaml")).expect("writable");
        // Sparse: reading it would need this much memory, writing it needs no disk.
        large.set_len(1 << 40).expect("writable");
        let files = read(root.path(), &[]);
        assert_eq!(files[0].content.as_ref().map(Vec::len).ok(), Some(MOST_FILE_BYTES as usize));
        assert!(matches!(files[1].content, Err(FileTrouble::TooLarge { bytes, .. }) if bytes == 1 << 40));
    }

    #[test]
    fn a_file_may_be_named_and_what_is_missing_is_told() {
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), "one.txt", "x");
        let path = root.path().join("one.txt");
        let files = read(&path, &[]);
        assert_eq!(names(&files), [path.to_str().expect("UTF-8")]);
        assert!(files[0].content.is_ok());
        let files = read(&root.path().join("absent"), &[]);
        assert!(matches!(&files[0].content, Err(FileTrouble::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound));
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
        let files = read(root.path(), &[]);
        assert_eq!(names(&files), ["a/one.yaml", "gone.yaml", "two.yaml"]);
        assert!(matches!(&files[1].content, Err(FileTrouble::Unreadable(_))));
    }
}
