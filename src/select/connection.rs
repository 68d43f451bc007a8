//! Systems, signed in to, and what they say about their objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Context;
use super::project::Project;
use crate::base::TargetName;
use crate::base::{CommandError, Exit};
use crate::manifest::Target;
use crate::plan::{Identity, ObjectFacts, SealedTarget};
use crate::provider::{ErrorClass, Provider};

/// One system, signed in to.
pub struct Connection {
    /// The way to it.
    pub provider: Arc<dyn Provider>,
    /// Who and where.
    pub sealed: SealedTarget,
    /// Calls the organization had left when it was signed in to.
    pub calls_left: Option<u64>,
    described: BTreeMap<String, ObjectFacts>,
}

impl Connection {
    /// Signs in to a target and asks who and where.
    pub async fn open(host: &Context, target: &Target, project: &Project) -> Result<Self, CommandError> {
        let provider = host.connector.connect(target, &project.directory, &project.runs_directory());
        let identity: Identity = provider.identify().await.map_err(|error| {
            let exit = if error.class == ErrorClass::WrongSystem { Exit::PlanUnusable } else { Exit::Error };
            let mut converted = CommandError::from(error).with_note(format!("while signing in to target `{}`", target.name));
            converted.exit = exit;
            converted
        })?;
        let sealed = SealedTarget {
            system: target.system.kind(),
            environment: target.environment,
            identity,
            calls: 0,
            least_seconds: None,
        };
        let calls_left = provider.calls_left().await?;
        Ok(Self { provider, sealed, calls_left, described: BTreeMap::new() })
    }

    /// Who and where.
    pub fn identity(&self) -> &Identity {
        &self.sealed.identity
    }

    /// What the system says about an object; asked once.
    pub async fn describe(&mut self, object: &str) -> Result<ObjectFacts, CommandError> {
        if let Some(facts) = self.described.get(object) {
            return Ok(facts.clone());
        }
        let facts = self.provider.describe(object).await?;
        self.described.insert(object.to_owned(), facts.clone());
        Ok(facts)
    }

    /// The same, `None` for an object this login cannot see.
    pub async fn describe_if_visible(&mut self, object: &str) -> Result<Option<ObjectFacts>, CommandError> {
        if let Some(facts) = self.described.get(object) {
            return Ok(Some(facts.clone()));
        }
        match self.provider.describe(object).await {
            Ok(facts) => {
                self.described.insert(object.to_owned(), facts.clone());
                Ok(Some(facts))
            }
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Signs in to every target that a policy or a hold names. A target that none names is left alone.
///
/// # Errors
///
/// Also when two targets are the same organization: a hold on one would not keep the records that a policy deletes through the
/// other.
pub async fn open_all(host: &Context, project: &Project) -> Result<BTreeMap<TargetName, Connection>, CommandError> {
    let workspace = &project.workspace;
    let mut connections: BTreeMap<TargetName, Connection> = BTreeMap::new();
    for (name, target) in &workspace.targets {
        let of_policy = workspace.policies.values().any(|policy| policy.settings.target == *name);
        let of_hold = workspace.holds.values().any(|hold| hold.target == *name);
        if !of_policy && !of_hold {
            continue;
        }
        host.observer.progress(None, &format!("signing in to {name}"), 0, None);
        let connection = Connection::open(host, target, project).await?;
        let id = &connection.identity().organization_id;
        if let Some((twin, _)) = connections.iter().find(|(_, other)| other.identity().organization_id == *id) {
            return Err(CommandError::plain(format!("the targets `{twin}` and `{name}` are the same organization, {id}"))
                .with_note("a hold on one would not keep records that a policy deletes through the other")
                .with_help("declare the organization once, and let policies and holds name that target"));
        }
        connections.insert(name.clone(), connection);
    }
    Ok(connections)
}
