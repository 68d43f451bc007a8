//! `sexton demo`: everything that a user does, on the embedded sandbox and through the same code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Form, Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::report::{Heading, PlainText, terminal_line};
use crate::sandbox::fulcrum::Organization;
use crate::sandbox::seed::{GeneratedRecords, Seed};
use crate::sandbox::{Sandbox, Tenant, serve};
use crate::store::{self, Place};

/// Walk through everything that a user does, on three simulated systems
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Where to put the demo project, below the directory of -C; must be empty or absent
    #[arg(default_value = "sexton-demo")]
    directory: PathBuf,
}

/// The demo's records, in the order in which they are made: the first tasks find nobody to belong to.
const RECORDS: [(&str, u32); 8] = [
    ("Task", 1_500),
    ("Account", 400),
    ("Task", 2_500),
    ("Case", 4_000),
    ("Lead", 30_000),
    ("zuora/Account", 40),
    ("zuora/Usage", 6_000),
    ("fulcrum/Park Inventory", 3_000),
];

/// What the project refers to as secrets.
const SECRETS: [(&str, &str); 4] = [
    ("client-id", "sandbox-client"),
    ("client-secret", "sandbox-secret"),
    ("billing-password", Tenant::PASSWORD),
    ("field-data-token", Organization::TOKEN),
];

/// What is typed, in this order. `PLAN` stands for the plan's directory.
const LINES: [&[&str]; 6] = [
    &["validate"],
    &["plan"],
    &["show", "--format", "markdown", "--max-bytes", "2000"],
    &["apply", "PLAN", "--confirm-target", "billing", "--confirm-target", "field-data"],
    &["state", "show"],
    &["plan"],
];

impl Verb for Demo {
    fn form(&self) -> Form {
        Form::Text
    }

    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let below = shell.project();
        // As people type it, without `./`.
        let directory = if below == Path::new(".") { self.directory.clone() } else { below.join(&self.directory) };
        let directory = &directory;
        let place = shell.place(directory);
        store::make_empty_directory(&place)?;
        let wrong =
            |error: &dyn std::error::Error| CommandError::plain("the demo's sandbox cannot be built").caused_by(error);
        // The way `sexton sandbox --generate` goes, so that the command shown at the end serves the same records.
        let generated = RECORDS.map(|(object, count)| GeneratedRecords { object: object.to_owned(), count });
        let seed = Seed::default().with_generated(generated);
        let (world, settings) = seed.build(shell.clock().now()).map_err(|error| wrong(&error))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| wrong(&error))?;
        let address = listener.local_addr().map_err(|error| wrong(&error))?;
        let url = format!("http://{address}");
        write_project(&place, &url)?;
        let place = terminal_line(&directory.display().to_string()).into_owned();
        shell.show(&PlainText(&format!(
            "In this process, three simulated systems answer on\n{url}: a Salesforce org, a Zuora tenant,\nand a Fulcrum \
             organization.\nThe project is in {place}: five policies, one hold.\n"
        )))?;
        let ended = CancellationToken::new();
        let served = serve(listener, Sandbox::new(world, settings), ended.cancelled());
        let typed = async {
            let exit = type_lines(directory, shell).await;
            ended.cancel();
            exit
        };
        let (_, exit) = tokio::join!(served, typed);
        let exit = exit?;
        if exit == Exit::Done {
            shell.show(&Heading("Done."))?;
            shell.show(&PlainText(&how_to_go_on(&place, address.port())))?;
        }
        Ok(exit)
    }
}

/// Types every line until one does not end well, and shows each before its output.
async fn type_lines(directory: &Path, shell: &dyn Shell) -> Result<Exit, CommandError> {
    let plan = directory.join("plan");
    let mut exit = Exit::Done;
    for words in LINES {
        let mut typed: Vec<OsString> = vec!["sexton".into(), "-C".into(), directory.into()];
        typed.extend(words.iter().map(|word| if *word == "PLAN" { plan.clone().into() } else { (*word).into() }));
        let shown: Vec<_> = typed.iter().map(|word| word.to_string_lossy()).collect();
        shell.show(&Heading(&format!("$ {}", shown.join(" "))))?;
        exit = shell.run(typed).await;
        if exit != Exit::Done {
            break;
        }
        if shell.stop().is_cancelled() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(exit)
}

fn write_project(directory: &Place, url: &str) -> Result<(), CommandError> {
    let manifest = include_str!("demo.yaml").replace("http://127.0.0.1:8800", url);
    let write = |place: &Place, text: &str| store::write_atomically(place, text.as_bytes(), &std::process::id().to_string());
    write(&directory.join("sexton.yaml"), &manifest)?;
    let secrets = directory.join(".secrets");
    store::make_directory(&secrets)?;
    for (name, secret) in SECRETS {
        write(&secrets.join(name), &format!("{secret}\n"))?;
    }
    write(&directory.join(".gitignore"), ".secrets/\n")?;
    Ok(())
}

fn how_to_go_on(place: &str, port: u16) -> String {
    let generate: Vec<String> = RECORDS
        .iter()
        .map(|(object, count)| {
            let quote = if object.contains(' ') { "'" } else { "" };
            format!("--generate {quote}{object}={count}{quote}")
        })
        .collect();
    format!(
        "The project stays in {place}. To continue by hand, serve the same records again in one terminal:\n\n    \
         sexton sandbox --listen 127.0.0.1:{port} {}\n\nand in another one look at {place}/sexton.yaml, then:\n\n    \
         sexton -C {place} plan\n",
        generate.join(" ")
    )
}
