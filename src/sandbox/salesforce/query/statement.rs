//! One query, ready to run.

use std::cmp::Ordering;

use super::check::Checker;
use super::problem::QueryProblem;
use super::route::Route;
use super::row::Names;
use super::scan::{RowScope, scan};
use super::semi_join;
use crate::sandbox::draw::shuffle;
use crate::sandbox::salesforce::soql::{Comparison, Condition, Item, Operator, Path, Query, Test, read_query};
use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, RecordKey, Value, World};

/// The largest offset (documented).
const LARGEST_OFFSET: u64 = 2_000;

/// One thing a query asks for.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Column {
    /// Its name in the answer: of a field, with the parents' names before it; of a count, its alias.
    pub name: String,
    pub(super) route: Route,
}

/// What a query answers.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Records with these columns.
    Records(Vec<Column>),
    /// Only how many there are.
    Count,
    /// In how many records each of these is not empty.
    Aggregate(Vec<Column>),
}

/// A query that has been read and checked: it can be run as often as wanted.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Statement {
    pub(super) table: usize,
    rows: RowScope,
    pub(super) shape: Shape,
    names: Names,
    condition: Option<Condition>,
    order: Vec<(Route, bool, bool)>,
    limit: Option<u64>,
    offset: Option<u64>,
}

impl Statement {
    /// Refuses a query on an object that a user cannot see, as one that does not exist.
    pub(in crate::sandbox) fn check_access(&self, world: &World, user: RecordKey, text: &str) -> Result<(), QueryProblem> {
        let object = self.object(world);
        if world.may_read(object, user) {
            return Ok(());
        }
        let start = text.find(object).unwrap_or_default();
        Err(QueryProblem::no_such_object(text, start, object))
    }

    /// Reads a query and checks it against the objects of a world.
    pub(in crate::sandbox) fn check(world: &World, text: &str, rows: RowScope) -> Result<Self, QueryProblem> {
        let query = read_query(text).map_err(|refusal| QueryProblem::syntax(text, &refusal))?;
        if query.offset.is_some_and(|offset| offset > LARGEST_OFFSET) {
            // The code is documented, the text is from memory.
            return Err(QueryProblem::plain("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
        }
        let checker = Checker { alias: query.alias.as_deref(), ..Checker::new(world, text, rows, &query.object)? };
        if let Some(condition) = &query.condition {
            semi_join::check(text, &query.object, condition)?;
        }
        check_object(world, checker.table, query.condition.as_ref())?;
        let shape = shape(&checker, &query)?;
        let mut names = Names::default();
        let condition = query.condition.as_ref().map(|condition| checker.condition(condition, &mut names)).transpose()?;
        let mut order = Vec::new();
        for key in &query.order_by {
            let route = checker.route(&key.path)?;
            if matches!(route.kind(world), Some(FieldKind::TextArea | FieldKind::MultiPicklist(_))) {
                let message = format!("field '{}' can not be sorted in a query call", route.name);
                return Err(QueryProblem::at("MALFORMED_QUERY", text, key.path.start, &message));
            }
            // Documented: of references those that are empty always come first.
            let nulls_last = key.nulls_last && !matches!(route.kind(world), Some(FieldKind::Lookup(_)));
            order.push((route, key.descending, nulls_last));
        }
        let Query { limit, offset, .. } = query;
        Ok(Self { table: checker.table, rows, shape, names, condition, order, limit, offset })
    }

    /// The object's name as its definition writes it.
    pub(in crate::sandbox) fn object<'a>(&self, world: &'a World) -> &'a str {
        &world.tables()[self.table].definition().name
    }

    /// The columns, in the order asked for; none if the query counts.
    pub(in crate::sandbox) fn columns(&self) -> &[Column] {
        match &self.shape {
            Shape::Records(columns) => columns,
            Shape::Count | Shape::Aggregate(_) => &[],
        }
    }

    /// Whether it counts instead of listing.
    pub(in crate::sandbox) fn is_aggregate(&self) -> bool {
        !matches!(self.shape, Shape::Records(_))
    }

