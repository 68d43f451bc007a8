//! A plan as a pull request comment.

use crate::base::{counted, shortened, with_thousands};
use std::fmt::Write as _;

use super::hold_view::{holds_markdown, ways};
use super::plan_view::{base_title, cause_text, labels_text, moment, only_text, paced, production, unseen_text};
use super::{
    JsonEvent, Palette, PlanView, View, markdown_cell, markdown_code, markdown_code_cell, plan_summary, terminal_line,
};
use crate::plan::{CountCause, FindingKind, Matching, MissingIds, PlannedPolicy};
use crate::system::DeleteMode;

/// The fewest bytes that the totals and the closing note fit into.
pub const LEAST_MARKDOWN: usize = 1_000;

/// What the closing note may take; kept free while the rest is written.
const NOTE_SPACE: usize = 400;

/// A plan as a pull request comment.
#[derive(Clone, Copy, Debug)]
pub struct MarkdownView<'a> {
    /// The plan.
    pub plan: &'a PlanView<'a>,
    /// The most bytes.
    pub most: usize,
}

impl View for MarkdownView<'_> {
    fn text(&self, _: Palette) -> String {
        plan_markdown(self.plan, self.most)
    }

    fn events(&self) -> Vec<JsonEvent> {
        self.plan.events()
    }
}

/// A plan as Markdown of at most `most` bytes, which are [`LEAST_MARKDOWN`] or more: complete totals first, details while they fit, and
/// at the end what was left out.
///
/// The first line is a hidden marker, so that a script can find and update its comment.
pub fn plan_markdown(view: &PlanView<'_>, most: usize) -> String {
    let header = view.header;
    let mut text = String::from("<!-- sexton plan -->\n");
    let _ = writeln!(text, "**{}**\n", plan_summary(header));
    // The names of people and machines may be long.
    let made_by = format!(" by {}", made_by(view));
    let made_by = if text.len() + NOTE_SPACE + made_by.len() > most { String::new() } else { made_by };
    let space = most.saturating_sub(NOTE_SPACE + made_by.len());
    let mut left_out = Vec::new();
    let only = if header.only.is_empty() { String::new() } else { format!("Only {}.\n\n", only_text(header)) };
    let base = header.base.as_ref().map(|_| format!("Compared with {}.\n\n", markdown_cell(&base_title(header))));
    for (part, what) in [
        (only, "which policies were asked for"),
        (base.unwrap_or_default(), "what it was compared with"),
        (targets_markdown(view), "the targets"),
    ] {
        if text.len() + part.len() > space {
            left_out.push(what.to_owned());
        } else {
            text.push_str(&part);
        }
    }
    // What is refused and what cannot be undone comes first, and keeps its details longest.
    let mut policies: Vec<&PlannedPolicy> = header.policies.iter().collect();
    policies.sort_by_key(|policy| (!policy.is_refused(), policy.settings.delete == DeleteMode::Soft));

    let heads = "| policy | object | delete | matched | held | newly selected | no longer selected |\n|---|---|--:|--:|--:|--:|--:|\n";
    let rows: Vec<String> = policies.iter().copied().map(policy_row).collect();
    let mut written = 0;
    if text.len() + heads.len() <= space {
        text.push_str(heads);
        for row in &rows {
            if text.len() + row.len() > space {
                break;
            }
            text.push_str(row);
            written += 1;
        }
    }
    if written < rows.len() {
        left_out.push(match written {
            0 => "the table".to_owned(),
            written => of_policies("rows", rows.len() - written, rows.len()),
        });
    }

    let holds = holds_markdown(header);
    if text.len() + holds.len() > space {
        let keep = if header.holds.len() == 1 { "keeps" } else { "keep" };
        left_out.push(format!("what {} {keep}", counted(header.holds.len() as u64, "hold")));
    } else {
        text.push_str(&holds);
    }

    let mut details = 0;
    for policy in policies {
        let section = policy_section(policy, view);
        if text.len() + section.len() > space {
            break;
        }
        text.push_str(&section);
        details += 1;
    }
    if details < rows.len() {
        left_out.push(of_policies("details", rows.len() - details, rows.len()));
    }
    let changes: String = header.manifests.changes.lines().map(|line| format!("{}\n", terminal_line(line))).collect();
    if !changes.is_empty() {
        // A fence longer than any run of backticks in the text cannot be closed by it.
        let fence = "`".repeat(longest_run(&changes, '`').max(2) + 1);
        let section = format!(
            "\n<details><summary>Manifests changed since {}</summary>\n\n{fence}diff\n{changes}{fence}\n\n</details>\n",
            markdown_cell(&base_title(header))
        );
        if text.len() + section.len() > space {
            left_out.push("the difference of the manifests".into());
        } else {
            text.push_str(&section);
        }
    }
    let digest = view.digest.map(|digest| format!("plan `{}`{made_by}; ", digest.short())).unwrap_or_default();
    let beyond: u64 = view.samples.values().map(|sample| sample.more).sum();
    if left_out.is_empty() && beyond > 0 {
        let beyond = counted(beyond, "record");
        let _ = writeln!(text, "\n{digest}nothing left out but {beyond} beyond the samples, which are in the plan's files.");
    } else if left_out.is_empty() {
        let _ = writeln!(text, "\n{digest}nothing left out.");
    } else {
        let _ = writeln!(text, "\n{digest}**left out for size**: {}; the totals above are complete.", left_out.join(", "));
    }
    text
}

