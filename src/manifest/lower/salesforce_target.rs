//! `spec.salesforce` of a target.

use url::Url;

use super::host_url::host_url;
use super::secret::secret;
use crate::base::{Diagnostic, RecordId};
use crate::manifest::fields::{Field, Findings};
use crate::manifest::{SalesforceSignIn, SalesforceTarget, codes};
use crate::system::canonical_salesforce_id;

/// The API version of targets that name none.
const DEFAULT_API_VERSION: &str = "66.0";

pub(super) fn salesforce(field: Field<'_>, findings: &mut Findings<'_>) -> Option<SalesforceTarget> {
    let mut fields = findings.fields(field, "`salesforce`")?;
    let url = fields.optional("loginUrl");
    let login_url = url.and_then(|field| host_url(field, LOGIN_URL_EXAMPLE, findings));
    let api_version = match fields.optional("apiVersion") {
        Some(field) => findings.converted(field, codes::API_VERSION_FORM, "write it as in `\"66.0\"`", api_version),
        None => Some(DEFAULT_API_VERSION.to_owned()),
    };
    let organization_id = fields.optional("organizationId").and_then(|field| {
        findings.converted(field, codes::ORGANIZATION_ID, "copy it from Setup, Company Information", organization_id)
    });
    let sign_in = fields.required("auth", findings).and_then(|field| sign_in(field, findings));
    if let Some(sign_in) = &sign_in {
        match (url, sign_in) {
            (None, SalesforceSignIn::SalesforceCli { .. }) => {}
            (None, _) => {
                fields.required("loginUrl", findings);
            }
            (Some(field), SalesforceSignIn::ClientCredentials { .. })
                if login_url.as_ref().is_some_and(is_common_login_host) =>
            {
                findings.push(
                    Diagnostic::error(
                        codes::LOGIN_URL,
                        "client credentials need the org's own host",
                        field.node.span,
                        "this host signs in for every org",
                    )
                    .with_help("write the My Domain URL, such as `https://example.my.salesforce.com`"),
                );
            }
            _ => {}
        }
    }
    fields.end(findings);
    Some(SalesforceTarget { login_url, api_version: api_version?, organization_id, sign_in: sign_in? })
}

const LOGIN_URL_EXAMPLE: &str = "https://example.my.salesforce.com";

/// The hosts where the client credentials flow does not exist. Documented.
fn is_common_login_host(url: &Url) -> bool {
    matches!(url.host_str(), Some("login.salesforce.com" | "test.salesforce.com"))
}

/// The oldest API version with all that Sexton calls: query jobs of Bulk API 2.0 (documented).
const OLDEST_API_VERSION: u32 = 47;

fn api_version(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_suffix(".0").filter(|digits| matches!(digits.len(), 2..=3));
    match digits {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') => {
            if digits.parse().is_ok_and(|version: u32| version < OLDEST_API_VERSION) {
                return Err(
                    "`apiVersion` is older than 47.0, the first one in which Salesforce has query jobs, by which Sexton reads",
                );
            }
            Ok(text.to_owned())
        }
        _ => Err("`apiVersion` must be a Salesforce API version"),
    }
}

fn organization_id(text: &str) -> Result<RecordId, String> {
    let id = canonical_salesforce_id(text).map_err(|error| error.to_string())?;
    if id.as_str().starts_with("00D") {
        Ok(id)
    } else {
        Err(format!("`{id}` is not the id of an organization: they start with `00D`"))
    }
}

fn sign_in(field: Field<'_>, findings: &mut Findings<'_>) -> Option<SalesforceSignIn> {
    const WAYS: [&str; 6] = ["clientCredentials", "jwt", "refreshToken", "accessToken", "sfCli", "soapLogin"];
    let mut ways = findings.fields(field, "`auth`")?;
    let given: Vec<Field<'_>> = WAYS.into_iter().filter_map(|way| ways.optional(way)).collect();
    let unknown = ways.entries().len() > given.len();
    ways.end(findings);
    let [way] = given[..] else {
        // An unknown key is told already, and is most likely the one that is missing.
        if given.len() > 1 || !unknown {
            let place = given.get(1).map_or(field.place, |second| second.place);
            findings.push(
                Diagnostic::error(
                    codes::SIGN_IN,
                    "a target needs exactly one way to sign in",
                    place,
                    format!("{} are given", given.len()),
                )
                .with_help(format!("write one of `{}`", WAYS.join("`, `"))),
            );
        }
        return None;
    };
    if way.key == "accessToken" {
        return secret(way, findings).map(|access_token| SalesforceSignIn::AccessToken { access_token });
    }
    let mut fields = findings.fields(way, "this way to sign in")?;
    let sign_in = match way.key {
        "clientCredentials" => {
            let client_id = fields.required("clientId", findings).and_then(|field| secret(field, findings));
            let client_secret = fields.required("clientSecret", findings).and_then(|field| secret(field, findings));
            client_id
                .zip(client_secret)
                .map(|(client_id, client_secret)| SalesforceSignIn::ClientCredentials { client_id, client_secret })
        }
        "jwt" => {
            let client_id = fields.required("clientId", findings).and_then(|field| secret(field, findings));
            let username = fields.required("username", findings).and_then(|field| findings.text(field));
            let private_key = fields.required("privateKey", findings).and_then(|field| secret(field, findings));
            let audience = fields.optional("audience").map(|field| findings.text(field));
            match (client_id, username, private_key, audience) {
                (_, _, _, Some(None)) => None,
                (Some(client_id), Some(username), Some(private_key), audience) => Some(SalesforceSignIn::JwtBearer {
                    client_id,
                    username: username.to_owned(),
                    private_key,
                    audience: audience.flatten().map(str::to_owned),
                }),
                _ => None,
            }
        }
        "refreshToken" => {
            let client_id = fields.required("clientId", findings).and_then(|field| secret(field, findings));
            let client_secret = fields.optional("clientSecret").and_then(|field| secret(field, findings));
            let refresh_token = fields.required("refreshToken", findings).and_then(|field| secret(field, findings));
            client_id.zip(refresh_token).map(|(client_id, refresh_token)| SalesforceSignIn::RefreshToken {
                client_id,
                client_secret,
                refresh_token,
            })
        }
        "soapLogin" => {
            findings.push(
                Diagnostic::error(
                    codes::SOAP_LOGIN_RETIRES,
                    "SOAP `login()` retires with Summer '27",
                    way.place,
                    "will stop working then",
                )
                .with_help("move to an OAuth way to sign in, such as `clientCredentials`")
                .as_warning(),
            );
            let username = fields.required("username", findings).and_then(|field| findings.text(field));
            let password = fields.required("password", findings).and_then(|field| secret(field, findings));
            let security_token = fields.optional("securityToken").map(|field| secret(field, findings));
            match (username, password, security_token) {
                (_, _, Some(None)) => None,
                (Some(username), Some(password), security_token) => Some(SalesforceSignIn::SoapLogin {
                    username: username.to_owned(),
                    password,
                    security_token: security_token.flatten(),
                }),
                _ => None,
            }
        }
        _ => fields
            .required("targetOrg", findings)
            .and_then(|field| findings.text(field))
            .map(|target_org| SalesforceSignIn::SalesforceCli { target_org: target_org.to_owned() }),
    };
    fields.end(findings);
    sign_in
}
