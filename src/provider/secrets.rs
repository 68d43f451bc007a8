//! Where secrets come from.

#![expect(clippy::disallowed_methods, reason = "this is the adapter that reads the environment and secret files")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::common::error;
use super::{ErrorClass, ProviderError};
use crate::manifest::SecretReference;

/// The longest secret: an RSA key in PEM has about 3 KiB, so this refuses only what cannot be meant.
const LONGEST: u64 = 64 * 1024;
/// How long a secret is waited for: a person may have to unlock a password manager, and a pipe that nobody writes to never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a secret could not be read. It names the place, never the value or a program's output.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("the secret file `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program cannot be started.
    #[error("the secret program `{program}` cannot be run")]
    Program {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The program failed.
    #[error("the secret program `{program}` failed ({status}); run it by hand to see why")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
    /// It is not text.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
    /// It is far too long.
    #[error("{0} is longer than {LONGEST} bytes and cannot be a secret")]
    TooLong(String),
}

/// Gives the secret a reference points at.
pub trait SecretSource: Send + Sync {
    /// Gives the secret.
    ///
    /// # Errors
    ///
    /// When it is not there, is empty, or is not text.
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError>;

    /// Whether it may wait, for a file or a program, so that it belongs on a thread that may wait. Where it does not, everything
    /// happens in the order it is asked for.
    fn may_wait(&self) -> bool {
        true
    }
}

/// The secret a reference points at.
///
/// `doing` is to read after "could not".
pub(in crate::provider) async fn resolve(
    secrets: &Arc<dyn SecretSource>,
    reference: &SecretReference,
    doing: &str,
) -> Result<SecretString, ProviderError> {
    resolve_within(PATIENCE, secrets, reference, doing).await
}

async fn resolve_within(
    patience: Duration,
    secrets: &Arc<dyn SecretSource>,
    reference: &SecretReference,
    doing: &str,
) -> Result<SecretString, ProviderError> {
    let failed = |message: String| error(ErrorClass::Local, doing, "no-secret", message);
    let resolved = if secrets.may_wait() {
        let (secrets, reference) = (Arc::clone(secrets), reference.clone());
        let place = match &reference {
            SecretReference::Environment(name) => format!("the environment variable `{name}`"),
            SecretReference::File(path) => format!("the secret file `{}`", path.display()),
            SecretReference::Command(words) => {
                format!("the secret program `{}`", words.first().map_or("", String::as_str))
            }
        };
        let resolved = tokio::task::spawn_blocking(move || secrets.resolve(&reference));
        match tokio::time::timeout(patience, resolved).await {
            Ok(resolved) => resolved.map_err(|_| failed("looking for the secret ended unexpectedly".into()))?,
            Err(_) => return Err(failed(format!("{place} gave nothing in {} seconds", patience.as_secs()))),
        }
    } else {
        secrets.resolve(reference)
    };
    resolved.map_err(|error| {
        failed(match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })
    })
}

/// Secrets from this machine: its environment, its files and its programs.
pub struct SystemSecrets {
    project: PathBuf,
}

impl SystemSecrets {
    /// Secrets of the project in that directory: relative paths begin there, and programs run there.
    pub fn new(project: PathBuf) -> Self {
        Self { project }
    }

    fn read_file(&self, path: &Path) -> Result<SecretString, SecretError> {
        let place = format!("the secret file `{}`", path.display());
        let error = |source| SecretError::File { path: path.to_owned(), source };
        let file = std::fs::File::open(self.project.join(path)).map_err(error)?;
        let mut bytes = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(error)?;
        secret_text(bytes, &place)
    }

    fn run_program(&self, words: &[String]) -> Result<SecretString, SecretError> {
        let [program, arguments @ ..] = words else { return Err(SecretError::Empty("the command of a secret".into())) };
        let error = |source| SecretError::Program { program: program.clone(), source };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&self.project)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // A program that fails may print what it was given.
            .stderr(Stdio::null())
            .spawn()
            .map_err(error)?;
        let mut bytes = Vec::new();
        let read = match child.stdout.take() {
            Some(output) => output.take(LONGEST + 1).read_to_end(&mut bytes),
            None => Ok(0),
        };
        let status = child.wait().map_err(error)?;
        read.map_err(error)?;
        let place = format!("the output of the secret program `{program}`");
        if bytes.len() as u64 > LONGEST {
            return Err(SecretError::TooLong(place));
        }
        if !status.success() {
            return Err(SecretError::Failed { program: program.clone(), status: status.to_string() });
        }
        secret_text(bytes, &place)
    }
}

impl SecretSource for SystemSecrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) => {
                let value = std::env::var_os(name).ok_or_else(|| SecretError::NotSet(name.clone()))?;
                let place = format!("the environment variable `{name}`");
                let value = value.into_string().map_err(|_| SecretError::NotText(place.clone()))?;
                if value.is_empty() { Err(SecretError::Empty(place)) } else { Ok(value.into()) }
            }
            SecretReference::File(path) => self.read_file(path),
            SecretReference::Command(words) => self.run_program(words),
        }
    }
}

