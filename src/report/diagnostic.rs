//! Findings about manifests, drawn for people. The only file that knows `annotate-snippets`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Renderer, Snippet};

use super::terminal_line;
use crate::base::{Diagnostic, Label, Severity, SourceId, SourceMap, Span, counted, is_dangerous};

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
    let has_place = !elements.is_empty();
    if has_place {
        for note in &diagnostic.notes {
            elements.push(Level::NOTE.message(terminal_line(note)).into());
        }
        if let Some(help) = &diagnostic.help {
            elements.push(Level::HELP.message(terminal_line(help)).into());
        }
    }
    let title = level.primary_title(terminal_line(&diagnostic.title)).id(diagnostic.code.0);
    let mut drawn = renderer.render(&[title.elements(elements)]);
    if !has_place {
        // The renderer would draw the margin of an excerpt, and there is none.
        let help = diagnostic.help.iter().map(|help| ("help", help));
        for (kind, text) in diagnostic.notes.iter().map(|note| ("note", note)).chain(help) {
            let _ = write!(drawn, "\n  = {kind}: {}", terminal_line(text));
        }
    }
    drawn
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

/// Lines of a file, escaped for a terminal, and the new offset of each byte. Each character is replaced by one, so columns are
/// unchanged.
fn escaped_with_offsets(text: &str) -> (String, Vec<usize>) {
    let mut escaped = String::with_capacity(text.len());
    let mut moved = Vec::with_capacity(text.len() + 1);
    for character in text.chars() {
        moved.extend(std::iter::repeat_n(escaped.len(), character.len_utf8()));
        escaped.push(match character {
            // Tabs are drawn as spaces by the renderer.
            '\n' | '\t' => character,
            // Unicode's control pictures are in the order of the control characters.
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
            _ if is_dangerous(character) => char::REPLACEMENT_CHARACTER,
            _ => character,
        });
    }
    moved.push(escaped.len());
    (escaped, moved)
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
        let warning = Diagnostic::bare(CODE, "nothing to see").with_note("a fact").with_help("look").as_warning();
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
          = note: a fact
          = help: look

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
}
