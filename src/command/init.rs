//! `sexton init`: a first manifest.

use std::path::{Path, PathBuf};

use crate::base::CommandError;
use crate::store;

/// The first manifest of a project: a whole policy that selects little, with the reasons in comments.
const FIRST_MANIFEST: &str = include_str!("init.yaml");

/// Writes a first manifest into a directory that has none.
pub fn init(directory: &Path) -> Result<PathBuf, CommandError> {
    let path = directory.join("sexton.yaml");
    if path.exists() {
        return Err(CommandError::plain(format!("{} is there already and was left as it is", path.display()))
            .with_help("edit it, or begin in another directory with `sexton -C DIR init`"));
    }
    store::make_directory(directory)?;
    store::write_atomically(&path, FIRST_MANIFEST.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{ManifestFile, read};

    #[test]
    fn the_first_manifest_is_valid() {
        let file = ManifestFile { name: "sexton.yaml".into(), content: Ok(FIRST_MANIFEST.as_bytes().to_vec()) };
        let reading = read([file]);
        assert_eq!(reading.diagnostics, Vec::new());
        assert_eq!(reading.workspace.expect("valid").policies.len(), 1);
    }
}
