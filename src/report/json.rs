//! What machines are told: one object a line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::diagnostic_report::DiagnosticReport;
use crate::apply::Tally;
use crate::base::{Actor, PipelineRun, inert_json, never_null};
use crate::state::State;

/// The version of the stream: `major.minor`. A new minor only adds; ignore keys and types you do not know. A new major
/// breaks; refuse one you do not know.
pub const JSON_FORMAT: &str = "1.0";

/// One line of `--json` output. `type` says which. What is absent has no key; nothing is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum JsonEvent {
    /// Always the first line.
    Version {
        /// The version of the stream.
        format_version: &'static str,
        /// The version of sexton.
        sexton: &'static str,
    },
    /// What was found in the manifests.
    Validation {
        /// Whether there is no error. Warnings do not count.
        valid: bool,
        /// How many errors.
        error_count: usize,
        /// How many warnings.
        warning_count: usize,
        /// Each of them, in the order of files and places.
        diagnostics: Vec<DiagnosticReport>,
    },
    /// The files of the project.
    Files {
        /// How many were read as manifests.
        read_count: u64,
        /// How many files were passed over.
        passed_over_count: u64,
        /// Each that was read; only with `--files`.
        #[serde(skip_serializing_if = "Option::is_none")]
        read: Option<Vec<String>>,
        /// Each file that was passed over, and each directory that was not searched; only with `--files`.
        #[serde(skip_serializing_if = "Option::is_none")]
        passed_over: Option<Vec<JsonPassedOver>>,
    },
    /// A system that was signed in to.
    Target {
        /// The target's name.
        name: String,
        /// The kind of system.
        system: String,
        /// The system's own key of the organization.
        organization_id: String,
        /// Whether the system says it is production.
        #[serde(skip_serializing_if = "Option::is_none")]
        production: Option<bool>,
        /// Who is signed in.
        user: String,
        /// The calls that the deletions of all policies take there, what is counted before, and what is read again meanwhile as far as that
        /// is known; without polls and retries.
        calls: u64,
        /// The least time that these calls and the reads before them take, in seconds, where the system limits calls by the minute.
        #[serde(skip_serializing_if = "Option::is_none")]
        least_seconds: Option<u64>,
    },
    /// A hold, and what it keeps of the plan's policies.
    Hold {
        /// The hold.
        hold: String,
        /// Its target.
        target: String,
        /// Its object.
        object: String,
        /// Why it is there.
        reason: String,
        /// The condition as sent; absent for every record, for a list of ids, and where nothing was sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
        /// The list of ids instead of a condition.
        #[serde(skip_serializing_if = "Option::is_none")]
        list: Option<Box<JsonList>>,
        /// How many records it names; 0 is a hold that protects nothing. Absent where it reaches no policy and was not counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        matched: Option<u64>,
        /// The policies that it reaches; none is a hold that protects nothing in this plan.
        policies: Vec<JsonHoldReach>,
        /// Fields by which records of the plan's policies look up to those it names and that it does not follow.
        not_followed: Vec<String>,
    },
    /// What a plan proposes for one policy.
    PolicyPlanned {
        /// The policy.
        policy: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// Its target.
        target: String,
        /// The object.
        object: String,
        /// `soft` or `hard`.
        delete: String,
        /// The condition as sent; absent for every record and for a list of ids.
        #[serde(skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
        /// The list of ids instead of a condition.
        #[serde(skip_serializing_if = "Option::is_none")]
        list: Option<Box<JsonList>>,
        /// Records of the object; absent where the system does not say how many.
        #[serde(skip_serializing_if = "Option::is_none")]
        population: Option<u64>,
        /// Present, and true, where that number is approximate: they could not be counted.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        population_is_approximate: bool,
        /// Records that match.
        matched: u64,
        /// Matched records that a hold keeps.
        held: u64,
        /// Records to delete for this policy.
        selected: u64,
        /// Records that it selects as well and another policy of the plan deletes.
        planned_elsewhere: Vec<JsonElsewhere>,
        /// Records of other objects that the system deletes along with them.
        cascades: Vec<JsonCascade>,
        /// Records of other objects that keep the system from deleting them.
        restricted_by: Vec<JsonCascade>,
        /// The API, absent where nothing is to be deleted or a gate refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        api: Option<String>,
        /// Batches of that API.
        #[serde(skip_serializing_if = "Option::is_none")]
        batches: Option<u64>,
        /// For `allOrNone: perRequest`: the most records that go together or not at all.
        #[serde(skip_serializing_if = "Option::is_none")]
        atomic_groups_of: Option<u64>,
        /// How the selection differs from the base.
        #[serde(skip_serializing_if = "Option::is_none")]
        changes: Option<Box<JsonChanges>>,
        /// What every evaluated gate found.
        gates: Vec<JsonGate>,
        /// The records file, relative to the bundle.
        records: String,
        /// Its digest.
        digest: String,
    },
    /// The sums of a plan.
    PlanSummary {
        /// The plan's digest; absent when it was not written.
        #[serde(skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// Its directory.
        #[serde(skip_serializing_if = "Option::is_none")]
        directory: Option<String>,
        /// What it was compared with.
        #[serde(skip_serializing_if = "Option::is_none")]
        base: Option<JsonBase>,
        /// When it expires, RFC 3339.
        expires: String,
        /// The policies that it was asked for; none when it was asked for all.
        only: Vec<String>,
        /// Records to delete.
        delete: u64,
        /// Records held.
        held: u64,
        /// Whether a gate refuses.
        refused: bool,
        /// Who made it.
        made_by: Box<JsonActor>,
    },
    /// Whether a plan can still be applied, as far as that is known without asking a system.
    PlanCheck {
        /// The plan's digest.
        plan: String,
        /// Its directory.
        directory: String,
        /// Whether nothing is known that would make apply refuse it.
        applicable: bool,
        /// Whether an apply of it ever began; absent where the store does not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        used: Option<bool>,
        /// When it expires, RFC 3339.
        expires: String,
        /// Records to delete.
        delete: u64,
        /// Why it cannot be applied, in words.
        reasons: Vec<String>,
        /// The policies of the manifests that it does not have.
        left_out: Vec<String>,
        /// What the command ends with.
        exit_code: u8,
    },
    /// One record of a difference, or of a plan that is shown with its records.
    Change {
        /// The policy.
        policy: String,
        /// `selected` in a plan; `newly-selected` or `no-longer-selected` between two.
        change: String,
        /// The record.
        id: String,
    },
    /// How two plans differ in one policy.
    PolicyDifference {
        /// The policy.
        policy: String,
        /// Records in the later plan only.
        newly_selected: u64,
        /// Records in both.
        reviewed: u64,
        /// Records in the earlier plan only.
        no_longer_selected: u64,
    },
    /// A sandbox is listening.
    Sandbox {
        /// Its address.
        url: String,
        /// The consumer key that signs in, unless a seed says otherwise.
        client_id: String,
        /// How many records each object has.
        objects: BTreeMap<String, u64>,
    },
    /// How one policy of an apply ended.
    PolicyApplied {
        /// The policy.
        policy: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// What became of its records.
        tally: JsonTally,
        /// Skipped records by cause.
        skipped: BTreeMap<String, u64>,
        /// Failed records by the system's code.
        failed: BTreeMap<String, u64>,
        /// Those among the records that were already gone which other plans of the project had deleted, by the first 12 digits of the
        /// plan's digest.
        gone_by: BTreeMap<String, u64>,
        /// Planned records without an outcome yet: the run is not finished.
        unsettled: u64,
        /// Records that match now and were not in the plan.
        waiting: u64,
        /// Why it stopped early.
        #[serde(skip_serializing_if = "Option::is_none")]
        halted: Option<String>,
    },
    /// The sums of an apply.
    ApplySummary {
        /// The plan's digest.
        plan: String,
        /// Where the evidence is.
        evidence: String,
        /// Planned records without an outcome yet: the run is not finished.
        unsettled: u64,
        /// The outcomes known so far, of all policies.
        tally: JsonTally,
        /// Why some policies are not finished, one text each; the same command continues them.
        unfinished: Vec<String>,
        /// Whether the run was at its end before this command: then nothing was sent now, and the outcomes are those of then.
        ended_before: bool,
    },
    /// What sexton knows it has done.
    State {
        /// The contents of the state file, in its own form and version.
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        state: Box<State>,
    },
    /// A command that has nothing else to show did what it was asked to do.
    Done {
        /// In words.
        message: String,
    },
    /// Work under way; for watching, not for counting.
    Progress {
        /// The policy.
        #[serde(skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
        /// What is being done.
        doing: String,
        /// Records done so far.
        done: u64,
        /// Records in all, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// Something a person should know; the work went on.
    Warning {
        /// In words.
        message: String,
    },
    /// The work ended here.
    Error {
        /// The exit code.
        exit_code: u8,
        /// In words.
        message: String,
        /// Further facts.
        notes: Vec<String>,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
}

/// What became of the records of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonTally {
    /// Deleted by this run.
    pub deleted: u64,
    /// Already gone.
    pub already_gone: u64,
    /// Not sent, or rolled back.
    pub skipped: u64,
    /// Not deleted by the system.
    pub failed: u64,
    /// Not known.
    pub unknown: u64,
    /// Planned records: the sum of the others.
    pub planned: u64,
}

