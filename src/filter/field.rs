//! Type checks of the comparisons in a filter tree, common to all languages.

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

use super::calendar::{read_day, read_moment, whole_second};
use super::error::shown;
use super::{CompileError, Decimal, FilterTree, Literal, Threshold};
use crate::base::{Age, Span};
use crate::system::FieldType;

/// A field that is compared, and what is known of it.
pub(super) struct Field<'tree> {
    /// Its name, as the manifest writes it.
    pub name: &'tree str,
    /// Where the name stands.
    pub span: Span,
    /// Its type; `None` when it is not known, and then nothing is refused for it.
    pub field_type: Option<FieldType>,
    /// The one clock reading of the plan.
    pub now: &'tree Zoned,
}

/// A literal that fits the type of its field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(String),
    Day(Date),
    Moment(Timestamp),
}

impl Field<'_> {
    pub(super) fn error(&self, message: impl Into<String>, help: impl Into<String>) -> CompileError {
        CompileError { field: self.name.to_owned(), span: self.span, message: message.into(), help: Some(help.into()) }
    }

    /// The error for a predicate that has no meaning for the field's type.
    pub(super) fn unfit(&self, what: &str, help: impl Into<String>) -> CompileError {
        let title = self.field_type.map_or("a field of unknown type", title);
        self.error(format!("`{}` is {title} and does not take {what}", self.name), help)
    }

    /// What a value of the field's type looks like.
    fn example(&self) -> &'static str {
        match self.field_type {
            Some(FieldType::Boolean) => "write `true` or `false` without quotes",
            Some(FieldType::Number) => "write a number without quotes, such as `42` or `-1.5`",
            Some(FieldType::Date) => "write a date such as `2026-01-31`, or use `olderThan` or `newerThan`",
            Some(FieldType::DateTime) => "write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`",
            Some(FieldType::Text | FieldType::Reference | FieldType::MultiPicklist) | None => "write text in quotes",
        }
    }

    fn is_one_of(&self, types: &[FieldType]) -> bool {
        self.field_type.is_none_or(|field_type| types.contains(&field_type))
    }

    /// The literal, if it fits the field's type.
    pub(super) fn operand(&self, literal: &Literal) -> Result<Operand, CompileError> {
        use FieldType::{Boolean, Date, DateTime, MultiPicklist, Number, Reference, Text};
        match literal {
            Literal::Null => Ok(Operand::Null),
            Literal::Boolean(value) => match self.field_type {
                None | Some(Boolean) => Ok(Operand::Boolean(*value)),
                Some(Text) => Err(self.unfit(&format!("`{value}`"), format!("quote it if it is text: `\"{value}\"`"))),
                Some(Number | Date | DateTime | Reference | MultiPicklist) => {
                    Err(self.unfit(&format!("`{value}`"), self.example()))
                }
            },
            Literal::Number(digits) => match self.field_type {
                None | Some(Number) => {
                    let number = Decimal::new(digits).map(Operand::Number);
                    number.ok_or_else(|| self.unfit(&shown(digits), "write a number such as `42` or `-1.5`"))
                }
                Some(Text | Reference | MultiPicklist) => {
                    Err(self.unfit("a number", "quote it if it is text, as in `\"42\"`"))
                }
                Some(Boolean | Date | DateTime) => Err(self.unfit("a number", self.example())),
            },
            Literal::Text(text) => match self.field_type {
                None | Some(Text | Reference | MultiPicklist) => Ok(Operand::Text(text.clone())),
                Some(Boolean | Number) => Err(self.unfit("text", self.example())),
                Some(Date) => read_day(text).map(Operand::Day).ok_or_else(|| self.unfit(&shown(text), self.example())),
                Some(DateTime) => read_moment(text).map(Operand::Moment).ok_or_else(|| match read_day(text) {
                    Some(day) => self.unfit("a day without a time", format!("name the moment, as in `{day}T00:00:00Z`")),
                    None => self.unfit(&shown(text), self.example()),
                }),
            },
        }
    }

    /// The literal of an ordering predicate, if it fits the field's type and that has an order.
    pub(super) fn threshold<'literal>(
        &self,
        Threshold(literal): &'literal Threshold,
    ) -> Result<&'literal Literal, CompileError> {
        let has_no_order = || {
            let help = "use `equals`, `in` or, on a field of several choices, `includes`";
            Err(self.unfit("less or greater values: it has no order", help))
        };
        match (literal, self.field_type) {
            (_, Some(FieldType::Boolean | FieldType::MultiPicklist)) => has_no_order(),
            (Literal::Null | Literal::Boolean(_), _) => {
                Err(self.error("it is compared by order with a value that has no order", "use `equals` or `isNull`"))
            }
            (Literal::Number(_) | Literal::Text(_), _) => Ok(literal),
        }
    }

    /// The values of a list, of which there must be one.
    pub(super) fn at_least_one<'list, T>(&self, values: &'list [T]) -> Result<&'list [T], CompileError> {
        if values.is_empty() {
            return Err(self.error("the list of values is empty", "list at least one value"));
        }
        Ok(values)
    }

    /// The values of `includes` or `excludes`, if the field may hold several.
    pub(super) fn choices<'list>(&self, values: &'list [String]) -> Result<&'list [String], CompileError> {
        if !self.is_one_of(&[FieldType::MultiPicklist]) {
            return Err(self.unfit("`includes` or `excludes`", "use `in` or `notIn`"));
        }
        self.at_least_one(values)
    }

    /// The pattern of `like`, if the field holds text.
    pub(super) fn pattern<'text>(&self, pattern: &'text str) -> Result<&'text str, CompileError> {
        if !self.is_one_of(&[FieldType::Text]) {
            return Err(self.unfit("a text pattern", "`like` is for text; use `equals`, `in`, `less` or `greater`"));
        }
        Ok(pattern)
    }

    /// The day, or the second, this long before the clock reading: whichever the field holds, and a moment where that is not known.
    pub(super) fn before(&self, age: &Age, first_year: i16) -> Result<Operand, CompileError> {
        if !self.is_one_of(&[FieldType::Date, FieldType::DateTime]) {
            return Err(self.unfit("an age", "`olderThan` and `newerThan` are for dates and times"));
        }
        let moment = age.before(self.now).ok().filter(|moment| moment.year() >= first_year);
        let moment = moment.ok_or_else(|| {
            let message = format!("{age} ago is before the year {first_year}, the first one the system knows");
            self.error(message, "write a shorter age")
        })?;
        let holds_days = self.field_type == Some(FieldType::Date);
        Ok(if holds_days { Operand::Day(moment.date()) } else { Operand::Moment(whole_second(moment.timestamp())) })
    }
}

/// What a field of a type is called.
pub(super) fn title(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Boolean => "a yes-or-no field",
        FieldType::Number => "a number field",
        FieldType::Date => "a date field",
        FieldType::DateTime => "a date and time field",
        FieldType::Reference => "a field that holds a record's id",
        FieldType::MultiPicklist => "a field of several choices",
        FieldType::Text => "a text field",
    }
}

/// An error about a whole tree, which points at its first field. It walks without recursion, since the tree may be deep.
pub(super) fn about_the_whole(mut tree: &FilterTree, message: String, help: &str) -> CompileError {
    loop {
        tree = match tree {
            FilterTree::All(parts) | FilterTree::Any(parts) => parts.first().expect(NEVER_EMPTY),
            FilterTree::Not(part) => part,
            FilterTree::Field { field, span, .. } => {
                return CompileError { field: field.clone(), span: *span, message, help: Some(help.to_owned()) };
            }
        }
    }
}

/// Joins parts, of which there is at least one.
pub(super) fn join<T>(mut parts: Vec<T>, join: fn(Vec<T>) -> T) -> T {
    assert!(!parts.is_empty(), "{NEVER_EMPTY}");
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

const NEVER_EMPTY: &str = "a level of a filter is never empty: an empty one would mean every record";
