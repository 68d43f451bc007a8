//! A manifest's filter as the condition that is sent.

use jiff::Zoned;

use super::id_lists::{IdLists, unusable};
use crate::base::{CommandError, Diagnostic, Exit, SourceMap, Span};
use crate::filter::{Filter, FilterTree, Language};
use crate::manifest::codes;
use crate::plan::{Matching, ObjectFacts};

/// What a filter means of an object as the system describes it, with every moment fixed to `now`; a list as it was when the manifests were
/// read.
pub fn matching_for(
    filter: &Filter,
    language: Language,
    facts: &ObjectFacts,
    now: &Zoned,
    (sources, lists): (&SourceMap, &IdLists),
) -> Result<Matching, CommandError> {
    let refuse = |diagnostic: Diagnostic| {
        let mut error = CommandError::new(Exit::Error, "the manifests do not fit the system");
        error.diagnostics = Some(Box::new((vec![diagnostic], sources.clone())));
        error
    };
    let (condition, text_span) = match filter {
        Filter::Everything => return Ok(Matching::Everything),
        Filter::Ids(file) => {
            let list = lists.get(file, language.system()).map_err(|mistake| unusable(mistake, sources))?;
            return Ok(Matching::Listed(list.clone()));
        }
        Filter::Text(text) => {
            let condition = language.parse(&text.text).map_err(|errors| {
                let message = errors.first().map(|error| error.message.clone()).unwrap_or_default();
                refuse(Diagnostic::error(codes::DOES_NOT_FIT, "the filter does not parse", text.span, message))
            })?;
            (condition, Some(text.span))
        }
        Filter::Tree(tree) => {
            let types = |name: &str| facts.field(name).map(|field| field.kind);
            let condition = language.compile(tree, &types, now).map_err(|error| {
                let mut diagnostic = Diagnostic::error(
                    codes::DOES_NOT_FIT,
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
            Some(span) => refuse(Diagnostic::error(codes::NO_SUCH_FIELD, title, span, "not a field of the object")),
            None => CommandError::plain(title),
        });
    }
    Ok(Matching::Condition(condition.text))
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
        Filter::Everything | Filter::Text(_) | Filter::Ids(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_manifest::{lead, policy, workspace};
    use super::*;

    fn condition(filter: &str) -> Result<Matching, CommandError> {
        let workspace = workspace(&[filter]);
        let now: Zoned = "2026-11-21T10:00:00+00:00[UTC]".parse().expect("a moment");
        matching_for(&policy(&workspace).filter, Language::Soql, &lead(), &now, (&workspace.sources, &IdLists::default()))
    }

    /// The code, the title and the marked text of the only finding.
    fn refused(filter: &str) -> (String, String, String) {
        let (found, sources) = *condition(filter).expect_err("refused").diagnostics.expect("a place in the manifests");
        let [finding] = &found[..] else { panic!("{found:?}") };
        let span = finding.labels[0].span;
        let text = &sources.iter().find(|(id, _)| *id == span.source).expect("a source").1.text;
        (finding.code.0.to_owned(), finding.title.clone(), text[span.start..span.end].to_owned())
    }

    #[test]
    fn everything_has_no_condition_and_every_other_filter_has_one() {
        assert_eq!(condition("filter: everything").expect("a condition"), Matching::Everything);
        let text = condition("filter: Company = 'Old' AND Owner.Name = 'Ann'").expect("a condition");
        assert_eq!(text.condition(), Some("Company = 'Old' AND Owner.Name = 'Ann'"));
        let tree = condition("filter: { field: Company, equals: \"O'Neill\" }").expect("a condition");
        assert_eq!(tree.condition(), Some(r"Company = 'O\'Neill'"));
    }

    #[test]
    fn a_field_that_is_not_there_is_marked_where_it_stands() {
        let title = "Lead has no field `Missing__c`, or this login may not see it";
        let (code, told, marked) = refused("filter: { field: Missing__c, equals: 1 }");
        assert_eq!((code.as_str(), told.as_str()), ("Q0101", title));
        assert!(marked.contains("Missing__c"), "{marked}");
        let (code, told, marked) = refused("filter: Missing__c = 1");
        assert_eq!((code.as_str(), told.as_str(), marked.as_str()), ("Q0101", title, "Missing__c = 1"));
    }

    #[test]
    fn a_comparison_that_does_not_fit_the_fields_type_is_refused() {
        let (code, title, _) = refused("filter: { field: Company, olderThan: 3 years }");
        assert_eq!((code.as_str(), title.as_str()), ("Q0102", "the filter does not fit the field `Company` of Lead"));
    }
}
