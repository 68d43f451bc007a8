//! A plan as people read it in a terminal.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use unicode_width::UnicodeWidthStr as _;

use super::apply_view::{parts, unknown_cascades};
use super::hold_view::{holds_text, ways};
use super::policy_table::policy_table;
use super::{JsonEvent, Palette, View, events, painted_diff, terminal_line};
use crate::base::{Digest, Percent, PolicyName, RecordId, counted, with_thousands};
use crate::manifest::AllOrNone;
use crate::plan::{
    Attribution, Comparison, CountCause, MissingIds, PlanBase, PlanHeader, PlannedPolicy, Population, SampledRecord,
    SealedTarget, Symbol,
};
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
}

impl View for PlanView<'_> {
    fn text(&self, palette: Palette) -> String {
        plan_text(self, palette)
    }

    fn events(&self) -> Vec<JsonEvent> {
        events::planned(self.header, self.digest, self.place)
    }
}

/// A sample of a policy's records, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySample {
    /// The names of the review fields.
    pub columns: Vec<String>,
    /// The records.
    pub rows: Vec<SampleRow>,
    /// How many more there are.
    pub more: u64,
}

impl PolicySample {
    /// What a plan seals of it, so that it is always shown with the same symbols.
    pub fn sealed(&self) -> Vec<SampledRecord> {
        self.rows.iter().map(|row| SampledRecord { id: row.id, symbol: row.symbol }).collect()
    }
}

/// One record of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRow {
    /// What became of it.
    pub symbol: Symbol,
    /// The record.
    pub id: RecordId,
    /// The values of the review fields.
    pub values: Vec<String>,
}

/// The line scripts look for: `Plan: 1204 to delete, 96 held, ...`. What there is none of is left out, save that nothing is to be
/// deleted. Numbers have no separators.
pub fn plan_summary(header: &PlanHeader) -> String {
    let sum = |count: fn(&Comparison) -> u64| -> u64 {
        header.policies.iter().filter_map(|policy| policy.comparison.as_ref()).map(count).sum()
    };
    let held: u64 = header.policies.iter().map(PlannedPolicy::held).sum();
    let refused = header.policies.iter().filter(|policy| policy.is_refused()).count() as u64;
    let others = [
        (held, "held"),
        (sum(|comparison| comparison.newly_selected), "newly selected"),
        (sum(|comparison| comparison.retried), "tried again"),
        (sum(|comparison| comparison.reviewed), "already reviewed"),
        (sum(|comparison| comparison.no_longer_selected), "no longer selected"),
    ];
    let mut line = format!("Plan: {} to delete{}", header.selected(), parts(others, |count| count.to_string()));
    if refused > 0 {
        let _ = write!(line, "; {} refused by a gate", counted(refused, "policy"));
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
        let kind = production(target);
        let head = format!("target {name}: ");
        let told = format!(
            "{} {} \"{}\", {kind}, as {}{}",
            target.system,
            terminal_line(&identity.organization_id),
            terminal_line(organization),
            terminal_line(&identity.user_name),
            paced(target).map(|paced| format!("; {paced}")).unwrap_or_default(),
        );
        text.push_str(&palette.hanging_at(head.width().min(14), &palette.strong(&head), head.width(), &told, str::to_owned));
    }
    if !header.policies.is_empty() {
        let _ = write!(text, "\n{}", policy_table(header, palette));
    }
    if !header.only.is_empty() {
        text.push_str(&palette.hanging(&palette.strong("only "), 5, &only_text(header), str::to_owned));
    }
    text.push_str(&holds_text(header, palette));
    // One that selects nothing and of which nothing is to be said is in the table only.
    for policy in header.policies.iter().filter(|policy| has_something_to_say(policy)) {
        text.push('\n');
        policy_text(policy, view, palette, &mut text);
    }
    if !header.manifests.changes.is_empty() {
        let _ = write!(
            text,
            "\n{}\n{}",
            palette.strong(&format!("manifests changed since {}:", base_title(header))),
            painted_diff(&header.manifests.changes, palette)
        );
    }
    text.push('\n');
    if let Some(digest) = view.digest {
        let _ =
            writeln!(text, "plan {} in {}, expires {}", digest.short(), terminal_line(view.place), moment(header.expires));
        let _ = writeln!(text, "made by {}", terminal_line(&header.made_by.to_string()));
    }
    let _ = writeln!(text, "{}", palette.strong(&plan_summary(header)));
    text
}

