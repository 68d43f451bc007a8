//! One SELECT from the text to its rows.

use std::cmp::Ordering;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, OrderBySort,
    Query, Select, SelectItem, SetExpr, Statement, TableFactor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::SqlError;
use super::expression::Expression;
use super::relation::{Relation, Row};
use super::scope::{Scope, folded, plain_name};
use crate::sandbox::fulcrum::{ColumnKind, Organization, Value};

/// What a query selects.
#[derive(Debug)]
pub(in crate::sandbox::fulcrum) struct ResultSet {
    /// Names and kinds. A name may be there twice.
    pub columns: Vec<(String, ColumnKind)>,
    pub rows: Vec<Vec<Value>>,
}

/// One column of the result.
struct Item {
    name: String,
    kind: ColumnKind,
    source: Source,
}

enum Source {
    Each(Expression),
    /// Over all rows, and those only where there is a value, if there is an expression.
    Count(Option<Expression>),
    /// The least or the greatest value.
    Extreme(Expression, Ordering),
}

/// Runs the text as the vendor's database would.
pub(in crate::sandbox::fulcrum) fn run(text: &str, organization: &Organization) -> Result<ResultSet, SqlError> {
    let query = parse(text)?;
    let SetExpr::Select(select) = query.body.as_ref() else {
        return Err(SqlError::not_simulated("anything but one SELECT"));
    };
    let (table, name) = from(select)?;
    let relation = Relation::named(&table, organization)?;
    let scope = Scope { table: name, columns: &relation.columns, now: organization.now };
    let condition = select.selection.as_ref().map(|tree| scope.condition(tree)).transpose()?;
    let items = items(select, &scope)?;
    let order = order(&query, &scope, &items)?;
    let (limit, offset) = limit(&query)?;

    let mut rows: Vec<Row<'_>> = Vec::new();
    for row in relation.rows {
        let wanted = match &condition {
            Some(condition) => condition.truth(&row, 0)? == Some(true),
            None => true,
        };
        if wanted {
            rows.push(row);
        }
    }
    let mut output = if items.iter().any(|item| !matches!(item.source, Source::Each(_))) {
        vec![aggregated(&items, &rows)?]
    } else {
        let selected = rows.len();
        sorted(rows, &order)?.iter().map(|row| values(&items, row, selected)).collect::<Result<_, _>>()?
    };
    output.drain(..offset.min(output.len()));
    output.truncate(limit);
    Ok(ResultSet { columns: items.into_iter().map(|item| (item.name, item.kind)).collect(), rows: output })
}

/// The one query of a text. That more is refused in these words is known of the driver, not of the vendor (guess).
fn parse(text: &str) -> Result<Query, SqlError> {
    let mut statements = Parser::new(&PostgreSqlDialect {}).try_with_sql(text)?.parse_statements()?;
    match (statements.pop(), statements.pop()) {
        (Some(Statement::Query(query)), None) => {
            let has_more = query.with.is_some() || query.fetch.is_some() || !query.locks.is_empty();
            if has_more { Err(SqlError::not_simulated("WITH, FETCH and FOR UPDATE")) } else { Ok(*query) }
        }
        (Some(other), None) => {
            let verb = other.to_string().split(' ').next().unwrap_or_default().to_owned();
            Err(SqlError::new(format!("cannot execute {verb} in a read-only transaction")))
        }
        (Some(_), Some(_)) => Err(SqlError::new("cannot insert multiple commands into a prepared statement")),
        (None, _) => Err(SqlError::new("syntax error at end of input")),
    }
}

/// The table, and what the query calls it.
fn from(select: &Select) -> Result<(String, String), SqlError> {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, more) if by.is_empty() && more.is_empty());
    if select.distinct.is_some() || grouped || select.having.is_some() || select.into.is_some() {
        return Err(SqlError::not_simulated("DISTINCT, GROUP BY, HAVING and INTO"));
    }
    match select.from.as_slice() {
        [one] if one.joins.is_empty() => match &one.relation {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = plain_name(name)?;
                let called = alias.as_ref().map_or_else(|| table.clone(), |alias| folded(&alias.name));
                Ok((table, called))
            }
            other => Err(SqlError::not_simulated(format!("FROM {other}"))),
        },
        _ => Err(SqlError::not_simulated("anything but one table")),
    }
}

