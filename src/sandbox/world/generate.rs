//! Records that are computed from a seed when somebody looks at them, so that a million of them cost little.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::definition::{FieldKind, ObjectDefinition};
use super::{RecordKey, Value};

/// Ten years, in seconds.
const SPREAD: u64 = 315_360_000;
const DAY: i64 = 86_400;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Amara", "Bruno", "Chen", "Dolores", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas", "Kaya", "Liam", "Mina",
    "Noor", "Olga",
];
const LAST_NAMES: [&str; 20] = [
    "Adler", "Baker", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ivanova", "Jensen", "Khan", "Larsen",
    "Meyer", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Silva", "O'Neill",
];
const COMPANY_STEMS: [&str; 16] = [
    "Acme",
    "Bluebird",
    "Cascade",
    "Delta",
    "Evergreen",
    "Falcon",
    "Granite",
    "Harbor",
    "Ironwood",
    "Juniper",
    "Keystone",
    "Lakeside",
    "Meridian",
    "Northwind",
    "Orchard",
    "Pinnacle",
];
const COMPANY_TAILS: [&str; 8] =
    ["Logistics", "Foods", "Systems", "Partners", "Energy", "Media", "Textiles", "& Sons, Inc."];
const CITIES: [(&str, &str); 8] = [
    ("Berlin", "Germany"),
    ("Lyon", "France"),
    ("Porto", "Portugal"),
    ("Leeds", "United Kingdom"),
    ("Austin", "United States"),
    ("Toronto", "Canada"),
    ("Osaka", "Japan"),
    ("Zürich", "Switzerland"),
];
const TITLES: [&str; 6] = ["CEO", "Buyer", "Head of Operations", "Engineer", "Office Manager", "VP, Sales"];
const SUBJECTS: [&str; 6] =
    ["Call back", "Invoice question", "Follow up", "Cannot log in", "Renewal", "Send \"final\" offer"];

/// A run of records that were generated together.
#[derive(Debug)]
pub(super) struct Generation {
    /// Where the numbers come from.
    pub seed: u64,
    /// The last moment any value may have.
    pub until: Timestamp,
    /// What an automatic number begins with.
    pub first_auto_number: u64,
    /// For a lookup field: the keys to choose from.
    pub parents: BTreeMap<usize, Arc<[RecordKey]>>,
}

/// Mixes one number thoroughly (the finalizer of SplitMix64, a public-domain generator).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn choose<T: ?Sized>(choices: &[&'static T], number: u64) -> &'static T {
    choices[(number % choices.len() as u64) as usize]
}

/// What a record's fields have to agree on.
#[derive(Clone, Copy)]
enum Aspect {
    Created,
    Touched,
    Person,
    Surname,
    Company,
    Town,
    Finished,
    Won,
    Field(usize),
}

impl Generation {
    fn number(&self, aspect: Aspect, record: u32) -> u64 {
        let aspect = match aspect {
            Aspect::Created => 1,
            Aspect::Touched => 2,
            Aspect::Person => 3,
            Aspect::Surname => 4,
            Aspect::Company => 5,
            Aspect::Town => 6,
            Aspect::Finished => 7,
            Aspect::Won => 8,
            Aspect::Field(field) => 100 + field as u64,
        };
        mix(self.seed ^ mix(u64::from(record) << 16 | aspect))
    }

    /// When the record was made: spread evenly over ten years. Seconds since 1970.
    pub(super) fn created(&self, record: u32) -> i64 {
        self.until.as_second() - (self.number(Aspect::Created, record) % SPREAD) as i64
    }

    /// When it was last changed: between its making and the end. Seconds since 1970.
    pub(super) fn modified(&self, record: u32) -> i64 {
        let created = self.created(record);
        let age = (self.until.as_second() - created).max(1) as u64;
        let touched = self.number(Aspect::Touched, record);
        // The product of two shares: most records are left alone soon after they were made.
        let share = (touched % 1_000) * ((touched >> 32) % 1_000);
        created + (u128::from(age) * u128::from(share) / 1_000_000) as i64
    }

    fn is_finished(&self, record: u32) -> bool {
        self.number(Aspect::Finished, record).is_multiple_of(3)
    }

    fn is_won(&self, record: u32) -> bool {
        self.number(Aspect::Won, record).is_multiple_of(2)
    }