/// Bytes as a secret, less one trailing line break.
fn secret_text(bytes: Vec<u8>, place: &str) -> Result<SecretString, SecretError> {
    if bytes.len() as u64 > LONGEST {
        return Err(SecretError::TooLong(place.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText(place.to_owned()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() { Err(SecretError::Empty(place.to_owned())) } else { Ok(text.to_owned().into()) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn secrets() -> (tempfile::TempDir, SystemSecrets) {
        let directory = tempfile::tempdir().expect("a directory");
        let secrets = SystemSecrets::new(directory.path().to_owned());
        (directory, secrets)
    }

    #[test]
    fn reads_a_file_below_the_project_without_its_last_line_break() {
        let (directory, secrets) = secrets();
        for (text, expected) in
            [("canary\n", "canary"), ("canary\r\n", "canary"), ("two\nlines\n\n", "two\nlines\n"), (" x ", " x ")]
        {
            std::fs::write(directory.path().join("secret"), text).expect("writable");
            let secret = secrets.resolve(&SecretReference::File("secret".into())).expect("there");
            assert_eq!(secret.expose_secret(), expected);
        }
    }

    #[test]
    fn refuses_what_is_empty_or_not_text_or_not_there() {
        let (directory, secrets) = secrets();
        let resolve = |bytes: &[u8]| {
            std::fs::write(directory.path().join("secret"), bytes).expect("writable");
            secrets.resolve(&SecretReference::File("secret".into())).expect_err("no secret")
        };
        assert!(matches!(resolve(b"\n"), SecretError::Empty(_)));
        assert!(matches!(resolve(b"\xff"), SecretError::NotText(_)));
        assert!(matches!(resolve(&vec![b'x'; LONGEST as usize + 1]), SecretError::TooLong(_)));
        let missing = secrets.resolve(&SecretReference::File("absent".into())).expect_err("no file");
        assert_eq!(missing.to_string(), "the secret file `absent` cannot be read");
        let missing = secrets.resolve(&SecretReference::Environment("SEXTON_TEST_NOT_SET".into())).expect_err("not set");
        assert_eq!(missing.to_string(), "the environment variable `SEXTON_TEST_NOT_SET` is not set");
    }

    #[tokio::test]
    async fn a_secret_that_never_comes_is_not_waited_for_for_ever() {
        /// A pipe that nobody writes to.
        struct Silent(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);
        impl SecretSource for Silent {
            fn resolve(&self, _: &SecretReference) -> Result<SecretString, SecretError> {
                self.0.lock().expect("not poisoned").recv().ok();
                Err(SecretError::Empty("the pipe".into()))
            }
        }
        let (writer, pipe) = std::sync::mpsc::channel();
        let secrets: Arc<dyn SecretSource> = Arc::new(Silent(std::sync::Mutex::new(pipe)));
        let reference = SecretReference::File("pipe".into());
        let patience = Duration::from_millis(1);
        let error = resolve_within(patience, &secrets, &reference, "sign in").await.expect_err("nothing comes");
        assert_eq!(
            (error.class, error.message.as_str()),
            (ErrorClass::Local, "the secret file `pipe` gave nothing in 0 seconds")
        );
        drop(writer);
    }

    #[test]
    fn reads_a_variable() {
        let (_directory, secrets) = secrets();
        let secret = secrets.resolve(&SecretReference::Environment("CARGO_PKG_NAME".into())).expect("cargo sets it");
        assert_eq!(secret.expose_secret(), "sexton");
    }

    #[cfg(unix)]
    #[test]
    fn runs_a_program_without_a_shell_and_hides_its_output() {
        let (_directory, secrets) = secrets();
        let command = |words: &[&str]| SecretReference::Command(words.iter().map(|word| (*word).to_owned()).collect());
        let secret = secrets.resolve(&command(&["printf", "%s\\n", "$HOME `x`"])).expect("it prints");
        assert_eq!(secret.expose_secret(), "$HOME `x`");
        let failed = secrets.resolve(&command(&["sh", "-c", "echo canary; echo canary >&2; exit 3"])).expect_err("it fails");
        assert_eq!(failed.to_string(), "the secret program `sh` failed (exit status: 3); run it by hand to see why");
        assert!(!format!("{failed:?}").contains("canary"));
        assert!(matches!(secrets.resolve(&command(&["true"])), Err(SecretError::Empty(_))));
        assert!(matches!(secrets.resolve(&command(&["sexton-no-such-program"])), Err(SecretError::Program { .. })));
        assert!(matches!(secrets.resolve(&command(&[])), Err(SecretError::Empty(_))));
    }
}
