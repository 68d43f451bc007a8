//! Whether the plan as a whole is within the limits of the project and of the command.

use super::super::totals::PlanTotal;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let PlanTotal { selected, already_deleted, max_records, command_max_records } = input.together?.plan;
    let of_project = max_records.map(|most| (most, "`planLimits.maxRecords`"));
    let of_command = command_max_records.map(|most| (most, "`--max-records`"));
    let (most, name) = of_project.into_iter().chain(of_command).min()?;
    let total = selected.saturating_add(already_deleted);
    let already = match already_deleted {
        0 => String::new(),
        before => format!(" ({} of them deleted already)", with_thousands(before)),
    };
    let go = if total == 1 { "goes" } else { "go" };
    let part = format!("{}{already} {go} in all", counted(total, "record"));
    if total <= most {
        return Some(Finding::pass(format!("{part}, at most {} may", with_thousands(most))));
    }
    Some(Finding::refuse(format!(
        "{part} and {name} is {}: raise it to {}, or plan fewer policies with `--policy`",
        with_thousands(most),
        with_thousands(total),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene, together};
    use super::*;

    fn said(selected: u64, already_deleted: u64, max_records: Option<u64>, command_max_records: Option<u64>) -> String {
        let mut together = together();
        together.plan = PlanTotal { selected, already_deleted, max_records, command_max_records };
        Scene { together: Some(together), ..scene() }.said(ask)
    }

    #[test]
    fn bounds_a_plan_as_a_whole_and_a_command_only_lowers() {
        let table = [
            scene().said(ask),
            said(u64::MAX, 0, None, None),
            said(1_000, 0, Some(1_000), None),
            said(1_001, 0, Some(1_000), Some(2_000)),
            said(1_000, 0, Some(1_000), Some(999)),
            said(900, 101, None, Some(1_000)),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        not asked
        not asked
        pass: 1,000 records go in all, at most 1,000 may
        refuse: 1,001 records go in all and `planLimits.maxRecords` is 1,000: raise it to 1,001, or plan fewer policies with `--policy`
        refuse: 1,000 records go in all and `--max-records` is 999: raise it to 1,000, or plan fewer policies with `--policy`
        refuse: 1,001 records (101 of them deleted already) go in all and `--max-records` is 1,000: raise it to 1,001, or plan fewer policies with `--policy`
        ");
    }
}
