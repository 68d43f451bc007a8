//! What every system must be able to do.

use super::{DeleteHalf, ProviderError, ReadHalf};
use crate::apply::BatchSpecification;

/// One system, signed in to: what may be asked of it, and how it deletes.
///
/// The two halves are apart so that whoever only reads cannot delete, and so that a call an API does not have cannot be made.
pub trait Provider: ReadHalf {
    /// How the batches of `specification` are deleted. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`super::ErrorClass::Unsupported`] when the API is another system's or cannot delete in that way: no route leads there.
    fn delete_half<'a>(&'a self, specification: &'a BatchSpecification) -> Result<DeleteHalf<'a>, ProviderError>;
}
