//! A plan as people read it in a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Palette, terminal_line};
use crate::base::{Digest, PolicyName, RecordId, counted, with_thousands};
use crate::manifest::AllOrNone;
use crate::plan::{Comparison, CountCause, PlanHeader, PlannedPolicy, SealedTarget};
use crate::system::DeleteMode;

/// What a view of a plan shows.
#[derive(Clone, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub header: &'a PlanHeader,
    /// Its name; `None` when it was not sealed.
    pub digest: Option<Digest>,
    /// A few records of each policy.
    pub samples: &'a BTreeMap<PolicyName, PolicySample>,
    /// Where the bundle lies, as a person would type it.
    pub place: &'a str,
    /// How the manifests differ from those of the plan that lay there before; empty when they do not.
    pub manifest_changes: &'a str,
}

/// The first records of a policy, for people to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySample {
    /// The names of the review fields.
    pub columns: Vec<String>,
    /// The records.
    pub rows: Vec<SampleRow>,
    /// How many more there are.
    pub more: u64,
}

/// One record of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRow {
    /// `-` newly selected, `~` tried again, `=` reviewed before, `+` kept now, `#` held.
    pub symbol: char,
    /// The record.
    pub id: RecordId,
    /// The values of the review fields.
    pub values: Vec<String>,
}

/// The line scripts look for: `Plan: 1204 to delete, 96 held, ...`. Numbers have no separators.
pub fn plan_summary(header: &PlanHeader) -> String {
    let sum = |count: fn(&Comparison) -> u64| -> u64 {
        header.policies.iter().filter_map(|policy| policy.comparison.as_ref()).map(count).sum()
    };
    let held: u64 = header.policies.iter().map(|policy| policy.matched - policy.selected).sum();
    let refused = header.policies.iter().filter(|policy| policy.gates.iter().any(|verdict| !verdict.passed)).count();
    let mut line = format!("Plan: {} to delete, {held} held", header.selected());
    if header.policies.iter().any(|policy| policy.comparison.is_some()) {
        let _ = write!(
            line,
            ", {} newly selected, {} tried again, {} already reviewed, {} kept now",
            sum(|comparison| comparison.newly_selected),
            sum(|comparison| comparison.retried),
            sum(|comparison| comparison.reviewed),
            sum(|comparison| comparison.kept_now),
        );
    }
    if refused > 0 {
        let noun = if refused == 1 { "policy" } else { "policies" };
        let _ = write!(line, "; {refused} {noun} refused by a gate");
    }
    line.push('.');
    line
}

/// The whole plan for a terminal, the summary line last.
pub fn plan_text(view: &PlanView<'_>, palette: Palette) -> String {
    let mut text = String::new();
    let header = view.header;
    for (name, target) in &header.targets {
        let identity = &target.identity;
        let organization = identity.organization_name.as_deref().unwrap_or("(name not readable)");
        let kind = match identity.is_production {
            Some(true) => "production",
            Some(false) => "not production",
            None => "kind not known",
        };
        let _ = writeln!(
            text,
            "{} {} {} \"{}\", {kind}, as {}{}",
            palette.strong(&format!("target {name}:")),
            target.system,
            terminal_line(&identity.organization_id),
            terminal_line(organization),
            terminal_line(&identity.user_name),
            paced(target).map(|paced| format!("; {paced}")).unwrap_or_default(),
        );
    }
    for policy in &header.policies {
        text.push('\n');
        policy_text(policy, view, palette, &mut text);
    }
    if !view.manifest_changes.is_empty() {
        let _ = write!(
            text,
            "\n{}\n{}",
            palette.strong("manifests changed since the plan that lay here:"),
            view.manifest_changes
        );
    }
    text.push('\n');
    if let Some(digest) = view.digest {
        let _ =
            writeln!(text, "plan {} in {}, expires {}", digest.short(), terminal_line(view.place), moment(header.expires));
    }
    let _ = writeln!(text, "{}", palette.strong(&plan_summary(header)));
    text
}

