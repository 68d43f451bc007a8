//! What people and machines are shown: human text, JSON, Markdown.
//!
//! Everything here gives text. Printing it is the command line's business, and nothing here knows whether there is a
//! terminal: colour is an argument.

mod apply_view;
pub mod diagnostic;
mod difference_view;
mod escape;
#[cfg(test)]
mod fixture;
mod json;
mod manifest_diff;
mod markdown;
mod plan_view;
mod state_view;
mod style;

pub use apply_view::{Applied, AppliedPolicy, applied_text, apply_summary};
pub use difference_view::differences_text;
pub use escape::{markdown_cell, terminal_line};
pub use json::{JSON_FORMAT, JsonCascade, JsonChanges, JsonEvent, JsonGate, JsonTally, output_schema};
pub use manifest_diff::{manifest_diff, painted_diff};
pub use markdown::plan_markdown;
pub use plan_view::{PlanView, PolicySample, SampleRow, plan_summary, plan_text};
pub use state_view::{state_list_text, state_show_text};
pub use style::Palette;
