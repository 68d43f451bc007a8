//! The URL of a system's host.

use url::Url;

use crate::base::{Diagnostic, is_loopback};
use crate::manifest::codes;
use crate::manifest::fields::{Field, Findings};

/// A scheme and a host, nothing else; plain `http` for loopback only, since secrets are sent there.
pub(super) fn host_url(field: Field<'_>, example: &str, findings: &mut Findings<'_>) -> Option<Url> {
    let text = findings.text(field)?;
    let problem = match Url::parse(text) {
        Err(_) => "this is not a URL",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "a user or password does not belong in a URL",
        Ok(url) if url.query().is_some() || url.fragment().is_some() => "a query or fragment does not belong here",
        Ok(url) if url.host().is_none() => "the host is missing",
        Ok(url) if url.scheme() == "http" && !is_loopback(&url) => "plain `http` would send secrets in the clear",
        Ok(url) if !matches!(url.scheme(), "https" | "http") => "the scheme must be `https`",
        Ok(url) if url.path() != "/" => "a path does not belong here",
        Ok(url) => return Some(url),
    };
    findings.push(
        Diagnostic::error(
            codes::LOGIN_URL,
            format!("`{}` must be `https://` and a host", field.key),
            field.node.span,
            problem,
        )
        .with_help(format!("write it as in `{example}`; `http://` is for loopback addresses only")),
    );
    None
}
