//! What would go with the selected records.

use serde::{Deserialize, Serialize};

use super::{GateName, Verdict};
use crate::base::{counted, with_thousands};
use crate::manifest::Limits;

/// How many records of one child object the system would delete together with the selected ones.
///
/// It is counted one generation deep, by the policy's own condition: children of children are not in it, and children of held
/// records are. These records are not planned, have no outcome and are never sent; the system takes them along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CascadeCount {
    /// The child object.
    pub child: String,
    /// The child's field that points at the parent.
    pub field: String,
    /// How many; `None` where the system cannot be asked, as with a condition that has a subquery itself.
    pub records: Option<u64>,
}

/// Whether the selected records and those that go with them are within `limits.maxRecords`.
pub fn cascade(limits: &Limits, selected: u64, cascades: &[CascadeCount]) -> Verdict {
    let verdict = |passed, message| Verdict { gate: GateName::Cascade, passed, message };
    let together: u64 = cascades.iter().filter_map(|cascade| cascade.records).sum();
    let words: Vec<String> = cascades
        .iter()
        .filter(|cascade| cascade.records != Some(0))
        .map(|cascade| match cascade.records {
            Some(records) => format!("{} `{}` by `{}`", with_thousands(records), cascade.child, cascade.field),
            None => format!("an unknown number of `{}` by `{}`", cascade.child, cascade.field),
        })
        .collect();
    if selected == 0 || words.is_empty() {
        return verdict(true, "no other record goes with them".to_owned());
    }
    let words = words.join(", ");
    let total = selected.saturating_add(together);
    if total <= limits.max_records {
        return verdict(true, format!("the system also deletes what belongs to them: {words}"));
    }
    verdict(
        false,
        format!(
            "the system also deletes what belongs to them: {words}; that is {} together, and `limits.maxRecords` is {}: raise it to \
             {}, or delete the children by a policy of their own first",
            counted(total, "record"),
            with_thousands(limits.max_records),
            with_thousands(total),
        ),
    )
}

/// Whether no more records would go along now than when the plan was made: what was not reviewed is not taken along either.
pub fn cascade_growth(planned: &[CascadeCount], now: &[CascadeCount]) -> Verdict {
    let before = |cascade: &CascadeCount| {
        let same = planned.iter().find(|other| other.child == cascade.child && other.field == cascade.field);
        same.map_or(Some(0), |other| other.records)
    };
    let grown = now.iter().find_map(|cascade| match (cascade.records, before(cascade)) {
        (Some(records), Some(before)) if records > before => Some((cascade, records, before)),
        _ => None,
    });
    match grown {
        None => {
            Verdict { gate: GateName::Cascade, passed: true, message: "no more goes along than was reviewed".to_owned() }
        }
        Some((cascade, records, before)) => Verdict {
            gate: GateName::Cascade,
            passed: false,
            message: format!(
                "the system would also delete {} `{}` by `{}` that belong to these records now, and {} when the plan was made: make a \
                 new plan and review it",
                with_thousands(records),
                cascade.child,
                cascade.field,
                with_thousands(before),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(records: Option<u64>) -> CascadeCount {
        CascadeCount { child: "Contact".into(), field: "AccountId".into(), records }
    }

    #[test]
    fn counts_what_goes_along_against_the_limit() {
        let limits = Limits { max_records: 1_000, ..Limits::default() };
        assert!(cascade(&limits, 600, &[count(Some(400))]).passed);
        let refused = cascade(&limits, 600, &[count(Some(401)), count(None)]);
        assert!(!refused.passed);
        insta::assert_snapshot!(refused.message, @"the system also deletes what belongs to them: 401 `Contact` by `AccountId`, an unknown number of `Contact` by `AccountId`; that is 1,001 records together, and `limits.maxRecords` is 1,000: raise it to 1,001, or delete the children by a policy of their own first");
    }

    #[test]
    fn refuses_what_came_to_belong_to_the_records_after_the_review() {
        assert!(cascade_growth(&[count(Some(5))], &[count(Some(5))]).passed);
        assert!(cascade_growth(&[count(Some(5))], &[count(Some(4))]).passed);
        assert!(!cascade_growth(&[count(Some(5))], &[count(Some(6))]).passed);
        assert!(!cascade_growth(&[], &[count(Some(1))]).passed);
        assert!(cascade_growth(&[count(None)], &[count(Some(1))]).passed);
    }

    #[test]
    fn says_nothing_where_nothing_goes_along() {
        let limits = Limits { max_records: 0, ..Limits::default() };
        assert!(cascade(&limits, 0, &[count(Some(9))]).passed);
        assert!(cascade(&limits, 0, &[]).passed);
        assert!(cascade(&limits, 5, &[count(Some(0))]).passed);
    }
}
