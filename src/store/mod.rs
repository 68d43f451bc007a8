//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

pub mod manifest_files;