    /// Whether it leaves out rows at the beginning.
    pub(in crate::sandbox) fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// The keys of the records it finds, in its order, for a user.
    pub(in crate::sandbox) fn run(&self, world: &World, user: RecordKey) -> Vec<RecordKey> {
        let table = &world.tables()[self.table];
        let own_row = (table.definition().name == "UserPermissionAccess").then(|| World::access_key(user));
        let offset = usize::try_from(self.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let enough = offset.saturating_add(limit);
        let mut found: Vec<usize> = Vec::new();
        let is_sorted = self.order.is_empty() || self.is_key_order(false);
        scan(world, self.table, self.condition.as_ref(), &self.names, self.rows, |row| {
            if own_row.is_none_or(|own| table.key_at(row) == own) {
                found.push(row);
            }
            !(is_sorted && found.len() >= enough)
        });
        if self.is_key_order(true) {
            found.reverse();
        } else if !is_sorted {
            found = self.sorted(world, &found);
        } else if self.order.is_empty() {
            // The vendor promises no order then.
            shuffle(world.seed(), &mut found);
        }
        found.into_iter().skip(offset).take(limit).map(|row| table.key_at(row)).collect()
    }

    /// How many records it finds, and in how many of them each counted field is not empty.
    pub(super) fn counts(&self, world: &World, user: RecordKey) -> (u64, Vec<u64>) {
        let keys = self.run(world, user);
        let columns = if let Shape::Aggregate(columns) = &self.shape { columns.as_slice() } else { &[] };
        let filled = |column: &Column| {
            let is_filled = |key: &&RecordKey| self.value(world, **key, column).is_some_and(|value| !value.is_null());
            keys.iter().filter(is_filled).count() as u64
        };
        (keys.len() as u64, columns.iter().map(filled).collect())
    }

    /// The values of the columns of one record; nothing for one that was never there.
    pub(in crate::sandbox) fn values(&self, world: &World, key: RecordKey) -> Vec<Value> {
        self.columns().iter().map(|column| self.value(world, key, column).unwrap_or(Value::Null)).collect()
    }

    fn value(&self, world: &World, key: RecordKey, column: &Column) -> Option<Value> {
        let (table, row) = world.locate(key)?;
        Some(column.route.value(world, table, row))
    }

    /// Whether the order is that of the keys alone.
    fn is_key_order(&self, wanted_descending: bool) -> bool {
        matches!(self.order.as_slice(), [(route, descending, _)]
            if *descending == wanted_descending && route.own_place() == Some(Place::Id))
    }

    fn sorted(&self, world: &World, rows: &[usize]) -> Vec<usize> {
        let mut keyed: Vec<(Vec<Value>, usize)> = rows
            .iter()
            .map(|row| (self.order.iter().map(|(route, ..)| folded(route.value(world, self.table, *row))).collect(), *row))
            .collect();
        keyed.sort_by(|(left, _), (right, _)| {
            let pairs = left.iter().zip(right).zip(&self.order);
            pairs
                .map(|((left, right), (_, descending, nulls_last))| compare(left, right, *descending, *nulls_last))
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }
}

/// Refuses a query on an object that cannot be queried, or not in this way. Both texts are seen by clients; that a semi-join will not
/// do for the second is a guess.
fn check_object(world: &World, table: usize, condition: Option<&Condition>) -> Result<(), QueryProblem> {
    let object = world.tables()[table].definition();
    if !object.queryable {
        let message = format!("entity type {} does not support query", object.name);
        return Err(QueryProblem::plain("INVALID_TYPE_FOR_OPERATION", message));
    }
    let is_filter = |part: &Condition| match part {
        Condition::Comparison(Comparison { path, test, .. }) => {
            let names_keys = matches!(test, Test::Compare(Operator::Equal, _) | Test::In(_));
            names_keys && object.needs_filter_on.iter().any(|field| field.eq_ignore_ascii_case(&path.text))
        }
        _ => false,
    };
    let is_filtered = match condition {
        Some(Condition::And(parts)) => parts.iter().any(is_filter),
        Some(part) => is_filter(part),
        None => false,
    };
    if object.needs_filter_on.is_empty() || is_filtered {
        return Ok(());
    }
    let message = format!(
        "Implementation restriction: {} requires a filter by a single Id on {} using the equals operator or multiple Id's using \
         the IN operator.",
        object.name,
        object.needs_filter_on.join(" or ")
    );
    Err(QueryProblem::plain("MALFORMED_QUERY", message))
}

fn shape(checker: &Checker<'_>, query: &Query) -> Result<Shape, QueryProblem> {
    if query.items == [Item::CountRows] {
        return Ok(Shape::Count);
    }
    let refuse = |path: &Path, message: &str| Err(QueryProblem::at("MALFORMED_QUERY", checker.text, path.start, message));
    let counts = query.items.iter().any(|item| matches!(item, Item::CountField(..)));
    if counts && query.limit.is_some() {
        // Documented: without groups there is one row. The words are a guess.
        return Err(QueryProblem::plain("MALFORMED_QUERY", "Aggregate queries without GROUP BY cannot have a LIMIT"));
    }
    let mut columns: Vec<Column> = Vec::new();
    for item in &query.items {
        match item {
            Item::Field(path, Some(_)) => {
                return refuse(path, "only aggregate expressions use field aliasing");
            }
            Item::Field(path, None) if counts => {
                return refuse(path, &format!("Field must be grouped or aggregated: {}", path.text));
            }
            Item::Field(path, None) => {
                let route = checker.route(path)?;
                let parents = route.hops.iter().map(|hop| hop.name.as_str());
                let name = parents.chain([route.name.as_str()]).collect::<Vec<_>>().join(".");
                if columns.iter().any(|column| column.name == name) {
                    // Documented, with this code.
                    return Err(QueryProblem::plain("INVALID_FIELD", format!("duplicate field selected: {name}")));
                }
                columns.push(Column { name, route });
            }
            Item::CountField(path, alias) => {
                let route = checker.route(path)?;
                let name = alias.clone().unwrap_or_else(|| format!("expr{}", columns.len()));
                columns.push(Column { name, route });
            }
            Item::CountRows => return Ok(Shape::Count),
        }
    }
    Ok(if counts { Shape::Aggregate(columns) } else { Shape::Records(columns) })
}

/// Text in the form it is ordered by: without regard to case ([guess]).
fn folded(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.to_lowercase().into()),
        other => other,
    }
}

fn compare(left: &Value, right: &Value, descending: bool, nulls_last: bool) -> Ordering {
    let ordering = match (left, right) {
        (Value::Null, Value::Null) => return Ordering::Equal,
        (Value::Null, _) => return if nulls_last { Ordering::Greater } else { Ordering::Less },
        (_, Value::Null) => return if nulls_last { Ordering::Less } else { Ordering::Greater },
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.total_cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::DateTime(left), Value::DateTime(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Reference(left), Value::Reference(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if descending { ordering.reverse() } else { ordering }
}
