//! Rules that can refuse a plan or an apply: a table of their names and functions.
//!
//! A gate is one file below `gate/`, with its tests, and one row of [`GATES`]. It is a pure function of [`GateInput`]; what it
//! needs of a system is gathered before.

mod all_or_none;
mod cascade;
mod cascade_growth;
mod clock;
mod deletable;
mod emptiness;
mod finding;
mod hard_delete;
mod held_cascade;
mod input;
mod max_percent;
mod max_records;
mod max_widened;
mod object_limits;
mod plan_limits;
mod production;
mod quota;
mod restricting;
mod review_by;
mod route;
#[cfg(test)]
mod scene;
mod soft_and_hard;

pub use clock::CLOCK_TOLERANCE;
pub use finding::{Finding, FindingKind, GateFinding};
pub use input::{GateInput, Occasion, OpenCascade, Permission, Restriction};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Its name in plans, views and `--json`.
    pub name: &'static str,
    /// When it refuses, as the rest of a sentence.
    pub refuses_when: &'static str,
    /// Whether it also stops what was not sent yet of a policy of which something was sent. Any other gate judges a policy as a
    /// whole, and once something of it is gone its answer would only leave the work half done.
    pub stops_begun: bool,
    /// What it says; `None` where it has no say, as hard deletion where nothing is hard deleted.
    ask: fn(&GateInput<'_>) -> Option<Finding>,
}

/// Every gate, in the order in which they are asked and shown.
pub const GATES: &[Gate] = &[
    Gate {
        name: "max-records",
        refuses_when: "more than `limits.maxRecords` are selected",
        stops_begun: true,
        ask: max_records::ask,
    },
    Gate {
        name: "max-percent",
        refuses_when: "more than `limits.maxPercent` of the object's records are selected",
        stops_begun: true,
        ask: max_percent::ask,
    },
    Gate {
        name: "object-limits",
        refuses_when: "all policies of an object together select more than the project's `objectLimits`, or than the largest `limits` of one of them",
        stops_begun: true,
        ask: object_limits::ask,
    },
    Gate {
        name: "plan-limits",
        refuses_when: "the whole plan selects more than the project's `planLimits.maxRecords`, or than `--max-records` of the command",
        stops_begun: true,
        ask: plan_limits::ask,
    },
    Gate {
        name: "max-widened",
        refuses_when: "the policy adds more records to the base than `limits.maxWidened`, or it is not known how many; evaluated only by plan",
        stops_begun: false,
        ask: max_widened::ask,
    },
    Gate {
        name: "cascade",
        refuses_when: "the selection and what the system deletes along with it are more than `limits.maxRecords`, or it is not known of an object how many go along, and `accept.unknownCascades` does not name it",
        stops_begun: false,
        ask: cascade::ask,
    },
    Gate {
        name: "restricting",
        refuses_when: "never: it warns of children that keep the system from deleting their parents, and names the `dependsOn` that helps",
        stops_begun: false,
        ask: restricting::ask,
    },
    Gate {
        name: "deletable",
        refuses_when: "this login may not delete records of the object, or nobody may",
        stops_begun: false,
        ask: deletable::ask,
    },
    Gate {
        name: "production",
        refuses_when: "the target does not say `environment: production`, and the organization is production or nothing says that it is not",
        stops_begun: true,
        ask: production::ask,
    },
    Gate {
        name: "clock",
        refuses_when: "this machine's clock and the system's are more than five minutes apart",
        stops_begun: true,
        ask: clock::ask,
    },
    Gate {
        name: "emptiness",
        refuses_when: "the object shows no records at all, but the last apply left some in it: the login may no longer see them",
        stops_begun: false,
        ask: emptiness::ask,
    },
    Gate { name: "review-by", refuses_when: "the policy's `reviewBy` has passed", stops_begun: false, ask: review_by::ask },
    Gate {
        name: "held-cascade",
        refuses_when: "a hold may protect records through a cascade that cannot be followed to its end",
        stops_begun: true,
        ask: held_cascade::ask,
    },
    Gate {
        name: "soft-and-hard",
        refuses_when: "a policy with the other `delete` selects the same records",
        stops_begun: false,
        ask: soft_and_hard::ask,
    },
    Gate {
        name: "hard-delete",
        refuses_when: "the policy hard deletes and this login lacks the permission for it",
        stops_begun: false,
        ask: hard_delete::ask,
    },
    Gate {
        name: "cascade-growth",
        refuses_when: "more records would be deleted along than when the plan was made; evaluated only by apply",
        stops_begun: false,
        ask: cascade_growth::ask,
    },
    Gate {
        name: "route",
        refuses_when: "no API can delete in the way the policy asks for",
        stops_begun: false,
        ask: route::ask,
    },
    Gate {
        name: "all-or-none",
        refuses_when: "`allOrNone` cannot be kept: no API offers it at this size, another policy plans some of the records, or some are held or changed",
        stops_begun: true,
        ask: all_or_none::ask,
    },
    Gate {
        name: "quota",
        refuses_when: "the run needs more API calls than the organization has left today, where the system says how many that is",
        stops_begun: false,
        ask: quota::ask,
    },
];

