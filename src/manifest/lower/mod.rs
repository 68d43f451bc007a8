//! From the YAML tree to what it means, one file a kind of document.

mod filter;
mod header;
mod policy;
mod project;
mod secret;
mod target;

pub(super) use header::{Header, header};
pub(super) use policy::{References, hold, policy};
pub(super) use project::project;
pub(super) use target::target;
