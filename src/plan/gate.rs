//! Rules that can refuse a plan or an apply.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Identity, ObjectFacts};
use crate::base::{HoldName, Percent, TargetName, counted, with_thousands};
use crate::manifest::{Environment, Limits};
use crate::system::{DeleteMode, SystemKind};

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateName {
    /// The selection is larger than `limits.maxRecords`.
    MaxRecords,
    /// The selection is a larger share of the object than `limits.maxPercent`.
    MaxPercent,
    /// The login lacks what a hard delete needs.
    HardDelete,
    /// The object cannot be deleted by this login.
    Deletable,
    /// The system says it is production and the target does not.
    Production,
    /// The object looks empty where history says otherwise.
    Emptiness,
    /// The policy asks for atomicity no API gives at this size.
    AllOrNone,
    /// The policy's `reviewBy` has passed.
    ReviewBy,
    /// The run would need more calls than the organization has left today.
    Quota,
    /// What the system deletes together with the selection makes it larger than `limits.maxRecords`.
    Cascade,
    /// A hold may protect records through a cascade that cannot be followed to the end.
    HeldCascade,
    /// No API of the target can delete in the way the policy asks for.
    Route,
}

/// What one rule says about one policy, with the numbers it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    /// The rule.
    pub gate: GateName,
    /// Whether it lets the policy pass.
    pub passed: bool,
    /// One sentence with the numbers; for a refusal also what to change, and by how much.
    pub message: String,
}

/// When a gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// While a plan is made: nothing is deleted, so a date that has passed is only told.
    Plan,
    /// Before an apply sends anything.
    Apply,
}

/// A cascade that cannot be followed to the end, and the hold that may be at that end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenCascade {
    /// The hold.
    pub hold: HoldName,
    /// The objects from the policy's to the held one, in the order in which the cascade takes them.
    pub path: Vec<String>,
}

impl Verdict {
    fn pass(gate: GateName, message: String) -> Self {
        Self { gate, passed: true, message }
    }

    fn refuse(gate: GateName, message: String) -> Self {
        Self { gate, passed: false, message }
    }
}

/// Whether the selection is within `limits.maxRecords`. The limit stops; it never shortens a selection.
pub fn max_records(limits: &Limits, selected: u64) -> Verdict {
    let (records, most) = (counted(selected, "record"), with_thousands(limits.max_records));
    if selected <= limits.max_records {
        return Verdict::pass(GateName::MaxRecords, format!("{records}, at most {most} may go"));
    }
    Verdict::refuse(
        GateName::MaxRecords,
        format!(
            "{records} and `limits.maxRecords` is {most}: raise it by {} to {}, or narrow the filter",
            with_thousands(selected - limits.max_records),
            with_thousands(selected),
        ),
    )
}

/// Whether the selection is within `limits.maxPercent` of the object's counted population. Zero means that nothing may
/// go.
pub fn max_percent(limits: &Limits, selected: u64, population: u64) -> Verdict {
    let percent = limits.max_percent;
    let part = format!("{} of {}", with_thousands(selected), counted(population, "record"));
    let Some(needed) = Percent::needed_for(selected, population) else {
        return Verdict::refuse(
            GateName::MaxPercent,
            format!(
                "{part}: more are selected than the object was counted to have, so their share cannot be judged; make the \
                 plan again, and check that this login can see every record of the object"
            ),
        );
    };
    if !percent.is_exceeded_by(selected, population) {
        return Verdict::pass(GateName::MaxPercent, format!("{part}, at most {percent} % may go"));
    }
    let most = percent.most_of(population);
    Verdict::refuse(
        GateName::MaxPercent,
        format!(
            "{part} and `limits.maxPercent` is {percent}, so at most {} may go: raise it to {needed}, or narrow the filter by {}",
            with_thousands(most),
            with_thousands(selected - most),
        ),
    )
}

/// Whether the login may delete past the recycle bin. `check` is what the provider's own check found, its error a sentence
/// that says what to grant.
pub fn hard_delete(object: &str, system: SystemKind, check: Result<(), &str>) -> Verdict {
    match check {
        // A system that knows no other deletion has no right of its own for it, and cannot be asked.
        Ok(()) if !system.has_recycle_bin() => Verdict::pass(
            GateName::HardDelete,
            format!(
                "what is deleted of `{object}` cannot be restored; whether this login may delete it, {} does not tell before",
                system.title()
            ),
        ),
        Ok(()) => Verdict::pass(
            GateName::HardDelete,
            format!("this login may hard delete `{object}`; the records cannot be restored through the API"),
        ),
        Err(cause) => Verdict::refuse(
            GateName::HardDelete,
            format!("this login may not hard delete `{object}`: {cause}, or set `delete: soft`"),
        ),
    }
}

