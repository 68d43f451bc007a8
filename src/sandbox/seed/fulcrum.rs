//! Fulcrum's records from CSV files.

use csv::{ReaderBuilder, StringRecord};

use super::SeedError;
use crate::sandbox::fulcrum::{ColumnKind, Organization, Value};

/// Adds the rows of `fulcrum/{form}.csv` to the form of this name, which is made if there is none.
///
/// `_record_id` and the other columns of the system are taken over where they are simulated. Columns that the form does not
/// have become fields of the narrowest kind that fits; an empty cell is null.
pub(super) fn add_records(organization: &mut Organization, form: &str, bytes: &[u8]) -> Result<(), SeedError> {
    let named = || format!("fulcrum/{form}");
    let wrong = |source| SeedError::Csv { object: named(), source };
    let mut reader = ReaderBuilder::new().from_reader(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let header: Vec<String> = reader.headers().map_err(wrong)?.iter().map(|name| name.trim().to_owned()).collect();
    let rows: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().map_err(wrong)?;
    let kinds: Vec<ColumnKind> = header
        .iter()
        .enumerate()
        .map(|(column, name)| organization.column(form, name, || narrowest(rows.iter().filter_map(|row| row.get(column)))))
        .collect();
    for row in rows {
        let line = row.position().map_or(0, csv::Position::line);
        let mut values: Vec<(&str, Value)> = Vec::with_capacity(header.len());
        for ((name, kind), text) in header.iter().zip(&kinds).zip(&row).filter(|(_, text)| !text.is_empty()) {
            let wrong = |source| SeedError::FulcrumValue { form: named(), column: name.clone(), line, source };
            values.push((name, Value::read(*kind, text).map_err(wrong)?));
        }
        organization.insert(form, values).map_err(|source| SeedError::Fulcrum { form: named(), line, source })?;
    }
    Ok(())
}

fn narrowest<'a>(texts: impl Iterator<Item = &'a str>) -> ColumnKind {
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    let is_day = |text: &str| text.len() == 10;
    let fits = |kind: &ColumnKind| {
        let fits = |text: &&str| Value::read(*kind, text).is_ok() && (*kind != ColumnKind::Date || is_day(text));
        !texts.is_empty() && texts.iter().all(fits)
    };
    [ColumnKind::Integer, ColumnKind::Double, ColumnKind::Date].into_iter().find(fits).unwrap_or(ColumnKind::Text)
}
