//! The SOAP service: one path, told apart by what is in the envelope.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, Uri};

use super::Tenant;
use super::calls::CallLimit;
use super::envelope::{API, SoapVersion, quota};
use super::query::QueryOptions;
use super::row_error::RowError;
use super::soap_fault::{Detail, SoapFault};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::gate::{origin, with_retry_after};
use crate::sandbox::xml::Element;
use crate::sandbox::xml_writer::{XmlWriter, inside, text};
use crate::sandbox::{Effect, Sandbox, soap};

/// The most ids of one `delete` (documented).
const MOST_IDS: usize = 50;

/// The one path of the service.
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    Router::new().route("/apps/services/a/{version}", post(call)).layer(DefaultBodyLimit::max(soap::LARGEST))
}

/// One request, taken apart.
struct Call<'a> {
    sandbox: &'a Sandbox,
    /// Of the WSDL, without the `.0`.
    wsdl_version: u32,
    soap: SoapVersion,
    /// Where this service is, as the client sees it.
    url: String,
    header: Option<&'a Element>,
    operation: &'a Element,
    faults: &'a WorkFaults,
}

async fn call(
    State(sandbox): State<Sandbox>,
    Path(version): Path<String>,
    uri: Uri,
    Extension(faults): Extension<WorkFaults>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let limits = &sandbox.settings().zuora.calls;
    let now = sandbox.now();
    if let Err((_, seconds)) = sandbox.zuora().calls.spend(limits, now) {
        return quota(limits, seconds);
    }
    if let Some(response) = faults.0.iter().find_map(|effect| gateway_refusal(effect, limits)) {
        return response;
    }
    let envelope = match Element::read(&body) {
        Ok(envelope) if envelope.name == "Envelope" => envelope,
        Ok(_) => return SoapVersion::V11.fault(&SoapFault::stack("First Element must contain the local name, Envelope")),
        Err(error) => return SoapVersion::V11.fault(&SoapFault::stack(error.to_string())),
    };
    let soap = SoapVersion::of_namespace(&envelope.namespace);
    let Some(operation) = envelope.child("Body").and_then(|body| body.children.first()) else {
        return soap.fault(&SoapFault::stack("The SOAP body is empty"));
    };
    let Some(wsdl_version) = read_version(&version) else {
        return soap.fault(&SoapFault::new(Detail::Unexpected, "INVALID_VERSION", "invalid version"));
    };
    let url = format!("{}{}", origin(&headers, &uri), uri.path());
    let header = envelope.child("Header");
    let call = Call { sandbox: &sandbox, wsdl_version, soap, url, header, operation, faults: &faults };
    call.answer().unwrap_or_else(|fault| soap.fault(&fault))
}

/// The 429 of the gateway that a fault asks for.
fn gateway_refusal(effect: &Effect, limits: &[CallLimit]) -> Option<Response> {
    match effect {
        Effect::TooManyRequests { retry_after } => {
            Some(with_retry_after(quota(limits, retry_after.unwrap_or(600)), *retry_after))
        }
        Effect::DailyLimit => Some(quota(limits, 86_400)),
        _ => None,
    }
}

/// `78.0` is 78. There are versions from 1 to 153 (documented; that others are refused is a guess).
fn read_version(text: &str) -> Option<u32> {
    text.strip_suffix(".0")?.parse().ok().filter(|version| (1..=153).contains(version))
}

