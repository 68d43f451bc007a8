//! Zuora's records from CSV files.

use csv::ReaderBuilder;

use super::SeedError;
use crate::sandbox::Tenant;

/// Adds the rows of `zuora/{object}.csv` to a tenant. Columns that the object does not have become fields of text.
pub(super) fn add_records(tenant: &mut Tenant, object: &str, bytes: &[u8]) -> Result<(), SeedError> {
    let named = || format!("zuora/{object}");
    let csv = |source| SeedError::Csv { object: named(), source };
    let mut reader = ReaderBuilder::new().from_reader(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let header = reader.headers().map_err(csv)?.clone();
    let refused = |line, source| SeedError::Zuora { object: named(), line, source };
    for name in &header {
        tenant.add_field(object, name.trim()).map_err(|source| refused(1, source))?;
    }
    for record in reader.records() {
        let record = record.map_err(csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = header.iter().map(str::trim).zip(&record).filter(|(_, text)| !text.is_empty());
        tenant.insert(object, fields).map_err(|source| refused(line, source))?;
    }
    Ok(())
}
