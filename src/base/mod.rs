//! The ground: values that every other folder speaks in.
//!
//! Nothing here reads a clock, a file or the environment, and nothing here knows a particular system's
//! requests. A type belongs here when at least two folders that may not import each other need it.

mod actor;
mod age;
mod call_budget;
mod clock;
mod command_error;
mod count;
mod diagnostic;
mod digest;
mod exit;
mod failure;
mod gcra;
mod inert;
mod loopback;
mod name;
mod never_null;
mod observer;
mod percent;
mod record_id;
mod shortened;
mod source;
mod suggestion;
mod timer;

pub use actor::{Actor, PipelineRun};
pub use age::{Age, AgeError, AgeUnit};
pub use call_budget::{CallBudget, CallMemory, CallWindow, WholeAgain};
pub use clock::Clock;
pub use command_error::CommandError;
pub use count::{counted, with_thousands};
pub use diagnostic::{Diagnostic, DiagnosticCode, Label, Severity};
pub use digest::{Digest, DigestError, Digester};
pub use exit::Exit;
pub use failure::{Failure, FailureClass, coded};
pub use gcra::Gcra;
pub use inert::{inert_json, is_dangerous};
pub use loopback::is_loopback;
pub use name::{HoldName, NAME_PATTERN, NameError, PolicyName, ProjectName, TargetName};
pub use never_null::never_null;
pub use observer::Observer;
pub use percent::{Percent, PercentError};
pub use record_id::{RecordId, RecordIdError};
pub use shortened::shortened;
pub use source::{LineColumn, Source, SourceId, SourceMap, Span};
pub use suggestion::{did_you_mean, nearest};
pub use timer::Timer;
