//! `spec.zuora` of a target.

use super::host_url::host_url;
use super::max_calls::zuora_calls;
use super::secret::secret;
use crate::base::Diagnostic;
use crate::manifest::fields::{Field, Findings, ambiguous_number};
use crate::manifest::node::Value;
use crate::manifest::{ZuoraSignIn, ZuoraTarget, codes};

/// The version of the WSDL of targets that name none: the newest that is known to be public.
const DEFAULT_WSDL_VERSION: &str = "153.0";

pub(super) fn zuora(field: Field<'_>, findings: &mut Findings<'_>) -> Option<ZuoraTarget> {
    let mut fields = findings.fields(field, "`zuora`")?;
    let url = fields.required("url", findings).and_then(|field| host_url(field, "https://na.zuora.com", findings));
    let wsdl_version = match fields.optional("wsdlVersion") {
        Some(field) => findings.converted(field, codes::API_VERSION_FORM, "write it as in `\"91.0\"`", wsdl_version),
        None => Some(DEFAULT_WSDL_VERSION.to_owned()),
    };
    let tenant_id = fields.optional("tenantId").map(|field| match &field.node.value {
        Value::Text(text) if field.node.plain && ambiguous_number(text) => {
            findings.number_form(field);
            None
        }
        _ => findings.text(field).map(str::to_owned),
    });
    let sign_in = fields.required("auth", findings).and_then(|field| sign_in(field, findings));
    let max_calls = zuora_calls(fields.optional("maxCalls"), findings);
    fields.end(findings);
    Some(ZuoraTarget {
        url: url?,
        wsdl_version: wsdl_version?,
        tenant_id: tenant_id.map_or(Some(None), |read| read.map(Some))?,
        sign_in: sign_in?,
        max_calls: max_calls?,
    })
}

fn wsdl_version(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_suffix(".0").filter(|digits| matches!(digits.len(), 2..=3));
    match digits {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') => Ok(text.to_owned()),
        _ => Err("`wsdlVersion` must be the version of a Zuora WSDL"),
    }
}

fn sign_in(field: Field<'_>, findings: &mut Findings<'_>) -> Option<ZuoraSignIn> {
    let mut ways = findings.fields(field, "`auth`")?;
    let way = ways.required("login", findings);
    ways.end(findings);
    let mut fields = findings.fields(way?, "this way to sign in")?;
    let username = fields.required("username", findings).and_then(|field| findings.text(field));
    let password = fields.required("password", findings).and_then(|field| secret(field, findings));
    let entity_id = fields.optional("entityId");
    let entity_name = fields.optional("entityName");
    fields.end(findings);
    if let (Some(first), Some(second)) = (entity_id, entity_name) {
        findings.push(
            Diagnostic::error(codes::SIGN_IN, "`entityId` and `entityName` both name the entity", second.place, "and this")
                .with_label(first.place, "this")
                .with_help("keep one of the two: Zuora refuses both"),
        );
        return None;
    }
    let mut text = |field: Option<Field<'_>>| field.and_then(|field| findings.text(field)).map(str::to_owned);
    let (entity_id, entity_name) = (text(entity_id), text(entity_name));
    Some(ZuoraSignIn::Login { username: username?.to_owned(), password: password?, entity_id, entity_name })
}
