//! Whether the organization has enough calls left today for what is planned in it, and for what is read again meanwhile as far as that
//! is known. Polling, retries and other programs come on top: passing is no promise, refusing is certain.

use super::super::calls::CallsNeeded;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let CallsNeeded { all, rereading, counting, each_reading } = input.calls;
    let target = &input.settings.target;
    // What was left was asked before the earlier conditions were.
    let calls = all.saturating_add(input.earlier_calls);
    let needed = match input.earlier_calls {
        0 => format!("{} to `{target}`", counted(calls, "call")),
        earlier => {
            let earlier = with_thousands(earlier);
            format!("{} to `{target}` ({earlier} of them to read what policies matched before)", counted(calls, "call"))
        }
    };
    let mut rest = match counting {
        0 => String::new(),
        some => format!("; {} of them count what goes along", with_thousands(some)),
    };
    if rereading > 0 {
        rest += &format!("; {} of them read holds and matches again", with_thousands(rereading));
    }
    if each_reading > 0 && input.capabilities.budget.is_none() {
        // Nobody knows how long the run lasts.
        rest += &format!(
            "; a run of more than `holdRefresh` reads the holds again, by {} each time",
            counted(each_reading, "call")
        );
    }
    Some(match input.calls_left {
        // Such a system counts by the minute or the hour, and the target's `maxCalls` keeps to that.
        None if input.capabilities.budget.is_some() => {
            Finding::pass(format!("{needed}, which counts none by the day{rest}"))
        }
        None => Finding::warn(format!("{needed}; this login may not see how many are left today{rest}")),
        Some(left) if calls <= left => Finding::pass(format!("{needed}, {} left today{rest}", with_thousands(left))),
        Some(left) => Finding::refuse(format!(
            "{needed} are needed and {} are left today{rest}: wait until the 24 hours have passed, or plan fewer deletions",
            with_thousands(left)
        )),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::base::CallBudget;

    #[test]
    fn refuses_more_calls_than_are_left() {
        let said = |all, calls_left| {
            Scene { calls: CallsNeeded { all, ..CallsNeeded::default() }, calls_left, ..scene() }.said(ask)
        };
        let again = CallsNeeded { all: 13, rereading: 3, counting: 0, each_reading: 2 };
        let counting = CallsNeeded { all: 44, counting: 43, ..CallsNeeded::default() };
        let counting = Scene { calls: counting, calls_left: Some(43), ..scene() };
        let reads = |calls_left| Scene { calls: again, calls_left, ..scene() }.said(ask);
        let mut zuora = Scene { calls: again, calls_left: None, ..scene() };
        zuora.capabilities.budget = Some(CallBudget::new(1_000, Duration::from_secs(600)));
        let reading = Scene {
            calls: CallsNeeded { all: 11, ..CallsNeeded::default() },
            earlier_calls: 2,
            calls_left: Some(12),
            ..scene()
        };
        let few = [said(1, None), said(12, Some(12)), said(13, Some(12))];
        let table =
            [few.join("\n"), reads(Some(13)), reads(Some(12)), zuora.said(ask), reading.said(ask), counting.said(ask)];
        insta::assert_snapshot!(table.join("\n"), @"
        warn: 1 call to `crm`; this login may not see how many are left today
        pass: 12 calls to `crm`, 12 left today
        refuse: 13 calls to `crm` are needed and 12 are left today: wait until the 24 hours have passed, or plan fewer deletions
        pass: 13 calls to `crm`, 13 left today; 3 of them read holds and matches again; a run of more than `holdRefresh` reads the holds again, by 2 calls each time
        refuse: 13 calls to `crm` are needed and 12 are left today; 3 of them read holds and matches again; a run of more than `holdRefresh` reads the holds again, by 2 calls each time: wait until the 24 hours have passed, or plan fewer deletions
        pass: 13 calls to `crm`, which counts none by the day; 3 of them read holds and matches again
        refuse: 13 calls to `crm` (2 of them to read what policies matched before) are needed and 12 are left today: wait until the 24 hours have passed, or plan fewer deletions
        refuse: 44 calls to `crm` are needed and 43 are left today; 43 of them count what goes along: wait until the 24 hours have passed, or plan fewer deletions
        ");
    }
}
