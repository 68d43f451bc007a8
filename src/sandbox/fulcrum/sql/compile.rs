//! From the parser's tree to an expression with types. A literal in quotes has none until it meets something that has.

use jiff::Span;
use jiff::tz::TimeZone;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Subscript,
    TimezoneInfo, TypedString, UnaryOperator, Value as Literal,
};

use super::SqlError;
use super::date_unit::DateUnit;
use super::expression::{Comparison, Expression, Function, Operation, Pattern};
use super::scope::{Scope, plain_name};
use crate::sandbox::fulcrum::{ColumnKind, Value};

/// An expression and its kind; none for a literal in quotes and for null.
pub(super) type Typed = (Expression, Option<ColumnKind>);

/// Deeper than this an expression does not go.
const DEEPEST: usize = 500;

impl Scope<'_> {
    /// An expression that is a condition.
    pub(super) fn condition(&self, tree: &Expr) -> Result<Expression, SqlError> {
        self.condition_at(tree, 0)
    }

    /// Any expression.
    pub(super) fn expression(&self, tree: &Expr) -> Result<Typed, SqlError> {
        self.compile(tree, 0)
    }

    fn condition_at(&self, tree: &Expr, depth: usize) -> Result<Expression, SqlError> {
        let (expression, kind) = self.compile(tree, depth)?;
        match kind {
            None | Some(ColumnKind::Boolean) => coerced(expression, ColumnKind::Boolean),
            Some(kind) => {
                Err(SqlError::new(format!("argument of WHERE must be type boolean, not type {}", kind.sql_name())))
            }
        }
    }

    fn compile(&self, tree: &Expr, depth: usize) -> Result<Typed, SqlError> {
        let depth = depth + 1;
        if depth > DEEPEST {
            return Err(SqlError::new("stack depth limit exceeded"));
        }
        let typed = |tree: &Expr| self.compile(tree, depth);
        let any = |tree: &Expr| self.compile(tree, depth).map(|(expression, _)| Box::new(expression));
        let condition = |tree: &Expr| self.condition_at(tree, depth).map(Box::new);
        let truth = |inner: Expression| (inner, Some(ColumnKind::Boolean));
        let is = |tree: &Expr, wanted: bool| -> Result<Expression, SqlError> {
            Ok(Expression::IsSame(condition(tree)?, Box::new(Expression::Constant(Value::Boolean(wanted)))))
        };
        let same = |left: &Expr, right: &Expr| -> Result<Expression, SqlError> {
            let (left, right, _) = alike("IS DISTINCT FROM", typed(left)?, typed(right)?)?;
            Ok(Expression::IsSame(left, right))
        };
        Ok(match tree {
            Expr::Nested(inner) => typed(inner)?,
            Expr::Identifier(name) => {
                let (place, kind) = self.column(std::slice::from_ref(name))?;
                (Expression::Column(place), Some(kind))
            }
            Expr::CompoundIdentifier(path) => {
                let (place, kind) = self.column(path)?;
                (Expression::Column(place), Some(kind))
            }
            Expr::Value(literal) => constant(&literal.value)?,
            Expr::TypedString(TypedString { data_type, value, .. }) => {
                let (expression, _) = constant(&value.value)?;
                let kind = kind_of(data_type)?;
                (coerced(expression, kind)?, Some(kind))
            }
            Expr::Cast { expr, data_type, .. } => {
                let kind = kind_of(data_type)?;
                let inner = typed(expr)?;
                let cast = match inner {
                    (inner, None) => coerced(inner, kind)?,
                    (inner, Some(_)) => Expression::Cast(Box::new(inner), kind),
                };
                (cast, Some(kind))
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => truth(Expression::Not(condition(expr)?)),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                let zero = (Expression::Constant(Value::Integer(0)), Some(ColumnKind::Integer));
                arithmetic(Operation::Minus, zero, typed(expr)?)?
            }
            Expr::IsNull(inner) => truth(Expression::IsNull(any(inner)?)),
            Expr::IsNotNull(inner) => truth(not(Expression::IsNull(any(inner)?))),
            Expr::IsTrue(inner) => truth(is(inner, true)?),
            Expr::IsNotTrue(inner) => truth(not(is(inner, true)?)),
            Expr::IsFalse(inner) => truth(is(inner, false)?),
            Expr::IsNotFalse(inner) => truth(not(is(inner, false)?)),
            Expr::IsUnknown(inner) => truth(Expression::IsNull(condition(inner)?)),
            Expr::IsNotUnknown(inner) => truth(not(Expression::IsNull(condition(inner)?))),
            Expr::IsNotDistinctFrom(left, right) => truth(same(left, right)?),
            Expr::IsDistinctFrom(left, right) => truth(not(same(left, right)?)),
            Expr::InList { expr, list, negated } => truth(negate(*negated, self.one_of(expr, list, depth)?)),
            Expr::Between { expr, negated, low, high } => {
                let not_below = compare(Comparison::GreaterOrEqual, typed(expr)?, typed(low)?)?;
                let not_above = compare(Comparison::LessOrEqual, typed(expr)?, typed(high)?)?;
                truth(negate(*negated, Expression::And(Box::new(not_below), Box::new(not_above))))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                truth(negate(*negated, like(typed(expr)?, pattern, escape_char.as_deref(), false)?))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                truth(negate(*negated, like(typed(expr)?, pattern, escape_char.as_deref(), true)?))
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                let (element, array) = (typed(left)?, typed(right)?);
                let element = text_operand("=", element)?;
                truth(Expression::ElementOf(Box::new(element), Box::new(coerced_to("=", array, ColumnKind::Array)?)))
            }
            Expr::Array(array) => {
                let elements = array.elem.iter().map(|element| match element {
                    Expr::Value(literal) => text_of(&literal.value),
                    _ => Err(SqlError::not_simulated("an array of anything but texts")),
                });
                let elements: Vec<String> = elements.collect::<Result<_, _>>()?;
                (Expression::Constant(Value::Array(elements)), Some(ColumnKind::Array))
            }
            Expr::BinaryOp { left, op, right } => self.operator(left, op, right, depth)?,
            Expr::AtTimeZone { timestamp, time_zone } => {
                if is_without_zone(timestamp) {
                    return Err(SqlError::not_simulated("AT TIME ZONE of a timestamp without time zone"));
                }
                let Expr::Value(zone) = time_zone.as_ref() else { return Err(SqlError::not_simulated(tree)) };
                let name = text_of(&zone.value)?;
                let zone =
                    jiff::tz::db().get(&name).map_err(|_| SqlError::new(format!("time zone \"{name}\" not recognized")))?;
                let moment = coerced_to("AT TIME ZONE", typed(timestamp)?, ColumnKind::Timestamp)?;
                (Expression::InZone(Box::new(moment), zone), Some(ColumnKind::Timestamp))
            }
            Expr::CompoundFieldAccess { root, access_chain } => self.element(root, access_chain, depth)?,
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), depth)?
            }
            Expr::Position { expr, r#in } => {
                let whole = text_operand("position", typed(r#in)?)?;
                let part = text_operand("position", typed(expr)?)?;
                (Expression::Position(Box::new(whole), Box::new(part)), Some(ColumnKind::Integer))
            }
            Expr::Extract { field, expr, .. } => self.date_part(&field.to_string(), expr, depth)?,
            Expr::Function(function) => self.call(function, depth)?,
            Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
                let inner = text_operand("btrim", typed(expr)?)?;
                (Expression::Call(Function::Trim, Box::new(inner)), Some(ColumnKind::Text))
            }
            other => return Err(SqlError::not_simulated(other)),
        })
    }

    fn operator(&self, left: &Expr, operator: &BinaryOperator, right: &Expr, depth: usize) -> Result<Typed, SqlError> {
        let comparison = match operator {
            BinaryOperator::Eq => Some(Comparison::Equal),
            BinaryOperator::NotEq => Some(Comparison::Unequal),
            BinaryOperator::Lt => Some(Comparison::Less),
            BinaryOperator::LtEq => Some(Comparison::LessOrEqual),
            BinaryOperator::Gt => Some(Comparison::Greater),
            BinaryOperator::GtEq => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            let expression = compare(comparison, self.compile(left, depth)?, self.compile(right, depth)?)?;
            return Ok((expression, Some(ColumnKind::Boolean)));
        }
        let truth = |expression| Ok((expression, Some(ColumnKind::Boolean)));
        let calculated = |operation| -> Result<Typed, SqlError> {
            if let (Some(span), Operation::Plus | Operation::Minus) = (interval(right), operation) {
                let span = if matches!(operation, Operation::Minus) { -span? } else { span? };
                let inner = coerced_to("+", self.compile(left, depth)?, ColumnKind::Timestamp)?;
                return Ok((Expression::Later(Box::new(inner), span), Some(ColumnKind::Timestamp)));
            }
            arithmetic(operation, self.compile(left, depth)?, self.compile(right, depth)?)
        };
        match operator {
            BinaryOperator::And => {
                truth(Expression::And(Box::new(self.condition_at(left, depth)?), Box::new(self.condition_at(right, depth)?)))
            }
            BinaryOperator::Or => {
                truth(Expression::Or(Box::new(self.condition_at(left, depth)?), Box::new(self.condition_at(right, depth)?)))
            }
            BinaryOperator::Plus => calculated(Operation::Plus),
            BinaryOperator::Minus => calculated(Operation::Minus),
            BinaryOperator::Multiply => calculated(Operation::Times),
            BinaryOperator::Divide => calculated(Operation::Divide),
            BinaryOperator::Modulo => calculated(Operation::Modulo),
            BinaryOperator::StringConcat => {
                let (left, right) = (self.compile(left, depth)?.0, self.compile(right, depth)?.0);
                Ok((Expression::Concatenated(Box::new(left), Box::new(right)), Some(ColumnKind::Text)))
            }
            BinaryOperator::AtArrow | BinaryOperator::PGOverlap => {
                let name = operator.to_string();
                let array = Box::new(coerced_to(&name, self.compile(left, depth)?, ColumnKind::Array)?);
                let others = Box::new(coerced_to(&name, self.compile(right, depth)?, ColumnKind::Array)?);
                truth(Expression::Contains { array, others, all: *operator == BinaryOperator::AtArrow })
            }
            other => Err(SqlError::not_simulated(other)),
        }
    }

    fn date_part(&self, unit: &str, moment: &Expr, depth: usize) -> Result<Typed, SqlError> {
        let unit = DateUnit::named(unit)?;
        let moment = coerced_to("date_part", self.compile(moment, depth)?, ColumnKind::Timestamp)?;
        Ok((Expression::DatePart(unit, Box::new(moment)), Some(ColumnKind::Double)))
    }

    /// `array[1]`; arrays hold texts, and have one dimension.
    fn element(&self, root: &Expr, chain: &[AccessExpr], depth: usize) -> Result<Typed, SqlError> {
        let (array, chain) = match (root, chain) {
            (Expr::Identifier(table), [AccessExpr::Dot(Expr::Identifier(name)), rest @ ..]) => {
                let (place, kind) = self.column(&[table.clone(), name.clone()])?;
                ((Expression::Column(place), Some(kind)), rest)
            }
            _ => (self.compile(root, depth)?, chain),
        };
        let [AccessExpr::Subscript(Subscript::Index { index })] = chain else {
            return Err(SqlError::not_simulated("anything but one index of an array"));
        };
        if array.1 != Some(ColumnKind::Array) {
            let kind = array.1.unwrap_or(ColumnKind::Text).sql_name();
            return Err(SqlError::new(format!("cannot subscript type {kind} because it does not support subscripting")));
        }
        let index = coerced_to("[]", self.compile(index, depth)?, ColumnKind::Integer)?;
        Ok((Expression::Element(Box::new(array.0), Box::new(index)), Some(ColumnKind::Text)))
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        branches: &[CaseWhen],
        otherwise: Option<&Expr>,
        depth: usize,
    ) -> Result<Typed, SqlError> {
        let operand = operand.map(|operand| self.compile(operand, depth)).transpose()?;
        let results: Vec<Typed> = branches
            .iter()
            .map(|branch| &branch.result)
            .chain(otherwise)
            .map(|result| self.compile(result, depth))
            .collect::<Result<_, _>>()?;
        let kinds: Vec<ColumnKind> = results.iter().filter_map(|(_, kind)| *kind).collect();
        let kind = if kinds.contains(&ColumnKind::Double) { Some(ColumnKind::Double) } else { kinds.first().copied() };
        let kind = kind.unwrap_or(ColumnKind::Text);
        let mut results = results.into_iter().map(|result| coerced_to("CASE", result, kind));
        let mut compiled = Vec::new();
        for branch in branches {
            let when = match &operand {
                Some(operand) => compare(Comparison::Equal, operand.clone(), self.compile(&branch.condition, depth)?)?,
                None => self.condition_at(&branch.condition, depth)?,
            };
            let Some(then) = results.next() else { break };
            compiled.push((when, then?));
        }
        let otherwise = results.next().transpose()?.map(Box::new);
        Ok((Expression::Case(compiled, otherwise), Some(kind)))
    }

    fn one_of(&self, tree: &Expr, list: &[Expr], depth: usize) -> Result<Expression, SqlError> {
        let (inner, kind) = self.compile(tree, depth)?;
        if matches!(kind, None | Some(ColumnKind::Text)) {
            let literals = list.iter().map(|item| match item {
                Expr::Value(literal) if matches!(literal.value, Literal::Null) => Some(None),
                Expr::Value(literal) => text_of(&literal.value).ok().map(Some),
                _ => None,
            });
            if let Some(literals) = literals.collect::<Option<Vec<_>>>() {
                let has_null = literals.contains(&None);
                return Ok(Expression::OneOf(Box::new(inner), literals.into_iter().flatten().collect(), has_null));
            }
        }
        let mut found = Expression::Constant(Value::Boolean(false));
        for item in list {
            let equal = compare(Comparison::Equal, (inner.clone(), kind), self.compile(item, depth)?)?;
            found = Expression::Or(Box::new(found), Box::new(equal));
        }
        Ok(found)
    }

    fn call(&self, function: &sqlparser::ast::Function, depth: usize) -> Result<Typed, SqlError> {
        let name = plain_name(&function.name)?;
        let arguments: Vec<&Expr> = match &function.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => Ok(tree),
                    other => Err(SqlError::not_simulated(other)),
                })
                .collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let text = |function| -> Result<Expression, SqlError> {
            let [argument] = arguments.as_slice() else { return Err(no_function(&name)) };
            Ok(Expression::Call(function, Box::new(text_operand(&name, self.compile(argument, depth)?)?)))
        };
        let now = self.now;
        Ok(match name.as_str() {
            "now" | "current_timestamp" => (Expression::Constant(now.into()), Some(ColumnKind::Timestamp)),
            "current_date" => (Expression::Constant(now.to_zoned(TimeZone::UTC).date().into()), Some(ColumnKind::Date)),
            "lower" => (text(Function::Lower)?, Some(ColumnKind::Text)),
            "upper" => (text(Function::Upper)?, Some(ColumnKind::Text)),
            "btrim" => (text(Function::Trim)?, Some(ColumnKind::Text)),
            "length" | "char_length" => (text(Function::Length)?, Some(ColumnKind::Integer)),
            "date_part" | "date_trunc" => {
                let [Expr::Value(unit), moment] = arguments.as_slice() else {
                    return Err(SqlError::not_simulated(format!("this form of {name}")));
                };
                let unit = text_of(&unit.value)?;
                if name == "date_part" {
                    return self.date_part(&unit, moment, depth);
                }
                let moment = coerced_to(&name, self.compile(moment, depth)?, ColumnKind::Timestamp)?;
                (Expression::Truncated(DateUnit::named(&unit)?, Box::new(moment)), Some(ColumnKind::Timestamp))
            }
            "strpos" => {
                let [whole, part] = arguments.as_slice() else { return Err(no_function(&name)) };
                let whole = text_operand(&name, self.compile(whole, depth)?)?;
                let part = text_operand(&name, self.compile(part, depth)?)?;
                (Expression::Position(Box::new(whole), Box::new(part)), Some(ColumnKind::Integer))
            }
            "fcm_converttofloat" => (text(Function::ToFloat)?, Some(ColumnKind::Double)),
            "coalesce" => {
                let all = arguments.iter().map(|argument| self.compile(argument, depth));
                let all: Vec<Typed> = all.collect::<Result<_, _>>()?;
                let kind = all.iter().find_map(|(_, kind)| *kind).unwrap_or(ColumnKind::Text);
                let all = all.into_iter().map(|typed| coerced_to("COALESCE", typed, kind));
                (Expression::Coalesce(all.collect::<Result<_, _>>()?), Some(kind))
            }
            _ if NOT_SIMULATED.contains(&name.as_str()) => {
                return Err(SqlError::not_simulated(format!("the function {name}")));
            }
            _ => return Err(no_function(&name)),
        })
    }
}

