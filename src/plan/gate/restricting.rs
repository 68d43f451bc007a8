//! Whether children keep the system from deleting their parents. It never refuses: what stays is told as failed.

use super::finding::Finding;
use super::input::{GateInput, Restriction};
use crate::base::{PolicyName, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let restrictions = input.restrictions.iter().filter(|restriction| restriction.children.records != Some(0));
    let told: Vec<(bool, String)> = restrictions.map(|restriction| told(restriction, &input.settings.depends_on)).collect();
    if input.selected == 0 || told.is_empty() {
        return None;
    }
    let message = told.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("; ");
    Some(if told.iter().all(|(waits, _)| *waits) { Finding::pass(message) } else { Finding::warn(message) })
}

/// What is said of some children, and whether the policy waits for one that deletes such records.
fn told(restriction: &Restriction<'_>, depends_on: &[PolicyName]) -> (bool, String) {
    let Restriction { children, deleted_by } = restriction;
    let records = children.records.map_or_else(|| "an unknown number of".to_owned(), with_thousands);
    let these = format!("{records} `{}` by `{}` keep their parents from being deleted", children.child, children.field);
    if let Some(waited) = deleted_by.iter().find(|name| depends_on.contains(name)) {
        return (true, format!("{these}, and policy `{waited}`, on which this one depends, deletes such records"));
    }
    let help = match deleted_by[..] {
        [] => "no policy of this plan deletes such records".to_owned(),
        [name] => format!("write `dependsOn: [{name}]`, since policy `{name}` deletes such records"),
        _ => format!(
            "write `dependsOn` with the policies that delete such records: {}",
            deleted_by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    (false, format!("{these}: {help}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::cascade::CascadeCount;
    use super::super::scene::scene;
    use super::*;

    fn said(records: Option<u64>, deleted_by: &[&str], depends_on: &[&str]) -> String {
        let name = |text: &&str| PolicyName::new(*text).expect("valid");
        let children = CascadeCount { child: "Case".into(), field: "AccountId".into(), records, reason: None };
        let names: Vec<PolicyName> = deleted_by.iter().map(name).collect();
        let restrictions = [Restriction { children: &children, deleted_by: names.iter().collect() }];
        let mut scene = scene();
        scene.settings.depends_on = depends_on.iter().map(name).collect();
        let input = GateInput { restrictions: &restrictions, ..scene.input() };
        ask(&input).map_or("not asked".into(), |finding| format!("{:?}: {}", finding.kind, finding.message))
    }

    #[test]
    fn names_what_keeps_records_and_the_dependency_that_helps() {
        let table = [
            said(Some(0), &[], &[]),
            said(Some(12), &[], &[]),
            said(None, &["closed-cases"], &["tasks"]),
            said(Some(1_200), &["closed-cases", "old-cases"], &[]),
            said(Some(12), &["closed-cases", "old-cases"], &["old-cases"]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        not asked
        Warn: 12 `Case` by `AccountId` keep their parents from being deleted: no policy of this plan deletes such records
        Warn: an unknown number of `Case` by `AccountId` keep their parents from being deleted: write `dependsOn: [closed-cases]`, since policy `closed-cases` deletes such records
        Warn: 1,200 `Case` by `AccountId` keep their parents from being deleted: write `dependsOn` with the policies that delete such records: `closed-cases`, `old-cases`
        Pass: 12 `Case` by `AccountId` keep their parents from being deleted, and policy `old-cases`, on which this one depends, deletes such records
        ");
    }
}
