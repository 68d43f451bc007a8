//! The Salesforce CLI's own login.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::hostile;
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};

/// How long a program may take. The CLI needs a few seconds, more when it renews its login.
const LONGEST_RUN: Duration = Duration::from_secs(120);
/// The program.
const PROGRAM: &str = "sf";
/// What stands in place of a token since the CLI hides secrets (client, May 2026).
const REDACTED: &str = "[REDACTED";

/// What a program printed. It may hold a token, so that it has no `Debug`.
pub struct CommandOutput {
    /// Whether it ended well.
    pub succeeded: bool,
    /// Its standard output.
    pub stdout: SecretString,
}

/// Runs a program of this machine, without a shell and without input.
#[async_trait]
pub trait CommandRunner: Send + Sync {
    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be started, or does not end in time.
    async fn run(&self, program: &str, arguments: &[&str]) -> std::io::Result<CommandOutput>;
}

/// The programs of this machine.
pub struct SystemCommands;

#[async_trait]
impl CommandRunner for SystemCommands {
    async fn run(&self, program: &str, arguments: &[&str]) -> std::io::Result<CommandOutput> {
        let output = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(LONGEST_RUN, output).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        let stdout = String::from_utf8(output.stdout).map_err(|_| std::io::ErrorKind::InvalidData)?;
        Ok(CommandOutput { succeeded: output.status.success(), stdout: stdout.into() })
    }
}

/// What the CLI knows about a login.
pub(super) struct CommandLineLogin {
    /// The access token.
    pub(super) token: SecretString,
    /// The org's own host.
    pub(super) instance: Url,
    /// The organization, 18 or 15 characters.
    pub(super) organization_id: Option<String>,
    /// Who is signed in.
    pub(super) user_name: Option<String>,
}

/// One answer of the CLI with `--json`: a result, or a name and a message.
#[derive(Deserialize)]
struct Printed {
    result: Option<Shown>,
    name: Option<String>,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    access_token: Option<String>,
    instance_url: Option<String>,
    id: Option<String>,
    username: Option<String>,
}

/// Asks the CLI for a login.
///
/// Until May 2026 `org display` showed the token. Since then it does not, and `org auth show-access-token` does (client). The newer command is asked
/// first; where it is unknown, the older one must still show the token. The host comes from `org display` in both cases.
pub(super) async fn ask(runner: &dyn CommandRunner, target_org: &str) -> Result<CommandLineLogin, ProviderError> {
    let doing = format!("take the Salesforce CLI's login for `{target_org}`");
    if target_org.starts_with('-') || target_org.is_empty() {
        return Err(failed(&doing, "invalid-target-org", "an alias or user name cannot be empty or begin with `-`"));
    }
    let token =
        match run(runner, &doing, &["org", "auth", "show-access-token", "--target-org", target_org, "--json"]).await? {
            Ok(shown) => shown.access_token.filter(|token| usable(token)),
            Err(_) => None,
        };
    let shown = run(runner, &doing, &["org", "display", "--target-org", target_org, "--json"]).await??;
    let token = token.or_else(|| shown.access_token.filter(|token| usable(token))).ok_or_else(|| ProviderError {
        help: Some(format!("run `sf org auth show-access-token --target-org {target_org}` by hand to see why")),
        ..failed(&doing, "no-token", "the Salesforce CLI does not show the access token")
    })?;
    let instance = shown.instance_url.as_deref().and_then(|text| Url::parse(text).ok());
    let instance = instance.ok_or_else(|| failed(&doing, "no-instance", "the Salesforce CLI names no `instanceUrl`"))?;
    Ok(CommandLineLogin { token: token.into(), instance, organization_id: shown.id, user_name: shown.username })
}

fn usable(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(REDACTED)
}

/// Runs the CLI once. The outer error means that it could not run at all, the inner one that it said no.
async fn run(
    runner: &dyn CommandRunner,
    doing: &str,
    arguments: &[&str],
) -> Result<Result<Shown, ProviderError>, ProviderError> {
    let output = runner.run(PROGRAM, arguments).await.map_err(|error| ProviderError {
        help: Some("install the Salesforce CLI and sign in with `sf org login web`, or choose another `auth`".into()),
        ..failed(doing, "no-salesforce-cli", &format!("`{PROGRAM}` cannot be run: {error}"))
    })?;
    let printed: Option<Printed> = serde_json::from_str(output.stdout.expose_secret()).ok();
    Ok(match printed {
        Some(Printed { result: Some(shown), .. }) if output.succeeded => Ok(shown),
        Some(Printed { name, message, .. }) => {
            let code = name.as_deref().map_or("salesforce-cli-failed".to_owned(), hostile::code);
            let message = message.as_deref().map_or("it gives no reason".to_owned(), hostile::words);
            Err(ProviderError {
                help: Some("sign in with `sf org login web`, or see `sf org list`".into()),
                ..failed(doing, &code, &message)
            })
        }
        None => Err(failed(doing, "salesforce-cli-failed", "the Salesforce CLI did not answer with JSON; run `sf update`")),
    })
}

