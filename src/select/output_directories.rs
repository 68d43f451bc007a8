//! The directories of a project that Sexton writes into.

use std::path::{Component, Path, PathBuf};

use crate::manifest::{OutputDirectory, Project};
use crate::store::Place;

/// Those that the Project document names and that lie below the project's directory, and the bundles of plans that lie elsewhere.
pub(super) fn output_directories(directory: &Place, project: &Project, bundles: Vec<String>) -> Vec<OutputDirectory> {
    let named = [(&project.plan_directory, "the plan directory"), (&project.store_directory, "the directory of the store")];
    let named = named.into_iter().filter_map(|(path, what)| Some(OutputDirectory { path: below(directory, path)?, what }));
    let bundles = bundles.into_iter().map(|path| OutputDirectory { path: path.into(), what: "the bundle of a plan" });
    named.chain(bundles).collect()
}

/// A path relative to a directory, where it leads below it.
fn below(directory: &Place, path: &Path) -> Option<PathBuf> {
    let parts = || path.components().filter(|part| *part != Component::CurDir);
    let relative: PathBuf = if parts().all(|part| matches!(part, Component::Normal(_))) {
        parts().collect()
    } else {
        let files = directory.files();
        let (from, to) = (files.resolve(directory.path()).ok()?, files.resolve(directory.join(path).path()).ok()?);
        to.strip_prefix(from).ok()?.to_owned()
    };
    (!relative.as_os_str().is_empty()).then_some(relative)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a look at the machine's files from outside")]

    use super::*;

    #[test]
    fn only_what_lies_below_the_project_is_an_output_of_it() {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(root.path().join("project/kept/store")).expect("made");
        let directory = Place::of_machine(root.path().join("project"));
        let inside = root.path().join("project/kept/store");
        for (store, expected) in [
            (Path::new(".sexton"), Some(".sexton")),
            (Path::new("./kept//store/"), Some("kept/store")),
            (Path::new("../project/kept"), Some("kept")),
            (inside.as_path(), Some("kept/store")),
            (Path::new("."), None),
            (Path::new(".."), None),
            (Path::new("../other"), None),
            (root.path(), None),
        ] {
            assert_eq!(below(&directory, store).as_deref(), expected.map(Path::new), "{}", store.display());
        }
    }
}