/// Functions that the vendor's database has, and the sandbox has not.
const NOT_SIMULATED: [&str; 60] = [
    "abs",
    "array_length",
    "array_position",
    "array_to_string",
    "cardinality",
    "ceil",
    "concat",
    "concat_ws",
    "fcm_audio",
    "fcm_formattimestamp",
    "fcm_photo",
    "fcm_signature",
    "fcm_video",
    "floor",
    "greatest",
    "initcap",
    "least",
    "left",
    "lpad",
    "ltrim",
    "make_date",
    "mod",
    "nullif",
    "octet_length",
    "phraseto_tsquery",
    "plainto_tsquery",
    "power",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "st_area",
    "st_contains",
    "st_distance",
    "st_dwithin",
    "st_geomfromtext",
    "st_intersects",
    "st_length",
    "st_makeenvelope",
    "st_makepoint",
    "st_setsrid",
    "st_within",
    "st_x",
    "st_y",
    "starts_with",
    "string_to_array",
    "to_char",
    "to_date",
    "to_number",
    "to_tsquery",
    "to_tsvector",
    "translate",
    "trunc",
    "websearch_to_tsquery",
];

/// Whether a moment is certainly one without a zone, which `AT TIME ZONE` would give one instead of taking it away.
fn is_without_zone(tree: &Expr) -> bool {
    let is_plain = |data_type: &DataType| {
        matches!(data_type, DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone))
    };
    match tree {
        Expr::Nested(inner) => is_without_zone(inner),
        Expr::Cast { data_type, .. } => is_plain(data_type),
        Expr::TypedString(typed) => is_plain(&typed.data_type),
        Expr::AtTimeZone { .. } => true,
        _ => false,
    }
}

