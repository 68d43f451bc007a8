//! SOAP envelopes of both versions, as they are answered.

use std::io;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};

use super::calls::CallLimit;
use super::soap_fault::SoapFault;
use crate::sandbox::gate::with_retry_after;
use crate::sandbox::xml_writer::{XmlWriter, inside, text};

/// The namespace of operations and results.
pub(super) const API: &str = "http://api.zuora.com/";
/// The namespace of business objects.
pub(super) const OBJECT: &str = "http://object.api.zuora.com/";
const FAULT: &str = "http://fault.api.zuora.com/";
/// The namespace of `type` and `nil`.
pub(super) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// The version of SOAP a request speaks. It is answered in the same (recorded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SoapVersion {
    V11,
    V12,
}

impl SoapVersion {
    /// The version whose envelope has this namespace; 1.1 if none does.
    pub(super) fn of_namespace(namespace: &str) -> Self {
        if namespace == SOAP_12 { Self::V12 } else { Self::V11 }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => SOAP_12,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml;charset=UTF-8",
            Self::V12 => "application/soap+xml;charset=UTF-8",
        }
    }

    /// A successful answer, its body written by `write`.
    pub(super) fn answer(self, write: impl FnOnce(&mut XmlWriter) -> io::Result<()>) -> Response {
        self.respond(StatusCode::OK, write)
    }

    /// A fault. The layout of 1.1 is recorded, that of 1.2 a guess.
    pub(super) fn fault(self, fault: &SoapFault) -> Response {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let response = self.respond(status, |output| {
            let element = output.create_element("soapenv:Fault").with_attribute(("xmlns:fns", FAULT));
            element.write_inner_content(|output| self.write_fault(output, fault))?;
            Ok(())
        });
        with_retry_after(response, fault.retry_after)
    }

    fn write_fault(self, output: &mut XmlWriter, fault: &SoapFault) -> io::Result<()> {
        let code = match (&fault.code, self) {
            (Some((code, _)), _) => format!("fns:{code}"),
            (None, Self::V11) => "soapenv:Server".to_owned(),
            (None, Self::V12) => "soapenv:Receiver".to_owned(),
        };
        let detail = |output: &mut XmlWriter| match &fault.code {
            Some((code, detail)) => inside(output, detail.element(), |output| {
                text(output, "fns:FaultCode", code)?;
                text(output, "fns:FaultMessage", &fault.message)
            }),
            None => Ok(()),
        };
        match self {
            Self::V11 => {
                text(output, "faultcode", &code)?;
                text(output, "faultstring", &fault.message)?;
                inside(output, "detail", detail)
            }
            Self::V12 => {
                inside(output, "soapenv:Code", |output| text(output, "soapenv:Value", &code))?;
                inside(output, "soapenv:Reason", |output| {
                    let element = output.create_element("soapenv:Text").with_attribute(("xml:lang", "en-US"));
                    element.write_text_content(BytesText::new(&fault.message))?;
                    Ok(())
                })?;
                inside(output, "soapenv:Detail", detail)
            }
        }
    }

    fn respond(self, status: StatusCode, write: impl FnOnce(&mut XmlWriter) -> io::Result<()>) -> Response {
        let body = self.written(write).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, self.media_type()),
            (header::CACHE_CONTROL, "max-age=0, no-cache, no-store"),
            (header::SERVER, "Zuora App"),
        ];
        (status, headers, body).into_response()
    }

    fn written(self, write: impl FnOnce(&mut XmlWriter) -> io::Result<()>) -> io::Result<Vec<u8>> {
        let mut output = Writer::new(Vec::new());
        output.config_mut().add_space_before_slash_in_empty_elements = true;
        // With single quotes (recorded).
        let declaration = BytesStart::from_content("xml version='1.0' encoding='UTF-8'", 3);
        output.write_event(Event::Decl(BytesDecl::from_start(declaration)))?;
        let envelope = output.create_element("soapenv:Envelope").with_attribute(("xmlns:soapenv", self.namespace()));
        envelope.write_inner_content(|output| inside(output, "soapenv:Body", write))?;
        Ok(output.into_inner())
    }
}

/// The gateway in front of the tenant has had enough: JSON, even here (documented body; that SOAP gets it too is a guess).
pub(super) fn quota(limits: &[CallLimit], seconds: u64) -> Response {
    let most = limits.iter().map(|limit| limit.calls.to_string()).next().unwrap_or_default();
    let windows = limits.iter().map(|limit| format!("{};w={}", limit.calls, limit.seconds));
    let limit: Vec<String> = std::iter::once(most).chain(windows).collect();
    let body = format!(
        r#"{{"reasons":[{{"code":70,"message":"API Rate limit exceeded for the minute, retry after {seconds} seconds"}}]}}"#
    );
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (StatusCode::TOO_MANY_REQUESTS, content_type, body).into_response();
    for (name, value) in [
        ("ratelimit-limit", limit.join(", ")),
        ("ratelimit-remaining", "0".to_owned()),
        ("ratelimit-reset", seconds.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
