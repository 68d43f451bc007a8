//! What people see of a large plan, on narrow and wide screens and in comments of two sizes.

use std::collections::BTreeMap;

use super::fixture;
use super::{Palette, PlanView, plan_markdown, plan_text};
use crate::base::{Digest, HoldName};
use crate::plan::{FindingKind, GateFinding, HeldBecause, HeldCount, HeldWay, PlanHeader, PlannedHold, PlannedPolicy};
use crate::system::DeleteMode;

/// Forty policies: three refused, five hard, two with holds, and some that find nothing.
fn plan() -> PlanHeader {
    let policies: Vec<PlannedPolicy> = (1..=40).map(policy).collect();
    let mut header = fixture::header(policies);
    header.holds = vec![
        fixture::hold("northwind", Some(120), &[("retention-07", 96), ("retention-21", 4)]),
        PlannedHold {
            object: "Account".into(),
            not_followed: vec!["Lead.ConvertedAccountId".into()],
            ..fixture::hold("elsewhere", None, &[])
        },
    ];
    header
}

fn policy(number: u64) -> PlannedPolicy {
    let mut policy = fixture::policy(&format!("retention-{number:02}"), number * 31);
    policy.matched = policy.selected;
    policy.holds.clear();
    policy.labels.clear();
    if [7, 21].contains(&number) {
        let records = if number == 7 { 96 } else { 4 };
        policy.matched = policy.selected + records;
        let ways = vec![HeldWay { because: HeldBecause::Named, records }];
        policy.holds = vec![HeldCount { hold: HoldName::new("northwind").expect("valid"), records, ways }];
    }
    if [4, 12, 20, 28, 36].contains(&number) {
        policy.settings.delete = DeleteMode::Hard;
        policy.settings.justification =
            Some("Retention schedule 7.2: closed for seven years and exported to the archive".into());
    }
    if [9, 18, 27].contains(&number) {
        policy.gates.push(GateFinding {
            gate: "max-percent".into(),
            kind: FindingKind::Refuse,
            message: format!(
                "{} of 40,000 records are selected, 12.5 % of the object and more than `limits.maxPercent: 5`: narrow the \
                 filter, or raise the limit in the same pull request",
                number * 31
            ),
        });
    }
    if number % 8 == 3 && number != 27 {
        (policy.matched, policy.selected, policy.route, policy.comparison) = (0, 0, None, None);
    }
    policy
}

fn screen(columns: usize) -> String {
    let (header, samples) = (plan(), BTreeMap::new());
    let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: "plan" };
    let text = plan_text(&view, Palette::new(false).within(Some(columns)));
    let is_one_word = |line: &str| line.split_whitespace().count() < 3;
    // The summary is for scripts, too, and is one line.
    for line in text.lines().filter(|line| !line.starts_with("Plan: ")) {
        assert!(line.chars().count() <= columns || is_one_word(line), "{columns}: {line}");
    }
    text
}

#[test]
fn a_plan_of_forty_policies_fits_screens_of_60_100_and_200_columns() {
    for columns in [60, 100, 200] {
        insta::assert_snapshot!(format!("columns_{columns}"), screen(columns));
    }
}

#[test]
fn its_comment_keeps_what_is_refused_and_hard_at_8_000_and_65_000_bytes() {
    let (header, samples) = (plan(), BTreeMap::new());
    let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: "plan" };
    for most in [8_000, 65_000] {
        let comment = plan_markdown(&view, most);
        assert!(comment.len() <= most);
        for number in [9, 18, 27] {
            assert!(comment.contains(&format!("<summary>retention-{number:02}")), "{most}: a refusal lost its details");
        }
        insta::assert_snapshot!(format!("comment_{most}"), comment);
    }
}

#[test]
fn what_a_comment_leaves_out_is_named_in_it() {
    let (header, samples) = (plan(), BTreeMap::new());
    let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: "plan" };
    let whole = plan_markdown(&view, usize::MAX);
    let mut named = [false; 4];
    for most in (600..whole.len()).step_by(97) {
        let comment = plan_markdown(&view, most);
        let left_out = comment.lines().last().expect("a line");
        let count = |start: &str| comment.lines().filter(|line| line.starts_with(start)).count();
        let rows = count("| retention-");
        for (place, (words, is_missing)) in [
            ("the targets", count("- target crm") == 0),
            (if rows == 0 { "the table" } else { "the rows of " }, rows < 40),
            ("2 holds", count("| northwind |") == 0),
            ("the details of ", count("<details><summary>retention-") < 40),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(left_out.contains(words), is_missing, "{most}: {words}: {left_out}");
            named[place] |= is_missing;
        }
    }
    assert_eq!(named, [true; 4], "something was never left out");
}
