//! A JSON Schema in which nothing may be `null`.

use serde_json::{Value, json};

/// Takes `null` out of every place that `Option` put it: what is absent has no key. In a manifest, `limits:` with nothing after it
/// is a mistake; a literal of a filter has `null` on purpose and says so in another form.
pub fn never_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(never_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [only] = &choices[..] {
                    // Under `allOf`, since draft 7 ignores what stands beside a `$ref`.
                    let only = json!([only]);
                    object.remove("anyOf");
                    object.insert("allOf".into(), only);
                }
            }
            object.values_mut().for_each(never_null);
        }
        _ => {}
    }
}
