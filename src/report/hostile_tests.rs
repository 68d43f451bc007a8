//! Whatever text a bundle has, nobody's terminal obeys it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CheckView, Palette, PlanView, Use, View, fixture, plan_markdown};
use crate::base::{CommandError, Digest, Exit, is_dangerous};
use crate::plan::PlanHeader;

/// What clears a screen, in both of its forms, and what turns the direction of a line.
const HOSTILE: &str = "x\u{1b}[2J\u{9b}2J\u{202e}\r\ny";

/// The places of all texts and keys of texts in a value, as JSON pointers.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) | Value::Null => found.push(at),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| places(item, format!("{at}/{number}"), found));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, item)| places(item, format!("{at}/{key}"), found)),
        Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_text_of_a_bundle_speaks_to_a_terminal() {
    let mut unknown = fixture::policy("unknown", 10);
    if let Some(comparison) = &mut unknown.comparison {
        (comparison.attribution, comparison.not_attributed) = (None, Some("a field is gone".into()));
    }
    let mut header = fixture::header(vec![fixture::policy("stale-leads", 1_204), unknown]);
    header.manifests.changes = "--- a\n+b\n".into();
    header.holds = vec![fixture::hold("northwind", Some(120), &[("stale-leads", 96)])];
    let sealed = serde_json::to_value(&header).expect("JSON");
    let mut found = Vec::new();
    places(&sealed, String::new(), &mut found);
    let mut taken = Vec::new();
    for place in &found {
        let mut altered = sealed.clone();
        *altered.pointer_mut(place).expect("a place") = HOSTILE.into();
        let Ok(header) = serde_json::from_value::<PlanHeader>(altered) else { continue };
        let samples = fixture::samples();
        let view = PlanView { header: &header, digest: Some(Digest::of(b"plan")), samples: &samples, place: HOSTILE };
        let lines: Vec<String> = view.events().iter().map(super::JsonEvent::line).collect();
        let texts = [view.text(Palette::new(false)), plan_markdown(&view, 65_000), lines.join("\n")];
        let sealed = String::from_utf8(header.to_bytes().expect("JSON")).expect("text");
        for text in texts.iter().chain([&sealed]) {
            let acts = |character: &char| *character != '\n' && is_dangerous(*character);
            assert_eq!(text.chars().find(acts), None, "{place}: {text:?}");
        }
        // Nor does it begin a line of its own, but where lines are what is shown.
        let breaks = texts.iter().any(|text| text.lines().any(|line| line == "y"));
        assert!(!breaks || place == "/manifests/changes", "{place}");
        taken.push(place.as_str());
    }
    // Not every text can be any: a name, a digest, a word of ours. These can.
    for place in [
        "/policies/0/route/reason",
        "/policies/0/gates/0/gate",
        "/policies/0/labels/owner",
        "/policies/1/comparison/notAttributed",
        "/madeBy/host",
        "/holds/0/reason",
        "/holds/0/object",
    ] {
        assert!(taken.contains(&place), "{place} was not tried: {taken:?}");
    }
    assert!(taken.len() > 15, "{taken:?}");
}

#[test]
fn neither_does_a_name_in_its_keys() {
    let mut policy = fixture::policy("stale-leads", 1_204);
    policy.labels = BTreeMap::from([(HOSTILE.to_owned(), HOSTILE.to_owned())]);
    let header = fixture::header(vec![policy]);
    let view = PlanView { header: &header, digest: None, samples: &BTreeMap::new(), place: "plan" };
    for text in [view.text(Palette::new(false)), plan_markdown(&view, 65_000)] {
        assert!(!text.chars().any(|character| character != '\n' && is_dangerous(character)), "{text:?}");
    }
}

#[test]
fn nor_does_what_keeps_a_plan_from_being_applied() {
    let header = fixture::header(vec![fixture::policy("stale-leads", 1_204)]);
    let reason = CommandError::new(Exit::PlanUnusable, HOSTILE).with_note(HOSTILE).with_help(HOSTILE);
    let used = Use::Unknown(HOSTILE.into());
    let (plan, exit) = (Digest::of(b"plan"), Exit::PlanUnusable);
    let view =
        CheckView { header: &header, plan, place: HOSTILE, used: &used, reasons: &[reason], left_out: Vec::new(), exit };
    let lines: Vec<String> = view.events().iter().map(super::JsonEvent::line).collect();
    for text in [view.text(Palette::new(false)), lines.join("\n")] {
        assert!(!text.chars().any(|character| character != '\n' && is_dangerous(character)), "{text:?}");
        assert!(text.lines().all(|line| line != "y"), "{text}");
    }
}
