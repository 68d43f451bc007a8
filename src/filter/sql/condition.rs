//! The parts of a condition, as data.

use crate::filter::Place;

/// A condition on the records of one form: what follows `WHERE`.
///
/// It is not the tree that manifests may have ([`crate::filter::FilterTree`]), which is compiled to this.
///
/// **Invariant**: it prints to one expression that reads back as the same condition, whatever its literals and names contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(pub(super) Expression);

impl Condition {
    /// Every field with its byte range, in order; `0..0` if it was not read from a text.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let mut found = Vec::new();
        self.0.collect_fields(&mut found);
        found
    }

    /// The fields of comparisons that only say what a value is not, and that are nowhere tested for null. In PostgreSQL such a
    /// comparison never matches an empty field.
    pub fn passes_over_empty(&self) -> Vec<&str> {
        let (mut negated, mut tested) = (Vec::new(), Vec::new());
        self.0.collect_negations(&mut negated, &mut tested);
        negated.retain(|field| !tested.contains(field));
        negated.dedup();
        negated
    }
}

/// One expression.
///
/// **Invariants**: `And`, `Or` and `In` are not empty; numbers are digits; names of functions and types come from lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Field(Field),
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    Array(Vec<Expression>),
    Cast(Box<Expression>, TypeName),
    Negative(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
    /// `field = ANY (array)`, or `ALL`.
    Each {
        value: Box<Expression>,
        operator: Operator,
        all: bool,
        array: Box<Expression>,
    },
    Is {
        value: Box<Expression>,
        negated: bool,
        test: IsTest,
    },
    In {
        value: Box<Expression>,
        negated: bool,
        list: Vec<Expression>,
    },
    Between {
        value: Box<Expression>,
        negated: bool,
        low: Box<Expression>,
        high: Box<Expression>,
    },
    Call(&'static str, Vec<Expression>),
}

impl Expression {
    /// The fields that are compared with what they are not, and those that are tested for null.
    fn collect_negations<'tree>(&'tree self, negated: &mut Vec<&'tree str>, tested: &mut Vec<&'tree str>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_negations(negated, tested));
            }
            Self::Not(part) => {
                let mut fields = Vec::new();
                part.collect_fields(&mut fields);
                negated.extend(fields.into_iter().map(|(name, _, _)| name));
                part.collect_negations(&mut Vec::new(), tested);
            }
            Self::Binary(left, operator, _) => {
                let Self::Field(field) = left.as_ref() else { return };
                if operator.0.ends_with("DISTINCT FROM") {
                    tested.push(&field.name);
                } else if matches!(operator.0, "<>" | "!=") || operator.0.starts_with("NOT ") || operator.0.starts_with("!~")
                {
                    negated.push(&field.name);
                }
            }
            Self::In { value, negated: true, .. } | Self::Between { value, negated: true, .. } => {
                if let Self::Field(field) = value.as_ref() {
                    negated.push(&field.name);
                }
            }
            Self::Is { value, test: IsTest::Null, .. } => {
                if let Self::Field(field) = value.as_ref() {
                    tested.push(&field.name);
                }
            }
            _ => {}
        }
    }

    fn collect_fields<'tree>(&'tree self, found: &mut Vec<(&'tree str, usize, usize)>) {
        match self {
            Self::Field(field) => found.push((&field.name, field.place.start, field.place.end)),
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Text(_) => {}
            Self::And(parts) | Self::Or(parts) | Self::Array(parts) | Self::Call(_, parts) => {
                parts.iter().for_each(|part| part.collect_fields(found));
            }
            Self::Not(part) | Self::Cast(part, _) | Self::Negative(part) | Self::Is { value: part, .. } => {
                part.collect_fields(found);
            }
            Self::Binary(left, _, right) | Self::Each { value: left, array: right, .. } => {
                left.collect_fields(found);
                right.collect_fields(found);
            }
            Self::In { value, list, .. } => {
                value.collect_fields(found);
                list.iter().for_each(|part| part.collect_fields(found));
            }
            Self::Between { value, low, high, .. } => {
                [value, low, high].into_iter().for_each(|part| part.collect_fields(found));
            }
        }
    }
}

/// A field, and the place of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The exact name: what is not quoted in a text is folded to lower case, as PostgreSQL does.
    pub(super) name: String,
    pub(super) place: Place,
}

/// What follows `IS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsTest {
    Null,
    True,
    False,
    Unknown,
}

/// An operator between two values, as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator(pub(super) &'static str);

impl Operator {
    /// Whether the right side is a pattern, which is never read as a date.
    pub(super) fn takes_a_pattern(self) -> bool {
        self.0.ends_with("LIKE") || self.0.contains('~')
    }

    /// Whether the result is true or false, so that it cannot be compared again without parentheses.
    pub(super) fn compares(self) -> bool {
        !["+", "-", "*", "/", "%", "||"].contains(&self.0)
    }
}

/// A type that a value may be cast to, as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeName(pub(super) &'static str);

impl TypeName {
    /// The type that a text names, whatever its case; `None` for one that is not on the list.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let short = match text.as_str() {
            "varchar" | "character varying" => "text",
            "int" | "int4" => "integer",
            "int8" => "bigint",
            "decimal" => "numeric",
            "float" | "float8" => "double precision",
            "bool" => "boolean",
            "timestamp with time zone" => "timestamptz",
            "timestamp without time zone" => "timestamp",
            "varchar[]" | "character varying[]" => "text[]",
            other => other,
        };
        const KNOWN: [&str; 11] = [
            "bigint",
            "boolean",
            "date",
            "double precision",
            "integer",
            "interval",
            "numeric",
            "text",
            "text[]",
            "timestamp",
            "timestamptz",
        ];
        KNOWN.into_iter().find(|known| *known == short).map(Self)
    }

    /// Whether text is read as a date or a moment, among which `today` is one.
    pub(super) fn is_a_date(self) -> bool {
        matches!(self.0, "date" | "timestamp" | "timestamptz")
    }
}
