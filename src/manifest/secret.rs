//! Where a secret is to be found.

use std::path::PathBuf;

/// Says where a secret is; it never holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// An environment variable.
    Environment(String),
    /// A file; one trailing line break is not part of the secret. Relative to the project's directory.
    File(PathBuf),
    /// A program and its arguments, run without a shell; its standard output, less one trailing line break, is the secret.
    Command(Vec<String>),
}
