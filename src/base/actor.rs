//! Who ran a command.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest value that is taken from a variable. An address of a run has about a hundred.
const LONGEST: usize = 300;

/// Who ran a command, and where, as far as the machine says.
///
/// It is told, not proven: whoever runs the command can write into the environment what they like. The systems keep their own
/// record of who signed in.
///
/// **Invariants**: no value has a control character, and none is longer than 300 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Actor {
    /// The user of the operating system.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The run of a CI service in which the command ran, if it did in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineRun>,
}

/// A run of a CI service, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineRun {
    /// The service: `GitHub Actions`, `GitLab CI`, or `CI` for another one.
    pub service: String,
    /// The address of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The commit that was checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The service's name of whoever started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
}

impl Actor {
    /// Reads who it is from the environment's variables. `host_name` is the machine's name, for where no variable has it.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>, host_name: Option<&str>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| plain(&variable(name)?));
        let user = first(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
        let host = first(&["HOSTNAME", "COMPUTERNAME"]).or_else(|| plain(host_name?));
        let host = host.unwrap_or_else(|| "this machine".to_owned());
        Self { user, host, pipeline: PipelineRun::read(&first) }
    }

    /// `user@host` alone.
    pub fn account(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

impl PipelineRun {
    /// By the variables that each service documents; the last row is what many services share.
    fn read(first: &dyn Fn(&[&str]) -> Option<String>) -> Option<Self> {
        let is_set = |name: &str| first(&[name]).is_some_and(|value| !value.eq_ignore_ascii_case("false"));
        let (service, run, commit, started_by): (&str, Option<String>, &[&str], &[&str]) = if is_set("GITHUB_ACTIONS") {
            ("GitHub Actions", github_run(first), &["GITHUB_SHA"], &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"])
        } else if is_set("GITLAB_CI") {
            ("GitLab CI", first(&["CI_JOB_URL", "CI_PIPELINE_URL"]), &["CI_COMMIT_SHA"], &["GITLAB_USER_LOGIN"])
        } else if is_set("CI") || is_set("BUILD_URL") {
            ("CI", first(&["BUILD_URL"]), &["GIT_COMMIT"], &["BUILD_USER_ID"])
        } else {
            return None;
        };
        Some(Self { service: service.to_owned(), run, commit: first(commit), started_by: first(started_by) })
    }
}

fn github_run(first: &dyn Fn(&[&str]) -> Option<String>) -> Option<String> {
    let [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| first(&[name]));
    let attempt = first(&["GITHUB_RUN_ATTEMPT"]).map(|attempt| format!("/attempts/{attempt}")).unwrap_or_default();
    plain(&format!("{}/{}/actions/runs/{}{attempt}", server?, repository?, run?))
}

/// A value without control characters and of bounded length; `None` where nothing is left.
fn plain(value: &str) -> Option<String> {
    let kept: String = value.trim().chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    Some(kept).filter(|kept| !kept.is_empty())
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.account())?;
        let Some(pipeline) = &self.pipeline else { return Ok(()) };
        write!(formatter, " in {}", pipeline.service)?;
        let parts = [("", &pipeline.run), ("commit ", &pipeline.commit), ("started by ", &pipeline.started_by)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(word, part)| part.as_ref().map(|part| format!("{word}{part}"))).collect();
        if parts.is_empty() { Ok(()) } else { write!(formatter, " ({})", parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Actor::read(&variable, Some("desk\n")).to_string()
    }

    #[test]
    fn each_service_says_it_in_its_own_variables() {
        let table = [
            read(&[]),
            read(&[("USER", ""), ("LOGNAME", "ada"), ("HOSTNAME", "web\u{1b}[31m1"), ("CI", "false")]),
            read(&[
                ("USER", "runner"),
                ("CI", "true"),
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_REPOSITORY", "acme/retention"),
                ("GITHUB_RUN_ID", "1658821493"),
                ("GITHUB_RUN_ATTEMPT", "2"),
                ("GITHUB_SHA", "ffac537e6cbbf934b08745a378932722df287a53"),
                ("GITHUB_ACTOR", "ada"),
                ("GITHUB_TRIGGERING_ACTOR", "grace"),
            ]),
            read(&[
                ("USER", "root"),
                ("CI", "true"),
                ("GITLAB_CI", "true"),
                ("CI_JOB_URL", "https://gitlab.example/acme/retention/-/jobs/7"),
                ("CI_COMMIT_SHA", "1ecfd275763eff1d6b4844ea3168962458c9f27a"),
                ("GITLAB_USER_LOGIN", "grace"),
            ]),
            read(&[("USER", "jenkins"), ("BUILD_URL", "https://ci.example/job/retention/7/"), ("GIT_COMMIT", "1ecfd27")]),
            read(&[("USER", "build"), ("CI", "1"), ("GITHUB_RUN_ID", "7")]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        somebody@desk
        ada@web[31m1
        runner@desk in GitHub Actions (https://github.com/acme/retention/actions/runs/1658821493/attempts/2, commit ffac537e6cbbf934b08745a378932722df287a53, started by grace)
        root@desk in GitLab CI (https://gitlab.example/acme/retention/-/jobs/7, commit 1ecfd275763eff1d6b4844ea3168962458c9f27a, started by grace)
        jenkins@desk in CI (https://ci.example/job/retention/7/, commit 1ecfd27)
        build@desk in CI
        ");
    }

    #[test]
    fn no_value_is_long() {
        let long = "x".repeat(10_000);
        assert_eq!(read(&[("USER", &long)]).len(), LONGEST + "@desk".len());
    }
}
