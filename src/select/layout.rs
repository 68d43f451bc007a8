//! Which fields a policy reads of its records, and the query that reads them.

use jiff::Zoned;

use super::IdLists;
use super::condition::matching_for;
use crate::base::CommandError;
use crate::base::{Digest, SourceMap};
use crate::filter::Language;
use crate::manifest::{Policy, Recheck};
use crate::plan::{ObjectFacts, PlannedPolicy, PlannedQuery, Row};
use crate::system::Capabilities;

/// The column of a record's fingerprint in a records file.
const FINGERPRINT: &str = "Fingerprint";

/// Which fields a policy reads, and where each stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The query's further fields.
    pub fields: Vec<String>,
    group: Option<usize>,
    stamp: Option<usize>,
    review: Vec<usize>,
}

impl Layout {
    /// What a policy needs to read beside the key. No field is read twice, since Salesforce refuses that.
    ///
    /// # Errors
    ///
    /// For `recheck: unchanged` on a system without a field that moves with every change.
    pub fn of(policy: &Policy, capabilities: &Capabilities) -> Result<Self, CommandError> {
        let mut fields: Vec<String> = Vec::new();
        let mut place = |name: &str| -> usize {
            let known = fields.iter().position(|field| field.eq_ignore_ascii_case(name));
            known.unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            })
        };
        let group = policy.settings.group_by.as_deref().map(&mut place);
        let stamp = match (policy.settings.recheck, capabilities.change_stamp) {
            (Recheck::Matches, _) => None,
            (Recheck::Unchanged, Some(stamp)) => Some(place(stamp)),
            (Recheck::Unchanged, None) => {
                let title = format!("{} does not show when a record changed", capabilities.system.title());
                return Err(CommandError::plain(title).with_help("leave `recheck: unchanged` out of the policy"));
            }
        };
        let key = capabilities.key;
        let review = policy
            .settings
            .review_fields
            .iter()
            .filter(|name| !name.eq_ignore_ascii_case(key))
            .map(|name| place(name))
            .collect();
        Ok(Self { fields, group, stamp, review })
    }

    /// What [`Layout::changed`] needs of a sealed policy, whose manifest may say something else by now.
    pub fn of_planned(planned: &PlannedPolicy, capabilities: &Capabilities) -> Self {
        let fields = planned.query.fields.clone();
        let asked = capabilities.change_stamp.filter(|_| planned.settings.recheck == Recheck::Unchanged);
        let stamp = asked.and_then(|stamp| fields.iter().position(|field| field.eq_ignore_ascii_case(stamp)));
        Self { fields, group: None, stamp, review: Vec::new() }
    }

    /// The columns of the records file beside the key.
    pub fn columns(&self) -> Vec<String> {
        let stamp = self.stamp.map(|_| FINGERPRINT.to_owned());
        stamp.into_iter().chain(self.review.iter().map(|place| self.fields[*place].clone())).collect()
    }

    /// The columns people review.
    pub fn review_columns(&self) -> Vec<String> {
        self.review.iter().map(|place| self.fields[*place].clone()).collect()
    }

    /// The values people review.
    pub fn review_values(&self, row: &Row) -> Vec<String> {
        self.review.iter().map(|place| value(row, *place).to_owned()).collect()
    }

    /// A row as the records file holds it: a fingerprint instead of the moment of the last change, and review fields.
    #[inline]
    pub fn sealed(&self, row: &Row) -> Row {
        let stamp = self.stamp.map(|place| fingerprint(value(row, place)));
        Row { id: row.id, values: stamp.into_iter().chain(self.review_values(row)).collect() }
    }

    /// Whether a record is another than the planned one, for a policy that asks for unchanged records.
    pub fn changed(&self, planned: &Row, fresh: &Row) -> bool {
        self.stamp.is_some_and(|place| value(planned, 0) != fingerprint(value(fresh, place)))
    }

    /// The index of a field's value in a row.
    pub fn place_of(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|known| known.eq_ignore_ascii_case(field))
    }
}

fn value(row: &Row, place: usize) -> &str {
    row.values.get(place).map_or("", String::as_str)
}

