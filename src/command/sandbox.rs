//! `sexton sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit, with_thousands};
use crate::report::SandboxView;
use crate::sandbox::seed::{GeneratedRecords, Seed, read_directory};
use crate::sandbox::{self, Fault, Tenant, fulcrum};
use crate::store;

/// Serve three simulated systems on loopback: Salesforce, Zuora, Fulcrum
#[derive(Clone, Debug, Args)]
pub struct Sandbox {
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8800", value_name = "ADDR")]
    listen: SocketAddr,
    /// A directory with world.yaml and CSV files named after objects, those of other systems in zuora/ and fulcrum/
    #[arg(long, value_name = "PATH")]
    seed: Option<PathBuf>,
    /// Generate records, as in Lead=1000, zuora/Usage=1000 or 'fulcrum/Park Inventory=1000'; may be repeated
    #[arg(long, value_name = "OBJECT=N")]
    generate: Vec<String>,
    /// Everything that the vendors may do and seldom do, at once: locks, late counters, queries that lag, …
    #[arg(long)]
    harsh: bool,
    /// What ids, tokens, locks and the order of rows are drawn from; the same number replays them
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
    /// A YAML file of faults to inject
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

impl Verb for Sandbox {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        if !self.listen.ip().is_loopback() {
            return Err(CommandError::plain(format!("{} is not a loopback address", self.listen.ip()))
                .with_help("the sandbox has well-known secrets and no encryption; listen on 127.0.0.1 or [::1]"));
        }
        let sandbox = self.build(shell)?;
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            CommandError::plain(format!("cannot listen on {}", self.listen))
                .caused_by(&error)
                .with_help("name another port, as in `--listen 127.0.0.1:0`, which takes a free one")
        })?;
        let address =
            listener.local_addr().map_err(|error| CommandError::plain("the listener has no address").caused_by(&error))?;
        let stop = shell.stop();
        let objects = record_counts(&sandbox);
        shell.show(&SandboxView {
            url: format!("http://{address}"),
            client_id: "sandbox-client".into(),
            objects: objects.iter().cloned().collect(),
        })?;
        shell.note("Salesforce: client id sandbox-client, client secret sandbox-secret, unless a seed says otherwise");
        shell.note(&format!("Zuora: user {}, password {}, tenant {}", Tenant::USERNAME, Tenant::PASSWORD, Tenant::ID));
        shell.note(&format!("Fulcrum: token {}", fulcrum::Organization::TOKEN));
        for (object, count) in objects {
            shell.note(&format!("{:>12}  {object}", with_thousands(count)));
        }
        shell.note("Press Ctrl-C to stop it; nothing is kept.");
        sandbox::serve(listener, sandbox, stop.cancelled())
            .await
            .map_err(|error| CommandError::plain("the sandbox stopped").caused_by(&error))?;
        Ok(Exit::Done)
    }
}

/// The objects that have records, those of other systems than Salesforce with their system.
fn record_counts(sandbox: &sandbox::Sandbox) -> Vec<(String, u64)> {
    let (world, tenant, organization) = (sandbox.world(), sandbox.zuora(), sandbox.fulcrum());
    let salesforce = world.objects().into_iter().map(|name| (name.to_owned(), world.count(name)));
    let zuora = tenant.objects().map(|name| (format!("zuora/{name}"), tenant.count(name)));
    let fulcrum = organization.forms().map(|form| (format!("fulcrum/{}", form.name), organization.count(&form.name)));
    salesforce.chain(zuora).chain(fulcrum).filter(|(_, count)| *count > 0).collect()
}

impl Sandbox {
    /// The sandbox that the arguments describe.
    fn build(&self, shell: &dyn Shell) -> Result<sandbox::Sandbox, CommandError> {
        let wrong = |error: &dyn std::error::Error| CommandError::plain("the sandbox cannot be built").caused_by(error);
        let mut seed = match &self.seed {
            Some(directory) => {
                let files = read_directory(directory).map_err(|error| {
                    CommandError::plain(format!("the seed {} cannot be read", directory.display())).caused_by(&error)
                })?;
                Seed::from_files(files).map_err(|error| wrong(&error))?
            }
            None => Seed::default(),
        };
        if self.harsh {
            seed = seed.harsh();
        }
        if let Some(number) = self.random_seed {
            seed = seed.drawn_from(number);
        }
        for wanted in &self.generate {
            let generated: GeneratedRecords = wanted.parse().map_err(|error| wrong(&error))?;
            seed = seed.with_generated([generated]);
        }
        let (world, mut settings) = seed.build(shell.clock().now()).map_err(|error| wrong(&error))?;
        if let Some(path) = &self.faults {
            let text = store::read_text(&shell.place(path))?;
            settings.faults.extend(Fault::read_all(&text).map_err(|error| wrong(&error))?);
        }
        Ok(sandbox::Sandbox::new(world, settings))
    }
}
