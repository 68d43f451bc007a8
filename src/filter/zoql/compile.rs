//! Compiles the typed tree of a manifest to ZOQL.

use jiff::Zoned;

use super::dialect::ZOQL;
use super::moment::write_moment;
use super::parser::MAX_COMPARISONS;
use super::quote::{UNWRITABLE, is_unwritable};
use super::{Comparison, ComparisonOperator, Condition, Literal, Pattern, Place, Test, name};
use crate::filter::error::shown;
use crate::filter::field::{Field, Operand, about_the_whole};
use crate::filter::{self, CompileError, FilterTree, Predicate, Threshold};
use crate::system::FieldType;

/// How deep a tree may be nested. Ours, to keep the stack small.
const MAX_DEPTH: usize = 100;

const SPLIT: &str = "split it into several policies, or select by a field instead of a list of values";

/// What a part of a tree becomes: alternatives, each of them comparisons that all must hold.
type Alternatives = Vec<Vec<Comparison>>;

/// Compiles a typed tree to a condition.
///
/// `field_type` tells the type of a field, or `None` when it is not known: then nothing is refused for its type, and ages are
/// compared as moments. `now` is the one clock reading of the plan: `olderThan: 3 years` is `Field < 'moment'`, where the moment
/// lies three calendar years before it, and on a day field `Field < 'day'`, with the day in the zone of `now`.
///
/// A tree means the same here as in the other languages: `notEquals`, `notIn` and `not` also match an empty field, the ordering
/// comparisons and `like` never do. What Zuora makes of `!=` on an empty field is not documented, so that it never
/// decides: each is compared with `null` too, and the result is the same either way.
///
/// The language has no parentheses and no `not`: the tree is multiplied out, and `not` turns comparisons round.
///
/// # Errors
///
/// With the first comparison that has no meaning in ZOQL, and when what is multiplied out has more than 200 comparisons or
/// 10,000 characters.
pub fn compile(
    tree: &FilterTree,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
) -> Result<Condition, CompileError> {
    let alternatives = Compiler { field_type, now }.alternatives(tree, false, 0)?;
    let condition = Condition::new(alternatives).expect("a level of a filter is never empty");
    if condition.comparisons().count() > MAX_COMPARISONS {
        return Err(too_many(tree));
    }
    let (characters, most) = (condition.to_string().chars().count(), ZOQL.max_characters);
    if characters > most {
        let message = format!("the filter is {characters} characters long in ZOQL, and the system takes at most {most}");
        return Err(about_the_whole(tree, message, SPLIT));
    }
    Ok(condition)
}

struct Compiler<'a> {
    field_type: &'a dyn Fn(&str) -> Option<FieldType>,
    now: &'a Zoned,
}

impl Compiler<'_> {
    fn alternatives(&self, tree: &FilterTree, negated: bool, depth: usize) -> Result<Alternatives, CompileError> {
        if depth > MAX_DEPTH {
            let message = format!("the filter is nested more than {MAX_DEPTH} deep");
            return Err(about_the_whole(tree, message, "write it with fewer levels"));
        }
        let (parts, all) = match tree {
            FilterTree::Not(part) => return self.alternatives(part, !negated, depth + 1),
            FilterTree::Field { field, span, predicate } => {
                let field = Field { name: field, span: *span, field_type: (self.field_type)(field), now: self.now };
                return alternatives(&field, predicate, negated);
            }
            FilterTree::All(parts) => (parts, !negated),
            FilterTree::Any(parts) => (parts, negated),
        };
        let mut joined = if all { vec![Vec::new()] } else { Vec::new() };
        for part in parts {
            let part = self.alternatives(part, negated, depth + 1)?;
            let count = |alternatives: &Alternatives| alternatives.iter().map(Vec::len).sum::<usize>();
            // Reckoned before it is done, since it can be much more than memory holds.
            let size =
                if all { count(&joined) * part.len() + count(&part) * joined.len() } else { count(&joined) + count(&part) };
            if size > MAX_COMPARISONS {
                return Err(too_many(tree));
            }
            if all {
                let both = |one: &Vec<Comparison>| part.iter().map(|other| [one.as_slice(), other].concat()).collect();
                joined = joined.iter().flat_map::<Vec<_>, _>(both).collect();
            } else {
                joined.extend(part);
            }
        }
        Ok(joined)
    }
}

