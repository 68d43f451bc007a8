//! `login()` of the SOAP API, up to the last version that has it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use secrecy::ExposeSecret;

use super::gate::VERSIONS;
use crate::sandbox::gate::origin;
use crate::sandbox::session::{Session, TokenForm};
use crate::sandbox::xml::Element;
use crate::sandbox::xml_writer::{XmlWriter, document, inside, text};
use crate::sandbox::{PasswordLogin, RecordKey, Sandbox, User};

/// The last version with `login()` (documented).
const LAST_VERSION: u32 = 64;
/// The largest request, in bytes (documented).
const MOST_BYTES: usize = 10 * 1024;
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const PARTNER: &str = "urn:partner.soap.sforce.com";

/// A refusal: `sf:` with a code of the vendor, or a code of SOAP itself.
enum Fault {
    Login(&'static str, &'static str),
    Soap(&'static str, String),
}

const INVALID_LOGIN: Fault = Fault::Login("INVALID_LOGIN", WRONG);
/// Recorded.
const WRONG: &str = "Invalid username, password, security token; or user locked out.";
/// Recorded, shortened after its first sentences.
const NEEDS_TOKEN: &str = "Invalid username, password, security token; or user locked out. Are you at a new location? When accessing \
    Salesforce--either via a desktop client or the API--from outside of your company’s trusted networks, you must add a \
    security token to your password to log in.";

/// `POST /services/Soap/u/{version}`.
pub(super) async fn call(
    State(sandbox): State<Sandbox>,
    Path(version): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match log_in(&sandbox, &version, &headers, &body) {
        Ok((user, login)) => {
            let host = origin(&headers, &uri);
            xml(StatusCode::OK, success(&sandbox, &host, &version, &user, &login))
        }
        Err(fault) => xml(StatusCode::INTERNAL_SERVER_ERROR, failure(&fault)),
    }
}

fn xml(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], body).into_response()
}

/// Whoever the request says, with their password checked.
fn log_in(sandbox: &Sandbox, version: &str, headers: &HeaderMap, body: &[u8]) -> Result<(User, PasswordLogin), Fault> {
    if !headers.contains_key("soapaction") {
        // The header is required (documented); the text is recorded.
        return Err(Fault::Soap("soapenv:Client", "SOAPAction HTTP header missing".to_owned()));
    }
    let number = version.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| VERSIONS.contains(number)).ok_or(Fault::Login(
        // Documented; the text is a guess.
        "UNSUPPORTED_API_VERSION",
        "Invalid Api version specified on URL",
    ))?;
    let (username, password) = credentials(body)?;
    if number > LAST_VERSION {
        // That later versions do not have it is documented; the words are those for any operation that is not there, from memory.
        let text = format!("No operation available for request {{{PARTNER}}}login, please check the WSDL for the service.");
        return Err(Fault::Soap("soapenv:Client", text));
    }
    if !sandbox.settings().soap_login {
        // Recorded.
        return Err(Fault::Login("INVALID_OPERATION", "SOAP API login() is disabled by default in this org."));
    }
    let world = sandbox.world();
    let user = world.users().find(|user| user.username == username && user.active).ok_or(INVALID_LOGIN)?;
    let login = world.password_login(user.key).ok_or(INVALID_LOGIN)?;
    if login.locked_out {
        // The code is documented, the text is a guess.
        return Err(Fault::Login("PASSWORD_LOCKOUT", "Your login attempts have exceeded the limit; the user is locked out"));
    }
    let rest = password.strip_prefix(login.password.expose_secret()).ok_or(INVALID_LOGIN)?;
    match &login.security_token {
        Some(token) if token.expose_secret() == rest => {}
        // A token that is missing or wrong behind the right password (recorded for both).
        Some(_) => return Err(Fault::Login("LOGIN_MUST_USE_SECURITY_TOKEN", NEEDS_TOKEN)),
        None if rest.is_empty() => {}
        None => return Err(INVALID_LOGIN),
    }
    if !user.permissions.api_enabled {
        // The code is documented, the text is a guess.
        return Err(Fault::Login("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"));
    }
    Ok((user.clone(), login.clone()))
}

/// Name and password in a request for `login`.
fn credentials(body: &[u8]) -> Result<(String, String), Fault> {
    let client = |text: String| Fault::Soap("soapenv:Client", text);
    if body.len() > MOST_BYTES {
        return Err(client(format!("The request is larger than {MOST_BYTES} bytes")));
    }
    let envelope = Element::read(body).map_err(|error| client(error.to_string()))?;
    let is_envelope = envelope.namespace == ENVELOPE && envelope.name == "Envelope";
    let operation = envelope.child("Body").filter(|_| is_envelope).and_then(|body| body.children.first());
    match operation {
        Some(login) if login.name == "login" && login.namespace == PARTNER => {
            let text = |name| login.child(name).map(|child| child.text.clone()).unwrap_or_default();
            Ok((text("username"), text("password")))
        }
        Some(other) => {
            let name = &other.name;
            Err(client(format!(
                "The sandbox does not serve the SOAP call {name}, only login: this is a gap of the sandbox, not a mistake of the request."
            )))
        }
        None => Err(client("The request is no SOAP envelope".to_owned())),
    }
}