impl From<Tally> for JsonTally {
    fn from(tally: Tally) -> Self {
        Self {
            deleted: tally.deleted,
            already_gone: tally.already_gone,
            skipped: tally.skipped,
            failed: tally.failed,
            unknown: tally.unknown,
            planned: tally.total(),
        }
    }
}

/// Who ran a command, as far as the machine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonActor {
    /// The user of the operating system.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The CI service, where it ran in one: `GitHub Actions`, `GitLab CI`, or `CI` for another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The address of the CI run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The commit of the CI run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who started the CI run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
}

impl From<&Actor> for JsonActor {
    fn from(actor: &Actor) -> Self {
        let Actor { user, host, pipeline } = actor.clone();
        let (service, run, commit, started_by) = match pipeline {
            Some(PipelineRun { service, run, commit, started_by }) => (Some(service), run, commit, started_by),
            None => (None, None, None, None),
        };
        Self { user, host, service, run, commit, started_by }
    }
}

/// What a plan was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonBase {
    /// `revision`, `directory`, `store` and `applied` were reviewed; `lay-here` was not.
    pub kind: String,
    /// Its digest.
    pub plan: String,
    /// The git revision, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The commit that the revision was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// How a selection differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonChanges {
    /// Digest of the plan compared with.
    pub with: String,
    /// Selected now and not reviewed.
    pub newly_selected: u64,
    /// How many of those the plan compared with has as well, because it is no base.
    pub unreviewed: u64,
    /// Failed last time and tried again.
    pub retried: u64,
    /// Selected now and in the base.
    pub reviewed: u64,
    /// In the plan compared with and not selected now.
    pub no_longer_selected: u64,
    /// Held now.
    pub held: u64,
    /// `nothing`, `data`, `policy` or `policy-and-data`.
    pub cause: String,
    /// The same in numbers, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<JsonAttribution>,
    /// Why they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_attributed: Option<String>,
}

