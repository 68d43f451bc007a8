//! Diagnostics: findings about what a person wrote.

use super::Span;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing proceeds until it is corrected.
    Error,
    /// Worth knowing; it stops nothing.
    Warning,
}

/// A stable code such as `M0102`: a letter for the stage and four digits, never reused.
///
/// `M` manifest, `Q` query, `C` capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiagnosticCode(pub &'static str);

/// A place in a source and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: String,
}

/// One finding about what a person wrote, as plain data: where and how it is drawn is the report's business.
///
/// It is not an error of the world (a refused connection, a full disk); those are error types of their folders.
///
/// **Invariants**: `title` is one sentence without a full stop; the first label is where the caret goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: DiagnosticCode,
    /// How serious it is.
    pub severity: Severity,
    /// One sentence.
    pub title: String,
    /// Places, the most telling one first.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// What to do next.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: DiagnosticCode, title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            title: title.into(),
            labels: vec![Label { span, text: label.into() }],
            notes: Vec::new(),
            help: None,
        }
    }

    /// An error about a whole file or directory, which has no place in a text.
    pub fn bare(code: DiagnosticCode, title: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, title: title.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }

    /// The same, with what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with one more place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The same, with one more fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same, as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}
