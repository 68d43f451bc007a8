//! The parts of a condition, as data.

use crate::filter::Place;

/// A condition on the records of one form: what follows `WHERE`.
///
/// It is not the tree that manifests may have ([`crate::filter::FilterTree`]), which is compiled to this.
///
/// **Invariant**: it prints to one expression that reads back as the same condition, whatever its literals and names contain, but for
/// the form's name before a field, which is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(pub(super) Expression);

impl Condition {
    /// The fields that are said to be of another form than `form`, with their byte ranges.
    pub fn fields_of_others(&self, form: &str) -> Vec<(&str, usize, usize)> {
        let mut found = Vec::new();
        self.0.visit_fields(&mut |field| {
            if field.form.as_ref().is_some_and(|named| named.0 != form) {
                found.push((field.name.as_str(), field.place.start, field.place.end));
            }
        });
        found
    }

    /// Every field with its byte range, in order; `0..0` if it was not read from a text.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let mut found = Vec::new();
        self.0.visit_fields(&mut |field| found.push((field.name.as_str(), field.place.start, field.place.end)));
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
/// **Invariants**: `And`, `Or`, `In`, `Element` and the branches of `Case` are not empty; numbers are digits; names of functions and types come from lists.
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
    /// `array[1]`, or with more than one index.
    Element(Box<Expression>, Vec<Expression>),
    Case {
        /// What each branch is compared with; without it each is a condition.
        operand: Option<Box<Expression>>,
        /// When, and then what.
        branches: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
}

impl Expression {
    /// The fields that are compared with what they are not, and those that are tested for null.
    fn collect_negations<'tree>(&'tree self, negated: &mut Vec<&'tree str>, tested: &mut Vec<&'tree str>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_negations(negated, tested));
            }
            Self::Not(part) => {
                part.visit_fields(&mut |field| negated.push(&field.name));
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

    fn visit_fields<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Field)) {
        match self {
            Self::Field(field) => visit(field),
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Text(_) => {}
            Self::And(parts) | Self::Or(parts) | Self::Array(parts) | Self::Call(_, parts) => {
                parts.iter().for_each(|part| part.visit_fields(visit));
            }
            Self::Not(part) | Self::Cast(part, _) | Self::Negative(part) | Self::Is { value: part, .. } => {
                part.visit_fields(visit);
            }
            Self::Binary(left, _, right) | Self::Each { value: left, array: right, .. } => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
            Self::In { value, list, .. } => {
                value.visit_fields(visit);
                list.iter().for_each(|part| part.visit_fields(visit));
            }
            Self::Between { value, low, high, .. } => {
                [value, low, high].into_iter().for_each(|part| part.visit_fields(visit));
            }
            Self::Element(array, indexes) => {
                array.visit_fields(visit);
                indexes.iter().for_each(|part| part.visit_fields(visit));
            }
            Self::Case { operand, branches, otherwise } => {
                let branches = branches.iter().flat_map(|(when, then)| [when, then]);
                let parts = operand.as_deref().into_iter().chain(branches).chain(otherwise.as_deref());
                parts.for_each(|part| part.visit_fields(visit));
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
    /// The form that a text names before the field.
    pub(super) form: Option<FormName>,
}

/// The name of a form before a field's, which says nothing more: a condition is about one form. It is not printed, since the system is
/// asked by the form's id.
///
/// All are equal, since conditions that name the form or do not mean the same.
#[derive(Clone, Debug)]
pub(super) struct FormName(pub(super) String);

impl PartialEq for FormName {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for FormName {}

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
        self.0.ends_with("LIKE") || self.0.ends_with("SIMILAR TO") || self.0.contains('~')
    }

    /// Whether the result is true or false, so that it cannot be compared again without parentheses.
    pub(super) fn compares(self) -> bool {
        !["+", "-", "*", "/", "%", "||", "->", "->>", "AT TIME ZONE"].contains(&self.0)
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
        const KNOWN: [&str; 15] = [
            "bigint",
            "boolean",
            "date",
            "double precision",
            "geography",
            "geometry",
            "integer",
            "interval",
            "json",
            "jsonb",
            "numeric",
            "text",
            "text[]",
            "timestamp",
            "timestamptz",
        ];
        KNOWN.into_iter().find(|known| *known == short).map(Self)
    }

    /// Whether a value of it is text, or might be read as one.
    pub(super) fn is_a_text(self) -> bool {
        matches!(self.0, "text" | "text[]" | "json" | "jsonb")
    }

    /// Whether text is read as a date or a moment, among which `today` is one.
    pub(super) fn is_a_date(self) -> bool {
        matches!(self.0, "date" | "timestamp" | "timestamptz")
    }
}
