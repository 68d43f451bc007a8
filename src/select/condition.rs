//! A manifest's filter as the condition that is sent.

use jiff::Zoned;

use crate::base::{CommandError, Exit};
use crate::base::{Diagnostic, DiagnosticCode, SourceMap, Span};
use crate::filter::{Filter, FilterTree, Language};
use crate::plan::ObjectFacts;

/// `Q0101`: the object has no such field.
const NO_SUCH_FIELD: DiagnosticCode = DiagnosticCode("Q0101");
/// `Q0102`: the filter does not fit the types of the object's fields.
const DOES_NOT_FIT: DiagnosticCode = DiagnosticCode("Q0102");

/// The condition of a filter for an object as the system describes it, with every moment fixed to `now`; `None` for
/// everything.
pub fn condition_for(
    filter: &Filter,
    language: Language,
    facts: &ObjectFacts,
    now: &Zoned,
    sources: &SourceMap,
) -> Result<Option<String>, CommandError> {
    let refuse = |diagnostic: Diagnostic| {
        let mut error = CommandError::new(Exit::Error, "the manifests do not fit the system");
        error.diagnostics = Some(Box::new((vec![diagnostic], sources.clone())));
        error
    };
    let (condition, text_span) = match filter {
        Filter::Everything => return Ok(None),
        Filter::Text(text) => {
            let condition = language.parse(&text.text).map_err(|errors| {
                let message = errors.first().map(|error| error.message.clone()).unwrap_or_default();
                refuse(Diagnostic::error(DOES_NOT_FIT, "the filter does not parse", text.span, message))
            })?;
            (condition, Some(text.span))
        }
        Filter::Tree(tree) => {
            let types = |name: &str| facts.field(name).map(|field| field.kind);
            let condition = language.compile(tree, &types, now).map_err(|error| {
                let mut diagnostic = Diagnostic::error(
                    DOES_NOT_FIT,
                    format!("the filter does not fit the field `{}` of {}", error.field, facts.name),
                    error.span,
                    error.message,
                );
                diagnostic.help = error.help;
                refuse(diagnostic)
            })?;
            (condition, None)
        }
    };
    for path in &condition.fields {
        // A path with a dot leads to another object; the system judges it when the query is sent.
        if path.contains('.') || !facts.has_no_field(path) {
            continue;
        }
        let place: Option<Span> = text_span.or_else(|| tree_span(filter, path));
        let title = format!("{} has no field `{path}`, or this login may not see it", facts.name);
        return Err(match place {
            Some(span) => refuse(Diagnostic::error(NO_SUCH_FIELD, title, span, "not a field of the object")),
            None => CommandError::plain(title),
        });
    }
    Ok(Some(condition.text))
}

/// Where a field's name stands in a tree.
fn tree_span(filter: &Filter, wanted: &str) -> Option<Span> {
    fn find(tree: &FilterTree, wanted: &str) -> Option<Span> {
        match tree {
            FilterTree::All(parts) | FilterTree::Any(parts) => parts.iter().find_map(|part| find(part, wanted)),
            FilterTree::Not(part) => find(part, wanted),
            FilterTree::Field { field, span, .. } => (field == wanted).then_some(*span),
        }
    }
    match filter {
        Filter::Tree(tree) => find(tree, wanted),
        Filter::Everything | Filter::Text(_) => None,
    }
}
