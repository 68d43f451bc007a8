//! What stands behind FROM.

use crate::sandbox::fulcrum::{ColumnKind, Form, Organization, Record, Value};

use super::SqlError;

/// Names longer than this break (documented).
const LONGEST_NAME: usize = 63;

/// A table: columns, and rows to go through once.
pub(super) struct Relation<'a> {
    pub columns: Vec<(String, ColumnKind)>,
    pub rows: Box<dyn Iterator<Item = Row<'a>> + 'a>,
}

/// One row of a table.
#[derive(Clone)]
pub(super) enum Row<'a> {
    /// A record of a form.
    Record(&'a Form, &'a str, &'a Record),
    /// Anything else.
    Values(Vec<Value>),
}

impl Row<'_> {
    /// The value of the column at a place.
    pub(super) fn value(&self, column: usize) -> Value {
        match self {
            Self::Record(form, id, record) => form.value(id, record, column),
            Self::Values(values) => values[column].clone(),
        }
    }
}

impl<'a> Relation<'a> {
    /// The table of this name: a form by name or id, or one of the system's. Columns of the system's tables are guesses.
    pub(super) fn named(name: &str, organization: &'a Organization) -> Result<Self, SqlError> {
        match name {
            "tables" => {
                let system = ["forms", "memberships"].map(|name| vec![name.into(), "system".into()]);
                let forms = organization.forms().map(|form| vec![form.name.as_str().into(), "form".into()]);
                return Ok(Self::of_texts(&["name", "type"], forms.chain(system)));
            }
            "forms" => {
                let rows = organization.forms().map(|form| vec![form.id.as_str().into(), form.name.as_str().into()]);
                return Ok(Self::of_texts(&["form_id", "name"], rows));
            }
            "memberships" => {
                let rows = organization.members.iter();
                let rows = rows.map(|member| {
                    [&member.user_id, &member.name, &member.email, &member.role].map(|text| text.as_str().into()).into()
                });
                return Ok(Self::of_texts(&["user_id", "name", "email", "role_name"], rows));
            }
            _ => {}
        }
        let form = organization.form(name).ok_or_else(|| missing(name))?;
        if name.len() > LONGEST_NAME {
            return Err(missing("organization_1234.form_123456_undefined_view"));
        }
        let rows = form.shown(organization.now, organization.seed).into_iter();
        let rows = rows.map(move |(id, record)| Row::Record(form, id, record));
        Ok(Self { columns: form.columns(), rows: Box::new(rows) })
    }

    fn of_texts(columns: &[&str], rows: impl Iterator<Item = Vec<Value>> + 'a) -> Self {
        Self {
            columns: columns.iter().map(|name| ((*name).to_owned(), ColumnKind::Text)).collect(),
            rows: Box::new(rows.map(Row::Values)),
        }
    }
}

fn missing(name: &str) -> SqlError {
    SqlError::new(format!("relation \"{name}\" does not exist"))
}
