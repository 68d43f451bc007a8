//! The commands of `docs/operating.md`, one after the other, in a repository of their own.

use std::path::Path;
use std::process::{Command, Stdio};

use sexton::sandbox::{Effect, Fault, Value};

use super::service::Service;
use super::stage::{send, wait_until};
use super::workplace::{Workplace, policy};

/// What the page asks for, in its order.
#[derive(Debug, PartialEq)]
enum Step {
    /// A command line and the code it ends with.
    Run(String, i32),
    /// A file and its text.
    Write(String, String),
    /// An apply that is killed.
    Crash(String),
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(told) = line.strip_prefix("<!-- the test kills an apply of ") {
            steps.push(Step::Crash(told.split_whitespace().next().expect("a plan").to_owned()));
        } else if line == "```console" {
            for line in lines.by_ref().take_while(|line| *line != "```") {
                let typed = line.strip_prefix("$ ").unwrap_or_else(|| panic!("no command: {line}"));
                let (typed, code) = match typed.split_once("# exit code ") {
                    Some((typed, told)) => (typed, told[..1].parse().expect("a code")),
                    None => (typed, 0),
                };
                steps.push(Step::Run(typed.trim().to_owned(), code));
            }
        } else if line == "```yaml" {
            let name = lines.next().and_then(|line| line.strip_prefix("# ")).expect("the name of a file");
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            steps.push(Step::Write(name.to_owned(), text.join("\n") + "\n"));
        }
    }
    steps
}

/// A command line in a shell, where `sexton` and `git` are found.
pub fn shell(place: &Workplace, line: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_sexton")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a path"));
    let mut command = place.command(&[]);
    let variables: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = Command::new("sh");
    command.arg("-c").arg(line).current_dir(place.path()).env_clear();
    for (name, value) in variables {
        command.env(name, value.unwrap_or_default());
    }
    for (name, value) in [("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")] {
        command.env(name, value).env(name.replace("AUTHOR", "COMMITTER"), value);
    }
    command.env("PATH", path);
    command
}

fn run(place: &Workplace, line: &str, code: i32) {
    let output = shell(place, line).output().expect("a shell");
    assert_eq!(output.status.code(), Some(code), "{line}\n{}", place.shown(&output));
}

/// More old records, of which one may be held.
fn add_leads(service: &Service) {
    let mut world = service.sandbox.world();
    for name in ["Held", "Free", "Free"] {
        world.insert("Lead", [("LastName", Value::from(name)), ("Company", "Old".into())]).expect("a lead");
    }
}

#[test]
fn every_command_of_the_page_can_be_typed_in_its_order() {
    let page = include_str!("../../docs/operating.md");
    let (service, _) = Service::of_leads(40);
    for _ in 0..2 {
        let fields = [("LastName", Value::from("Free")), ("Company", "Gone".into())];
        service.sandbox.world().insert("Lead", fields).expect("a lead");
    }
    let place = Workplace::new(&service.url, &policy(""));
    run(&place, "git init -q -b main && git init -q --bare ../origin.git && git remote add origin ../origin.git", 0);
    run(&place, "git add -A && git commit -q -m Begin && git push -q -u origin main", 0);
    let steps = steps(page);
    assert!(steps.len() > 30, "{steps:?}");
    for step in steps {
        match step {
            Step::Run(line, code) => {
                run(&place, &line, code);
                if line.starts_with("sexton apply") && code == 0 {
                    add_leads(&service);
                }
            }
            Step::Write(name, text) => place.write(&name, &text),
            Step::Crash(plan) => crash(&service, &place, &plan),
        }
    }
    let held = service.sandbox.world().ids("Lead").count();
    assert!(held > 0, "the hold keeps what it names");
}

/// Plans, applies, and kills the apply while its first deletion is under way.
pub fn crash(service: &Service, place: &Workplace, plan: &str) {
    run(place, &format!("sexton plan --out {plan}"), 0);
    service.sandbox.add_fault(Fault::on(
        "DELETE",
        "/services/data/*/composite/sobjects",
        Effect::Delay { milliseconds: 4_000 },
    ));
    let deletions = || service.sandbox.requests().iter().filter(|request| request.method == "DELETE").count();
    let before = deletions();
    let mut apply = place.command(&["apply", plan]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("a process");
    wait_until("a deletion", || deletions() > before);
    assert!(send("-KILL", apply.id()));
    assert!(!apply.wait().expect("ended").success());
    service.sandbox.clear_faults();
}
