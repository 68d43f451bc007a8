//! Whether `reviewBy` has not passed; the day itself still counts. A plan only warns, so that the next review has numbers; an
//! apply is refused.

use super::finding::Finding;
use super::input::{GateInput, Occasion};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let today = input.today;
    let Some(day) = input.settings.review_by else {
        return Some(Finding::pass("the policy names no `reviewBy`"));
    };
    if today <= day {
        return Some(Finding::pass(format!("to be reviewed by {day}")));
    }
    Some(match input.occasion {
        Occasion::Plan => Finding::warn(format!(
            "`reviewBy` {day} has passed, so apply will refuse: review the policy and set a later day"
        )),
        Occasion::Apply => Finding::refuse(format!(
            "`reviewBy` {day} has passed (today is {today}): review the policy, set a later day, and plan again"
        )),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn a_plan_warns_and_an_apply_is_refused() {
        let day = date(2026, 11, 30);
        let said = |review_by, today, occasion| {
            let mut scene = Scene { today, occasion, ..scene() };
            scene.settings.review_by = review_by;
            scene.said(ask)
        };
        let table = [
            said(None, day, Occasion::Apply),
            said(Some(day), day, Occasion::Apply),
            said(Some(day), date(2026, 12, 1), Occasion::Plan),
            said(Some(day), date(2026, 12, 1), Occasion::Apply),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: the policy names no `reviewBy`
        pass: to be reviewed by 2026-11-30
        warn: `reviewBy` 2026-11-30 has passed, so apply will refuse: review the policy and set a later day
        refuse: `reviewBy` 2026-11-30 has passed (today is 2026-12-01): review the policy, set a later day, and plan again
        ");
    }
}
