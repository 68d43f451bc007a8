//! A tenant for tests: it signs in and says who it is; the rest is scripted.

use std::sync::Arc;

use url::Url;

use super::ZuoraProvider;
use crate::apply::{Answer, AnswerVerdict, BatchSpecification};
use crate::base::{PolicyName, RecordId};
use crate::manifest::{SecretReference, ZuoraCalls, ZuoraSignIn, ZuoraTarget};
use crate::plan::Query;
pub(super) use crate::provider::ReadHalf;
pub(super) use crate::provider::common::testing::{Halves, NamedSecrets, Rows};
use crate::provider::transport::scripted::{Reply, Scripted, Seen, answer};
use crate::system::{Api, DeleteMode};

/// The session of the first sign-in.
pub(super) const SESSION: &str = "canarySessionCanary-first";
/// The scripted tenant.
pub(super) const TENANT: &str = "10548";

/// A target that is pinned.
pub(super) fn target() -> ZuoraTarget {
    ZuoraTarget {
        url: Url::parse("https://sandbox.na.zuora.com/").expect("valid"),
        wsdl_version: "91.0".into(),
        tenant_id: Some(TENANT.into()),
        sign_in: ZuoraSignIn::Login {
            username: "me@example.com".into(),
            password: SecretReference::Environment("PASSWORD".into()),
            entity_id: None,
            entity_name: None,
        },
        max_calls: ZuoraCalls::InTenMinutes(1_000),
    }
}

/// The operation a request is for.
pub(super) fn operation_of(seen: &Seen) -> String {
    let body = seen.body.split_once("<soapenv:Body><zns:").expect("an envelope").1;
    body.split(['>', '/', ' ']).next().expect("a name").to_owned()
}

/// An answer in the recorded form.
pub(super) fn envelope(body: &str) -> Reply {
    enveloped(200, &[], body)
}

