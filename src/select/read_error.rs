//! Why records were not read.

use crate::base::CommandError;
use crate::provider::ProviderError;

/// Why the rows of a query were not read.
pub(super) enum ReadError {
    /// The system said no, or did not prove that they all came.
    System(ProviderError),
    /// What came was not complete, or could not be sorted.
    Other(CommandError),
}

impl From<ProviderError> for ReadError {
    fn from(error: ProviderError) -> Self {
        Self::System(error)
    }
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::System(error) => error.into(),
            ReadError::Other(error) => error,
        }
    }
}
