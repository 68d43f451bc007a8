//! Whether it is known what goes with the selected records, and whether all together are within `limits.maxRecords`.

use super::super::cascade::CascadeCount;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

/// How many reasons are told; the names of all are.
const REASONS_TOLD: usize = 3;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let most = input.limits.max_records;
    let along = || input.cascades.iter().filter(|cascade| cascade.records != Some(0));
    if input.selected == 0 || along().next().is_none() {
        return Some(Finding::pass("no other record is deleted with them"));
    }
    let together = along().filter_map(|cascade| cascade.records).fold(0, u64::saturating_add);
    let total = input.selected.saturating_add(input.already_deleted).saturating_add(together);
    let unknown = || along().filter(|cascade| cascade.records.is_none());
    let open: Vec<&CascadeCount> = unknown().filter(|cascade| !input.accept.unknown_cascade(&cascade.child)).collect();
    let mut refused = Vec::new();
    if !open.is_empty() {
        refused.push(format!(
            "the system may also delete what belongs to them, and it is not known how many records of {}: {}; let this login see and \
             count them, or accept that with {}",
            counted(open.len() as u64, "object"),
            reasons(&open),
            input.how_to_accept_cascades(),
        ));
    }
    let known: Vec<String> = along().filter_map(known).collect();
    let known = known.join(", ");
    if total > most {
        refused.push(format!(
            "the system also deletes what belongs to them: {known}; that is {} in all, and `limits.maxRecords` is {}: raise it to {}, \
             or first delete the children by a policy of their own",
            counted(total, "record"),
            with_thousands(most),
            with_thousands(total),
        ));
    }
    if !refused.is_empty() {
        return Some(Finding::refuse(refused.join("; and ")));
    }
    let accepted: Vec<String> = unknown().map(|cascade| format!("`{}`", cascade.child)).collect();
    let deletes = (!known.is_empty()).then(|| format!("the system also deletes what belongs to them: {known}"));
    if accepted.is_empty() {
        return deletes.map(Finding::pass);
    }
    let accepts = format!("it is accepted that an unknown number of records may go along of {}", accepted.join(", "));
    Some(Finding::warn(deletes.into_iter().chain([accepts]).collect::<Vec<_>>().join("; ")))
}

/// A child of which it is known how many records go along.
fn known(cascade: &CascadeCount) -> Option<String> {
    cascade.records.map(|records| format!("{} `{}` by `{}`", with_thousands(records), cascade.child, cascade.field))
}

/// Why it is not known, of the first few.
fn reasons(unknown: &[&CascadeCount]) -> String {
    let told = unknown.iter().take(REASONS_TOLD).map(|cascade| {
        let reason = cascade.reason.as_deref().unwrap_or("the system cannot be asked");
        format!("`{}` by `{}` ({reason})", cascade.child, cascade.field)
    });
    let others = unknown.len().saturating_sub(REASONS_TOLD) as u64;
    let more = (others > 0).then(|| format!("and {} more", with_thousands(others)));
    told.chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::input::OpenCascade;
    use super::super::scene::{Scene, contacts, scene};
    use super::*;
    use crate::base::HoldName;

    fn of(selected: u64, along: &[Option<u64>], most: u64) -> Scene {
        let cascades = along.iter().map(|records| contacts(*records)).collect();
        let mut scene = Scene { selected, cascades, ..scene() };
        scene.limits.max_records = most;
        scene
    }

    #[test]
    fn counts_what_goes_along_against_the_limit() {
        let said = [of(600, &[Some(400)], 1_000).said(ask), of(600, &[Some(401)], 1_000).said(ask)];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: the system also deletes what belongs to them: 400 `Contact` by `AccountId`
        refuse: the system also deletes what belongs to them: 401 `Contact` by `AccountId`; that is 1,001 records in all, and `limits.maxRecords` is 1,000: raise it to 1,001, or first delete the children by a policy of their own
        ");
    }

    #[test]
    fn what_is_not_known_refuses_until_each_is_accepted_by_name() {
        let unknown = |child: &str, reason: &str| CascadeCount {
            child: child.to_owned(),
            field: "AccountId".to_owned(),
            records: None,
            reason: Some(reason.to_owned()),
        };
        let mut scene = of(600, &[Some(401)], 1_000);
        scene.cascades.extend(["Order", "Asset", "Note", "Event"].map(|child| unknown(child, "this login cannot see it")));
        scene.open_cascades = vec![OpenCascade {
            hold: HoldName::new("acme").expect("valid"),
            path: vec!["Lead".into(), "Case".into()],
            unknown: "Case".into(),
            accepted: false,
        }];
        let all = scene.said(ask);
        scene.limits.max_records = 1_001;
        scene.accept.unknown_cascades = vec!["order".into(), "Asset".into(), "Note".into()];
        let one = scene.said(ask);
        scene.accept.unknown_cascades.push("EVENT".into());
        let table = [all, one, scene.said(ask)];
        insta::assert_snapshot!(table.join("\n"), @"
        refuse: the system may also delete what belongs to them, and it is not known how many records of 4 objects: `Order` by `AccountId` (this login cannot see it), `Asset` by `AccountId` (this login cannot see it), `Note` by `AccountId` (this login cannot see it), and 1 more; let this login see and count them, or accept that with `accept: { unknownCascades: [Asset, Case, Event, Note, Order] }` in the policy, its target or the project; and the system also deletes what belongs to them: 401 `Contact` by `AccountId`; that is 1,001 records in all, and `limits.maxRecords` is 1,000: raise it to 1,001, or first delete the children by a policy of their own
        refuse: the system may also delete what belongs to them, and it is not known how many records of 1 object: `Event` by `AccountId` (this login cannot see it); let this login see and count them, or accept that with `accept: { unknownCascades: [Case, Event] }` in the policy, its target or the project
        warn: the system also deletes what belongs to them: 401 `Contact` by `AccountId`; it is accepted that an unknown number of records may go along of `Order`, `Asset`, `Note`, `Event`
        ");
    }

    #[test]
    fn counts_what_this_run_has_deleted_already() {
        assert!(Scene { already_deleted: 1, ..of(599, &[Some(400)], 1_000) }.said(ask).starts_with("pass"));
        assert!(Scene { already_deleted: 1, ..of(600, &[Some(400)], 1_000) }.said(ask).starts_with("refuse"));
    }

    #[test]
    fn says_nothing_where_nothing_goes_along() {
        for scene in [of(0, &[Some(9)], 0), of(0, &[], 0), of(5, &[Some(0)], 0)] {
            assert_eq!(scene.said(ask), "pass: no other record is deleted with them");
        }
    }
}
