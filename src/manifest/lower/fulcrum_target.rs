//! `spec.fulcrum` of a target.

use url::Url;

use super::host_url::host_url;
use super::max_calls::max_calls;
use super::secret::secret;
use crate::manifest::FulcrumTarget;
use crate::manifest::fields::{Field, Findings};

/// The host of targets that name none: the region in the United States (documented).
const DEFAULT_URL: &str = "https://api.fulcrumapp.com/";

/// The calls that a user has in an hour (documented).
const MOST_CALLS: u32 = 5_000;

pub(super) fn fulcrum(field: Field<'_>, findings: &mut Findings<'_>) -> Option<FulcrumTarget> {
    let mut fields = findings.fields(field, "`fulcrum`")?;
    let url = match fields.optional("url") {
        Some(field) => host_url(field, "https://api.fulcrumapp.com", findings),
        None => Url::parse(DEFAULT_URL).ok(),
    };
    let organization_id = fields.optional("organizationId").map(|field| findings.text(field).map(str::to_owned));
    let api_token = fields.required("auth", findings).and_then(|field| {
        let mut ways = findings.fields(field, "`auth`")?;
        let token = ways.required("apiToken", findings);
        ways.end(findings);
        secret(token?, findings)
    });
    let max_calls = max_calls(fields.optional("maxCalls"), MOST_CALLS, findings);
    fields.end(findings);
    Some(FulcrumTarget {
        url: url?,
        organization_id: organization_id.map_or(Some(None), |read| read.map(Some))?,
        api_token: api_token?,
        max_calls: max_calls?,
    })
}
