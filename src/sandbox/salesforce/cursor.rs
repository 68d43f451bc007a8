//! Query cursors: what a query found, kept for its next pages.

/// The open cursors of an organization.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Cursors {}
