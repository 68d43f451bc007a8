//! What people see of wrong manifests: `tests/snapshots/manifest__*.snap` holds one picture for each case.
//!
//! A new picture is accepted with `cargo insta test --accept --test manifest`, after a look at it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sexton::base::Severity;
use sexton::manifest::{CODES, DocumentKind, ManifestFile, ManifestFileError, OutputDirectory, Reading, Sifted};
use sexton::report::diagnostic::draw;
use sexton::report::{JsonEvent, ValidationView, View};

/// The secret of every case that has one. It may be in no output.
const CANARY: &str = "hunter2-canary";

const TARGET: &str = "
---
apiVersion: sexton/v1
kind: Target
metadata: { name: crm }
spec: { salesforce: { auth: { sfCli: { targetOrg: crm } } } }
";

const HEAD: &str = "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: { name: stale }\nspec:\n";

fn file(name: &str, text: impl Into<Vec<u8>>) -> ManifestFile {
    ManifestFile { name: name.into(), content: Ok(text.into()) }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

/// A policy with these lines in its spec, beside its target and object; and the target.
fn policy(lines: &str) -> Vec<ManifestFile> {
    vec![file("stale.yaml", format!("{HEAD}  target: crm\n  object: Lead\n{}{TARGET}", indented(lines)))]
}

/// A policy with these lines and a filter.
fn with_filter(lines: &str) -> Vec<ManifestFile> {
    policy(&format!("filter: Rating = 'Cold'\n{lines}"))
}

/// A policy with these lines for an object of another system; and its target.
fn elsewhere(system: &str, object: &str, lines: &str) -> Vec<ManifestFile> {
    let target = match system {
        "zuora" => "{ url: https://na.zuora.com, auth: { login: { username: a, password: { env: P } } } }",
        _ => "{ auth: { apiToken: { env: T } } }",
    };
    let target =
        format!("---\napiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: other }}\nspec: {{ {system}: {target} }}\n");
    vec![file("stale.yaml", format!("{HEAD}  target: other\n  object: {object}\n{}{target}", indented(lines)))]
}

/// A policy of that name with these dependencies.
fn depending(name: &str, on: &str) -> String {
    format!(
        "---\napiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: Rating = 'Cold'\n  dependsOn: [{on}]\n"
    )
}

/// A target with these lines in its `salesforce`.
fn salesforce(lines: &str) -> Vec<ManifestFile> {
    let lines = indented(&indented(lines));
    vec![file(
        "crm.yaml",
        format!("apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: crm }}\nspec:\n  salesforce:\n{lines}"),
    )]
}

/// A target with these lines in its `auth`.
fn auth(lines: &str) -> Vec<ManifestFile> {
    salesforce(&format!("loginUrl: https://example.my.salesforce.com\nauth:\n{}", indented(lines)))
}

/// A project with these lines in its spec.
fn project(lines: &str) -> Vec<ManifestFile> {
    vec![file(
        "project.yaml",
        format!("apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: crm }}\nspec:\n{}", indented(lines)),
    )]
}

fn one(text: &str) -> Vec<ManifestFile> {
    vec![file("one.yaml", text)]
}

fn alias_bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    text
}

