//! `filter:` as text, as `everything`, or as a tree.

use strum::IntoEnumIterator as _;

use crate::base::{Diagnostic, Span, nearest};
use crate::filter::{
    Filter, FilterTree, FilterTreeKind, IdFile, Language, Literal, Predicate, PredicateKind, TextFilter, Threshold,
};
use crate::manifest::codes;
use crate::manifest::fields::{Field, Fields, Findings, ambiguous_number, boolean_word};
use crate::manifest::node::Value;
use crate::manifest::scalar::place_within;
use crate::system::SystemKind;
use crate::system::field_path;

/// The word for every record of an object.
const EVERYTHING: &str = "everything";

/// The key of a list of ids.
const IDS: &str = "ids";

/// Reads the filter of a policy or a hold; its absence is an error of its own. If the system is not known, its text or tree is
/// read but not checked; so is what depends on the object, if that could not be read.
pub(super) fn filter(
    fields: &mut Fields<'_>,
    system: Option<SystemKind>,
    object: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<Filter> {
    let Some(field) = fields.optional("filter") else {
        findings.push(
            Diagnostic::error(codes::MISSING_FILTER, "there is no filter", fields.place, "no `filter` in here")
                .with_help("add `filter:` with a condition, or `filter: everything` for every record of the object"),
        );
        return None;
    };
    match &field.node.value {
        Value::Null => blank(field, field.place, findings),
        Value::Text(text) if text.trim().is_empty() => blank(field, field.node.span, findings),
        Value::Text(text) if text.trim() == EVERYTHING => Some(Filter::Everything),
        Value::Text(text) => native(field, text, system, object, findings),
        Value::Mapping(entries) if entries.iter().any(|(key, _)| matches!(&key.value, Value::Text(key) if key == IDS)) => {
            ids(field, findings).map(Filter::Ids)
        }
        Value::Mapping(_) => {
            let tree = tree(field, findings)?;
            let compiles = system.is_none_or(|system| compiles(&tree, Language::of(system), object, findings));
            compiles.then_some(Filter::Tree(tree))
        }
        Value::Boolean(_) | Value::Number(_) | Value::Sequence(_) => {
            findings
                .wrong_type(field, "a condition as text, `everything`, `ids`, or a tree of `all`, `any`, `not` and `field`");
            None
        }
    }
}

/// Reads `ids: { file: PATH, column: NAME }`, which is a whole filter.
fn ids(field: Field<'_>, findings: &mut Findings<'_>) -> Option<IdFile> {
    let mut fields = findings.fields(field, "a list of ids as a filter")?;
    let list = fields.required(IDS, findings)?;
    let of_a_tree = |key: &str| {
        FilterTreeKind::iter().any(|kind| <&str>::from(kind) == key)
            || PredicateKind::iter().any(|kind| <&str>::from(kind) == key)
    };
    if let Some(beside) = fields.entries().iter().find(|entry| of_a_tree(entry.key)) {
        findings.push(
            Diagnostic::error(codes::FILTER_TREE, "a list of ids is a whole filter", beside.place, "beside a list of ids")
                .with_help("write `filter: { ids: { file: PATH } }` and nothing beside it"),
        );
        return None;
    }
    fields.end(findings);
    let mut fields = findings.fields(list, "a list of ids")?;
    let file = fields.required("file", findings);
    let column = fields.optional("column").map(|field| findings.text(field));
    fields.end(findings);
    let file = file?;
    let path = findings.text(file)?.to_owned();
    // A column that could not be read has been reported, and is not the one that goes without saying.
    let column = match column {
        Some(column) => Some(column?.to_owned()),
        None => None,
    };
    Some(IdFile { path, column, span: file.node.span })
}

fn blank(field: Field<'_>, span: Span, findings: &mut Findings<'_>) -> Option<Filter> {
    findings.push(
        Diagnostic::error(
            codes::BLANK_FILTER,
            "the filter is blank",
            if span.start == span.end { field.place } else { span },
            "",
        )
        .with_help("write a condition, or `filter: everything` for every record of the object"),
    );
    None
}

fn native(
    field: Field<'_>,
    text: &str,
    system: Option<SystemKind>,
    object: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<Filter> {
    let read = || Some(Filter::Text(TextFilter { text: text.trim().to_owned(), span: field.node.span }));
    let Some(language) = system.map(Language::of) else { return read() };
    let (code, title, errors) = match language.parse(text) {
        Err(errors) => (codes::FILTER_SYNTAX, format!("the filter is not a {} condition", language.title()), errors),
        Ok(_) => {
            let errors = object.map(|object| language.mistakes_on(object, text)).unwrap_or_default();
            (codes::FILTER_MEANING, format!("the filter has no meaning for {}", object.unwrap_or_default()), errors)
        }
    };
    if errors.is_empty() {
        return read();
    }
    for error in errors {
        let span = match findings.sources.get(field.node.span.source) {
            Some(source) => place_within(source, field.node, text, error.start, error.end),
            None => field.node.span,
        };
        let mut diagnostic = Diagnostic::error(code, title.clone(), span, error.message);
        diagnostic.help = match nearest(text.trim(), [EVERYTHING]) {
            Some(_) => Some(format!("did you mean `{EVERYTHING}`?")),
            None => error.help,
        };
        findings.push(diagnostic);
    }
    None
}

/// Whether the tree can be put into the system's language. Every comparison is tried for itself, so that all mistakes are told; then the
/// whole, whose size has limits.
fn compiles(tree: &FilterTree, language: Language, object: Option<&str>, findings: &mut Findings<'_>) -> bool {
    comparisons_compile(tree, language, object, findings) && compiles_alone(tree, language, object, findings)
}

fn comparisons_compile(tree: &FilterTree, language: Language, object: Option<&str>, findings: &mut Findings<'_>) -> bool {
    match tree {
        FilterTree::All(parts) | FilterTree::Any(parts) => {
            // Counted, since `all` would stop at the first.
            parts.iter().filter(|part| !comparisons_compile(part, language, object, findings)).count() == 0
        }
        FilterTree::Not(part) => comparisons_compile(part, language, object, findings),
        FilterTree::Field { .. } => compiles_alone(tree, language, object, findings),
    }
}

/// Most field types are not known offline; then this finds what is wrong whatever the type. The moment of the clock reading
/// does not matter to that either: no age that can be written leaves the calendar from here.
fn compiles_alone(tree: &FilterTree, language: Language, object: Option<&str>, findings: &mut Findings<'_>) -> bool {
    let now = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    let Err(error) = language.compile(tree, &|field| language.known_type(object?, field), &now) else { return true };
    let title = format!("the comparison of `{}` cannot be expressed in {}", error.field, language.title());
    let mut diagnostic = Diagnostic::error(codes::FILTER_MEANING, title, error.span, error.message);
    diagnostic.help = error.help;
    findings.push(diagnostic);
    false
}

fn tree(field: Field<'_>, findings: &mut Findings<'_>) -> Option<FilterTree> {
    let mut fields = findings.fields(field, "a filter")?;
    let shapes: Vec<(FilterTreeKind, Field<'_>)> =
        FilterTreeKind::iter().filter_map(|kind| Some((kind, fields.optional(kind.into())?))).collect();
    let predicates: Vec<(PredicateKind, Field<'_>)> =
        PredicateKind::iter().filter_map(|kind| Some((kind, fields.optional(kind.into())?))).collect();
    let unknown = fields.entries().len() > shapes.len() + predicates.len();
    fields.end(findings);
    let incomplete = |title: &str, place: Span, label: &str, findings: &mut Findings<'_>| {
        findings.push(
            Diagnostic::error(codes::FILTER_TREE, title, place, label)
                .with_help("write `all: [..]`, `any: [..]`, `not: ..`, or `field` with one comparison such as `equals`"),
        );
    };
    let (kind, shape) = match shapes[..] {
        [shape] => shape,
        // An unknown key is told already, and is most likely the one that is missing.
        [] if unknown => return None,
        [] => {
            incomplete(
                "a part of the filter has no `all`, `any`, `not` or `field`",
                field.node.span,
                "none in here",
                findings,
            );
            return None;
        }
        [(_, first), (_, second), ..] => {
            let title = format!("a part of the filter cannot have both `{}` and `{}`", first.key, second.key);
            incomplete(&title, second.place, "one too many", findings);
            return None;
        }
    };
    if kind != FilterTreeKind::Field
        && let Some((_, predicate)) = predicates.first()
    {
        let title = format!("`{}` belongs beside `field`, not beside `{}`", predicate.key, shape.key);
        incomplete(&title, predicate.place, "compares nothing", findings);
        return None;
    }
    let parts = |findings: &mut Findings<'_>| {
        let parts: Vec<Option<FilterTree>> = findings.list(shape)?.into_iter().map(|part| tree(part, findings)).collect();
        if parts.is_empty() {
            incomplete(&format!("`{}` has no parts", shape.key), shape.place, "an empty list", findings);
            return None;
        }
        parts.into_iter().collect::<Option<Vec<_>>>()
    };
    match kind {
        FilterTreeKind::All => parts(findings).map(FilterTree::All),
        FilterTreeKind::Any => parts(findings).map(FilterTree::Any),
        FilterTreeKind::Not => tree(shape, findings).map(|part| FilterTree::Not(Box::new(part))),
        FilterTreeKind::Field => {
            let help = "write it as in `LastActivityDate` or `Account.Name`";
            let name = findings.converted(shape, codes::FIELD_NAME, help, field_path);
            let predicate = match predicates[..] {
                [(kind, value)] => predicate(kind, value, findings),
                [] if unknown => None,
                [] => {
                    incomplete("a field is compared with nothing", shape.node.span, "no comparison for it", findings);
                    None
                }
                [_, (_, second), ..] => {
                    incomplete("a field has more than one comparison", second.place, "one too many", findings);
                    None
                }
            };
            Some(FilterTree::Field { field: name?, span: shape.node.span, predicate: predicate? })
        }
    }
}

fn predicate(kind: PredicateKind, field: Field<'_>, findings: &mut Findings<'_>) -> Option<Predicate> {
    Some(match kind {
        PredicateKind::Equals => Predicate::Equals(literal(field, findings)?),
        PredicateKind::NotEquals => Predicate::NotEquals(literal(field, findings)?),
        PredicateKind::In => Predicate::In(several(field, findings, literal)?),
        PredicateKind::NotIn => Predicate::NotIn(several(field, findings, literal)?),
        PredicateKind::Less => Predicate::Less(threshold(field, findings)?),
        PredicateKind::LessOrEqual => Predicate::LessOrEqual(threshold(field, findings)?),
        PredicateKind::Greater => Predicate::Greater(threshold(field, findings)?),
        PredicateKind::GreaterOrEqual => Predicate::GreaterOrEqual(threshold(field, findings)?),
        PredicateKind::Like => Predicate::Like(findings.text(field)?.to_owned()),
        PredicateKind::IsNull => Predicate::IsNull(findings.boolean(field)?),
        PredicateKind::OlderThan => Predicate::OlderThan(findings.age(field)?),
        PredicateKind::NewerThan => Predicate::NewerThan(findings.age(field)?),
        PredicateKind::Includes => Predicate::Includes(several(field, findings, text)?),
        PredicateKind::Excludes => Predicate::Excludes(several(field, findings, text)?),
    })
}

fn text(field: Field<'_>, findings: &mut Findings<'_>) -> Option<String> {
    findings.text(field).map(str::to_owned)
}

/// The items of a list that may not be empty.
fn several<T>(
    field: Field<'_>,
    findings: &mut Findings<'_>,
    read: fn(Field<'_>, &mut Findings<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = findings.list(field)?.into_iter().map(|item| read(item, findings)).collect();
    if items.is_empty() {
        findings.push(
            Diagnostic::error(codes::FILTER_TREE, format!("`{}` has no values", field.key), field.place, "an empty list")
                .with_help("write at least one value"),
        );
        return None;
    }
    items.into_iter().collect()
}

fn literal(field: Field<'_>, findings: &mut Findings<'_>) -> Option<Literal> {
    match &field.node.value {
        Value::Null => Some(Literal::Null),
        Value::Boolean(value) => Some(Literal::Boolean(*value)),
        Value::Number(_) => findings.number(field, "a value").map(|digits| Literal::Number(digits.to_owned())),
        Value::Text(text) if field.node.plain && boolean_word(text).is_some() => {
            let meant = boolean_word(text).unwrap_or_default();
            findings.push(
                Diagnostic::error(
                    codes::BOOLEAN_FORM,
                    format!("`{text}` means yes or no to some readers of YAML and text to others"),
                    field.node.span,
                    "an old spelling",
                )
                .with_help(format!("write `{meant}` for a yes-or-no field, or `\"{text}\"` for text")),
            );
            None
        }
        Value::Text(text) if field.node.plain && ambiguous_number(text) => {
            findings.number_form(field);
            None
        }
        Value::Text(text) => Some(Literal::Text(text.clone())),
        Value::Sequence(_) | Value::Mapping(_) => {
            findings.wrong_type(field, "one value");
            None
        }
    }
}

fn threshold(field: Field<'_>, findings: &mut Findings<'_>) -> Option<Threshold> {
    match literal(field, findings)? {
        Literal::Null | Literal::Boolean(_) => {
            findings.wrong_type(field, "a value with an order: a number, a date or text");
            None
        }
        ordered => Some(Threshold(ordered)),
    }
}
