//! What holds do in a plan, for people.

use std::fmt::Write as _;

use super::Palette;
use super::escape::{markdown_cell, markdown_code_cell, terminal_line};
use crate::base::{counted, with_thousands};
use crate::plan::{HeldBecause, HeldCount, Matching, MissingIds, PlanHeader, PlannedHold};

/// In which ways a hold keeps records of a policy, in brackets; nothing for those that it only names.
pub(super) fn ways(held: &HeldCount) -> String {
    if held.ways.iter().all(|way| way.because == HeldBecause::Named) {
        return String::new();
    }
    let ways = held.ways.iter().map(|way| format!("{} {}", with_thousands(way.records), way.because));
    format!(" ({})", ways.collect::<Vec<_>>().join("; "))
}

/// What a person should know of the holds: those that protect nothing, and what they leave alone. Text of the system is not
/// escaped.
pub(super) fn hold_warnings(header: &PlanHeader) -> Vec<String> {
    let mut warnings = Vec::new();
    for hold in &header.holds {
        if hold.matches_nothing() {
            warnings.push(hold.names_nothing());
        } else if let (Some(Matching::Listed(list)), Some(missing)) =
            (&hold.matching, hold.missing_ids.as_ref().and_then(MissingIds::told))
        {
            let ids = counted(list.ids, "id");
            warnings.push(format!("hold {} lists {ids} of {} in {}: {missing}", hold.hold, hold.object, list.file));
        }
        let (_, others) = not_followed(hold);
        if !others.is_empty() && !hold.matches_nothing() {
            warnings.push(format!(
                "hold {} does not keep records that look up to held ones by {}; with `children` it does",
                hold.hold,
                others.join(", ")
            ));
        }
    }
    let idle: Vec<&str> = header.holds.iter().filter(|hold| hold.reaches_nothing()).map(|hold| hold.hold.as_str()).collect();
    if !idle.is_empty() {
        let verb = if idle.len() == 1 { "reaches" } else { "reach" };
        let holds = counted(idle.len() as u64, "hold");
        warnings.push(format!("{holds} {verb} no policy of this plan: {}", idle.join(", ")));
    }
    warnings
}

/// The lookup fields that a hold does not follow: those of its own object, which it could have named itself, and those of others.
fn not_followed(hold: &PlannedHold) -> (Vec<&str>, Vec<&str>) {
    let own = |field: &&str| field.split_once('.').is_some_and(|(object, _)| object.eq_ignore_ascii_case(&hold.object));
    hold.not_followed.iter().map(String::as_str).partition(own)
}

/// How many records a hold keeps of which policy, and what of its own object it leaves alone. Text of the system is not escaped.
fn keeps(hold: &PlannedHold) -> String {
    let kept = hold.policies.iter().map(|reach| format!("{} in {}", with_thousands(reach.records), reach.policy));
    let mut kept = kept.collect::<Vec<_>>().join(", ");
    let (own, _) = not_followed(hold);
    if !own.is_empty() && !hold.matches_nothing() {
        let _ = write!(kept, "; records below them by {} are not kept", own.join(" or "));
    }
    kept
}

/// How many records a hold names, of which object, and where it keeps some.
fn effect(hold: &PlannedHold) -> String {
    let named = hold.matched.map_or_else(|| "not counted".to_owned(), |matched| counted(matched, "record"));
    format!("{named}; keeps {}", keeps(hold))
}

/// The block of holds for a terminal; empty where there are none.
pub(super) fn holds_text(header: &PlanHeader, palette: Palette) -> String {
    let mut text = String::new();
    if header.holds.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\n{}", palette.strong("holds:"));
    for hold in header.holds.iter().filter(|hold| !hold.reaches_nothing()) {
        let told =
            format!("{}: {} in {}: {}", hold.hold, terminal_line(&hold.object), hold.target, terminal_line(&effect(hold)));
        text.push_str(&palette.hanging("  # ", 4, &told, |line| palette.caution(line)));
        text.push_str(&palette.hanging("    because ", 12, &terminal_line(&hold.reason), str::to_owned));
    }
    for warning in hold_warnings(header) {
        text.push_str(&palette.hanging("  warning  ", 11, &terminal_line(&warning), |line| palette.caution(line)));
    }
    text
}

/// The block of holds for a comment; empty where there are none.
pub(super) fn holds_markdown(header: &PlanHeader) -> String {
    let mut text = String::new();
    if header.holds.is_empty() {
        return text;
    }
    let reaching: Vec<&PlannedHold> = header.holds.iter().filter(|hold| !hold.reaches_nothing()).collect();
    if !reaching.is_empty() {
        text.push_str("\n| hold | object | named | keeps | because |\n|---|---|--:|---|---|\n");
    }
    for hold in reaching {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            hold.hold,
            markdown_code_cell(&hold.object),
            hold.matched.map_or_else(|| "-".to_owned(), with_thousands),
            markdown_cell(&keeps(hold)),
            markdown_cell(&hold.reason),
        );
    }
    text.push('\n');
    for warning in hold_warnings(header) {
        let _ = writeln!(text, "- **warning**: {}", markdown_cell(&warning));
    }
    text
}
