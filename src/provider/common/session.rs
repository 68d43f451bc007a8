//! One sign-in, kept alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use jiff::SignedDuration;
use tokio::sync::Mutex;

use super::failure::error;
use super::retry::retried;
use crate::plan::Identity;
use crate::provider::transport::Transport;
use crate::provider::{ErrorClass, ProviderError};

/// How to sign in to a system, and how to make a call of it once signed in.
#[async_trait]
pub(in crate::provider) trait Connect: Send + Sync {
    /// What a sign-in gives: where calls go, on whose behalf, and in which organization.
    type Connection: Send + Sync;
    /// One call.
    type Call: Sync;
    /// Its answer.
    type Answer: Send;

    /// Signs in, once, and makes certain that it is to the right organization. `ended` is the connection that has ended, with the
    /// refusal that said so; the organization must be the same as before.
    async fn connect(&self, ended: Option<(&Self::Connection, ProviderError)>) -> Result<Self::Connection, ProviderError>;

    /// Makes a call, once.
    async fn send(connection: &Self::Connection, call: &Self::Call) -> Result<Self::Answer, ProviderError>;

    /// Whether a refusal says that the session has ended. Such a request has had no effect.
    fn has_ended(refusal: &ProviderError) -> bool;

    /// Whether a call may delete records.
    fn deletes(call: &Self::Call) -> bool;

    /// Who is signed in, where.
    fn identity(connection: &Self::Connection) -> &Identity;

    /// The way to the system.
    fn transport(&self) -> &dyn Transport;
}

/// A connection, how many were there before it, and whether the system has answered a call of it.
struct Current<C> {
    connection: C,
    generation: u64,
    proven: AtomicBool,
}

/// One sign-in, made when it is first needed, and made again when the system has ended it.
///
/// **Invariant**: no call is made before [`Connect::connect`] has found the organization to be the right one.
pub(in crate::provider) struct Session<S: Connect> {
    sign_in: S,
    current: Mutex<Option<Arc<Current<S::Connection>>>>,
}

impl<S: Connect> Session<S> {
    /// A session that signs in when it is first needed.
    pub(in crate::provider) fn new(sign_in: S) -> Self {
        Self { sign_in, current: Mutex::new(None) }
    }

    async fn current(&self) -> Result<Arc<Current<S::Connection>>, ProviderError> {
        let mut current = self.current.lock().await;
        if let Some(current) = &*current {
            return Ok(Arc::clone(current));
        }
        let connection = match self.sign_in.connect(None).await {
            // The session ended before it was known who and where it is; another one need not.
            Err(refusal) if S::has_ended(&refusal) => self.sign_in.connect(None).await?,
            connection => connection?,
        };
        Ok(Arc::clone(current.insert(Arc::new(Current { connection, generation: 0, proven: AtomicBool::new(false) }))))
    }

    /// Signs in anew, unless somebody else has done so since `ended` was current: many requests that find the same session ended
    /// renew it once.
    async fn renewed(
        &self,
        ended: &Current<S::Connection>,
        refusal: ProviderError,
    ) -> Result<Arc<Current<S::Connection>>, ProviderError> {
        let mut current = self.current.lock().await;
        if let Some(current) = &*current
            && current.generation != ended.generation
        {
            return Ok(Arc::clone(current));
        }
        let connection = self.sign_in.connect(Some((&ended.connection, refusal))).await?;
        tracing::debug!("the session ended and was renewed");
        let (generation, proven) = (ended.generation + 1, AtomicBool::new(false));
        Ok(Arc::clone(current.insert(Arc::new(Current { connection, generation, proven }))))
    }

    /// Makes a call. When the session has ended it is renewed once and the call repeated once: a request refused for its session has had
    /// no effect.
    ///
    /// A call that deletes is not repeated here: to sign in takes a while, in which a hold may have been set, or somebody may have
    /// asked for an end. Whoever made it knows of these, and makes it again.
    pub(in crate::provider) async fn call(&self, call: &S::Call) -> Result<S::Answer, ProviderError> {
        let current = self.current().await?;
        match S::send(&current.connection, call).await {
            // One that has just been opened, and is over: another one would be as well.
            Err(refusal)
                if S::has_ended(&refusal) && S::deletes(call) && current.generation > 0 && !current.proven.load(Relaxed) =>
            {
                Err(refusal)
            }
            Err(refusal) if S::has_ended(&refusal) => {
                let doing = refusal.doing.clone();
                let renewed = self.renewed(&current, refusal).await?;
                if S::deletes(call) {
                    let message = "the session had ended; another one was opened, and nothing was sent yet";
                    return Err(error(ErrorClass::Transient, &doing, "session-ended", message));
                }
                self.proven(&renewed, S::send(&renewed.connection, call).await)
            }
            answer => self.proven(&current, answer),
        }
    }

    /// The answer of a connection. Whatever it is but that the session has ended, the session has not.
    fn proven<T>(&self, current: &Current<S::Connection>, answer: Result<T, ProviderError>) -> Result<T, ProviderError> {
        if answer.as_ref().map_or_else(|refusal| !S::has_ended(refusal), |_| true) {
            current.proven.store(true, Relaxed);
        }
        answer
    }

    /// Makes a call that only reads, a few times if need be.
    pub(in crate::provider) async fn read(&self, call: &S::Call) -> Result<S::Answer, ProviderError> {
        retried(|| self.call(call)).await
    }

    /// What `read` finds in the connection, after signing in if that has not happened.
    pub(in crate::provider) async fn connection<T>(&self, read: impl Fn(&S::Connection) -> T) -> Result<T, ProviderError> {
        self.current().await.map(|current| read(&current.connection))
    }

    /// How it signs in.
    pub(in crate::provider) fn sign_in(&self) -> &S {
        &self.sign_in
    }

    /// By how much this machine's clock is ahead of the system's; see [`Transport::clock_difference`].
    pub(in crate::provider) fn clock_difference(&self) -> Option<SignedDuration> {
        self.sign_in.transport().clock_difference()
    }

    /// Who is signed in, where.
    pub(in crate::provider) async fn identity(&self) -> Result<Identity, ProviderError> {
        retried(|| self.connection(|connection| S::identity(connection).clone())).await
    }
}
