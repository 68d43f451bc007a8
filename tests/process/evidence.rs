//! Who made a plan and who applied it, and a run that found nothing.

use serde_json::{Value, json};
use sexton::sandbox::ItemError;

use super::service::{Service, add_leads};
use super::workplace::{Workplace, policy};

/// The environment of a run of GitHub Actions, and what is kept of it.
const GITHUB: [(&str, &str); 7] = [
    ("USER", "runner"),
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.example"),
    ("GITHUB_REPOSITORY", "acme/retention"),
    ("GITHUB_RUN_ID", "71"),
    ("GITHUB_SHA", "ffac537e6cbbf934b08745a378932722df287a53"),
    ("GITHUB_ACTOR", "grace"),
];

fn runner() -> Value {
    json!({
        "user": "runner", "host": "desk", "pipeline": {
            "service": "GitHub Actions", "run": "https://github.example/acme/retention/actions/runs/71",
            "commit": "ffac537e6cbbf934b08745a378932722df287a53", "startedBy": "grace",
        },
    })
}

fn ada() -> Value {
    json!({"user": "ada", "host": "desk"})
}

fn read(place: &Workplace, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).expect("JSON")
}

fn labels() -> Value {
    json!({"owner": "revops", "regulation": "gdpr-art-17"})
}

/// A project whose policy has labels.
fn labelled(service: &Service) -> Workplace {
    let labels = "metadata: { name: stale-leads, labels: { owner: revops, regulation: gdpr-art-17 } }";
    Workplace::new(&service.url, &policy("").replace("metadata: { name: stale-leads }", labels))
}

fn in_pipeline(place: &Workplace, words: &[&str]) {
    let output = place.command(words).envs(GITHUB).output().expect("the program");
    assert_eq!(output.status.code(), Some(0), "{}", place.shown(&output));
}

#[test]
fn a_plan_says_who_made_it_and_its_run_who_applied_it() {
    let (service, _) = Service::of_leads(3);
    let place = labelled(&service);
    place.expect(0, &["plan"]);
    let header = read(&place, "plan/plan.json");
    assert_eq!((&header["madeBy"], &header["policies"][0]["labels"]), (&ada(), &labels()));
    let shown = place.shown(&place.expect(0, &["show", "--format", "markdown"]));
    assert!(shown.contains("- labels: owner=revops, regulation=gdpr-art-17"), "{shown}");
    assert!(shown.contains(" by ada&#64;desk; nothing left out."), "{shown}");
    in_pipeline(&place, &["apply", "plan"]);
    let state = read(&place, ".sexton/state.json");
    assert_eq!((&state["consumed"][0]["startedBy"], &state["consumed"][0]["finishedBy"]), (&runner(), &runner()));
    assert_eq!(state["policies"]["stale-leads"]["runs"][0]["labels"], labels());
    let journal = place.files(".sexton/runs").into_iter().find(|(path, _)| path.display().to_string().contains("/journal/"));
    let journal = String::from_utf8(journal.expect("a journal").1).expect("text");
    let opened = journal.lines().find(|line| line.contains("runOpened")).expect("an opening");
    assert_eq!(serde_json::from_str::<Value>(opened).expect("JSON")["event"]["by"], runner());
    let shown = place.shown(&place.expect(0, &["state", "show"]));
    assert!(
        shown.contains("  by runner@desk in GitHub Actions (https://github.example/acme/retention/actions/runs/71, commit ")
    );
    in_pipeline(&place, &["plan"]);
    assert_eq!(read(&place, "plan/plan.json")["madeBy"], runner());
}

#[test]
fn a_scheduled_run_that_finds_nothing_is_a_run() {
    let (service, _) = Service::of_leads(3);
    add_leads(&mut service.sandbox.world(), 2, "Young");
    let place = labelled(&service);
    in_pipeline(&place, &["apply", "--auto-approve"]);
    let before = read(&place, ".sexton/state.json");
    for _ in 0..2 {
        in_pipeline(&place, &["apply", "--auto-approve"]);
    }
    let state = read(&place, ".sexton/state.json");
    let history = &state["policies"]["stale-leads"];
    let deleted: Vec<u64> = history["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| run["tally"]["deleted"].as_u64().expect("a count"))
        .collect();
    assert_eq!((deleted, state["consumed"].as_array().map(Vec::len)), (vec![3, 0, 0], Some(3)));
    assert_eq!(state["consumed"][2]["finishedBy"], runner());
    assert!(history["runs"].as_array().expect("runs").iter().all(|run| run["labels"] == labels()), "{history}");
    // It counted nothing, so that what an earlier one left stays what is known.
    assert_eq!((&history["population"], &before["policies"]["stale-leads"]["population"]), (&2.into(), &2.into()));
    let plan = state["consumed"][2]["plan"].as_str().expect("a digest")[..12].to_owned();
    let outcomes = place.read(&format!(".sexton/runs/{plan}/outcomes/stale-leads.csv"));
    assert_eq!(outcomes, "Id,Outcome,Cause,Code,Message,Evidence,Plan\n");
    // What matches later is found by the next one.
    add_leads(&mut service.sandbox.world(), 2, "Old");
    in_pipeline(&place, &["apply", "--auto-approve"]);
    assert_eq!(service.sandbox.world().count("Lead"), 2);
}

#[test]
fn what_failed_stays_open_through_a_run_that_finds_nothing() {
    let (service, keys) = Service::of_leads(3);
    let place = labelled(&service);
    service.sandbox.world().refuse(keys[0], ItemError::new("DELETE_FAILED", "a trigger says no"), None);
    place.expect(3, &["apply", "--auto-approve"]);
    let open = || read(&place, ".sexton/state.json")["policies"]["stale-leads"]["open"].clone();
    let failed = open();
    assert_eq!(failed[0]["id"], keys[0].to_string());
    place.write(
        "hold.yaml",
        "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: acme }\n\
         spec: { target: crm, object: Lead, filter: Company = 'Old', reason: the lawsuit }\n",
    );
    place.expect(0, &["apply", "--auto-approve"]);
    assert_eq!(open(), failed);
}
