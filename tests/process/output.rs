//! Where output goes, and what form it has.

use std::io::{BufRead, BufReader, Read};
use std::process::{Output, Stdio};

use sexton::sandbox::ItemError;

use super::service::{Service, add_leads};
use super::workplace::{Workplace, policy};

/// Every line of a `--json` output, each checked against the published schema. Standard error is for people.
fn events(place: &Workplace, schema: &jsonschema::Validator, output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    // The schema lets a later version add keys, so that it alone would let an unknown one be `null`.
    assert!(!text.contains(":null"), "nothing is null: {text}");
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for event in &events {
        let errors: Vec<String> = schema.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{event}\n{}", errors.join("\n"));
    }
    assert_eq!(place.told(output), "", "with --json nothing is for people");
    assert_eq!(events.first().map(|event| event["type"].clone()), Some("version".into()));
    events
}

fn types(events: &[serde_json::Value]) -> String {
    let mut types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    types.retain(|kind| *kind != "progress");
    types.dedup();
    types.join(" ")
}

#[test]
fn json_is_one_object_a_line_as_the_schema_says() {
    let (service, keys) = Service::of_leads(5);
    service.sandbox.world().refuse(keys[0], ItemError::new("DELETE_FAILED", "no"), None);
    let place = Workplace::new(&service.url, &policy(""));
    let schema = place.expect(0, &["schema", "output"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(!schema.is_valid(&serde_json::json!({ "type": "no-such-event" })), "the schema takes anything");

    let mut told = Vec::new();
    let mut tell = |code: i32, words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let output = place.expect(code, &words);
        told.push(format!("{code} {}: {}", words.join(" "), types(&events(&place, &schema, &output))));
    };
    tell(0, &["version"]);
    tell(0, &["validate"]);
    tell(1, &["state", "list"]);
    tell(0, &["plan"]);
    tell(2, &["plan", "--out", "again", "--detailed-exitcode"]);
    tell(0, &["check"]);
    tell(0, &["show"]);
    tell(0, &["show", "--records"]);
    tell(0, &["show", "--format", "json"]);
    add_leads(&mut service.sandbox.world(), 1, "Old");
    tell(0, &["plan", "--out", "again"]);
    tell(0, &["diff", "plan", "again"]);
    tell(1, &["apply"]);
    tell(3, &["apply", "plan"]);
    tell(5, &["apply", "plan"]);
    tell(5, &["check"]);
    tell(3, &["apply", "--auto-approve"]);
    tell(0, &["state", "list"]);
    tell(0, &["state", "show"]);
    tell(1, &["state", "rm", "stale-leads"]);
    tell(0, &["force-unlock", "none"]);
    tell(0, &["init", "-C", "../fresh"]);
    tell(1, &["init", "-C", "../fresh"]);
    place.write("policies.yaml", &policy("colour: red"));
    tell(1, &["validate"]);
    tell(1, &["plan"]);
    assert_shown!(told.join("\n"), @"
    0 version --json: version
    0 validate --json: version validation files
    1 state list --json: version error
    0 plan --json: version target policy_planned plan_summary
    2 plan --out again --detailed-exitcode --json: version target policy_planned plan_summary
    0 check --json: version plan_check
    0 show --json: version target policy_planned plan_summary
    0 show --records --json: version target policy_planned plan_summary change
    0 show --format json --json: version target policy_planned plan_summary
    0 plan --out again --json: version target policy_planned plan_summary
    0 diff plan again --json: version change policy_difference
    1 apply --json: version error
    3 apply plan --json: version policy_applied apply_summary
    5 apply plan --json: version error
    5 check --json: version plan_check
    3 apply --auto-approve --json: version target policy_planned plan_summary policy_applied apply_summary
    0 state list --json: version state
    0 state show --json: version state
    1 state rm stale-leads --json: version error
    0 force-unlock none --json: version done
    0 init -C ../fresh --json: version done
    1 init -C ../fresh --json: version error
    1 validate --json: version validation
    1 plan --json: version validation error
    ");
}

#[test]
fn data_goes_to_standard_output_and_everything_else_does_not() {
    let (service, _keys) = Service::of_leads(5);
    let place = Workplace::new(&service.url, &policy(""));
    let validated = place.expect(0, &["validate"]);
    assert_eq!(validated.stdout, b"");
    let planned = place.expect(0, &["plan"]);
    assert_shown!(place.redacted(&String::from_utf8_lossy(&planned.stdout)), @r#"
    target crm: salesforce 00DS00000000001MAA "Sandbox Industries", not production, as admin@sandbox.example

    policy       object  delete  held  how
    stale-leads  Lead         5     0  soft

    policy stale-leads: soft delete of Lead in crm
      where      Company = 'Old'
      matched    5 of 5 records (100 %)
      delete     - 5
      route      sObject Collections, 1 batch of up to 200: 5 records, up to 2,000 go through sObject Collections
      gates      all passed
        - 00QS00000000001MAA
        - 00QS00000000002MAA
        - 00QS00000000003MAA
        - 00QS00000000004MAA
        - 00QS00000000005MAA

    plan [plan] in plan, expires [moment]
    made by ada@desk
    Plan: 5 to delete.
    "#);
    assert_shown!(place.told(&planned), @"
    signing in to crm
    stale-leads: selecting: 5 of 5
    To delete exactly these records: sexton apply plan
    ");
    let applied = place.expect(0, &["apply", "plan"]);
    assert_shown!(place.redacted(&String::from_utf8_lossy(&applied.stdout)), @"
    policy stale-leads:
               5 deleted

    evidence in .sexton/runs/[plan]
    Apply: 5 deleted; 5 planned.
    ");
    assert_shown!(place.told(&applied), @"
    signing in to crm
    stale-leads: selecting: 5 of 5
    stale-leads: deleting: 5 of 5
    stale-leads: settled: 5 of 5
    ");
}

#[test]
fn no_colours_where_no_terminal_is() {
    let (service, _keys) = Service::of_leads(5);
    let place = Workplace::new(&service.url, &policy(""));
    for output in [place.expect(0, &["plan"]), place.expect(0, &["apply", "plan"]), place.expect(5, &["apply", "plan"])] {
        assert!(!place.shown(&output).contains('\u{1b}'), "{}", place.shown(&output));
    }
    place.write("policies.yaml", &policy("colour: red"));
    let output = place.expect(1, &["validate"]);
    assert!(!place.shown(&output).contains('\u{1b}'), "{}", place.shown(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (service, _keys) = Service::of_leads(5_000);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    for words in
        [vec!["show", "--records"], vec!["show", "--records", "--json"], vec!["show"], vec!["schema"], vec!["--help"]]
    {
        let mut child = place.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("piped"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        drop(reader);
        let mut told = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
        assert_eq!(child.wait().expect("its end").code(), Some(0), "sexton {}: {told}", words.join(" "));
        assert_eq!(told, "", "sexton {}", words.join(" "));
    }
}

/// A stream that takes nothing, as that of a full disk.
#[cfg(target_os = "linux")]
fn full() -> Stdio {
    std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device").into()
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error_and_never_a_panic() {
    let (service, _keys) = Service::of_leads(5);
    let place = Workplace::new(&service.url, &policy(""));
    for words in [
        vec!["version"],
        vec!["version", "--json"],
        vec!["--version"],
        vec!["--help"],
        vec!["schema"],
        vec!["validate", "--json"],
        vec!["plan"],
        vec!["plan", "--json"],
        vec!["show"],
        vec!["show", "--records", "--json"],
        vec!["show", "--format", "markdown"],
        vec!["diff", "plan", "plan"],
        vec!["state", "show"],
        vec!["force-unlock", "none", "--json"],
        vec!["apply", "--auto-approve"],
    ] {
        let output = place.command(&words).stdout(full()).output().expect("the program");
        let told = place.told(&output);
        assert_eq!(output.status.code(), Some(1), "sexton {}: {told}", words.join(" "));
        assert!(told.contains("error: not everything could be written to standard output\n  = No space left"), "{told}");
        let status = place.command(&words).stdout(full()).stderr(full()).status().expect("the program");
        assert_eq!(status.code(), Some(1), "sexton {}, with nowhere to tell it", words.join(" "));
    }
    assert_eq!(service.sandbox.world().count("Lead"), 5, "a plan that could not be shown was applied");
    // What is for people alone is nobody's to miss.
    for (code, words) in [
        (0, vec!["validate"]),
        (0, vec!["plan", "-vvv"]),
        (1, vec!["no-such-verb"]),
        (1, vec!["apply"]),
        (1, vec!["show", "nowhere"]),
    ] {
        let status = place.command(&words).stdout(Stdio::null()).stderr(full()).status().expect("the program");
        assert_eq!(status.code(), Some(code), "sexton {}", words.join(" "));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_apply_that_cannot_say_what_it_did_is_3() {
    for more in [&[][..], &["--json"]] {
        let (service, _keys) = Service::of_leads(5);
        let place = Workplace::new(&service.url, &policy(""));
        place.expect(0, &["plan"]);
        let words = [&["apply", "plan"], more].concat();
        let output = place.command(&words).stdout(full()).output().expect("the program");
        let told = place.told(&output);
        assert_eq!(output.status.code(), Some(3), "sexton {}: {told}", words.join(" "));
        assert!(told.contains("the apply itself finished; its evidence is in .sexton/runs/") || !more.is_empty(), "{told}");
        assert_eq!(service.sandbox.world().count("Lead"), 0);
        place.expect(5, &["apply", "plan"]);
    }
    let (service, _keys) = Service::of_leads(5);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let status = place.command(&["apply", "plan"]).stdout(full()).stderr(full()).status().expect("the program");
    assert_eq!((status.code(), service.sandbox.world().count("Lead")), (Some(3), 0));
}

#[test]
fn a_comment_is_as_short_as_it_is_asked_to_be_and_its_totals_are_complete() {
    let (service, _keys) = Service::of_leads(40);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let comment = |most: &str| place.expect(0, &["show", "--format", "markdown", "--max-bytes", most]).stdout;
    assert!(comment("65000").len() > 1_000, "there is nothing to be left out");
    let short = String::from_utf8(comment("1000")).expect("text");
    assert!(short.len() <= 1_000 && short.contains("Plan: 40 to delete") && short.contains("left out"), "{short}");
}

#[test]
fn help_tells_the_verbs_and_the_exit_codes() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    assert_shown!(String::from_utf8_lossy(&place.expect(0, &["--help"]).stdout), @"
    Deletion as code: declare which records must not exist, plan, review, apply

    Usage: sexton [OPTIONS] <COMMAND>

    Commands:
      init          Write a first project, with comments, whose plan passes on the sandbox
      validate      Check the manifests, offline
      plan          Compute which records would be deleted, and write a plan for review
      check         Check that a plan can still be applied, offline
      diff          Compare two plans record by record, offline
      show          Show a plan, as text, JSON or Markdown, offline
      apply         Delete the records of a reviewed plan, and nothing else
      state         Look at what was done, or remove what is no longer needed
      force-unlock  Clear what a dead process left in the lock file
      schema        Print the JSON Schema of the manifests, of plan.json, or of the lines of --json
      sandbox       Serve three simulated systems on loopback: Salesforce, Zuora, Fulcrum
      demo          Walk through everything that a user does, on three simulated systems
      completions   Print a shell completion script
      version       Print the version

    Options:
      -C, --project <DIR>  The directory that holds the manifests [default: .]
          --json           Print JSON instead of text, one object per line
          --color <WHEN>   When to use colours; unless said, on a terminal where the environment
                           variable NO_COLOR is not set [default: auto] [possible values: auto, always,
                           never]
          --no-color       The same as --color never
      -v, --verbose...     Log to standard error; twice for more, three times for every request
      -h, --help           Print help
      -V, --version        Print version

    Start here: `sexton demo` walks through everything on three simulated systems; `sexton init` writes
    a first project.

    Exit codes:
        0  done
        1  error; nothing was deleted by this command
        2  with --detailed-exitcode: there is something to delete (plan), or two plans differ (diff)
        3  the apply ended or broke off; records failed or are unknown, or a policy is not finished
        4  a gate refused
        5  the plan cannot be used (stale, expired, used, altered, for another target or project), or
        another run is unfinished
        6  another process holds the lock or has taken over the run
      130  interrupted; run the same command to continue
    ");
}
