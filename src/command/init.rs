//! `sexton init`.

use std::io::ErrorKind;

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::store;

/// The first manifest of a project: a whole policy that selects little, with the reasons in comments.
const FIRST_MANIFEST: &str = include_str!("init.yaml");

/// What stands there in the place of the project's own lineage.
const NO_LINEAGE: &str = "00000000-0000-0000-0000-000000000000";

/// Write a first manifest, with comments, into the project's directory
#[derive(Clone, Copy, Debug, Args)]
pub struct Init;

impl Verb for Init {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let project = shell.place(shell.project());
        let manifest = project.join("sexton.yaml");
        let path = manifest.path();
        match manifest.metadata() {
            Ok(_) => {
                return Err(CommandError::plain(format!("{} already exists and was left as it is", path.display()))
                    .with_help("edit it, or begin in another directory with `sexton -C DIR init`"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CommandError::plain(format!("could not look for {}", path.display())).caused_by(&error));
            }
        }
        store::make_directory(&project)?;
        let context = shell.context()?;
        let first = FIRST_MANIFEST.replace(NO_LINEAGE, &(context.fresh_id)());
        store::write_atomically(&manifest, first.as_bytes(), &(context.fresh_id)())?;
        shell.done(&format!("wrote {}: edit it, then run `sexton validate`", path.display()));
        Ok(Exit::Done)
    }
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
