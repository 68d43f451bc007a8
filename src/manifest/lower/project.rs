//! `kind: Project`.

use std::path::{Component, Path, PathBuf};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Header;
use super::policy::{accept, limits};
use crate::base::{Diagnostic, ProjectName};
use crate::base::{did_you_mean, shortened};
use crate::manifest::fields::{Field, Fields, Findings};
use crate::manifest::{Project, codes};

/// Reads a project.
pub(in crate::manifest) fn project(header: &Header<'_>, findings: &mut Findings<'_>) -> Option<Project> {
    let mut fields = findings.fields(header.spec?, "a project")?;
    let mut project =
        Project { name: header.name.as_deref().and_then(|name| ProjectName::new(name).ok()), ..Project::default() };
    if let Some(text) = fields.optional("lineage").and_then(|field| findings.text(field)) {
        project.lineage = Some(text.to_owned());
    }
    if let Some(field) = fields.optional("timeZone") {
        project.time_zone = time_zone(field, findings).unwrap_or(TimeZone::UTC);
    }
    if let Some(age) = fields.optional("planExpiresAfter").and_then(|field| findings.age(field)) {
        project.plan_expires_after = age;
    }
    if let Some(age) = fields.optional("holdRefresh").and_then(|field| findings.age(field)) {
        project.hold_refresh = age;
    }
    if let Some(field) = fields.optional("limits") {
        let given = limits(field, findings).unwrap_or_default();
        project.limits = given.or(project.limits);
        project.max_widened = given.max_widened;
    }
    if let Some(field) = fields.optional("accept") {
        project.accept = accept(field, findings);
    }
    if let Some(given) = fields.optional("objectLimits").and_then(|field| limits(field, findings)) {
        project.shared_limits.object_max_records = given.max_records;
        project.shared_limits.object_max_percent = given.max_percent;
    }
    if let Some(choice) = fields.optional("onRefusal").and_then(|field| findings.choice(field)) {
        project.on_refusal = choice;
    }
    if let Some(field) = fields.optional("planLimits") {
        project.shared_limits.plan_max_records = plan_limit(field, findings);
    }
    if let Some(directory) = fields.optional("planDirectory").and_then(|field| plan_directory(field, findings)) {
        project.plan_directory = directory;
    }
    if let Some(directory) = fields.optional("store").and_then(|field| store_directory(field, findings)) {
        project.store_directory = directory;
    }
    refuse_replaced_keys(&fields, findings);
    fields.end_except(&REPLACED_BY_STORE, findings);
    Some(project)
}

/// A path below the project's directory, without the `.` and the slashes that say nothing.
fn plan_directory(field: Field<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
    let text = findings.text(field)?;
    let parts = || Path::new(text).components().filter(|part| *part != Component::CurDir);
    if parts().all(|part| matches!(part, Component::Normal(_))) && parts().next().is_some() {
        return Some(parts().collect());
    }
    findings.push(
        Diagnostic::error(
            codes::PLAN_DIRECTORY,
            format!("the plan directory `{}` is not one below the project's", shortened(text)),
            field.node.span,
            "leads out of the project, or nowhere",
        )
        .with_help("write a relative path without `..`, such as `plan`; `sexton plan --out` writes to any other place"),
    );
    None
}

fn plan_limit(field: Field<'_>, findings: &mut Findings<'_>) -> Option<u64> {
    let mut fields = findings.fields(field, "`planLimits`")?;
    let most = fields.required("maxRecords", findings).and_then(|field| findings.count(field));
    fields.end(findings);
    most
}

fn store_directory(field: Field<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
    let mut fields = findings.fields(field, "a store")?;
    let directory = fields.required("directory", findings).and_then(|field| findings.text(field)).map(PathBuf::from);
    fields.end(findings);
    directory
}

/// Keys of earlier versions: state and runs lie in the store.
const REPLACED_BY_STORE: [&str; 2] = ["stateFile", "runsDirectory"];

fn refuse_replaced_keys(fields: &Fields<'_>, findings: &mut Findings<'_>) {
    for field in fields.entries().iter().filter(|field| REPLACED_BY_STORE.contains(&field.key)) {
        findings.push(
            Diagnostic::error(
                codes::UNKNOWN_KEY,
                format!("a project no longer has the key `{}`", field.key),
                field.place,
                "replaced by `store`",
            )
            .with_help(
                "the state and the runs are in one directory now: write `store: { directory: .sexton }`, or delete the key",
            ),
        );
    }
}

/// A zone by its IANA name, from the database inside the program, so that a plan does not depend on the machine's.
fn time_zone(field: Field<'_>, findings: &mut Findings<'_>) -> Option<TimeZone> {
    let text = findings.text(field)?;
    let zones = TimeZoneDatabase::bundled();
    let found = zones.get(text).ok();
    if found.is_none() {
        let known: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        findings.push(
            Diagnostic::error(
                codes::TIME_ZONE,
                format!("the time zone `{}` is not known", shortened(text)),
                field.node.span,
                "not in the IANA time zone database",
            )
            .with_help(did_you_mean(
                text,
                known.iter().map(String::as_str),
                "write a name such as `UTC` or `Europe/Berlin`",
            )),
        );
    }
    found
}
