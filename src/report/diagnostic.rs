//! Findings about manifests, drawn for people and given as data. The only file that knows `annotate-snippets`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonEvent;
use super::escape::{is_dangerous, terminal_line};
use crate::base::{Diagnostic, Label, Severity, SourceId, SourceMap, Span, counted};

/// Draws findings as rustc draws its own, followed by a line that counts them. Empty when there are none.
///
/// `width` is that of the terminal in columns; longer lines are cut round the place that matters. Texts of files and systems
/// are escaped, so that they cannot speak to the terminal, and masked where they may be secrets.
pub fn draw(diagnostics: &[Diagnostic], sources: &SourceMap, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        let _ = write!(drawn, "{}\n\n", draw_one(diagnostic, sources, &renderer));
    }
    let counts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, noun)| (diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count(), noun))
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count as u64, noun))
        .collect();
    if !counts.is_empty() {
        let _ = writeln!(drawn, "{}", counts.join(", "));
    }
    drawn
}

fn draw_one(diagnostic: &Diagnostic, sources: &SourceMap, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    // One excerpt a file, that of the first label first.
    let first = diagnostic.labels.first().map(|label| label.span.source);
    let mut excerpts: BTreeMap<(bool, SourceId), Vec<(usize, &Label)>> = BTreeMap::new();
    for (number, label) in diagnostic.labels.iter().enumerate() {
        excerpts.entry((Some(label.span.source) != first, label.span.source)).or_default().push((number, label));
    }
    for ((_, source), labels) in excerpts {
        if let Some(snippet) = excerpt(source, &labels, sources) {
            elements.push(snippet.into());
        }
    }
    for note in &diagnostic.notes {
        elements.push(Level::NOTE.message(terminal_line(note)).into());
    }
    if let Some(help) = &diagnostic.help {
        elements.push(Level::HELP.message(terminal_line(help)).into());
    }
    renderer.render(&[level.primary_title(terminal_line(&diagnostic.title)).id(diagnostic.code.0).elements(elements)])
}

/// The lines of one file that labels stand on.
fn excerpt<'a>(id: SourceId, labels: &[(usize, &'a Label)], sources: &'a SourceMap) -> Option<Snippet<'a, Annotation<'a>>> {
    let source = sources.get(id)?;
    let start = labels.iter().map(|(_, label)| label.span.start).min()?;
    let end = labels.iter().map(|(_, label)| label.span.end).max()?;
    // Only the lines in question are handed over: a file may be a megabyte, and every finding draws its own excerpt.
    let from = source.text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let to = source.text.get(end..)?.find('\n').map_or(source.text.len(), |length| end + length);
    let shown = sources.shown(Span { source: id, start: from, end: to })?.replace("\r\n", " \n");
    let (text, moved) = escaped_with_offsets(shown.strip_suffix('\r').unwrap_or(&shown));
    let mut snippet = Snippet::source(text).line_start(source.line_column(from).line).path(terminal_line(&source.name));
    for (number, label) in labels {
        let kind = if *number == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let at = |offset: usize| moved.get(offset - from).copied().unwrap_or(offset - from);
        let annotation = kind.span(at(label.span.start)..at(label.span.end));
        snippet = snippet.annotation(if label.text.is_empty() {
            annotation
        } else {
            annotation.label(terminal_line(&label.text))
        });
    }
    Some(snippet)
}

/// Lines of a file that a terminal can show, and where each byte went. One character stands for each, so that columns stay true.
fn escaped_with_offsets(text: &str) -> (String, Vec<usize>) {
    let mut escaped = String::with_capacity(text.len());
    let mut moved = Vec::with_capacity(text.len() + 1);
    for character in text.chars() {
        moved.extend(std::iter::repeat_n(escaped.len(), character.len_utf8()));
        escaped.push(match character {
            // Tabs are drawn as spaces by the renderer.
            '\n' | '\t' => character,
            // The pictures of control characters stand in Unicode in the order of the characters.
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
            _ if is_dangerous(character) => char::REPLACEMENT_CHARACTER,
            _ => character,
        });
    }
    moved.push(escaped.len());
    (escaped, moved)
}

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

/// Findings as one event. The key names are those that users of `terraform validate -json` know. Texts are as they are in
/// the files, masked but not escaped: JSON escapes them.
pub fn report(diagnostics: &[Diagnostic], sources: &SourceMap) -> JsonEvent {
    let error_count = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    JsonEvent::Validation {
        valid: error_count == 0,
        error_count,
        warning_count: diagnostics.len() - error_count,
        diagnostics: diagnostics.iter().map(|diagnostic| report_one(diagnostic, sources)).collect(),
    }
}

