//! `sexton sandbox`: simulated systems on loopback.

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::arguments::SandboxArguments;
use super::{Output, machine};
use crate::base::{Clock, with_thousands};
use crate::base::{CommandError, Exit};
use crate::report::JsonEvent;
use crate::sandbox::seed::{GeneratedRecords, Seed, read_directory};
use crate::sandbox::{Fault, Sandbox, Tenant, fulcrum};

/// Serves until interrupted.
pub async fn serve(arguments: &SandboxArguments, output: &Output) -> Result<Exit, CommandError> {
    if !arguments.listen.ip().is_loopback() {
        return Err(CommandError::plain(format!("{} is not a loopback address", arguments.listen.ip()))
            .with_help("the sandbox has well-known secrets and no encryption; listen on 127.0.0.1 or [::1]"));
    }
    let now = machine::MachineClock.now();
    let sandbox = build(arguments, now)?;
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        CommandError::plain(format!("cannot listen on {}", arguments.listen))
            .caused_by(&error)
            .with_help("name another port, as in `--listen 127.0.0.1:0`, which takes a free one")
    })?;
    let address =
        listener.local_addr().map_err(|error| CommandError::plain("the listener has no address").caused_by(&error))?;
    let url = format!("http://{address}");
    let objects = record_counts(&sandbox);
    if output.is_json() {
        output.event(&JsonEvent::Sandbox {
            url,
            client_id: "sandbox-client".into(),
            objects: objects.into_iter().collect(),
        });
    } else {
        output.text(&format!("listening on {url}\n"));
        output.note("Salesforce: client id sandbox-client, client secret sandbox-secret, unless a seed says otherwise");
        output.note(&format!("Zuora: user {}, password {}, tenant {}", Tenant::USERNAME, Tenant::PASSWORD, Tenant::ID));
        output.note(&format!("Fulcrum: token {}", fulcrum::Organization::TOKEN));
        for (object, count) in objects {
            output.note(&format!("{:>12}  {object}", with_thousands(count)));
        }
        output.note("Ctrl-C ends it; nothing is kept.");
    }
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    crate::sandbox::serve(listener, sandbox, stop)
        .await
        .map_err(|error| CommandError::plain("the sandbox stopped").caused_by(&error))?;
    Ok(Exit::Done)
}

/// The objects that have records, those of other systems than Salesforce with their system.
fn record_counts(sandbox: &Sandbox) -> Vec<(String, u64)> {
    let (world, tenant, organization) = (sandbox.world(), sandbox.zuora(), sandbox.fulcrum());
    let salesforce = world.objects().into_iter().map(|name| (name.to_owned(), world.count(name)));
    let zuora = tenant.objects().map(|name| (format!("zuora/{name}"), tenant.count(name)));
    let fulcrum = organization.forms().map(|form| (format!("fulcrum/{}", form.name), organization.count(&form.name)));
    salesforce.chain(zuora).chain(fulcrum).filter(|(_, count)| *count > 0).collect()
}

/// The sandbox that the arguments describe.
fn build(arguments: &SandboxArguments, now: Timestamp) -> Result<Sandbox, CommandError> {
    let wrong = |error: &dyn std::error::Error| CommandError::plain("the sandbox cannot be built").caused_by(error);
    let mut seed = match &arguments.seed {
        Some(directory) => {
            let files = read_directory(directory).map_err(|error| {
                CommandError::plain(format!("the seed {} cannot be read", directory.display())).caused_by(&error)
            })?;
            Seed::from_files(files).map_err(|error| wrong(&error))?
        }
        None => Seed::default(),
    };
    for wanted in &arguments.generate {
        let generated: GeneratedRecords = wanted.parse().map_err(|error| wrong(&error))?;
        seed = seed.with_generated([generated]);
    }
    let (world, mut settings) = seed.build(now).map_err(|error| wrong(&error))?;
    if let Some(path) = &arguments.faults {
        let text = crate::store::read_text(path)?;
        settings.faults.extend(Fault::read_all(&text).map_err(|error| wrong(&error))?);
    }
    Ok(Sandbox::new(world, settings))
}
