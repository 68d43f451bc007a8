//! Holds a query to the objects and fields that exist, and lowers its conditions.

use std::collections::HashSet;

use super::key_test::{Against, KeyTest};
use super::problem::QueryProblem;
use super::route::Route;
use super::row::Names;
use super::scan::{RowScope, scan};
use crate::sandbox::salesforce::soql::{Comparison, Condition, DatePart, Function, Literal, Operator, Path, Subquery, Test};
use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, RecordKey, Value, World};

/// The most parents that a path leads over (documented).
const MOST_PARENTS: usize = 5;

/// Looks up names for one query.
pub(super) struct Checker<'a> {
    pub world: &'a World,
    /// The whole text, of which problems show a part.
    pub text: &'a str,
    /// Which rows it looks at, in subqueries too (guess: the vendor's pages speak of whole queries).
    pub rows: RowScope,
    pub table: usize,
    /// Another name that paths may begin with.
    pub alias: Option<&'a str>,
}

impl<'a> Checker<'a> {
    /// For a query on the object it names.
    pub(super) fn new(world: &'a World, text: &'a str, rows: RowScope, object: &Path) -> Result<Self, QueryProblem> {
        let table = world
            .table_number(&object.text)
            .ok_or_else(|| QueryProblem::no_such_object(text, object.start, &object.text))?;
        Ok(Self { world, text, rows, table, alias: None })
    }

