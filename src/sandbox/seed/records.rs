//! Records from CSV files.

use csv::{ByteRecord, ReaderBuilder};

use super::SeedError;
use crate::sandbox::world::Place;
use crate::sandbox::{FieldDefinition, FieldKind, RecordKey, Value, World};

/// One CSV file: its object, its header and its rows.
#[derive(Clone, Debug)]
pub(super) struct RecordFile {
    pub object: String,
    header: Vec<String>,
    rows: Vec<(u64, ByteRecord)>,
}

impl RecordFile {
    /// Reads a file named `{object}.csv`.
    pub(super) fn read(object: &str, bytes: &[u8]) -> Result<Self, SeedError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        let wrong = |source: csv::Error| SeedError::Csv { object: object.to_owned(), source };
        let header = reader.headers().map_err(wrong)?.iter().map(|name| name.trim().to_owned()).collect();
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(wrong)?;
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        Ok(Self { object: object.to_owned(), header, rows })
    }

    /// Fields for the columns that `known` does not hold: of the narrowest type that all their values fit. A column that
    /// leads over a parent (`Account.Name`) is none.
    pub(super) fn unknown_fields(&self, known: impl Fn(&str) -> bool) -> Vec<FieldDefinition> {
        let unknown = self.header.iter().enumerate().filter(|(_, name)| !name.contains('.') && !known(name));
        unknown
            .map(|(column, name)| FieldDefinition { name: name.clone(), kind: self.kind_of(column), external_id: false })
            .collect()
    }

    fn kind_of(&self, column: usize) -> FieldKind {
        let values = || {
            let cells = self.rows.iter().filter_map(move |(_, row)| row.get(column));
            cells.map(String::from_utf8_lossy).filter(|text| !text.is_empty())
        };
        let narrow = [FieldKind::Boolean, FieldKind::Double, FieldKind::Date, FieldKind::DateTime];
        let fits = |kind: &FieldKind, text: &str| match kind {
            FieldKind::Boolean => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
            FieldKind::Date => text.len() == 10 && kind.read(text).is_ok(),
            _ => kind.read(text).is_ok(),
        };
        let found = values().next().and_then(|_| narrow.into_iter().find(|kind| values().all(|text| fits(kind, &text))));
        found.unwrap_or(FieldKind::Text(255))
    }

    /// Adds the rows to a world: those with an id under it, in the order of the ids, then the others.
    pub(super) fn add_to(self, world: &mut World) -> Result<(), SeedError> {
        let Self { object, header, rows } = self;
        let table = world.table_number(&object).ok_or_else(|| SeedError::UnknownObject(object.clone()))?;
        let id_column = header.iter().position(|name| name.eq_ignore_ascii_case("Id"));
        let mut keyed: Vec<(Option<RecordKey>, u64, ByteRecord)> = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            let id = id_column.and_then(|column| row.get(column)).map(String::from_utf8_lossy).unwrap_or_default();
            let key = match id.as_ref() {
                "" => None,
                id => Some(RecordKey::parse(id).map_err(|source| SeedError::Id { object: object.clone(), line, source })?),
            };
            keyed.push((key, line, row));
        }
        // Those without an id last, in the order of the file.
        keyed.sort_by_key(|(key, line, _)| (key.is_none(), *key, *line));
        for (key, line, row) in keyed {
            let fields = read_fields(world, table, &header, &row, &object, line)?;
            let deleted = fields.iter().any(|(name, value)| is_deleted_mark(name, value));
            let fields = fields.iter().map(|(name, value)| (*name, value.clone()));
            let added = match key {
                Some(key) => world.insert_with_key(table, key, fields).map(|()| key),
                None => world.insert(&object, fields),
            };
            let key = added.map_err(|source| SeedError::Record { object: object.clone(), line, source })?;
            if deleted {
                world.put_into_bin(key);
            }
        }
        Ok(())
    }
}

fn is_deleted_mark(name: &str, value: &Value) -> bool {
    name.eq_ignore_ascii_case("IsDeleted") && *value == Value::Boolean(true)
}

fn read_fields<'a>(
    world: &World,
    table: usize,
    header: &'a [String],
    row: &ByteRecord,
    object: &str,
    line: u64,
) -> Result<Vec<(&'a str, Value)>, SeedError> {
    let table = &world.tables()[table];
    let mut fields = Vec::with_capacity(header.len());
    for (name, cell) in header.iter().zip(row) {
        let Some(place) = table.place(name) else { continue };
        let kind = match place {
            Place::Field(_) => table.field_kind(place).cloned(),
            Place::IsDeleted => Some(FieldKind::Boolean),
            Place::CreatedDate | Place::LastModifiedDate | Place::SystemModstamp => Some(FieldKind::DateTime),
            Place::Id | Place::CreatedById | Place::LastModifiedById => None,
        };
        let Some(kind) = kind else { continue };
        if cell.is_empty() && (name.eq_ignore_ascii_case("OwnerId") || matches!(kind, FieldKind::AutoNumber { .. })) {
            continue;
        }
        let text = String::from_utf8_lossy(cell);
        let value = kind.read(&text).map_err(|source| SeedError::Value {
            object: object.to_owned(),
            field: name.clone(),
            line,
            source,
        })?;
        fields.push((name.as_str(), value));
    }
    Ok(fields)
}
