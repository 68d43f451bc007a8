//! A secret and a record's values, put where sexton comes by, are found nowhere afterwards.

use std::process::Output;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use sexton::sandbox::{Client, Effect, Fault, Permissions, RecordKey, Sandbox, Settings, User, Value, World, WorldBuilder};

use super::service::{Memory, Service, builder, start};
use super::workplace::{Workplace, policy, target};

/// The consumer secret.
const SECRET: &str = "canary-SECRET-7f3a9c1e";
/// The refresh token.
const REFRESH: &str = "canary-REFRESH-0b5d2e8f";
/// What stands in a field that no policy names.
const VALUE: &str = "canary VALUE Zaphod";
/// What stands in the one field that is named for review.
const REVIEWED: &str = "canary REVIEWED Trillian";

/// A world whose client and records are full of canaries.
fn world() -> World {
    let key = WorldBuilder::user_key(1);
    let permissions = Permissions { hard_delete: true, ..Permissions::default() };
    let user = User { key, username: "ada@northwind.example".into(), name: "Ada".into(), active: true, permissions };
    let mut client = Client::confidential("sandbox-client", SECRET, key);
    client.refresh_tokens.push((SecretString::from(REFRESH.to_owned()), key));
    let mut world = builder().user(user).client(client).build().expect("a world");
    for _ in 0..450 {
        let fields = [
            ("LastName", Value::from(VALUE)),
            ("Email", "canary-value@zaphod.example".into()),
            ("City", REVIEWED.into()),
            ("Company", "Old".into()),
        ];
        world.insert("Lead", fields).expect("a lead");
    }
    world
}

/// Everything a project's commands printed.
struct Told<'a> {
    place: &'a Workplace,
    outputs: Vec<(String, Output)>,
}

impl<'a> Told<'a> {
    fn of(place: &'a Workplace) -> Self {
        Self { place, outputs: Vec::new() }
    }

    /// Runs a command as loud as it can be.
    fn run(&mut self, words: &[&str], secret: &str) -> Option<i32> {
        let mut command = self.place.command(words);
        command.arg("-vvv").env("SEXTON_LOG", "trace").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        let output = command.env("CRM_CLIENT_SECRET", secret).output().expect("the program");
        let code = output.status.code();
        self.outputs.push((words.join(" "), output));
        code
    }

    /// Fails where `canary` is in anything printed, or in any file but the excepted ones.
    fn never_has(&self, canary: &str, except: &[&str]) {
        for (words, output) in &self.outputs {
            for (name, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
                let excepted = except.contains(&format!("{name} of {words}").as_str());
                assert!(
                    excepted || !holds(bytes, canary),
                    "{name} of `sexton {words}` has `{canary}`\n{}",
                    String::from_utf8_lossy(bytes)
                );
            }
        }
        for (path, bytes) in self.place.files("") {
            let name = path.display().to_string();
            let excepted = except.iter().any(|place| name == *place);
            assert!(excepted || !holds(&bytes, canary), "{name} has `{canary}`");
        }
    }
}

/// Every character in the encoding of addresses.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every character as a reference of XML.
fn entities(text: &str) -> String {
    text.bytes().map(|byte| format!("&#{byte};")).collect()
}

/// Whether the bytes hold a text: as it is, in base64 as basic authentication has it, in a form's encoding, or with every character
/// encoded.
fn holds(bytes: &[u8], text: &str) -> bool {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let basic = STANDARD.encode(format!("sandbox-client:{text}"));
    [text, &encoded, &basic, &percent(text), &entities(text)]
        .map(str::as_bytes)
        .iter()
        .any(|wanted| bytes.windows(wanted.len()).any(|window| window == *wanted))
}

/// The access tokens that the organization saw, from its log of headers.
fn tokens(memory: &Memory) -> Vec<String> {
    let mut tokens: Vec<String> = memory
        .all()
        .iter()
        .filter_map(|asked| {
            let (_, rest) = asked.headers.split_once("Bearer ")?;
            Some(rest.split('"').next()?.to_owned())
        })
        .collect();
    tokens.sort();
    tokens.dedup();
    tokens
}

fn service() -> (Service, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let service = Service::tapped(Sandbox::new(world(), Settings::starting_at(start())), memory.clone());
    (service, memory)
}

/// What every story here ends with. `shown` are the places where the value named for review may stand.
fn no_canary_sings(told: &Told<'_>, memory: &Memory, secrets_in: &[&str], shown: &[&str]) {
    assert!(told.outputs.iter().any(|(_, output)| holds(&output.stderr, "TRACE")), "the log was not at its loudest");
    for canary in [SECRET, REFRESH] {
        told.never_has(canary, secrets_in);
    }
    told.never_has("zaphod.example", &[]);
    told.never_has(VALUE, &[]);
    told.never_has(REVIEWED, shown);
    let tokens = tokens(memory);
    assert!(!tokens.is_empty(), "nobody signed in");
    for token in tokens {
        told.never_has(&token, &[]);
    }
}

