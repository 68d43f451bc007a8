//! `sexton validate`: check the manifests, offline.

use std::path::Path;

use crate::manifest::Reading;
use crate::select::read_manifests;

/// Reads and checks every manifest below a directory; all findings at once.
pub fn validate(directory: &Path) -> Reading {
    read_manifests(directory)
}
