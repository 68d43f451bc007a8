//! A verb at work on one project.

use std::sync::Arc;

use jiff::Zoned;

use super::{Context, Project};
use crate::base::Observer;

/// A verb at work on one project.
#[derive(Clone)]
pub struct ProjectContext<'a> {
    /// The context of the command.
    pub context: Context,
    /// The manifests as they are now, also when a plan is older.
    pub project: &'a Project,
    /// The one clock reading of the verb, in the project's time zone.
    pub now: &'a Zoned,
}

impl<'a> ProjectContext<'a> {
    /// The same, with somebody else looking on.
    #[must_use]
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> ProjectContext<'a> {
        Self { context: Context { observer, ..self.context.clone() }, project: self.project, now: self.now }
    }
}
