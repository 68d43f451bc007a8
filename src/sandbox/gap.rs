//! What the vendors have and the sandbox does not: named in one list, which its page shows, and answered with words that nobody takes for a
//! mistake of their own.
//!
//! A parameter that would be passed over is such a gap as well: the answer would mean something else than what was asked for.

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::json as tree;

use super::fault::matches_glob;
use super::gate::read_to_end;
use super::xml_writer::{document, text};

/// The status of every such answer. No vendor uses it.
const STATUS: StatusCode = StatusCode::NOT_IMPLEMENTED;
/// The code, where a system's errors have one. No vendor uses it either.
const CODE: &str = "NOT_IN_SANDBOX";

/// What is not served, by its name: the methods, where not all of them, and the paths, in which `*` stands for any run of characters and a
/// version is left out.
const NOT_SERVED: &[(&str, &str, &[&str])] = &[
    ("the Tooling API", "", &["/services/data/v/tooling*"]),
    ("the Metadata API", "", &["/services/data/v/metadata*", "/services/Soap/m/*"]),
    ("SOSL searches", "", &["/services/data/v/search*", "/services/data/v/parameterizedSearch*"]),
    (
        "composite batches, trees and graphs",
        "",
        &["/services/data/v/composite/batch*", "/services/data/v/composite/tree*", "/services/data/v/composite/graph*"],
    ),
    ("creating and changing records through sObject Collections", "POST PATCH", &["/services/data/v/composite/sobjects"]),
    (
        "reading through sObject Collections by GET, and upserts through them",
        "GET PATCH",
        &["/services/data/v/composite/sobjects/*"],
    ),
    (
        "layouts, list views, external ids and related records",
        "",
        &["/services/data/v/sobjects/*/*/*", "/services/data/v/sobjects/*/listviews*"],
    ),
    ("the User Interface API and GraphQL", "", &["/services/data/v/ui-api*", "/services/data/v/graphql*"]),
    (
        "actions, analytics, Chatter and the other resources that are not about records",
        "",
        &[
            "/services/data/v/actions*",
            "/services/data/v/analytics*",
            "/services/data/v/appMenu*",
            "/services/data/v/async-queries*",
            "/services/data/v/chatter*",
            "/services/data/v/commerce*",
            "/services/data/v/compactLayouts*",
            "/services/data/v/connect*",
            "/services/data/v/consent*",
            "/services/data/v/contact-tracing*",
            "/services/data/v/dedupe*",
            "/services/data/v/domino*",
            "/services/data/v/eclair*",
            "/services/data/v/emailConnect*",
            "/services/data/v/event*",
            "/services/data/v/folders*",
            "/services/data/v/jsonxform*",
            "/services/data/v/knowledgeManagement*",
            "/services/data/v/licensing*",
            "/services/data/v/localizedvalue*",
            "/services/data/v/mobile*",
            "/services/data/v/nouns*",
            "/services/data/v/payments*",
            "/services/data/v/prechatForms*",
            "/services/data/v/process*",
            "/services/data/v/quickActions*",
            "/services/data/v/recent*",
            "/services/data/v/scheduling*",
            "/services/data/v/serviceTemplates*",
            "/services/data/v/smartdatadiscovery*",
            "/services/data/v/support*",
            "/services/data/v/tabs*",
            "/services/data/v/theme*",
            "/services/data/v/tokenizer*",
            "/services/data/v/wave*",
        ],
    ),
    ("Apex REST", "", &["/services/apexrest*"]),
    (
        "the enterprise WSDL and the SOAP interfaces of Apex and tooling",
        "",
        &["/services/Soap/c/*", "/services/Soap/s/*", "/services/Soap/T/*"],
    ),
    (
        "OAuth flows in a browser",
        "",
        &["/services/oauth2/authorize*", "/services/oauth2/device*", "/services/oauth2/singleaccess*"],
    ),
    ("Zuora's REST APIs", "", &["/v1/*", "/rest/v1/*", "/object-query/*", "/apps/v1/*", "/apps/api/*"]),
    ("Zuora's WSDL", "GET", &["/apps/services/a/*", "/apps/servlet/*"]),
    ("changes of Fulcrum records and forms", "POST PUT PATCH", &["/api/v2/records*", "/api/v2/forms*"]),
    ("deleting Fulcrum forms", "DELETE", &["/api/v2/forms*"]),
    ("the history of Fulcrum records and forms", "GET", &["/api/v2/*/history*"]),
    (
        "changesets, projects, media and the other resources of Fulcrum",
        "",
        &[
            "/api/v2/attachments*",
            "/api/v2/audio*",
            "/api/v2/audit_logs*",
            "/api/v2/authorizations*",
            "/api/v2/changesets*",
            "/api/v2/choice_lists*",
            "/api/v2/classification_sets*",
            "/api/v2/groups*",
            "/api/v2/layers*",
            "/api/v2/memberships*",
            "/api/v2/photos*",
            "/api/v2/projects*",
            "/api/v2/report*",
            "/api/v2/roles*",
            "/api/v2/signatures*",
            "/api/v2/sketches*",
            "/api/v2/videos*",
            "/api/v2/webhooks*",
            "/api/v2/workflows*",
        ],
    ),
];

