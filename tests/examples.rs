//! The stories in `examples/`, told by the binary against a sandbox that is made from each story's own seed.

#![expect(clippy::disallowed_methods, reason = "a test of the program has to copy files and to run it")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt as _;
use jiff::Timestamp;
use serde_json::Value as Json;
use sexton::sandbox::fulcrum::Organization;
use sexton::sandbox::seed::{Seed, read_directory};
use sexton::sandbox::{ItemError, RecordKey, Sandbox, Tenant, Value, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

#[path = "support/transcript.rs"]
mod transcript;
use transcript::Said;

/// One story: its manifests in a folder of their own, and its sandbox on a free port.
struct Story {
    folder: TempDir,
    sandbox: Sandbox,
    client: &'static str,
    secret: &'static str,
    /// Everything the program said, and the evidence that was looked at.
    said: RefCell<Vec<Said>>,
    _stop: oneshot::Sender<()>,
    _runtime: Runtime,
}

/// What a command line came to.
#[derive(Debug)]
struct Told {
    code: i32,
    out: String,
    error: String,
}

impl Story {
    fn begin(name: &str) -> Self {
        let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        let files = read_directory(&place.join(".sandbox")).expect("a seed");
        // The program compares this clock with the machine's.
        let (world, settings) = Seed::from_files(files).expect("a seed").build(Timestamp::now()).expect("a world");
        let sandbox = Sandbox::new(world, settings);
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(serve(listener, sandbox.clone(), async {
            let _ = stopped.await;
        }));
        let folder = tempfile::tempdir().expect("a folder");
        let text = fs::read_to_string(place.join("sexton.yaml")).expect("manifests");
        let url = text.lines().find_map(|line| line.trim().strip_prefix("loginUrl: ")).expect("a login URL");
        let text = text.replace(url, &format!("http://{address}"));
        fs::write(folder.path().join("sexton.yaml"), text).expect("written");
        Self {
            folder,
            sandbox,
            client: "sandbox-client",
            secret: "sandbox-secret",
            said: RefCell::default(),
            _stop: stop,
            _runtime: runtime,
        }
    }

    /// Runs `sexton` in the story's folder.
    fn sexton(&self, words: &[&str]) -> Told {
        let mut command = Command::cargo_bin("sexton").expect("the binary");
        let output = command
            .args(words)
            .current_dir(self.folder.path())
            .env("CRM_CLIENT_ID", self.client)
            .env("CRM_CLIENT_SECRET", self.secret)
            .env("BILLING_PASSWORD", Tenant::PASSWORD)
            .env("FIELD_DATA_TOKEN", Organization::TOKEN)
            .env("NO_COLOR", "1")
            .output()
            .expect("it runs");
        let told = Told {
            code: output.status.code().expect("a code"),
            out: String::from_utf8(output.stdout).expect("text"),
            error: String::from_utf8(output.stderr).expect("text"),
        };
        // On a terminal, progress is gone when the command ends.
        let is_progress = |line: &&str| line.starts_with("signing in to ") || line.contains(": ") && line.contains(" of ");
        let told_to_people: Vec<&str> = told.error.lines().filter(|line| !is_progress(line)).collect();
        self.hear(&told.out, &told_to_people.join("\n"));
        self.hear(&told.code.to_string(), "");
        self.plan_is_as_published();
        told
    }

    /// The plan in the folder, if there is one, satisfies the published schema.
    fn plan_is_as_published(&self) {
        let Ok(text) = fs::read(self.path("plan/plan.json")) else { return };
        let plan: Json = serde_json::from_slice(&text).expect("JSON");
        let wrong: Vec<String> =
            plan_schema().iter_errors(&plan).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{plan:#}");
    }

    /// Remembers what was said.
    fn hear(&self, out: &str, error: &str) {
        self.said.borrow_mut().push(Said { out: out.to_owned(), error: error.to_owned() });
    }

    /// Every line of output in the story's `README.md` was said, and what was left out is marked there.
    fn is_as_told(&self, name: &str) {
        let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("README.md");
        let said = self.said.borrow();
        let invented = transcript::invented(&page, &said, &["listening on http://127.0.0.1:88", "{\"id\":"], true);
        assert!(invented.is_empty(), "{} shows what nobody said:\n{}\n{said:#?}", page.display(), invented.join("\n\n"));
    }

    /// Plans the stale leads with a limit that they exceed.
    fn refuse_fourteen(&self) {
        let text = fs::read_to_string(self.path("sexton.yaml")).expect("readable");
        fs::write(self.path("sexton.yaml"), text.replace("maxRecords: 20", "maxRecords: 10")).expect("written");
        let refusal = "14 records and `limits.maxRecords` is 10: raise it by 4 to 14";
        contains(&self.sexton(&["plan"]), 4, &["REFUSED", refusal, "Plan: 14 to delete"]);
    }

    /// Erases the customer while one of the cases refuses.
    fn refuse_a_case(&self) {
        contains(&self.sexton(&["plan"]), 0, &["Plan: 373 to delete"]);
        let refusal = ItemError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", "This case is under audit.");
        self.sandbox.world().refuse(key("5005f00000000G8AAI"), refusal, None);
        let sums = "Apply: 141 deleted, 231 skipped, 1 failed; 373 planned.";
        contains(&self.sexton(&ERASE), 3, &[sums]);
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn count(&self, object: &str) -> u64 {
        self.sandbox.world().count(object)
    }

    /// The lines of the only outcomes below `.sexton/runs/*`, without their header.
    fn outcomes(&self) -> Vec<String> {
        let run = only(&self.path(".sexton/runs"));
        let text = fs::read_to_string(only(&run.join("outcomes"))).expect("readable");
        self.hear(&text, "");
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// The records that were skipped, as the outcomes have them.
    fn skipped(&self) -> Vec<String> {
        self.outcomes().into_iter().filter(|line| line.contains(",skipped,")).collect()
    }
}

fn only(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let first = entries.next().expect("one entry");
    assert_eq!(entries.next(), None, "more than one in {}", folder.display());
    first
}

fn key(text: &str) -> RecordKey {
    RecordKey::parse(text).expect("a key")
}

fn contains(told: &Told, code: i32, wanted: &[&str]) {
    assert_eq!(told.code, code, "{told:?}");
    for text in wanted {
        assert!(told.out.contains(text) || told.error.contains(text), "`{text}` is missing: {told:?}");
    }
}

#[test]
fn stale_leads_a_plan_is_reviewed_while_the_data_goes_on_moving() {
    let story = Story::begin("stale-leads");
    contains(&story.sexton(&["validate"]), 0, &["valid: 1 target, 1 policy, 0 holds"]);
    let planned = story.sexton(&["plan", "--detailed-exitcode"]);
    contains(&planned, 2, &["14 of 40 records (35 %)", "Company=Northwind Traders  Status=Open"]);
    assert!(planned.out.ends_with("Plan: 14 to delete.\n"), "{planned:?}");
    assert!(!planned.out.contains("Lindqvist"), "only the fields named for review are shown: {planned:?}");

    // Somebody reaches Marta Lindqvist, and somebody imports an old list.
    let marta = key("00Q5f00000000G8EAI");
    let imported = {
        let mut world = story.sandbox.world();
        world.update(marta, "Status", Value::from("Qualified")).expect("a lead");
        let fields = [("LastName", "Okafor"), ("Company", "Old list"), ("Status", "Open")];
        let mut fields: Vec<(&str, Value)> = fields.map(|(name, value)| (name, Value::from(value))).into();
        fields.push(("LastActivityDate", Value::Date("2013-05-01".parse().expect("a day"))));
        world.insert("Lead", fields).expect("a lead")
    };
    contains(
        &story.sexton(&["apply", "plan"]),
        0,
        &["1 skipped: no longer match", "1 matching now but not planned", "Apply: 13 deleted, 1 skipped; 14 planned."],
    );
    assert!(story.sandbox.world().exists(marta), "touched again, so kept");
    assert!(story.sandbox.world().exists(imported), "not reviewed, so kept");
    assert_eq!(story.count("Lead"), 28);
    assert_eq!(story.skipped(), ["00Q5f00000000G8EAI,skipped,no-longer-matches,,,recheck,"]);
    assert_eq!(story.outcomes().len(), 14);

    contains(&story.sexton(&["apply", "plan"]), 5, &["was used", "make a new plan"]);
    contains(
        &story.sexton(&["plan"]),
        0,
        &["Plan: 1 to delete, 1 newly selected", "nothing by the policy, 1 more and 1 fewer by the data"],
    );
    // What the last part of the story shows, before anything is deleted.
    let limited = Story::begin("stale-leads");
    limited.refuse_fourteen();
    story.said.borrow_mut().append(&mut limited.said.borrow_mut());
    story.is_as_told("stale-leads");
}

#[test]
fn stale_leads_a_limit_stops_and_never_shortens() {
    let story = Story::begin("stale-leads");
    story.refuse_fourteen();
    contains(&story.sexton(&["apply", "plan"]), 4, &["nothing was deleted"]);
    assert_eq!(story.count("Lead"), 40);
}

#[test]
fn legal_hold_a_hold_that_is_younger_than_the_plan_wins_through_a_cascade() {
    let story = Story::begin("legal-hold");
    contains(
        &story.sexton(&["plan"]),
        0,
        &["18 of 24 records", "# 4 by hold acme-litigation", "Plan: 14 to delete, 4 held."],
    );
    let later = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/legal-hold/.later/counsel-tasks.yaml");
    fs::copy(later, story.path("counsel-tasks.yaml")).expect("copied");
    contains(&story.sexton(&["apply", "plan"]), 0, &["3 skipped: held", "Apply: 11 deleted, 3 skipped; 14 planned."]);
    let held = ["5005f000000002KAAQ", "5005f0000000032AAA", "5005f000000004SAAQ"];
    assert_eq!(story.skipped(), held.map(|id| format!("{id},skipped,held,,,recheck,")));
    let world = story.sandbox.world();
    let counsel: Vec<RecordKey> = world
        .ids("Task")
        .filter(|task| matches!(world.value(*task, "Subject"), Some(Value::Text(text)) if text.starts_with("Counsel:")))
        .collect();
    assert_eq!(counsel.len(), 4, "no task that counsel asked for went with its case");
    assert!(held.iter().all(|id| world.exists(key(id))));
    assert_eq!(world.count("Case"), 13);
    drop(world);
    contains(&story.sexton(&["plan"]), 0, &["Plan: 0 to delete, 7 held", "4 since a held record would go with them"]);
    story.is_as_told("legal-hold");
}

#[test]
fn purge_logs_a_hard_delete_needs_a_permission_and_a_name() {
    let mut story = Story::begin("purge-logs");
    contains(
        &story.sexton(&["plan"]),
        4,
        &[
            "REFUSED",
            "this login may not hard delete `Integration_Log__c`: grant the system permission `Bulk API Hard Delete`",
        ],
    );
    contains(&story.sexton(&["apply", "plan", "--auto-approve"]), 4, &["nothing was deleted"]);
    (story.client, story.secret) = ("purge-client", "purge-secret");
    let planned = story.sexton(&["plan"]);
    contains(&planned, 0, &["hard delete, no undo", "Bulk API 2.0, 1 batch", "Debug and info lines"]);
    contains(&story.sexton(&["apply", "plan", "--auto-approve"]), 4, &["then add --confirm-target crm"]);
    assert_eq!(story.count("Integration_Log__c"), 60);
    contains(&story.sexton(&["apply", "plan", "--auto-approve", "--confirm-target", "crm"]), 0, &["Apply: 30 deleted"]);
    assert_eq!(story.count("Integration_Log__c"), 30);
    let world = story.sandbox.world();
    for row in story.outcomes() {
        let id = row.split(',').next().expect("an id");
        assert!(!world.in_bin(key(id)), "{id} is past the recycle bin");
    }
    drop(world);
    contains(&story.sexton(&["plan"]), 0, &["Plan: 0 to delete"]);
    story.is_as_told("purge-logs");
}

#[test]
fn lock_storm_one_batch_at_a_time_goes_through_bulk_api_1() {
    let story = Story::begin("lock-storm");
    let route = "route      Bulk API 1.0, 1 batch of up to 10,000: 240 records, one batch at a time";
    contains(&story.sexton(&["plan"]), 0, &["240 of 360 records", route]);
    contains(&story.sexton(&["apply", "plan"]), 0, &["Apply: 240 deleted"]);
    assert_eq!(story.count("Contact"), 120);
    let serial = story.sandbox.requests().iter().any(|request| request.path.contains("/services/async/"));
    assert!(serial, "no other API of Salesforce works on one batch at a time");
    contains(&story.sexton(&["plan"]), 0, &["Plan: 0 to delete"]);
    story.is_as_told("lock-storm");
}

/// The billing account of the customer who is to be erased.
const BILLING_ACCOUNT: &str = "2c92c0f9a00000000000000000000001";

/// Applies the plan of the customer's erasure.
const ERASE: [&str; 7] =
    ["apply", "plan", "--auto-approve", "--confirm-target", "billing", "--confirm-target", "field-data"];

#[test]
fn erase_customer_nothing_is_left_in_three_systems() {
    let story = Story::begin("erase-customer");
    contains(&story.sexton(&["validate"]), 0, &["valid: 3 targets, 6 policies, 0 holds"]);
    contains(&story.sexton(&["plan"]), 0, &["Composite, 1 batch", "Plan: 373 to delete."]);
    contains(
        &story.sexton(&["apply", "plan", "--auto-approve"]),
        4,
        &["--confirm-target billing --confirm-target field-data"],
    );
    let sums = "Apply: 373 deleted; 373 planned.";
    contains(&story.sexton(&ERASE), 0, &[sums]);

    story.sandbox.clock().advance(Duration::from_secs(5));
    contains(&story.sexton(&["plan"]), 0, &["Plan: 0 to delete"]);
    assert_eq!((story.count("Account"), story.count("Contact"), story.count("Case")), (24, 72, 70));
    let tenant = story.sandbox.zuora();
    assert_eq!(["Account", "Subscription", "Usage"].map(|object| tenant.count(object)), [24, 36, 180]);
    assert_eq!(tenant.value(BILLING_ACCOUNT, "Status").as_deref(), Some("Canceled"));
    assert_eq!(story.sandbox.fulcrum().count("Site Visits"), 42);
    drop(tenant);
    // What the last part of the story shows.
    let refused = Story::begin("erase-customer");
    refused.refuse_a_case();
    story.said.borrow_mut().append(&mut refused.said.borrow_mut());
    story.is_as_told("erase-customer");
}

#[test]
fn erase_customer_one_refusal_keeps_what_depends_on_it_and_nothing_else() {
    let story = Story::begin("erase-customer");
    story.refuse_a_case();
    assert_eq!((story.count("Account"), story.count("Case")), (25, 300), "all of the cases or none, and their account");
    let tenant = story.sandbox.zuora();
    assert!(tenant.exists(BILLING_ACCOUNT), "the billing account goes last");
    assert_eq!(["Subscription", "Usage"].map(|object| tenant.count(object)), [36, 180]);
    assert_eq!(story.sandbox.fulcrum().count("Site Visits"), 42);
}

fn plan_schema() -> jsonschema::Validator {
    let schema = serde_json::from_str(include_str!("../schemas/plan.schema.json")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Every value of a document, by its JSON pointer.
fn pointers(value: &Json, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| pointers(item, &format!("{place}/{number}"), found));
        }
        Json::Object(keys) => {
            keys.iter().for_each(|(key, item)| pointers(item, &format!("{place}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

#[test]
fn the_schema_of_plans_takes_what_is_written_and_nothing_else() {
    let schema = plan_schema();
    for name in ["stale-leads", "legal-hold", "purge-logs", "lock-storm", "erase-customer"] {
        let story = Story::begin(name);
        // Refused or not, a plan is written and looked at.
        assert!([0, 4].contains(&story.sexton(&["plan"]).code), "{name}");
        let plan: Json = serde_json::from_slice(&fs::read(story.path("plan/plan.json")).expect("a plan")).expect("JSON");
        let mut places = Vec::new();
        pointers(&plan, "", &mut places);
        assert!(places.len() > 100, "{name}");
        for place in places {
            let changed = |value: Json| {
                let mut changed = plan.clone();
                *changed.pointer_mut(&place).expect("a value") = value;
                changed
            };
            assert!(!schema.is_valid(&changed(Json::Null)), "{name}: {place} may be null");
            if let Some(number) = plan.pointer(&place).and_then(Json::as_number) {
                assert!(!schema.is_valid(&changed(number.to_string().into())), "{name}: {place} may be text");
            }
        }
        for (place, key) in [("", "approved"), ("/policies/0", "approved"), ("/policies/0/settings", "approved")] {
            let mut more = plan.clone();
            more.pointer_mut(place).expect("an object")[key] = true.into();
            assert!(!schema.is_valid(&more), "{name}: {place}/{key} is not known");
        }
        for key in ["format", "targets", "policies", "only"] {
            let mut less = plan.clone();
            less.as_object_mut().expect("an object").remove(key);
            assert!(!schema.is_valid(&less), "{name}: {key} is missing");
        }
    }
}

#[test]
fn every_line_of_json_satisfies_the_published_schema() {
    let schema = serde_json::from_str(include_str!("../schemas/output.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let story = Story::begin("legal-hold");
    let mut types = Vec::new();
    for words in [
        &["plan", "--json"][..],
        &["show", "--json", "--records"],
        &["diff", "plan", "plan", "--json"],
        &["apply", "plan", "--json"],
        &["apply", "plan", "--json"],
    ] {
        for (number, line) in story.sexton(words).out.lines().enumerate() {
            let value: Json = serde_json::from_str(line).expect("JSON");
            let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{words:?}: {line}");
            let kind = value["type"].as_str().expect("a type").to_owned();
            assert_eq!(kind == "version", number == 0, "{words:?} begins with its version");
            types.push(kind);
        }
    }
    types.sort();
    types.dedup();
    let all = [
        "apply_summary",
        "change",
        "error",
        "hold",
        "plan_summary",
        "policy_applied",
        "policy_difference",
        "policy_planned",
    ];
    assert_eq!(types, [&all[..], &["progress", "target", "version"]].concat());
}
