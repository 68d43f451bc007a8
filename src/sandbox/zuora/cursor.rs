//! What a query found, kept for its next pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::table::Row;
use crate::sandbox::draw::first_number;

/// How long a cursor lives (documented). That reading a page renews it is a guess.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// What one query found, at its moment.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The table.
    pub table: usize,
    /// Whether `Id` was asked for.
    pub with_id: bool,
    /// The records, with the fields asked for.
    pub rows: Arc<[(String, Row)]>,
    /// The total the query declares; another number than there are rows only by a fault.
    pub size: i64,
}

/// The open cursors of a tenant.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    opened: u64,
    by_key: BTreeMap<String, (Timestamp, Found)>,
}

impl Cursors {
    /// No cursor was opened yet.
    pub(super) fn seeded(seed: u64) -> Self {
        Self { opened: first_number(seed, "Zuora cursor"), ..Self::default() }
    }

    /// Keeps what was found and returns its key: 32 characters, to which a locator adds `-` and the next offset (recorded).
    pub(super) fn open(&mut self, found: Found, now: Timestamp) -> String {
        self.by_key.retain(|_, (used, _)| used.duration_until(now) < LIFETIME);
        self.opened += 1;
        let key = format!("2c92c0fa{:024x}", self.opened);
        self.by_key.insert(key.clone(), (now, found));
        key
    }

    /// What the cursor of a key found, if it is still open.
    pub(super) fn find(&mut self, key: &str, now: Timestamp) -> Option<Found> {
        let (used, found) = self.by_key.get_mut(key)?;
        if used.duration_until(now) >= LIFETIME {
            return None;
        }
        *used = now;
        Some(found.clone())
    }
}
