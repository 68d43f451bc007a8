//! Records made up from a number.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::form::Record;
use super::organization::uuid;
use super::value::seconds_before;
use super::{ColumnKind, Form, Value};

/// Ten years, in seconds.
const SPREAD: i64 = 315_360_000;
const NAMES: [&str; 10] = [
    "Bench",
    "Oak, old",
    "Fountain",
    "Swing \"Nest\"",
    "Path light",
    "O'Neill memorial",
    "Gate",
    "Zürich plane",
    "Footbridge",
    "Drain",
];
const WORDS: [&str; 6] = ["north", "south", "river", "meadow", "playground", "square"];
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Form {
    /// Adds made-up records.
    pub(super) fn generate(&mut self, count: u32, seed: u64, users: &[String], now: Timestamp) {
        for number in 0..u64::from(count) {
            let mut source = fastrand::Rng::with_seed(seed.rotate_left(40) ^ number);
            let age = source.i64(0..SPREAD);
            let user = source.choice(users).cloned().unwrap_or_default();
            let mut record = Record::new(self, &user, seconds_before(now, age));
            let changed = seconds_before(now, source.i64(0..=age));
            (record.updated_at, record.server_updated_at) = (changed, changed);
            record.version = source.i64(1..9);
            record.status = source.choice(&self.statuses).cloned();
            record.latitude = Some(f64::from(source.i32(-60_000_000..60_000_000)) / 1e6);
            record.longitude = Some(f64::from(source.i32(-180_000_000..180_000_000)) / 1e6);
            record.values = self.fields.iter().map(|field| value(&mut source, field.kind, changed)).collect();
            self.records.insert(id(seed, number), record);
        }
    }
}

/// Most ids are UUIDs. One in five is not, and one in 25 differs from another one in its case alone: ids are opaque and
/// their case matters (documented).
fn id(seed: u64, number: u64) -> String {
    let mixed = |number: u64| -> String {
        let mut source = fastrand::Rng::with_seed(seed.rotate_left(20) ^ number ^ 0x1D5);
        (0..24).map(|_| char::from(DIGITS[source.usize(..DIGITS.len())])).collect()
    };
    let swap =
        |letter: char| if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
    match number % 25 {
        5 => mixed(number - 5).chars().map(swap).collect(),
        rest if rest % 5 == 0 => mixed(number),
        _ => uuid(seed ^ 0x6E6, number),
    }
}

fn value(source: &mut fastrand::Rng, kind: ColumnKind, changed: Timestamp) -> Value {
    if source.u8(..10) == 0 {
        return Value::Null;
    }
    match kind {
        ColumnKind::Integer => source.i64(0..40).into(),
        ColumnKind::Double => (f64::from(source.u32(0..10_000)) / 100.0).into(),
        ColumnKind::Date => changed.to_zoned(TimeZone::UTC).date().into(),
        ColumnKind::Timestamp => changed.into(),
        ColumnKind::Array => Value::Array(source.choose_multiple(WORDS, 2).into_iter().map(str::to_owned).collect()),
        ColumnKind::Text | ColumnKind::Boolean | ColumnKind::Point => {
            let name = NAMES[source.usize(..NAMES.len())];
            format!("{name} {}", WORDS[source.usize(..WORDS.len())]).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_distinct_but_not_without_their_case() {
        let ids: BTreeSet<String> = (0..1_000).map(|number| id(7, number)).collect();
        assert_eq!(ids.len(), 1_000);
        let folded: BTreeSet<String> = ids.iter().map(|id| id.to_lowercase()).collect();
        assert_eq!(folded.len(), 960);
        assert_eq!(ids.iter().filter(|id| id.len() == 36).count(), 800);
    }
}
