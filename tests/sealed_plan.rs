//! What a plan seals: apply takes nothing of it on the bundle's word that the manifests say too.
#![expect(clippy::disallowed_methods, reason = "it alters files of a plan")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use sexton::base::{Digest, Exit};
use sexton::report::{PlanView, plan_markdown};
use sexton::sandbox::World;
use support::{Bench, start};

fn policy(most: u64) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: everything\n  limits: {{ maxRecords: {most}, maxPercent: 100 }}\n"
    )
}

fn bench() -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 3, 7).expect("leads");
    let bench = Bench::new(world);
    bench.declare(&policy(10));
    bench
}

/// Every setting, also those that [`policy`] does not give and a plan then leaves out.
const SETTINGS: [&str; 15] = [
    "target",
    "object",
    "delete",
    "justification",
    "allOrNone",
    "limits",
    "via",
    "concurrency",
    "groupBy",
    "dependsOn",
    "recheck",
    "sendAs",
    "reviewFields",
    "reviewBy",
    "accept",
];

/// Another value of each setting than the one in [`policy`].
fn other(setting: &str) -> Value {
    match setting {
        "target" => json!("billing"),
        "object" => json!("Contact"),
        "delete" => json!("hard"),
        "justification" => json!("because"),
        "allOrNone" => json!("perRequest"),
        "limits" => json!({ "maxRecords": 11, "maxPercent": 100 }),
        "via" => json!("bulk2"),
        "concurrency" => json!("serial"),
        "groupBy" => json!("Company"),
        "dependsOn" => json!(["others"]),
        "recheck" => json!("unchanged"),
        "sendAs" => json!("query"),
        "reviewFields" => json!(["Company"]),
        "reviewBy" => json!("2099-01-31"),
        "accept" => json!({ "unknownCascades": ["Task"] }),
        other => panic!("give `{other}` another value here"),
    }
}

/// Whether a value is `null`, or holds one.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Policy tools ask whether a key is there, and compare numbers.
#[tokio::test(start_paused = true)]
async fn a_plan_leaves_out_what_is_absent_and_its_numbers_are_numbers() {
    let bench = bench();
    bench.plan().await.expect("planned");
    let sealed = sealed(&bench);
    assert!(!has_null(&sealed), "{sealed:#}");
    assert_eq!(sealed["policies"][0]["settings"]["limits"]["maxPercent"], json!(100));
}

/// What the plan that lies there says.
fn sealed(bench: &Bench) -> Value {
    serde_json::from_slice(&fs::read(bench.plan_directory().join("plan.json")).expect("a plan")).expect("JSON")
}

/// Lets the plan that lies there say this, as if it had been sealed so.
fn seal(bench: &Bench, plan: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(plan).expect("JSON"));
    let records = plan["policies"].as_array().expect("policies").iter().map(|policy| &policy["records"]);
    let sum = |digest: &str, path: &str| format!("{digest}  {path}\n");
    let records = records.map(|seal| sum(seal["digest"].as_str().expect("text"), seal["path"].as_str().expect("text")));
    let sums = sum(&Digest::of(text.as_bytes()).to_string(), "plan.json") + &records.collect::<String>();
    for (name, text) in [("plan.json", text), ("SHA256SUMS", sums)] {
        fs::write(bench.plan_directory().join(name), text).expect("written");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_any_other_setting_than_the_manifests_is_refused() {
    let bench = bench();
    bench.plan().await.expect("planned");
    let sealed = sealed(&bench);
    bench.transport.forget();
    let settings = sealed["policies"][0]["settings"].as_object().expect("settings");
    assert!(
        settings.keys().all(|key| SETTINGS.contains(&key.as_str())),
        "a new setting belongs into the list: {settings:?}"
    );
    for setting in SETTINGS {
        let mut altered = sealed.clone();
        altered["policies"][0]["settings"][setting] = other(setting);
        seal(&bench, &altered);
        let error = bench.apply().await.expect_err(setting);
        assert_eq!(error.exit, Exit::PlanUnusable, "{setting}: {error} {:?}", error.notes);
        let named = format!("policy `leads`: the manifests give a different `{setting}`");
        assert!(error.notes.contains(&named), "{error} {:?}", error.notes);
    }
    assert_eq!(bench.transport.demands(), [], "nothing was asked for");
    assert_eq!(bench.sandbox.world().count("Lead"), 3);
}

/// A plan of some policies only is one that was asked for so, and has whatever they wait for.
#[tokio::test(start_paused = true)]
async fn a_plan_with_other_policies_than_it_was_asked_for_or_without_one_that_is_waited_for_is_refused() {
    let bench = bench();
    let waiting = policy(10).replace("name: leads", "name: waiting").replace("spec:\n", "spec:\n  dependsOn: [leads]\n");
    let waiting = waiting.replace("object: Lead", "object: Case");
    bench.declare(&format!("{}---\n{waiting}", policy(10)));
    bench.sandbox.world().generate("Case", 2, 7).expect("cases");
    bench.plan().await.expect("planned");
    let sealed = sealed(&bench);
    let mut asked = sealed.clone();
    asked["only"] = json!(["waiting"]);
    let mut alone = sealed;
    alone["policies"].as_array_mut().expect("policies").retain(|policy| policy["policy"] == "waiting");
    for (altered, cause) in [
        (asked, "its policies are not those that it was asked for"),
        (alone, "it lacks the policy `leads`, on which another one depends"),
    ] {
        if altered["policies"].as_array().map(Vec::len) == Some(1) {
            fs::remove_file(bench.plan_directory().join("records/leads.csv")).expect("removed");
        }
        seal(&bench, &altered);
        let error = bench.apply().await.expect_err(cause);
        assert_eq!(error.exit, Exit::PlanUnusable, "{error} {:?}", error.notes);
        assert!(error.notes.iter().any(|note| note == cause), "{error} {:?}", error.notes);
    }
    let world = bench.sandbox.world();
    assert_eq!((world.count("Lead"), world.count("Case")), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_shows_how_the_manifests_changed_since_the_plan_before() {
    let bench = bench();
    let shown = |bench: &Bench| {
        let bundle = bench.bundle();
        let view = PlanView { header: bundle.header(), digest: None, samples: &BTreeMap::new(), place: "plan" };
        plan_markdown(&view, 65_000)
    };
    bench.plan().await.expect("planned");
    assert!(!shown(&bench).contains("Manifests changed"), "{}", shown(&bench));
    bench.declare(&policy(20));
    bench.plan().await.expect("planned");
    let text = shown(&bench);
    assert!(text.contains("Manifests changed since plan "), "{text}");
    assert!(
        text.contains("\n-  limits: { maxRecords: 10, maxPercent: 100 }\n+  limits: { maxRecords: 20, maxPercent: 100 }\n"),
        "{text}"
    );
}
