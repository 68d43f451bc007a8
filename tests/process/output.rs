//! Where output goes, and what form it has.

use std::io::{BufRead, BufReader, Read};
use std::process::{Output, Stdio};

use sexton::sandbox::ItemError;

use super::service::{Service, add_leads};
use super::workplace::{Workplace, policy};

/// Every line of a `--json` output, each checked against the published schema. Standard error is for people.
fn events(place: &Workplace, schema: &jsonschema::Validator, output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
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
    tell(0, &["show"]);
    tell(0, &["show", "--records"]);
    tell(0, &["show", "--format", "json"]);
    add_leads(&mut service.sandbox.world(), 1, "Old");
    tell(0, &["plan", "--out", "again"]);
    tell(0, &["diff", "plan", "again"]);
    tell(1, &["apply"]);
    tell(3, &["apply", "plan"]);
    tell(5, &["apply", "plan"]);
    tell(3, &["apply", "--auto-approve"]);
    tell(0, &["state", "list"]);
    tell(0, &["state", "show"]);
    tell(1, &["state", "rm", "stale-leads"]);
    tell(0, &["force-unlock", "none"]);
    tell(0, &["init", "-C", "fresh"]);
    tell(1, &["init", "-C", "fresh"]);
    place.write("policies.yaml", &policy("colour: red"));
    tell(1, &["validate"]);
    tell(1, &["plan"]);
    assert_shown!(told.join("\n"), @"");
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

    policy stale-leads: soft delete of Lead in crm
      where     Company = 'Old'
      matched   5 of 5 records (100.00 %)
      delete    - 5
      route     sObject Collections, 1 batch of up to 200: 5 records, up to 2,000 go through sObject Collections
      gate      passed  5 records, at most 5,000 may go
      gate      passed  5 of 5 records, at most 100 % may go
      gate      passed  this login may delete `Lead`
      gate      passed  organization 00DS00000000001MAA (Sandbox Industries) is not production
      gate      passed  `Lead` has 5 records
      gate      passed  the policy names no `reviewBy`
      gate      passed  no cascade that cannot be followed leads to a held record
        - 00QS00000000001MAA
        - 00QS00000000002MAA
        - 00QS00000000003MAA
        - 00QS00000000004MAA
        - 00QS00000000005MAA

    plan [plan] in ./plan, expires [moment]
    Plan: 5 to delete, 0 held.
    "#);
    assert_shown!(place.told(&planned), @"
    signing in to crm
    stale-leads: selecting: 5 of 5
    To delete exactly these records: sexton apply ./plan
    ");
    let applied = place.expect(0, &["apply", "plan"]);
    assert_shown!(place.redacted(&String::from_utf8_lossy(&applied.stdout)), @"
    policy stale-leads:
               5 deleted

    evidence in ./runs/[plan]
    Apply: 5 deleted, 0 already gone, 0 skipped, 0 failed, 0 unknown; 5 planned.
    ");
    assert_shown!(place.told(&applied), @"
    signing in to crm
    stale-leads: selecting: 5 of 5
    stale-leads: deleting: 5 of 5
    stale-leads: done: 5 of 5
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

#[test]
fn help_tells_what_a_command_does_and_takes() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    let help = |words: &[&str]| String::from_utf8_lossy(&place.expect(0, words).stdout).into_owned();
    let texts = [
        help(&["--help"]),
        help(&["plan", "--help"]),
        help(&["apply", "--help"]),
        help(&["show", "--help"]),
        help(&["state", "--help"]),
    ];
    assert_shown!(texts.join("\n------\n"), @"
    Deletion as code: declare which records must not exist, plan, review, apply

    Usage: sexton [OPTIONS] <COMMAND>

    Commands:
      init          Write a first manifest into the project
      validate      Check the manifests, offline
      plan          Compute which records would be deleted, compare with the last plan, and write the
                    bundle; changes nothing in any system
      diff          Compare two bundles record by record
      show          Show a bundle
      apply         Delete the records of a plan, and nothing else
      state         Look at or tidy what sexton knows it has done
      force-unlock  Clear the lock of a process that is gone
      schema        Print the JSON Schema of the manifests
      sandbox       Serve a simulated Salesforce on loopback
      demo          Run the main job on the embedded sandbox, from an empty directory to a second plan
                    that finds nothing
      completions   Print a shell completion script
      version       Print the version

    Options:
      -C, --project <DIR>  The project: the directory that holds the manifests [default: .]
          --json           Print one JSON object a line instead of text
          --no-color       Never use colours (so does the environment variable NO_COLOR)
      -v, --verbose...     Log to standard error; twice for more, three times for every request
      -h, --help           Print help
      -V, --version        Print version

    Exit codes: 0 done, 1 error and nothing was deleted, 2 deletions are present (plan
    --detailed-exitcode),
    3 some records failed or are unknown, 4 a gate refused, 5 the plan cannot be used, 6 the lock is
    held,
    130 interrupted: run the same command to continue.

    ------
    Compute which records would be deleted, compare with the last plan, and write the bundle; changes
    nothing in any system

    Usage: sexton plan [OPTIONS]

    Options:
          --out <DIR>          Where to write the bundle [default: the project's plan directory]
          --detailed-exitcode  Exit with 2 when there is something to delete
      -C, --project <DIR>      The project: the directory that holds the manifests [default: .]
          --json               Print one JSON object a line instead of text
          --no-color           Never use colours (so does the environment variable NO_COLOR)
      -v, --verbose...         Log to standard error; twice for more, three times for every request
      -h, --help               Print help
      -V, --version            Print version

    ------
    Delete the records of a plan, and nothing else

    Usage: sexton apply [OPTIONS] [PLAN]

    Arguments:
      [PLAN]  The bundle to apply; without one, a plan is made, shown and asked about

    Options:
          --auto-approve           Do not ask; hard deletes also need --confirm-target
          --confirm-target <NAME>  Confirm a target by its name, for hard deletes without a question
      -C, --project <DIR>          The project: the directory that holds the manifests [default: .]
          --json                   Print one JSON object a line instead of text
          --no-color               Never use colours (so does the environment variable NO_COLOR)
      -v, --verbose...             Log to standard error; twice for more, three times for every request
      -h, --help                   Print help
      -V, --version                Print version

    ------
    Show a bundle

    Usage: sexton show [OPTIONS] [PLAN]

    Arguments:
      [PLAN]
              The bundle [default: the project's plan directory]

    Options:
          --format <FORMAT>
              How to show it

              Possible values:
              - human:    Text for people
              - json:     One JSON object a line
              - markdown: Markdown for a pull request comment
              
              [default: human]

          --max-bytes <N>
              The most bytes of Markdown; GitHub takes 65,536
              
              [default: 65000]

          --records
              Print every record id instead of a sample

      -C, --project <DIR>
              The project: the directory that holds the manifests
              
              [default: .]

          --json
              Print one JSON object a line instead of text

          --no-color
              Never use colours (so does the environment variable NO_COLOR)

      -v, --verbose...
              Log to standard error; twice for more, three times for every request

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    ------
    Look at or tidy what sexton knows it has done

    Usage: sexton state [OPTIONS] <COMMAND>

    Commands:
      list  One line a policy
      show  Everything, or one policy
      rm    Forget the history of a policy that is no longer declared

    Options:
      -C, --project <DIR>  The project: the directory that holds the manifests [default: .]
          --json           Print one JSON object a line instead of text
          --no-color       Never use colours (so does the environment variable NO_COLOR)
      -v, --verbose...     Log to standard error; twice for more, three times for every request
      -h, --help           Print help
      -V, --version        Print version
    ");
}