fn too_many(tree: &FilterTree) -> CompileError {
    let message = format!(
        "the filter has more than {MAX_COMPARISONS} comparisons, the most the system takes, once expanded, as ZOQL has no \
         parentheses"
    );
    about_the_whole(tree, message, SPLIT)
}

fn alternatives(field: &Field<'_>, predicate: &Predicate, negated: bool) -> Result<Alternatives, CompileError> {
    let equal =
        |value: &filter::Literal, negated: bool| compare(field, ComparisonOperator::Equal, literal(field, value)?, negated);
    let ordered = |operator: ComparisonOperator, threshold: &Threshold| {
        compare(field, operator, literal(field, field.threshold(threshold)?)?, negated)
    };
    let aged = |operator: ComparisonOperator, age| compare(field, operator, written(field, field.before(age, 1)?)?, negated);
    match predicate {
        Predicate::Equals(value) => equal(value, negated),
        Predicate::NotEquals(value) => equal(value, !negated),
        Predicate::In(values) => among(field, values, negated),
        Predicate::NotIn(values) => among(field, values, !negated),
        Predicate::Less(threshold) => ordered(ComparisonOperator::Less, threshold),
        Predicate::LessOrEqual(threshold) => ordered(ComparisonOperator::LessOrEqual, threshold),
        Predicate::Greater(threshold) => ordered(ComparisonOperator::Greater, threshold),
        Predicate::GreaterOrEqual(threshold) => ordered(ComparisonOperator::GreaterOrEqual, threshold),
        Predicate::IsNull(empty) => equal(&filter::Literal::Null, negated == *empty),
        Predicate::OlderThan(age) => aged(ComparisonOperator::Less, age),
        Predicate::NewerThan(age) => aged(ComparisonOperator::GreaterOrEqual, age),
        Predicate::Like(_) if negated => {
            Err(field.error("it is negated by `not`, and ZOQL has no `not like`", "select by another field"))
        }
        Predicate::Like(pattern) => like(field, pattern),
        Predicate::Includes(_) | Predicate::Excludes(_) => {
            Err(field.error("ZOQL has no fields of several values", "use `in` or `notIn`"))
        }
    }
}

fn comparison(field: &Field<'_>, test: Test) -> Result<Comparison, CompileError> {
    let path = name(field.name, Place::default()).ok_or_else(|| {
        field.error(
            format!("{} is not a field", shown(field.name)),
            "names are letters, digits and `_`, and start with a letter; ZOQL follows no references, so names have no dots",
        )
    })?;
    Ok(Comparison { field: path, test, place: Place::default() })
}

/// One comparison, or its opposite, which an empty field meets too.
fn compare(
    field: &Field<'_>,
    operator: ComparisonOperator,
    literal: Literal,
    negated: bool,
) -> Result<Alternatives, CompileError> {
    let operator = if negated { operator.opposite() } else { operator };
    let may_be_empty = negated && literal != Literal::Null;
    let mut alternatives = vec![vec![comparison(field, Test::Compare(operator, literal))?]];
    if may_be_empty {
        alternatives.push(vec![is_empty(field)?]);
    }
    Ok(alternatives)
}

fn is_empty(field: &Field<'_>) -> Result<Comparison, CompileError> {
    comparison(field, Test::Compare(ComparisonOperator::Equal, Literal::Null))
}

/// One of these values, or none of them. An empty field is none of them, unless `null` is among them.
fn among(field: &Field<'_>, values: &[filter::Literal], negated: bool) -> Result<Alternatives, CompileError> {
    let literals = field.at_least_one(values)?.iter().map(|value| literal(field, value)).collect::<Result<Vec<_>, _>>()?;
    let operator = if negated { ComparisonOperator::NotEqual } else { ComparisonOperator::Equal };
    let may_be_empty = negated && !literals.contains(&Literal::Null);
    let each = literals.into_iter().map(|literal| comparison(field, Test::Compare(operator, literal)));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    if !negated {
        return Ok(each.into_iter().map(|one| vec![one]).collect());
    }
    let mut alternatives = vec![each];
    if may_be_empty {
        alternatives.push(vec![is_empty(field)?]);
    }
    Ok(alternatives)
}

