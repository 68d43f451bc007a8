//! What a person sees when something is wrong: what happened, where, how many, and what to do next.

use std::process::Stdio;

use sexton::sandbox::{Client, Effect, Fault, Permissions, User, World, WorldBuilder};

#[cfg(target_os = "linux")]
use super::operating::shell;
use super::service::{Service, builder};
use super::workplace::{Workplace, policy};

/// What `sexton plan` says when it fails with 1.
fn plan_fails(place: &Workplace) -> String {
    let output = place.expect(1, &["plan"]);
    assert_eq!(output.stdout, b"", "{}", place.shown(&output));
    place.told(&output)
}

/// The same, of an organization where one thing goes wrong.
fn plan_fails_with(fault: Fault) -> String {
    let (service, _keys) = Service::of_leads(3);
    service.sandbox.add_fault(fault);
    plan_fails(&Workplace::new(&service.url, &policy("")))
}

/// The same, with another way to sign in.
fn sign_in_fails(auth: &str) -> String {
    let (service, _keys) = Service::of_leads(3);
    sign_in_to(&service, auth)
}

fn sign_in_to(service: &Service, auth: &str) -> String {
    let place = Workplace::new(&service.url, &policy(""));
    place.write("jwt.pem", include_str!("../fixtures/jwt_test_only_private_key.pem"));
    place.write("empty.txt", "\n");
    let target = super::workplace::target(&service.url);
    let (head, _) = target.split_once("      clientCredentials").expect("a target");
    place.write("target.yaml", &format!("{head}      {auth}\n"));
    plan_fails(&place)
}

fn world_with(user: User) -> World {
    let client = Client::confidential("sandbox-client", "sandbox-secret", user.key);
    builder().user(user).client(client).build().expect("a world")
}

fn user(active: bool, permissions: Permissions) -> User {
    let key = WorldBuilder::user_key(1);
    User { key, username: "ada@northwind.example".into(), name: "Ada".into(), active, permissions }
}