/// Whether the login may delete records of the object at all.
pub fn deletable(facts: &ObjectFacts, system: SystemKind, delete: DeleteMode) -> Verdict {
    let object = &facts.name;
    if !facts.deletable {
        return Verdict::refuse(
            GateName::Deletable,
            format!("this login may not delete `{object}`: grant it Delete on that object, or take the policy out"),
        );
    }
    let message = match delete {
        _ if !system.has_recycle_bin() => {
            format!(
                "nothing is known against deleting `{object}`; whether this login may, {} does not tell before",
                system.title()
            )
        }
        DeleteMode::Soft if !facts.undeletable => {
            format!(
                "this login may delete `{object}`, which keeps nothing in a recycle bin: even a soft delete cannot be taken back"
            )
        }
        _ => format!("this login may delete `{object}`"),
    };
    Verdict::pass(GateName::Deletable, message)
}

/// Whether the manifest knows that the system is production, where the system says so.
pub fn production(identity: &Identity, environment: Option<Environment>) -> Verdict {
    let organization = match &identity.organization_name {
        Some(name) => format!("organization {} ({name})", identity.organization_id),
        None => format!("organization {}", identity.organization_id),
    };
    let pass = |message| Verdict::pass(GateName::Production, message);
    match (identity.is_production, environment) {
        (Some(true), Some(Environment::Production)) => pass(format!("{organization} is production, and the target says so")),
        (Some(true), said) => {
            let said = match said {
                Some(Environment::Sandbox) => "says `environment: sandbox`",
                Some(Environment::Development) => "says `environment: development`",
                _ => "does not say so",
            };
            Verdict::refuse(
                GateName::Production,
                format!(
                    "{organization} is production and the target {said}: sign in to the system you mean, or set \
                     `environment: production` in the target"
                ),
            )
        }
        (Some(false), Some(Environment::Production)) => {
            pass(format!("{organization} is not production, although the target says `environment: production`"))
        }
        (Some(false), _) => pass(format!("{organization} is not production")),
        (None, _) => pass(format!("{organization} does not say whether it is production")),
    }
}

/// Whether an object that looks empty can be empty. `left_behind` is how many records the last apply of the policy left
/// in the object; `None` when there was none.
///
/// An object that sexton itself emptied, or that was empty before, may be empty. One that had records which sexton did
/// not delete may have become invisible to the login instead, and "nothing to delete" would then be a false report.
pub fn emptiness(object: &str, population: u64, left_behind: Option<u64>) -> Verdict {
    match left_behind {
        Some(left) if population == 0 && left > 0 => Verdict::refuse(
            GateName::Emptiness,
            format!(
                "`{object}` shows no records at all, and the last apply left {} in it: check that this login can still see \
                 them; if they are gone for good, take the policy out of the manifests, run `sexton state rm` for it, and put \
                 it back",
                with_thousands(left),
            ),
        ),
        _ => Verdict::pass(GateName::Emptiness, format!("`{object}` has {}", counted(population, "record"))),
    }
}

/// Whether the policy's review is still in date. `today` is the day in the project's zone; the day of `reviewBy` itself
/// is still in date. A plan only tells, so that the next review has numbers to look at; an apply is refused.
pub fn review_by(review_by: Option<Date>, today: Date, moment: Moment) -> Verdict {
    let Some(day) = review_by else {
        return Verdict::pass(GateName::ReviewBy, "the policy names no `reviewBy`".into());
    };
    if today <= day {
        return Verdict::pass(GateName::ReviewBy, format!("to be reviewed by {day}"));
    }
    match moment {
        Moment::Plan => Verdict::pass(
            GateName::ReviewBy,
            format!("warning: `reviewBy` {day} has passed, so apply will refuse: review the policy and set a later day"),
        ),
        Moment::Apply => Verdict::refuse(
            GateName::ReviewBy,
            format!("`reviewBy` {day} has passed (today is {today}): review the policy, set a later day, and plan again"),
        ),
    }
}

/// Whether the organization has enough calls left today for everything planned in it. `left` is `None` where the system does not
/// say. Polling, retries and other programs come on top: passing is no promise, refusing is certain.
pub fn quota(target: &TargetName, calls: u64, left: Option<u64>) -> Verdict {
    let needed = counted(calls, "call");
    match left {
        None => {
            Verdict::pass(GateName::Quota, format!("{needed} to `{target}`; this login may not see how many are left today"))
        }
        Some(left) if calls <= left => {
            Verdict::pass(GateName::Quota, format!("{needed} to `{target}`, {} left today", with_thousands(left)))
        }
        Some(left) => Verdict::refuse(
            GateName::Quota,
            format!(
                "{needed} to `{target}` are needed and {} are left today: wait until the 24 hours have passed, or plan less",
                with_thousands(left)
            ),
        ),
    }
}