fn success(sandbox: &Sandbox, host: &str, version: &str, user: &User, login: &PasswordLogin) -> Vec<u8> {
    let organization = sandbox.world().organization().clone();
    let session = sandbox.open_session(Session { user: user.key, password_expired: login.expired }, TokenForm::Opaque);
    let address = |kind: &str| format!("{host}/services/Soap/{kind}/{version}/{}", organization.key.fifteen());
    let flag = |value: bool| if value { "true" } else { "false" };
    let result = [
        ("metadataServerUrl", address("m")),
        ("passwordExpired", flag(login.expired).to_owned()),
        ("sandbox", flag(organization.is_sandbox).to_owned()),
        ("serverUrl", address("u")),
        ("sessionId", session),
        ("userId", user.key.to_string()),
    ];
    let lifetime = sandbox.settings().session_lifetime.as_secs().to_string();
    let info = user_info(user, organization.key, &organization.name, &lifetime);
    envelope(&[("xmlns", PARTNER)], |writer| {
        inside(writer, "loginResponse", |writer| {
            inside(writer, "result", |writer| {
                result.iter().try_for_each(|(name, value)| text(writer, name, value))?;
                inside(writer, "userInfo", |writer| info.iter().try_for_each(|(name, value)| text(writer, name, value)))
            })
        })
    })
}

/// In the order of the vendor's WSDL, which is alphabetical.
fn user_info(user: &User, organization: RecordKey, organization_name: &str, lifetime: &str) -> Vec<(&'static str, String)> {
    let fixed = |text: &str| text.to_owned();
    vec![
        ("accessibilityMode", fixed("false")),
        ("chatterExternal", fixed("false")),
        ("currencySymbol", fixed("$")),
        ("orgAttachmentFileSizeLimit", fixed("5242880")),
        ("orgDefaultCurrencyIsoCode", fixed("USD")),
        ("orgDefaultCurrencyLocale", fixed("en_US")),
        ("orgDisallowHtmlAttachments", fixed("false")),
        ("orgHasPersonAccounts", fixed("false")),
        ("organizationId", organization.to_string()),
        ("organizationMultiCurrency", fixed("false")),
        ("organizationName", fixed(organization_name)),
        ("profileId", fixed("00eS00000000001AAA")),
        ("roleId", fixed("")),
        ("sessionSecondsValid", fixed(lifetime)),
        ("userDefaultCurrencyIsoCode", fixed("")),
        ("userEmail", user.username.clone()),
        ("userFullName", user.name.clone()),
        ("userId", user.key.to_string()),
        ("userLanguage", fixed("en_US")),
        ("userLocale", fixed("en_US")),
        ("userName", user.username.clone()),
        ("userTimeZone", fixed("GMT")),
        ("userType", fixed("Standard")),
        ("userUiSkin", fixed("Theme3")),
    ]
}

fn failure(fault: &Fault) -> Vec<u8> {
    let namespaces =
        [("xmlns:sf", "urn:fault.partner.soap.sforce.com"), ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")];
    envelope(&namespaces, |writer| {
        inside(writer, "soapenv:Fault", |writer| match fault {
            Fault::Soap(code, words) => {
                text(writer, "faultcode", code)?;
                text(writer, "faultstring", words)
            }
            // The form is recorded.
            Fault::Login(code, words) => {
                text(writer, "faultcode", &format!("sf:{code}"))?;
                text(writer, "faultstring", &format!("{code}: {words}"))?;
                inside(writer, "detail", |writer| {
                    let fault = writer.create_element("sf:LoginFault").with_attribute(("xsi:type", "sf:LoginFault"));
                    let written = fault.write_inner_content(|writer| {
                        text(writer, "sf:exceptionCode", code)?;
                        text(writer, "sf:exceptionMessage", words)
                    });
                    written.map(|_| ())
                })
            }
        })
    })
}

fn envelope(namespaces: &[(&str, &str)], write: impl FnOnce(&mut XmlWriter) -> std::io::Result<()>) -> Vec<u8> {
    let attributes = [&[("xmlns:soapenv", ENVELOPE)], namespaces].concat();
    document("soapenv:Envelope", &attributes, |writer| inside(writer, "soapenv:Body", write))
}