#[test]
fn every_refused_login_says_what_to_mend() {
    let told = [
        sign_in_fails("clientCredentials: { clientId: { env: CRM_CLIENT_ID }, clientSecret: { env: CRM_CLIENT_ID } }"),
        sign_in_fails("clientCredentials: { clientId: { env: USER }, clientSecret: { env: CRM_CLIENT_SECRET } }"),
        sign_in_fails("refreshToken: { clientId: { env: CRM_CLIENT_ID }, refreshToken: { env: USER } }"),
        sign_in_fails(
            "jwt: { clientId: { env: CRM_CLIENT_ID }, username: ada@northwind.example, privateKey: { file: jwt.pem } }",
        ),
        sign_in_fails(
            "jwt: { clientId: { env: CRM_CLIENT_ID }, username: ada@northwind.example, privateKey: { env: USER } }",
        ),
        sign_in_fails("accessToken: { env: USER }"),
        sign_in_fails("sfCli: { targetOrg: crm }"),
        sign_in_to(&Service::of(world_with(user(false, Permissions::default()))), CREDENTIALS),
        sign_in_to(
            &Service::of(world_with(user(true, Permissions { api_enabled: false, ..Permissions::default() }))),
            CREDENTIALS,
        ),
    ];
    assert_shown!(told.join("\n"), @"
    signing in to crm
    error: could not sign in: HTTP 400 invalid_client: invalid client credentials
      = while signing in to target `crm`
      help: check the app's consumer key and secret, and the user it runs as

    signing in to crm
    error: could not sign in: HTTP 400 invalid_client_id: client identifier invalid
      = while signing in to target `crm`
      help: check the app's consumer key and secret, and the user it runs as

    signing in to crm
    error: could not sign in: HTTP 400 invalid_grant: expired access/refresh token
      = while signing in to target `crm`
      help: the refresh token was revoked, has expired, or was used up, where the app rotates refresh tokens: make a new one; a pipeline is better served by `clientCredentials` or `jwt`

    signing in to crm
    error: could not sign in: HTTP 400 invalid_grant: invalid assertion
      = while signing in to target `crm`
      help: check the app's consumer key and secret, and the user it runs as

    signing in to crm
    error: could not sign in: the private key cannot sign: it must be an RSA key in PEM, without a passphrase
      = while signing in to target `crm`

    signing in to crm
    error: could not find out which organization this login is for: HTTP 401 INVALID_SESSION_ID: Session expired or invalid
      = while signing in to target `crm`
      help: sign in again

    signing in to crm
    error: could not take the Salesforce CLI's login for `crm`: `sf` cannot be run: No such file or directory (os error 2)
      = while signing in to target `crm`
      help: install the Salesforce CLI and sign in with `sf org login web`, or choose another `auth`

    signing in to crm
    error: could not sign in: HTTP 400 invalid_grant: inactive user
      = while signing in to target `crm`
      help: the user is switched off in the org: switch it on, or sign in as another one

    signing in to crm
    error: could not describe Lead: HTTP 403 API_DISABLED_FOR_ORG: The REST API is not enabled for this Organization.
      = in policy `stale-leads`
      help: grant `API Enabled` to the user, and check that the org's edition has this API
    ");
}

const CREDENTIALS: &str =
    "clientCredentials: { clientId: { env: CRM_CLIENT_ID }, clientSecret: { env: CRM_CLIENT_SECRET } }";

#[test]
fn every_secret_that_cannot_be_had_names_its_place() {
    let with_secret = |reference: &str| {
        sign_in_fails(&format!("clientCredentials: {{ clientId: {{ env: CRM_CLIENT_ID }}, clientSecret: {reference} }}"))
    };
    let told = [
        with_secret("{ env: NOT_SET }"),
        with_secret("{ file: not-there.txt }"),
        with_secret("{ file: empty.txt }"),
        with_secret("{ command: [no-such-program, get, crm] }"),
        with_secret("{ command: [sh, -c, 'echo swordfish; exit 3'] }"),
    ];
    assert!(!told.concat().contains("swordfish"));
    assert_shown!(told.join("\n"), @"
    signing in to crm
    error: could not find a secret: the environment variable `NOT_SET` is not set
      = while signing in to target `crm`

    signing in to crm
    error: could not find a secret: the secret file `not-there.txt` cannot be read: No such file or directory (os error 2)
      = while signing in to target `crm`

    signing in to crm
    error: could not find a secret: the secret file `empty.txt` is empty
      = while signing in to target `crm`

    signing in to crm
    error: could not find a secret: the secret program `no-such-program` cannot be run: No such file or directory (os error 2)
      = while signing in to target `crm`

    signing in to crm
    error: could not find a secret: the secret program `sh` failed (exit status: 3); run it by hand to see why
      = while signing in to target `crm`
    ");
}

#[test]
fn a_system_that_cannot_be_reached_or_is_down_says_so() {
    let place = Workplace::new("http://127.0.0.1:9", &policy(""));
    let told = [
        plan_fails(&place),
        plan_fails_with(Fault::on("GET", "*/query", Effect::Unavailable { retry_after: Some(3_600) })),
        plan_fails_with(Fault::on("GET", "*/query", Effect::DailyLimit)),
        plan_fails_with(Fault::on("GET", "*/describe", Effect::TooManyRequests { retry_after: Some(3_600) })),
        plan_fails_with(Fault::on("GET", "*/describe", respond(500, "text/html", "<html><b>oops</b></html>"))),
        plan_fails_with(Fault::on("GET", "*/describe", respond(302, "text/html", ""))),
        plan_fails_with(Fault::on("GET", "*/describe", respond(200, "application/json", "{\"name\": 7}"))),
        plan_fails_with(Fault::on("GET", "*/describe", Effect::Truncate { bytes: 100 })),
    ];
    assert_shown!(told.join("\n"), @"
    signing in to crm
    error: could not sign in: no connection to [host]: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
      = while signing in to target `crm`
      help: check `loginUrl`, the network and any proxy; nothing was sent

    signing in to crm
    error: could not find out which organization this login is for: HTTP 503: Down For Maintenance
      = while signing in to target `crm`
      help: the system asks to be left alone for 60 minutes: run the same command again after that

    signing in to crm
    error: could not find out which organization this login is for: HTTP 403 REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.
      = while signing in to target `crm`
      help: the org's daily API requests are used up; run the same command again later, as the 24-hour window moves on

    signing in to crm
    error: could not describe Lead: HTTP 429 REQUEST_LIMIT_EXCEEDED: Too many requests.
      = in policy `stale-leads`
      help: the system asks to be left alone for 60 minutes: run the same command again after that

    signing in to crm
    error: could not describe Lead: HTTP 500: a page without a title
      = in policy `stale-leads`
      help: the problem is on the system's side: run the same command again, and show its vendor this message if it persists

    signing in to crm
    error: could not describe Lead: HTTP 302: the system points to another address, which is not followed
      = in policy `stale-leads`
      help: set `loginUrl` to the org's own My Domain host

    signing in to crm
    error: could not describe Lead: the answer is not what was asked for (line 1, column 10)
      = in policy `stale-leads`

    signing in to crm
    error: could not describe Lead: the answer is cut off
      = in policy `stale-leads`
    ");
}

pub fn respond(status: u16, content_type: &str, body: &str) -> Effect {
    Effect::Respond { status, content_type: Some(content_type.into()), body: body.into(), retry_after: None }
}

#[test]
fn a_selection_that_is_not_proven_whole_is_no_plan() {
    let told = [
        plan_fails_with(Fault::on("GET", "*/query", Effect::ShortPage { rows: 1 })),
        plan_fails_with(Fault::on("GET", "*/query", Effect::WrongTotal { by: 5 })),
    ];
    assert_shown!(told.join("\n"), @"
    signing in to crm
    error: could not find out which organization this login is for: the answer is not one whole page
      = while signing in to target `crm`
      help: nothing was changed; run the same command again

    signing in to crm
    error: could not find out which organization this login is for: the answer is not one whole page
      = while signing in to target `crm`
      help: nothing was changed; run the same command again
    ");
}

#[test]
fn manifests_that_do_not_fit_the_system_show_the_place() {
    let (service, _keys) = Service::of_leads(3);
    let with = |from: &str, to: &str| plan_fails(&Workplace::new(&service.url, &policy("").replace(from, to)));
    let told = [
        with("Company = 'Old'", "Company = 'Old' AND Colour__c = 'red'"),
        with(
            "filter: Company = 'Old'",
            "filter:\n    all:\n      - { field: Company, equals: Old }\n      - { field: Colour__c, equals: red }",
        ),
        with("filter: Company = 'Old'", "filter:\n    all:\n      - { field: IsConverted, equals: 'yes, please' }"),
        with("object: Lead", "object: Leed"),
        with("filter: Company = 'Old'", "filter: Company > 5"),
        plan_fails(&Workplace::new(&service.url, &policy("review: { fields: [Colour__c] }"))),
        plan_fails(&Workplace::new(&service.url, &policy("colour: red"))),
        plan_fails(&Workplace::new("http://crm.example.com", &policy(""))),
    ];
    assert_shown!(told.join("\n"), @r#"
    signing in to crm
    error[Q0101]: Lead has no field `Colour__c`, or this login may not see it
     --> policies.yaml:7:11
      |
    7 |   filter: Company = 'Old' AND Colour__c = 'red'
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not a field of the object

    1 error
    error: the manifests do not fit the system

    signing in to crm
    error[Q0101]: Lead has no field `Colour__c`, or this login may not see it
      --> policies.yaml:10:18
       |
    10 |       - { field: Colour__c, equals: red }
       |                  ^^^^^^^^^ not a field of the object

    1 error
    error: the manifests do not fit the system

    signing in to crm
    error[Q0102]: the filter does not fit the field `IsConverted` of Lead
     --> policies.yaml:9:18
      |
    9 |       - { field: IsConverted, equals: 'yes, please' }
      |                  ^^^^^^^^^^^ `IsConverted` is a yes-or-no field and does not take text
      |
      = help: write `true` or `false` without quotes

    1 error
    error: the manifests do not fit the system

    signing in to crm
    error[Q0103]: policy `stale-leads`: Salesforce has no object `Leed`, or this login may not see it
     --> policies.yaml:6:11
      |
    6 |   object: Leed
      |           ^^^^ not an object that can be read
      |
      = note: Salesforce answered: could not describe Leed: HTTP 404 NOT_FOUND: The requested resource does not exist
      = help: check the name `Leed` (custom objects end in `__c`), and that this user may read the object

    1 error
    error: the manifests do not fit the system

    signing in to crm
    error: could not count Lead records: HTTP 400 INVALID_FIELD: SELECT COUNT() FROM Lead WHERE Company > 5 ^ ERROR at Row:1:Column:32 value of filter criterion for field 'Company' must be of type string and should be enclosed in quotes
      = in policy `stale-leads`

    signing in to crm
    error: Lead has no field `Colour__c`, or this login may not see it
      = in policy `stale-leads`
      help: correct `review.fields` of the policy, or grant the login read access to the field

    error[M0101]: a deletion policy has no key `colour`
     --> policies.yaml:9:3
      |
    9 |   colour: red
      |   ^^^^^^ unknown key
      |
      = note: known here: `target`, `object`, `filter`, `delete`, `justification`, `allOrNone`, `limits`, `via`, `batchSize`, `concurrency`, `groupBy`, `dependsOn`, `recheck`, `sendAs`, `review`, `accept`, `reviewBy`
      = help: delete it, or move it where it belongs

    1 error
    error: the manifests in . have 1 mistake

    error[M0305]: `loginUrl` must be `https://` and a host
     --> target.yaml:7:15
      |
    7 |     loginUrl: [org]
      |               ^^^^^^^^^^^^^^^^^^^^^^ plain `http` would send secrets in the clear
      |
      = help: write it as in `https://example.my.salesforce.com`; `http://` is for loopback addresses only

    1 error
    error: the manifests in . have 1 mistake
    "#);
}

#[test]
fn what_is_no_plan_says_so() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    let mut told = vec![place.told(&place.expect(1, &["apply", "plan"]))];
    told.push(place.told(&place.expect(1, &["-C", "nowhere", "plan"])));
    place.write("plan/notes.txt", "mine");
    told.push(place.told(&place.expect(1, &["apply", "plan"])));
    told.push(place.told(&place.expect(1, &["plan"])));
    std::fs::remove_dir_all(place.path().join("plan")).expect("removed");
    for words in [
        &["plan", "--out", "."][..],
        &["plan", "--out", "policies.yaml"],
        &["apply", "policies.yaml"],
        &["check", "policies.yaml"],
    ] {
        told.push(place.told(&place.expect(1, words)));
    }
    let left = place.files("").into_iter().filter(|(path, _)| path.to_string_lossy().contains(".new-"));
    assert_eq!(left.count(), 0);
    place.expect(0, &["plan"]);
    for words in [["apply", "plan/plan.json"], ["show", "plan/plan.json"]] {
        told.push(place.told(&place.expect(1, &words)));
    }
    // A directory that holds nothing but a plan may be the current one.
    let mut command = place.command(&["-C", "..", "plan", "--out", "."]);
    assert!(command.current_dir(place.path().join("plan")).status().expect("the program").success());
    let header = place.read("plan/plan.json");
    place.write("plan/plan.json", "{ \"format\": 1 }");
    told.push(place.told(&place.expect(5, &["show"])));
    place.write(
        "plan/plan.json",
        &header.replacen("\"format\": 1", "\"format\": 99", 1).replacen("\"format\":1", "\"format\":99", 1),
    );
    told.push(place.told(&place.expect(5, &["show"])));
    assert_shown!(told.join("\n"), @"
    error: there is no plan at `plan`: make one with `sexton plan`

    error: there is no directory `nowhere`
      help: name the directory that holds the manifests, or begin a project with `sexton -C DIR init`

    error: `plan` is not a plan: it has no `plan.json`

    error: `plan` holds `notes.txt`, which is not part of a plan and would be lost: choose another directory, or move it away

    error: `.` holds `.sexton`, which is not part of a plan and would be lost: choose another directory, or move it away

    error: `policies.yaml` is a file, and a plan is a directory: name a directory, as in `sexton plan --out plan` and then `sexton apply plan`

    error: `policies.yaml` is a file, and a plan is a directory: name a directory, as in `sexton plan --out plan` and then `sexton apply plan`

    error: `policies.yaml` is a file, and a plan is a directory: name a directory, as in `sexton plan --out plan` and then `sexton apply plan`

    error: `plan/plan.json` is a file, and a plan is a directory: name the directory that it is in, `plan`

    error: `plan/plan.json` is a file, and a plan is a directory: name the directory that it is in, `plan`

    error: `plan.json` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again

    error: `plan.json` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again
    ");
}

#[test]
fn a_damaged_state_is_not_guessed_at() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let state = place.read(".sexton/state.json");
    let mut told = Vec::new();
    for damaged in
        ["{", "", &state.replacen("\"version\": 1", "\"version\": 99", 1).replacen("\"version\":1", "\"version\":99", 1)]
    {
        place.write(".sexton/state.json", damaged);
        told.push(place.told(&place.expect(1, &["apply", "plan"])));
    }
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(told.join("\n"), @"
    error: `.sexton/state.json` is damaged: EOF while parsing an object at line 1 column 1
      help: restore it from a backup

    error: `.sexton/state.json` is damaged: EOF while parsing a value at line 1 column 0
      help: restore it from a backup

    error: `.sexton/state.json` was written by a newer sexton (format 99; this one knows 1)
      help: use a newer sexton
    ");
}

#[test]
fn nobody_to_ask_is_a_no() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    let mut command = place.command(&["apply"]);
    let output = command.stdin(Stdio::null()).output().expect("the program");
    assert_eq!(output.status.code(), Some(1));
    let told = place.told(&output);
    let told: Vec<&str> =
        told.lines().filter(|line| !line.contains("selecting") && !line.starts_with("To delete")).collect();
    let json = place.expect(1, &["apply", "--json"]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(format!("{}\n{}", told.join("\n"), String::from_utf8_lossy(&json.stdout)), @r#"
    signing in to crm
    error: there is no terminal to ask for confirmation; nothing was deleted
      help: name the reviewed plan, as in `sexton apply plan`, or add --auto-approve
    {"type":"version","formatVersion":"1.0","sexton":"0.1.0"}
    {"type":"error","exitCode":1,"message":"cannot ask for confirmation with --json","notes":[],"help":"name a reviewed plan, as in `sexton apply plan --json`, or add --auto-approve"}
    "#);
}

/// Somebody types this at a terminal, which `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_only_the_whole_word_is_a_yes() {
    use std::io::Write as _;
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    // Not every machine has it; where it is missing nobody can be asked.
    if !shell(&place, "command -v script").output().is_ok_and(|found| found.status.success()) {
        return;
    }
    for (typed, code, left) in [("", 1, 3), ("\n", 1, 3), ("y\n", 1, 3), ("yes please\n", 1, 3), ("yes\n", 0, 0)] {
        let mut command = shell(&place, "script -qefc 'sexton apply' /dev/null");
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
        process.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("typed");
        let output = process.wait_with_output().expect("ended");
        let shown = place.shown(&output);
        assert!(shown.contains("Delete 3 records? Type `yes` to confirm:"), "{typed:?}: {shown}");
        assert_eq!((output.status.code(), service.sandbox.world().count("Lead")), (Some(code), left), "{typed:?}: {shown}");
    }
}

#[test]
fn init_keeps_what_is_there() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    place.write("sexton.yaml", "# mine\n");
    let output = place.expect(1, &["init"]);
    assert_eq!(place.read("sexton.yaml"), "# mine\n");
    assert_shown!(place.told(&output), @"
    error: ./sexton.yaml already exists and was left as it is
      help: edit it, or begin in another directory with `sexton -C DIR init`
    ");
}

#[test]
fn a_mistyped_command_line_says_what_was_meant() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    let told: Vec<String> = [
        vec!["plna"],
        vec!["plan", "--detailed-exit-code"],
        vec!["show", "--format", "html"],
        vec!["state"],
        vec!["state", "show", "stale-lead"],
        vec!["state", "rm", "stale-leads"],
        vec!["force-unlock", "9f2c"],
        vec!["-C", "/nowhere/at/all", "plan"],
        vec!["sandbox", "--listen", "0.0.0.0:8800"],
        vec!["sandbox", "--generate", "Leed=3"],
    ]
    .iter()
    .map(|words| format!("$ sexton {}\n{}", words.join(" "), place.told(&place.run(words))))
    .collect();
    assert_shown!(told.join("\n"), @"
    $ sexton plna
    error: unrecognized subcommand 'plna'

      tip: a similar subcommand exists: 'plan'

    Usage: sexton [OPTIONS] <COMMAND>

    For more information, try '--help'.

    $ sexton plan --detailed-exit-code
    error: unexpected argument '--detailed-exit-code' found

      tip: a similar argument exists: '--detailed-exitcode'

    Usage: sexton plan --detailed-exitcode

    For more information, try '--help'.

    $ sexton show --format html
    error: invalid value 'html' for '--format <FORMAT>'
      [possible values: human, json, markdown]

    For more information, try '--help'.

    $ sexton state
    Look at what was done, or remove what is no longer needed

    Usage: sexton state [OPTIONS] <COMMAND>

    Commands:
      list     List the policies, one line each
      show     Show everything, or one policy
      rm       Forget the history of a policy that is no longer declared
      prune    Remove what is kept of runs that ended long ago
      abandon  Abandon an unfinished run: settle what was sent, and send nothing more

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

    $ sexton state show stale-lead
    error: there is no state yet
      help: the first `sexton plan` creates it

    $ sexton state rm stale-leads
    error: policy `stale-leads` is still declared; its history was left as it is
      help: the history feeds gates and the next plan's comparison; remove the policy from the manifests first

    $ sexton force-unlock 9f2c
    no process holds the lock, and nothing was left in it

    $ sexton -C /nowhere/at/all plan
    error: there is no directory `/nowhere/at/all`
      help: name the directory that holds the manifests, or begin a project with `sexton -C DIR init`

    $ sexton sandbox --listen 0.0.0.0:8800
    error: 0.0.0.0 is not a loopback address
      help: the sandbox has well-known secrets and no encryption; listen on 127.0.0.1 or [::1]

    $ sexton sandbox --generate Leed=3
    error: the sandbox cannot be built
      = the world cannot be built
      = there is no object `Leed`
    ");
}

#[test]
fn a_list_of_ids_with_mistakes_is_told_by_validate_once_and_before_anything_is_asked() {
    let place =
        Workplace::new("http://127.0.0.1:1", &policy("").replace("Company = 'Old'", "{ ids: { file: ticket.csv } }"));
    place.write("ticket.csv", "Id\n00Q000000000001EAA\n00Q000000000001EAB\n00Q000000000001\n");
    let told = place.told(&place.expect(1, &["validate"]));
    assert!(told.contains("line 3: the id has a wrong checksum"), "{told}");
    place.write("ticket.csv", "Id\n00Q000000000001EAA\n00Q000000000001\n");
    let output = place.expect(1, &["validate", "--json"]);
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &serde_json::Value| line["type"] == "validation")
        .collect();
    let [validation] = &lines[..] else { panic!("{lines:?}") };
    assert!(validation.to_string().contains("is on line 2 as well"), "{validation}");
}
