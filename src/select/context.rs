//! The context of a command: clock, files, systems and observer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Actor, Clock, Observer, Timer};
use crate::manifest::Target;
use crate::provider::Provider;
use crate::state::LockInfo;
use crate::store::{Backend, Files, Git, Place};

/// Makes a provider for a target. The command line's uses the network; that of tests uses a sandbox in the same process.
pub trait Connector: Send + Sync {
    /// A provider for `target`, not yet signed in. Secrets named by relative files are looked for below `project`; what must be
    /// remembered from one process to the next is kept in `store`.
    fn connect(&self, target: &Target, project: &Path, store: Arc<dyn Backend>) -> Arc<dyn Provider>;
}

/// Everything a command uses outside itself. It is passed in, so that tests can replace it.
#[derive(Clone)]
pub struct Context {
    /// The files: everything that a verb reads or writes of the working tree, the store and its scratch files.
    pub files: Arc<dyn Files>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// For waiting.
    pub timer: Arc<dyn Timer>,
    /// The way to the git repository that the working tree may belong to.
    pub git: Arc<dyn Git>,
    /// The way to the systems.
    pub connector: Arc<dyn Connector>,
    /// Is told of progress and warnings.
    pub observer: Arc<dyn Observer>,
    /// Who runs the command: for the lock, and for the evidence.
    pub actor: Actor,
    /// The number of this process, for the lock.
    pub process: u32,
    /// A number nobody can foresee; the same number gives the same run.
    pub seed: u64,
    /// A UUID nobody has had before, for a lineage, a lock or a temporary file.
    pub fresh_id: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Context {
    /// A path through its files.
    pub fn place(&self, path: impl Into<PathBuf>) -> Place {
        Place::new(Arc::clone(&self.files), path)
    }

    /// Who wants the lock, for whoever has to wait.
    pub fn lock_info(&self, operation: &str) -> LockInfo {
        LockInfo {
            id: (self.fresh_id)(),
            operation: operation.to_owned(),
            who: self.actor.to_string(),
            process: self.process,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: self.clock.now(),
        }
    }
}
