//! `sexton init`.

use std::io::ErrorKind;

use clap::{Args, ValueEnum};

use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::manifest;
use crate::store::{self, Place};

/// What stands in a first manifest in the place of the project's own lineage.
const NO_LINEAGE: &str = "00000000-0000-0000-0000-000000000000";

/// What git must not change, by lines of `.gitattributes`.
fn git_attributes() -> String {
    let plans = store::GIT_ATTRIBUTES.join("\n");
    format!(
        "\
# A plan's digests are over its bytes: no line end of it may change on a checkout, in whatever directory it lies.
{plans}
.sexton/** -text
"
    )
}

/// What git must not keep, by lines of `.gitignore`.
const GIT_IGNORE: &str = "\
# What belongs to one machine. The manifests, the plan, the state and the evidence of runs may all be committed.
.*.new-*
.*.previous
.sexton/.lock
.sexton/.sexton-*
.sexton/calls/
.sexton/lease
.sexton/scratch/
";

/// Write a first project, with comments, whose plan passes on the sandbox
#[derive(Clone, Copy, Debug, Args)]
pub struct Init {
    /// The system to delete from
    #[arg(long, value_enum, default_value = "salesforce")]
    system: FirstSystem,
}

/// The system of a first manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FirstSystem {
    /// A Salesforce org.
    Salesforce,
    /// A Zuora tenant.
    Zuora,
    /// A Fulcrum organization.
    Fulcrum,
}

impl FirstSystem {
    /// A whole policy that selects little, with the reasons in comments.
    fn manifest(self) -> &'static str {
        match self {
            Self::Salesforce => include_str!("init/salesforce.yaml"),
            Self::Zuora => include_str!("init/zuora.yaml"),
            Self::Fulcrum => include_str!("init/fulcrum.yaml"),
        }
    }
}

impl Verb for Init {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let project = shell.place(shell.project());
        let manifest = project.join("sexton.yaml");
        let path = manifest.path();
        if is_there(&manifest)? {
            return Err(CommandError::plain(format!("{} already exists and was left as it is", path.display()))
                .with_help("edit it, or begin in another directory with `sexton -C DIR init`"));
        }
        store::make_directory(&project)?;
        let context = shell.context()?;
        let write = |place: &Place, text: &str| store::write_atomically(place, text.as_bytes(), &(context.fresh_id)());
        let schema = project.join("sexton.schema.json");
        if !is_there(&schema)? {
            write(&schema, &format!("{:#}\n", manifest::json_schema()))?;
        }
        for (name, lines) in [(".gitattributes", git_attributes().as_str()), (".gitignore", GIT_IGNORE)] {
            let place = project.join(name);
            if !is_there(&place)? {
                write(&place, lines)?;
            } else if let Some(missing) = missing_lines(&store::read_text(&place)?, lines) {
                shell.warn(&format!("{} was left as it is; add to it: {missing}", place.path().display()));
            }
        }
        // Last, so that a first attempt that failed can be made again.
        write(&manifest, &self.system.manifest().replace(NO_LINEAGE, &(context.fresh_id)()))?;
        shell.done(&format!("wrote {}: its first lines say how to try it; then edit it", path.display()));
        Ok(Exit::Done)
    }
}

/// Whether there is something at a place.
fn is_there(place: &Place) -> Result<bool, CommandError> {
    match place.metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CommandError::plain(format!("could not look for {}", place.path().display())).caused_by(&error)),
    }
}

/// The lines that a text does not have, apart from comments, for people to read; `None` where it has them all.
fn missing_lines(text: &str, lines: &str) -> Option<String> {
    let has = |line: &str| text.lines().any(|own| own.trim_end() == line);
    let missing: Vec<String> =
        lines.lines().filter(|line| !line.starts_with('#') && !has(line)).map(|line| format!("`{line}`")).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{ManifestFile, read};

    #[test]
    fn every_first_manifest_is_valid() {
        for system in FirstSystem::value_variants() {
            let content = Ok(system.manifest().as_bytes().to_vec());
            let reading = read([ManifestFile { name: "sexton.yaml".into(), content }]);
            assert_eq!(reading.diagnostics, Vec::new());
            let workspace = reading.workspace.expect("valid");
            assert_eq!((workspace.targets.len(), workspace.policies.len(), workspace.holds.len()), (1, 1, 1));
            assert_eq!(workspace.project.lineage.as_deref(), Some(NO_LINEAGE));
        }
    }

    #[test]
    fn only_lines_that_are_missing_are_named() {
        assert_eq!(missing_lines(GIT_IGNORE, GIT_IGNORE), None);
        let missing = missing_lines("* text=auto\r\nplan.json -text\r\n.sexton/** -text\r\n", &git_attributes());
        assert_eq!(missing.as_deref(), Some("`SHA256SUMS -text`, `**/records/*.csv* -text`"));
    }
}