fn report_one(diagnostic: &Diagnostic, sources: &SourceMap) -> DiagnosticReport {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::DiagnosticCode;

    const CODE: DiagnosticCode = DiagnosticCode("M0101");

    fn at(source: SourceId, start: usize, end: usize) -> Span {
        Span { source, start, end }
    }

    #[test]
    fn draws_as_rustc_does_with_every_file_that_is_concerned() {
        let mut sources = SourceMap::default();
        let one = sources.add("one.yaml", "a: 1\nname: x\n");
        let two = sources.add("two.yaml", "b: ö\nname: x\n");
        let finding = Diagnostic::error(CODE, "the name is given twice", at(two, 11, 12), "again here")
            .with_label(at(one, 11, 12), "first here")
            .with_note("a fact")
            .with_help("rename one");
        let warning = Diagnostic::bare(CODE, "nothing to see").as_warning();
        insta::assert_snapshot!(draw(&[finding, warning], &sources, false, 80), @"
        error[M0101]: the name is given twice
         --> two.yaml:2:6
          |
        2 | name: x
          |      ^ again here
          |
         ::: one.yaml:2:7
          |
        2 | name: x
          |       - first here
          |
          = note: a fact
          = help: rename one

        warning[M0101]: nothing to see

        1 error, 1 warning
        ");
    }

    #[test]
    fn neither_text_nor_file_names_can_speak_to_the_terminal() {
        let mut sources = SourceMap::default();
        let id = sources.add("\u{1b}[2J.yaml", "a: \u{1b}]0;x\u{7}\tb\u{202e}c\r\n");
        let finding = Diagnostic::error(CODE, "bad \u{1b}[31m key\n", at(id, 10, 11), "l\u{9b}").with_help("h\r");
        let drawn = draw(std::slice::from_ref(&finding), &sources, false, 80);
        assert!(!drawn.chars().any(|character| character != '\n' && is_dangerous(character)), "{drawn:?}");
        insta::assert_snapshot!(drawn, @r"
        error[M0101]: bad \u{1b}[31m key\n
         --> \u{1b}[2J.yaml:1:11
          |
        1 | a: ␛]0;x␇    b�c
          |              ^ l\u{9b}
          |
          = help: h\r

        1 error
        ");
        assert!(draw(&[finding], &sources, true, 80).contains("\u{1b}["), "colour is ours to use");
    }

    #[test]
    fn secrets_are_masked_in_both_forms() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", "clientSecret: hunter2\n");
        sources.mask(at(id, 14, 21));
        let finding = Diagnostic::error(CODE, "a secret", at(id, 14, 21), "here");
        let drawn = draw(std::slice::from_ref(&finding), &sources, false, 80);
        let json = serde_json::to_string(&report(&[finding], &sources)).expect("JSON");
        assert!(!drawn.contains("hunter2") && !json.contains("hunter2"), "{drawn}{json}");
        assert!(drawn.contains("clientSecret: *******"), "{drawn}");
    }

    #[test]
    fn gives_positions_as_data() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", "ä: 1\nbé: 2\n");
        let finding =
            Diagnostic::error(CODE, "one", at(id, 6, 9), "label").with_label(at(id, 0, 2), "other").with_help("do");
        insta::assert_snapshot!(serde_json::to_string_pretty(&report(&[finding], &sources)).expect("JSON"), @r#"
        {
          "type": "validation",
          "valid": false,
          "errorCount": 1,
          "warningCount": 0,
          "diagnostics": [
            {
              "code": "M0101",
              "severity": "error",
              "summary": "one",
              "detail": "label",
              "help": "do",
              "range": {
                "filename": "a.yaml",
                "start": {
                  "line": 2,
                  "column": 1,
                  "byte": 6
                },
                "end": {
                  "line": 2,
                  "column": 3,
                  "byte": 9
                }
              },
              "snippet": "bé: 2",
              "related": [
                {
                  "message": "other",
                  "range": {
                    "filename": "a.yaml",
                    "start": {
                      "line": 1,
                      "column": 1,
                      "byte": 0
                    },
                    "end": {
                      "line": 1,
                      "column": 2,
                      "byte": 2
                    }
                  }
                }
              ]
            }
          ]
        }
        "#);
    }
}
