//! Systems, signed in to, and what they say about their objects.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

use super::ProjectContext;
use super::memo::Memo;
use super::read_error::ReadError;
use crate::apply::Presence;
use crate::base::{CommandError, Exit};
use crate::base::{RecordId, TargetName};
use crate::filter::Language;
use crate::manifest::Target;
use crate::plan::{
    Count, IdList, Identity, MissingIds, ObjectFacts, Permission, PlannedQuery, Population, Query, SealedTarget,
};
use crate::provider::{Completeness, ErrorClass, Provider, ProviderError, RowSink};
use crate::system::{Capabilities, DeleteMode};

/// How many objects are described at once at most; a system may take fewer.
const DESCRIBED_AT_ONCE: usize = 16;

/// The systems of a project that are signed in to.
pub type Connections = BTreeMap<TargetName, Connection>;

/// One system, signed in to. Any number of policies may ask it at once: the same question is sent once, and no more requests are
/// under way than the system takes well.
pub struct Connection {
    /// The way to it.
    pub provider: Arc<dyn Provider>,
    /// Who and where.
    pub sealed: SealedTarget,
    /// Calls the organization had left when it was signed in to; `None` where it does not say.
    pub calls_left: Option<u64>,
    /// One for each request that may be under way. Nobody waits for anything else while holding one.
    requests: Semaphore,
    /// The calls that counts and selections took so far: one a page.
    reads: AtomicU64,
    described: Memo<Result<Arc<ObjectFacts>, ProviderError>>,
    populations: Memo<Population>,
    /// The counts that could not be had, by object and condition, with the reasons. Each took minutes.
    uncounted: Mutex<BTreeMap<(String, Option<String>), String>>,
    permissions: Memo<Permission>,
    /// Of lists that holds name, by object and digest, the ids that match no record. Only people are told of it, so that it is asked once.
    missing: Memo<MissingIds>,
}

impl Connection {
    /// Signs in to a target and asks who and where.
    ///
    /// # Errors
    ///
    /// When it refuses, or is another organization than the target is pinned to.
    pub async fn open(project: &ProjectContext<'_>, target: &Target) -> Result<Self, CommandError> {
        let (directory, store) = (project.project.directory.path(), project.project.store(&project.context));
        let provider = project.context.connector.connect(target, directory, store);
        let identity: Identity = provider.identify().await.map_err(|error| {
            let exit = if error.class == ErrorClass::WrongSystem { Exit::PlanUnusable } else { Exit::Error };
            let mut converted = CommandError::from(error).with_note(format!("while signing in to target `{}`", target.name));
            converted.exit = exit;
            converted
        })?;
        if let Some(warning) = provider.sign_in_warning() {
            project.context.observer.warn(&format!("target `{}`: {warning}", target.name));
        }
        let sealed = SealedTarget {
            system: target.system.kind(),
            environment: target.environment,
            identity,
            calls: 0,
            least_seconds: None,
        };
        let calls_left = provider.calls_left().await?;
        Ok(Self::new(provider, sealed, calls_left))
    }

    fn new(provider: Arc<dyn Provider>, sealed: SealedTarget, calls_left: Option<u64>) -> Self {
        // What a system takes well of deletions it takes of reads.
        let at_once = provider.capabilities().routes.iter().map(|route| route.parallel).max().unwrap_or(1).max(1);
        Self {
            provider,
            sealed,
            calls_left,
            requests: Semaphore::new(at_once as usize),
            reads: AtomicU64::new(0),
            described: Memo::default(),
            populations: Memo::default(),
            uncounted: Mutex::default(),
            permissions: Memo::default(),
            missing: Memo::default(),
        }
    }

    /// Who and where.
    pub fn identity(&self) -> &Identity {
        &self.sealed.identity
    }

    /// What the system can do.
    pub fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    /// The language in which it takes conditions.
    pub fn language(&self) -> Language {
        Language::of(self.capabilities().system)
    }

    /// How many calls it takes to read so many records, without the count before.
    fn pages(&self, records: u64) -> u64 {
        records.div_ceil(self.capabilities().page_size.max(1)).max(1)
    }

    /// How many calls it takes to select what a query means, of which there are so many records: one to count them and one a page; of a
    /// list, one for each part of it, and one more for those of its records that are missing.
    pub fn selection_calls(&self, query: &PlannedQuery, records: u64) -> u64 {
        match query.listed() {
            Some(ids) => 2 * ids.div_ceil(self.language().ids_at_once() as u64),
            None => 1 + self.pages(records),
        }
    }

    /// How many calls counts and selections took so far, as estimated by the records that they gave.
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Does one request as soon as the system may have one more.
    async fn ask<T>(&self, request: impl Future<Output = T>) -> T {
        // It is never closed; were it, nothing would be lost but the bound.
        let _permit = self.requests.acquire().await;
        request.await
    }

    /// What the system says about an object; asked once, also when the answer is that there is none.
    ///
    /// # Errors
    ///
    /// Of class [`ErrorClass::NotFound`] for an object that is not there, or that this login cannot see.
    pub async fn describe(&self, object: &str) -> Result<Arc<ObjectFacts>, ProviderError> {
        let described = self.described.get(object, || async {
            match self.ask(self.provider.describe(object)).await {
                Err(error) if error.class != ErrorClass::NotFound => Err(error),
                answer => Ok(answer.map(Arc::new)),
            }
        });
        described.await?
    }

