//! `sexton demo`: the main job on the embedded sandbox, through the same code a user runs.

use std::ffi::OsString;
use std::path::Path;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::arguments::DemoArguments;
use super::{Output, machine};
use crate::base::Clock;
use crate::base::{CommandError, Exit};
use crate::report::Palette;
use crate::sandbox::fulcrum::Organization;
use crate::sandbox::seed::{GeneratedRecords, Seed};
use crate::sandbox::{Sandbox, Tenant};
use crate::store;

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

/// Runs the demo.
pub async fn demo(arguments: &DemoArguments, output: &Output) -> Result<Exit, CommandError> {
    let directory = &arguments.directory;
    store::make_empty_directory(directory)?;
    let now = machine::MachineClock.now();
    let wrong = |error: &dyn std::error::Error| CommandError::plain("the demo's sandbox cannot be built").caused_by(error);
    // The way `sexton sandbox --generate` goes, so that the command shown at the end serves the same records.
    let generated = RECORDS.map(|(object, count)| GeneratedRecords { object: object.to_owned(), count });
    let (world, settings) = Seed::default().with_generated(generated).build(now).map_err(|error| wrong(&error))?;
    let sandbox = Sandbox::new(world, settings);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| wrong(&error))?;
    let address = listener.local_addr().map_err(|error| wrong(&error))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(crate::sandbox::serve(listener, sandbox, async {
        let _ = stopped.await;
    }));

    let url = format!("http://{address}");
    write_project(directory, &url)?;
    let palette = output.palette();
    let place = directory.display().to_string();
    output.text(&format!(
        "Three simulated systems answer on {url} in this process: a Salesforce org, a Zuora tenant, a Fulcrum organization.\n\
         The project is in {place}: five policies, one hold.\n"
    ));
    let mut last = Exit::Done;
    for words in [
        vec!["validate"],
        vec!["plan"],
        vec!["show", "--format", "markdown", "--max-bytes", "900"],
        vec!["apply", "PLAN", "--confirm-target", "billing", "--confirm-target", "field-data"],
        vec!["state", "show"],
        vec!["plan"],
    ] {
        last = run_shown(&words, directory, palette, output).await;
        if last != Exit::Done {
            break;
        }
    }
    let _ = stop.send(());
    let _ = server.await;
    if last == Exit::Done {
        output.text(&how_to_go_on(&place, address.port(), palette));
    }
    Ok(last)
}

/// Prints a command, then runs it as if it had been typed.
async fn run_shown(words: &[&str], directory: &Path, palette: Palette, output: &Output) -> Exit {
    let plan = directory.join("plan");
    let mut typed: Vec<OsString> = vec!["sexton".into(), "-C".into(), directory.into()];
    typed.extend(words.iter().map(|word| if *word == "PLAN" { plan.clone().into() } else { (*word).into() }));
    let shown: Vec<String> = typed.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    output.text(&format!("\n{}\n", palette.strong(&format!("$ {}", shown.join(" ")))));
    Box::pin(super::run::run_typed(typed)).await
}

fn write_project(directory: &Path, url: &str) -> Result<(), CommandError> {
    let manifest = include_str!("demo.yaml").replace("http://127.0.0.1:8800", url);
    store::write_atomically(&directory.join("sexton.yaml"), manifest.as_bytes())?;
    let secrets = directory.join(".secrets");
    store::make_directory(&secrets)?;
    for (name, secret) in SECRETS {
        store::write_atomically(&secrets.join(name), format!("{secret}\n").as_bytes())?;
    }
    store::write_atomically(&directory.join(".gitignore"), b".secrets/\n")?;
    Ok(())
}

fn how_to_go_on(place: &str, port: u16, palette: Palette) -> String {
    let generate: Vec<String> = RECORDS
        .iter()
        .map(|(object, count)| {
            let quote = if object.contains(' ') { "'" } else { "" };
            format!("--generate {quote}{object}={count}{quote}")
        })
        .collect();
    format!(
        "\n{}\nThe project stays in {place}. To go on by hand, serve the same records again in one terminal:\n\n    \
         sexton sandbox --listen 127.0.0.1:{port} {}\n\nand in another one look at {place}/sexton.yaml, then:\n\n    \
         sexton -C {place} plan\n",
        palette.strong("Done."),
        generate.join(" ")
    )
}