/// The parameters that an address knows, by method and path; all others know none. `name=value` is a parameter of which only that value is
/// known.
const PARAMETERS: &[(&str, &str, &[&str])] = &[
    // The token stands in the header as well; jsforce sends it twice.
    ("GET", "/id/*", &["format=json", "version", "oauth_token"]),
    ("GET", "/services/oauth2/userinfo", &["format=json"]),
    ("POST", "/services/oauth2/userinfo", &["format=json"]),
    ("GET", "/services/data/v/query", &["q", "columns"]),
    ("GET", "/services/data/v/queryAll", &["q", "columns"]),
    // A locator stands for its query; tap-salesforce repeats the statement beside it, which changes nothing.
    ("GET", "/services/data/v/query/*", &["q"]),
    ("GET", "/services/data/v/limits/recordCount", &["sObjects"]),
    ("GET", "/services/data/v/sobjects/*/deleted", &["start", "end"]),
    ("GET", "/services/data/v/sobjects/*/updated", &["start", "end"]),
    ("GET", "/services/data/v/sobjects/*/*", &["fields"]),
    ("DELETE", "/services/data/v/composite/sobjects", &["ids", "allOrNone"]),
    ("GET", "/services/data/v/jobs/*/*/results", &["maxRecords", "locator"]),
    ("GET", "/services/data/v/jobs/*/*/result*ages", &["maxRecords", "locator"]),
    ("GET", "/services/data/v/jobs/ingest", &["isPkChunkingEnabled", "jobType", "queryLocator"]),
    ("GET", "/services/data/v/jobs/query", &["isPkChunkingEnabled", "jobType", "queryLocator"]),
    ("GET", "/api/v2/query*", &["q", "format", "headers", "metadata=false", "arrays", "page", "per_page", "token"]),
    ("POST", "/api/v2/query*", &["page", "per_page", "token"]),
    (
        "GET",
        "/api/v2/records*",
        &[
            "form_id",
            "project_id",
            "newest_first",
            "bounding_box",
            "created_since",
            "created_before",
            "updated_since",
            "updated_before",
            "client_created_since",
            "client_created_before",
            "client_updated_since",
            "client_updated_before",
            "page",
            "per_page",
            "token",
        ],
    ),
    ("GET", "/api/v2/batch*", &["page", "per_page", "sort=created_at", "sort_direction", "token"]),
    ("GET", "/api/v2/forms*", &["page", "per_page", "schema=true", "token"]),
    ("GET", "/api/v2/*", &["page", "per_page", "token"]),
    ("POST", "/api/v2/*", &["token"]),
    ("DELETE", "/api/v2/*", &["token"]),
];

