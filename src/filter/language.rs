//! The languages that systems take conditions in.

use jiff::Zoned;

use super::{CompileError, FilterTree, Place, SyntaxError, soql, sql, zoql};
use crate::base::RecordId;
use crate::system::{FieldType, SystemKind, zuora_object};

/// A system's own language of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Salesforce.
    Soql,
    /// Zuora.
    Zoql,
    /// Fulcrum: a condition of PostgreSQL.
    Sql,
}

/// A condition in a system's own language, as it is sent: parsed, and printed again in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeCondition {
    /// The condition without `WHERE`.
    pub text: String,
    /// Every field it names, in order.
    pub fields: Vec<String>,
}

impl Language {
    /// The language in which a system takes conditions.
    pub fn of(system: SystemKind) -> Self {
        match system {
            SystemKind::Salesforce => Self::Soql,
            SystemKind::Zuora => Self::Zoql,
            SystemKind::Fulcrum => Self::Sql,
        }
    }

    /// The system that takes it.
    pub fn system(self) -> SystemKind {
        match self {
            Self::Soql => SystemKind::Salesforce,
            Self::Zoql => SystemKind::Zuora,
            Self::Sql => SystemKind::Fulcrum,
        }
    }

    /// The fields of a text condition that is compared with what a field is not, so that a record whose field is empty is passed over, or
    /// may be. In SOQL it never is.
    pub fn passes_over_empty(self, text: &str) -> Vec<String> {
        let owned = |fields: Vec<&str>| fields.into_iter().map(str::to_owned).collect();
        match self {
            Self::Soql => Vec::new(),
            Self::Zoql => zoql::parse_condition(text).map(|read| owned(read.passes_over_empty())).unwrap_or_default(),
            Self::Sql => sql::parse_condition(text).map(|read| owned(read.passes_over_empty())).unwrap_or_default(),
        }
    }