/// Where the plan deletes, as whom, and until when it can be applied.
fn targets_markdown(view: &PlanView<'_>) -> String {
    let mut text = String::new();
    for (name, target) in &view.header.targets {
        let identity = &target.identity;
        let organization = identity.organization_name.as_deref().map(|name| format!(" {}", markdown_code(name)));
        let environment = match production(target) {
            words if target.is_production() => words.replacen("production", "**production**", 1),
            words => words,
        };
        let _ = writeln!(
            text,
            "- target {name}: {} {}{}, {environment}, as {}{}",
            target.system,
            markdown_code(&identity.organization_id),
            organization.unwrap_or_default(),
            markdown_code(&identity.user_name),
            paced(target).map(|paced| format!("; {paced}")).unwrap_or_default(),
        );
    }
    let _ = writeln!(text, "- expires {}\n", moment(view.header.expires));
    text
}

/// Who made the plan, without anything that is long: the plan itself has it all.
fn made_by(view: &PlanView<'_>) -> String {
    let actor = &view.header.made_by;
    let pipeline = actor.pipeline.as_ref();
    let started_by = pipeline.and_then(|run| run.started_by.as_ref());
    let started_by = started_by.map(|name| format!(", started by {}", shortened(name))).unwrap_or_default();
    let place = pipeline.map(|run| format!(" in {}{started_by}", run.service)).unwrap_or_default();
    markdown_cell(&format!("{}@{}{place}", shortened(&actor.user), shortened(&actor.host)))
}

/// What is left out of some policies.
fn of_policies(what: &str, left_out: usize, all: usize) -> String {
    match (left_out, all) {
        (_, 1) => format!("the {what} of the policy"),
        (left_out, all) if left_out == all => format!("the {what} of every policy"),
        (left_out, all) => format!("the {what} of {} of {}", with_thousands(left_out as u64), counted(all as u64, "policy")),
    }
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|character| character != wanted).map(str::len).max().unwrap_or(0)
}

fn policy_row(policy: &PlannedPolicy) -> String {
    let comparison = policy.comparison.as_ref();
    let compared = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), with_thousands);
    let mode = match policy.settings.delete {
        DeleteMode::Soft => "soft",
        DeleteMode::Hard => "**hard**",
    };
    let by_policy = comparison.and_then(|comparison| comparison.attribution).map_or(0, |moved| moved.added_by_policy);
    let newly_selected = match (compared(comparison.map(|comparison| comparison.newly_selected)), by_policy) {
        (newly_selected, 0) => newly_selected,
        (newly_selected, by_policy) => format!("{newly_selected} ({} by the policy)", with_thousands(by_policy)),
    };
    let gates = match policy.warnings().next() {
        _ if policy.is_refused() => " **refused**",
        Some(_) => " **warning**",
        None => "",
    };
    format!(
        "| {}{gates} | {} ({mode}) | {} | {} | {} | {} | {} |\n",
        policy.policy,
        markdown_code_cell(&policy.object_title()),
        with_thousands(policy.selected),
        with_thousands(policy.matched),
        with_thousands(policy.held()),
        newly_selected,
        compared(comparison.map(|comparison| comparison.no_longer_selected)),
    )
}