#[test]
fn no_canary_on_the_whole_way_through_collections() {
    let (service, memory) = service();
    let first = first_lead(&service);
    service.sandbox.world().refuse(first, sexton::sandbox::ItemError::new("DELETE_FAILED", "no"), None);
    let place = Workplace::new(&service.url, &policy("via: collections\ngroupBy: LastName"));
    let mut told = Told::of(&place);
    for (words, code) in [
        (vec!["validate"], 0),
        (vec!["plan"], 0),
        (vec!["show"], 0),
        (vec!["show", "--records"], 0),
        (vec!["show", "--format", "markdown"], 0),
        (vec!["apply", "plan"], 3),
        (vec!["state", "show"], 0),
        (vec!["plan", "--json"], 0),
        (vec!["apply", "plan", "--json"], 3),
    ] {
        assert_eq!(told.run(&words, SECRET), Some(code), "{words:?}: {}", place.shown(&told.outputs.last().expect("one").1));
    }
    no_canary_sings(&told, &memory, &[], &[]);
}

fn first_lead(service: &Service) -> RecordKey {
    service.sandbox.world().ids("Lead").next().expect("a lead")
}

#[test]
fn no_canary_on_the_whole_way_through_bulk_jobs_with_the_secret_in_a_file_and_from_a_program() {
    let (service, memory) = service();
    let place =
        Workplace::new(&service.url, &policy("via: bulk2\ndelete: hard\njustification: article 17\nrecheck: unchanged"));
    place.write("secrets/client", &format!("{SECRET}\n"));
    place.write("secrets/refresh", REFRESH);
    let references = |client: &str| target(&service.url).replace("{ env: CRM_CLIENT_SECRET }", client);
    place.write("target.yaml", &references("{ file: secrets/client }"));
    let mut told = Told::of(&place);
    assert_eq!(told.run(&["plan"], "none"), Some(0));
    place.write("target.yaml", &references("{ command: [cat, secrets/client] }"));
    assert_eq!(told.run(&["plan"], "none"), Some(0));
    let (head, _) = target(&service.url)
        .split_once("      clientCredentials")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a target");
    let refresh = "      refreshToken: { clientId: { env: CRM_CLIENT_ID }, refreshToken: { file: secrets/refresh } }\n";
    place.write("target.yaml", &format!("{head}{refresh}"));
    assert_eq!(told.run(&["plan"], "none"), Some(0));
    assert_eq!(told.run(&["apply", "plan", "--confirm-target", "crm"], "none"), Some(0));
    assert_eq!(service.sandbox.world().count("Lead"), 0);
    no_canary_sings(&told, &memory, &["secrets/client", "secrets/refresh"], &[]);
}

#[test]
fn only_the_named_field_is_shown_and_only_where_reviewers_look() {
    let (service, memory) = service();
    let place = Workplace::new(&service.url, &policy("review: { fields: [City] }"));
    let mut told = Told::of(&place);
    for words in
        [vec!["plan"], vec!["show"], vec!["show", "--records"], vec!["show", "--format", "markdown"], vec!["apply", "plan"]]
    {
        assert_eq!(told.run(&words, SECRET), Some(0), "{words:?}");
    }
    assert!(place.read("plan/records/stale-leads.csv").contains(REVIEWED), "reviewers see nothing");
    // The run keeps the bundle as it was reviewed.
    let mut kept =
        std::fs::read_dir(place.path().join(".sexton/plans")).expect("plans").map(|plan| plan.expect("one").file_name());
    let kept = format!(".sexton/plans/{}/records/stale-leads.csv", kept.next().expect("one").display());
    let shown = [
        "plan/records/stale-leads.csv",
        &kept,
        "standard output of plan",
        "standard output of show",
        "standard output of show --records",
        "standard output of show --format markdown",
    ];
    no_canary_sings(&told, &memory, &[], &shown);
}

