//! The difference of two plans as people read it in a terminal.

use std::fmt::Write as _;

use super::{JsonEvent, Palette, View, events, manifest_diff, painted_diff, terminal_line};
use crate::base::{PolicyName, with_thousands};
use crate::plan::{Difference, DifferenceCounts, Row, SealedDocument, Symbol};

/// One record that is in one of two plans only.
#[derive(Clone, Copy, Debug)]
pub struct ChangeView<'a> {
    /// The policy.
    pub policy: &'a PolicyName,
    /// The record, and in which of the two it is.
    pub difference: Difference,
}

impl View for ChangeView<'_> {
    fn text(&self, _: Palette) -> String {
        format!("{} {} {}\n", self.difference.symbol.character(), self.policy, self.difference.id)
    }

    fn events(&self) -> Vec<JsonEvent> {
        vec![events::change(self.policy, self.difference)]
    }
}

/// One record of a plan.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    /// The policy.
    pub policy: &'a PolicyName,
    /// The record, with the values of its review fields.
    pub row: &'a Row,
}

impl View for RecordView<'_> {
    fn text(&self, _: Palette) -> String {
        // Whether it was reviewed, a plan knows of its sample only.
        let mut text = format!("{} {}", self.policy, self.row.id);
        for (number, value) in self.row.values.iter().enumerate() {
            let _ = write!(text, "{}{}", if number == 0 { " " } else { "  " }, terminal_line(value));
        }
        text.push('\n');
        text
    }

    fn events(&self) -> Vec<JsonEvent> {
        vec![events::record(self.policy, self.row.id)]
    }
}

/// How two plans differ, without the records.
#[derive(Clone, Copy, Debug)]
pub struct DifferenceView<'a> {
    /// One entry a policy that is in either, by name.
    pub policies: &'a [(PolicyName, DifferenceCounts)],
    /// The manifests of the earlier plan.
    pub manifests_before: &'a [SealedDocument],
    /// The manifests of the later plan.
    pub manifests_after: &'a [SealedDocument],
}

impl View for DifferenceView<'_> {
    fn text(&self, palette: Palette) -> String {
        let manifests = painted_diff(&manifest_diff(self.manifests_before, self.manifests_after), palette);
        manifests + &differences_text(self.policies, palette)
    }

    fn events(&self) -> Vec<JsonEvent> {
        events::differences(self.policies)
    }
}

/// One line a policy, and the line scripts look for last.
fn differences_text(policies: &[(PolicyName, DifferenceCounts)], palette: Palette) -> String {
    let mut text = String::new();
    let mut sums = [0; 3];
    for (name, counts) in policies {
        let row = [Symbol::NewlySelected, Symbol::Reviewed, Symbol::NoLongerSelected].map(|symbol| counts.of(symbol));
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
