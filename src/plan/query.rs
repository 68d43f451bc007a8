//! A selection as it is sent, and the rows it brings.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{Digest, RecordId, counted, with_thousands};

/// One query for the records of one object, in the target's own language, with every moment fixed.
///
/// A plan seals what it is made from, and apply sends it again, to the letter: see [`PlannedQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// The object.
    pub object: String,
    /// The field that holds the key; `Id` in Salesforce. A query for parents held through their children names the
    /// child's lookup field here.
    pub key: String,
    /// Further fields, in their order.
    pub fields: Vec<String>,
    /// The condition without `WHERE`; absent for every record, which only `filter: everything` gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// Which records of one object a policy means, as its plan seals it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedQuery {
    /// The object.
    pub object: String,
    /// The field that holds the key; `Id` in Salesforce.
    pub key: String,
    /// Further fields, in their order.
    pub fields: Vec<String>,
    /// Which of its records.
    pub matching: Matching,
}

impl PlannedQuery {
    /// The one query that reads them all. Records of a list are asked for a part at a time, so that there is none.
    pub fn single(&self) -> Option<Query> {
        let condition = match &self.matching {
            Matching::Everything => None,
            Matching::Condition(condition) => Some(condition.clone()),
            Matching::Listed(_) => return None,
        };
        Some(Query { object: self.object.clone(), key: self.key.clone(), fields: self.fields.clone(), condition })
    }

    /// How many records a list names; `None` where there is no list.
    pub fn listed(&self) -> Option<u64> {
        match &self.matching {
            Matching::Listed(list) => Some(list.ids),
            Matching::Everything | Matching::Condition(_) => None,
        }
    }
}

/// Which records of an object are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Matching {
    /// Every record, which only `filter: everything` gives.
    Everything,
    /// Those that meet a condition of the target's own language, without `WHERE`.
    Condition(String),
    /// Those that a file lists.
    Listed(IdList),
}

impl Matching {
    /// The condition, where there is one.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::Condition(condition) => Some(condition),
            Self::Everything | Self::Listed(_) => None,
        }
    }
}

/// For people: a condition as it is sent. Foreign text in it is not escaped.
impl fmt::Display for Matching {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => formatter.write_str("everything"),
            Self::Condition(condition) => formatter.write_str(condition),
            Self::Listed(list) => list.fmt(formatter),
        }
    }
}

/// A file of ids as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdList {
    /// Its path, as the manifest has it.
    pub file: String,
    /// The digest of the ids: each as the system writes it and a line end, in the order of the file.
    pub digest: Digest,
    /// How many there are, each of them once.
    pub ids: u64,
}

impl fmt::Display for IdList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of the {} in {}", counted(self.ids, "id"), self.file)
    }
}

/// The ids of a list that match no record now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingIds {
    /// Those of records that the system shows as deleted.
    pub already_gone: u64,
    /// Those of which the system shows this login no record at all.
    pub not_found: u64,
    /// A few of the latter, by id.
    pub first_not_found: Vec<RecordId>,
}

impl MissingIds {
    /// How many are named.
    const NAMED: usize = 5;

    /// Counts one of which the system shows no record. Ids come in their order.
    pub fn add_not_found(&mut self, id: RecordId) {
        self.not_found += 1;
        if self.first_not_found.len() < Self::NAMED {
            self.first_not_found.push(id);
        }
    }

    /// Adds those of the ids that come next.
    pub fn add(&mut self, next: Self) {
        self.already_gone += next.already_gone;
        self.not_found += next.not_found;
        self.first_not_found.extend(next.first_not_found);
        self.first_not_found.truncate(Self::NAMED);
    }

    /// For people; `None` where there are none.
    pub fn told(&self) -> Option<String> {
        let gone = (self.already_gone > 0).then(|| format!("{} deleted already", with_thousands(self.already_gone)));
        let not_found = (self.not_found > 0).then(|| {
            let named: Vec<String> = self.first_not_found.iter().map(ToString::to_string).collect();
            let more = if self.not_found > named.len() as u64 { " and others" } else { "" };
            format!("{} not found: {}{more}", with_thousands(self.not_found), named.join(", "))
        });
        let parts: Vec<String> = gone.into_iter().chain(not_found).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// One selected record: its key and the values of the query's further fields, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub id: RecordId,
    /// The values, as the system prints them; an empty field is empty text.
    pub values: Vec<String>,
}