fn enveloped(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let text = format!(
        "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns1=\"http://api.zuora.com/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}\
         </soapenv:Body></soapenv:Envelope>"
    );
    let headers: Vec<(&'static str, &str)> =
        headers.iter().copied().chain([("content-type", "text/xml;charset=UTF-8")]).collect();
    answer(status, &headers, text)
}

/// A fault in the recorded form.
pub(super) fn fault(code: &str, message: &str) -> Reply {
    fault_of("UnexpectedErrorFault", code, message)
}

/// The fault of a refused sign-in (recorded).
pub(super) fn login_fault(message: &str) -> Reply {
    fault_of("LoginFault", "INVALID_VALUE", message)
}

/// A fault with its element in the detail.
pub(super) fn fault_of(element: &str, code: &str, message: &str) -> Reply {
    fault_with(500, &[], element, code, message)
}

/// A fault with a status and headers of its own.
pub(super) fn fault_with(status: u16, headers: &[(&'static str, &str)], element: &str, code: &str, message: &str) -> Reply {
    let body = format!(
        "<soapenv:Fault xmlns:fns=\"http://fault.api.zuora.com/\"><faultcode>fns:{code}</faultcode><faultstring>{message}</faultstring>\
         <detail><fns:{element}><fns:FaultCode>{code}</fns:FaultCode><fns:FaultMessage>{message}</fns:FaultMessage></fns:{element}>\
         </detail></soapenv:Fault>"
    );
    enveloped(status, headers, &body)
}

/// The answer to a sign-in (recorded).
pub(super) fn logged_in(session: &str, server: &str) -> Reply {
    envelope(&format!(
        "<ns1:loginResponse><ns1:result><ns1:Session>{session}</ns1:Session><ns1:ServerUrl>{server}</ns1:ServerUrl></ns1:result>\
         </ns1:loginResponse>"
    ))
}

/// A page of a query's answer; the first or a further one.
pub(super) fn page(size: u64, done: bool, locator: Option<&str>, records: &[String]) -> Reply {
    let locator = match locator {
        Some(locator) => format!("<ns1:queryLocator>{locator}</ns1:queryLocator>"),
        None => "<ns1:queryLocator xsi:nil=\"1\" />".to_owned(),
    };
    let result = format!(
        "<ns1:result><ns1:done>{done}</ns1:done>{locator}{}<ns1:size>{size}</ns1:size></ns1:result>",
        records.concat()
    );
    envelope(&format!("<ns1:queryResponse>{result}</ns1:queryResponse>"))
}

/// A record in the recorded form.
pub(super) fn record(object: &str, fields: &[(&str, &str)]) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("<ns2:{name}>{value}</ns2:{name}>")).collect();
    format!("<ns1:records xmlns:ns2=\"http://object.api.zuora.com/\" xsi:type=\"ns2:{object}\">{fields}</ns1:records>")
}

/// The first ids.
pub(super) fn ids(count: u64) -> Vec<RecordId> {
    (0..count).map(|number| RecordId::new(&format!("2c92c0f9{number:024x}")).expect("an id")).collect()
}

/// A query for usage.
pub(super) fn query(fields: &[&str]) -> Query {
    Query {
        object: "Usage".into(),
        key: "Id".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        condition: Some("Quantity < 1".into()),
    }
}

/// What every batch is for.
pub(super) fn specification(object: &str) -> BatchSpecification {
    BatchSpecification {
        policy: PolicyName::new("stale-usage").expect("a name"),
        object: object.into(),
        delete: DeleteMode::Hard,
        api: Api::ZuoraSoap,
        atomic: false,
        serial: false,
        matching: None,
    }
}

/// Answers as lines.
pub(super) fn lines(answers: &[Answer]) -> String {
    let line = |answer: &Answer| {
        let verdict = match &answer.verdict {
            AnswerVerdict::Deleted => "deleted".to_owned(),
            AnswerVerdict::SaidGone(failure) => format!("said to be gone ({}: {})", failure.code, failure.message),
            AnswerVerdict::Failed(failure) => format!("failed {:?} {}: {}", failure.class, failure.code, failure.message),
            other => format!("{other:?}"),
        };
        format!("…{} {verdict}", &answer.id.as_str()[30..])
    };
    answers.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A provider whose sign-in is scripted too, where `change` answers.
pub(super) fn signing_in(
    target: &ZuoraTarget,
    mut change: impl FnMut(&Seen) -> Option<Reply> + Send + 'static,
) -> (ZuoraProvider, Arc<Scripted>) {
    connect_with(target, move |seen, serial| {
        change(seen).unwrap_or_else(|| handshake(seen, serial).expect("nothing else is asked"))
    })
}

/// A provider that signs in; `rest` answers everything else.
pub(super) fn connect(
    target: &ZuoraTarget,
    mut rest: impl FnMut(&Seen) -> Reply + Send + 'static,
) -> (ZuoraProvider, Arc<Scripted>) {
    connect_with(target, move |seen, serial| handshake(seen, serial).unwrap_or_else(|| rest(seen)))
}

/// The same for the pinned target. A further page is a `queryMoreResponse`.
pub(super) fn tenant(rest: impl FnMut(&Seen) -> Reply + Send + 'static) -> (ZuoraProvider, Arc<Scripted>) {
    connect(&target(), rest)
}

fn connect_with(
    target: &ZuoraTarget,
    mut script: impl FnMut(&Seen, u32) -> Reply + Send + 'static,
) -> (ZuoraProvider, Arc<Scripted>) {
    let mut sign_ins = 0;
    let transport = Arc::new(Scripted::new(move |seen| {
        assert!(!seen.origin.contains("evil"), "a session may not go there");
        sign_ins += u32::from(operation_of(seen) == "login");
        renamed(script(seen, sign_ins), seen)
    }));
    (ZuoraProvider::new(target, transport.clone(), Arc::new(NamedSecrets(""))), transport)
}

/// Gives a page the name of the operation that asked for it.
fn renamed(reply: Reply, seen: &Seen) -> Reply {
    match reply {
        Reply::Answer(status, headers, pieces) if operation_of(seen) == "queryMore" => {
            let rename = |piece: std::io::Result<bytes::Bytes>| {
                piece.map(|piece| String::from_utf8_lossy(&piece).replace("queryResponse", "queryMoreResponse").into())
            };
            Reply::Answer(status, headers, pieces.into_iter().map(rename).collect())
        }
        reply => reply,
    }
}

/// What every tenant answers, as far as `seen` asks for it. `serial` tells the sessions of several sign-ins apart.
fn handshake(seen: &Seen, serial: u32) -> Option<Reply> {
    match operation_of(seen).as_str() {
        "login" => {
            assert!(
                seen.body
                    .contains("<zns:username>me@example.com</zns:username><zns:password>canary-PASSWORD</zns:password>")
            );
            let session = if serial == 1 { SESSION.to_owned() } else { format!("canarySessionCanary-{serial}") };
            Some(logged_in(&session, &format!("{}{}", seen.origin, seen.path)))
        }
        "getUserInfo" => Some(envelope(&format!(
            "<ns1:getUserInfoResponse><ns1:TenantId>{TENANT}</ns1:TenantId><ns1:TenantName>Acme</ns1:TenantName>\
             <ns1:UserEmail>me@example.com</ns1:UserEmail><ns1:UserFullName>Me</ns1:UserFullName><ns1:UserId>4028</ns1:UserId>\
             <ns1:Username>me@example.com</ns1:Username></ns1:getUserInfoResponse>"
        ))),
        _ => None,
    }
}

/// The bodies of what was asked beside the sign-in.
pub(super) fn asked_of(transport: &Scripted) -> Vec<String> {
    let seen = transport.seen();
    let asked = seen.iter().filter(|seen| !matches!(operation_of(seen).as_str(), "login" | "getUserInfo"));
    asked.map(|seen| seen.body.clone()).collect()
}