/// What of a request the sandbox does not serve, in words.
pub(super) fn of(method: &Method, uri: &Uri) -> Option<String> {
    let path = &without_version(uri.path());
    let not_served = NOT_SERVED.iter().find(|(_, methods, paths)| {
        (methods.is_empty() || methods.split(' ').any(|known| known == method.as_str()))
            && paths.iter().any(|pattern| matches_glob(pattern, path))
    });
    if let Some((name, ..)) = not_served {
        return Some(format!(
            "The sandbox does not serve {name}: this is a gap of the sandbox, not a mistake of the request."
        ));
    }
    let known = PARAMETERS.iter().find(|(of, pattern, _)| *of == method.as_str() && matches_glob(pattern, path));
    let known = known.map_or(&[][..], |(.., known)| *known);
    let given = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut unknown = given.filter(|(name, value)| {
        !known.iter().any(|known| match known.split_once('=') {
            Some((known, only)) => known == name && only.eq_ignore_ascii_case(value),
            None => known == name,
        })
    });
    let (name, value) = unknown.next()?;
    // A value may be a secret, but not where only another one is known.
    let is_known = known.iter().any(|known| known.split_once('=').is_some_and(|(known, _)| known == name));
    let shown = if is_known { format!("{name}={value}") } else { name.into_owned() };
    let shown: String = shown.chars().take(80).collect();
    Some(format!(
        "The sandbox does not know the parameter {shown} here and will not pass over it, for the answer could mean something else: \
         this is a gap of the sandbox, not a mistake of the request."
    ))
}

/// The path with `v` for the version, such as `v66.0`.
fn without_version(path: &str) -> String {
    match path.strip_prefix("/services/data/v").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => format!("/services/data/v/{rest}"),
        None => path.to_owned(),
    }
}

/// That records are wanted as XML, which Salesforce's REST API also speaks (documented).
fn of_form(path: &str, headers: &HeaderMap) -> Option<String> {
    let wanted = headers.get(header::ACCEPT).and_then(|wanted| wanted.to_str().ok()).unwrap_or_default();
    let takes_others = ["json", "*/*", "application/*", "csv"].iter().any(|kind| wanted.contains(kind));
    let only_xml = wanted.contains("xml") && !takes_others && path.starts_with("/services/data/");
    only_xml.then(|| {
        "The sandbox does not serve XML answers of the REST API: this is a gap of the sandbox, not a mistake of the request.".to_owned()
    })
}

/// Answers a request for what is not served, and lets all others pass.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match of(request.method(), request.uri()).or_else(|| of_form(request.uri().path(), request.headers())) {
        Some(message) => {
            let answer = answer(request.uri().path(), request.headers(), &message);
            read_to_end(request.into_body()).await;
            answer
        }
        None => next.run(request).await,
    }
}

