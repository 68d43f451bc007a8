//! `sexton schema`.

use clap::{Args, ValueEnum};

use super::{Form, Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::manifest;
use crate::plan::plan_schema;
use crate::report::{PlainText, output_schema};

/// Print the JSON Schema of the manifests, of plan.json, or of the lines of --json
#[derive(Clone, Copy, Debug, Args)]
pub struct Schema {
    /// Which schema
    #[arg(value_enum, default_value = "manifest")]
    kind: SchemaKind,
}

/// Which schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaKind {
    /// The manifests.
    Manifest,
    /// `plan.json`.
    Plan,
    /// The lines of `--json`.
    Output,
}

impl Verb for Schema {
    fn form(&self) -> Form {
        Form::Text
    }

    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let schema = match self.kind {
            SchemaKind::Manifest => manifest::json_schema(),
            SchemaKind::Plan => plan_schema(),
            SchemaKind::Output => output_schema(),
        };
        shell.show(&PlainText(&format!("{schema:#}\n")))?;
        Ok(Exit::Done)
    }
}
