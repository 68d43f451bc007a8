//! Files that are printed from the code: they must be what the code prints, or nobody can trust them.
//!
//! `UPDATE_GENERATED=1 cargo test --test generated` writes them anew.

#![expect(clippy::disallowed_methods, reason = "a test that compares files has to read them")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use sexton::base::{Clock, with_thousands};
use sexton::filter::Language;
use sexton::manifest::{CODES, ManifestFile, json_schema, read};
use sexton::plan::{GATES, PlanHeader};
use sexton::provider::salesforce::SystemCommands;
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{ProviderDependencies, SystemSecrets, open};
use sexton::report::JsonEvent;
use sexton::store::{MemoryStore, StoredCalls};
use sexton::system::Capabilities;
use sexton::system::{Api, SystemKind};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a file with what it should be, or writes it when that is asked for.
fn expect_generated(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        fs::write(&file, expected).expect("writable");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is out of date: run `UPDATE_GENERATED=1 cargo test --test generated`");
}

#[test]
fn the_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&json_schema()).expect("JSON");
    expect_generated("schemas/sexton.schema.json", &format!("{text}\n"));
}

#[test]
fn the_manifest_reference_is_up_to_date() {
    expect_generated("docs/reference/manifest.md", &manifest_reference(&json_schema()));
}

#[test]
fn the_diagnostics_reference_is_up_to_date() {
    let mut text = String::from(
        "# Diagnostics\n\n<!-- Printed from src/manifest/codes.rs. Do not edit. -->\n\n\
         Everything `sexton validate` can find wrong with manifests. A code never changes its meaning and is never reused.\n",
    );
    for (letter, heading) in [("M", "Manifests"), ("Q", "Filters"), ("C", "What the APIs can do")] {
        let _ = write!(text, "\n## {heading}\n");
        for entry in CODES.iter().filter(|entry| entry.code.0.starts_with(letter)) {
            let _ = write!(text, "\n### {}: {}\n\n{}\n", entry.code.0, entry.title, entry.explanation);
        }
    }
    expect_generated("docs/reference/diagnostics.md", &text);
}

#[test]
fn the_output_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&sexton::report::output_schema()).expect("JSON");
    expect_generated("schemas/output.schema.json", &format!("{text}\n"));
}

#[test]
fn the_plan_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&sexton::plan::plan_schema()).expect("JSON");
    expect_generated("schemas/plan.schema.json", &format!("{text}\n"));
}

/// A key that may be absent and is written all the same would be `null`, which the published schemas know nothing of.
#[test]
fn what_is_absent_is_left_out_of_plans_and_output() {
    fn absent_or_null(schema: &Value, place: &str, found: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match schema {
            Value::Array(items) => items.iter().enumerate().map(|(number, item)| (number.to_string(), item)).collect(),
            Value::Object(keys) => keys.iter().map(|(key, value)| (key.clone(), value)).collect(),
            _ => return,
        };
        if schema == "null"
            || schema["type"] == "null"
            || schema["type"].as_array().is_some_and(|all| all.contains(&"null".into()))
        {
            found.push(place.to_owned());
        }
        children.iter().for_each(|(key, child)| absent_or_null(child, &format!("{place}/{key}"), found));
    }
    fn written(schema: &Value, place: &str, found: &mut Vec<String>) {
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut nulls = Vec::new();
            absent_or_null(&schema["properties"][key], "", &mut nulls);
            if !nulls.is_empty() {
                found.push(format!("{place}: {key}"));
            }
        }
        match schema {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(number, item)| written(item, &format!("{place}/{number}"), found))
            }
            Value::Object(keys) => keys.iter().for_each(|(key, value)| written(value, &format!("{place}/{key}"), found)),
            _ => {}
        }
    }
    let settings = || SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut found = Vec::new();
    written(&settings().into_root_schema_for::<PlanHeader>().to_value(), "plan", &mut found);
    written(&settings().into_root_schema_for::<JsonEvent>().to_value(), "output", &mut found);
    assert_eq!(found, Vec::<String>::new(), "these need `skip_serializing_if`");
}

#[test]
fn the_json_reference_is_up_to_date() {
    expect_generated("docs/reference/json.md", &json_reference(&sexton::report::output_schema()));
}

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        panic!("nothing is sent")
    }
}