    fn first_name(&self, record: u32) -> &'static str {
        choose(&FIRST_NAMES, self.number(Aspect::Person, record))
    }

    fn last_name(&self, record: u32) -> &'static str {
        choose(&LAST_NAMES, self.number(Aspect::Surname, record))
    }

    fn company(&self, record: u32) -> String {
        let number = self.number(Aspect::Company, record);
        format!("{} {}", choose(&COMPANY_STEMS, number), choose(&COMPANY_TAILS, number >> 20))
    }

    fn day(&self, second: i64) -> Value {
        Timestamp::from_second(second).map_or(Value::Null, |moment| Value::Date(moment.to_zoned(TimeZone::UTC).date()))
    }

    /// The value of one field of one record; the same every time.
    pub(super) fn value(&self, definition: &ObjectDefinition, field: usize, record: u32) -> Value {
        let own = &definition.fields[field];
        let number = self.number(Aspect::Field(field), record);
        let (city, country) = CITIES[(self.number(Aspect::Town, record) % CITIES.len() as u64) as usize];
        let is_person = matches!(definition.name.as_str(), "Lead" | "Contact");
        match own.name.as_str() {
            "FirstName" => return self.first_name(record).into(),
            "LastName" => return self.last_name(record).into(),
            "Name" if is_person => return format!("{} {}", self.first_name(record), self.last_name(record)).as_str().into(),
            "Name" if !matches!(own.kind, FieldKind::AutoNumber { .. }) => {
                return format!("{} {}", self.company(record), record % 1_000).as_str().into();
            }
            "Company" => return self.company(record).as_str().into(),
            "Title" => return choose(&TITLES, number).into(),
            "Subject" => return choose(&SUBJECTS, number).into(),
            "City" | "BillingCity" | "MailingCity" => return city.into(),
            "Country" | "BillingCountry" | "MailingCountry" => return country.into(),
            "IsConverted" | "IsClosed" => return self.is_finished(record).into(),
            // Closed for more than a year (documented).
            "IsArchived" => {
                let year = 365 * DAY;
                return (self.is_finished(record) && self.modified(record) < self.until.as_second() - year).into();
            }
            "IsWon" => return (self.is_finished(record) && self.is_won(record)).into(),
            "ClosedDate" | "ConvertedDate" if !self.is_finished(record) => return Value::Null,
            "ConvertedAccountId" | "ConvertedContactId" | "ConvertedOpportunityId" if !self.is_finished(record) => {
                return Value::Null;
            }
            "Status" if definition.name == "Case" && self.is_finished(record) => return "Closed".into(),
            "Status" if definition.name == "Task" && self.is_finished(record) => return "Completed".into(),
            "StageName" if self.is_finished(record) => {
                return if self.is_won(record) { "Closed Won".into() } else { "Closed Lost".into() };
            }
            _ => {}
        }
        self.value_of_kind(&own.kind, field, number, record)
    }

    fn value_of_kind(&self, kind: &FieldKind, field: usize, number: u64, record: u32) -> Value {
        match kind {
            FieldKind::Text(_) => format!("Value {}", number % 10_000).as_str().into(),
            FieldKind::TextArea if number.is_multiple_of(4) => Value::Null,
            FieldKind::TextArea => format!("Note {}\nsecond line", number % 10_000).as_str().into(),
            FieldKind::Email => {
                let (first, last) = (self.first_name(record), self.last_name(record).replace('\'', ""));
                format!("{first}.{last}{record}@example.com").to_ascii_lowercase().as_str().into()
            }
            FieldKind::Phone => format!("+1 555 {:07}", number % 10_000_000).as_str().into(),
            FieldKind::Url => format!("https://www{}.example.com", number % 1_000).as_str().into(),
            FieldKind::Picklist(values) | FieldKind::MultiPicklist(values) if values.is_empty() => Value::Null,
            FieldKind::Picklist(values) => values[(number % values.len() as u64) as usize].as_str().into(),
            FieldKind::MultiPicklist(values) => {
                let chosen: Vec<&str> = values
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| number >> place & 1 == 1)
                    .map(|(_, value)| &**value)
                    .collect();
                chosen.join(";").as_str().into()
            }
            FieldKind::Boolean => number.is_multiple_of(4).into(),
            FieldKind::Integer => Value::Number((number % 5_000) as f64),
            FieldKind::Double => Value::Number((number % 1_000_000) as f64 / 100.0),
            FieldKind::Currency => Value::Number((number % 50_000) as f64 * 100.0),
            FieldKind::Percent => Value::Number((number % 101) as f64),
            FieldKind::Date | FieldKind::DateTime if number.is_multiple_of(10) => Value::Null,
            FieldKind::Date => self.day(self.modified(record) - (number % 30) as i64 * DAY),
            FieldKind::DateTime => Timestamp::from_second(self.modified(record)).map_or(Value::Null, Value::DateTime),
            FieldKind::AutoNumber { prefix, digits } => {
                format!("{prefix}{:0digits$}", self.first_auto_number + u64::from(record)).as_str().into()
            }
            FieldKind::Lookup(_) => match self.parents.get(&field) {
                Some(parents) if !parents.is_empty() => Value::Reference(parents[(number % parents.len() as u64) as usize]),
                _ => Value::Null,
            },
        }
    }
}