/// Enough of a digest to notice a change; the moment itself is a value of the record and stays out of the plan.
fn fingerprint(stamp: &str) -> String {
    Digest::of(stamp.as_bytes()).short()
}

/// How a policy is asked of its system: which fields, and the query with every moment fixed to `now`; `files` are the
/// manifests and the lists of ids. The same arguments give
/// the same query, which is what apply compares a plan with.
pub fn query_for(
    policy: &Policy,
    facts: &ObjectFacts,
    capabilities: &Capabilities,
    now: &Zoned,
    files: (&SourceMap, &IdLists),
) -> Result<(Layout, PlannedQuery), CommandError> {
    let layout = Layout::of(policy, capabilities)?;
    let matching = matching_for(&policy.filter, Language::of(capabilities.system), facts, now, files)?;
    let (object, key) = (facts.name.clone(), capabilities.key.to_owned());
    let query = PlannedQuery { object, key, fields: layout.fields.clone(), matching };
    Ok((layout, query))
}

#[cfg(test)]
mod tests {
    use super::super::test_manifest::{capabilities, lead, policy, workspace};
    use super::*;
    use crate::base::RecordId;

    fn row(values: &[&str]) -> Row {
        let id = RecordId::new("00Q5f00000000G8EAI").expect("valid");
        Row { id, values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    #[test]
    fn no_field_is_read_twice_and_each_is_found_again() {
        let workspace = workspace(&[
            "filter: everything",
            "groupBy: OwnerId",
            "recheck: unchanged",
            "review: { fields: [Company, ownerid, Id, SystemModstamp] }",
        ]);
        let layout = Layout::of(policy(&workspace), &capabilities(Some("SystemModstamp"))).expect("a layout");
        assert_eq!(layout.fields, ["OwnerId", "SystemModstamp", "Company"]);
        assert_eq!(layout.columns(), ["Fingerprint", "Company", "OwnerId", "SystemModstamp"]);
        let fresh = row(&["005A", "2026-01-01", "Acme"]);
        assert_eq!(layout.place_of("ownerid").map(|place| fresh.values[place].as_str()), Some("005A"));
        assert_eq!(layout.review_values(&fresh), ["Acme", "005A", "2026-01-01"]);
    }

    #[test]
    fn a_record_that_changed_has_another_fingerprint_and_no_other_field_counts() {
        let workspace = workspace(&["filter: everything", "recheck: unchanged", "review: { fields: [Company] }"]);
        let layout = Layout::of(policy(&workspace), &capabilities(Some("SystemModstamp"))).expect("a layout");
        let planned = layout.sealed(&row(&["2026-01-01", "Acme"]));
        assert!(!planned.values.contains(&"2026-01-01".to_owned()), "the moment itself stays out of the plan");
        assert!(!layout.changed(&planned, &row(&["2026-01-01", "Acme"])));
        assert!(!layout.changed(&planned, &row(&["2026-01-01", "Other"])));
        assert!(layout.changed(&planned, &row(&["2026-01-02", "Acme"])));
    }

    #[test]
    fn unchanged_records_cannot_be_asked_of_a_system_that_does_not_show_changes() {
        let workspace = workspace(&["filter: everything", "recheck: unchanged"]);
        let error = Layout::of(policy(&workspace), &capabilities(None)).expect_err("no such field");
        assert_eq!(error.title, "Salesforce does not show when a record changed");
    }

    #[test]
    fn the_same_moment_gives_the_same_query() {
        let workspace = workspace(&["filter: { field: LastActivityDate, olderThan: 3 years }"]);
        let now: Zoned = "2026-11-21T10:00:00+00:00[UTC]".parse().expect("a moment");
        let query = |now: &Zoned| {
            let files = (&workspace.sources, &IdLists::default());
            query_for(policy(&workspace), &lead(), &capabilities(None), now, files).expect("a query").1
        };
        assert_eq!(query(&now).matching.condition(), Some("LastActivityDate < 2023-11-21"));
        assert_eq!(query(&now), query(&now));
        assert_ne!(query(&now), query(&now.tomorrow().expect("a day")));
    }
}