impl Call<'_> {
    fn answer(&self) -> Result<Response, SoapFault> {
        for effect in &self.faults.0 {
            match effect {
                Effect::ConcurrentLimit => return Err(SoapFault::concurrency(self.wsdl_version)),
                Effect::SoapFault { status, code, message } => {
                    return Err(SoapFault { status: *status, ..SoapFault::new(Detail::Unexpected, code, message) });
                }
                _ => {}
            }
        }
        if self.operation.namespace != API {
            return Err(self.unknown_operation());
        }
        match self.operation.name.as_str() {
            "login" => self.login(),
            "getUserInfo" => self.check_session().map(|()| self.user_info()),
            "query" => {
                self.check_session()?;
                let [query] = arguments(&self.operation.children, ["queryString"])?;
                let page = self.sandbox.zuora().query(query, self.query_options(), self.faults)?;
                Ok(page.answer(self.soap, "query"))
            }
            "queryMore" => {
                self.check_session()?;
                let [locator] = arguments(&self.operation.children, ["queryLocator"])?;
                let page = self.sandbox.zuora().query_more(locator, self.query_options(), self.faults)?;
                Ok(page.answer(self.soap, "queryMore"))
            }
            "delete" => {
                self.check_session()?;
                self.delete()
            }
            name => Err(SoapFault::stack(format!(
                "The sandbox does not serve the SOAP call {name}: this is a gap of the sandbox, not a mistake of the request."
            ))),
        }
    }

    /// The text is a guess.
    fn unknown_operation(&self) -> SoapFault {
        SoapFault::stack(format!("The endpoint reference (EPR) for the Operation not found is {}", self.url))
    }

    fn login(&self) -> Result<Response, SoapFault> {
        let (pair, entity) = self.operation.children.split_at(self.operation.children.len().min(2));
        let [username, password] = arguments(pair, ["username", "password"])?;
        match entity {
            [] => {}
            [one] if matches!(one.name.as_str(), "entityId" | "entityName") => {}
            [.., last] => return Err(unexpected(last)),
        }
        let wrong = "Invalid login. User name and password do not match.";
        if (username, password) != (Tenant::USERNAME, Tenant::PASSWORD) {
            return Err(SoapFault::new(Detail::Login, "INVALID_VALUE", wrong));
        }
        let now = self.sandbox.now();
        let session = self.sandbox.zuora().sessions.open(now);
        Ok(self.soap.answer(|output| {
            respond(output, "loginResponse", |output| {
                inside(output, "ns1:result", |output| {
                    text(output, "ns1:Session", &session)?;
                    text(output, "ns1:ServerUrl", &self.url)
                })
            })
        }))
    }

    /// Clients write the header in many ways, and all were answered: only its local names count, in any case.
    fn header(&self, name: &str) -> Option<&Element> {
        self.header?.children.iter().find(|element| element.name.eq_ignore_ascii_case(name))
    }

    fn check_session(&self) -> Result<(), SoapFault> {
        let header = self.header("SessionHeader").ok_or_else(SoapFault::session)?;
        let token = header.children.iter().find(|element| element.name.eq_ignore_ascii_case("session"));
        let token = token.map(|token| token.text.trim()).ok_or_else(SoapFault::session)?;
        let mut tenant = self.sandbox.zuora();
        if self.faults.0.contains(&Effect::ExpireSession) {
            tenant.sessions.close(token);
        }
        let is_open = tenant.sessions.is_open(token, tenant.now(), self.sandbox.settings().zuora.session_lifetime);
        is_open.then_some(()).ok_or_else(SoapFault::session)
    }

    fn user_info(&self) -> Response {
        self.soap.answer(|output| {
            respond(output, "getUserInfoResponse", |output| {
                text(output, "ns1:TenantId", Tenant::ID)?;
                text(output, "ns1:TenantName", "Sandbox")?;
                text(output, "ns1:UserEmail", Tenant::USERNAME)?;
                text(output, "ns1:UserFullName", "Sandbox User")?;
                text(output, "ns1:UserId", Tenant::USER_ID)?;
                text(output, "ns1:Username", Tenant::USERNAME)
            })
        })
    }

    fn query_options(&self) -> QueryOptions {
        let options = self.header("QueryOptions");
        let option = |name| options.and_then(|options| options.child(name)).map(|element| element.text.trim());
        QueryOptions {
            batch_size: option("batchSize").and_then(|size| size.parse().ok()),
            case_sensitive: option("caseSensitive") == Some("true"),
        }
    }

    fn delete(&self) -> Result<Response, SoapFault> {
        let mut given = self.operation.children.iter().peekable();
        let kind = match given.next_if(|element| element.name == "type" && element.namespace == API) {
            Some(kind) => kind.text.as_str(),
            None => return Err(given.next().map_or_else(|| SoapFault::stack("type cannot be null!!"), unexpected)),
        };
        let mut ids = Vec::new();
        for element in given {
            if element.name != "ids" || element.namespace != API {
                return Err(unexpected(element));
            }
            // Both forms of an id that the WSDL allows. That the stack refuses others, and so the whole call, is a guess.
            let id = element.text.as_str();
            let is_key = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_key && (id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit())) {
                return Err(SoapFault::stack("Id is invalid"));
            }
            ids.push(id.to_owned());
        }
        if ids.len() > MOST_IDS {
            let message = format!("The maximum number of records is {MOST_IDS}");
            return Err(SoapFault::new(Detail::InvalidValue, "MAX_RECORDS_EXCEEDED", message));
        }
        let settings = &self.sandbox.settings().zuora;
        let mut tenant = self.sandbox.zuora();
        // Names of types have one case only here (documented).
        let table = tenant.table_number(kind).filter(|table| tenant.tables[*table].object.name == kind);
        let table = table.filter(|table| tenant.tables[*table].object.deletable).ok_or_else(|| {
            SoapFault::new(Detail::InvalidType, "INVALID_TYPE", format!("invalid type for delete: {kind}"))
        })?;
        let results = if self.faults.locks_rows() {
            ids.iter().map(|_| Err(RowError::lock())).collect()
        } else {
            tenant.delete(table, &ids, &settings.unknown_id_code)
        };
        Ok(self.soap.answer(|output| {
            respond(output, "deleteResponse", |output| {
                for (id, result) in ids.iter().zip(&results) {
                    inside(output, "ns1:result", |output| write_row(output, id, result, settings.failed_rows_carry_id))?;
                }
                Ok(())
            })
        }))
    }
}

