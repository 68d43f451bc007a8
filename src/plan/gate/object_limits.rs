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
        population.told(),
        input.settings.object,
        counted(policies as u64, "policy")
    );
    let most = format!("at most {} and {} % may", with_thousands(limits.max_records), limits.max_percent);
    // As for a single policy: half of an approximate number, and only all of an unknown one.
    let within_percent = match (population.exact(), population.judged_by()) {
        (None, _) if total == 0 || limits.max_percent == Percent::ALL => true,
        (_, Some(judged_by)) => !limits.max_percent.is_exceeded_by(total, judged_by),
        (_, None) => false,
    };
    if total <= limits.max_records && within_percent {
        return Some(Finding::pass(format!("{part}, {most}")));
    }
    let needed = population.judged_by().and_then(|judged_by| Percent::needed_for(total, judged_by)).unwrap_or(Percent::ALL);
    Some(Finding::refuse(format!(
        "{part} and {most}: write `objectLimits: {{ maxRecords: {}, maxPercent: {} }}` into the project if all of them are meant, or \
         plan fewer policies with `--policy`",
        total.max(limits.max_records),
        needed.max(limits.max_percent),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::super::count::Population;
    use super::super::scene::{Scene, scene, together};
    use super::*;
    use crate::manifest::Limits;

    fn said(selected: u64, already_deleted: u64, max_records: u64, percent: u16) -> String {
        let limits = Limits { max_records, max_percent: Percent::whole(percent).expect("valid") };
        let mut together = together();
        together.object =
            ObjectTotal { policies: 4, selected, already_deleted, population: Population::Exact(1_000), limits };
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

    #[test]
    fn half_of_an_approximate_population_is_judged_by_and_an_unknown_one_refuses() {
        let said = |population, selected, percent| {
            let limits = Limits { max_records: 5_000, max_percent: Percent::whole(percent).expect("valid") };
            let mut together = together();
            together.object = ObjectTotal { policies: 4, selected, already_deleted: 0, population, limits };
            Scene { together: Some(together), ..scene() }.said(ask)
        };
        let about = Population::About(1_000);
        let table = [
            said(about, 250, 50),
            said(about, 251, 50),
            said(about, 900, 100),
            said(Population::Unknown, 1, 99),
            said(Population::Unknown, 1, 100),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: 250 of about 1,000 records of `Lead` go by 4 policies together, at most 5,000 and 50 % may
        refuse: 251 of about 1,000 records of `Lead` go by 4 policies together and at most 5,000 and 50 % may: write `objectLimits: { maxRecords: 5000, maxPercent: 50.2 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        pass: 900 of about 1,000 records of `Lead` go by 4 policies together, at most 5,000 and 100 % may
        refuse: 1 of an unknown number of records of `Lead` go by 4 policies together and at most 5,000 and 99 % may: write `objectLimits: { maxRecords: 5000, maxPercent: 100 }` into the project if all of them are meant, or plan fewer policies with `--policy`
        pass: 1 of an unknown number of records of `Lead` go by 4 policies together, at most 5,000 and 100 % may
        ");
    }
}
