//! Doubts that a manifest accepts by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is not known and is accepted all the same. A policy has its own, its target's and the project's together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accept {
    /// Objects of which it is not known whether records go along with a deletion or how many, and those below which a deletion may reach
    /// records that nobody can see.
    pub unknown_cascades: Vec<String>,
}

impl Accept {
    /// Whether it accepts that it is not known what goes along at an object. Case does not count.
    pub fn unknown_cascade(&self, object: &str) -> bool {
        self.unknown_cascades.iter().any(|accepted| accepted.eq_ignore_ascii_case(object))
    }

    /// What any of several accept.
    pub fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut unknown_cascades: Vec<String> = Vec::new();
        for object in all.into_iter().flat_map(|accept| &accept.unknown_cascades) {
            if !unknown_cascades.contains(object) {
                unknown_cascades.push(object.clone());
            }
        }
        Self { unknown_cascades }
    }
}