/// Whether anything is to be said of a policy beside its row in the table.
fn has_something_to_say(policy: &PlannedPolicy) -> bool {
    let is_missing = policy.missing_ids.as_ref().is_some_and(|missing| missing.told().is_some());
    policy.matched > 0 || is_missing || policy.gates_stand_out()
}

/// The policies that a plan was asked for, where it was not asked for all.
pub(super) fn only_text(header: &PlanHeader) -> String {
    let names: Vec<&str> = header.only.iter().map(PolicyName::as_str).collect();
    format!("the policies that were asked for: {}", names.join(", "))
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
    format!("records {}{more} of {}, in that order", borders.join(", "), terminal_line(&policy.records.path))
}

/// Whether a target is production, in words, and who says so where the system does not.
pub(super) fn production(target: &SealedTarget) -> String {
    match (target.identity.is_production, target.environment) {
        (Some(true), _) => "production".to_owned(),
        (Some(false), _) => "not production".to_owned(),
        (None, Some(environment)) => format!("{environment}, as the manifest says"),
        (None, None) => "may be production".to_owned(),
    }
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
    let title = format!("policy {}: ", policy.policy);
    let told = format!("{mode} of {} in {}", terminal_line(&policy.object_title()), policy.settings.target);
    text.push_str(&palette.hanging_at(4, &palette.strong(&title), title.width(), &told, str::to_owned));
    let mut line = |label: &str, value: &str, paint: fn(Palette, &str) -> String| {
        let head = format!("  {}  ", palette.faint(&format!("{label:<9}")));
        text.push_str(&palette.hanging(&head, MARGIN, value, |part| paint(palette, part)));
    };
    line("where", &terminal_line(&policy.query.matching.to_string()), plain);
    line("matched", &format!("{} of {}{}", with_thousands(policy.matched), policy.population.told(), share(policy)), plain);
    if let Some(missing) = policy.missing_ids.as_ref().and_then(MissingIds::told) {
        line("missing", &missing, Palette::caution);
    }
    for held in &policy.holds {
        let ways = terminal_line(&ways(held)).into_owned();
        line("held", &format!("# {} by hold {}{ways}", with_thousands(held.records), held.hold), Palette::caution);
    }
    match policy.selected {
        0 => line("delete", "nothing", plain),
        selected => line("delete", &format!("- {}", with_thousands(selected)), Palette::deletion),
    }
    for others in &policy.planned_elsewhere {
        let records = with_thousands(others.records);
        line("elsewhere", &format!("{records} more of its records are planned by policy {}", others.policy), plain);
    }
    if let Some(comparison) = &policy.comparison {
        line("since", &comparison_text(comparison, view.header.base.as_ref()), plain);
        line("why", &terminal_line(&cause_text(comparison)), plain);
    }
    if let Some(route) = &policy.route {
        let batches = counted(route.batches, "batch");
        line(
            "route",
            &format!(
                "{}, {batches} of up to {}: {}",
                route.api.title(),
                with_thousands(route.batch_size),
                terminal_line(&route.reason)
            ),
            plain,
        );
        if policy.settings.all_or_none == AllOrNone::PerRequest {
            line("groups", &group_borders(policy, route.batch_size), plain);
        }
    }
    for (cascade, records) in policy.cascades.iter().filter_map(|cascade| Some((cascade, cascade.records?))) {
        if policy.selected == 0 || records == 0 {
            continue;
        }
        let noun = if records == 1 { "record" } else { "records" };
        // Counted by the policy's own condition, which held records match as well, and those of other policies; theirs stay here.
        let bound = if policy.matched > policy.selected { "up to " } else { "" };
        let (child, field) = (terminal_line(&cascade.child), terminal_line(&cascade.field));
        let shown = format!("! {bound}{} {child} {noun} by {field}", with_thousands(records));
        line("with them", &shown, Palette::caution);
    }
    if let Some(unknown) = unknown_cascades(&policy.cascades).filter(|_| policy.selected > 0) {
        line("with them", &format!("! an unknown number of {}", terminal_line(&unknown)), Palette::caution);
    }
    if !policy.unseen_cascades.is_empty() && policy.selected > 0 {
        line("not seen", &terminal_line(&unseen_text(policy)), plain);
    }
    let (gates, paint) = gates_text(policy);
    line("gates", &gates, paint);
    for finding in policy.warnings() {
        line("warning", &terminal_line(&finding.to_string()), Palette::caution);
    }
    for finding in policy.refusals() {
        line("REFUSED", &terminal_line(&finding.to_string()), Palette::problem);
    }
    if !policy.labels.is_empty() {
        line("labels", &labels_text(&policy.labels, terminal_line), plain);
    }
    if let Some(justification) = &policy.settings.justification {
        line("because", &terminal_line(justification), plain);
    }
    if let Some(sample) = view.samples.get(&policy.policy) {
        sample_text(sample, &policy.records.path, view.place, palette, text);
    }
}