    /// The same, `None` for an object this login cannot see.
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub async fn describe_if_visible(&self, object: &str) -> Result<Option<Arc<ObjectFacts>>, ProviderError> {
        match self.describe(object).await {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same of several objects, in their order.
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub async fn describe_each(&self, objects: &[&str]) -> Result<Vec<Option<Arc<ObjectFacts>>>, ProviderError> {
        let described = stream::iter(objects.iter().map(|object| self.describe_if_visible(object)));
        described.buffered(DESCRIBED_AT_ONCE).try_collect().await
    }

    /// How many records an object has; asked once. Where it cannot be counted, about how many the system says.
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub async fn population(&self, object: &str) -> Result<Population, ProviderError> {
        let key = self.capabilities().key.to_owned();
        let everything = Query { object: object.to_owned(), key, fields: Vec::new(), condition: None };
        let asked = self.populations.get(object, || async {
            if let Count::Exact(records) = self.count(&everything).await? {
                return Ok(Population::Exact(records));
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
            let about = self.ask(self.provider.approximate_count(object)).await?;
            Ok(about.map_or(Population::Unknown, Population::About))
        });
        asked.await
    }

    /// How many records match now. What could not be counted is not asked for again.
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub async fn count(&self, query: &Query) -> Result<Count, ProviderError> {
        let asked = (query.object.clone(), query.condition.clone());
        let known = self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).get(&asked).cloned();
        if let Some(reason) = known {
            return Ok(Count::Unknown(reason));
        }
        self.reads.fetch_add(1, Ordering::Relaxed);
        let count = self.ask(self.provider.count(query)).await?;
        if let Count::Unknown(reason) = &count {
            tracing::info!(object = query.object, reason, "records cannot be counted");
            self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).insert(asked, reason.clone());
        }
        Ok(count)
    }

    /// Streams every matching record; see [`crate::provider::ReadHalf::select`].
    ///
    /// # Errors
    ///
    /// When it is not proven that they all came.
    pub async fn select(
        &self,
        query: &Query,
        expected: &Count,
        rows: &mut dyn RowSink,
    ) -> Result<Completeness, ProviderError> {
        let proof = self.ask(self.provider.select(query, expected.exact().unwrap_or(u64::MAX), rows)).await;
        // How many pages there were is known by the rows; of a read that failed, by what was expected.
        let records = proof.as_ref().map_or(expected.exact().unwrap_or_default(), |proof| proof.declared);
        self.reads.fetch_add(self.pages(records), Ordering::Relaxed);
        proof
    }

    /// Whether records are there; see [`crate::provider::ReadHalf::check_presence`].
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub(super) async fn check_presence(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.ask(self.provider.check_presence(object, ids)).await
    }

    /// Which ids of a list match no record of an object; asked once.
    ///
    /// # Errors
    ///
    /// When the system does not answer, or the ids cannot be read.
    pub(super) async fn missing_of<I: Iterator<Item = io::Result<RecordId>>>(
        &self,
        list: &IdList,
        object: &str,
        ids: impl FnOnce() -> I,
    ) -> Result<MissingIds, ReadError> {
        let name = format!("{object} {}", list.digest);
        let asked = self.missing.get(&name, || async {
            let (mut missing, mut ids) = (MissingIds::default(), ids());
            loop {
                let part: io::Result<Vec<RecordId>> = ids.by_ref().take(self.capabilities().presence_size.max(1)).collect();
                let part = part.map_err(|error| {
                    ReadError::Other(CommandError::plain("the ids of a list could not be read back").caused_by(&error))
                })?;
                if part.is_empty() {
                    return Ok(missing);
                }
                for (id, presence) in part.iter().zip(self.check_presence(object, &part).await?) {
                    match presence {
                        Presence::Present => {}
                        Presence::InBin => missing.already_gone += 1,
                        Presence::Absent => missing.add_not_found(*id),
                    }
                }
            }
        });
        asked.await
    }

    /// Whether this login may hard delete records of an object, for the gate; `None` where that is not what is asked for. Asked
    /// once.
    ///
    /// # Errors
    ///
    /// When the system does not answer.
    pub async fn hard_delete_permission(
        &self,
        object: &str,
        delete: DeleteMode,
    ) -> Result<Option<Permission>, ProviderError> {
        if delete == DeleteMode::Soft {
            return Ok(None);
        }
        let asked = self.permissions.get(object, || async {
            match self.ask(self.provider.check_permission(object, DeleteMode::Hard)).await {
                Ok(()) => Ok(Permission::Granted),
                Err(error) if error.class == ErrorClass::Denied => {
                    Ok(Permission::Denied(error.help.unwrap_or(error.message)))
                }
                Err(error) => Err(error),
            }
        });
        asked.await.map(Some)
    }
}

/// Signs in to every target that a policy or a hold names. A target that none names is left alone.
///
/// # Errors
///
/// Also when two targets are the same organization: a hold on one would not keep the records that a policy deletes through the
/// other.
pub async fn open_all(project: &ProjectContext<'_>) -> Result<Connections, CommandError> {
    let workspace = &project.project.workspace;
    let mut connections = Connections::new();
    for (name, target) in &workspace.targets {
        let of_policy = workspace.policies.values().any(|policy| policy.settings.target == *name);
        let of_hold = workspace.holds.values().any(|hold| hold.target == *name);
        if !of_policy && !of_hold {
            continue;
        }
        project.context.observer.progress(None, &format!("signing in to {name}"), 0, None);
        let connection = Connection::open(project, target).await?;
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