/// A successful row is recorded; a failed one is shaped after recorded failures of `create`, and has no id (guess).
fn write_row(output: &mut XmlWriter, id: &str, result: &Result<(), RowError>, carries_id: bool) -> std::io::Result<()> {
    if let Err(error) = result {
        inside(output, "ns1:errors", |output| {
            text(output, "ns1:Code", &error.code)?;
            text(output, "ns1:Message", &error.message)
        })?;
    }
    if result.is_ok() || carries_id {
        text(output, "ns1:id", id)?;
    }
    text(output, "ns1:success", if result.is_ok() { "true" } else { "false" })
}

fn respond(
    output: &mut XmlWriter,
    name: &str,
    write: impl FnOnce(&mut XmlWriter) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let element = output.create_element(format!("ns1:{name}")).with_attribute(("xmlns:ns1", API));
    element.write_inner_content(write)?;
    Ok(())
}

/// The text of these elements, which must have these names, in this order (documented text of the refusal).
fn arguments<'a, const COUNT: usize>(given: &'a [Element], names: [&str; COUNT]) -> Result<[&'a str; COUNT], SoapFault> {
    let mut given = given.iter();
    let mut texts = [""; COUNT];
    for (name, text) in names.iter().zip(&mut texts) {
        match given.next() {
            Some(element) if element.name == *name && element.namespace == API => *text = &element.text,
            Some(element) => return Err(unexpected(element)),
            None => return Err(SoapFault::stack(format!("{name} cannot be null!!"))),
        }
    }
    given.next().map_or(Ok(texts), |element| Err(unexpected(element)))
}

fn unexpected(element: &Element) -> SoapFault {
    SoapFault::stack(format!("Unexpected subelement {}", element.name))
}
