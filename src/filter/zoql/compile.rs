//! Compiles the typed tree of a manifest to ZOQL.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::moment::{has_form, read_day, read_moment, write_moment};
use super::parser::{MAX_CHARACTERS, MAX_COMPARISONS};
use super::quote::{UNWRITABLE, is_unwritable};
use super::{Comparison, Condition, Literal, Name, Operator, Pattern, Test};
use crate::base::{Age, Span};
use crate::filter::{self, CompileError, Decimal, Place};
use crate::system::FieldType;

/// How deep a tree may be nested. Ours, to keep the stack small.
const MAX_DEPTH: usize = 100;

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
    tree: &filter::Condition,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
) -> Result<Condition, CompileError> {
    let alternatives = Compiler { field_type, now }.alternatives(tree, false, 0)?;
    let condition = Condition::new(alternatives).expect("a level of a filter is never empty");
    if condition.comparisons().count() > MAX_COMPARISONS {
        return Err(too_many(tree));
    }
    let characters = condition.to_string().chars().count();
    if characters > MAX_CHARACTERS {
        let message =
            format!("the filter is {characters} characters long in ZOQL, and the system takes at most {MAX_CHARACTERS}");
        return Err(about_whole(tree, message));
    }
    Ok(condition)
}

struct Compiler<'a> {
    field_type: &'a dyn Fn(&str) -> Option<FieldType>,
    now: &'a Zoned,
}

