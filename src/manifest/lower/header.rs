//! What every document has: `apiVersion`, `kind`, `metadata` and `spec`.

use std::collections::BTreeMap;

use crate::base::{Diagnostic, HoldName, NameError, PolicyName, ProjectName, Span, TargetName};
use crate::base::{did_you_mean, shortened};
use crate::manifest::fields::{Field, Findings};
use crate::manifest::node::{Node, Value};
use crate::manifest::{DocumentKind, codes};

/// The format this version reads.
const API_VERSION: &str = "sexton/v1";

/// What to do where the document is not meant for this program.
const OF_ANOTHER_TOOL: &str = "; where the file is another tool's, name it in `.sextonignore`";

/// The head of a document whose format and kind are known.
pub(in crate::manifest) struct Header<'n> {
    /// What it is.
    pub kind: DocumentKind,
    /// `metadata.name`, a DNS label.
    pub name: Option<String>,
    /// Where the name stands.
    pub span: Span,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// The rest.
    pub spec: Option<Field<'n>>,
}

/// Reads the header of a document. `None` if the format or the kind is not known, so that the rest has no known meaning.
pub(in crate::manifest) fn header<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<Header<'n>> {
    if !matches!(node.value, Value::Mapping(_)) {
        let label = format!("this is {}", node.value.describe());
        findings.push(
            Diagnostic::error(codes::WRONG_TYPE, "a document must be a mapping", node.span, label)
                .with_help("a manifest has the keys `apiVersion`, `kind`, `metadata` and `spec`"),
        );
        return None;
    }
    let mut fields = findings.fields(Field { key: "document", place: node.span, node }, "a document")?;
    let version = match fields.optional("apiVersion") {
        Some(field) => api_version(field, findings),
        None => {
            let title = "a document needs `apiVersion`";
            let found = Diagnostic::error(codes::MISSING_KEY, title, node.span, "no `apiVersion` in here");
            findings.push(found.with_help(format!("add `apiVersion: {API_VERSION}`{OF_ANOTHER_TOOL}")));
            None
        }
    };
    let kind = fields.required("kind", findings).and_then(|field| kind(field, findings));
    let metadata = fields.required("metadata", findings);
    let spec = fields.required("spec", findings);
    fields.end(findings);
    let kind = kind?;
    let mut header = Header { kind, name: None, span: node.span, labels: BTreeMap::new(), spec };
    if let Some(mut fields) = metadata.and_then(|field| findings.fields(field, "`metadata`")) {
        if let Some(field) = fields.required("name", findings) {
            header.span = field.node.span;
            header.name = findings.converted(
                field,
                codes::BAD_NAME,
                "a name becomes a file name and an argument: write it as in `stale-leads`",
                |text| check_name(kind, text).map(|()| text.to_owned()),
            );
        }
        if let Some(field) = fields.optional("labels") {
            header.labels = findings.labels(field).unwrap_or_default();
        }
        fields.end(findings);
    }
    version.map(|()| header)
}

fn api_version(field: Field<'_>, findings: &mut Findings<'_>) -> Option<()> {
    let text = findings.text(field)?;
    if text == API_VERSION {
        return Some(());
    }
    findings.push(
        Diagnostic::error(
            codes::UNKNOWN_API_VERSION,
            format!("the format `{}` is not known", shortened(text)),
            field.node.span,
            "not known to this version",
        )
        .with_help(format!("write `{API_VERSION}`{OF_ANOTHER_TOOL}")),
    );
    None
}

fn kind(field: Field<'_>, findings: &mut Findings<'_>) -> Option<DocumentKind> {
    let text = findings.text(field)?;
    let found = DocumentKind::ALL.into_iter().find(|kind| kind.name() == text);
    if found.is_none() {
        let names: Vec<String> = DocumentKind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
        findings.push(
            Diagnostic::error(
                codes::UNKNOWN_KIND,
                format!("the kind `{}` is not known", shortened(text)),
                field.node.span,
                "unknown kind",
            )
            .with_help(did_you_mean(text, DocumentKind::ALL.iter().map(|kind| kind.name()), "write one of the known kinds"))
            .with_note(format!("the kinds are {}", names.join(", "))),
        );
    }
    found
}

fn check_name(kind: DocumentKind, text: &str) -> Result<(), NameError> {
    match kind {
        DocumentKind::Project => ProjectName::new(text).map(drop),
        DocumentKind::Target => TargetName::new(text).map(drop),
        DocumentKind::DeletionPolicy => PolicyName::new(text).map(drop),
        DocumentKind::Hold => HoldName::new(text).map(drop),
    }
}