#[test]
fn no_canary_where_things_go_wrong() {
    let (service, memory) = service();
    let place = Workplace::new(&service.url, &policy(""));
    let mut told = Told::of(&place);
    let echo = |status: u16, body: String| Effect::Respond {
        status,
        content_type: Some("application/json".into()),
        body,
        retry_after: None,
    };
    let token = service.sandbox.access_token(WorldBuilder::user_key(1));
    // What was sent comes back in the words of an error.
    let echoes = [
        ("POST", "*/token", echo(400, format!("{{\"error\":\"invalid_client\",\"error_description\":\"bad {SECRET}\"}}"))),
        ("POST", "*/token", echo(500, format!("<html>client_secret={SECRET}</html>"))),
        // As a code; in the base64 of basic authentication; with every character in the encoding of addresses, and of XML.
        ("POST", "*/token", echo(400, format!("{{\"error\":\"{SECRET}\",\"error_description\":\"bad\"}}"))),
        ("POST", "*/token", echo(401, format!("Basic {}", STANDARD.encode(format!("sandbox-client:{SECRET}"))))),
        ("POST", "*/token", echo(400, format!("{{\"error\":\"x\",\"error_description\":\"bad {}\"}}", percent(SECRET)))),
        ("POST", "*/token", echo(400, format!("{{\"error\":\"x\",\"error_description\":\"bad {}\"}}", entities(SECRET)))),
        ("POST", "*/token", echo(200, format!("{{\"access_token\":\"{SECRET}\"}}"))),
        ("POST", "*/token", echo(200, SECRET.to_owned())),
        (
            "GET",
            "*/describe",
            echo(400, format!("[{{\"errorCode\":\"X\",\"message\":\"{VALUE}\"}}]").replace(VALUE, "no such thing")),
        ),
        ("GET", "*/describe", echo(200, format!("{{\"name\": \"{VALUE}\"}}"))),
    ];
    for (method, path, then) in echoes {
        service.sandbox.add_fault(Fault::on(method, path, then));
        assert_eq!(told.run(&["plan"], SECRET), Some(1), "{method} {path}");
        service.sandbox.clear_faults();
    }
    // A value stands where an id should be.
    let row = format!("{{\"attributes\": {{\"type\": \"Lead\"}}, \"Id\": \"{VALUE}\"}}");
    let answer = format!("{{\"totalSize\": 450, \"done\": true, \"records\": [{}]}}", vec![row; 450].join(","));
    for number in 1..=6 {
        service.sandbox.add_fault(Fault::on("GET", "*/query", echo(200, answer.clone())).nth(number));
        told.run(&["plan", "--out", "other"], SECRET);
        service.sandbox.clear_faults();
    }
    let complaints =
        told.outputs.iter().filter(|(_, output)| holds(&output.stderr, "place of the record's id is not an id"));
    assert!(complaints.count() >= 1, "no row was looked at");
    // A wrong secret, and the secret where the name belongs.
    assert_eq!(told.run(&["plan"], &format!("{SECRET}-but-wrong")), Some(1));
    let mixed = target(&service.url).replace("clientId: { env: CRM_CLIENT_ID }", "clientId: { env: CRM_CLIENT_SECRET }");
    place.write("target.yaml", &mixed);
    assert_eq!(told.run(&["plan"], SECRET), Some(1));
    // A secret written into the manifest itself is refused and not shown, and neither is a token as a flag.
    place.write("target.yaml", &target(&service.url));
    // A token that the organization echoes while it fails.
    let access = target(&service.url);
    let (head, _) = access.split_once("      clientCredentials").expect("a target");
    place.write("target.yaml", &format!("{head}      accessToken: {{ env: CRM_CLIENT_SECRET }}\n"));
    service.sandbox.add_fault(Fault::on("GET", "*/userinfo", echo(500, format!("Authorization: Bearer {token}"))));
    service.sandbox.add_fault(Fault::on(
        "GET",
        "*/describe",
        echo(403, format!("[{{\"errorCode\":\"{token}\",\"message\":\"Bearer {token}\"}}]")),
    ));
    assert_eq!(told.run(&["plan"], &token), Some(1));
    service.sandbox.clear_faults();
    // An apply whose answers echo it.
    assert_eq!(told.run(&["plan"], &token), Some(0));
    service.sandbox.add_fault(Fault::on(
        "DELETE",
        "*",
        echo(403, format!("[{{\"errorCode\":\"NO\",\"message\":\"Bearer {token}\"}}]")),
    ));
    assert_eq!(told.run(&["apply", "plan"], &token), Some(3));
    no_canary_sings(&told, &memory, &[], &[]);
}

#[test]
fn a_literal_secret_in_a_manifest_is_refused_and_not_repeated() {
    let (service, _memory) = service();
    let place = Workplace::new(&service.url, &policy(""));
    place.write("target.yaml", &target(&service.url).replace("{ env: CRM_CLIENT_SECRET }", SECRET));
    let mut told = Told::of(&place);
    for words in [vec!["validate"], vec!["plan"], vec!["validate", "--json"]] {
        assert_eq!(told.run(&words, "none"), Some(1), "{words:?}");
    }
    told.never_has(SECRET, &["target.yaml"]);
}
