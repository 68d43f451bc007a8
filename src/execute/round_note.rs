//! The note of an excluded record: why it is excluded.

use std::io;

use crate::apply::SkipCause;
use crate::plan::Row;
use crate::store::IdNote;

/// The word instead of a cause for a record that is gone.
pub(super) const GONE: &str = "gone";

/// The note beside an excluded record, from the word at that place of its row.
pub(super) fn note_of(row: &Row, place: usize) -> io::Result<IdNote> {
    let word = row.values.get(place).map_or("", String::as_str);
    let note = if word == GONE { Some(IdNote::Gone) } else { SkipCause::from_word(word).map(IdNote::Excluded) };
    note.ok_or_else(|| io::Error::other(format!("{} is excluded for no cause", row.id)))
}