/// How much of a change the policy made and how much the data did: what the policy asked for before is asked again today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonAttribution {
    /// Selected, not in the plan compared with, and not matching what the policy asked for then.
    pub added_by_policy: u64,
    /// Selected, not in the plan compared with, and matching that.
    pub added_by_data: u64,
    /// In the plan compared with, not matching now, and matching what the policy asked for then.
    pub dropped_by_policy: u64,
    /// In the plan compared with, and matching neither.
    pub dropped_by_data: u64,
    /// Whether the holds changed as well, so that some of what is said to be by the data may be by a hold.
    pub holds_changed: bool,
}

/// A list of ids that a filter names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonList {
    /// Its path, as the manifest has it.
    pub file: String,
    /// The digest of its ids: each as the system writes it and a line end, in the order of the file.
    pub digest: String,
    /// How many there are.
    pub ids: u64,
    /// How many are of records that the system shows as deleted.
    pub already_gone: u64,
    /// Of how many the system shows this login no record.
    pub not_found: u64,
    /// A few of these, by id.
    pub first_not_found: Vec<String>,
}

/// What a hold does for one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonHoldReach {
    /// The policy.
    pub policy: String,
    /// How many of the records that match it the hold keeps.
    pub records: u64,
}

/// Records of one child object that the system deletes along with the selected ones, or that keep it from deleting those, one
/// generation deep. Those of held records are counted, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonCascade {
    /// The child object.
    pub child: String,
    /// The child's field that points at the parent.
    pub field: String,
    /// How many; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A file or a directory in which no manifest was looked for or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonPassedOver {
    /// Its path, relative to the project's directory.
    pub path: String,
    /// `foreign` where no document is Sexton's, `ignored` where `.sextonignore` names it, `hidden` for a directory whose name begins
    /// with a dot.
    pub cause: String,
}

/// Records of one policy that another policy of the plan deletes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonElsewhere {
    /// The policy whose records file has them.
    pub policy: String,
    /// How many.
    pub records: u64,
}

/// What one gate found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonGate {
    /// The gate.
    pub gate: String,
    /// `pass`, `warn` or `refuse`.
    pub kind: String,
    /// One sentence with the numbers.
    pub message: String,
}

/// The JSON Schema of one line.
pub fn output_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<JsonEvent>().to_value();
    never_null(&mut schema);
    schema
}

impl JsonEvent {
    /// The event as one line, without its line break. A terminal that shows it obeys nothing in it.
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self);
        inert_json(line.unwrap_or_else(|error| format!("{{\"type\":\"error\",\"message\":\"{error}\"}}")))
    }
}
