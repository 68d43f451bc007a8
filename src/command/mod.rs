//! One file a verb: a straight list of steps.
//!
//! A verb takes a request and a [`Host`], and gives data or a [`CommandError`]. It prints nothing and asks nothing.

mod exit;
mod host;

pub use exit::{CommandError, Exit};
pub use host::{Connector, Host, Watcher};
