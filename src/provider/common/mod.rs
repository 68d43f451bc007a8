//! What the providers share.

mod fitness;
#[cfg(test)]
pub(super) mod testing;

pub(super) use fitness::{other_system, refuse_unfit};
