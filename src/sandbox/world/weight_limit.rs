//! What one transaction can bear.

use super::ItemError;

/// What one transaction can bear.
#[derive(Clone, Debug)]
pub struct WeightLimit {
    /// The most records that one transaction deletes, those that go along included.
    pub records: usize,
    /// What is said of each record of one that is heavier; none of them is deleted then.
    pub error: ItemError,
}