fn no_function(name: &str) -> SqlError {
    SqlError::new(format!("function {name} does not exist"))
}

fn not(inner: Expression) -> Expression {
    Expression::Not(Box::new(inner))
}

fn negate(negated: bool, inner: Expression) -> Expression {
    if negated { not(inner) } else { inner }
}

fn constant(literal: &Literal) -> Result<Typed, SqlError> {
    let (value, kind) = match literal {
        Literal::Null => (Value::Null, None),
        Literal::Boolean(truth) => (Value::Boolean(*truth), Some(ColumnKind::Boolean)),
        Literal::Number(digits, _) if digits.contains(['.', 'e', 'E']) => {
            (Value::read(ColumnKind::Double, digits)?, Some(ColumnKind::Double))
        }
        Literal::Number(digits, _) => (Value::read(ColumnKind::Integer, digits)?, Some(ColumnKind::Integer)),
        other => (Value::Text(text_of(other)?), None),
    };
    Ok((Expression::Constant(value), kind))
}

fn text_of(literal: &Literal) -> Result<String, SqlError> {
    match literal {
        Literal::SingleQuotedString(text) | Literal::EscapedStringLiteral(text) | Literal::UnicodeStringLiteral(text) => {
            Ok(text.clone())
        }
        Literal::DollarQuotedString(text) => Ok(text.value.clone()),
        other => Err(SqlError::not_simulated(other)),
    }
}