/// Whether every hold that may protect a record through a cascade could be followed to its end.
pub fn held_cascade(object: &str, open: &[OpenCascade]) -> Verdict {
    let Some(first) = open.first() else {
        return Verdict::pass(GateName::HeldCascade, "no cascade that cannot be followed leads to a held record".into());
    };
    let others = match open.len() as u64 - 1 {
        0 => String::new(),
        others => format!(" (and {} like it)", with_thousands(others)),
    };
    Verdict::refuse(
        GateName::HeldCascade,
        format!(
            "deleting `{object}` may delete records that hold `{}` keeps, by the cascade {}, which cannot be followed to its \
             end{others}: put a hold on `{object}` itself, or take the policy out",
            first.hold,
            first.path.join(" > "),
        ),
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn limits(max_records: u64, max_percent: &str) -> Limits {
        Limits { max_records, max_percent: max_percent.parse().expect("valid") }
    }

    fn lead(deletable: bool, undeletable: bool) -> ObjectFacts {
        ObjectFacts {
            name: "Lead".into(),
            deletable,
            undeletable,
            queryable: true,
            key_prefix: Some("00Q".into()),
            fields: Vec::new(),
            knows_all_fields: true,
            children: Vec::new(),
        }
    }

    fn identity(is_production: Option<bool>, name: Option<&str>) -> Identity {
        Identity {
            organization_id: "00D000000000001EAA".into(),
            organization_name: name.map(str::to_owned),
            user_name: "sexton@example.com".into(),
            user_id: "005000000000001AAA".into(),
            instance_url: "https://example.my.salesforce.com".into(),
            is_production,
        }
    }

    #[test]
    fn every_gate_says_what_it_saw_and_what_to_change() {
        let hold = |name| HoldName::new(name).expect("valid");
        let open =
            |name, path: &[&str]| OpenCascade { hold: hold(name), path: path.iter().map(|text| (*text).into()).collect() };
        let (acme, third) = (open("acme", &["Account", "Case", "CaseComment"]), open("third", &["Account", "Order"]));
        let day = date(2026, 11, 30);
        let verdicts = [
            max_records(&limits(5_000, "10"), 1_204),
            max_records(&limits(5_000, "10"), 5_000),
            max_records(&limits(5_000, "10"), 6_204),
            max_records(&limits(0, "10"), 1),
            max_percent(&limits(5_000, "10"), 8_000, 80_000),
            max_percent(&limits(5_000, "10"), 8_001, 80_000),
            max_percent(&limits(5_000, "0"), 1, 3),
            max_percent(&limits(5_000, "0"), 0, 3),
            max_percent(&limits(5_000, "10"), 2, 1),
            hard_delete("Lead", SystemKind::Salesforce, Ok(())),
            hard_delete("Usage", SystemKind::Zuora, Ok(())),
            hard_delete("Lead", SystemKind::Salesforce, Err("grant it `Bulk API Hard Delete`")),
            deletable(&lead(true, true), SystemKind::Salesforce, DeleteMode::Soft),
            deletable(&lead(true, false), SystemKind::Salesforce, DeleteMode::Soft),
            deletable(&lead(false, true), SystemKind::Salesforce, DeleteMode::Hard),
            deletable(&lead(true, false), SystemKind::Fulcrum, DeleteMode::Hard),
            production(&identity(Some(true), Some("Acme")), Some(Environment::Production)),
            production(&identity(Some(true), Some("Acme")), None),
            production(&identity(Some(true), None), Some(Environment::Sandbox)),
            production(&identity(Some(true), None), Some(Environment::Development)),
            production(&identity(Some(false), None), Some(Environment::Production)),
            production(&identity(Some(false), None), Some(Environment::Sandbox)),
            production(&identity(None, None), None),
            emptiness("Lead", 0, None),
            emptiness("Lead", 0, Some(0)),
            emptiness("Lead", 0, Some(78_796)),
            emptiness("Lead", 1, Some(78_796)),
            review_by(None, day, Moment::Apply),
            review_by(Some(day), day, Moment::Apply),
            review_by(Some(day), date(2026, 12, 1), Moment::Plan),
            review_by(Some(day), date(2026, 12, 1), Moment::Apply),
            held_cascade("Account", &[]),
            held_cascade("Account", std::slice::from_ref(&acme)),
            held_cascade("Account", &[acme, third]),
        ];
        let table: Vec<String> = verdicts
            .iter()
            .map(|verdict| {
                let name = serde_json::to_value(verdict.gate).expect("a word");
                let mark = if verdict.passed { "ok  " } else { "STOP" };
                format!("{mark} {}: {}", name.as_str().unwrap_or_default(), verdict.message)
            })
            .collect();
        assert_snapshot!(table.join("\n"), @"
        ok   max-records: 1,204 records, at most 5,000 may go
        ok   max-records: 5,000 records, at most 5,000 may go
        STOP max-records: 6,204 records and `limits.maxRecords` is 5,000: raise it by 1,204 to 6,204, or narrow the filter
        STOP max-records: 1 record and `limits.maxRecords` is 0: raise it by 1 to 1, or narrow the filter
        ok   max-percent: 8,000 of 80,000 records, at most 10 % may go
        STOP max-percent: 8,001 of 80,000 records and `limits.maxPercent` is 10, so at most 8,000 may go: raise it to 10.01, or narrow the filter by 1
        STOP max-percent: 1 of 3 records and `limits.maxPercent` is 0, so at most 0 may go: raise it to 33.34, or narrow the filter by 1
        ok   max-percent: 0 of 3 records, at most 0 % may go
        STOP max-percent: 2 of 1 record: more are selected than the object was counted to have, so their share cannot be judged; make the plan again, and check that this login can see every record of the object
        ok   hard-delete: this login may hard delete `Lead`; the records cannot be restored through the API
        ok   hard-delete: what is deleted of `Usage` cannot be restored; whether this login may delete it, Zuora does not tell before
        STOP hard-delete: this login may not hard delete `Lead`: grant it `Bulk API Hard Delete`, or set `delete: soft`
        ok   deletable: this login may delete `Lead`
        ok   deletable: this login may delete `Lead`, which keeps nothing in a recycle bin: even a soft delete cannot be taken back
        STOP deletable: this login may not delete `Lead`: grant it Delete on that object, or take the policy out
        ok   deletable: nothing is known against deleting `Lead`; whether this login may, Fulcrum does not tell before
        ok   production: organization 00D000000000001EAA (Acme) is production, and the target says so
        STOP production: organization 00D000000000001EAA (Acme) is production and the target does not say so: sign in to the system you mean, or set `environment: production` in the target
        STOP production: organization 00D000000000001EAA is production and the target says `environment: sandbox`: sign in to the system you mean, or set `environment: production` in the target
        STOP production: organization 00D000000000001EAA is production and the target says `environment: development`: sign in to the system you mean, or set `environment: production` in the target
        ok   production: organization 00D000000000001EAA is not production, although the target says `environment: production`
        ok   production: organization 00D000000000001EAA is not production
        ok   production: organization 00D000000000001EAA does not say whether it is production
        ok   emptiness: `Lead` has 0 records
        ok   emptiness: `Lead` has 0 records
        STOP emptiness: `Lead` shows no records at all, and the last apply left 78,796 in it: check that this login can still see them; if they are gone for good, take the policy out of the manifests, run `sexton state rm` for it, and put it back
        ok   emptiness: `Lead` has 1 record
        ok   review-by: the policy names no `reviewBy`
        ok   review-by: to be reviewed by 2026-11-30
        ok   review-by: warning: `reviewBy` 2026-11-30 has passed, so apply will refuse: review the policy and set a later day
        STOP review-by: `reviewBy` 2026-11-30 has passed (today is 2026-12-01): review the policy, set a later day, and plan again
        ok   held-cascade: no cascade that cannot be followed leads to a held record
        STOP held-cascade: deleting `Account` may delete records that hold `acme` keeps, by the cascade Account > Case > CaseComment, which cannot be followed to its end: put a hold on `Account` itself, or take the policy out
        STOP held-cascade: deleting `Account` may delete records that hold `acme` keeps, by the cascade Account > Case > CaseComment, which cannot be followed to its end (and 1 like it): put a hold on `Account` itself, or take the policy out
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn the_share_that_a_refusal_names_would_pass(selected in 0..10_000_u64, population in 0..10_000_u64, whole in 0..100_u16) {
            let limits = Limits { max_records: 0, max_percent: Percent::whole(whole).expect("valid") };
            let verdict = max_percent(&limits, selected, population);
            prop_assert_eq!(verdict.passed, u128::from(selected) * 100 <= u128::from(population) * u128::from(whole));
            if let Some(needed) = Percent::needed_for(selected, population) {
                let raised = Limits { max_percent: needed.max(limits.max_percent), ..limits };
                prop_assert!(max_percent(&raised, selected, population).passed);
            }
        }

        #[test]
        fn the_number_that_a_refusal_names_would_pass(selected: u64, most: u64) {
            let limits = Limits { max_records: most, max_percent: Percent::ALL };
            prop_assert_eq!(max_records(&limits, selected).passed, selected <= most);
            let raised = Limits { max_records: selected, ..limits };
            prop_assert!(max_records(&raised, selected).passed);
        }
    }
}
