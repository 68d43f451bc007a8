//! Whether a plan can still be applied.

use std::fmt::Write as _;

use super::plan_view::moment;
use super::{JsonEvent, Palette, View, terminal_line};
use crate::base::{CommandError, Digest, Exit, PolicyName, counted};
use crate::plan::PlanHeader;

/// Whether a plan was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// No apply of it ever began.
    Unused,
    /// One did.
    Used,
    /// The store does not say, and why.
    Unknown(String),
}

/// Whether a plan can still be applied, as far as that is known without asking a system.
#[derive(Clone, Debug)]
pub struct CheckView<'a> {
    /// The plan.
    pub header: &'a PlanHeader,
    /// Its digest.
    pub plan: Digest,
    /// Where it lies, as a person would type it.
    pub place: &'a str,
    /// Whether it was used.
    pub used: &'a Use,
    /// Why it cannot be applied; empty where it can.
    pub reasons: &'a [CommandError],
    /// The policies of the manifests that it does not have.
    pub left_out: Vec<&'a PolicyName>,
    /// What the command ends with.
    pub exit: Exit,
}

impl View for CheckView<'_> {
    fn text(&self, palette: Palette) -> String {
        let mut text = String::new();
        let (digest, place) = (self.plan.short(), terminal_line(self.place));
        let records = counted(self.header.selected(), "record");
        let expires = moment(self.header.expires);
        let _ = writeln!(text, "plan {digest} in {place}: {records} to delete, whole, expires {expires}");
        for reason in self.reasons {
            let _ = writeln!(text, "{} {}", palette.problem("REFUSED"), terminal_line(&reason.title));
            for note in &reason.notes {
                let _ = writeln!(text, "  = {}", terminal_line(note));
            }
            if let Some(help) = &reason.help {
                let _ = writeln!(text, "  help: {}", terminal_line(help));
            }
        }
        if let Use::Unknown(why) = self.used {
            let _ = writeln!(text, "{} not known whether used: {}", palette.caution("note:"), terminal_line(why));
        }
        for policy in &self.left_out {
            let _ = writeln!(text, "{} policy `{policy}` is not in this plan", palette.caution("note:"));
        }
        let end = match (self.exit, self.used) {
            (Exit::Done, Use::Unknown(_)) => "Check: can be applied, unless it was used.",
            (Exit::Done, _) => "Check: can be applied.",
            _ => "Check: cannot be applied.",
        };
        let _ = writeln!(text, "{}", palette.strong(end));
        text
    }

    fn events(&self) -> Vec<JsonEvent> {
        let reasons = self.reasons.iter().flat_map(|reason| std::iter::once(&reason.title).chain(&reason.notes));
        vec![JsonEvent::PlanCheck {
            plan: self.plan.to_string(),
            directory: self.place.to_owned(),
            applicable: self.exit == Exit::Done,
            used: match self.used {
                Use::Unused => Some(false),
                Use::Used => Some(true),
                Use::Unknown(_) => None,
            },
            expires: self.header.expires.to_string(),
            delete: self.header.selected(),
            reasons: reasons.cloned().collect(),
            left_out: self.left_out.iter().map(ToString::to_string).collect(),
            exit_code: self.exit.code(),
        }]
    }
}
