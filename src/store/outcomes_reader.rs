//! Reading the outcomes of a run again.

use std::borrow::Cow;
use std::io;

use super::cell::unguard_cell;
use super::{FileStream, OpenMode, Place};
use crate::base::RecordId;

/// One row of an outcomes file, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRow {
    /// The record.
    pub id: RecordId,
    /// How it ended: `deleted`, `already-gone`, `skipped`, `failed` or `unknown`.
    pub outcome: String,
    /// Why it was skipped; empty otherwise.
    pub cause: String,
    /// The system's code where it failed; empty otherwise.
    pub code: String,
    /// The name of another plan of the project that had deleted it; empty where that is not known.
    pub plan: String,
}

/// A code as the system gave it.
fn code(cell: String) -> String {
    unguard_cell(&cell).map(Cow::into_owned).unwrap_or(cell)
}

/// Reads an outcomes file, in order of ids.
///
/// # Errors
///
/// When the file cannot be opened. The items tell when it cannot be read on, or is damaged.
pub fn read_outcomes(place: &Place) -> io::Result<impl Iterator<Item = io::Result<OutcomeRow>> + Send + use<>> {
    let shown = place.path().display().to_string();
    let file = FileStream::new(place.open(OpenMode::Read)?);
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(file);
    let mut row = csv::StringRecord::new();
    Ok(std::iter::from_fn(move || match reader.read_record(&mut row) {
        Ok(false) => None,
        Err(error) => Some(Err(error.into())),
        Ok(true) => {
            let cell = |place| row.get(place).unwrap_or_default().to_owned();
            Some(match row.get(0).and_then(|text| RecordId::new(text).ok()) {
                Some(id) => Ok(OutcomeRow { id, outcome: cell(1), cause: cell(2), code: code(cell(3)), plan: cell(6) }),
                None => {
                    let line = row.position().map_or(0, csv::Position::line);
                    Err(io::Error::new(io::ErrorKind::InvalidData, format!("{shown} is damaged at line {line}")))
                }
            })
        }
    }))
}
