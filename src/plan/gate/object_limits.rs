//! Whether all policies of an object together are within its limits: four policies of a quarter each empty it.

use super::super::totals::ObjectTotal;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::{Percent, counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let ObjectTotal { policies, selected, already_deleted, population, limits } = input.together?.object;
    if policies < 2 && limits == input.limits {
        // The policy's own limits say it all.
        return None;
    }
    let total = selected.saturating_add(already_deleted);
    let already = match already_deleted {
        0 => String::new(),
        before => format!(" ({} of them deleted already)", with_thousands(before)),
    };
    let part = format!(
        "{} of {} of `{}`{already} go by {} together",
        with_thousands(total),
        counted(population, "record"),
        input.settings.object,
        counted(policies as u64, "policy")
    );
    let most = format!("at most {} and {} % may", with_thousands(limits.max_records), limits.max_percent);
    if total <= limits.max_records && !limits.max_percent.is_exceeded_by(total, population) {
        return Some(Finding::pass(format!("{part}, {most}")));
    }
    let needed = Percent::needed_for(total, population).unwrap_or(Percent::ALL);
    Some(Finding::refuse(format!(
        "{part} and {most}: write `objectLimits: {{ maxRecords: {}, maxPercent: {} }}` into the project if all of them are meant, or \
         plan fewer policies with `--policy`",
        total.max(limits.max_records),
        needed.max(limits.max_percent),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene, together};
    use super::*;
    use crate::manifest::Limits;

    fn said(selected: u64, already_deleted: u64, max_records: u64, percent: u16) -> String {
        let limits = Limits { max_records, max_percent: Percent::whole(percent).expect("valid") };
        let mut together = together();
        together.object = ObjectTotal { policies: 4, selected, already_deleted, population: 1_000, limits };
        Scene { together: Some(together), ..scene() }.said(ask)
    }

    #[test]
    fn bounds_all_policies_of_an_object_together() {
        assert_eq!(scene().said(ask), "not asked");
        let table = [
            said(300, 0, 5_000, 30),
            said(1_000, 0, 5_000, 30),
            said(301, 0, 300, 100),
            said(200, 100, 5_000, 30),
            said(201, 100, 5_000, 30),
            said(2_000, 0, 5_000, 100),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: 300 of 1,000 records of `Lead` go by 4 policies together, at most 5,000 and 30 % may
        refuse: 1,000 of 1,000 records of `Lead` go by 4 policies together and at most 5,000 and 30 % may: write `objectLimits: { maxRecords: 5000, maxPercent: 100 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        refuse: 301 of 1,000 records of `Lead` go by 4 policies together and at most 300 and 100 % may: write `objectLimits: { maxRecords: 301, maxPercent: 100 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        pass: 300 of 1,000 records of `Lead` (100 of them deleted already) go by 4 policies together, at most 5,000 and 30 % may
        refuse: 301 of 1,000 records of `Lead` (100 of them deleted already) go by 4 policies together and at most 5,000 and 30 % may: write `objectLimits: { maxRecords: 5000, maxPercent: 30.1 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        refuse: 2,000 of 1,000 records of `Lead` go by 4 policies together and at most 5,000 and 100 % may: write `objectLimits: { maxRecords: 5000, maxPercent: 100 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        ");
    }
}