/// A moment to the minute, in UTC.
pub(super) fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Where the atomic groups of a policy begin and end. They are cut when the plan is applied, in the order shown here, from what is
/// still to be sent.
fn group_borders(policy: &PlannedPolicy, size: u64) -> String {
    if let Some(field) = &policy.settings.group_by {
        return format!("records with the same {} together, up to {}", terminal_line(field), with_thousands(size));
    }
    const SHOWN: u64 = 3;
    let groups = policy.selected.div_ceil(size.max(1));
    let borders: Vec<String> = (0..groups.min(SHOWN))
        .map(|group| {
            let last = policy.selected.min((group + 1) * size);
            format!("{}-{}", with_thousands(group * size + 1), with_thousands(last))
        })
        .collect();
    let more = if groups > SHOWN { format!(" and so on to {}", with_thousands(policy.selected)) } else { String::new() };
    format!("records {}{more} of {}, in that order", borders.join(", "), policy.records.path)
}

/// What a system that counts calls makes of the time, in words.
pub(super) fn paced(target: &SealedTarget) -> Option<String> {
    let calls = counted(target.calls, "call");
    Some(match target.least_seconds? {
        0 => calls,
        seconds @ 1..120 => format!("{calls}, at least {}", counted(seconds, "second")),
        seconds => format!("{calls}, at least {}", counted(seconds.div_ceil(60), "minute")),
    })
}

fn policy_text(policy: &PlannedPolicy, view: &PlanView<'_>, palette: Palette, text: &mut String) {
    let mode = match policy.settings.delete {
        DeleteMode::Soft => "soft delete",
        DeleteMode::Hard => "hard delete, no undo",
    };
    let title = format!("policy {}:", policy.policy);
    let _ = writeln!(
        text,
        "{} {mode} of {} in {}",
        palette.strong(&title),
        terminal_line(&policy.object_title()),
        policy.settings.target
    );
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {}  {value}", palette.faint(&format!("{label:<9}")));
    };
    line("where", &policy.query.condition.as_deref().map_or("everything".into(), terminal_line));
    line(
        "matched",
        &format!("{} of {}{}", with_thousands(policy.matched), counted(policy.population, "record"), share(policy)),
    );
    for held in &policy.holds {
        let cascade = if held.through_cascade { ", also through a cascade" } else { "" };
        line("held", &palette.caution(&format!("# {} by hold {}{cascade}", with_thousands(held.records), held.hold)));
    }
    line("delete", &palette.deletion(&format!("- {}", with_thousands(policy.selected))));
    if let Some(comparison) = &policy.comparison {
        line("since", &comparison_text(comparison));
        line("why", cause_text(comparison.cause));
    }
    if let Some(route) = &policy.route {
        let batches =
            if route.batches == 1 { "1 batch".into() } else { format!("{} batches", with_thousands(route.batches)) };
        line(
            "route",
            &format!("{}, {batches} of up to {}: {}", route.api.title(), with_thousands(route.batch_size), route.reason),
        );
        if policy.settings.all_or_none == AllOrNone::PerRequest {
            line("groups", &group_borders(policy, route.batch_size));
        }
    }
    for cascade in policy.cascades.iter().filter(|cascade| policy.selected > 0 && cascade.records != Some(0)) {
        let records = cascade.records.map_or_else(|| "an unknown number of".to_owned(), with_thousands);
        // Counted by the policy's own condition, which held records match as well; theirs stay.
        let bound = if policy.matched > policy.selected && cascade.records.is_some() { "up to " } else { "" };
        let shown = format!("! {bound}{records} {} by {}", terminal_line(&cascade.child), terminal_line(&cascade.field));
        line("with them", &palette.caution(&shown));
    }
    let passed = policy.gates.iter().filter(|verdict| verdict.passed).count();
    line("gates", &palette.kept(&format!("{passed} of {} passed", policy.gates.len())));
    for verdict in policy.gates.iter().filter(|verdict| verdict.passed && verdict.message.starts_with("warning:")) {
        line("but", &palette.caution(&terminal_line(&verdict.message)));
    }
    for verdict in policy.gates.iter().filter(|verdict| !verdict.passed) {
        line("REFUSED", &palette.trouble(&terminal_line(&verdict.message)));
    }
    if let Some(justification) = &policy.settings.justification {
        line("because", &terminal_line(justification));
    }
    if let Some(sample) = view.samples.get(&policy.policy) {
        sample_text(sample, &policy.records.path, view.place, palette, text);
    }
}

fn share(policy: &PlannedPolicy) -> String {
    if policy.population == 0 {
        return String::new();
    }
    let hundredths = u128::from(policy.matched) * 10_000 / u128::from(policy.population);
    format!(" ({}.{:02} %)", hundredths / 100, hundredths % 100)
}