fn items(select: &Select, scope: &Scope<'_>) -> Result<Vec<Item>, SqlError> {
    let mut items = Vec::new();
    for selected in &select.projection {
        match selected {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                let all = scope.columns.iter().enumerate().map(|(place, (name, kind))| Item {
                    name: name.clone(),
                    kind: *kind,
                    source: Source::Each(Expression::Column(place)),
                });
                items.extend(all);
            }
            SelectItem::UnnamedExpr(tree) => items.push(item(name_of(tree), tree, scope)?),
            SelectItem::ExprWithAlias { expr, alias } => items.push(item(folded(alias), expr, scope)?),
            other => return Err(SqlError::not_simulated(other)),
        }
    }
    let plain = items.iter().find(|item| matches!(item.source, Source::Each(_)));
    let aggregate = items.iter().any(|item| !matches!(item.source, Source::Each(_)));
    if let (Some(item), true) = (plain, aggregate) {
        let name = &item.name;
        let message = format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function");
        return Err(SqlError::new(message));
    }
    Ok(items)
}

fn item(name: String, tree: &Expr, scope: &Scope<'_>) -> Result<Item, SqlError> {
    if let Expr::Function(function) = tree {
        let aggregate = plain_name(&function.name)?;
        let argument = match &function.args {
            FunctionArguments::List(list) if list.duplicate_treatment.is_none() => match list.args.as_slice() {
                [FunctionArg::Unnamed(argument)] => Some(argument),
                _ => None,
            },
            _ => None,
        };
        match (aggregate.as_str(), argument, &function.over) {
            ("count", Some(FunctionArgExpr::Wildcard), None) => {
                return Ok(Item { name, kind: ColumnKind::Integer, source: Source::Count(None) });
            }
            ("count", Some(FunctionArgExpr::Wildcard), Some(window)) if window.to_string() == "()" => {
                return Ok(Item { name, kind: ColumnKind::Integer, source: Source::Each(Expression::RowsSelected) });
            }
            ("count", Some(FunctionArgExpr::Expr(tree)), None) => {
                let (expression, _) = scope.expression(tree)?;
                return Ok(Item { name, kind: ColumnKind::Integer, source: Source::Count(Some(expression)) });
            }
            ("min" | "max", Some(FunctionArgExpr::Expr(tree)), None) => {
                let (expression, kind) = scope.expression(tree)?;
                let wanted = if aggregate == "min" { Ordering::Less } else { Ordering::Greater };
                let source = Source::Extreme(expression, wanted);
                return Ok(Item { name, kind: kind.unwrap_or(ColumnKind::Text), source });
            }
            (_, _, Some(_)) => return Err(SqlError::not_simulated(tree)),
            _ => {}
        }
    }
    let (expression, kind) = scope.expression(tree)?;
    Ok(Item { name, kind: kind.unwrap_or(ColumnKind::Text), source: Source::Each(expression) })
}

/// What PostgreSQL calls a column that nobody has named.
fn name_of(tree: &Expr) -> String {
    match tree {
        Expr::Identifier(name) => folded(name),
        Expr::CompoundIdentifier(path) => path.last().map(folded).unwrap_or_default(),
        Expr::Function(function) => function.name.to_string().to_lowercase(),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => name_of(inner),
        _ => "?column?".to_owned(),
    }
}

/// What to order by, whether downward, and whether nulls come first.
type Order = Vec<(Expression, bool, bool)>;

fn order(query: &Query, scope: &Scope<'_>, items: &[Item]) -> Result<Order, SqlError> {
    let Some(order_by) = &query.order_by else { return Ok(Vec::new()) };
    let OrderByKind::Expressions(keys) = &order_by.kind else { return Err(SqlError::not_simulated(order_by)) };
    keys.iter()
        .map(|key| {
            let descending = matches!(key.options.sort, Some(OrderBySort::Desc));
            Ok((order_key(key, scope, items)?, descending, key.options.nulls_first.unwrap_or(descending)))
        })
        .collect()
}