fn cases() -> Vec<(&'static str, Vec<ManifestFile>)> {
    let too_large = ManifestFileError::TooLarge { bytes: 104_857_600, most: 1_048_576 };
    let refused = ManifestFileError::Unreadable(std::io::ErrorKind::PermissionDenied.into());
    let mut cases = vec![
        ("no_documents", Vec::new()),
        ("no_documents_in_an_empty_file", one("# nothing yet\n---\n---\n")),
        ("too_large", vec![ManifestFile { name: "data.yaml".into(), content: Err(too_large) }]),
        ("unreadable", vec![ManifestFile { name: "locked.yaml".into(), content: Err(refused) }]),
        ("not_utf8", vec![file("latin.yaml", &b"apiVersion: sexton/v1\n# caf\xe9\nkind: Hold\n"[..])]),
        ("nul", one("apiVersion: sexton/v1\nkind: Ho\0ld\n")),
        ("tab_indentation", one("apiVersion: sexton/v1\nkind: Hold\nmetadata:\n\tname: a\n")),
        ("tab_after_spaces", one("apiVersion: sexton/v1\nkind: Hold\nmetadata:\n  \tname: a\n   b: 1\n")),
        ("not_yaml", one("apiVersion: sexton/v1\nkind: [Hold\nmetadata: { name: a }\n")),
        ("not_yaml_in_two_documents", one("a: b: c\n---\nd: 'e\n---\nf: *nope\n")),
        ("alias_bomb", one(&alias_bomb())),
        ("too_deep", one(&format!("a: {}{}", "[".repeat(40), "]".repeat(40)))),
        ("far_too_deep", one(&format!("a: {}", "[".repeat(100_000)))),
        ("tag", one("apiVersion: !include other.yaml\n")),
        ("merge_key", policy("<<: { a: 1 }\nfilter: Rating = 'Cold'")),
        ("key_that_is_no_text", policy("filter: Rating = 'Cold'\n1: x")),
        ("document_that_is_no_mapping", one("- a\n- b\n")),
        ("empty_spec", one("apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: a }\nspec:\n")),
        ("missing_keys", one("kind: Hold\nmetadata: {}\n")),
        ("unknown_api_version", one("apiVersion: sexton/v2\nkind: Hold\nmetadata: { name: a }\nspec: {}\n")),
        ("unknown_kind", one("apiVersion: sexton/v1\nkind: DeletionPolice\nmetadata: { name: a }\nspec: {}\n")),
        ("unknown_key", policy("filtre: Rating = 'Cold'\nfilter: Rating = 'Cold'\nlimits: { max_records: 5 }\ncolour: red")),
        ("duplicate_key", with_filter("delete: soft\ndelete: hard")),
        (
            "bad_names",
            vec![file(
                "a.yaml",
                format!("{}  target: crm\n  object: Lead\n  filter: a = 1{TARGET}", HEAD.replace("stale", "Stale_Leads")),
            )],
        ),
        ("duplicate_names", vec![file("a.yaml", TARGET), file("b.yaml", TARGET)]),
        ("two_projects", vec![project("{}").remove(0), file("b.yaml", project("{}").remove(0).content.expect("text"))]),
        ("unknown_value", with_filter("delete: sofft\nvia: bulk3\nrecheck: always\nallOrNone: perrequest")),
        ("quoted_boolean", with_filter("allOrNone: \"false\"")),
        ("old_boolean", with_filter("allOrNone: no")),
        ("wrong_types", with_filter("limits: 500\ndependsOn: a\njustification: 5\nvia: [bulk2]\nreview: { fields: 3 }")),
        ("numbers", with_filter("limits: { maxRecords: 017, maxPercent: 1e1 }")),
        ("number_ranges", with_filter("limits: { maxRecords: -5, maxPercent: 101 }")),
        ("quoted_number", with_filter("limits: { maxRecords: \"500\", maxPercent: 10% }")),
        ("fraction_of_a_record", with_filter("limits: { maxRecords: 1.5, maxPercent: -1 }")),
        ("null_values", with_filter("limits:\n  maxRecords:\njustification: ~")),
        ("durations", project("planExpiresAfter: 7")),
        ("duration_shape", project("planExpiresAfter: seven days")),
        ("time_zone", project("timeZone: Europe/Belrin")),
        ("replaced_keys", project("stateFile: sexton.state.json\nrunsDirectory: runs\nstore: {}")),
        ("limits_of_all_policies", project("objectLimits: { maxRecord: 1 }\nplanLimits: {}\nonRefusal: go")),
        ("blank_text", project("store: { directory: ' ' }\nplanDirectory: ''")),
        ("plan_directory", project("planDirectory: ../plan")),
        ("plan_directory_that_is_absolute", project("planDirectory: /var/plan")),
        ("date", with_filter("reviewBy: 2027-02-30")),
        ("field_names", with_filter("groupBy: Owner Id\nreview: { fields: [Name, \"Id) OR (Name != ''\", Name] }")),
        (
            "object_name",
            vec![file("a.yaml", format!("{HEAD}  target: crm\n  object: \"Lead WHERE\"\n  filter: a = 1{TARGET}"))],
        ),
        ("literal_secret", auth(&format!("clientCredentials:\n  clientId: {{ env: ID }}\n  clientSecret: {CANARY}"))),
        (
            "literal_secret_block",
            auth(&format!("jwt:\n  clientId: {{ env: ID }}\n  username: a@b.c\n  privateKey: |\n    BEGIN\n    {CANARY}")),
        ),
        (
            "literal_secret_in_a_wrong_key",
            auth(&format!("clientCredentials:\n  clientId: {{ env: ID }}\n  clientSecrets: {CANARY}")),
        ),
        (
            "literal_secret_in_a_wrong_place",
            salesforce(&format!("loginUrl: https://a.example\npassword: {CANARY}\nauth: {{ accessToken: {CANARY} }}")),
        ),
        ("literal_secret_as_a_variable", auth(&format!("accessToken: {{ env: {CANARY} }}"))),
        ("literal_secret_in_text_that_is_not_yaml", auth(&format!("accessToken: '{CANARY}"))),
        (
            "literal_secret_in_a_url",
            salesforce(&format!(
                "loginUrl: https://me:{CANARY}@example.my.salesforce.com\nauth: {{ sfCli: {{ targetOrg: a }} }}"
            )),
        ),
        ("secret_references", auth("clientCredentials:\n  clientId: { env: ID, file: id }\n  clientSecret: {}")),
        ("secret_command", auth("accessToken: { command: [] }")),
        (
            "two_systems",
            one(
                "apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec:\n  salesforce: { auth: { sfCli: { targetOrg: a } } }\n  zuora: {}\n",
            ),
        ),
        ("no_system", one("apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec: { environment: staging }\n")),
        ("empty_fulcrum_target", one("apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec:\n  fulcrum: {}\n")),
        ("login_url_plain", salesforce("loginUrl: http://example.my.salesforce.com\nauth: { sfCli: { targetOrg: a } }")),
        (
            "login_url_query",
            salesforce("loginUrl: https://example.my.salesforce.com/?a=b\nauth: { sfCli: { targetOrg: a } }"),
        ),
        ("login_url_missing", salesforce("auth: { accessToken: { env: TOKEN } }")),
        (
            "login_url_common",
            salesforce(
                "loginUrl: https://login.salesforce.com\nauth: { clientCredentials: { clientId: { env: A }, clientSecret: { env: B } } }",
            ),
        ),
        ("organization_id", salesforce("organizationId: 00d000000000001EAA\nauth: { sfCli: { targetOrg: a } }")),
        ("organization_id_of_a_record", salesforce("organizationId: 001D000000ISUr3IAH\nauth: { sfCli: { targetOrg: a } }")),
        ("api_version", salesforce("apiVersion: 66.0\nauth: { sfCli: { targetOrg: a } }")),
        ("api_version_too_old", salesforce("apiVersion: \"46.0\"\nauth: { sfCli: { targetOrg: a } }")),
        ("api_version_form", salesforce("apiVersion: v66\nauth: { sfCli: { targetOrg: a } }")),
        ("two_ways_to_sign_in", auth("sfCli: { targetOrg: a }\naccessToken: { env: TOKEN }")),
        ("no_way_to_sign_in", auth("{}")),
        ("unknown_way_to_sign_in", auth("password: { env: A }")),
        ("soap_login_without_a_user", auth("soapLogin: { password: { env: A }, securityToken: hunter2-canary }")),
        ("missing_filter", policy("delete: soft")),
        ("blank_filter", policy("filter: '  '")),
        ("empty_filter", policy("filter:")),
        ("everything_without_limits", policy("filter: everything\nlimits: { maxRecords: 5 }")),
        ("misspelt_everything", policy("filter: Everythin")),
        ("filter_of_a_wrong_type", policy("filter: true")),
        ("hard_without_justification", with_filter("delete: hard")),
        ("hard_with_a_blank_justification", with_filter("delete: hard\njustification: '  '")),
        ("all_or_none_with_bulk", with_filter("allOrNone: true\nvia: bulk2")),
        ("all_or_none_with_hard", with_filter("allOrNone: perRequest\ndelete: hard\njustification: law")),
        ("hard_with_collections", with_filter("via: collections\ndelete: hard\njustification: law")),
        ("serial", with_filter("concurrency: serial\nvia: bulk2")),
        ("batch_of_none", with_filter("batchSize: 0")),
        ("batch_too_large", with_filter("batchSize: 201\nvia: collections")),
        ("batch_of_a_whole", with_filter("batchSize: 50\nallOrNone: true")),
        ("api_of_another_system", with_filter("via: soap")),
        ("send_as_in_salesforce", with_filter("sendAs: query")),
        ("send_as_another", with_filter("sendAs: csv")),
        (
            "sql_clock",
            elsewhere(
                "fulcrum",
                "Park Inventory",
                "filter: _created_at < now()\ndelete: hard\njustification: law\nsendAs: query",
            ),
        ),
        (
            "sql_dangling_not",
            elsewhere("fulcrum", "Park Inventory", "filter: title = 'v1' AND NOT\ndelete: hard\njustification: law"),
        ),
        (
            "sql_of_two_forms",
            elsewhere(
                "fulcrum",
                "Park Inventory",
                "filter: |\n  \"Park Inventory\"._status = 'a' AND \"Site Visits\".customer = 'b'\ndelete: hard\njustification: law",
            ),
        ),
        (
            "sql_statement",
            elsewhere("fulcrum", "Park Inventory", "filter: a = 1; DROP TABLE b\ndelete: hard\njustification: law"),
        ),
        ("soft_in_zuora", elsewhere("zuora", "Usage", "filter: UOM = 'hour'\ndelete: soft")),
        ("soft_by_default_in_fulcrum", elsewhere("fulcrum", "Park Inventory", "filter: _status = 'done'")),
        (
            "all_or_none_in_zuora",
            elsewhere("zuora", "Usage", "filter: UOM = 'hour'\ndelete: hard\njustification: law\nallOrNone: true"),
        ),
        (
            "kept_object_of_zuora",
            elsewhere("zuora", "Payment", "filter: Status = 'Error'\ndelete: hard\njustification: law"),
        ),
        (
            "zoql_types",
            elsewhere(
                "zuora",
                "account",
                "filter: AutoPay != 'true' or Balance > '5' and UpdatedDate < 2026-01-31\ndelete: hard\njustification: law",
            ),
        ),
        (
            "zoql_tree_types",
            elsewhere("zuora", "Usage", "filter: { field: Quantity, notEquals: abc }\ndelete: hard\njustification: law"),
        ),
        ("zuora_object_name", elsewhere("zuora", "Park Inventory", "filter: everything")),
        (
            "zuora_target",
            one(
                "apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec:\n  zuora:\n    url: http://na.zuora.com\n    wsdlVersion: \"91\"\n    maxCalls: 5\n    auth: { login: { username: a, password: { env: P }, entityId: b, entityName: c } }\n",
            ),
        ),
        (
            "zuora_windows",
            vec![file(
                "a.yaml",
                "apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec:\n  zuora:\n    url: https://na.zuora.com\n    maxCalls: { minute: 60000, hour: 5, week: 7 }\n    auth: { login: { username: a, password: { env: P } } }\n---\n\
                 apiVersion: sexton/v1\nkind: Target\nmetadata: { name: b }\nspec:\n  zuora:\n    url: https://na.zuora.com\n    maxCalls: {}\n    auth: { login: { username: a, password: { env: P } } }\n---\n\
                 apiVersion: sexton/v1\nkind: Target\nmetadata: { name: c }\nspec:\n  zuora:\n    url: https://na.zuora.com\n    maxCalls: { minute: 100, hour: 50 }\n    auth: { login: { username: a, password: { env: P } } }\n",
            )],
        ),
        (
            "fulcrum_target",
            one(
                "apiVersion: sexton/v1\nkind: Target\nmetadata: { name: a }\nspec:\n  fulcrum:\n    url: https://api.fulcrumapp.com/api/v2\n    maxCalls: 50000\n    auth: { apiToken: hunter2-canary }\n",
            ),
        ),
        ("unknown_target", vec![file("a.yaml", format!("{HEAD}  target: crn\n  object: Lead\n  filter: a = 1{TARGET}"))]),
        ("no_target_at_all", vec![file("a.yaml", format!("{HEAD}  target: crm\n  object: Lead\n  filter: a = 1\n"))]),
        (
            "unknown_dependency",
            vec![file("a.yaml", format!("{}{}{TARGET}", depending("old-leads", ""), depending("b", "old-lead")))],
        ),
        (
            "dependency_cycle",
            vec![file("a.yaml", format!("{}{}{}{TARGET}", depending("a", "b"), depending("b", "c"), depending("c", "a")))],
        ),
        ("self_dependency", vec![file("a.yaml", format!("{}{TARGET}", depending("a", "a")))]),
        (
            "every_child_in_fulcrum",
            one(
                "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: a }\nspec:\n  target: field\n  object: Parks\n  filter: status = 'free'\n  \
                 children: all\n  reason: b\n---\napiVersion: sexton/v1\nkind: Target\nmetadata: { name: field }\nspec:\n  fulcrum:\n    \
                 url: https://api.fulcrumapp.com\n    organizationId: 0f4b9a52-6a9c-4f0c-9a63-3d0f3bb2a9d1\n    auth: { apiToken: { env: T } }\n",
            ),
        ),
        ("soql_plain", policy("filter: IsConverted = false AND AND Rating = 'Cold'")),
        ("soql_quoted", policy("filter: 'Company LIEK ''A%'''")),
        ("soql_block", policy("filter: |\n  IsConverted = false\n  AND Rating = 'Cold\n  AND Company = 'x'")),
        ("soql_folded", policy("filter: >\n  IsConverted = false\n  AND (Rating = 'Cold'")),
        ("soql_mixed_and_or", policy("filter: \"a = 1 AND b = 2 OR c = \\\"x\\\"\"")),
        ("soql_of_the_recycle_bin", policy("filter: Rating = 'Cold' AND IsDeleted = true")),
        ("soql_about_itself", policy("filter: Id IN (SELECT ConvertedLeadId FROM Lead) AND (NOT IsDeleted = false)")),
        ("tree_of_the_recycle_bin", policy("filter: { field: IsDeleted, equals: true }")),
        ("soql_statement", policy("filter: SELECT Id FROM Lead WHERE Rating = 'Cold'")),
        (
            "tree_nodes",
            policy(
                "filter:\n  all:\n    - { field: A, equals: 1, less: 2 }\n    - { field: B }\n    - { equals: 1 }\n    - { any: [], not: { field: C, isNull: true } }\n    - { any: [] }\n    - { feild: D, equals: 1 }\n    - { any: [{ field: E, equals: 1 }], like: a }\n    - { field: F, in: [] }",
            ),
        ),
        (
            "tree_values",
            policy(
                "filter:\n  any:\n    - { field: A, equals: no }\n    - { field: B, equals: 017 }\n    - { field: C, olderThan: 90 }\n    - { field: D, isNull: \"true\" }\n    - { field: E, less: null }\n    - { field: F, like: 5 }\n    - { field: \"G) OR (H\", equals: [1] }",
            ),
        ),
        ("ids_beside_a_tree", policy("filter: { ids: { file: a.csv }, all: [{ field: A, equals: 1 }] }")),
        ("ids_of_no_file", policy("filter: { ids: { column: Id } }")),
        ("ids_as_text", policy("filter: { ids: a.csv }")),
        ("ids_of_another_key", policy("filter: { ids: { file: a.csv, colum: Id } }")),
        ("tree_meaning", policy(&format!("filter: {{ field: A, equals: {} }}", "x".repeat(4_001)))),
    ];
    cases.push((
        "names_in_a_document_that_cannot_be_read",
        vec![file("a.yaml", format!("{HEAD}  target: crm\n  object: Lead\n  filter: a = 1\n---\na: 'x\n"))],
    ));
    let hold = "apiVersion: sexton/v1\nkind: Hold\n";
    cases.push((
        "beside_others",
        vec![file(".sextonignore", "[z-a]\na.yaml\n"), file("a.yaml", hold), file("plan/b.yaml", hold)],
    ));
    let slips =
        [("a.yaml", "apiVersion: sextn/v1\nkind: Hodl\n"), ("b.yaml", "kind: Holds\nmetadata: { name: a }\nspec: {}\n")];
    cases.push(("slips", slips.map(|(name, text)| file(name, text)).into()));
    for (_, files) in &mut cases {
        files.iter_mut().for_each(|file| file.name = format!("policies/{}", file.name));
    }
    cases
}

