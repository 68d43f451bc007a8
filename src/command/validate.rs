//! `sexton validate`: check the manifests, offline.

use std::path::Path;

use super::project::read_manifests;
use crate::manifest::Reading;

/// Reads and checks every manifest below a directory; all findings at once.
pub fn validate(directory: &Path) -> Reading {
    read_manifests(directory)
}
