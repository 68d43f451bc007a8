//! Whether the policy adds no more records to the base than `limits.maxWidened`. To raise the limit is to accept what it adds; the
//! records that the data added are bounded by the other limits.

use super::super::attribution::Widening;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let most = input.settings.max_widened?;
    let limit = format!("`limits.maxWidened` is {}", with_thousands(most));
    let name_base = "name the plan that was reviewed with `--base`";
    Some(match input.widening? {
        Widening::NoBase => Finding::warn(format!("{limit}, and judges nothing, since there is no base: {name_base}")),
        Widening::NotReviewed => Finding::warn(format!(
            "{limit}, and judges nothing, since nobody knows whether the plan that lay here was reviewed: {name_base}"
        )),
        Widening::Unknown(reason) => Finding::refuse(format!(
            "{limit}, and it is not known how many records the policy adds to the base: {reason}; name another base with `--base`, or \
             take `maxWidened` out of the limits for this change"
        )),
        Widening::AtMost(new) => Finding::pass(format!(
            "{} new, so that the policy adds no more; at most {} may be added",
            if *new == 1 { "1 record is".to_owned() } else { format!("{} are", counted(*new, "record")) },
            with_thousands(most)
        )),
        Widening::By(0) => Finding::pass("the policy adds no record to the base"),
        Widening::By(added) => {
            let adds = format!("the policy adds {} to the base", counted(*added, "record"));
            if *added <= most {
                return Some(Finding::pass(format!("{adds}, at most {} may be added", with_thousands(most))));
            }
            Finding::refuse(format!(
                "{adds}, and {limit}: narrow the filter, or write `maxWidened: {added}` {} to accept them",
                input.max_widened_at
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::attribution::Widening;
    use super::super::scene::{Scene, scene};
    use super::*;

    fn said(most: Option<u64>, widening: Option<Widening>) -> String {
        let mut scene = Scene { widening, ..scene() };
        scene.settings.max_widened = most;
        scene.said(ask)
    }

    #[test]
    fn bounds_what_the_policy_adds_and_refuses_in_doubt() {
        let unknown = Widening::Unknown("Lead has no field `Old__c`, or this login may not see it".into());
        let table = [
            said(None, Some(Widening::By(1_000))),
            said(Some(5), None),
            said(Some(0), Some(Widening::By(0))),
            said(Some(1_200), Some(Widening::By(1_200))),
            said(Some(0), Some(Widening::By(1))),
            said(Some(1_200), Some(Widening::By(1_201))),
            said(Some(5), Some(Widening::NoBase)),
            said(Some(5), Some(Widening::NotReviewed)),
            said(Some(5), Some(Widening::AtMost(5))),
            said(None, Some(unknown.clone())),
            said(Some(5), Some(unknown)),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        not asked
        not asked
        pass: the policy adds no record to the base
        pass: the policy adds 1,200 records to the base, at most 1,200 may be added
        refuse: the policy adds 1 record to the base, and `limits.maxWidened` is 0: narrow the filter, or write `maxWidened: 1` at sexton.yaml:9:24 to accept them
        refuse: the policy adds 1,201 records to the base, and `limits.maxWidened` is 1,200: narrow the filter, or write `maxWidened: 1201` at sexton.yaml:9:24 to accept them
        warn: `limits.maxWidened` is 5, and judges nothing, since there is no base: name the plan that was reviewed with `--base`
        warn: `limits.maxWidened` is 5, and judges nothing, since nobody knows whether the plan that lay here was reviewed: name the plan that was reviewed with `--base`
        pass: 5 records are new, so that the policy adds no more; at most 5 may be added
        not asked
        refuse: `limits.maxWidened` is 5, and it is not known how many records the policy adds to the base: Lead has no field `Old__c`, or this login may not see it; name another base with `--base`, or take `maxWidened` out of the limits for this change
        ");
    }
}
