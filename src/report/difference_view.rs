//! The difference of two plans as people read it in a terminal.

use std::fmt::Write as _;

use super::Palette;
use crate::base::{PolicyName, with_thousands};
use crate::plan::{DifferenceCounts, Symbol};

/// One line a policy, and the line scripts look for last.
pub fn differences_text(policies: &[(PolicyName, DifferenceCounts)], palette: Palette) -> String {
    let mut text = String::new();
    let mut sums = [0; 3];
    for (name, counts) in policies {
        let row = [Symbol::NewlySelected, Symbol::Reviewed, Symbol::KeptNow].map(|symbol| counts.of(symbol));
        for (sum, count) in sums.iter_mut().zip(row) {
            *sum += count;
        }
        let _ = writeln!(
            text,
            "{} - {} newly selected, = {} in both, + {} no longer selected",
            palette.strong(&format!("policy {name}:")),
            with_thousands(row[0]),
            with_thousands(row[1]),
            with_thousands(row[2])
        );
    }
    let [newly, both, kept] = sums;
    let _ = writeln!(
        text,
        "{}",
        palette.strong(&format!("Diff: {newly} newly selected, {both} in both, {kept} no longer selected."))
    );
    text
}