/// The words in the form that the errors of the path's interface have.
fn answer(path: &str, headers: &HeaderMap, message: &str) -> Response {
    if path.starts_with("/api/v2/") {
        return (STATUS, Json(tree!({ "error": message }))).into_response();
    }
    if path.starts_with("/services/data/") {
        return (STATUS, Json(tree!([{ "message": message, "errorCode": CODE }]))).into_response();
    }
    if path.starts_with("/services/async/") {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") {
            return (STATUS, Json(tree!({ "exceptionCode": CODE, "exceptionMessage": message }))).into_response();
        }
        let namespace = [("xmlns", "http://www.force.com/2009/06/asyncapi/dataload")];
        let body = document("error", &namespace, |writer| {
            text(writer, "exceptionCode", CODE)?;
            text(writer, "exceptionMessage", message)
        });
        return (STATUS, [(header::CONTENT_TYPE, "application/xml")], body).into_response();
    }
    if path.starts_with("/services/oauth2/") {
        return (STATUS, Json(tree!({ "error": CODE, "error_description": message }))).into_response();
    }
    if path.starts_with("/services/") || path.starts_with("/id/") {
        return (STATUS, message.to_owned()).into_response();
    }
    // Zuora's REST APIs.
    (STATUS, Json(tree!({ "success": false, "reasons": [{ "code": CODE, "message": message }] }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &str, address: &str) -> String {
        let method = method.parse().expect("a method");
        of(&method, &address.parse().expect("an address")).unwrap_or_else(|| "served".to_owned())
    }

    #[test]
    fn the_page_lists_everything_that_is_not_served() {
        let page = include_str!("../../docs/reference/sandbox.md");
        for (name, methods, paths) in NOT_SERVED {
            assert!(page.contains(name), "{name} is not on the page");
            let method = methods.split(' ').next().filter(|method| !method.is_empty()).unwrap_or("GET");
            for path in *paths {
                let path = path.replace('*', "1").replace("/data/v/", "/data/v66.0/");
                assert!(told(method, &path).contains(name), "{method} {path}: {}", told(method, &path));
            }
        }
    }

    #[test]
    fn what_is_served_passes_with_the_parameters_it_knows() {
        for (method, address) in [
            ("GET", "/services/data/v66.0/query?q=SELECT+Id+FROM+Lead&columns=true"),
            ("GET", "/services/data/v66.0/query/01gS00000000001IAA-2000"),
            ("GET", "/services/data/v66.0/query/01gS00000000001IAA-2000?q=SELECT+Id+FROM+Lead"),
            ("GET", "/services/data/v66.0/sobjects/Lead/00QS00000000001MAA?fields=Id"),
            ("GET", "/services/data/v66.0/sobjects/Lead/describe"),
            ("POST", "/services/data/v66.0/composite/sobjects/Lead"),
            ("POST", "/services/data/v66.0/composite"),
            ("GET", "/services/data/v66.0/sobjects/theme__c/search"),
            ("DELETE", "/services/data/v66.0/composite/sobjects?ids=1,2&allOrNone=true"),
            ("GET", "/services/data/v66.0/jobs/query/750S00000000001/results?locator=x&maxRecords=2"),
            ("GET", "/services/data/v66.0/jobs/query/750S00000000001/resultPages?maxRecords=2"),
            ("GET", "/services/data/v66.0/jobs/query/750S00000000001/resultpages?locator=x"),
            ("POST", "/services/Soap/u/64.0"),
            ("POST", "/apps/services/a/78.0"),
            ("GET", "/api/v2/records.json?form_id=x&updated_since=1&token=t"),
            ("GET", "/api/v2/records/1.json"),
            ("DELETE", "/api/v2/records/1.json?token=t"),
            ("GET", "/api/v2/batch.json?sort=created_at&sort_direction=ASC&per_page=1"),
        ] {
            assert_eq!(told(method, address), "served", "{method} {address}");
        }
    }

    #[test]
    fn xml_is_refused_where_nothing_else_is_taken() {
        let told = |accept: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a header"))]);
            of_form("/services/data/v66.0/query", &headers).is_some()
        };
        let taken =
            ["application/xml", "text/xml, application/xml;q=0.9", "application/xml, */*", "application/json", "text/csv"];
        assert_eq!(taken.map(told), [true, true, false, false, false]);
    }

    #[test]
    fn a_parameter_that_would_be_passed_over_is_named() {
        for (method, address, named) in [
            ("GET", "/services/data/v66.0/query?q=x&explain=SELECT", "explain"),
            ("DELETE", "/services/data/v66.0/sobjects/Lead/1?_HttpMethod=PATCH", "_HttpMethod"),
            ("GET", "/services/data/v66.0/jobs/ingest?concurrencyMode=serial", "concurrencyMode"),
            ("GET", "/services/data/v66.0/jobs/query?q=x", "q"),
            ("GET", "/api/v2/records.json?changeset_id=1", "changeset_id"),
            ("GET", "/api/v2/records.json?status=old", "status"),
            ("GET", "/api/v2/batch.json?sort=updated_at", "sort=updated_at"),
            ("GET", "/api/v2/query?q=x&sort_column=a", "sort_column"),
            ("GET", "/api/v2/forms.json?schema=false", "schema=false"),
        ] {
            let told = told(method, address);
            assert!(told.contains(&format!("the parameter {named} here")) && told.contains("gap of the sandbox"), "{told}");
        }
    }
}
