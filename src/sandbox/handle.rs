//! One running sandbox, and how tests look into it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::fault::FaultPlan;
use super::request_log::RequestLog;
use super::salesforce::{BulkState, Cursors};
use super::session::{Session, Sessions, TokenForm};
use super::{Fault, RecordKey, RequestRecord, SandboxClock, Settings, Tenant, World, Worlds, fulcrum};
use crate::base::Clock;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One running sandbox: a world for each system, a clock, faults, sessions and what was asked of it.
///
/// It is a handle: clones look at the same sandbox. A test keeps one to see the truth and to change data while a client
/// works; the router answers from another.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

/// Records, tokens and secrets are not for logs.
impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sandbox").field("organization", &self.inner.organization).finish_non_exhaustive()
    }
}

struct Inner {
    world: Mutex<World>,
    /// Kept beside the world, so that a login does not wait for it.
    organization: RecordKey,
    clock: SandboxClock,
    settings: Settings,
    faults: FaultPlan,
    log: Mutex<RequestLog>,
    sessions: Mutex<Sessions>,
    cursors: Mutex<Cursors>,
    bulk: Mutex<BulkState>,
    zuora: Mutex<Tenant>,
    /// When the present 24 hours began, and the requests since.
    usage: Mutex<(Timestamp, u64)>,
    fulcrum: Mutex<fulcrum::Organization>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Starts a sandbox. It does not listen anywhere: see [`super::serve`] and [`Sandbox::router`].
    ///
    /// A [`World`] alone will do: the other systems are empty then.
    pub fn new(worlds: impl Into<Worlds>, settings: Settings) -> Self {
        let mut worlds = worlds.into();
        let seed = settings.seed;
        worlds.salesforce.obey(&settings);
        worlds.zuora.obey(&settings);
        worlds.fulcrum.obey(&settings);
        let inner = Inner {
            organization: worlds.salesforce.organization().key,
            world: Mutex::new(worlds.salesforce),
            zuora: Mutex::new(worlds.zuora),
            clock: SandboxClock::starting_at(settings.start),
            faults: FaultPlan::new(settings.faults.clone()),
            log: Mutex::default(),
            sessions: Mutex::new(Sessions::seeded(seed)),
            cursors: Mutex::new(Cursors::seeded(seed)),
            bulk: Mutex::new(BulkState::seeded(seed)),
            usage: Mutex::new((settings.start, 0)),
            fulcrum: Mutex::new(worlds.fulcrum),
            settings,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The Salesforce organization, brought up to the clock. While the guard is held, no request is answered, and asking for it again waits
    /// for ever: a guard inside an expression lives to the end of the statement.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = locked(&self.inner.world);
        world.set_now(self.now());
        world
    }

    /// The Zuora tenant, brought up to the clock, with the same caution.
    pub fn zuora(&self) -> MutexGuard<'_, Tenant> {
        let mut tenant = locked(&self.inner.zuora);
        tenant.set_now(self.now());
        tenant
    }

    /// The Fulcrum organization, its batches brought up to the clock. The same care as with [`Sandbox::world`].
    pub fn fulcrum(&self) -> MutexGuard<'_, fulcrum::Organization> {
        let mut organization = locked(&self.inner.fulcrum);
        organization.set_now(self.now());
        organization
    }

    /// The clock.
    pub fn clock(&self) -> &SandboxClock {
        &self.inner.clock
    }

    /// What the sandbox was told when it started.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// From now on this goes wrong too.
    pub fn add_fault(&self, fault: Fault) {
        self.inner.faults.add(fault);
    }

    /// From now on nothing goes wrong.
    pub fn clear_faults(&self) {
        self.inner.faults.clear();
    }

    /// The last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        locked(&self.inner.log).recent()
    }

    /// How many requests there were in all, by method.
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        locked(&self.inner.log).by_method()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        locked(&self.inner.log).clear();
    }

    /// Logs a Salesforce user in without asking for anything, and returns the access token.
    pub fn access_token(&self, user: RecordKey) -> String {
        let form = if self.inner.settings.jwt_access_tokens { TokenForm::Jwt } else { TokenForm::Opaque };
        self.open_session(Session { user, password_expired: false }, form)
    }

    pub(in crate::sandbox) fn open_session(&self, session: Session, form: TokenForm) -> String {
        locked(&self.inner.sessions).open(self.inner.organization, session, form, self.now())
    }

    /// Ends all sessions in all systems, as an administrator could.
    pub fn expire_sessions(&self) {
        locked(&self.inner.sessions).close_all();
        locked(&self.inner.zuora).expire_sessions();
    }

    pub(in crate::sandbox) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(in crate::sandbox) fn faults(&self) -> &FaultPlan {
        &self.inner.faults
    }

    pub(in crate::sandbox) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.inner.sessions)
    }

    pub(in crate::sandbox) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        locked(&self.inner.cursors)
    }

    pub(in crate::sandbox) fn bulk(&self) -> MutexGuard<'_, BulkState> {
        locked(&self.inner.bulk)
    }

    pub(in crate::sandbox) fn record_request(&self, record: RequestRecord) {
        locked(&self.inner.log).record(record);
    }

    /// Counts one call against the day's budget. `None` when there is none left.
    pub(in crate::sandbox) fn spend_call(&self) -> Option<()> {
        let now = self.now();
        let mut usage = locked(&self.inner.usage);
        if usage.0.duration_until(now) >= DAY {
            *usage = (now, 0);
        }
        if usage.1 >= self.inner.settings.daily_requests {
            return None;
        }
        usage.1 += 1;
        Some(())
    }

    /// The calls of the present 24 hours.
    pub(in crate::sandbox) fn calls_spent(&self) -> u64 {
        locked(&self.inner.usage).1
    }
}