/// What goes along and cannot be seen.
pub(super) fn unseen_text(policy: &PlannedPolicy) -> String {
    let objects = counted(policy.unseen_cascades.len() as u64, "object");
    format!("{objects} that may go with them and that this login cannot see: {}", policy.unseen_cascades.join(", "))
}

/// What the gates said together; those that did not just let the policy pass have lines of their own.
fn gates_text(policy: &PlannedPolicy) -> (String, fn(Palette, &str) -> String) {
    match (policy.refusals().count() as u64, policy.warnings().count() as u64) {
        (0, 0) => ("all passed".to_owned(), Palette::kept),
        (0, warnings) => (format!("all passed, {}", counted(warnings, "warning")), Palette::kept),
        (refused, _) => (format!("{refused} refused"), Palette::problem),
    }
}

/// The labels of a policy on one line, each part made safe for where it is shown.
pub(super) fn labels_text<'a, T: Display>(labels: &'a BTreeMap<String, String>, safe: impl Fn(&'a str) -> T) -> String {
    let labels = labels.iter().map(|(name, value)| format!("{}={}", safe(name), safe(value)));
    labels.collect::<Vec<_>>().join(", ")
}

/// The columns before what a line of a policy says.
const MARGIN: usize = 13;

fn plain(_: Palette, text: &str) -> String {
    text.to_owned()
}

/// Rounded up, as [`Percent::needed_for`] does it: what is shown is within a limit exactly when the records are, and no record is 0 %.
fn share(policy: &PlannedPolicy) -> String {
    let (all, about) = match policy.population {
        Population::Exact(all) => (all, ""),
        Population::About(about) => (about, "about "),
        Population::Unknown => return String::new(),
    };
    let needed = Percent::needed_for(policy.matched, all).filter(|_| all > 0);
    needed.map(|share| format!(" ({about}{share} %)")).unwrap_or_default()
}

/// What a plan was compared with, in words; it may come out of a bundle, where it may be any text.
pub(super) fn base_title(header: &PlanHeader) -> String {
    header.base.as_ref().map_or_else(|| "nothing".to_owned(), |base| terminal_line(&base.to_string()).into_owned())
}

fn comparison_text(comparison: &Comparison, base: Option<&PlanBase>) -> String {
    let with = match base {
        Some(base) => PlanBase { plan: comparison.with, ..base.clone() }.to_string(),
        None => format!("plan {}", comparison.with.short()),
    };
    let also = match comparison.unreviewed {
        0 => String::new(),
        in_it => format!(" ({} of them in it)", with_thousands(in_it)),
    };
    let parts = [
        (comparison.newly_selected, "-", format!("newly selected{also}")),
        (comparison.retried, "~", "tried again".to_owned()),
        (comparison.reviewed, "=", "already reviewed".to_owned()),
        (comparison.no_longer_selected, "+", "no longer selected".to_owned()),
        (comparison.held, "#", "held".to_owned()),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, symbol, words)| format!("{symbol} {} {words}", with_thousands(count)))
        .collect();
    let told = if parts.is_empty() { "no record in either".to_owned() } else { parts.join(", ") };
    format!("{}: {told}", terminal_line(&with))
}

/// Why the count moved, in numbers where they are known. The reason for which they are not may be any text.
pub(super) fn cause_text(comparison: &Comparison) -> String {
    let Comparison { cause, unreviewed, attribution, not_attributed, .. } = comparison;
    match (cause, attribution) {
        // Where that plan reviews nothing, its records are called newly selected all the same.
        (CountCause::Nothing, _) if *unreviewed > 0 => {
            "the count did not move: these are the records of that plan, which reviews none of them".to_owned()
        }
        (CountCause::Nothing, _) => "nothing changed: the records still to be deleted are the same as then".to_owned(),
        (_, Some(attribution)) => attribution_text(attribution),
        (_, None) => {
            let reason = not_attributed.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("how much the policy did and how much the data did is not known{reason}")
        }
    }
}

