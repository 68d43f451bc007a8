//! Query cursors: what a query found, kept for its next pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::statement::Statement;
use crate::sandbox::RecordKey;
use crate::sandbox::draw::first_number;

/// How long a cursor lives (documented).
const LIFETIME: SignedDuration = SignedDuration::from_hours(48);

/// What one query found, at its moment. The records themselves are read when a page is.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub statement: Arc<Statement>,
    pub keys: Arc<[RecordKey]>,
    /// The total the query declares; another number than there are keys only by a fault.
    pub total: i64,
    pub page_size: usize,
    pub user: RecordKey,
}

/// The open cursors of an organization.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Cursors {
    opened: u64,
    by_key: BTreeMap<RecordKey, (Timestamp, Cursor)>,
}

impl Cursors {
    /// No cursor was opened yet.
    pub(in crate::sandbox) fn seeded(seed: u64) -> Self {
        Self { opened: first_number(seed, "cursor"), ..Self::default() }
    }

    /// Keeps a cursor and returns its key, which begins with `01g` (recorded).
    pub(super) fn open(&mut self, cursor: Cursor, now: Timestamp) -> RecordKey {
        self.by_key.retain(|_, (opened, _)| opened.duration_until(now) < LIFETIME);
        self.opened += 1;
        let key = RecordKey::numbered(*b"01g", self.opened);
        self.by_key.insert(key, (now, cursor));
        key
    }

    /// The cursor of a key, if it is still open and belongs to the user.
    pub(super) fn find(&self, key: RecordKey, user: RecordKey, now: Timestamp) -> Option<Cursor> {
        let (opened, cursor) = self.by_key.get(&key)?;
        (opened.duration_until(now) < LIFETIME && cursor.user == user).then(|| cursor.clone())
    }
}
