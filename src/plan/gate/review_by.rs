//! Whether `reviewBy` has not passed; the day itself still counts. A plan that is refused shows its numbers all the same, for the
//! next review.

use super::finding::Finding;
use super::input::GateInput;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let today = input.today;
    let Some(day) = input.settings.review_by else {
        return Some(Finding::pass("the policy names no `reviewBy`"));
    };
    if today <= day {
        return Some(Finding::pass(format!("to be reviewed by {day}")));
    }
    Some(Finding::refuse(format!(
        "`reviewBy` {day} has passed (today is {today}): review the policy, set a later day, and plan again"
    )))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn refuses_after_the_day() {
        let day = date(2026, 11, 30);
        let said = |review_by, today| {
            let mut scene = Scene { today, ..scene() };
            scene.settings.review_by = review_by;
            scene.said(ask)
        };
        let table = [said(None, day), said(Some(day), day), said(Some(day), date(2026, 12, 1))];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: the policy names no `reviewBy`
        pass: to be reviewed by 2026-11-30
        refuse: `reviewBy` 2026-11-30 has passed (today is 2026-12-01): review the policy, set a later day, and plan again
        ");
    }
}
