//! What the providers share: calls and errors as all of them make them, sessions, and what answers are put together from.

mod call;
mod effect;
mod failure;
mod fitness;
pub(super) mod hostile;
mod ids;
mod presence;
mod repeated_secret;
mod retry;
mod session;
#[cfg(test)]
pub(super) mod testing;

pub(super) use call::Call;
pub(super) use effect::Effect;
pub(super) use failure::{error, incomplete, not_kept};
pub(super) use fitness::{other_system, refuse_unfit};
pub(super) use ids::check_ids;
pub(super) use presence::PresencePairing;
pub(super) use retry::{pause_or_fail, retried};
pub(super) use session::{Connect, Session};
