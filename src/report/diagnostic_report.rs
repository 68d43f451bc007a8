//! Findings about manifests as data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{Diagnostic, Severity, SourceMap, Span};

/// One finding as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiagnosticReport {
    /// Its stable code, such as `M0101`.
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// One sentence.
    pub summary: String,
    /// What the label at the place says, and further facts; may be empty.
    pub detail: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where; absent when the finding has no place in a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<RangeReport>,
    /// The line of the place, with what may be secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// Further places, such as the first of two that have the same name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedReport>,
}

/// Another place that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RelatedReport {
    /// What is there.
    pub message: String,
    /// Where.
    pub range: RangeReport,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RangeReport {
    /// The file, relative to the directory that was read.
    pub filename: String,
    /// The first character.
    pub start: PositionReport,
    /// One past the last character.
    pub end: PositionReport,
}

/// A position: line and column from 1, the column in characters; the byte from 0, after any byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PositionReport {
    /// The line.
    pub line: usize,
    /// The column in characters.
    pub column: usize,
    /// The byte.
    pub byte: usize,
}

/// A finding as data. The key names are those that users of `terraform validate -json` know. Texts are as they are in the files,
/// masked but not escaped: JSON escapes them.
pub fn diagnostic_report(diagnostic: &Diagnostic, sources: &SourceMap) -> DiagnosticReport {
    let first = diagnostic.labels.first();
    let label = first.map(|label| label.text.clone()).filter(|text| !text.is_empty());
    DiagnosticReport {
        code: diagnostic.code.0,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        summary: diagnostic.title.clone(),
        detail: label.into_iter().chain(diagnostic.notes.iter().cloned()).collect::<Vec<_>>().join("; "),
        help: diagnostic.help.clone(),
        range: first.and_then(|label| range(label.span, sources)),
        snippet: first.and_then(|label| line_of(label.span, sources)),
        related: diagnostic
            .labels
            .iter()
            .skip(1)
            .filter_map(|label| Some(RelatedReport { message: label.text.clone(), range: range(label.span, sources)? }))
            .collect(),
    }
}

fn range(span: Span, sources: &SourceMap) -> Option<RangeReport> {
    let source = sources.get(span.source)?;
    let position = |byte: usize| {
        let at = source.line_column(byte);
        PositionReport { line: at.line, column: at.column, byte }
    };
    Some(RangeReport { filename: source.name.clone(), start: position(span.start), end: position(span.end) })
}

/// The line on which a span starts, at most 200 characters of it.
fn line_of(span: Span, sources: &SourceMap) -> Option<String> {
    let text = &sources.get(span.source)?.text;
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let end = text.get(span.start..)?.find('\n').map_or(text.len(), |length| span.start + length);
    let shown = sources.shown(Span { source: span.source, start, end })?;
    Some(shown.trim_end_matches('\r').chars().take(200).collect())
}
