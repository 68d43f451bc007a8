//! The `git` command.

use std::io;
use std::path::Path;
use std::process::Stdio;

use async_trait::async_trait;
use tokio::io::AsyncReadExt as _;

/// How much is read at once.
const WINDOW: usize = 1 << 16;
/// How much of what it says on standard error is kept.
const MOST_TOLD: u64 = 4_096;

/// How a `git` command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitEnd {
    /// Whether it ended well.
    pub succeeded: bool,
    /// What it said on standard error, in its own words.
    pub told: String,
}

/// Runs the `git` command. No argument that somebody else chose may begin with `-`: the caller sees to that.
#[async_trait]
pub trait Git: Send + Sync {
    /// Runs it in a directory, without a shell and without input. What it prints is handed to `take` as it comes.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be started, or `take` fails.
    async fn run(
        &self,
        directory: &Path,
        arguments: &[&str],
        take: &mut (dyn for<'b> FnMut(&'b [u8]) -> io::Result<()> + Send),
    ) -> io::Result<GitEnd>;
}

/// The `git` of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemGit;

#[async_trait]
impl Git for SystemGit {
    async fn run(
        &self,
        directory: &Path,
        arguments: &[&str],
        take: &mut (dyn for<'b> FnMut(&'b [u8]) -> io::Result<()> + Send),
    ) -> io::Result<GitEnd> {
        let mut child = tokio::process::Command::new("git")
            .args(arguments)
            .current_dir(directory)
            // It only reads, and asks nobody.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let printed = async {
            let Some(mut stdout) = stdout else { return Ok::<_, io::Error>(()) };
            let mut window = vec![0; WINDOW];
            loop {
                match stdout.read(&mut window).await? {
                    0 => return Ok(()),
                    length => take(&window[..length])?,
                }
            }
        };
        let told = async {
            let mut told = Vec::new();
            if let Some(mut stderr) = stderr {
                (&mut stderr).take(MOST_TOLD).read_to_end(&mut told).await?;
                // It must not wait for a reader.
                tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
            }
            Ok(told)
        };
        let ((), told) = futures::future::try_join(printed, told).await?;
        let status = child.wait().await?;
        Ok(GitEnd { succeeded: status.success(), told: String::from_utf8_lossy(&told).trim().to_owned() })
    }
}
