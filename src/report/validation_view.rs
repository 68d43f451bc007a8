//! What was found in manifests.

use super::diagnostic::draw;
use super::diagnostic_report::diagnostic_report;
use super::{JsonEvent, Palette, View};
use crate::base::{Diagnostic, Severity, SourceMap};

/// How wide findings are drawn, in columns.
const WIDTH: usize = 120;

/// Findings, with the texts they are about.
#[derive(Clone, Copy, Debug)]
pub struct ValidationView<'a> {
    /// What was found.
    pub diagnostics: &'a [Diagnostic],
    /// The texts.
    pub sources: &'a SourceMap,
}

impl<'a> ValidationView<'a> {
    /// Of findings that an error carries.
    pub fn of((diagnostics, sources): &'a (Vec<Diagnostic>, SourceMap)) -> Self {
        Self { diagnostics, sources }
    }
}

impl View for ValidationView<'_> {
    fn text(&self, palette: Palette) -> String {
        draw(self.diagnostics, self.sources, palette.is_coloured(), WIDTH)
    }

    fn events(&self) -> Vec<JsonEvent> {
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        vec![JsonEvent::Validation {
            valid: errors == 0,
            error_count: errors,
            warning_count: self.diagnostics.len() - errors,
            diagnostics: self.diagnostics.iter().map(|diagnostic| diagnostic_report(diagnostic, self.sources)).collect(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DiagnosticCode, SourceId, Span};

    const CODE: DiagnosticCode = DiagnosticCode("M0101");

    fn at(source: SourceId, start: usize, end: usize) -> Span {
        Span { source, start, end }
    }

    #[test]
    fn secrets_are_masked_in_both_forms() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", "clientSecret: hunter2\n");
        sources.mask(at(id, 14, 21));
        let finding = Diagnostic::error(CODE, "a secret", at(id, 14, 21), "here");
        let view = ValidationView { diagnostics: &[finding], sources: &sources };
        let drawn = view.text(Palette::new(false));
        let json = serde_json::to_string(&view.events()).expect("JSON");
        assert!(!drawn.contains("hunter2") && !json.contains("hunter2"), "{drawn}{json}");
        assert!(drawn.contains("clientSecret: *******"), "{drawn}");
    }

    #[test]
    fn gives_positions_as_data() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", "ä: 1\nbé: 2\n");
        let finding =
            Diagnostic::error(CODE, "one", at(id, 6, 9), "label").with_label(at(id, 0, 2), "other").with_help("do");
        insta::assert_snapshot!(serde_json::to_string_pretty(&ValidationView { diagnostics: &[finding], sources: &sources }.events()[0]).expect("JSON"), @r#"
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