/// What each system can do, as the provider of a target that says no more than it must.
fn capabilities() -> [Capabilities; 3] {
    [
        "salesforce: { auth: { sfCli: { targetOrg: me } } }",
        "zuora: { url: https://na.zuora.com, auth: { login: { username: me, password: { env: X } } } }",
        "fulcrum: { auth: { apiToken: { env: X } } }",
    ]
    .map(|spec| {
        let text = format!("apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: target }}\nspec: {{ {spec} }}\n");
        let reading = read([ManifestFile { name: "target.yaml".into(), content: Ok(text.into_bytes()) }]);
        let workspace = reading.workspace.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
        let (name, target) = workspace.targets.into_iter().next().expect("a target");
        let dependencies = ProviderDependencies {
            transport: Arc::new(HttpTransport::new(Timeouts::default()).expect("a client")),
            secrets: Arc::new(SystemSecrets::new(root())),
            clock: Arc::new(NoClock),
            calls: Arc::new(StoredCalls::new(Arc::new(MemoryStore::new()), &name)),
            commands: Arc::new(SystemCommands),
        };
        open(&target, dependencies).capabilities()
    })
}

#[test]
fn manifests_are_checked_against_what_the_providers_declare() {
    let systems = capabilities();
    assert_eq!(systems.map(|able| able.system), SystemKind::ALL);
    let mut declared = Vec::new();
    for able in &systems {
        assert_eq!(able.routes.iter().any(|route| route.soft), able.system.has_recycle_bin(), "{}", able.system);
        for route in able.routes {
            let api = route.api;
            assert_eq!(api.system(), able.system, "{api}");
            assert_eq!(route, api.capability(), "{api}");
            declared.push(api);
        }
    }
    declared.sort_unstable();
    assert_eq!(declared, Api::ALL, "each API stands in one table");
}

#[test]
fn the_capability_reference_is_up_to_date() {
    expect_generated("docs/reference/capabilities.md", &capability_reference(&capabilities()));
}

#[test]
fn the_gate_reference_is_up_to_date() {
    let mut text = String::from(
        "# Gates\n\n<!-- Printed from src/plan/gate.rs. Do not edit. -->\n\n\
         A gate is a rule about one policy. It lets it pass, warns, or refuses. A refused plan is still written, so that it can be \
         inspected, but it cannot be applied. Apply evaluates the gates again on fresh numbers; what a run has already deleted counts towards \
         the limits.\n\n\
         For a policy that has begun, only the gates marked in the last column are evaluated, and stop the rest of it.\n\n\
         | gate | refuses when | stops the rest |\n|---|---|---|\n",
    );
    for gate in GATES {
        let rest = if gate.stops_begun { "yes" } else { "no" };
        let _ = writeln!(text, "| `{}` | {} | {rest} |", gate.name, gate.refuses_when);
    }
    expect_generated("docs/reference/gates.md", &text);
}