fn attribution_text(attribution: &Attribution) -> String {
    let Attribution { added_by_policy, added_by_data, dropped_by_policy, dropped_by_data, holds_changed } = *attribution;
    let moved = |added: u64, dropped: u64| match (added, dropped) {
        (0, 0) => "nothing".to_owned(),
        (added, 0) => format!("{} more", with_thousands(added)),
        (0, dropped) => format!("{} fewer", with_thousands(dropped)),
        (added, dropped) => format!("{} more and {} fewer", with_thousands(added), with_thousands(dropped)),
    };
    let data = if holds_changed { "by the data or a hold" } else { "by the data" };
    let (by_policy, by_data) = (moved(added_by_policy, dropped_by_policy), moved(added_by_data, dropped_by_data));
    if [added_by_policy, dropped_by_policy, added_by_data, dropped_by_data] == [0; 4] {
        return "nothing but what is held now".to_owned();
    }
    format!("{by_policy} by the policy, {by_data} {data}")
}

fn sample_text(sample: &PolicySample, records: &str, place: &str, palette: Palette, text: &mut String) {
    for row in &sample.rows {
        let mut told = row.id.to_string();
        for (column, value) in sample.columns.iter().zip(&row.values) {
            let _ = write!(told, "  {}={}", terminal_line(column), terminal_line(value));
        }
        let symbol = row.symbol.character();
        text.push_str(&palette.hanging_at(8, "    ", 4, &format!("{symbol} {told}"), |line| match row.symbol {
            Symbol::NewlySelected => palette.deletion(line),
            Symbol::Retried | Symbol::Held => palette.caution(line),
            Symbol::NoLongerSelected => palette.kept(line),
            Symbol::Reviewed => line.to_owned(),
        }));
    }
    if sample.more > 0 {
        let more = format!("and {} more: {place}/{records}", with_thousands(sample.more));
        text.push_str(&palette.hanging_at(8, "    ", 4, &terminal_line(&more), |line| palette.faint(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FindingKind, GateFinding};
    use crate::report::fixture;

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

    #[test]
    fn shows_a_plan_with_hostile_values_made_harmless() {
        let header = fixture::header(vec![fixture::policy("stale-leads", 1_204)]);
        let samples = fixture::samples();
        let digest = Some(Digest::of(b"plan"));
        let view = PlanView { header: &header, digest, samples: &samples, place: "plan" };
        insta::assert_snapshot!(plan_text(&view, Palette::new(false)), @r#"
        target crm: salesforce 00D000000000001EAA "Northwind \u{1b}[31m", production, as admin@northwind.example

        policy       object  delete  held  how
        stale-leads  Lead     1,204    96  soft

        policy stale-leads: soft delete of Lead in crm
          where      IsConverted = false AND LastActivityDate < 2023-11-21
          matched    1,300 of 40,000 records (3.25 %)
          held       # 96 by hold acme-litigation
          delete     - 1,204
          since      plan 6db7d803e74f of the revision main\u{1b}[2J: - 4 newly selected, ~ 1 tried again, = 1,199 already reviewed, + 7 no longer selected, # 96 held
          why        3 more by the policy, 1 more and 7 fewer by the data
          route      sObject Collections, 7 batches of up to 200: up to 2,000 records go through sObject Collections
          gates      all passed
          labels     owner=revops, regulation=gdpr|17
            - 00Q000000000001EAA  Company=<b>Acme</b> | @all
            ~ 00Q000000000002EAA  Company=x\u{1b}[2J
            and 1,202 more: plan/records/stale-leads.csv

        plan 64879f7d6b96 in plan, expires 2026-11-28 10:00 UTC
        made by ada@desk
        Plan: 1204 to delete, 96 held, 4 newly selected, 1 tried again, 1199 already reviewed, 7 no longer selected.
        "#);
    }

    #[test]
    fn lists_what_gates_refused_and_warned_of_by_name() {
        let mut policy = fixture::policy("stale-leads", 1_204);
        let finding = |gate: &str, kind, message: &str| GateFinding { gate: gate.into(), kind, message: message.into() };
        let shown = |policy: &PlannedPolicy| {
            let header = fixture::header(vec![policy.clone()]);
            let view = PlanView { header: &header, digest: None, samples: &BTreeMap::new(), place: "plan" };
            let text = plan_text(&view, Palette::new(false));
            text.lines()
                .skip_while(|line| !line.contains("gates"))
                .take_while(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join("\n")
        };
        policy.gates.push(finding("review-by", FindingKind::Warn, "`reviewBy` has passed"));
        insta::assert_snapshot!(shown(&policy), @"
          gates      all passed, 1 warning
          warning    review-by: `reviewBy` has passed
          labels     owner=revops, regulation=gdpr|17
        ");
        policy.gates.push(finding("made\u{1b}-up", FindingKind::Refuse, "too many"));
        insta::assert_snapshot!(shown(&policy), @r"
          gates      1 refused
          warning    review-by: `reviewBy` has passed
          REFUSED    made\u{1b}-up: too many
          labels     owner=revops, regulation=gdpr|17
        ");
    }

    #[test]
    fn a_share_is_shown_within_a_limit_exactly_when_it_is() {
        let shown =
            |matched, population| share(&PlannedPolicy { matched, population, ..fixture::policy("stale-leads", 1_204) });
        let about = Population::About(10_000);
        assert_eq!([shown(2_996, about), shown(1, Population::Unknown)], [" (about 29.96 %)", ""]);
        let shares =
            [(2_996, 10_000), (29_996, 100_000), (300_001, 1_000_000), (1, 1_000_000), (0, 7), (2, 2), (0, 0), (3, 2)];
        assert_eq!(
            shares.map(|(matched, population)| shown(matched, Population::Exact(population))),
            [" (29.96 %)", " (30 %)", " (30.01 %)", " (0.01 %)", " (0 %)", " (100 %)", "", ""]
        );
    }

    #[test]
    fn tells_why_a_count_moved_as_far_as_it_is_known() {
        let told = |cause, moved: Option<([u64; 4], bool)>, reason: Option<&str>| {
            let mut comparison = fixture::policy("stale-leads", 10).comparison.expect("compared");
            comparison.cause = cause;
            comparison.attribution = moved.map(|(numbers, holds_changed)| {
                let [added_by_policy, added_by_data, dropped_by_policy, dropped_by_data] = numbers;
                Attribution { added_by_policy, added_by_data, dropped_by_policy, dropped_by_data, holds_changed }
            });
            comparison.not_attributed = reason.map(str::to_owned);
            cause_text(&comparison)
        };
        let table = [
            told(CountCause::Nothing, Some(([0; 4], false)), None),
            told(CountCause::Data, Some(([0, 2, 0, 1], false)), None),
            told(CountCause::Policy, Some(([1_000, 0, 0, 0], false)), None),
            told(CountCause::PolicyAndData, Some(([10, 2, 3, 0], false)), None),
            told(CountCause::PolicyAndData, Some(([0, 2, 0, 0], true)), None),
            told(CountCause::PolicyAndData, Some(([0; 4], true)), None),
            told(CountCause::PolicyAndData, None, Some("Lead has no field `Old__c`, or this login may not see it")),
            told(CountCause::PolicyAndData, Some(([u64::MAX; 4], false)), None),
        ];
        let mut reviews_nothing = fixture::policy("stale-leads", 10).comparison.expect("compared");
        (reviews_nothing.cause, reviews_nothing.unreviewed) = (CountCause::Nothing, 4);
        assert!(!cause_text(&reviews_nothing).contains("nothing changed"), "newly selected stands beside it");
        insta::assert_snapshot!(table.join("\n"), @"
        nothing changed: the records still to be deleted are the same as then
        nothing by the policy, 2 more and 1 fewer by the data
        1,000 more by the policy, nothing by the data
        10 more and 3 fewer by the policy, 2 more by the data
        nothing by the policy, 2 more by the data or a hold
        nothing but what is held now
        how much the policy did and how much the data did is not known: Lead has no field `Old__c`, or this login may not see it
        18,446,744,073,709,551,615 more and 18,446,744,073,709,551,615 fewer by the policy, 18,446,744,073,709,551,615 more and 18,446,744,073,709,551,615 fewer by the data
        ");
    }

    #[test]
    fn the_summary_counts_refusals() {
        let mut refused = fixture::policy("stale-leads", 1_204);
        refused.gates[0].kind = FindingKind::Refuse;
        refused.comparison = None;
        assert_eq!(
            plan_summary(&fixture::header(vec![refused])),
            "Plan: 1204 to delete, 96 held; 1 policy refused by a gate."
        );
        assert_eq!(plan_summary(&fixture::header(Vec::new())), "Plan: 0 to delete.");
    }
}
