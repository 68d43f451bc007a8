//! What people and machines are shown: human text, JSON, Markdown.
//!
//! Everything here gives text. Printing it is the command line's business, and nothing here knows whether there is a
//! terminal: colour is an argument.

mod applied;
mod apply_view;
mod check_view;
pub mod diagnostic;
mod diagnostic_report;
mod difference_view;
mod error_view;
mod escape;
mod events;
mod files_view;
#[cfg(test)]
mod fixture;
mod hold_view;
#[cfg(test)]
mod hostile_tests;
mod json;
mod manifest_diff;
mod markdown;
mod plan_view;
mod policy_table;
#[cfg(feature = "sandbox")]
mod sandbox_view;
#[cfg(test)]
mod screens;
mod state_view;
mod style;
mod validation_view;
mod view;

pub use applied::{Applied, AppliedPolicy};
pub use apply_view::{AppliedView, applied_text, apply_summary};
pub use check_view::{CheckView, Use};
pub use diagnostic_report::{DiagnosticReport, PositionReport, RangeReport, RelatedReport};
pub use difference_view::{ChangeView, DifferenceView, RecordView};
pub use escape::{markdown_cell, markdown_code, markdown_code_cell, terminal_line};
pub use files_view::FilesView;
pub use json::{
    JSON_FORMAT, JsonActor, JsonAttribution, JsonBase, JsonCascade, JsonChanges, JsonElsewhere, JsonEvent, JsonGate,
    JsonHoldReach, JsonList, JsonPassedOver, JsonTally, output_schema,
};
pub use manifest_diff::{manifest_diff, painted_diff};
pub use markdown::{LEAST_MARKDOWN, MarkdownView, plan_markdown};
pub use plan_view::{PlanView, PolicySample, SampleRow, plan_summary, plan_text};
#[cfg(feature = "sandbox")]
pub use sandbox_view::SandboxView;
pub use state_view::{StateListView, StateView};
pub use style::Palette;
pub use validation_view::ValidationView;
pub use view::{Done, Heading, Note, PlainText, View, Warning};