/// Asks every gate about a policy of which nothing was sent.
pub fn judge(input: &GateInput<'_>) -> Vec<GateFinding> {
    findings(GATES.iter(), input)
}

/// Asks the gates that stop what was not sent yet of a policy of which something was sent.
pub fn judge_begun(input: &GateInput<'_>) -> Vec<GateFinding> {
    findings(GATES.iter().filter(|gate| gate.stops_begun), input)
}

fn findings<'g>(gates: impl Iterator<Item = &'g Gate>, input: &GateInput<'_>) -> Vec<GateFinding> {
    gates
        .filter_map(|gate| {
            let Finding { kind, message } = (gate.ask)(input)?;
            Some(GateFinding { gate: gate.name.to_owned(), kind, message })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::scene::{Scene, scene};
    use super::*;
    use crate::base::HoldName;

    fn refused_by(findings: &[GateFinding]) -> Vec<&str> {
        findings.iter().filter(|finding| finding.kind == FindingKind::Refuse).map(|finding| finding.gate.as_str()).collect()
    }

    #[test]
    fn every_gate_has_a_name_of_its_own_and_lets_an_ordinary_policy_pass() {
        let names: BTreeSet<&str> = GATES.iter().map(|gate| gate.name).collect();
        assert_eq!(names.len(), GATES.len());
        for finding in judge(&scene().input()) {
            assert_eq!(finding.kind, FindingKind::Pass, "{finding}");
        }
    }

    #[test]
    fn what_was_begun_is_stopped_by_lowered_limits_holds_production_and_a_wrong_clock_and_by_nothing_else() {
        let mut scene = Scene { already_deleted: 500, selected: 400, left_behind: Some(1), calls_left: Some(0), ..scene() };
        assert_eq!(refused_by(&judge_begun(&scene.input())), ["max-percent"]);
        scene.limits.max_records = 899;
        scene.identity.is_production = Some(true);
        scene.clock_difference = Some(jiff::SignedDuration::from_hours(-1));
        scene.facts.deletable = false;
        scene.settings.review_by = Some(jiff::civil::date(2026, 1, 1));
        scene.occasion = Occasion::Apply;
        scene.open_cascades = vec![OpenCascade {
            hold: HoldName::new("acme").expect("valid"),
            path: vec!["Lead".into(), "Task".into()],
            unknown: "Task".into(),
            accepted: false,
        }];
        assert_eq!(
            refused_by(&judge_begun(&scene.input())),
            ["max-records", "max-percent", "production", "clock", "held-cascade"]
        );
        let asked_first =
            ["max-records", "max-percent", "deletable", "production", "clock", "review-by", "held-cascade", "quota"];
        assert_eq!(refused_by(&judge(&scene.input())), asked_first);
    }
}