fn failed(doing: &str, code: &str, message: &str) -> ProviderError {
    error(ErrorClass::Local, doing, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "00D000000000001!AQ.canary";
    const SHOWN: &str = r#"{"status":0,"result":{"accessToken":"00D000000000001!AQ.canary"},"warnings":[]}"#;
    const DISPLAY_OLD: &str = r#"{"status":0,"result":{"id":"00D000000000001EAA","apiVersion":"66.0","accessToken":"00D000000000001!AQ.canary",
        "instanceUrl":"https://crm.my.salesforce.com","username":"me@example.com","clientId":"PlatformCLI","connectedStatus":"Connected"},"warnings":[]}"#;
    const DISPLAY_NEW: &str = r#"{"status":0,"result":{"id":"00D000000000001EAA","apiVersion":"68.0",
        "accessToken":"[REDACTED] Use 'sf org auth show-access-token' to view","instanceUrl":"https://crm.my.salesforce.com",
        "username":"me@example.com"},"warnings":[]}"#;
    const UNKNOWN_ORG: &str = r#"{"status":1,"name":"NamedOrgNotFoundError","message":"No authorization information found for crm.","exitCode":1}"#;

    /// Answers the newer and the older command.
    struct Fake(Option<(bool, &'static str)>, Option<(bool, &'static str)>);

    #[async_trait]
    impl CommandRunner for Fake {
        async fn run(&self, program: &str, arguments: &[&str]) -> std::io::Result<CommandOutput> {
            assert_eq!(program, "sf");
            assert_eq!(arguments[arguments.len() - 3..], ["--target-org", "crm", "--json"]);
            let answer = match arguments[..2] {
                ["org", "auth"] => self.0,
                _ => self.1,
            };
            let (succeeded, stdout) = answer.ok_or(std::io::ErrorKind::NotFound)?;
            Ok(CommandOutput { succeeded, stdout: stdout.into() })
        }
    }

    #[tokio::test]
    async fn understands_the_older_and_the_newer_form() {
        for fake in [
            Fake(Some((true, SHOWN)), Some((true, DISPLAY_NEW))),
            Fake(Some((false, "command org:auth:show-access-token not found")), Some((true, DISPLAY_OLD))),
            Fake(Some((true, SHOWN)), Some((true, DISPLAY_OLD))),
        ] {
            let login = ask(&fake, "crm").await.expect("a login");
            assert_eq!(login.token.expose_secret(), TOKEN);
            assert_eq!(login.instance.as_str(), "https://crm.my.salesforce.com/");
            assert_eq!(login.organization_id.as_deref(), Some("00D000000000001EAA"));
            assert_eq!(login.user_name.as_deref(), Some("me@example.com"));
        }
    }

    #[tokio::test]
    async fn a_redacted_token_is_no_token() {
        for newer in [Some((false, "not found")), Some((true, DISPLAY_NEW)), Some((true, r#"{"status":0,"result":{}}"#))] {
            let error = ask(&Fake(newer, Some((true, DISPLAY_NEW))), "crm").await.err().expect("no token");
            assert_eq!(error.code, "no-token");
        }
    }

    #[tokio::test]
    async fn says_what_the_tool_said_and_nothing_it_printed() {
        let error = ask(&Fake(Some((false, UNKNOWN_ORG)), Some((false, UNKNOWN_ORG))), "crm").await.err().expect("no org");
        insta::assert_snapshot!(error,
            @"could not take the Salesforce CLI's login for `crm`: NamedOrgNotFoundError: No authorization information found for crm.");
        let error = ask(&Fake(Some((true, SHOWN)), Some((true, "00D000000000001!AQ.canary {"))), "crm")
            .await
            .err()
            .expect("no JSON");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let error = ask(&Fake(None, None), "crm").await.err().expect("no program");
        assert_eq!(error.code, "no-salesforce-cli");
        assert_eq!(ask(&Fake(None, None), "--help").await.err().expect("refused").code, "invalid-target-org");
    }
}
