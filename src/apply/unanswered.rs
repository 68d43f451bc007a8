//! Requests that were not answered, and may still be at work.

/// What is known of the last request or job for a record, when the record's presence is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentState {
    /// It has ended, its answers are known, and they do not mention the record.
    Ended,
    /// It was not answered, and may still be at work: a record that is there now may be gone in a moment.
    AtWork,
    /// Its answers are not known, and it is not at work any more: it has ended, or was sent too long ago for that.
    Over,
}

/// What the requests for one record left open, over all rounds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unanswered {
    /// A request was not answered, so that this run may have deleted the record whatever is said of it later.
    pub ever: bool,
    /// Such a request may still be at work: that the record was there when somebody looked does not mean that it is there now.
    pub at_work: bool,
}
