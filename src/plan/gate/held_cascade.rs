//! Whether every hold that may protect a record through a cascade could be followed to its end.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::input::{GateInput, OpenCascade};
use crate::base::with_thousands;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let object = &input.facts.name;
    let (accepted, open): (Vec<&OpenCascade>, Vec<&OpenCascade>) =
        input.open_cascades.iter().partition(|open| open.accepted);
    let told = |open: &[&OpenCascade]| {
        let others = match open.len() as u64 - 1 {
            0 => String::new(),
            others => format!(" (and {} like it)", with_thousands(others)),
        };
        let first = open[0];
        format!("that hold `{}` keeps, over {}{others}", first.hold, first.path.join(" > "))
    };
    if !open.is_empty() {
        let names: BTreeSet<&str> = open.iter().map(|open| open.unknown.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        return Some(Finding::refuse(format!(
            "deleting `{object}` may delete records {}, and it is not known whether it does: let this login see {}, or accept that \
             with {}",
            told(&open),
            names.join(", "),
            input.how_to_accept_cascades(),
        )));
    }
    if !accepted.is_empty() {
        return Some(Finding::warn(format!(
            "it is accepted that deleting `{object}` may delete records {}",
            told(&accepted)
        )));
    }
    Some(Finding::pass("no cascade that cannot be followed leads to a held record"))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::base::HoldName;

    #[test]
    fn names_the_hold_and_the_cascade() {
        let open = |name, path: &[&str]| OpenCascade {
            hold: HoldName::new(name).expect("valid"),
            path: path.iter().map(|text| (*text).into()).collect(),
            unknown: path[1].to_owned(),
            accepted: false,
        };
        let (acme, third) = (open("acme", &["Lead", "Case", "CaseComment"]), open("third", &["Lead", "Order"]));
        let said = |open_cascades| Scene { open_cascades, ..scene() }.said(ask);
        let accepted = OpenCascade { accepted: true, ..third.clone() };
        let table = [
            said(Vec::new()),
            said(vec![acme.clone()]),
            said(vec![acme.clone(), third]),
            said(vec![accepted.clone()]),
            said(vec![accepted, acme]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: no cascade that cannot be followed leads to a held record
        refuse: deleting `Lead` may delete records that hold `acme` keeps, over Lead > Case > CaseComment, and it is not known whether it does: let this login see Case, or accept that with `accept: { unknownCascades: [Case] }` in the policy, its target or the project
        refuse: deleting `Lead` may delete records that hold `acme` keeps, over Lead > Case > CaseComment (and 1 like it), and it is not known whether it does: let this login see Case, Order, or accept that with `accept: { unknownCascades: [Case, Order] }` in the policy, its target or the project
        warn: it is accepted that deleting `Lead` may delete records that hold `third` keeps, over Lead > Order
        refuse: deleting `Lead` may delete records that hold `acme` keeps, over Lead > Case > CaseComment, and it is not known whether it does: let this login see Case, or accept that with `accept: { unknownCascades: [Case] }` in the policy, its target or the project
        ");
    }
}