fn comparison_text(comparison: &Comparison) -> String {
    format!(
        "plan {}: - {} newly selected, ~ {} tried again, = {} already reviewed, + {} kept now, # {} held",
        comparison.with.short(),
        with_thousands(comparison.newly_selected),
        with_thousands(comparison.retried),
        with_thousands(comparison.reviewed),
        with_thousands(comparison.kept_now),
        with_thousands(comparison.held),
    )
}

fn cause_text(cause: CountCause) -> &'static str {
    match cause {
        CountCause::Nothing => "nothing moved: no record came in, and none that still waited went out",
        CountCause::Data => "the data moved: the policy and its holds read as they did",
        CountCause::Policy => "the policy or a hold changed",
        CountCause::PolicyAndData => "the policy or a hold changed, and the data may have moved as well",
    }
}

fn sample_text(sample: &PolicySample, records: &str, place: &str, palette: Palette, text: &mut String) {
    for row in &sample.rows {
        let mut line = format!("    {} {}", row.symbol, row.id);
        for (column, value) in sample.columns.iter().zip(&row.values) {
            let _ = write!(line, "  {}={}", terminal_line(column), terminal_line(value));
        }
        let painted = match row.symbol {
            '-' => palette.deletion(&line),
            '~' | '#' => palette.caution(&line),
            '+' => palette.kept(&line),
            _ => line,
        };
        let _ = writeln!(text, "{painted}");
    }
    if sample.more > 0 {
        let _ =
            writeln!(text, "    {}", palette.faint(&format!("and {} more: {place}/{records}", with_thousands(sample.more))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_where_atomic_groups_begin_and_end() {
        let mut policy = fixture::policy("stale-leads", 1_204);
        policy.settings.all_or_none = AllOrNone::PerRequest;
        assert_eq!(
            group_borders(&policy, 200),
            format!("records 1-200, 201-400, 401-600 and so on to 1,204 of {}, in that order", policy.records.path)
        );
        policy.selected = 250;
        assert!(group_borders(&policy, 200).starts_with("records 1-200, 201-250 of "));
        policy.settings.group_by = Some("AccountId".into());
        assert_eq!(group_borders(&policy, 200), "records with the same AccountId together, up to 200");
    }
    use crate::plan::GateName;
    use crate::report::fixture;

    #[test]
    fn shows_a_plan_with_hostile_values_made_harmless() {
        let header = fixture::header(vec![fixture::policy("stale-leads", 1_204)]);
        let samples = fixture::samples();
        let digest = Some(Digest::of(b"plan"));
        let view = PlanView { header: &header, digest, samples: &samples, place: "plan", manifest_changes: "" };
        insta::assert_snapshot!(plan_text(&view, Palette::new(false)), @r#"
        target crm: salesforce 00D000000000001EAA "Northwind \u{1b}[31m", production, as admin@northwind.example

        policy stale-leads: soft delete of Lead in crm
          where      IsConverted = false AND LastActivityDate < 2023-11-21
          matched    1,300 of 40,000 records (3.25 %)
          held       # 96 by hold acme-litigation
          delete     - 1,204
          since      plan 6db7d803e74f: - 4 newly selected, ~ 1 tried again, = 1,199 already reviewed, + 7 kept now, # 96 held
          why        the data moved: the policy and its holds read as they did
          route      sObject Collections, 7 batches of up to 200: up to 2,000 records go through sObject Collections
          gates      1 of 1 passed
            - 00Q000000000001EAA  Company=<b>Acme</b> | @all
            ~ 00Q000000000002EAA  Company=x\u{1b}[2J
            and 1,202 more: plan/records/stale-leads.csv

        plan 64879f7d6b96 in plan, expires 2026-11-28 10:00 UTC
        Plan: 1204 to delete, 96 held, 4 newly selected, 1 tried again, 1199 already reviewed, 7 kept now.
        "#);
    }

    #[test]
    fn the_summary_counts_refusals() {
        let mut refused = fixture::policy("stale-leads", 1_204);
        refused.gates[0] = crate::plan::Verdict { gate: GateName::MaxRecords, passed: false, message: "too many".into() };
        refused.comparison = None;
        assert_eq!(
            plan_summary(&fixture::header(vec![refused])),
            "Plan: 1204 to delete, 96 held; 1 policy refused by a gate."
        );
        assert_eq!(plan_summary(&fixture::header(Vec::new())), "Plan: 0 to delete, 0 held.");
    }
}
