//! A selection as it is sent, and the rows it brings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::RecordId;

/// One query for the records of one object, in the target's own language, with every moment fixed.
///
/// It is sealed in the plan and sent again, to the letter, by apply.
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

/// One selected record: its key and the values of the query's further fields, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub id: RecordId,
    /// The values, as the system prints them; an empty field is empty text.
    pub values: Vec<String>,
}