/// Reads files: where one of them says which to pass over, as those of a directory with a plan in it.
fn read(files: impl IntoIterator<Item = ManifestFile>) -> Reading {
    let (mut ignore, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.name.ends_with(".sextonignore"));
    let Some(ignore) = ignore.pop() else { return sexton::manifest::read(files) };
    let mut sifted = Sifted::new(files, Some(ignore));
    sifted.leave_out(&[OutputDirectory { path: "policies/plan".into(), what: "the plan directory" }], []);
    sifted.read()
}

fn drawn(reading: &Reading) -> String {
    draw(&reading.diagnostics, &reading.sources, false, 110)
}

fn report(reading: &Reading) -> Vec<JsonEvent> {
    ValidationView { diagnostics: &reading.diagnostics, sources: &reading.sources }.events()
}

#[test]
fn every_mistake_has_its_own_clear_picture() {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(true);
    for (name, files) in cases() {
        settings.bind(|| insta::assert_snapshot!(name, drawn(&read(files))));
    }
}

#[test]
fn every_code_has_a_case() {
    let seen: BTreeSet<&str> =
        cases().into_iter().flat_map(|(_, files)| read(files).diagnostics).map(|diagnostic| diagnostic.code.0).collect();
    // Of the others one is a warning and one is of another file (tests/id_lists.rs), and the rest need a system's answer:
    // tests/holds.rs and tests/process/errors.rs.
    let elsewhere = |code: &&str| matches!(*code, "M0406" | "M0407") || code.starts_with("Q01");
    let offline = CODES.iter().map(|entry| entry.code.0).filter(|code| !elsewhere(code));
    let known: BTreeSet<&str> = offline.collect();
    assert_eq!(seen, known);
}

