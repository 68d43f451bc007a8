//! Looking at records one by one.

use super::query::{field_text, incomplete, page_through};
use super::session::Session;
use super::soql::check_names;
use crate::apply::Presence;
use crate::base::{RecordId, canonical_salesforce_id};
use crate::provider::{ErrorClass, ProviderError};

/// The most ids of one look. An id takes 27 bytes in an address, which may have 16,384 with the headers (documented).
pub(super) const MOST_IDS: usize = 400;

/// Looks whether records are there, in the recycle bin, or neither; in the order of `ids`.
///
/// A hard deleted record may be shown as in the bin for a while, until the system has purged it (documented).
pub(super) async fn look(session: &Session, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
    let doing = format!("look at {} {object} records", ids.len());
    check_names(&doing, object, [])?;
    let wrong = |code, message| Err(super::call::error(ErrorClass::Invalid, &doing, code, message));
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if ids.len() > MOST_IDS {
        return wrong("too-many-ids", format!("one look takes up to {MOST_IDS} ids"));
    }
    if let Some(id) = ids.iter().find(|id| canonical_salesforce_id(id.as_str()).as_ref() != Ok(*id)) {
        return wrong("malformed-id", format!("`{id}` is not a whole Salesforce id"));
    }
    let mut sorted: Vec<(RecordId, Presence)> = ids.iter().map(|id| (*id, Presence::Absent)).collect();
    sorted.sort_unstable_by_key(|(id, _)| *id);
    let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let statement = format!("SELECT Id, IsDeleted FROM {object} WHERE Id IN ({})", list.join(","));
    page_through(session, "queryAll", &doing, &statement, |record| {
        let malformed = |message: String| super::call::error(ErrorClass::Malformed, &doing, "malformed-answer", message);
        let id = canonical_salesforce_id(&field_text(record, "Id").unwrap_or_default())
            .map_err(|error| malformed(error.to_string()))?;
        let presence = match field_text(record, "IsDeleted").as_deref() {
            Some("true") => Presence::InBin,
            Some("false") => Presence::Present,
            _ => return Err(malformed(format!("record {id} has no `IsDeleted`"))),
        };
        let place = sorted
            .binary_search_by_key(&id, |(id, _)| *id)
            .map_err(|_| malformed(format!("record {id} was not asked for")))?;
        match std::mem::replace(&mut sorted[place].1, presence) {
            Presence::Absent => Ok(()),
            _ => Err(incomplete(&doing, format!("record {id} came twice"))),
        }
    })
    .await?;
    let presence_of = |id: &RecordId| {
        let place = sorted.binary_search_by_key(id, |(id, _)| *id);
        place.map_or(Presence::Absent, |place| sorted[place].1)
    };
    Ok(ids.iter().map(presence_of).collect())
}
