//! Everything a directory of manifests says, checked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Accept, Hold, Policy, Project, Target};
use crate::base::{HoldName, PolicyName, SourceMap, Span, TargetName};

/// All manifests of a project, read and checked.
///
/// **Invariants**: every policy and hold names a target that is here; `depends_on` has no cycle and names policies that are
/// here; native filter texts parse.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The project's settings, defaults where there is no such document.
    pub project: Project,
    /// The targets by name.
    pub targets: BTreeMap<TargetName, Target>,
    /// The policies by name.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// The holds by name.
    pub holds: BTreeMap<HoldName, Hold>,
    /// Every document in reading order.
    pub documents: Vec<Document>,
    /// The texts that were read.
    pub sources: SourceMap,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DocumentKind {
    /// Settings.
    Project,
    /// A system.
    Target,
    /// Records that must not exist.
    DeletionPolicy,
    /// Records that must stay.
    Hold,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Project, Self::Target, Self::DeletionPolicy, Self::Hold];

    /// The name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "Project",
            Self::Target => "Target",
            Self::DeletionPolicy => "DeletionPolicy",
            Self::Hold => "Hold",
        }
    }
}

/// One document of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// Its `metadata.name`.
    pub name: String,
    /// The document's text, from its first line that is not blank, a comment or `---`, to its last.
    pub span: Span,
}

impl Workspace {
    /// The path of the file that a document stands in, as people are shown it.
    pub fn file_of(&self, document: &Document) -> &str {
        self.sources.get(document.span.source).map(|source| source.name.as_str()).unwrap_or_default()
    }

    /// The doubts that are accepted for a policy: by itself, by its target and by the project. Of a policy that is no longer here only the
    /// last two.
    pub fn accepted(&self, policy: &PolicyName, target: &TargetName) -> Accept {
        let of_policy = self.policies.get(policy).map(|policy| &policy.settings.accept);
        let of_target = self.targets.get(target).map(|target| &target.accept);
        Accept::together(of_policy.into_iter().chain(of_target).chain([&self.project.accept]))
    }

    /// The text of a document, with line ends as on Unix.
    pub fn text_of(&self, document: &Document) -> String {
        self.sources
            .get(document.span.source)
            .and_then(|source| source.text.get(document.span.start..document.span.end))
            .unwrap_or_default()
            // A checkout on another system may end lines in another way; they mean the same.
            .replace("\r\n", "\n")
    }
}
