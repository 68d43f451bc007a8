//! A finished apply as people read it in a terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::applied::{Applied, AppliedPolicy};
use super::{JsonEvent, Palette, View, events, terminal_line};
use crate::apply::{SkipCause, Tally};
use crate::base::{Digest, counted, with_thousands};
use crate::plan::CascadeCount;
use crate::system::lock_help;

/// What an apply did, with what it did it for.
#[derive(Clone, Copy, Debug)]
pub struct AppliedView<'a> {
    /// The plan's digest.
    pub plan: Digest,
    /// What it did.
    pub applied: &'a Applied,
    /// Why some policies are not finished, one text each.
    pub unfinished: &'a [String],
}

impl View for AppliedView<'_> {
    fn text(&self, palette: Palette) -> String {
        applied_text(self.applied, palette)
    }

    fn events(&self) -> Vec<JsonEvent> {
        events::applied(self.plan, self.applied, self.unfinished)
    }
}

/// The line scripts look for: `Apply: 1204 deleted, 3 failed; 1207 planned.` What did not happen is left out, save that nothing was
/// deleted; of a run that had ended before, it begins with what was deleted now: nothing. Numbers have no separators.
pub fn apply_summary(applied: &Applied) -> String {
    let tally = applied.tally();
    let unfinished = match applied.unfinished {
        0 => String::new(),
        count => format!("; {} not finished", counted(count as u64, "policy")),
    };
    let now = if applied.ended_before { "0 deleted now; the run had ended before: " } else { "" };
    let others = parts(other_ends(tally), |count| count.to_string());
    let planned: u64 = applied.policies.iter().map(AppliedPolicy::planned).sum();
    format!("Apply: {now}{} deleted{others}; {planned} planned{unfinished}.", tally.deleted)
}

/// Further parts of a summary: those that are not zero.
pub(super) fn parts<const N: usize>(counts: [(u64, &str); N], written: impl Fn(u64) -> String) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, words)| format!(", {} {words}", written(count))).collect()
}

/// The ends of records other than `deleted`.
pub(super) fn other_ends(tally: Tally) -> [(u64, &'static str); 4] {
    [(tally.already_gone, "already gone"), (tally.skipped, "skipped"), (tally.failed, "failed"), (tally.unknown, "unknown")]
}

/// The words for a skip cause.
pub(super) fn skip_words(cause: SkipCause) -> &'static str {
    match cause {
        SkipCause::NoLongerMatches => "no longer match",
        SkipCause::Changed => "changed since the plan",
        SkipCause::Held => "held",
        SkipCause::InRecycleBin => "in the recycle bin, not hard-deleted",
        SkipCause::RolledBack => "rolled back with their request",
        SkipCause::Dependency => "a dependency did not succeed",
        SkipCause::Stopped => "not sent, the policy was stopped",
        SkipCause::Refused => "the policy was refused",
        SkipCause::Abandoned => "not sent: the run was abandoned",
    }
}

/// The records of which it is not known how many go along, such as `Contact records` or `records of 2 objects: Asset, Order`.
pub(super) fn unknown_cascades(cascades: &[CascadeCount]) -> Option<String> {
    let unknown = cascades.iter().filter(|cascade| cascade.records.is_none());
    let unknown: BTreeSet<&str> = unknown.map(|cascade| cascade.child.as_str()).collect();
    let names: Vec<&str> = unknown.into_iter().collect();
    match names[..] {
        [] => None,
        [child] => Some(format!("{child} records")),
        _ => Some(format!("records of {}: {}", counted(names.len() as u64, "object"), names.join(", "))),
    }
}

