//! The JSON Schema of filters.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::schema::{FIELD, IdFilter, NOT_BLANK};
use crate::filter::{Filter, FilterTree, FilterTreeKind, Predicate};

impl JsonSchema for Filter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Filter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let tree = generator.subschema_for::<FilterTree>();
        json_schema!({
            "description": "Which records: a condition in the target's own language (SOQL, ZOQL or PostgreSQL, without `WHERE`), `everything`, a list of ids, or a tree.",
            "anyOf": [
                { "const": "everything", "description": "Every record of the object. A policy then needs limits of its own." },
                { "type": "string", "pattern": NOT_BLANK, "description": "A condition in the target's own language, without `WHERE`." },
                generator.subschema_for::<IdFilter>(),
                tree,
            ],
        })
    }
}

/// In a manifest a comparison stands beside its `field`, so the keys of [`Predicate`] are taken out of its variants.
impl JsonSchema for FilterTree {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilterTree".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = json!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<Self>() });
        let mut properties = serde_json::Map::new();
        let mut forms = Vec::new();
        for kind in FilterTreeKind::iter() {
            let key: &str = kind.into();
            let (schema, description) = match kind {
                FilterTreeKind::All => (parts.clone(), "Every part holds."),
                FilterTreeKind::Any => (parts.clone(), "At least one part holds."),
                // Under `allOf`, since draft 7 ignores what stands beside a `$ref`.
                FilterTreeKind::Not => (json!({ "allOf": [generator.subschema_for::<Self>()] }), "The part does not hold."),
                FilterTreeKind::Field => (
                    json!({ "type": "string", "pattern": FIELD }),
                    "A field, or the path of a related one, such as `Account.Name`.",
                ),
            };
            properties.insert(key.to_owned(), described(schema, description));
            forms.push(match kind {
                FilterTreeKind::All | FilterTreeKind::Any | FilterTreeKind::Not => {
                    json!({ "required": [key], "maxProperties": 1 })
                }
                FilterTreeKind::Field => json!({ "required": [key], "minProperties": 2, "maxProperties": 2 }),
            });
        }
        let predicates = Predicate::json_schema(generator);
        for variant in predicates.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            let description = variant["description"].as_str().unwrap_or_default();
            for (key, schema) in variant["properties"].as_object().into_iter().flatten() {
                properties.insert(key.clone(), described(schema.clone(), description));
            }
        }
        json_schema!({
            "description": "A node of a filter tree: exactly one of `all`, `any`, `not` and `field`, and beside `field` exactly one comparison.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
            "oneOf": forms,
        })
    }
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Value::Object(object) = &mut schema {
        object.insert("description".to_owned(), json!(description));
    }
    schema
}