fn kind_of(data_type: &DataType) -> Result<ColumnKind, SqlError> {
    Ok(match data_type {
        DataType::Text | DataType::Varchar(_) | DataType::CharacterVarying(_) => ColumnKind::Text,
        DataType::Int(_) | DataType::Integer(_) | DataType::BigInt(_) => ColumnKind::Integer,
        DataType::DoublePrecision | DataType::Real | DataType::Float8 | DataType::Numeric(_) => ColumnKind::Double,
        DataType::Boolean | DataType::Bool => ColumnKind::Boolean,
        DataType::Date => ColumnKind::Date,
        DataType::Timestamp(..) => ColumnKind::Timestamp,
        DataType::Array(_) => ColumnKind::Array,
        other => return Err(SqlError::not_simulated(format!("the type {other}"))),
    })
}

/// The span of `INTERVAL '3 years'`, `INTERVAL '3' YEAR` or `'3 years'::interval`; nothing if it is none of them.
fn interval(tree: &Expr) -> Option<Result<Span, SqlError>> {
    let (value, unit) = match tree {
        Expr::Nested(inner) => return interval(inner),
        Expr::Interval(interval) => (interval.value.as_ref(), interval.leading_field.as_ref().map(ToString::to_string)),
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => (expr.as_ref(), None),
        _ => return None,
    };
    let Expr::Value(literal) = value else { return Some(Err(SqlError::not_simulated(tree))) };
    let text = text_of(&literal.value).map(|text| format!("{text} {}", unit.unwrap_or_default().to_lowercase()));
    Some(text.and_then(|text| {
        let wrong = || SqlError::new(format!("invalid input syntax for type interval: \"{}\"", text.trim()));
        text.trim().replace("mons", "months").parse().map_err(|_| wrong())
    }))
}