#[test]
fn every_finding_says_what_to_do_and_where() {
    for (name, files) in cases() {
        let reading = read(files);
        assert!(reading.workspace.is_none(), "{name} is taken for good");
        for diagnostic in &reading.diagnostics {
            let label = diagnostic.labels.first().is_some_and(|label| !label.text.is_empty());
            assert!(diagnostic.help.is_some() || label, "{name}: {diagnostic:?}");
            assert!(!diagnostic.title.ends_with('.'), "{name}: {diagnostic:?}");
        }
    }
}

#[test]
fn a_sign_in_that_retires_is_taken_with_a_warning() {
    let reading = read(auth("soapLogin: { username: me@example.com, password: { env: A }, securityToken: { env: B } }"));
    assert!(reading.workspace.is_some(), "a warning is no mistake");
    insta::assert_snapshot!(drawn(&reading), @"
    warning[M0308]: SOAP `login()` retires with Summer '27
     --> crm.yaml:8:7
      |
    8 |       soapLogin: { username: me@example.com, password: { env: A }, securityToken: { env: B } }
      |       ^^^^^^^^^ will stop working then
      |
      = help: move to an OAuth way to sign in, such as `clientCredentials`

    1 warning
    ");
}

#[test]
fn no_secret_is_in_any_output() {
    let mut tried = 0;
    for (name, files) in cases() {
        tried += usize::from(
            files
                .iter()
                .any(|file| file.content.as_ref().is_ok_and(|bytes| String::from_utf8_lossy(bytes).contains(CANARY))),
        );
        let reading = read(files);
        let json = serde_json::to_string(&report(&reading)).expect("JSON");
        for text in [drawn(&reading), json, format!("{reading:?}")] {
            assert!(!text.contains(CANARY), "{name}: {text}");
        }
    }
    assert!(tried >= 7, "the cases have no secret: {tried}");
}

/// Cases that a schema cannot judge: it sees one document at a time, as data, and knows neither SOQL nor checksums.
const BEYOND_THE_SCHEMA: &[&str] = &[
    "no_documents",
    "no_documents_in_an_empty_file",
    "too_large",
    "unreadable",
    "nul",
    "tab_indentation",
    "not_yaml",
    "not_yaml_in_two_documents",
    "alias_bomb",
    "far_too_deep",
    "duplicate_key",
    "duplicate_names",
    "two_projects",
    "time_zone",
    "plan_directory",
    "plan_directory_that_is_absolute",
    "date",
    "object_name",
    "literal_secret_in_text_that_is_not_yaml",
    "login_url_common",
    "api_version_too_old",
    "misspelt_everything",
    "batch_too_large",
    "batch_of_a_whole",
    "send_as_in_salesforce",
    "sql_clock",
    "sql_dangling_not",
    "sql_of_two_forms",
    "sql_statement",
    "soft_in_zuora",
    "soft_by_default_in_fulcrum",
    "kept_object_of_zuora",
    "zoql_types",
    "zoql_tree_types",
    "unknown_target",
    "no_target_at_all",
    "unknown_dependency",
    "dependency_cycle",
    "self_dependency",
    "every_child_in_fulcrum",
    "soql_plain",
    "soql_quoted",
    "soql_block",
    "soql_folded",
    "soql_mixed_and_or",
    "soql_of_the_recycle_bin",
    "soql_about_itself",
    "tree_of_the_recycle_bin",
    "soql_statement",
    "tree_meaning",
    "names_in_a_document_that_cannot_be_read",
];

/// Whether an independent validator, fed by an independent set of YAML options, refuses a document of the file.
fn is_refused(validator: &jsonschema::Validator, text: &[u8]) -> bool {
    let options = serde_yaml::options! {
        leading_zero_numbers_as_strings: true,
        merge_keys: serde_yaml::options::MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
    };
    let text = String::from_utf8_lossy(text);
    match serde_yaml::from_multiple_with_options::<serde_json::Value>(&text, options) {
        Ok(documents) => documents.iter().any(|document| !validator.is_valid(document)),
        Err(_) => false,
    }
}

#[test]
fn the_schema_refuses_every_mistake_that_it_can_see() {
    let validator = jsonschema::draft7::new(&sexton::manifest::json_schema()).expect("a schema");
    let accepted: Vec<&str> = cases()
        .into_iter()
        .filter(|(_, files)| !files.iter().any(|file| file.content.as_ref().is_ok_and(|text| is_refused(&validator, text))))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(accepted, BEYOND_THE_SCHEMA);
}

fn good() -> String {
    include_str!("fixtures/manifests/good/full.yaml").to_owned()
}

#[test]
fn good_manifests_become_a_workspace() {
    let windows = read([file("full.yaml", format!("\u{feff}{}", good().replace('\n', "\r\n")))]);
    let codes: Vec<&str> = windows.diagnostics.iter().map(|warning| warning.code.0).collect();
    assert_eq!(codes, ["M0308"], "a warning and no mistake: {}", drawn(&windows));
    let reading = read([file("full.yaml", good())]);
    let workspace = reading.workspace.expect("good");
    assert_eq!((workspace.targets.len(), workspace.policies.len(), workspace.holds.len()), (8, 3, 2));
    assert_eq!(workspace.documents.len(), 14);
    insta::assert_debug_snapshot!(
        "workspace",
        (&workspace.project, &workspace.targets, &workspace.policies, &workspace.holds)
    );
}

#[test]
fn what_a_document_says_is_its_text_wherever_it_stands() {
    let text = |files: Vec<ManifestFile>| -> String {
        let workspace = read(files).workspace.expect("good");
        let found = workspace.documents.iter().find(|document| document.kind == DocumentKind::DeletionPolicy);
        workspace.text_of(found.expect("a policy"))
    };
    let policy = format!("{HEAD}  target: crm\n  object: Lead\n  filter: Rating = 'Cold'\n");
    let hold = "---\napiVersion: sexton/v1\nkind: Hold\nmetadata: { name: a }\nspec: { target: crm, object: Lead, filter: a = 1, reason: b }\n";
    let whole = text(vec![file("a.yaml", format!("{policy}{TARGET}"))]);
    for same in [
        vec![file("b.yaml", TARGET), file("z.yaml", policy.as_str())],
        vec![file("a.yaml", format!("# new\n\n{policy}\n\n# newer\n{TARGET}{hold}"))],
        vec![file("a.yaml", format!("{policy}{TARGET}").trim_end().replace('\n', "\r\n"))],
    ] {
        assert_eq!(text(same), whole);
    }
    for other in [
        policy.replace("Cold", "cold"),
        policy.replace("  object", "  # why\n  object"),
        format!("{policy}  delete: soft\n"),
    ] {
        assert_ne!(text(vec![file("a.yaml", format!("{other}{TARGET}"))]), whole);
    }
}

/// The places of the keys of a mapping's lines in `text`, without those that are names of the user's choice.
fn keys(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let is_free = line.contains("labels:") || line.trim_start().starts_with('#');
        for (at, _) in line.match_indices(':') {
            let key = line[..at].trim_end_matches(|last: char| !last.is_ascii_alphanumeric());
            let start = key.rfind(|before: char| !before.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
            let follows = line[at + 1..].starts_with([' ', '\n']);
            if follows && !is_free && start < key.len() && key.len() == at {
                found.push(offset + start..offset + at);
            }
        }
        offset += line.len();
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_key_can_be_misspelt_without_an_error(which in 0_usize..1_000, place in 0_usize..100, letter in "[a-zA-Z]", how in 0..3) {
        let text = good();
        let keys = keys(&text);
        prop_assert!(keys.len() > 100, "the fixture has lost its keys: {}", keys.len());
        let key = keys[which % keys.len()].clone();
        let at = place % key.len();
        let mut misspelt = text[key.clone()].to_owned();
        match how {
            0 => misspelt.insert_str(at, &letter),
            1 => misspelt.replace_range(at..=at, &letter),
            _ => misspelt.replace_range(at..=at, ""),
        }
        prop_assume!(misspelt != text[key.clone()] && !misspelt.is_empty());
        // `less` and `in` are other keys with other letters.
        prop_assume!(!["in", "like", "less", "any", "all", "not"].contains(&misspelt.as_str()));
        let changed = format!("{}{misspelt}{}", &text[..key.start], &text[key.end..]);
        let reading = read([file("full.yaml", changed)]);
        prop_assert!(reading.workspace.is_none(), "{} became {misspelt} in silence", &text[key]);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let reading = read([file("any.yaml", bytes)]);
        let _ = (drawn(&reading), report(&reading));
    }

    #[test]
    fn no_change_of_a_manifest_makes_it_panic(at in any::<prop::sample::Index>(), length in 0_usize..40, new in "[ \t\n\r:'\"|>\\[\\]{}&*!%#@-ä\u{202e}0-9a-z]{0,12}") {
        let text = good();
        let floor = |mut offset: usize| {
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        let start = floor(at.index(text.len()));
        let end = floor((start + length).min(text.len()));
        let reading = read([file("any.yaml", format!("{}{new}{}", &text[..start], &text[end..]))]);
        let _ = (drawn(&reading), report(&reading));
        let mistakes = reading.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        prop_assert_eq!(reading.workspace.is_some(), !mistakes);
    }
}

#[test]
fn a_thousand_manifests_are_one_workspace() {
    let files = (0..1_000).map(|number| {
        let text = format!(
            "{}  target: crm\n  object: Lead\n  filter: Rating = 'Cold'\n",
            HEAD.replace("stale", &format!("stale-{number}"))
        );
        file(&format!("{number}.yaml"), text)
    });
    let reading = read(files.chain([file("crm.yaml", TARGET)]));
    assert_eq!(reading.workspace.map(|workspace| workspace.policies.len()), Some(1_000));
}