fn policy_section(policy: &PlannedPolicy, view: &PlanView<'_>) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n<details><summary>{}: {} to delete</summary>\n",
        policy.policy,
        counted(policy.selected, "record")
    );
    if !policy.labels.is_empty() {
        let _ = writeln!(text, "- labels: {}", labels_text(&policy.labels, markdown_cell));
    }
    let matching = match &policy.query.matching {
        Matching::Everything => "everything".into(),
        matching @ (Matching::Condition(_) | Matching::Listed(_)) => markdown_code(&matching.to_string()),
    };
    let _ = writeln!(text, "- where {matching}");
    if let Some(missing) = policy.missing_ids.as_ref().and_then(MissingIds::told) {
        let _ = writeln!(text, "- of the list {missing}");
    }
    if let Some(comparison) = policy.comparison.as_ref().filter(|comparison| comparison.cause != CountCause::Nothing) {
        let _ = writeln!(text, "- why: {}", markdown_cell(&cause_text(comparison)));
    }
    if let Some(route) = &policy.route {
        let _ = writeln!(text, "- route: {}", markdown_cell(&format!("{}; {}", route.api.title(), route.reason)));
    }
    for held in &policy.holds {
        let ways = markdown_cell(&ways(held));
        let _ = writeln!(text, "- {} held by {}{ways}", with_thousands(held.records), held.hold);
    }
    if let Some(justification) = &policy.settings.justification {
        let _ = writeln!(text, "- because {}", markdown_cell(justification));
    }
    if !policy.unseen_cascades.is_empty() {
        let _ = writeln!(text, "- not seen: {}", markdown_cell(&unseen_text(policy)));
    }
    for others in &policy.planned_elsewhere {
        let records = with_thousands(others.records);
        let _ = writeln!(text, "- {records} more of its records are planned by policy {}", others.policy);
    }
    for finding in policy.refusals().chain(policy.warnings()) {
        let word = if finding.kind == FindingKind::Refuse { "**refuses**" } else { "**warns**" };
        let _ = writeln!(text, "- gate {} {word}: {}", markdown_code(&finding.gate), markdown_cell(&finding.message));
    }
    let passed = policy.gates.iter().filter(|finding| finding.kind == FindingKind::Pass);
    let passed: Vec<String> = passed.map(|finding| markdown_code(&finding.gate)).collect();
    if !passed.is_empty() {
        let _ = writeln!(text, "- gates passed: {}", passed.join(", "));
    }
    if let Some(sample) = view.samples.get(&policy.policy)
        && !sample.rows.is_empty()
    {
        let columns: Vec<String> = sample.columns.iter().map(|column| markdown_cell(column)).collect();
        let _ = write!(text, "\n| | id |");
        columns.iter().for_each(|column| {
            let _ = write!(text, " {column} |");
        });
        let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(columns.len()));
        for row in &sample.rows {
            let _ = write!(text, "| {} | {} |", markdown_cell(&row.symbol.character().to_string()), row.id);
            row.values.iter().for_each(|value| {
                let _ = write!(text, " {} |", markdown_cell(value));
            });
            text.push('\n');
        }
        if sample.more > 0 {
            let path = markdown_code(&policy.records.path);
            let _ = writeln!(text, "\nand {} more in {path}", with_thousands(sample.more));
        }
    }
    text.push_str("\n</details>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::report::fixture;

    #[test]
    fn gives_totals_first_and_escapes_what_the_system_says() {
        let mut header = fixture::header(vec![fixture::policy("stale-leads", 1_204)]);
        header.manifests.changes = "+```\n".into();
        let samples = fixture::samples();
        let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: "plan" };
        insta::assert_snapshot!(plan_markdown(&view, 65_000), @r"
        <!-- sexton plan -->
        **Plan: 1204 to delete, 96 held, 4 newly selected, 1 tried again, 1199 already reviewed, 7 no longer selected.**

        Compared with plan 6db7d803e74f of the revision main\\u\{1b\}\[2J.

        - target crm: salesforce `00D000000000001EAA` `Northwind \u{1b}[31m`, **production**, as `admin@northwind.example`
        - expires 2026-11-28 10:00 UTC

        | policy | object | delete | matched | held | newly selected | no longer selected |
        |---|---|--:|--:|--:|--:|--:|
        | stale-leads | `Lead` (soft) | 1,204 | 1,300 | 96 | 4 (3 by the policy) | 7 |

        <details><summary>stale-leads: 1,204 records to delete</summary>

        - labels: owner=revops, regulation=gdpr\|17
        - where `IsConverted = false AND LastActivityDate < 2023-11-21`
        - why: 3 more by the policy, 1 more and 7 fewer by the data
        - route: sObject Collections; up to 2,000 records go through sObject Collections
        - 96 held by acme-litigation
        - gates passed: `max-records`

        | | id | Company |
        |---|---|---|
        | - | 00Q000000000001EAA | &lt;b&gt;Acme&lt;/b&gt; \| &#64;all |
        | \~ | 00Q000000000002EAA | x\\u\{1b\}\[2J |

        and 1,202 more in `records/stale-leads.csv`

        </details>

        <details><summary>Manifests changed since plan 6db7d803e74f of the revision main\\u\{1b\}\[2J</summary>

        ````diff
        +```
        ````

        </details>

        plan `64879f7d6b96` by ada&#64;desk; nothing left out but 1,202 records beyond the samples, which are in the plan's files.
        ");
    }

    #[test]
    fn never_grows_past_its_limit_and_says_what_is_missing() {
        let policies: Vec<_> = (0..60).map(|number| fixture::policy(&format!("policy-{number}"), 1_000 + number)).collect();
        let mut header = fixture::header(policies);
        header.manifests.changes = "-x\n".into();
        let samples = fixture::samples();
        let view = PlanView { header: &header, digest: None, samples: &samples, place: "plan" };
        let whole = plan_markdown(&view, usize::MAX);
        assert!(whole.contains("nothing left out but "), "the records beyond the samples are");
        for most in (LEAST_MARKDOWN..whole.len()).step_by(487) {
            let text = plan_markdown(&view, most);
            assert!(text.len() <= most, "{} > {most}", text.len());
            assert!(text.contains("Plan: 61770 to delete"), "totals are complete");
            assert!(text.contains("left out for size"), "at {most}");
        }
    }

    #[test]
    fn the_least_takes_the_totals_of_any_plan() {
        let long = |number: usize| format!("{number}-{}", "x".repeat(50));
        let mut policies: Vec<_> = (0..1_000).map(|number| fixture::policy(&long(number), 2_000)).collect();
        policies[0].gates[0].kind = FindingKind::Refuse;
        let mut header = fixture::header(policies);
        header.only = header.policies.iter().map(|policy| policy.policy.clone()).collect();
        if let Some(base) = &mut header.base {
            base.revision = Some("|".repeat(500));
        }
        header.made_by.user = "|".repeat(500);
        header.manifests.changes = "-x\n".repeat(1_000);
        let samples = fixture::samples();
        let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: "plan" };
        let text = plan_markdown(&view, LEAST_MARKDOWN);
        assert!(text.len() <= LEAST_MARKDOWN, "{}", text.len());
        insta::assert_snapshot!(text, @r"
        <!-- sexton plan -->
        **Plan: 2000000 to delete, 96000 held, 4000 newly selected, 1000 tried again, 1995000 already reviewed, 7000 no longer selected; 1 policy refused by a gate.**

        - target crm: salesforce `00D000000000001EAA` `Northwind \u{1b}[31m`, **production**, as `admin@northwind.example`
        - expires 2026-11-28 10:00 UTC


        plan `64879f7d6b96` by \|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|\|…&#64;desk; **left out for size**: which policies were asked for, what it was compared with, the table, the details of every policy, the difference of the manifests; the totals above are complete.
        ");
    }

    #[test]
    fn what_is_left_out_of_policies_is_said_of_one_of_some_and_of_all() {
        let said = [(1, 1), (3, 3), (1_200, 2_000)].map(|(left_out, all)| of_policies("details", left_out, all));
        assert_eq!(
            said,
            ["the details of the policy", "the details of every policy", "the details of 1,200 of 2,000 policies"]
        );
    }
}