/// The expression as one of a kind, where it has none of its own.
fn coerced(expression: Expression, kind: ColumnKind) -> Result<Expression, SqlError> {
    Ok(match expression {
        Expression::Constant(Value::Text(text)) => Expression::Constant(Value::read(kind, &text)?),
        other => other,
    })
}

/// The operand of an operator that wants this kind.
fn coerced_to(operator: &str, (expression, kind): Typed, wanted: ColumnKind) -> Result<Expression, SqlError> {
    match kind {
        None => coerced(expression, wanted),
        Some(kind) if kind == wanted || (is_time(kind) && is_time(wanted)) || (is_number(kind) && is_number(wanted)) => {
            Ok(expression)
        }
        Some(kind) => Err(no_operator(operator, kind, wanted)),
    }
}

fn text_operand(operator: &str, operand: Typed) -> Result<Expression, SqlError> {
    coerced_to(operator, operand, ColumnKind::Text)
}

fn is_number(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Integer | ColumnKind::Double)
}

fn is_time(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Timestamp | ColumnKind::Date)
}

fn no_operator(operator: &str, left: ColumnKind, right: ColumnKind) -> SqlError {
    SqlError::new(format!("operator does not exist: {} {operator} {}", left.sql_name(), right.sql_name()))
}

type Pair = (Box<Expression>, Box<Expression>, ColumnKind);