    /// The name people know.
    pub fn title(self) -> &'static str {
        match self {
            Self::Soql => "SOQL",
            Self::Zoql => "ZOQL",
            Self::Sql => "PostgreSQL",
        }
    }

    /// Reads a condition somebody wrote.
    ///
    /// # Errors
    ///
    /// With every mistake that can be told apart.
    pub fn parse(self, text: &str) -> Result<NativeCondition, Vec<SyntaxError>> {
        match self {
            Self::Soql => soql::parse_condition(text).map(|condition| native(&condition, &condition.fields())),
            Self::Zoql => zoql::parse_condition(text).map(|condition| native(&condition, &condition.fields())),
            Self::Sql => sql::parse_condition(text).map(|condition| native(&condition, &condition.fields())),
        }
    }

    /// Everything that is wrong with a condition that parses, for the records of `object`, as far as it is known without asking the system.
    pub fn mistakes_on(self, object: &str, text: &str) -> Vec<SyntaxError> {
        match self {
            Self::Soql => {
                soql::parse_condition(text).map(|read| soql::mistakes_on(&read, object)).unwrap_or_else(|errors| errors)
            }
            Self::Zoql => zoql::parse_condition(text)
                .map(|read| zoql::mistakes_on(&read, &|field| self.known_type(object, field)))
                .unwrap_or_else(|errors| errors),
            Self::Sql => {
                sql::parse_condition(text).map(|read| of_other_forms(&read, object)).unwrap_or_else(|errors| errors)
            }
        }
    }

    /// The type of a field, where it is known without asking the system.
    pub fn known_type(self, object: &str, field: &str) -> Option<FieldType> {
        match self {
            Self::Zoql => {
                zuora_object(object)?.fields().find(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, kind)| kind)
            }
            Self::Soql | Self::Sql => None,
        }
    }

    /// Compiles a typed tree; see [`soql::compile`], [`zoql::compile`] and [`sql::compile`] for the arguments.
    ///
    /// # Errors
    ///
    /// With the first comparison that has no meaning in the language.
    pub fn compile(
        self,
        tree: &FilterTree,
        field_type: &dyn Fn(&str) -> Option<FieldType>,
        now: &Zoned,
    ) -> Result<NativeCondition, CompileError> {
        match self {
            Self::Soql => soql::compile(tree, field_type, now).map(|condition| native(&condition, &condition.fields())),
            Self::Zoql => zoql::compile(tree, field_type, now).map(|condition| native(&condition, &condition.fields())),
            Self::Sql => sql::compile(tree, field_type, now).map(|condition| native(&condition, &condition.fields())),
        }
    }

    /// How many ids [`Language::among`] may name at once.
    pub fn ids_at_once(self) -> usize {
        match self {
            // A query's address must stay below 16 KiB.
            Self::Soql => 300,
            // Two comparisons for each of them, and 200 in all.
            Self::Zoql => 80,
            Self::Sql => 1_000,
        }
    }

    /// The condition for the records among `ids` whose `field` is not empty. `None` where the system has no references that a
    /// cascade could be followed by.
    pub fn among(self, key: &str, ids: &[RecordId], field: &str) -> Option<String> {
        // Ids are ASCII letters, digits, `-` and `_` (an invariant of `RecordId`), so they cannot end their quotes.
        match self {
            Self::Soql => {
                let listed: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
                let text = format!("{key} IN ({}) AND {field} != null", listed.join(", "));
                soql::parse_condition(&text).ok().map(|condition| condition.to_string())
            }
            Self::Zoql => {
                let each: Vec<String> = ids.iter().map(|id| format!("{key} = '{id}' and {field} != null")).collect();
                zoql::parse_condition(&each.join(" or ")).ok().map(|condition| condition.to_string())
            }
            Self::Sql => None,
        }
    }

    /// The condition for the records whose `field` holds one of `ids`, of which there is at least one. `None` where the field cannot
    /// be in a condition.
    pub fn one_of(self, field: &str, ids: &[RecordId]) -> Option<String> {
        let listed = || ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let text = match self {
            Self::Soql | Self::Sql => format!("{field} IN ({})", listed()),
            Self::Zoql => ids.iter().map(|id| format!("{field} = '{id}'")).collect::<Vec<_>>().join(" or "),
        };
        self.parse(&text).ok().map(|condition| condition.text)
    }

    /// The condition for the records whose `field` names a record of `object` that `condition` means. `None` where the language
    /// has none: a subquery of SOQL may not hold another one (documented), and the others have no subqueries to follow
    /// references with.
    pub fn belonging(self, field: &str, key: &str, object: &str, condition: Option<&str>) -> Option<String> {
        match self {
            Self::Soql => {
                let inner = match condition {
                    Some(condition) => format!("SELECT {key} FROM {object} WHERE {condition}"),
                    None => format!("SELECT {key} FROM {object}"),
                };
                let text = format!("{field} IN ({inner})");
                soql::parse_condition(&text).ok().map(|condition| condition.to_string())
            }
            Self::Zoql | Self::Sql => None,
        }
    }
}

/// Fields that are said to be of another form than the one that a policy or a hold names.
fn of_other_forms(condition: &sql::Condition, form: &str) -> Vec<SyntaxError> {
    let wrong = condition.fields_of_others(form).into_iter().map(|(field, start, end)| {
        SyntaxError::new(Place { start, end }, format!("the field `{field}` is said to be of another form than `{form}`"))
            .with_help("write the field alone: a condition is about the one form that `object` names")
    });
    wrong.collect()
}

fn native(condition: &dyn std::fmt::Display, fields: &[(&str, usize, usize)]) -> NativeCondition {
    let fields = fields.iter().map(|(field, ..)| (*field).to_owned()).collect();
    NativeCondition { text: condition.to_string(), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_ids_as_may_be_named_at_once_fit_into_a_condition() {
        let ids: Vec<RecordId> = (0..300).map(|number| RecordId::new(&format!("{number:032x}")).expect("an id")).collect();
        for language in [Language::Soql, Language::Zoql] {
            let among = language.among("Id", &ids[..language.ids_at_once()], "AccountId").expect("it fits");
            assert!(language.parse(&among).is_ok());
        }
        insta::assert_snapshot!(
            Language::Zoql.among("Id", &ids[..2], "AccountId").expect("it fits"),
            @"Id = '00000000000000000000000000000000' and AccountId != null or Id = '00000000000000000000000000000001' and AccountId != null"
        );
    }
}
