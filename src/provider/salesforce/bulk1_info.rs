//! What Bulk API 1.0 says about jobs and batches, as JSON or as XML.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call::Call;
use super::session::Session;
use crate::provider::ProviderError;
use crate::provider::transport::Element;

/// One job or batch: its properties by name, as texts.
///
/// The answer has the type of the request (documented), so that a batch of CSV is answered in XML; which of the two a request without a body
/// gets is a guess. Both have the same names, and both are read.
pub(super) struct Info(BTreeMap<String, String>);

impl Info {
    /// A property that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A property that is a number.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    fn of_json(value: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let properties = value.as_object().into_iter().flatten();
        Self(properties.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
    }

    fn of_xml(element: &Element) -> Self {
        Self(element.children().iter().map(|child| (child.name().to_owned(), child.text().to_owned())).collect())
    }
}

/// Makes a call that is answered with one job or batch.
pub(super) async fn one(session: &Session, call: &Call) -> Result<Info, ProviderError> {
    Ok(match answer(session, call).await? {
        Answer::Json(value) => Info::of_json(&value),
        Answer::Xml(root) => Info::of_xml(&root),
    })
}

/// Makes a call that is answered with a list of batches.
pub(super) async fn list(session: &Session, call: &Call) -> Result<Vec<Info>, ProviderError> {
    let not_a_list = || call.unreadable("the answer is not a list of batches");
    Ok(match answer(session, call).await? {
        Answer::Json(value) => {
            let list = value.get("batchInfo").and_then(Value::as_array).ok_or_else(not_a_list)?;
            list.iter().map(Info::of_json).collect()
        }
        Answer::Xml(root) if root.name() == "batchInfoList" => root.all("batchInfo").map(Info::of_xml).collect(),
        Answer::Xml(_) => return Err(not_a_list()),
    })
}

enum Answer {
    Json(Value),
    Xml(Element),
}

async fn answer(session: &Session, call: &Call) -> Result<Answer, ProviderError> {
    let bytes = call.read(session.call(call).await?).await?;
    if bytes.trim_ascii_start().starts_with(b"<") {
        call.xml_of(&bytes).map(Answer::Xml)
    } else {
        call.json_of(&bytes).map(Answer::Json)
    }
}
