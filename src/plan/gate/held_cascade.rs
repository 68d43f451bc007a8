//! Whether every hold that may protect a record through a cascade could be followed to its end.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::with_thousands;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (object, open) = (&input.facts.name, input.open_cascades);
    let Some(first) = open.first() else {
        return Some(Finding::pass("no cascade that cannot be followed leads to a held record"));
    };
    let others = match open.len() as u64 - 1 {
        0 => String::new(),
        others => format!(" (and {} like it)", with_thousands(others)),
    };
    Some(Finding::refuse(format!(
        "deleting `{object}` may delete records that hold `{}` keeps, by the cascade {}, which cannot be followed to its end{others}: \
         put a hold on `{object}` itself, or remove the policy",
        first.hold,
        first.path.join(" > "),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::input::OpenCascade;
    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::base::HoldName;

    #[test]
    fn names_the_hold_and_the_cascade() {
        let open = |name, path: &[&str]| OpenCascade {
            hold: HoldName::new(name).expect("valid"),
            path: path.iter().map(|text| (*text).into()).collect(),
        };
        let (acme, third) = (open("acme", &["Lead", "Case", "CaseComment"]), open("third", &["Lead", "Order"]));
        let said = |open_cascades| Scene { open_cascades, ..scene() }.said(ask);
        let table = [said(Vec::new()), said(vec![acme.clone()]), said(vec![acme, third])];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: no cascade that cannot be followed leads to a held record
        refuse: deleting `Lead` may delete records that hold `acme` keeps, by the cascade Lead > Case > CaseComment, which cannot be followed to its end: put a hold on `Lead` itself, or remove the policy
        refuse: deleting `Lead` may delete records that hold `acme` keeps, by the cascade Lead > Case > CaseComment, which cannot be followed to its end (and 1 like it): put a hold on `Lead` itself, or remove the policy
        ");
    }
}