fn literal(field: &Field<'_>, value: &filter::Literal) -> Result<Literal, CompileError> {
    written(field, field.operand(value)?)
}

fn written(field: &Field<'_>, operand: Operand) -> Result<Literal, CompileError> {
    match operand {
        Operand::Null => Ok(Literal::Null),
        Operand::Boolean(value) => Ok(Literal::Boolean(value)),
        Operand::Number(number) => Ok(Literal::Number(number)),
        Operand::Text(text) if text.chars().any(is_unwritable) => {
            Err(field.error(UNWRITABLE, "compare with text that has none"))
        }
        Operand::Text(text) => Ok(Literal::Text(text)),
        Operand::Day(day) => Ok(Literal::Text(day.to_string())),
        Operand::Moment(moment) if moment.subsec_nanosecond() != 0 => {
            Err(field.unfit("a fraction of a second", "write a whole second"))
        }
        Operand::Moment(moment) => Ok(Literal::Text(write_moment(moment))),
    }
}

fn like(field: &Field<'_>, text: &str) -> Result<Alternatives, CompileError> {
    let pattern = Pattern::new(field.pattern(text)?).map_err(|reason| {
        field.error(reason, "write a pattern such as `Test%` or `%.csv`, with `_` for any one character")
    })?;
    Ok(vec![vec![comparison(field, Test::Like(pattern))?]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::{leaf as field, text};
    use crate::filter::{FilterTree as Node, Literal as Plain, Predicate as Tree};

    fn compiled(tree: &Node) -> String {
        let kind = |name: &str| match name {
            "Quantity" => Some(FieldType::Number),
            "Day" => Some(FieldType::Date),
            "UpdatedDate" => Some(FieldType::DateTime),
            "UOM" => Some(FieldType::Text),
            "Flag" => Some(FieldType::Boolean),
            _ => None,
        };
        let now: Zoned = "2026-11-21T01:30:00.5+02:00[+02:00]".parse().expect("valid");
        match compile(tree, &kind, &now) {
            Ok(condition) => condition.to_string(),
            Err(error) => format!("{}: {error}", error.field),
        }
    }

    #[test]
    fn writes_each_comparison() {
        let age = || "3 years".parse().expect("an age");
        let comparisons = [
            ("UOM", Tree::Equals(text("it's"))),
            ("UOM", Tree::NotEquals(text("Each"))),
            ("UOM", Tree::In(vec![text("a"), Plain::Null])),
            ("UOM", Tree::NotIn(vec![text("a"), text("b")])),
            ("UOM", Tree::NotIn(vec![text("a"), Plain::Null])),
            ("Quantity", Tree::GreaterOrEqual(Threshold(Plain::Number("-1.50".into())))),
            ("Day", Tree::LessOrEqual(Threshold(text("2026-01-31")))),
            ("UpdatedDate", Tree::Greater(Threshold(text("2026-01-31T12:00:00+01:00")))),
            ("UpdatedDate", Tree::Less(Threshold(text("2026-01-31T12:00:00Z")))),
            ("UOM", Tree::Like("Test_%".into())),
            ("UOM", Tree::IsNull(true)),
            ("UOM", Tree::IsNull(false)),
            ("Flag", Tree::Equals(Plain::Boolean(false))),
            ("Day", Tree::OlderThan(age())),
            ("UpdatedDate", Tree::NewerThan(age())),
            ("Other__c", Tree::OlderThan(age())),
        ];
        insta::assert_snapshot!(comparisons.map(|(name, comparison)| compiled(&field(name, comparison))).join("\n"), @r"
        UOM = 'it\'s'
        UOM != 'Each' or UOM = null
        UOM = 'a' or UOM = null
        UOM != 'a' and UOM != 'b' or UOM = null
        UOM != 'a' and UOM != null
        Quantity >= -1.50
        Day <= '2026-01-31'
        UpdatedDate > '2026-01-31T11:00:00+00:00'
        UpdatedDate < '2026-01-31T12:00:00+00:00'
        UOM like 'Test_%'
        UOM = null
        UOM != null
        Flag = false
        Day < '2023-11-21'
        UpdatedDate >= '2023-11-20T23:30:00+00:00'
        Other__c < '2023-11-20T23:30:00+00:00'
        ");
    }

    #[test]
    fn multiplies_out_and_turns_round() {
        let equals = |name: &str| field(name, Tree::Equals(text("x")));
        let any = |parts: [Node; 2]| Node::Any(parts.into());
        let all = |parts: [Node; 2]| Node::All(parts.into());
        let tree = all([any([equals("A"), equals("B")]), any([equals("C"), equals("D")])]);
        assert_eq!(
            compiled(&tree),
            "A = 'x' and C = 'x' or A = 'x' and D = 'x' or B = 'x' and C = 'x' or B = 'x' and D = 'x'"
        );
        let tree = Node::Not(Box::new(any([equals("A"), Node::Not(Box::new(equals("B")))])));
        assert_eq!(compiled(&tree), "A != 'x' and B = 'x' or A = null and B = 'x'");
        let older = field("UpdatedDate", Tree::Less(Threshold(text("2026-01-31T12:00:00Z"))));
        assert_eq!(
            compiled(&Node::Not(Box::new(older))),
            "UpdatedDate >= '2026-01-31T12:00:00+00:00' or UpdatedDate = null"
        );
    }

    #[test]
    fn says_what_has_no_meaning() {
        let wide = |count: usize| field("A", Tree::In((0..count).map(|number| text(&number.to_string())).collect()));
        let trees = [
            field("Account.Name", Tree::IsNull(true)),
            field("select", Tree::IsNull(true)),
            field("UOM", Tree::Equals(Plain::Number("1".into()))),
            field("Quantity", Tree::Equals(text("1"))),
            field("Flag", Tree::Less(Threshold(Plain::Boolean(true)))),
            field("Day", Tree::Equals(text("31.1.2026"))),
            field("UpdatedDate", Tree::Less(Threshold(text("2026-01-31T12:00:00")))),
            field("UOM", Tree::OlderThan("1 day".parse().expect("an age"))),
            field("UOM", Tree::Like("%a%".into())),
            field("UOM", Tree::Like("a\\%".into())),
            Node::Not(Box::new(field("UOM", Tree::Like("a%".into())))),
            field("UOM", Tree::Includes(vec!["a".into()])),
            field("UOM", Tree::Equals(text("\u{1b}[2J"))),
            wide(201),
            Node::All(vec![wide(12), wide(12)]),
            Node::All(vec![wide(200); 100]),
            field("A", Tree::Equals(text(&"x".repeat(10_000)))),
        ];
        insta::assert_snapshot!(trees.iter().map(compiled).collect::<Vec<_>>().join("\n"), @r"
        Account.Name: `Account.Name` is not a field
        select: `select` is not a field
        UOM: `UOM` is a text field and does not take a number
        Quantity: `Quantity` is a number field and does not take text
        Flag: `Flag` is a yes-or-no field and does not take less or greater values: it has no order
        Day: `Day` is a date field and does not take `31.1.2026`
        UpdatedDate: `UpdatedDate` is a date and time field and does not take `2026-01-31T12:00:00`
        UOM: `UOM` is a text field and does not take an age
        UOM: in ZOQL a pattern has one `%`, at its beginning or at its end
        UOM: in ZOQL a pattern cannot look for a `\`, nor for a `%` or `_` that stands for itself
        UOM: it is negated by `not`, and ZOQL has no `not like`
        UOM: ZOQL has no fields of several values
        UOM: in ZOQL text cannot hold this control character
        A: the filter has more than 200 comparisons, the most the system takes, once expanded, as ZOQL has no parentheses
        A: the filter has more than 200 comparisons, the most the system takes, once expanded, as ZOQL has no parentheses
        A: the filter has more than 200 comparisons, the most the system takes, once expanded, as ZOQL has no parentheses
        A: the filter is 10006 characters long in ZOQL, and the system takes at most 10000
        ");
        assert!(!compiled(&wide(200)).starts_with("A:"));
    }

    #[test]
    fn a_deep_tree_is_refused_and_overflows_nothing() {
        let deep = (0..5_000).fold(field("A", Tree::IsNull(true)), |tree, _| Node::Not(Box::new(tree)));
        assert_eq!(compiled(&deep), "A: the filter is nested more than 100 deep");
        // Taken apart from the outside, since a recursive drop of it would overflow.
        let mut rest = deep;
        while let Node::Not(inner) = rest {
            rest = *inner;
        }
    }
}
