//! A sandbox that answers.

use std::collections::BTreeMap;

use super::{JsonEvent, Palette, View};

/// Where a sandbox answers. What else people want to know of it goes to standard error.
#[derive(Clone, Debug)]
pub struct SandboxView {
    /// Its address.
    pub url: String,
    /// The consumer key that signs in.
    pub client_id: String,
    /// How many records each object has; those of other systems than Salesforce with their system.
    pub objects: BTreeMap<String, u64>,
}

impl View for SandboxView {
    fn text(&self, _: Palette) -> String {
        format!("listening on {}\n", self.url)
    }

    fn events(&self) -> Vec<JsonEvent> {
        let Self { url, client_id, objects } = self.clone();
        vec![JsonEvent::Sandbox { url, client_id, objects }]
    }
}
