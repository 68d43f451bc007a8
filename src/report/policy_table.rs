//! The policies of a plan at a glance.

use unicode_width::UnicodeWidthStr as _;

use super::{Palette, terminal_line};
use crate::base::with_thousands;
use crate::plan::{PlanHeader, PlannedPolicy};
use crate::system::DeleteMode;

/// One row a policy in the order of apply: what it deletes, what is held, and what stands against it. On a screen that is too
/// narrow for a table each policy has lines of its own.
pub(super) fn policy_table(header: &PlanHeader, palette: Palette) -> String {
    let heads = ["policy", "object", "delete", "held", "how"].map(str::to_owned);
    let rows: Vec<[String; 5]> = header.policies.iter().map(cells).collect();
    let mut widths = heads.each_ref().map(|head| head.width());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let whole = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
    if palette.columns().is_some_and(|columns| whole > columns) {
        return header.policies.iter().zip(&rows).map(|(policy, row)| stacked(policy, row, palette)).collect();
    }
    let line = |row: &[String; 5], paint: &dyn Fn(&str) -> String| {
        let padded = row.iter().zip(widths).enumerate().map(|(place, (cell, width))| {
            let gap = " ".repeat(width - cell.width());
            // Numbers end below each other, words begin so.
            if matches!(place, 2 | 3) { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        let padded: Vec<String> = padded.collect();
        format!("{}\n", paint(padded.join("  ").trim_end()))
    };
    let mut text = line(&heads, &|row| palette.strong(row));
    for (policy, row) in header.policies.iter().zip(&rows) {
        text.push_str(&line(row, &|shown| painted(policy, palette, shown)));
    }
    text
}

fn cells(policy: &PlannedPolicy) -> [String; 5] {
    [
        policy.policy.to_string(),
        terminal_line(&policy.object_title()).into_owned(),
        with_thousands(policy.selected),
        with_thousands(policy.held()),
        how(policy),
    ]
}

/// How its records would be deleted, and what stands against it.
fn how(policy: &PlannedPolicy) -> String {
    let mode = match policy.settings.delete {
        DeleteMode::Soft => "soft",
        DeleteMode::Hard => "hard, no undo",
    };
    let refused: Vec<String> = policy.refusals().map(|finding| terminal_line(&finding.gate).into_owned()).collect();
    if !refused.is_empty() {
        return format!("REFUSED: {} ({mode})", refused.join(", "));
    }
    match policy.warnings().count() {
        0 => mode.to_owned(),
        1 => format!("{mode}; 1 warning"),
        several => format!("{mode}; {several} warnings"),
    }
}

fn stacked(policy: &PlannedPolicy, row: &[String; 5], palette: Palette) -> String {
    let [name, object, delete, held, how] = row;
    let held = if policy.held() > 0 { format!(", {held} held") } else { String::new() };
    let told = format!("{name}: {delete} of {object}{held}; {how}");
    palette.hanging("  ", 4, &told, |line| painted(policy, palette, line)).replacen("  ", "", 1)
}

/// What is refused stands out, and so does what cannot be undone.
fn painted(policy: &PlannedPolicy, palette: Palette, text: &str) -> String {
    match policy.settings.delete {
        _ if policy.is_refused() => palette.problem(text),
        _ if policy.selected == 0 => palette.faint(text),
        DeleteMode::Hard => palette.deletion(text),
        DeleteMode::Soft => text.to_owned(),
    }
}