/// Two operands of one kind; a literal takes on the kind of the other one, two literals are texts.
fn alike(operator: &str, left: Typed, right: Typed) -> Result<Pair, SqlError> {
    let (left, left_kind) = left;
    let (right, right_kind) = right;
    let kind = left_kind.or(right_kind).unwrap_or(ColumnKind::Text);
    if let (Some(left), Some(right)) = (left_kind, right_kind)
        && !(left == right || (is_number(left) && is_number(right)) || (is_time(left) && is_time(right)))
    {
        return Err(no_operator(operator, left, right));
    }
    let left = if left_kind.is_none() { coerced(left, kind)? } else { left };
    let right = if right_kind.is_none() { coerced(right, kind)? } else { right };
    Ok((Box::new(left), Box::new(right), kind))
}

fn compare(comparison: Comparison, left: Typed, right: Typed) -> Result<Expression, SqlError> {
    let operator = match comparison {
        Comparison::Equal => "=",
        Comparison::Unequal => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    };
    let (left, right, _) = alike(operator, left, right)?;
    Ok(Expression::Compare(comparison, left, right))
}

fn arithmetic(operation: Operation, left: Typed, right: Typed) -> Result<Typed, SqlError> {
    let operator = match operation {
        Operation::Plus => "+",
        Operation::Minus => "-",
        Operation::Times => "*",
        Operation::Divide => "/",
        Operation::Modulo => "%",
    };
    let kinds = [left.1, right.1];
    let (left, right, kind) = alike(operator, left, right)?;
    if !is_number(kind) {
        return Err(no_operator(operator, kind, kind));
    }
    let kind = if kinds.contains(&Some(ColumnKind::Double)) { ColumnKind::Double } else { kind };
    Ok((Expression::Arithmetic(operation, left, right), Some(kind)))
}

fn like(operand: Typed, pattern: &Expr, escape: Option<&Expr>, ignore_case: bool) -> Result<Expression, SqlError> {
    let literal = |tree: &Expr| match tree {
        Expr::Value(literal) => text_of(&literal.value),
        other => Err(SqlError::not_simulated(format!("a pattern such as {other}"))),
    };
    let escape = match escape.map(literal).transpose()? {
        None => Some('\\'),
        Some(text) if text.chars().count() > 1 => return Err(SqlError::new("invalid escape string")),
        Some(text) => text.chars().next(),
    };
    let pattern = Pattern::read(&literal(pattern)?, ignore_case, escape)?;
    Ok(Expression::Like(Box::new(text_operand(if ignore_case { "~~*" } else { "~~" }, operand)?), pattern))
}
