//! What comes back, as data.

use crate::provider::common::hostile::page_words;
use crate::provider::transport::{Element, XmlError};

/// An answer of the system, by its kind.
pub(super) enum Reply {
    /// The operation's own answer.
    Answer(Element),
    /// A refusal with the system's code and words.
    Refusal {
        /// The code, without the prefix of its namespace.
        code: String,
        /// The words.
        message: String,
    },
    /// No envelope at all: a page of the network's edge, an empty body.
    Strange {
        /// What can be said about it.
        message: String,
    },
}

impl Reply {
    /// Reads an answer to `operation`: an envelope of either version, the gateway's JSON, or anything else.
    pub(super) fn read(operation: &str, body: &[u8]) -> Result<Self, XmlError> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            return Ok(Self::read_json(body));
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(1_000)]).to_ascii_lowercase();
        if first.is_none() || !text.contains("envelope") {
            return Ok(Self::Strange { message: page_words(body) });
        }
        let envelope = Element::read(body)?;
        let Some(content) = envelope.take("Body") else {
            return Ok(Self::Strange { message: "an envelope without a body".to_owned() });
        };
        match content.child("Fault") {
            Some(fault) => Ok(Self::read_fault(fault)),
            None => match content.take(&format!("{operation}Response")) {
                Some(answer) => Ok(Self::Answer(answer)),
                None => Ok(Self::Strange { message: "an envelope with the answer to a different call".to_owned() }),
            },
        }
    }

    /// The code stands in the detail (recorded); the envelope's own place for it is 1.1's `faultcode` or 1.2's `Code/Value`.
    fn read_fault(fault: &Element) -> Self {
        let detail = fault.child("detail").or_else(|| fault.child("Detail")).and_then(|detail| detail.children().first());
        let detailed = |name| detail.and_then(|detail| detail.text_of(name));
        let within = |outer, inner| fault.child(outer).and_then(|outer: &Element| outer.text_of(inner));
        let code = detailed("FaultCode").or_else(|| fault.text_of("faultcode")).or_else(|| within("Code", "Value"));
        let message = detailed("FaultMessage").or_else(|| fault.text_of("faultstring")).or_else(|| within("Reason", "Text"));
        let code = code.unwrap_or("no-code").trim();
        Self::Refusal {
            code: code.rsplit_once(':').map_or(code, |(_, code)| code).to_owned(),
            message: message.unwrap_or_default().to_owned(),
        }
    }

    /// The gateway's quota and REST answer in JSON, which is met on the SOAP path too (client).
    fn read_json(body: &[u8]) -> Self {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let reason = value.pointer("/reasons/0");
        let code = reason.and_then(|reason| reason.get("code"));
        let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
        let message = [reason, Some(&value)].into_iter().flatten().find_map(|place| place.get("message")?.as_str());
        match code {
            Some(code) => Self::Refusal { code, message: message.unwrap_or_default().to_owned() },
            None => Self::Strange { message: message.unwrap_or("JSON without a reason").to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
        match Reply::read("delete", body.as_bytes()) {
            Ok(Reply::Answer(answer)) => format!("answer {answer:?}"),
            Ok(Reply::Refusal { code, message }) => format!("refusal {code}: {message}"),
            Ok(Reply::Strange { message }) => format!("strange: {message}"),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn understands_every_form_that_is_met_on_this_path() {
        let fault =
            |body: &str| format!("<?xml version='1.0'?><s:Envelope xmlns:s='x'><s:Body>{body}</s:Body></s:Envelope>");
        let bodies = [
            fault("<n:deleteResponse xmlns:n='y'/>"),
            fault(
                "<s:Fault><faultcode>fns:LOCK_COMPETITION</faultcode><faultstring>outer</faultstring><detail><fns:UnexpectedErrorFault \
                 xmlns:fns='z'><fns:FaultCode>LOCK_COMPETITION</fns:FaultCode><fns:FaultMessage>inner</fns:FaultMessage>\
                 </fns:UnexpectedErrorFault></detail></s:Fault>",
            ),
            fault(
                "<s:Fault><faultcode>soapenv:Server</faultcode><faultstring>Id is invalid</faultstring><detail/></s:Fault>",
            ),
            fault(
                "<s:Fault><s:Code><s:Value>soapenv:Receiver</s:Value></s:Code><s:Reason><s:Text>com.ctc.wstx.x</s:Text></s:Reason>\
                 <s:Detail/></s:Fault>",
            ),
            fault("<s:Fault/>"),
            fault("<n:queryResponse xmlns:n='y'/>"),
            "<s:Envelope xmlns:s='x'/>".into(),
            "<s:Envelope xmlns:s='x'><s:Body>".into(),
            "<!DOCTYPE a [<!ENTITY e 'x'>]><Envelope>&e;</Envelope>".into(),
            r#"{"reasons":[{"code":70,"message":"API Rate limit exceeded for the minute"}]}"#.into(),
            r#"{"success":false,"reasons":[{"code":"50000070","message":"limit"}]}"#.into(),
            r#"{"message":"Authentication error"}"#.into(),
            "{".into(),
            "<html><head><title>Access Denied</title></head></html>".into(),
            "<html>".into(),
            "We're sorry, but something went wrong.".into(),
            " ".into(),
        ];
        insta::assert_snapshot!(bodies.map(|body| read(&body)).join("\n"), @"
        answer <deleteResponse>
        refusal LOCK_COMPETITION: inner
        refusal Server: Id is invalid
        refusal Receiver: com.ctc.wstx.x
        refusal no-code: 
        strange: an envelope with the answer to a different call
        strange: an envelope without a body
        error: it is cut off
        error: it holds a document type, which is never read
        refusal 70: API Rate limit exceeded for the minute
        refusal 50000070: limit
        strange: Authentication error
        strange: JSON without a reason
        strange: Access Denied
        strange: a page without a title
        strange: We're sorry, but something went wrong.
        strange:
        ");
    }
}
