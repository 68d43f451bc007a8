//! The demo, as a newcomer runs it.

#![expect(clippy::disallowed_methods, reason = "a test of the program has to read what it leaves on disk")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use assert_cmd::cargo::CommandCargoExt as _;
use serde_json::Value;

#[path = "support/transcript.rs"]
mod transcript;
use transcript::Said;

/// Runs the demo in a folder, for a project of that name.
fn demo(folder: &Path, project: &str) -> Output {
    let mut command = Command::cargo_bin("sexton").expect("the binary");
    command.args(["demo", project]).current_dir(folder).env("NO_COLOR", "1").output().expect("it runs")
}

/// The first column of a CSV file, with the file's other columns as one text.
fn rows(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).expect("readable");
    text.lines().skip(1).filter_map(|line| line.split_once(',')).map(|(id, rest)| (id.into(), rest.into())).collect()
}

/// What the demo shows below each command that it types.
fn by_command(out: &str) -> Vec<Said> {
    let outputs = out.split("\n$ ").skip(1).filter_map(|part| part.split_once('\n'));
    // Below the last one it says how to go on.
    let outputs = outputs.map(|(_, out)| out.split("\nDone.\n").next().unwrap_or_default());
    outputs.map(|out| Said { out: out.to_owned(), error: String::new() }).collect()
}

#[test]
fn the_demo_goes_from_nothing_to_a_plan_of_zero_and_keeps_what_is_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().join("sexton-demo");
    let output = demo(folder.path(), "sexton-demo");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}\n{error}");

    let plans: Vec<&str> = out.lines().filter(|line| line.starts_with("Plan: ")).collect();
    assert!(!plans[0].starts_with("Plan: 0 to delete"), "{plans:?}");
    assert!(plans.last().expect("a plan").starts_with("Plan: 0 to delete"), "{plans:?}");
    for api in ["sObject Collections", "Bulk API 2.0", "SOAP delete()", "the Batch API"] {
        assert!(out.contains(&format!("  route      {api}, ")), "{api} is taken: {out}");
    }
    let applied = out.lines().find(|line| line.starts_with("Apply: ")).expect("an apply");
    assert!(!["already gone", "skipped", "failed", "unknown"].iter().any(|other| applied.contains(other)), "{applied}");
    for verb in ["validate", "plan", "show", "apply", "state show"] {
        assert!(out.contains(&format!("$ sexton -C sexton-demo {verb}")), "{verb} is shown before its output");
    }

    // The second plan lies on disk: it says which records are held, and none of them was deleted by the run.
    let second: Value = serde_json::from_slice(&fs::read(project.join("plan/plan.json")).expect("a plan")).expect("JSON");
    let cases = second["policies"].as_array().expect("policies").iter().find(|policy| policy["policy"] == "closed-cases");
    let cases = cases.expect("the policy with the hold");
    assert_eq!((&cases["selected"], &cases["matched"]), (&Value::from(0), &cases["holds"][0]["records"]));
    assert!(cases["matched"].as_u64().expect("a count") > 0, "nothing was held, so nothing is shown about holds");
    let held: BTreeSet<String> = out
        .lines()
        .filter_map(|line| line.strip_prefix("    # "))
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert!(!held.is_empty());

    // Beside the run lie the calls that it took, for the next one.
    let entries = fs::read_dir(project.join(".sexton/runs")).expect("runs").map(|entry| entry.expect("an entry").path());
    let runs: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert_eq!(runs.len(), 1);
    let mut deleted = 0;
    for policy in ["closed-cases", "imported-usage", "orphaned-tasks", "removed-assets", "stale-leads"] {
        let outcomes = rows(&runs[0].join(format!("outcomes/{policy}.csv")));
        assert!(outcomes.iter().all(|(id, rest)| rest.starts_with("deleted,") && !held.contains(id)), "{policy}");
        assert!(!outcomes.is_empty(), "{policy} deleted nothing");
        deleted += outcomes.len();
    }
    assert!(applied.starts_with(&format!("Apply: {deleted} deleted;")), "{applied}");
    for left in ["sexton.yaml", ".sexton/state.json", ".gitignore", ".secrets/client-secret"] {
        assert!(project.join(left).exists(), "{left} stays");
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert_eq!(
        transcript::invented(&page, &by_command(&out), &[], false),
        Vec::<String>::new(),
        "README.md shows what the demo does not:\n{out}"
    );
}

#[test]
fn the_demo_is_put_below_the_directory_that_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::cargo_bin("sexton").expect("the binary");
    let output = command.args(["-C", "below", "demo"]).current_dir(folder.path()).output().expect("it runs");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.contains("$ sexton -C below/sexton-demo apply below/sexton-demo/plan "), "{out}");
    assert!(folder.path().join("below/sexton-demo/sexton.yaml").exists());
    assert!(!folder.path().join("sexton-demo").exists());
}

#[test]
fn the_demo_touches_no_directory_that_has_something_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.txt"), "mine").expect("written");
    let output = demo(folder.path(), ".");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "nothing was begun");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing was written");
}
