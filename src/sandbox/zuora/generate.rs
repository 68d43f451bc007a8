//! Records that are made up from a seed.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::evaluate::Value;
use super::objects::Kind;
use super::table::Row;
use super::tenant::put;
use super::{Tenant, TenantError};

/// Records are spread over ten years, in seconds.
const SPREAD: i64 = 315_360_000;

const NAMES: [&str; 12] = [
    "Abbott",
    "Bergström",
    "Castillo",
    "Demir",
    "Evans",
    "Fontaine",
    "Greco",
    "Holm",
    "Ito",
    "Jovanović",
    "Keller",
    "O'Hara",
];
const COMPANIES: [&str; 8] = ["Alder", "Beacon", "Corvus", "Dune", "Ember", "Fjord", "Gale", "Heron"];
const FORMS: [&str; 4] = ["Ltd", "GmbH", "& Co. <Holding>", "SARL"];

impl Tenant {
    /// Makes up records of an object. The same tenant and seed give the same ones; lookups point at records there are already.
    ///
    /// # Errors
    ///
    /// When there is no such object.
    pub fn generate(&mut self, object: &str, count: u32, seed: u64) -> Result<(), TenantError> {
        let table = self.known_table(object)?;
        let parents: BTreeMap<usize, Vec<String>> = self.parents(table);
        let mut random = Rng::with_seed(seed);
        for number in 1..=count {
            let created = self.now() - SignedDuration::from_secs(random.i64(0..SPREAD));
            let row = self.made_up(table, number, created, &parents, &mut random);
            let id = self.next_id();
            self.add(table, id, row);
        }
        Ok(())
    }

    /// For each lookup field, the records that it may point at.
    fn parents(&self, table: usize) -> BTreeMap<usize, Vec<String>> {
        let object = &self.tables[table].object;
        let fields =
            object.fields.iter().enumerate().filter_map(|(field, (name, _))| Some((field, name.strip_suffix("Id")?)));
        fields
            // Usage on an invoice could not be deleted.
            .filter(|(_, parent)| !(object.name == "Usage" && *parent == "Invoice"))
            .map(|(field, parent)| (field, self.ids(parent).map(str::to_owned).collect::<Vec<_>>()))
            .filter(|(_, ids)| !ids.is_empty())
            .collect()
    }

    fn made_up(
        &self,
        table: usize,
        number: u32,
        created: Timestamp,
        parents: &BTreeMap<usize, Vec<String>>,
        random: &mut Rng,
    ) -> Row {
        let object = &self.tables[table].object;
        let mut row = self.new_row(table);
        let age = created.duration_until(self.now()).as_secs().max(1);
        let updated = created + SignedDuration::from_secs(random.i64(0..age));
        for (field, (name, kind)) in object.fields.iter().enumerate() {
            let value = match kind {
                Kind::Id => match parents.get(&field).and_then(|ids| random.choice(ids)) {
                    Some(parent) => Value::Text(parent.clone()),
                    None => continue,
                },
                Kind::Text => text(&object.name, name, number, random).map_or(Value::Null, Value::Text),
                Kind::Boolean => Value::Boolean(random.bool()),
                Kind::Number if name == "Version" => Value::Number(1.0),
                Kind::Number => Value::Number(f64::from(random.u32(0..100_000)) / 100.0),
                Kind::Date | Kind::DateTime if name.starts_with("Cancel") => Value::Null,
                Kind::Date => Value::Date(created.to_zoned(TimeZone::UTC).date()),
                Kind::DateTime if name == "UpdatedDate" => Value::DateTime(updated),
                Kind::DateTime => Value::DateTime(created),
            };
            put(&mut row, field, value);
        }
        self.agree_on_the_account(table, &mut row);
        row
    }

    /// What belongs to a subscription belongs to its account.
    fn agree_on_the_account(&self, table: usize, row: &mut Row) {
        let place = |name| self.tables[table].object.place(name);
        if let (Some(account), Some(subscription)) = (place("AccountId"), place("SubscriptionId"))
            && let Some(Value::Text(subscription)) = row.get(&subscription)
            && let Some(owner) = self.value(subscription, "AccountId").filter(|owner| !owner.is_empty())
        {
            row.insert(account, Value::Text(owner));
        }
    }
}

fn text(object: &str, field: &str, number: u32, random: &mut Rng) -> Option<String> {
    let mut one_of = |choices: &[&str]| choices[random.usize(0..choices.len())].to_owned();
    Some(match (object, field) {
        ("Account", "Name") => format!("{} {} {number}", one_of(&COMPANIES), one_of(&FORMS)),
        ("Account", "AccountNumber") => format!("A{number:08}"),
        ("Subscription", "Name") => format!("A-S{number:08}"),
        ("Invoice", "InvoiceNumber") => format!("INV{number:08}"),
        ("Payment", "PaymentNumber") => format!("P-{number:08}"),
        (_, "Name") => format!("{object} {number}"),
        (_, "FirstName" | "LastName") => one_of(&NAMES),
        (_, "WorkEmail") => format!("contact{number}@example.com"),
        (_, "Country") => one_of(&["Germany", "Japan", "United States"]),
        (_, "Currency") => one_of(&["EUR", "USD"]),
        ("Account", "Status") => one_of(&["Active", "Draft"]),
        ("Invoice", "Status") => one_of(&["Draft", "Posted"]),
        ("Payment", "Status") => one_of(&["Processed", "Error"]),
        ("Subscription", "Status") => one_of(&["Active", "Cancelled", "Expired"]),
        ("Amendment", "Status") => "Completed".to_owned(),
        ("PaymentMethod", "Type") => "CreditCard".to_owned(),
        ("Subscription", "TermType") => "TERMED".to_owned(),
        (_, "UOM") => one_of(&["Each", "GB", "License"]),
        (_, "RbeStatus") => one_of(&["Imported", "Pending", "Processed"]),
        (_, "SourceType") => one_of(&["API", "Import"]),
        _ => return None,
    })
}