/// The reference of what each API and system can do, printed from the providers' tables.
fn capability_reference(systems: &[Capabilities]) -> String {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let count = |count: u64| if count == 0 { "none".to_owned() } else { with_thousands(count) };
    let mut text = String::from(
        "# Capabilities\n\n<!-- Printed from the tables in src/system. Do not edit. -->\n\n\
         No manifest may ask of an API what it cannot do: `sexton validate` says so where that is known offline, the gates \
         `route` and `all-or-none` of a plan where it depends on the number of records.\n\n\
         ## APIs\n\n\
         A pin (`via`) leaves one candidate. A candidate must be able to delete in the policy's mode, one batch at a time where that \
         is asked, and atomically exactly where that is asked. Of the candidates left, the first in this order that takes a selection \
         of that size by itself is chosen; all-or-none, `concurrency: serial` and a pin override the size.\n\n\
         | API | `via` | system | soft | hard | by itself for | a batch | an atomic batch | at once | serial | jobs | calls per batch |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for route in systems.iter().flat_map(|able| able.routes) {
        let api = route.api;
        let cells = [
            api.title().trim_start_matches("the ").to_owned(),
            format!("`{api}`"),
            api.system().title().to_owned(),
            yes(route.soft).to_owned(),
            yes(route.hard).to_owned(),
            match (route.batch_size, route.preferred_up_to) {
                (0, _) => "nothing".to_owned(),
                (_, Some(most)) => format!("up to {}", with_thousands(most)),
                (_, None) => "any number".to_owned(),
            },
            count(route.batch_size),
            count(route.atomic_size),
            route.parallel.to_string(),
            yes(route.serial).to_owned(),
            yes(api.shape().jobs().is_some()).to_owned(),
            route.calls_per_batch.to_string(),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str(
        "\nSizes are numbers of records. *At once* is how many batches may be under way, without `concurrency: serial`. *Calls per \
         batch* leaves out the polls of a job.\n\n\
         ## Systems\n\n\
         | system | filters | key | changes show in | recycle bin | calls | records per page | records per presence check |\n|---|---|---|---|---|---|---|---|\n",
    );
    for able in systems {
        let cells = [
            able.system.title().to_owned(),
            Language::of(able.system).title().to_owned(),
            format!("`{}`", able.key),
            able.change_stamp.map_or_else(|| "nothing".to_owned(), |stamp| format!("`{stamp}`")),
            yes(able.system.has_recycle_bin()).to_owned(),
            able.budget.map_or_else(
                || "as many as the system has left today".to_owned(),
                |budget| {
                    let window = budget.shortest();
                    format!("{} in {} minutes", with_thousands(window.calls.into()), window.length.as_secs() / 60)
                },
            ),
            with_thousands(able.page_size),
            with_thousands(able.presence_size as u64),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str(
        "\n*Calls* is what a target may make unless its `maxCalls` says less; a tenth of them may go at once, the rest is spread evenly. \
         *Changes show in* names the field that `recheck: unchanged` compares. A presence check asks which of some records still exist.\n",
    );
    text
}

/// The reference of `--json`, printed from the schema of its lines.
fn json_reference(schema: &Value) -> String {
    let mut text = String::from(
        "# JSON output\n\n<!-- Printed from schemas/output.schema.json. Do not edit. -->\n\n\
         With `--json`, every command prints one JSON object per line to standard output, and nothing else; only `schema` and \
         `completions` print what they are asked for, and `demo` shows its walkthrough. \
         `type` says what a line is. The exit code is the same as without `--json`: see [exit codes](exit-codes.md).\n\n\
         The first line is `version`. Its `formatVersion` is `major.minor`: a new minor only adds, so ignore keys and types \
         you do not know; a new major may break, so refuse one you do not know. The schema of a line is \
         [output.schema.json](../../schemas/output.schema.json); `sexton schema output` prints it.\n\n\
         Numbers are whole and never abbreviated, digests are 64 hexadecimal digits, moments are RFC 3339 in UTC. A key that a table \
         calls optional may be absent; nothing is `null`.\n\n\
         ```console\n$ sexton plan --json | jq -r 'select(.type == \"plan_summary\") | .delete'\n```\n\n## Lines\n",
    );
    for variant in schema["oneOf"].as_array().expect("variants") {
        let name = variant["properties"]["type"]["const"].as_str().expect("a type");
        let _ = write!(text, "\n### {name}\n\n{}\n", variant["description"].as_str().expect("a description"));
        json_table(&mut text, variant);
    }
    text.push_str("\n## Parts\n");
    for (name, definition) in schema["$defs"].as_object().expect("parts") {
        let _ = write!(text, "\n### {name}\n\n{}\n", definition["description"].as_str().expect("a description"));
        json_table(&mut text, definition);
    }
    text
}

fn json_table(text: &mut String, object: &Value) {
    let required: Vec<&str> =
        object["required"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    text.push_str("\n| key | value | meaning |\n|---|---|---|\n");
    for (key, property) in object["properties"].as_object().expect("properties") {
        if key == "type" {
            continue;
        }
        let kind = json_kind(property);
        let optional = if !required.contains(&key.as_str()) { ", optional" } else { "" };
        let meaning = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(text, "| `{key}` | {kind}{optional} | {meaning} |");
    }
}

/// What a key's value is, in words.
fn json_kind(property: &Value) -> String {
    let reference = &property["allOf"][0]["$ref"];
    if let Some(name) = property["$ref"].as_str().or(reference.as_str()).and_then(|path| path.strip_prefix("#/$defs/")) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    plain_kind(property["type"].as_str().expect("a type"), property)
}

fn plain_kind(kind: &str, property: &Value) -> String {
    match kind {
        "array" => format!("list of {}", json_kind(&property["items"])),
        "object" if property["additionalProperties"].is_object() => {
            format!("mapping to {}", json_kind(&property["additionalProperties"]))
        }
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        other => other.to_owned(),
    }
}

/// The reference of all kinds, printed from the schema.
fn manifest_reference(schema: &Value) -> String {
    let mut text = String::from(
        "# Manifests\n\n<!-- Printed from schemas/sexton.schema.json. Do not edit. -->\n\n\
         A manifest is a YAML document with the four keys below; a file may hold several, with `---` between them. A project is a \
         directory of such files. Unknown keys are errors.\n\n\
         With this line at the top of every document, not only of the file, editors with a YAML language server complete and check \
         as you type:\n\n\
         ```yaml\n# yaml-language-server: $schema=../schemas/sexton.schema.json\n```\n",
    );
    text.push_str("\n## Every document\n");
    table(&mut text, schema, schema);
    section(&mut text, schema, "Metadata", "### metadata");
    for branch in schema["allOf"].as_array().expect("one branch a kind") {
        let kind = branch["if"]["properties"]["kind"]["const"].as_str().expect("a kind");
        let name = reference(&branch["then"]["properties"]["spec"]).expect("a named spec");
        section(&mut text, schema, name, &format!("## {kind}"));
    }
    text.push_str("\n## Parts\n");
    let specs: Vec<&str> = schema["allOf"]
        .as_array()
        .expect("branches")
        .iter()
        .filter_map(|branch| reference(&branch["then"]["properties"]["spec"]))
        .collect();
    for (name, definition) in schema["definitions"].as_object().expect("definitions") {
        if definition.get("properties").is_some() && !specs.contains(&name.as_str()) && name != "Metadata" {
            section(&mut text, schema, name, &format!("### {name}"));
        }
    }
    text
}

fn section(text: &mut String, schema: &Value, name: &str, heading: &str) {
    let definition = &schema["definitions"][name];
    let _ = write!(text, "\n{heading}\n\n{}\n", definition["description"].as_str().unwrap_or_default());
    table(text, schema, definition);
}

fn table(text: &mut String, schema: &Value, object: &Value) {
    let required: Vec<&str> =
        object["required"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    text.push_str("\n| key | value | needed | meaning |\n|---|---|---|---|\n");
    let mut properties: Vec<(&String, &Value)> = object["properties"].as_object().expect("properties").iter().collect();
    // What is needed stands first; the rest is looked up by name.
    properties.sort_by_key(|(key, _)| (!required.contains(&key.as_str()), key.as_str()));
    for (key, property) in properties {
        let needed = match (required.contains(&key.as_str()), &property["default"]) {
            (true, _) => "yes".to_owned(),
            (false, Value::Null) => "no".to_owned(),
            (false, default) => format!("no; {}", code(default)),
        };
        let meaning = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(text, "| `{key}` | {} | {needed} | {meaning} |", kind_of(schema, property));
    }
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

fn reference(property: &Value) -> Option<&str> {
    let direct = property["$ref"].as_str().or_else(|| property["allOf"][0]["$ref"].as_str())?;
    direct.strip_prefix("#/definitions/")
}

/// What may stand there, in words.
fn kind_of(schema: &Value, property: &Value) -> String {
    if let Some(name) = reference(property) {
        let definition = &schema["definitions"][name];
        return match definition.get("oneOf").filter(|_| definition.get("properties").is_none()) {
            Some(choices) => choices
                .as_array()
                .expect("choices")
                .iter()
                .map(|choice| code(&choice["const"]))
                .collect::<Vec<_>>()
                .join(", "),
            None if name == "ZuoraCalls" => "whole number, or [CallWindows](#callwindows)".to_owned(),
            None if name == "Filter" => {
                "text, `everything`, an [IdFilter](#idfilter), or a [FilterTree](#filtertree)".to_owned()
            }
            None => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    if let Some(Value::Array(inner)) = property.get("allOf")
        && let [only] = &inner[..]
    {
        return kind_of(schema, only);
    }
    if let Some(values) = property["enum"].as_array() {
        return values.iter().map(code).collect::<Vec<_>>().join(", ");
    }
    if !property["const"].is_null() {
        return code(&property["const"]);
    }
    match &property["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind_of(schema, &property["items"])),
        Value::String(name)
            if name == "string" && property["pattern"].as_str().is_some_and(|pattern| pattern.contains("hour")) =>
        {
            "duration, such as `90 days`".to_owned()
        }
        Value::String(name) if name == "string" => "text".to_owned(),
        Value::String(name) if name == "integer" => "whole number".to_owned(),
        Value::String(name) if name == "object" => "mapping".to_owned(),
        Value::String(name) if name == "boolean" => "`true`, `false`".to_owned(),
        Value::String(name) => name.clone(),
        Value::Array(_) => "text or number".to_owned(),
        _ => "one value".to_owned(),
    }
}

/// The schema of all documents of a text, as an independent validator sees it: what it refuses, by document.
fn refused(text: &str) -> Vec<String> {
    let validator = jsonschema::draft7::new(&json_schema()).expect("a schema");
    let documents: Vec<Value> = serde_yaml::from_multiple(text).expect("YAML");
    documents
        .iter()
        .filter(|document| !document.is_null())
        .flat_map(|document| validator.iter_errors(document).map(|error| error.to_string()).collect::<Vec<_>>())
        .collect()
}

fn yaml_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
}

/// The manifests below a folder: files with documents that say they are ours. Seeds and faults of the sandbox are YAML, too.
fn manifests(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut files = Vec::new();
    yaml_files(&root().join(folder), &mut files);
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).expect("readable")))
        .filter(|(_, text)| text.lines().any(|line| line.starts_with("apiVersion: sexton/")))
        .collect()
}

#[test]
fn every_example_satisfies_the_schema() {
    for (path, text) in manifests("examples") {
        assert_eq!(refused(&text), Vec::<String>::new(), "{}", path.display());
    }
}

/// The first lines of the documents of a text that name no schema, or another one. A language server looks for the name in every
/// document of its own, after its `---`.
fn without_schema(text: &str, is_schema: impl Fn(&str) -> bool) -> Vec<&str> {
    let named = |document: &&str| {
        let schema = document.lines().find_map(|line| line.strip_prefix("# yaml-language-server: $schema="));
        !schema.is_some_and(&is_schema)
    };
    let documents = text.split("\n---\n").filter(named);
    documents.map(|document| document.lines().find(|line| !line.starts_with('#')).unwrap_or_default()).collect()
}

#[test]
fn every_document_names_the_schema_for_editors() {
    let schema = root().join("schemas/sexton.schema.json").canonicalize().expect("the schema");
    let mut judged = 0;
    for (path, text) in manifests("examples") {
        let folder = path.parent().expect("a folder");
        let is_schema = |name: &str| folder.join(name).canonicalize().is_ok_and(|path| path == schema);
        assert_eq!(without_schema(&text, is_schema), Vec::<&str>::new(), "{}", path.display());
        judged += 1;
    }
    // What `init` writes, beside the schema.
    for (path, text) in manifests("src/command/init") {
        let is_schema = |name: &str| name == "sexton.schema.json";
        assert_eq!(without_schema(&text, is_schema), Vec::<&str>::new(), "{}", path.display());
        assert_eq!(refused(&text), Vec::<String>::new(), "{}", path.display());
        judged += 1;
    }
    assert_eq!(judged, 9, "the test looks at nothing");
    assert_eq!(without_schema("# yaml-language-server: $schema=a\nb: 1\n---\nc: 1\n", |name| name == "a"), ["c: 1"]);
}

#[test]
fn good_fixtures_satisfy_the_schema_and_the_reader() {
    let fixtures = manifests("tests/fixtures/manifests/good");
    assert!(fixtures.len() >= 2, "the fixtures are gone");
    for (path, text) in fixtures {
        assert_eq!(refused(&text), Vec::<String>::new(), "{}", path.display());
        let reading = read([ManifestFile { name: "good.yaml".into(), content: Ok(text.into_bytes()) }]);
        let drawn = sexton::report::diagnostic::draw(&reading.diagnostics, &reading.sources, false, 100);
        assert!(reading.workspace.is_some(), "{}:\n{drawn}", path.display());
    }
}

/// The keys of every mapping that the schema knows.
fn keys_of_the_schema() -> BTreeSet<BTreeSet<String>> {
    let schema = json_schema();
    let definitions = schema["definitions"].as_object().expect("definitions").values();
    definitions
        .chain([&schema])
        .filter_map(|definition| definition["properties"].as_object())
        .map(|properties| properties.keys().cloned().collect())
        .collect()
}

/// The keys of every mapping that the reader knows: it names them where a key is unknown, so every mapping of the full
/// fixture is given one.
fn keys_of_the_reader() -> BTreeSet<BTreeSet<String>> {
    let mut text = String::new();
    let mut number = 0;
    let mut unknown = || {
        number += 1;
        format!("unknown{number}: 1")
    };
    for line in include_str!("fixtures/manifests/good/full.yaml").lines() {
        let content = line.trim_start();
        let indentation = &line[..line.len() - content.len()];
        let is_key =
            content.split(':').next().is_some_and(|key| key.len() < content.len() && !key.contains([' ', '-', '#', '<']));
        if is_key {
            text.push_str(&format!("{indentation}{}\n", unknown()));
        }
        let line = line.split('{').map(str::to_owned).reduce(|whole, part| format!("{whole}{{ {}, {part}", unknown()));
        text.push_str(&line.unwrap_or_default());
        text.push('\n');
    }
    let reading = read([ManifestFile { name: "full.yaml".into(), content: Ok(text.into_bytes()) }]);
    reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code.0 == "M0101")
        .flat_map(|diagnostic| &diagnostic.notes)
        .filter_map(|note| note.strip_prefix("known here: "))
        .map(|keys| keys.split(", ").map(|key| key.trim_matches('`').to_owned()).collect())
        .collect()
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let keys = keys_of_the_schema();
    assert!(keys.len() > 12, "the schema has lost its mappings");
    assert_eq!(keys_of_the_reader(), keys);
}