    /// What a path means.
    pub(super) fn route(&self, path: &Path) -> Result<Route, QueryProblem> {
        let has_alias = |(first, _): &(&str, &str)| self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first));
        let named = path.text.split_once('.').filter(has_alias).map_or(path.text.as_str(), |(_, rest)| rest);
        let route = Route::resolve(self.world, self.table, named).map_err(|dead_end| {
            if named.contains('.') && named.split('.').next_back() != Some(dead_end.name.as_str()) {
                // The wording for an unknown parent is a guess.
                let message = format!(
                    "Didn't understand relationship '{}' in field path. If you are attempting to use a custom relationship, be \
                     sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe \
                     call for the appropriate names.",
                    dead_end.name
                );
                return QueryProblem::at("INVALID_FIELD", self.text, path.start, &message);
            }
            QueryProblem::no_such_field(self.text, path.start, &dead_end.name, &dead_end.object)
        })?;
        if route.hops.len() > MOST_PARENTS {
            // The bound is documented, the words are a guess.
            let message = "Relationship path is too long: no more than 5 child-to-parent relationships can be in it";
            return Err(QueryProblem::at("MALFORMED_QUERY", self.text, path.start, message));
        }
        Ok(route)
    }

    /// The condition with its names noted and its comparisons of keys replaced by tests.
    pub(super) fn condition(&self, condition: &Condition, names: &mut Names) -> Result<Condition, QueryProblem> {
        let all = |parts: &[Condition], names: &mut Names| {
            parts.iter().map(|part| self.condition(part, names)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match condition {
            Condition::And(parts) => Condition::And(all(parts, names)?),
            Condition::Or(parts) => Condition::Or(all(parts, names)?),
            Condition::Not(part) => Condition::Not(Box::new(self.condition(part, names)?)),
            Condition::Group(part) => Condition::Group(Box::new(self.condition(part, names)?)),
            Condition::Comparison(comparison) => Condition::Comparison(self.comparison(comparison, names)?),
        })
    }

    fn comparison(&self, comparison: &Comparison, names: &mut Names) -> Result<Comparison, QueryProblem> {
        let route = self.route(&comparison.path)?;
        let kind = self.kind(&route);
        if matches!(route.kind(self.world), Some(FieldKind::TextArea)) {
            let message = format!("field '{}' can not be filtered in a query call", route.name);
            return Err(QueryProblem::at("INVALID_FIELD", self.text, comparison.path.start, &message));
        }
        if let Test::InSubquery(subquery) | Test::NotInSubquery(subquery) = &comparison.test {
            let negated = matches!(comparison.test, Test::NotInSubquery(_));
            let keys = self.subquery(subquery, &route)?;
            let test = KeyTest { route, against: Against::Among { keys, or_null: false, negated } };
            return Ok(self.replaced(comparison, test, names));
        }
        let kind = self.kind_after(comparison, &route, kind)?;
        if kind == Kind::Key {
            if let Some(against) = self.against(comparison)? {
                return Ok(self.replaced(comparison, KeyTest { route, against }, names));
            }
        } else {
            self.check_literals(comparison, &route, kind)?;
        }
        names.add_route(self.world, &comparison.path.text, route);
        Ok(comparison.clone())
    }

    /// `Field_n = true` in place of a comparison of keys.
    fn replaced(&self, comparison: &Comparison, test: KeyTest, names: &mut Names) -> Comparison {
        let name = format!("Key_Test_{}", names.tests.len());
        let path = Path { text: name.clone(), start: comparison.start };
        names.tests.push((name, test));
        let test = Test::Compare(Operator::Equal, Literal::Boolean(true));
        Comparison { path, function: None, test, start: comparison.start }
    }

    /// What a key is compared with; nothing when it is compared with nothing.
    fn against(&self, comparison: &Comparison) -> Result<Option<Against>, QueryProblem> {
        let bad = |text: &str| {
            // The code is one that clients know, the text is from memory.
            QueryProblem::at(
                "INVALID_QUERY_FILTER_OPERATOR",
                self.text,
                comparison.path.start,
                &format!("invalid ID field: {text}"),
            )
        };
        let key = |literal: &Literal| match literal {
            Literal::Text(text) => RecordKey::parse(text).map(Some).map_err(|_| bad(text)),
            Literal::Null => Ok(None),
            _ => Err(self.misfit(comparison, Kind::Key)),
        };
        let among = |literals: &[Literal], negated| {
            let mut keys = HashSet::new();
            let mut or_null = false;
            let in_currency = literals.iter().filter(|literal| matches!(literal, Literal::Currency(..))).count();
            if in_currency > 0 && literals.iter().any(|literal| matches!(literal, Literal::Number(_))) {
                // Documented, the words are a guess.
                let message = "amounts with and without an ISO code cannot be mixed";
                return Err(QueryProblem::at("MALFORMED_QUERY", self.text, comparison.path.start, message));
            }
            for literal in literals {
                match key(literal)? {
                    Some(key) => _ = keys.insert(key),
                    None => or_null = true,
                }
            }
            Ok(Some(Against::Among { keys, or_null, negated }))
        };
        match &comparison.test {
            Test::Compare(Operator::Equal, literal) => among(std::slice::from_ref(literal), false),
            Test::Compare(Operator::NotEqual, literal) => among(std::slice::from_ref(literal), true),
            Test::Compare(operator, literal) => Ok(key(literal)?.map(|key| Against::Ordered(*operator, key))),
            Test::In(literals) => among(literals, false),
            Test::NotIn(literals) => among(literals, true),
            Test::Like(_) | Test::Includes(_) | Test::Excludes(_) => Err(QueryProblem::at(
                "INVALID_QUERY_FILTER_OPERATOR",
                self.text,
                comparison.path.start,
                "invalid operator on id field",
            )),
            Test::InSubquery(_) | Test::NotInSubquery(_) => Ok(None),
        }
    }

    /// The keys a subquery finds.
    fn subquery(&self, subquery: &Subquery, outer: &Route) -> Result<HashSet<RecordKey>, QueryProblem> {
        let refuse = |message: &str| QueryProblem::at("MALFORMED_QUERY", self.text, subquery.object.start, message);
        let inner = Checker::new(self.world, self.text, self.rows, &subquery.object)?;
        let route = inner.route(&subquery.field)?;
        if self.kind(outer) != Kind::Key || inner.kind(&route) != Kind::Key || !route.hops.is_empty() {
            return Err(refuse("Semi join sub-selects are only allowed between ID and reference fields"));
        }
        let mut names = Names::default();
        let condition = subquery.condition.as_ref().map(|condition| inner.condition(condition, &mut names)).transpose()?;
        let mut keys = HashSet::new();
        scan(self.world, inner.table, condition.as_ref(), &names, self.rows, |row| {
            if let Value::Reference(key) = route.value(self.world, inner.table, row) {
                keys.insert(key);
            }
            true
        });
        Ok(keys)
    }

    /// The type of what is compared: that of a field, or of what a function makes of it. The texts are guesses.
    fn kind_after(&self, comparison: &Comparison, route: &Route, kind: Kind) -> Result<Kind, QueryProblem> {
        let refuse = |code, message: &str| Err(QueryProblem::at(code, self.text, comparison.path.start, message));
        let unfit = |name: &str| refuse("INVALID_FIELD", &format!("{name} is not supported on field '{}'", route.name));
        match &comparison.function {
            None => Ok(kind),
            Some(Function::Date { part, in_user_zone }) => {
                // Documented: these are for moments alone.
                let of_moment = *in_user_zone || matches!(part, DatePart::DayOnly | DatePart::HourInDay);
                if !(kind == Kind::DateTime || (kind == Kind::Date && !of_moment)) {
                    return unfit(&part.to_string());
                }
                Ok(if *part == DatePart::DayOnly { Kind::Date } else { Kind::Number })
            }
            // Documented for one choice and for several.
            Some(Function::Label) if matches!(route.kind(self.world), Some(FieldKind::Picklist(_))) => Ok(Kind::Text),
            Some(Function::Label) if kind == Kind::List => Ok(kind),
            Some(Function::Label) => unfit("toLabel"),
            Some(Function::Distance(_)) => {
                // Documented: nothing else than nearer and farther.
                if !matches!(comparison.test, Test::Compare(Operator::Less | Operator::Greater, Literal::Number(_))) {
                    return refuse("MALFORMED_QUERY", "DISTANCE is only compared by < and > with a number");
                }
                Err(QueryProblem::unserved(self.text, comparison.path.start, "DISTANCE"))
            }
        }
    }

    fn kind(&self, route: &Route) -> Kind {
        match (route.kind(self.world), route.end_place()) {
            (Some(FieldKind::Boolean), _) | (None, Some(Place::IsDeleted)) => Kind::Boolean,
            (Some(FieldKind::Integer | FieldKind::Double | FieldKind::Currency | FieldKind::Percent), _) => Kind::Number,
            (Some(FieldKind::Date), _) => Kind::Date,
            (Some(FieldKind::DateTime), _)
            | (None, Some(Place::CreatedDate | Place::LastModifiedDate | Place::SystemModstamp)) => Kind::DateTime,
            (Some(FieldKind::Lookup(_)), _) | (None, Some(Place::Id | Place::CreatedById | Place::LastModifiedById)) => {
                Kind::Key
            }
            (Some(FieldKind::MultiPicklist(_)), _) => Kind::List,
            _ => Kind::Text,
        }
    }

    /// A literal of another type than a field has. The words are from memory.
    fn misfit(&self, comparison: &Comparison, kind: Kind) -> QueryProblem {
        let quotes = if matches!(kind, Kind::Text | Kind::List | Kind::Key) { "should be" } else { "should not be" };
        let message = format!(
            "value of filter criterion for field '{}' must be of type {} and {quotes} enclosed in quotes",
            comparison.path.text.rsplit('.').next().unwrap_or_default(),
            kind.name()
        );
        QueryProblem::at("INVALID_FIELD", self.text, comparison.path.start, &message)
    }

    /// Whether every literal fits the field's type. The texts are from memory, the code is documented.
    fn check_literals(&self, comparison: &Comparison, route: &Route, kind: Kind) -> Result<(), QueryProblem> {
        let refuse = |message: String| Err(QueryProblem::at("INVALID_FIELD", self.text, comparison.path.start, &message));
        let literals = match &comparison.test {
            Test::Compare(operator, literal) => {
                let is_ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if is_ordered && kind == Kind::Boolean {
                    return refuse(format!("invalid operator on boolean field '{}'", route.name));
                }
                // Documented: several choices are compared for equality only, besides INCLUDES and EXCLUDES.
                if is_ordered && kind == Kind::List {
                    return refuse(format!("invalid operator on multipicklist field '{}'", route.name));
                }
                std::slice::from_ref(literal)
            }
            Test::In(literals) | Test::NotIn(literals) => literals.as_slice(),
            Test::Like(_) if kind != Kind::Text => {
                return refuse(format!("invalid operator on field '{}'", route.name));
            }
            Test::Includes(_) | Test::Excludes(_) if kind != Kind::List => {
                return refuse(format!("includes and excludes are not allowed on field '{}'", route.name));
            }
            Test::Like(_) | Test::Includes(_) | Test::Excludes(_) | Test::InSubquery(_) | Test::NotInSubquery(_) => {
                return Ok(());
            }
        };
        let in_currency = literals.iter().filter(|literal| matches!(literal, Literal::Currency(..))).count();
        if in_currency > 0 && literals.iter().any(|literal| matches!(literal, Literal::Number(_))) {
            // Documented, the words are a guess.
            let message = "amounts with and without an ISO code cannot be mixed";
            return Err(QueryProblem::at("MALFORMED_QUERY", self.text, comparison.path.start, message));
        }
        for literal in literals {
            if let Literal::Currency(..) = literal {
                // Single-currency organizations refuse it (guess); ones with several currencies are not simulated.
                let what = "amounts in a named currency";
                return Err(QueryProblem::unserved(self.text, comparison.path.start, what));
            }
            if comparison.function.is_some() && matches!(literal, Literal::DateLiteral(_)) {
                // Documented: the result of a date function is compared with none. The words are a guess.
                return refuse(format!(
                    "the result of a date function on field '{}' cannot be compared with a date literal",
                    route.name
                ));
            }
            let fits = match literal {
                Literal::Null => true,
                Literal::Boolean(_) => kind == Kind::Boolean,
                Literal::Number(_) => kind == Kind::Number,
                Literal::Text(_) => matches!(kind, Kind::Text | Kind::List),
                Literal::Date(_) => kind == Kind::Date,
                Literal::DateTime(_) => kind == Kind::DateTime,
                Literal::DateLiteral(_) => matches!(kind, Kind::Date | Kind::DateTime),
                // No field of the sandbox holds a time of the day.
                Literal::Time(_) | Literal::Currency(..) => false,
            };
            if !fits {
                return Err(self.misfit(comparison, kind));
            }
        }
        Ok(())
    }
}

/// The types that decide which literals fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Boolean,
    Number,
    Date,
    DateTime,
    Key,
    List,
    Text,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Number => "double",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Key => "reference",
            Self::List | Self::Text => "string",
        }
    }
}
