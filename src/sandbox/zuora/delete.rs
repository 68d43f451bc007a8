//! Which records a call deletes, and which refuse.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::Tenant;
use super::evaluate::Value;
use super::row_error::RowError;
use super::table::Table;
use crate::sandbox::draw::draw;

/// How long the deletion of an account takes after it was accepted. That it takes time is documented, how much is a guess.
const ACCOUNT_DELETION: SignedDuration = SignedDuration::from_secs(5);

impl Tenant {
    /// Deletes what can be deleted, each record by itself, in the order of the ids. `unknown` is the code for a record that
    /// is not there, or not there any more.
    pub(super) fn delete(&mut self, table: usize, ids: &[String], unknown: &str) -> Vec<Result<(), RowError>> {
        let held = self.held_by_others(table);
        ids.iter().map(|id| self.delete_one(table, id, unknown, &held)).collect()
    }

    fn delete_one(&mut self, table: usize, id: &str, unknown: &str, held: &BTreeSet<String>) -> Result<(), RowError> {
        if !self.tables[table].rows.contains_key(id) || !self.exists(id) {
            return Err(RowError::new(unknown, format!("invalid id for {}: {id}", self.tables[table].object.name)));
        }
        if let Some(stubborn) = self.stubborn.get_mut(id)
            && stubborn.times != Some(0)
        {
            stubborn.times = stubborn.times.map(|times| times - 1);
            return Err(stubborn.error.clone());
        }
        self.may_go(&self.tables[table], id, held)?;
        if let Some(met) = &mut self.locked_once
            && draw(self.seed, id).is_multiple_of(16)
            && met.insert(id.to_owned())
        {
            return Err(RowError::lock());
        }
        if self.tables[table].object.name == "Account" {
            self.leaving.insert(id.to_owned(), self.now() + ACCOUNT_DELETION);
        } else {
            self.remove(id);
        }
        Ok(())
    }

    /// The rules are documented, the texts are guesses but for the one of amendments.
    fn may_go(&self, table: &Table, id: &str, held: &BTreeSet<String>) -> Result<(), RowError> {
        let held = |id: &str| held.contains(id);
        match table.object.name.as_str() {
            "Invoice" if text(table, id, "Status") != Some("Draft") => {
                Err(RowError::kept("Only invoices with Draft status can be deleted."))
            }
            "Usage" if text(table, id, "InvoiceId").is_some() => {
                Err(RowError::kept("The usage record is on an invoice and cannot be deleted."))
            }
            "PaymentMethod" if held(id) => {
                Err(RowError::kept("The default payment method of an account cannot be deleted."))
            }
            "Subscription" if held(id) => {
                Err(RowError::kept("Only the latest version of a subscription that is not invoiced can be deleted."))
            }
            "Amendment" if text(table, id, "SubscriptionId").is_some_and(held) => {
                Err(RowError::kept("This amendment cannot be undone since its charges are invoiced."))
            }
            _ => Ok(()),
        }
    }

    /// The records that others of another object keep from being deleted, if this is an object that has such: default
    /// payment methods, subscriptions that are invoiced or have a later version.
    fn held_by_others(&self, table: usize) -> BTreeSet<String> {
        let pairs: &[(&str, &str)] = match self.tables[table].object.name.as_str() {
            "PaymentMethod" => &[("Account", "DefaultPaymentMethodId")],
            "Subscription" => &[("InvoiceItem", "SubscriptionId"), ("Subscription", "PreviousSubscriptionId")],
            "Amendment" => &[("InvoiceItem", "SubscriptionId")],
            _ => &[],
        };
        pairs.iter().flat_map(|(object, field)| self.pointed_at(object, field)).collect()
    }

    fn pointed_at(&self, object: &str, field: &str) -> Vec<String> {
        let Some(table) = self.table_number(object).map(|number| &self.tables[number]) else { return Vec::new() };
        table.rows.keys().filter_map(|id| text(table, id, field)).map(str::to_owned).collect()
    }

    /// Ends the deletions of accounts that are due: their transactions are gone, they are canceled (documented).
    pub(super) fn end_accounts(&mut self) {
        let now = self.now();
        let due = self.leaving.iter().filter(|(_, moment)| **moment <= now);
        let due: BTreeSet<String> = due.map(|(id, _)| id.clone()).collect();
        if due.is_empty() {
            return;
        }
        let own = self.pointing_to(&due, "AccountId");
        let of_subscriptions = self.pointing_to(&own, "SubscriptionId");
        for id in own.iter().chain(&of_subscriptions) {
            self.remove(id);
        }
        for id in due {
            self.leaving.remove(&id);
            // A colleague may have removed it meanwhile.
            let _ = self.update(&id, "Status", "Canceled");
            self.canceled.insert(id);
        }
    }

    /// The records of any object that point at one of these by this field.
    fn pointing_to(&self, targets: &BTreeSet<String>, field: &str) -> BTreeSet<String> {
        let points = |table: &Table, id: &str| text(table, id, field).is_some_and(|target| targets.contains(target));
        self.tables.iter().flat_map(|table| table.rows.keys().filter(move |id| points(table, id))).cloned().collect()
    }
}

fn text<'a>(table: &'a Table, id: &str, field: &str) -> Option<&'a str> {
    match table.rows.get(id)?.get(&table.object.place(field)?)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
