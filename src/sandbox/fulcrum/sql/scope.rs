//! The names an expression may use.

use jiff::Timestamp;
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::SqlError;
use crate::sandbox::fulcrum::ColumnKind;

/// The one table of a query, and the moment it runs at.
pub(super) struct Scope<'a> {
    /// What the query calls the table.
    pub table: String,
    pub columns: &'a [(String, ColumnKind)],
    pub now: Timestamp,
}

impl Scope<'_> {
    /// Place and kind of a column.
    pub(super) fn column(&self, path: &[Ident]) -> Result<(usize, ColumnKind), SqlError> {
        let (table, column) = match path {
            [column] => (None, folded(column)),
            [table, column] => (Some(folded(table)), folded(column)),
            _ => return Err(SqlError::not_simulated("names of more than two parts")),
        };
        if let Some(table) = table.filter(|table| *table != self.table) {
            return Err(SqlError::new(format!("missing FROM-clause entry for table \"{table}\"")));
        }
        let place = self.columns.iter().position(|(name, _)| *name == column);
        let place = place.ok_or_else(|| SqlError::new(format!("column \"{column}\" does not exist")))?;
        Ok((place, self.columns[place].1))
    }
}

/// A name as PostgreSQL takes it: in lower case unless it is quoted.
pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// A name of one part.
pub(super) fn plain_name(name: &ObjectName) -> Result<String, SqlError> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Ok(folded(name)),
        _ => Err(SqlError::new(format!("relation \"{name}\" does not exist"))),
    }
}
