//! Queries as SOQL.

use std::sync::Arc;

use super::call::LONGEST_ADDRESS;
use super::reach::{ObjectShape, Reach};
use crate::base::RecordId;
use crate::plan::Query;
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// A query as it is sent, and where in a row to find what.
pub(super) struct Selection {
    /// What is being done, for errors.
    pub(super) doing: String,
    /// `query` or `queryAll`.
    pub(super) resource: &'static str,
    /// The statement.
    pub(super) statement: String,
    /// The object whose rows come.
    pub(super) shape: Arc<ObjectShape>,
    /// The columns, each once.
    pub(super) columns: Vec<String>,
    /// Which of the columns holds the key.
    pub(super) key: usize,
    /// Which columns hold the row's values, in the order of the query's fields.
    pub(super) values: Vec<usize>,
    /// Whether the key is another record's: then a row without one is to be passed over, a child that has no parent.
    pub(super) key_is_a_lookup: bool,
}

impl Selection {
    /// The statement that selects a query's rows.
    ///
    /// A name asked for twice stands in it once, since the system refuses a repetition.
    pub(super) fn of(query: &Query, reach: Reach) -> Result<Self, ProviderError> {
        let doing = format!("select {} records", query.object);
        check_names(&doing, &query.object, std::iter::once(&query.key).chain(&query.fields))?;
        let mut columns: Vec<String> = Vec::new();
        let mut place_of = |name: &String| {
            columns.iter().position(|column| column.eq_ignore_ascii_case(name)).unwrap_or_else(|| {
                columns.push(name.clone());
                columns.len() - 1
            })
        };
        let key = place_of(&query.key);
        let values = query.fields.iter().map(&mut place_of).collect();
        let statement = format!("SELECT {} FROM {}{}", columns.join(", "), query.object, condition(&reach));
        let key_is_a_lookup = !query.key.eq_ignore_ascii_case("Id");
        let Reach { resource, shape, .. } = reach;
        Ok(Self { doing, resource, statement, shape, columns, key, values, key_is_a_lookup })
    }

    /// Whether the statement is short enough for an address, which is the only place a REST query can stand in.
    pub(super) fn fits_an_address(&self) -> bool {
        fits_an_address(&self.statement)
    }
}

/// Whether a statement is short enough for an address.
pub(super) fn fits_an_address(statement: &str) -> bool {
    let encoded: usize = url::form_urlencoded::byte_serialize(statement.as_bytes()).map(str::len).sum();
    encoded + HOST_AND_PATH < LONGEST_ADDRESS
}

/// What an address has beside the statement, at most: a host name has up to 253 bytes.
const HOST_AND_PATH: usize = 300;

/// The statement that counts a query's rows.
pub(super) fn count(query: &Query, reach: &Reach) -> Result<String, ProviderError> {
    check_names("count records", &query.object, [])?;
    Ok(format!("SELECT COUNT() FROM {}{}", query.object, condition(reach)))
}

fn condition(reach: &Reach) -> String {
    reach.condition.as_ref().map(|condition| format!(" WHERE {condition}")).unwrap_or_default()
}

/// Refuses names that are no names, so that nothing but a condition can carry an expression into a statement.
pub(super) fn check_names<'a>(
    doing: &str,
    object: &str,
    fields: impl IntoIterator<Item = &'a String>,
) -> Result<(), ProviderError> {
    let refused = |name: &str, what: &str| {
        let shown: String = name.chars().take(80).collect();
        error(ErrorClass::Invalid, doing, "invalid-name", format!("`{shown}` is not the name of {what}"))
    };
    if !is_name(object) {
        return Err(refused(object, "an object"));
    }
    match fields.into_iter().find(|path| !path.split('.').all(is_name)) {
        Some(path) => Err(refused(path, "a field")),
        None => Ok(()),
    }
}

/// Whether an id is a whole one: 18 characters with the right checksum.
pub(super) fn is_canonical(id: &RecordId) -> bool {
    canonical_salesforce_id(id.as_str()).as_ref() == Ok(id)
}

fn is_name(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A value as it is kept, the same whichever API it came from: a moment ends in `Z`.
///
/// Bulk API 2.0 writes `2026-01-01T00:00:00.000Z` where REST writes `2026-01-01T00:00:00.000+0000` (recorded). A plan made through one is
/// compared with a recheck through the other.
pub(super) fn plain(value: &str) -> String {
    const FORM: &[u8; 28] = b"0000-00-00T00:00:00.000+0000";
    let is_moment = value.len() == FORM.len()
        && value.bytes().zip(FORM).enumerate().all(|(place, (byte, form))| match form {
            b'0' if place < 24 => byte.is_ascii_digit(),
            form => byte == *form,
        });
    if is_moment { format!("{}Z", &value[..23]) } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(query: &Query) -> Result<Selection, ProviderError> {
        Selection::of(query, reach(query))
    }

    fn reach(query: &Query) -> Reach {
        let (name, key_prefix) = (query.object.clone(), None);
        let shape = Arc::new(ObjectShape { name, key_prefix, has_is_deleted: true, has_is_archived: false });
        Reach { shape, resource: "query", condition: query.condition.clone() }
    }

    fn query(key: &str, fields: &[&str]) -> Query {
        Query {
            object: "Lead".into(),
            key: key.into(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            condition: Some("IsConverted = false".into()),
        }
    }

    #[test]
    fn names_each_column_once() {
        let selection = select(&query("Id", &["Owner.Name", "SystemModstamp", "id", "OWNER.name"])).expect("valid");
        assert_eq!(selection.statement, "SELECT Id, Owner.Name, SystemModstamp FROM Lead WHERE IsConverted = false");
        assert_eq!((selection.key, selection.values), (0, vec![1, 2, 0, 1]));
        assert!(!selection.key_is_a_lookup);
        let everything = Query { condition: None, ..query("WhoId", &[]) };
        let selection = select(&everything).expect("valid");
        assert_eq!(selection.statement, "SELECT WhoId FROM Lead");
        assert!(selection.key_is_a_lookup);
        let leads = query("Id", &[]);
        assert_eq!(count(&leads, &reach(&leads)).expect("valid"), "SELECT COUNT() FROM Lead WHERE IsConverted = false");
    }

    #[test]
    fn refuses_names_that_carry_an_expression() {
        for field in
            ["", "Id FROM User", "Name,Id", "A..B", ".A", "A.", "(SELECT Id FROM Contacts)", "1a", "naïve", "COUNT()"]
        {
            assert_eq!(select(&query("Id", &[field])).err().expect("refused").code, "invalid-name", "{field:?}");
            assert!(select(&query(field, &[])).is_err(), "{field:?}");
        }
        let object = Query { object: "Lead WHERE".into(), ..query("Id", &[]) };
        assert!(select(&object).is_err() && count(&object, &reach(&object)).is_err());
    }

    #[test]
    fn writes_a_moment_in_one_way_and_leaves_the_rest_alone() {
        assert_eq!(plain("2026-01-02T03:04:05.678+0000"), "2026-01-02T03:04:05.678Z");
        for value in [
            "",
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05.678+0100",
            "x026-01-02T03:04:05.678+0000",
            "ééééééééééééé28",
        ] {
            assert_eq!(plain(value), value);
        }
    }
}