/// The whole result for a terminal, the summary line last. Several policies share a table at the end; those without anything more
/// to report are only in it.
pub fn applied_text(applied: &Applied, palette: Palette) -> String {
    let mut text = String::new();
    let several = applied.policies.len() > 1;
    if applied.ended_before {
        let _ = writeln!(
            text,
            "{}\n",
            palette.caution("This run had ended before. Nothing was sent now; this is what was done then:")
        );
    }
    for policy in applied.policies.iter().filter(|policy| !several || !policy.is_plain()) {
        let tally = policy.tally;
        let _ = writeln!(text, "{}", palette.strong(&format!("policy {}:", policy.policy)));
        let mut line = |shown: String| {
            let _ = writeln!(text, "  {shown}");
        };
        line(palette.deletion(&format!("{:>10} deleted", with_thousands(tally.deleted))));
        for (plan, count) in &policy.gone_by {
            line(format!("{:>10} already gone: the plan {} deleted them", with_thousands(*count), terminal_line(plan)));
        }
        let gone = tally.already_gone.saturating_sub(policy.gone_by.values().sum());
        if gone > 0 {
            line(format!("{:>10} already gone", with_thousands(gone)));
        }
        for (cause, count) in &policy.skipped {
            line(palette.caution(&format!("{:>10} skipped: {}", with_thousands(*count), skip_words(*cause))));
        }
        for (code, count) in &policy.failed {
            line(palette.problem(&format!("{:>10} failed: {}", with_thousands(*count), terminal_line(code))));
        }
        if let Some(help) = policy.failed.keys().find_map(|code| lock_help(code)) {
            line(palette.caution(help));
        }
        if tally.unknown > 0 {
            line(
                palette.problem(&format!("{:>10} unknown: the next plan checks them again", with_thousands(tally.unknown))),
            );
        }
        if policy.unsettled > 0 {
            line(palette.caution(&format!("{:>10} not settled yet", with_thousands(policy.unsettled))));
        }
        let known = policy.with_them.iter().filter_map(|cascade| Some((terminal_line(&cascade.child), cascade.records?)));
        for (child, records) in known.filter(|(_, records)| tally.deleted > 0 && *records > 0) {
            let noun = if records == 1 { "record" } else { "records" };
            let most = format!("up to {}", with_thousands(records));
            line(palette.caution(&format!("{most:>10} {child} {noun} went with them")));
        }
        if let Some(unknown) = unknown_cascades(&policy.with_them).filter(|_| tally.deleted > 0) {
            let told = format!("{:>10} an unknown number of {} may have gone with them", "", terminal_line(&unknown));
            line(palette.caution(&told));
        }
        if policy.waiting > 0 {
            line(palette.faint(&format!(
                "{:>10} matching now but not planned: left for the next plan",
                with_thousands(policy.waiting)
            )));
        }
        if let Some(cause) = &policy.halted {
            let what = if policy.sent_nothing() { "nothing was sent" } else { "stopped early" };
            line(palette.problem(&format!("{what}: {}", terminal_line(cause))));
        }
    }
    if several {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}{}", table(&applied.policies, palette));
    }
    let _ = writeln!(text, "\nevidence in {}", terminal_line(&applied.evidence));
    let _ = writeln!(text, "{}", palette.strong(&apply_summary(applied)));
    text
}