impl Compiler<'_> {
    fn alternatives(&self, tree: &filter::Condition, negated: bool, depth: usize) -> Result<Alternatives, CompileError> {
        if depth > MAX_DEPTH {
            return Err(about_whole(tree, format!("the filter is nested more than {MAX_DEPTH} deep")));
        }
        let (parts, all) = match tree {
            filter::Condition::Not(part) => return self.alternatives(part, !negated, depth + 1),
            filter::Condition::Field { field, span, comparison } => {
                let field = Field { name: field, span: *span, kind: (self.field_type)(field), now: self.now };
                return field.alternatives(comparison, negated);
            }
            filter::Condition::All(parts) => (parts, !negated),
            filter::Condition::Any(parts) => (parts, negated),
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

fn too_many(tree: &filter::Condition) -> CompileError {
    let message = format!(
        "the filter has more than {MAX_COMPARISONS} comparisons, the most the system takes, when it is multiplied out for want of \
         parentheses"
    );
    about_whole(tree, message)
}

/// An error about a whole tree, which points at its first field.
fn about_whole(mut tree: &filter::Condition, message: String) -> CompileError {
    loop {
        tree = match tree {
            filter::Condition::All(parts) | filter::Condition::Any(parts) => &parts[0],
            filter::Condition::Not(part) => part,
            filter::Condition::Field { field, span, .. } => {
                let help =
                    Some("split it into several policies, or select by a field instead of a list of values".to_owned());
                return CompileError { field: field.clone(), span: *span, message, help };
            }
        }
    }
}

/// A field that is compared, and what is known of it.
struct Field<'tree> {
    name: &'tree str,
    span: Span,
    kind: Option<FieldType>,
    now: &'tree Zoned,
}

impl Field<'_> {
    fn error(&self, message: impl Into<String>, help: impl Into<String>) -> CompileError {
        CompileError { field: self.name.to_owned(), span: self.span, message: message.into(), help: Some(help.into()) }
    }

    /// The error for a comparison that has no meaning for the field's type.
    fn unfit(&self, what: &str) -> CompileError {
        let (kind, help) = match self.kind {
            Some(FieldType::Boolean) => ("a yes-or-no field", "write `true` or `false` without quotes"),
            Some(FieldType::Number) => ("a number field", "write a number without quotes, such as `42` or `-1.5`"),
            Some(FieldType::Date) => {
                ("a date field", "write a date such as `2026-01-31`, or use `olderThan` or `newerThan`")
            }
            Some(FieldType::DateTime) => {
                ("a date and time field", "write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`")
            }
            _ => ("a text field", "write text, in quotes"),
        };
        self.error(format!("`{}` is {kind} and does not take {what}", self.name), help)
    }

    fn alternatives(&self, comparison: &filter::Comparison, negated: bool) -> Result<Alternatives, CompileError> {
        use filter::Comparison as Tree;
        let compare = |operator: Operator, literal: Literal| self.compare(operator, literal, negated);
        let order = |operator: Operator, filter::Threshold(threshold): &filter::Threshold| match self.literal(threshold)? {
            Literal::Null | Literal::Boolean(_) => {
                Err(self.error("it is compared by order with a value that has none", "use `equals` or `isNull`"))
            }
            literal => self.compare(operator, literal, negated),
        };
        match comparison {
            Tree::Equals(literal) => compare(Operator::Equal, self.literal(literal)?),
            Tree::NotEquals(literal) => self.compare(Operator::Equal, self.literal(literal)?, !negated),
            Tree::In(literals) => self.among(literals, negated),
            Tree::NotIn(literals) => self.among(literals, !negated),
            Tree::Less(threshold) => order(Operator::Less, threshold),
            Tree::LessOrEqual(threshold) => order(Operator::LessOrEqual, threshold),
            Tree::Greater(threshold) => order(Operator::Greater, threshold),
            Tree::GreaterOrEqual(threshold) => order(Operator::GreaterOrEqual, threshold),
            Tree::IsNull(empty) => self.compare(Operator::Equal, Literal::Null, negated == *empty),
            Tree::OlderThan(age) => compare(Operator::Less, self.moment_before(age)?),
            Tree::NewerThan(age) => compare(Operator::GreaterOrEqual, self.moment_before(age)?),
            Tree::Like(_) if negated => {
                Err(self.error("it is turned round by `not`, and ZOQL has no `not like`", "select by another field"))
            }
            Tree::Like(pattern) => self.like(pattern),
            Tree::Includes(_) | Tree::Excludes(_) => {
                Err(self.error("ZOQL has no fields of several values", "use `in` or `notIn`"))
            }
        }
    }

    fn comparison(&self, test: Test) -> Result<Comparison, CompileError> {
        let field = Name::new(self.name, Place::default()).ok_or_else(|| {
            let shown: String = self.name.chars().take(60).flat_map(char::escape_debug).collect();
            self.error(
                format!("`{shown}` is not a field"),
                "names are letters, digits and `_`, and start with a letter; ZOQL follows no references, so that they have no dots",
            )
        })?;
        Ok(Comparison { field, test })
    }

    /// One comparison, or its opposite, which an empty field meets too.
    fn compare(&self, operator: Operator, literal: Literal, negated: bool) -> Result<Alternatives, CompileError> {
        let operator = if negated { operator.opposite() } else { operator };
        let is_null = literal == Literal::Null;
        let mut alternatives = vec![vec![self.comparison(Test::Compare(operator, literal))?]];
        if negated && !is_null {
            alternatives.push(vec![self.comparison(Test::Compare(Operator::Equal, Literal::Null))?]);
        }
        Ok(alternatives)
    }

    /// One of these values, or none of them. An empty field is none of them, unless `null` is among them.
    fn among(&self, literals: &[filter::Literal], negated: bool) -> Result<Alternatives, CompileError> {
        let literals = literals.iter().map(|literal| self.literal(literal)).collect::<Result<Vec<_>, _>>()?;
        if literals.is_empty() {
            return Err(self.error("the list of values is empty", "list at least one value"));
        }
        let operator = if negated { Operator::NotEqual } else { Operator::Equal };
        let may_be_empty = negated && !literals.contains(&Literal::Null);
        let each = literals.into_iter().map(|literal| self.comparison(Test::Compare(operator, literal)));
        let each = each.collect::<Result<Vec<_>, _>>()?;
        if !negated {
            return Ok(each.into_iter().map(|one| vec![one]).collect());
        }
        let mut alternatives = vec![each];
        if may_be_empty {
            alternatives.push(vec![self.comparison(Test::Compare(Operator::Equal, Literal::Null))?]);
        }
        Ok(alternatives)
    }

    fn literal(&self, literal: &filter::Literal) -> Result<Literal, CompileError> {
        match (literal, self.kind) {
            (filter::Literal::Null, _) => Ok(Literal::Null),
            (filter::Literal::Boolean(value), None | Some(FieldType::Boolean)) => Ok(Literal::Boolean(*value)),
            (filter::Literal::Boolean(value), _) => Err(self.unfit(&format!("`{value}`"))),
            (filter::Literal::Number(digits), None | Some(FieldType::Number)) => {
                Decimal::new(digits).map(Literal::Number).ok_or_else(|| self.unfit("what is no number"))
            }
            (filter::Literal::Number(_), _) => Err(self.unfit("a number")),
            (filter::Literal::Text(text), kind) => self.text(text, kind),
        }
    }

    fn text(&self, text: &str, kind: Option<FieldType>) -> Result<Literal, CompileError> {
        match kind {
            Some(FieldType::Boolean | FieldType::Number) => Err(self.unfit("text")),
            Some(FieldType::Date) if read_day(text).is_none() => Err(self.unfit("this text")),
            Some(FieldType::DateTime) => {
                // A manifest writes `Z` for UTC; ZOQL documents offsets in digits alone.
                let named = text.strip_suffix('Z').filter(|civil| has_form(civil, "0000-00-00T00:00:00"));
                let offset = named.map_or_else(|| text.to_owned(), |civil| format!("{civil}+00:00"));
                let has_offset = offset.len() > "0000-00-00T00:00:00".len();
                let moment = read_moment(&offset, &TimeZone::UTC).filter(|_| has_offset);
                moment.map(|moment| Literal::Text(write_moment(moment))).ok_or_else(|| self.unfit("this text"))
            }
            _ if text.chars().any(is_unwritable) => Err(self.error(UNWRITABLE, "compare with text that has none")),
            _ => Ok(Literal::Text(text.to_owned())),
        }
    }

    fn like(&self, text: &str) -> Result<Alternatives, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::Text)) {
            return Err(self.unfit("a text pattern"));
        }
        let pattern = Pattern::new(text).map_err(|reason| {
            self.error(reason, "write a pattern such as `Test%` or `%.csv`, with `_` for any one character")
        })?;
        Ok(vec![vec![self.comparison(Test::Like(pattern))?]])
    }

    fn moment_before(&self, age: &Age) -> Result<Literal, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::Date | FieldType::DateTime)) {
            return Err(self.unfit("an age"));
        }
        let moment = age.before(self.now).ok().filter(|moment| (1..=9999).contains(&moment.year()));
        let moment = moment.ok_or_else(|| self.error(format!("{age} ago is before the year 1"), "write a shorter age"))?;
        Ok(Literal::Text(match self.kind {
            Some(FieldType::Date) => moment.date().to_string(),
            _ => write_moment(moment.timestamp()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceMap;
    use crate::filter::{Comparison as Tree, Condition as Node, Literal as Plain, Threshold};

    fn field(name: &str, comparison: Tree) -> Node {
        Node::Field {
            field: name.into(),
            span: Span { source: SourceMap::default().add("test", ""), start: 3, end: 7 },
            comparison,
        }
    }

    fn text(text: &str) -> Plain {
        Plain::Text(text.into())
    }

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
        Flag: it is compared by order with a value that has none
        Day: `Day` is a date field and does not take this text
        UpdatedDate: `UpdatedDate` is a date and time field and does not take this text
        UOM: `UOM` is a text field and does not take an age
        UOM: in ZOQL `%` stands once in a pattern, at its beginning or at its end
        UOM: in ZOQL a pattern cannot look for a `\`, nor for a `%` or `_` that stands for itself
        UOM: it is turned round by `not`, and ZOQL has no `not like`
        UOM: ZOQL has no fields of several values
        UOM: in ZOQL text cannot hold this control character
        A: the filter has more than 200 comparisons, the most the system takes, when it is multiplied out for want of parentheses
        A: the filter has more than 200 comparisons, the most the system takes, when it is multiplied out for want of parentheses
        A: the filter has more than 200 comparisons, the most the system takes, when it is multiplied out for want of parentheses
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
