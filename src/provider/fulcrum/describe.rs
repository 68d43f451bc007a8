//! What the system says about a form.

use serde::Deserialize;

use super::call::{Call, is_missing};
use super::query::{ask, quoted};
use super::session::Session;
use crate::base::RecordId;
use crate::plan::{FieldFacts, ObjectFacts};
use crate::provider::common::{error, incomplete};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::FieldType;
use crate::system::fulcrum::KEY;

/// How many forms come in one answer, with all their fields.
const FORMS: &str = "100";

#[derive(Deserialize)]
struct OneForm {
    form: Form,
}

#[derive(Deserialize)]
struct Form {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Forms {
    forms: Vec<Form>,
    total_pages: u64,
    total_count: u64,
}

/// Describes a form, named by its id or by its name.
///
/// The facts name it by its id: a form can be given another name, and another form that name.
pub(super) async fn describe(session: &Session, object: &str) -> Result<ObjectFacts, ProviderError> {
    let doing = format!("describe the form {object}");
    let id = form_id(session, &doing, object).await?;
    let columns = ask(session, &doing, &format!("SELECT * FROM {} LIMIT 0", quoted(&id))).await?.fields;
    if columns.is_empty() {
        return Err(error(ErrorClass::Malformed, &doing, "unreadable-answer", "the answer names no columns"));
    }
    let field = |column: super::query::Column| FieldFacts {
        kind: kind(&column.kind),
        filterable: true,
        nillable: column.name != KEY,
        relationship_name: None,
        reference_to: Vec::new(),
        name: column.name,
    };
    Ok(ObjectFacts {
        name: id,
        deletable: session.may_delete().await? != Some(false),
        undeletable: false,
        queryable: true,
        key_prefix: None,
        knows_all_fields: true,
        fields: columns.into_iter().map(field).collect(),
        children: Vec::new(),
    })
}

/// The types seen in recordings and documents; whatever else there is, is compared as text.
fn kind(name: &str) -> FieldType {
    match name {
        "integer" | "double" => FieldType::Number,
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "timestamp" => FieldType::DateTime,
        list if list.ends_with("[]") => FieldType::MultiPicklist,
        _ => FieldType::Text,
    }
}

async fn form_id(session: &Session, doing: &str, object: &str) -> Result<String, ProviderError> {
    let not_an_id = |id: &str| RecordId::new(id).is_err();
    if !not_an_id(object) {
        let call = Call::get(doing, format!("forms/{object}.json"));
        match session.read_json::<OneForm>(&call).await {
            Ok(answer) if answer.form.id == object => return Ok(answer.form.id),
            Ok(_) => return Err(call.unreadable("the answer is about another form")),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let mut seen = 0;
    let mut found: Vec<String> = Vec::new();
    let mut page = 1;
    loop {
        let call = Call::get(doing, "forms.json").parameters(&[("page", &page.to_string()), ("per_page", FORMS)]);
        let answer: Forms = session.read_json(&call).await?;
        seen += answer.forms.len() as u64;
        let is_last = page >= answer.total_pages || answer.forms.is_empty();
        found.extend(answer.forms.into_iter().filter(|form| form.name == object).map(|form| form.id));
        if is_last && seen < answer.total_count {
            return Err(incomplete(doing, format!("{seen} forms arrived, but the system declared {}", answer.total_count)));
        }
        if is_last {
            break;
        }
        page += 1;
    }
    let refused = |class, code, message: String, help: &str| {
        Err(ProviderError { help: Some(help.to_owned()), ..error(class, doing, code, message) })
    };
    match found.as_slice() {
        [id] if not_an_id(id) => Err(error(ErrorClass::Malformed, doing, "malformed-id", "the form's id is not a valid id")),
        [id] => Ok(id.clone()),
        [] => {
            let message = "this login sees no form of that name or id".to_owned();
            refused(
                ErrorClass::NotFound,
                "not-found",
                message,
                "write the form's name, or its id from the address of its page",
            )
        }
        several => {
            let message = format!("{} forms have that name", several.len());
            refused(ErrorClass::Invalid, "several-forms", message, "write the form's id, from the address of its page")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as value};

    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Seen, json};

    /// An organization with these forms, two a page.
    async fn describe(object: &str, forms: &'static [(&'static str, &'static str)]) -> Result<ObjectFacts, ProviderError> {
        let form = |(id, name): &(&str, &str)| value!({"id": id, "name": name, "elements": []});
        let (provider, _) = organization(move |seen: &Seen| {
            if let Some(id) = seen.path.strip_prefix("/api/v2/forms/") {
                let found = forms.iter().find(|known| format!("{}.json", known.0) == id);
                return found.map_or_else(|| json(404, "{}"), |known| json(200, value!({"form": form(known)}).to_string()));
            }
            if seen.path == "/api/v2/forms.json" {
                let page: usize = seen.parameter("page").expect("a page").parse().expect("a number");
                let items: Vec<Value> = forms.iter().skip(2 * (page - 1)).take(2).map(form).collect();
                let body = value!({"forms": items, "current_page": page, "total_pages": forms.len().div_ceil(2),
                    "total_count": forms.len(), "per_page": 2});
                return json(200, body.to_string());
            }
            let column = |(name, kind): (&str, &str)| value!({"name": name, "type": kind});
            let columns = [
                ("_record_id", "string"),
                ("_server_updated_at", "timestamp"),
                ("trees", "string[]"),
                ("height", "double"),
                ("day", "date"),
                ("_geometry", "geometry"),
            ];
            assert_eq!(statement_of(seen), format!("SELECT * FROM \"{FORM}\" LIMIT 0"));
            json(200, value!({"fields": columns.map(column), "rows": []}).to_string())
        });
        provider.describe(object).await
    }

    #[tokio::test]
    async fn a_form_is_known_by_its_id_whatever_it_is_called() {
        let by_id = describe(FORM, &[(FORM, "Park Inventory")]).await.expect("described");
        let by_name =
            describe("Park Inventory", &[("a", "A"), ("b", "B"), (FORM, "Park Inventory")]).await.expect("described");
        assert_eq!((by_id.name.as_str(), &by_id), (FORM, &by_name));
        let kinds: Vec<String> = by_id.fields.iter().map(|field| format!("{} {:?}", field.name, field.kind)).collect();
        insta::assert_snapshot!(kinds.join(", "), @"_record_id Text, _server_updated_at DateTime, trees MultiPicklist, height Number, day Date, _geometry Text");
        assert!(by_id.deletable && !by_id.undeletable && by_id.children.is_empty());
    }

    #[tokio::test]
    async fn a_name_that_is_missing_or_not_the_only_one_is_refused() {
        let error = describe("Parks", &[(FORM, "Park Inventory")]).await.expect_err("missing");
        assert_eq!(error.class, ErrorClass::NotFound);
        let error = describe("Parks", &[(FORM, "Parks"), ("b", "x"), ("c", "Parks")]).await.expect_err("two");
        assert_eq!((error.class, error.message.as_str()), (ErrorClass::Invalid, "2 forms have that name"));
    }
}