/// One line a policy, names to the left and numbers to the right.
fn table(policies: &[AppliedPolicy], palette: Palette) -> String {
    let heads = ["policy", "target", "object", "planned", "deleted", "gone", "skipped", "failed", "unknown"];
    let rows: Vec<[String; 9]> = policies
        .iter()
        .map(|policy| {
            let tally = policy.tally;
            let [planned, deleted, gone, skipped, failed, unknown] =
                [policy.planned(), tally.deleted, tally.already_gone, tally.skipped, tally.failed, tally.unknown]
                    .map(with_thousands);
            let object = terminal_line(&policy.object).into_owned();
            [policy.policy.to_string(), policy.target.to_string(), object, planned, deleted, gone, skipped, failed, unknown]
        })
        .collect();
    let heads = heads.map(str::to_owned);
    // In columns of the terminal: a Chinese character takes two, a combining accent none.
    let width = |column: usize| rows.iter().chain([&heads]).map(|row| row[column].width()).max().unwrap_or_default();
    let widths: [usize; 9] = std::array::from_fn(width);
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            let padding = " ".repeat(width - cell.width());
            if column < 3 { format!("{cell}{padding}") } else { format!("{padding}{cell}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    let mut text = format!("{}\n", palette.strong(&line(&heads)));
    for row in &rows {
        let _ = writeln!(text, "{}", line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::{PolicyName, TargetName};

    #[test]
    fn shows_every_end_and_the_sums() {
        let applied = Applied {
            policies: vec![AppliedPolicy {
                policy: PolicyName::new("stale-leads").expect("valid"),
                labels: BTreeMap::new(),
                target: TargetName::new("crm").expect("valid"),
                object: "Lead".into(),
                tally: Tally { deleted: 1_190, already_gone: 4, skipped: 5, failed: 6, unknown: 2 },
                skipped: BTreeMap::from([(SkipCause::Held, 2), (SkipCause::NoLongerMatches, 3)]),
                failed: BTreeMap::from([("UNABLE_TO_LOCK_ROW".into(), 4), ("DELETE_FAILED\u{1b}".into(), 2)]),
                gone_by: BTreeMap::from([("07b1de3a5c44".into(), 3)]),
                waiting: 12,
                halted: None,
                unsettled: 7,
                with_them: vec![
                    CascadeCount { child: "Task".into(), field: "WhoId".into(), records: Some(12), reason: None },
                    CascadeCount { child: "Contact".into(), field: "AccountId".into(), records: None, reason: None },
                ],
            }],
            unfinished: 0,
            ended_before: false,
            evidence: "runs/3f2a9c01d2e4".into(),
        };
        insta::assert_snapshot!(applied_text(&applied, Palette::new(false)), @r"
        policy stale-leads:
               1,190 deleted
                   3 already gone: the plan 07b1de3a5c44 deleted them
                   1 already gone
                   3 skipped: no longer match
                   2 skipped: held
                   2 failed: DELETE_FAILED\u{1b}
                   4 failed: UNABLE_TO_LOCK_ROW
          other work held their locks: write `concurrency: serial` for one batch at a time (Bulk API 1.0 in Salesforce), and `groupBy` with the field that names their parent
                   2 unknown: the next plan checks them again
                   7 not settled yet
            up to 12 Task records went with them
                     an unknown number of Contact records may have gone with them
                  12 matching now but not planned: left for the next plan

        evidence in runs/3f2a9c01d2e4
        Apply: 1190 deleted, 4 already gone, 5 skipped, 6 failed, 2 unknown; 1214 planned.
        ");
    }

    fn policy(name: &str, target: &str, object: &str, tally: Tally, waiting: u64) -> AppliedPolicy {
        AppliedPolicy {
            policy: PolicyName::new(name).expect("valid"),
            labels: BTreeMap::new(),
            target: TargetName::new(target).expect("valid"),
            object: object.into(),
            tally,
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            gone_by: BTreeMap::new(),
            waiting,
            halted: None,
            unsettled: 0,
            with_them: Vec::new(),
        }
    }

    #[test]
    fn several_policies_end_in_one_table() {
        let gone = |deleted, already_gone| Tally { deleted, already_gone, ..Tally::default() };
        let applied = Applied {
            policies: vec![
                policy("cases", "crm", "Case", gone(1_230, 0), 0),
                policy("site-visits", "field-data", "Site\u{1b} Visits", gone(9, 1), 2),
                policy("parks", "field-data", "公園の記録", gone(3, 0), 0),
            ],
            unfinished: 0,
            ended_before: false,
            evidence: "runs/3f2a9c01d2e4".into(),
        };
        insta::assert_snapshot!(applied_text(&applied, Palette::new(false)), @r"
        policy site-visits:
                   9 deleted
                   1 already gone
                   2 matching now but not planned: left for the next plan

        policy       target      object             planned  deleted  gone  skipped  failed  unknown
        cases        crm         Case                 1,230    1,230     0        0       0        0
        site-visits  field-data  Site\u{1b} Visits       10        9     1        0       0        0
        parks        field-data  公園の記録               3        3     0        0       0        0

        evidence in runs/3f2a9c01d2e4
        Apply: 1242 deleted, 1 already gone; 1243 planned.
        ");
    }
}
