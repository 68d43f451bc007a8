//! The JSON Schema of `plan.json`, for policy tools and other readers of plans.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::PlanHeader;
use crate::base::never_null;

/// The schema of [`PlanHeader::to_bytes`]. Nothing in a plan is `null`, and it has no key that the schema does not know.
pub fn plan_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<PlanHeader>().to_value();
    never_null(&mut schema);
    schema
}
