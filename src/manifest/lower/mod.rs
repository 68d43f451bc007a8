//! From the YAML tree to what it means, one file a kind of document and one a kind of system.

mod capability;
mod filter;
mod fulcrum_target;
mod header;
mod host_url;
mod max_calls;
mod policy;
mod project;
mod salesforce_target;
mod secret;
mod target;
mod zuora_target;

pub(super) use header::{Header, header};
pub(super) use policy::{References, Systems, hold, policy};
pub(super) use project::project;
pub(super) use target::{system_kind, target};
