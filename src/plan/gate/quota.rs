//! Whether the organization has enough calls left today for what is planned in it. Polling, retries and other programs come on
//! top: passing is no promise, refusing is certain.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let target = &input.settings.target;
    // What was left was asked before the earlier conditions were.
    let calls = input.calls.saturating_add(input.earlier_calls);
    let needed = match input.earlier_calls {
        0 => format!("{} to `{target}`", counted(calls, "call")),
        earlier => {
            let earlier = with_thousands(earlier);
            format!("{} to `{target}` ({earlier} of them to read what policies matched before)", counted(calls, "call"))
        }
    };
    Some(match input.calls_left {
        // Such a system counts by the minute or the hour, and the target's `maxCalls` keeps to that.
        None if input.capabilities.budget.is_some() => Finding::pass(format!("{needed}, which counts none by the day")),
        None => Finding::warn(format!("{needed}; this login may not see how many are left today")),
        Some(left) if calls <= left => Finding::pass(format!("{needed}, {} left today", with_thousands(left))),
        Some(left) => Finding::refuse(format!(
            "{needed} are needed and {} are left today: wait until the 24 hours have passed, or plan fewer deletions",
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
        let said = |calls, calls_left| Scene { calls, calls_left, ..scene() }.said(ask);
        let mut zuora = Scene { calls_left: None, ..scene() };
        zuora.capabilities.budget = Some(CallBudget { calls: 1_000, window: Duration::from_secs(600) });
        let reading = Scene { calls: 11, earlier_calls: 2, calls_left: Some(12), ..scene() };
        let table = [said(1, None), said(12, Some(12)), said(13, Some(12)), zuora.said(ask), reading.said(ask)];
        insta::assert_snapshot!(table.join("\n"), @"
        warn: 1 call to `crm`; this login may not see how many are left today
        pass: 12 calls to `crm`, 12 left today
        refuse: 13 calls to `crm` are needed and 12 are left today: wait until the 24 hours have passed, or plan fewer deletions
        pass: 1 call to `crm`, which counts none by the day
        refuse: 13 calls to `crm` (2 of them to read what policies matched before) are needed and 12 are left today: wait until the 24 hours have passed, or plan fewer deletions
        ");
    }
}
