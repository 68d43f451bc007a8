//! Whether this machine's clock is right: ages, expiries and days of review are counted by it. It is compared with the system's own.

use jiff::SignedDuration;

use super::finding::Finding;
use super::input::GateInput;
use crate::base::counted;

/// How far two clocks may be apart, and how far in the future a plan may have been made.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let target = &input.settings.target;
    Some(match input.clock_difference {
        None => Finding::warn(format!(
            "the answers of `{target}` do not say what time it is, so nothing shows that this machine's clock is right"
        )),
        Some(difference) if difference.abs() <= CLOCK_TOLERANCE => {
            Finding::pass(format!("this machine's clock agrees with that of `{target}`"))
        }
        Some(difference) => Finding::refuse(format!(
            "this machine's clock is {} {} that of `{target}`, and ages and expiries are counted by it: set it right, and run the same \
             command again",
            rounded(difference.abs()),
            if difference.is_positive() { "ahead of" } else { "behind" },
        )),
    })
}

/// A duration in the largest unit of which it has two, to the nearest one.
fn rounded(duration: SignedDuration) -> String {
    const UNITS: [(u64, &str); 2] = [(24 * 60 * 60, "day"), (60 * 60, "hour")];
    let seconds = duration.as_secs().unsigned_abs();
    let nearest = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    let large = UNITS.into_iter().find(|(unit, _)| nearest(*unit) >= 2);
    let (unit, name) = large.unwrap_or((60, "minute"));
    counted(nearest(unit), name)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn refuses_a_clock_that_is_not_the_systems() {
        let said = |clock_difference| Scene { clock_difference, ..scene() }.said(ask);
        let seconds = |seconds| said(Some(SignedDuration::from_secs(seconds)));
        let table =
            [said(None), seconds(0), seconds(300), seconds(-300), seconds(301), seconds(-7_201), seconds(1_500 * 86_400)];
        insta::assert_snapshot!(table.join("\n"), @"
        warn: the answers of `crm` do not say what time it is, so nothing shows that this machine's clock is right
        pass: this machine's clock agrees with that of `crm`
        pass: this machine's clock agrees with that of `crm`
        pass: this machine's clock agrees with that of `crm`
        refuse: this machine's clock is 5 minutes ahead of that of `crm`, and ages and expiries are counted by it: set it right, and run the same command again
        refuse: this machine's clock is 2 hours behind that of `crm`, and ages and expiries are counted by it: set it right, and run the same command again
        refuse: this machine's clock is 1,500 days ahead of that of `crm`, and ages and expiries are counted by it: set it right, and run the same command again
        ");
    }
}
