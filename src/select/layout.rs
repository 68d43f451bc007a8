//! Which fields a policy reads of its records, and the query that reads them.

use jiff::Zoned;

use super::condition::condition_for;
use crate::base::CommandError;
use crate::base::{Digest, SourceMap};
use crate::filter::Language;
use crate::manifest::{Policy, Recheck};
use crate::plan::{ObjectFacts, PlannedPolicy, Query, Row};
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
    pub fn sealed(&self, row: &Row) -> Row {
        let stamp = self.stamp.map(|place| fingerprint(value(row, place)));
        Row { id: row.id, values: stamp.into_iter().chain(self.review_values(row)).collect() }
    }

    /// Whether a record is another than the planned one, for a policy that asks for unchanged records.
    pub fn changed(&self, planned: &Row, fresh: &Row) -> bool {
        self.stamp.is_some_and(|place| value(planned, 0) != fingerprint(value(fresh, place)))
    }

    /// Whether records are kept together in batches by a value.
    pub fn has_groups(&self) -> bool {
        self.group.is_some()
    }

    /// The value that keeps records together in one batch.
    pub fn group_value<'r>(&self, row: &'r Row) -> Option<&'r str> {
        self.group.map(|place| value(row, place))
    }
}

fn value(row: &Row, place: usize) -> &str {
    row.values.get(place).map_or("", String::as_str)
}

/// Enough of a digest to notice a change; the moment itself is a value of the record and stays out of the plan.
fn fingerprint(stamp: &str) -> String {
    Digest::of(stamp.as_bytes()).short()
}

/// How a policy is asked of its system: which fields, and the query with every moment fixed to `now`. The same arguments give
/// the same query, which is what apply compares a plan with.
pub fn query_for(
    policy: &Policy,
    facts: &ObjectFacts,
    capabilities: &Capabilities,
    now: &Zoned,
    sources: &SourceMap,
) -> Result<(Layout, Query), CommandError> {
    let layout = Layout::of(policy, capabilities)?;
    let condition = condition_for(&policy.filter, Language::of(capabilities.system), facts, now, sources)?;
    let query =
        Query { object: facts.name.clone(), key: capabilities.key.to_owned(), fields: layout.fields.clone(), condition };
    Ok((layout, query))
}
