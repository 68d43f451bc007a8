//! The state as people read it in a terminal.

use std::fmt::Write as _;

use super::apply_view::{other_ends, parts};
use super::plan_view::moment;
use super::{JsonEvent, Palette, View, terminal_line};
use crate::base::{PolicyName, counted, with_thousands};
use crate::state::State;

/// The state, one line a policy.
#[derive(Clone, Copy, Debug)]
pub struct StateListView<'a>(pub &'a State);

impl View for StateListView<'_> {
    fn text(&self, _: Palette) -> String {
        state_list_text(self.0)
    }

    fn events(&self) -> Vec<JsonEvent> {
        vec![JsonEvent::State { state: Box::new(self.0.clone()) }]
    }
}

/// The state, everything in it.
#[derive(Clone, Copy, Debug)]
pub struct StateView<'a> {
    /// The state.
    pub state: &'a State,
    /// If given, the text shows only this policy; the JSON form always has everything.
    pub only: Option<&'a PolicyName>,
}

impl View for StateView<'_> {
    fn text(&self, palette: Palette) -> String {
        state_show_text(self.state, self.only, palette)
    }

    fn events(&self) -> Vec<JsonEvent> {
        StateListView(self.state).events()
    }
}

/// One line a policy.
fn state_list_text(state: &State) -> String {
    let mut text = String::new();
    for (name, history) in &state.policies {
        let last = history.runs.last();
        let deleted =
            last.map_or_else(|| "never applied".into(), |run| format!("{} deleted", with_thousands(run.tally.deleted)));
        let when = last.map_or_else(|| "-".into(), |run| moment(run.finished));
        let _ = writeln!(text, "{name}  {when}  {deleted}  {} open", with_thousands(history.open_total));
    }
    text
}

/// Everything about one policy, or about all of them.
fn state_show_text(state: &State, only: Option<&PolicyName>, palette: Palette) -> String {
    let mut text = String::new();
    if only.is_none() {
        let _ =
            writeln!(text, "lineage {}  serial {}  version {}", terminal_line(&state.lineage), state.serial, state.version);
        for plan in &state.consumed {
            let end = plan.finished.map_or_else(
                || palette.caution("not finished: `sexton apply --continue` finishes it"),
                |finished| format!("{} {}", if plan.abandoned { "abandoned" } else { "finished" }, moment(finished)),
            );
            let _ = writeln!(text, "plan {}  started {}  {end}", plan.plan.short(), moment(plan.started));
            let _ = writeln!(text, "  by {}", terminal_line(&plan.started_by.to_string()));
            if let Some(other) = plan.finished_by.as_ref().filter(|other| **other != plan.started_by) {
                let _ = writeln!(text, "  finished by {}", terminal_line(&other.to_string()));
            }
        }
    }
    for (name, history) in state.policies.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let _ = writeln!(text, "{}", palette.strong(&format!("policy {name}:")));
        for run in &history.runs {
            let tally = run.tally;
            let _ = writeln!(
                text,
                "  {}  plan {}  {} deleted{}",
                moment(run.finished),
                run.plan.short(),
                with_thousands(tally.deleted),
                parts(other_ends(tally), with_thousands)
            );
        }
        for open in history.open.iter().take(20) {
            let _ = writeln!(text, "  {} {}  {}", palette.caution("open"), open.id, terminal_line(&open.code));
        }
        let more = history.open_total.saturating_sub(history.open.len().min(20) as u64);
        if more > 0 {
            let _ = writeln!(text, "  and {} open", counted(more, "more record"));
        }
    }
    text
}