/// The name of a column of the result goes before one of the table, and a number counts the result's columns.
fn order_key(key: &OrderByExpr, scope: &Scope<'_>, items: &[Item]) -> Result<Expression, SqlError> {
    let named = match &key.expr {
        Expr::Identifier(name) => items.iter().find(|item| item.name == folded(name)),
        Expr::Value(_) => {
            let number: usize = key.expr.to_string().parse().unwrap_or(0);
            let missing = || SqlError::new(format!("ORDER BY position {number} is not in select list"));
            Some(number.checked_sub(1).and_then(|place| items.get(place)).ok_or_else(missing)?)
        }
        _ => None,
    };
    match named.map(|item| &item.source) {
        Some(Source::Each(expression)) => Ok(expression.clone()),
        _ => Ok(scope.expression(&key.expr)?.0),
    }
}

/// The most rows, and how many are passed over before them.
fn limit(query: &Query) -> Result<(usize, usize), SqlError> {
    let number = |tree: &Expr| -> Result<usize, SqlError> {
        let text = tree.to_string();
        text.parse().map_err(|_| SqlError::not_simulated(format!("LIMIT or OFFSET {text}")))
    };
    match &query.limit_clause {
        None => Ok((usize::MAX, 0)),
        Some(LimitClause::LimitOffset { limit, offset, .. }) => Ok((
            limit.as_ref().map_or(Ok(usize::MAX), number)?,
            offset.as_ref().map_or(Ok(0), |offset| number(&offset.value))?,
        )),
        Some(other) => Err(SqlError::not_simulated(other)),
    }
}

fn sorted<'a>(rows: Vec<Row<'a>>, order: &Order) -> Result<Vec<Row<'a>>, SqlError> {
    if order.is_empty() {
        return Ok(rows);
    }
    let selected = rows.len();
    let keyed = rows.into_iter().map(|row| {
        let keys = order.iter().map(|(expression, ..)| expression.evaluate(&row, selected));
        Ok((keys.collect::<Result<Vec<Value>, SqlError>>()?, row))
    });
    let mut keyed: Vec<(Vec<Value>, Row<'a>)> = keyed.collect::<Result<_, SqlError>>()?;
    keyed.sort_by(|(left, _), (right, _)| {
        let keys = left.iter().zip(right).zip(order);
        let orderings = keys.map(|((left, right), (_, descending, nulls_first))| {
            let nulls = (*right == Value::Null).cmp(&(*left == Value::Null));
            let nulls = if *nulls_first { nulls } else { nulls.reverse() };
            let ordering = left.compare(right).unwrap_or(Ordering::Equal);
            nulls.then(if *descending { ordering.reverse() } else { ordering })
        });
        orderings.fold(Ordering::Equal, Ordering::then)
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn values(items: &[Item], row: &Row<'_>, selected: usize) -> Result<Vec<Value>, SqlError> {
    let each = items.iter().map(|item| match &item.source {
        Source::Each(expression) => expression.evaluate(row, selected),
        Source::Count(_) | Source::Extreme(..) => Ok(Value::Null),
    });
    each.collect()
}

fn aggregated(items: &[Item], rows: &[Row<'_>]) -> Result<Vec<Value>, SqlError> {
    items.iter().map(|item| aggregate(item, rows)).collect()
}

fn aggregate(item: &Item, rows: &[Row<'_>]) -> Result<Value, SqlError> {
    match &item.source {
        Source::Each(_) => Ok(Value::Null),
        Source::Count(None) => Ok(Value::Integer(rows.len() as i64)),
        Source::Count(Some(expression)) => {
            let mut count = 0;
            for row in rows {
                count += i64::from(expression.evaluate(row, rows.len())? != Value::Null);
            }
            Ok(Value::Integer(count))
        }
        Source::Extreme(expression, wanted) => {
            let mut best = Value::Null;
            for row in rows {
                let value = expression.evaluate(row, rows.len())?;
                if best == Value::Null || value.compare(&best) == Some(*wanted) {
                    best = value;
                }
            }
            Ok(best)
        }
    }
}
