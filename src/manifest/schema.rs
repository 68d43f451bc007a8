//! The JSON Schema of manifests, for editors.
//!
//! Choices and filters are described by the types that the reader makes. The structs here describe mappings alone, whose keys may be left
//! out and have other shapes than what is read from them; manifests are read by [`super::read`], which knows more (references,
//! checksums, SOQL) and says it better. `tests/generated.rs` shows that both know the same keys.

#![expect(dead_code, reason = "the structs are described, never made")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::{AllOrNone, Concurrency, Environment, OnRefusal, Recheck, SendAs};
use crate::base::{Age, NAME_PATTERN as NAME, Percent, PolicyName, never_null};
use crate::filter::Filter;
use crate::system::{Api, DeleteMode};

/// An API name, or the name of a form.
const OBJECT: &str = r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$";
/// A field, or the path of a related one.
pub(super) const FIELD: &str = r"^_?[A-Za-z][A-Za-z0-9_]{0,79}(\._?[A-Za-z][A-Za-z0-9_]{0,79}){0,5}$";
/// A host: plain `http` for loopback only.
const HOST: &str = r"^(https://[^/?#@\s]+|http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?)/?$";
/// Text that is not blank.
pub(super) const NOT_BLANK: &str = r"\S";

/// Free labels, such as an owner or a regulation.
type Labels = BTreeMap<String, NotBlank>;

/// The schema of one document, draft 7, which the YAML language server reads. A file of several documents is
/// judged document by document.
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft07().with(|settings| settings.meta_schema = None).into_generator();
    let kinds = [
        ("Project", generator.subschema_for::<ProjectSpec>()),
        ("Target", generator.subschema_for::<TargetSpec>()),
        ("DeletionPolicy", generator.subschema_for::<DeletionPolicySpec>()),
        ("Hold", generator.subschema_for::<HoldSpec>()),
    ];
    let metadata = generator.subschema_for::<Metadata>();
    let names: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
    let branches: Vec<Value> = kinds
        .iter()
        .map(|(kind, spec)| {
            json!({
                "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] },
                "then": { "properties": { "spec": spec } },
            })
        })
        .collect();
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Sexton manifest",
        "description": "One document: a project, a target, a deletion policy or a hold.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": { "description": "The format of the manifest.", "const": "sexton/v1" },
            "kind": { "description": "What the document is.", "enum": names },
            "metadata": metadata,
            "spec": { "description": "What the document says; its keys depend on `kind`.", "type": "object" },
        },
        "allOf": branches,
        "definitions": generator.take_definitions(true),
    });
    never_null(&mut schema);
    schema
}

/// The name of the document and its labels.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Metadata {
    /// The name: a DNS label, unique among the documents of the same kind.
    #[schemars(regex(pattern = NAME))]
    name: String,
    /// Free labels, such as an owner or a regulation.
    labels: Option<Labels>,
}

/// Settings for the whole directory; at most one document of this kind.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ProjectSpec {
    /// The project's identity, which `sexton init` makes: a state or a plan of another one is refused. Without it the first plan makes one.
    lineage: Option<NotBlank>,
    /// The IANA time zone of the calendar in which ages are counted.
    #[schemars(extend("default" = "UTC"))]
    time_zone: Option<NotBlank>,
    /// How long a plan may wait for its apply.
    #[schemars(extend("default" = "7 days"))]
    plan_expires_after: Option<Age>,
    /// How old a reading of the holds may be when an apply sends something more; longer where one reading takes longer.
    #[schemars(extend("default" = "5 minutes"))]
    hold_refresh: Option<Age>,
    /// The limits of policies that name none of their own.
    limits: Option<Limits>,
    /// The doubts that are accepted for every policy.
    accept: Option<Accept>,
    /// What bounds all policies of one object of a target together. Without it, the largest limit of any one of them does.
    object_limits: Option<ObjectLimits>,
    /// What bounds a whole plan. Without it, only the other limits do.
    plan_limits: Option<PlanLimits>,
    /// What becomes of the other policies when a gate refuses one: nothing is deleted, or they are applied and it is skipped.
    #[schemars(extend("default" = "stop"))]
    on_refusal: Option<OnRefusal>,
    /// The directory of the plan's bundle: below the project's, and relative to it. There is no manifest in it.
    #[schemars(extend("default" = "plan"))]
    plan_directory: Option<NotBlank>,
    /// Where everything that outlives a command is kept.
    store: Option<Store>,
}

/// Where everything that outlives a command is kept: the state, the lock, the runs and their evidence.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Store {
    /// A directory, relative to the project's, or anywhere else. Without a store it is `.sexton`. There is no manifest in it.
    directory: NotBlank,
}

/// One system that holds records, and how to sign in to it.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["salesforce"] }, { "required": ["zuora"] }, { "required": ["fulcrum"] }]))]
struct TargetSpec {
    /// What the system is for. A production organization is refused unless this says `production`, and so is one that does not say what
    /// it is, unless its host or, where it can never say, this alone does.
    environment: Option<Environment>,
    /// The doubts that are accepted for every policy of it.
    accept: Option<Accept>,
    /// A Salesforce org.
    salesforce: Option<Salesforce>,
    /// A Zuora tenant.
    zuora: Option<Zuora>,
    /// A Fulcrum organization.
    fulcrum: Option<Fulcrum>,
}

/// A Salesforce org.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("if" = { "not": { "properties": { "auth": { "required": ["sfCli"] } } } }, "then" = { "required": ["loginUrl"] }))]
struct Salesforce {
    /// The host to sign in to: the org's My Domain host. Needed unless the Salesforce CLI signs in. Plain `http` is for loopback
    /// addresses only.
    #[schemars(regex(pattern = HOST))]
    login_url: Option<String>,
    /// The REST API version, in quotes.
    #[schemars(regex(pattern = r"^[1-9][0-9]{1,2}\.0$"), extend("default" = "66.0"))]
    api_version: Option<String>,
    /// The organization that this target must be; another one is refused. 15 or 18 characters.
    #[schemars(regex(pattern = "^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$"))]
    organization_id: Option<String>,
    /// How to sign in: exactly one way.
    auth: Auth,
}

/// A Zuora tenant.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Zuora {
    /// The tenant's SOAP host, such as `https://na.zuora.com`. Plain `http` is for loopback addresses only.
    #[schemars(regex(pattern = HOST))]
    url: String,
    /// The version of the WSDL, in quotes. It decides which fields and date formats the tenant uses.
    #[schemars(regex(pattern = r"^[1-9][0-9]{1,2}\.0$"), extend("default" = "153.0"))]
    wsdl_version: Option<String>,
    /// The tenant that this target must be; another one is refused.
    tenant_id: Option<NotBlank>,
    /// How to sign in.
    auth: ZuoraAuth,
    /// The most calls to make: in any ten minutes, or in windows as the vendor publishes them for the kind of tenant. Write less when other
    /// programs share the tenant.
    #[schemars(extend("default" = 1000))]
    max_calls: Option<ZuoraCalls>,
}

/// How many calls a Zuora tenant takes.
#[derive(JsonSchema)]
#[serde(untagged)]
enum ZuoraCalls {
    /// So many in any ten minutes.
    InTenMinutes(#[schemars(range(min = 10, max = 1000))] u32),
    /// So many in each of these windows, all of which hold at the same time.
    InWindows(CallWindows),
}

/// How many calls in windows of which length; at least one is given.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
struct CallWindows {
    /// In any minute.
    #[schemars(range(min = 10, max = 50_000))]
    minute: Option<u32>,
    /// In any hour.
    #[schemars(range(min = 10, max = 2_250_000))]
    hour: Option<u32>,
    /// In any day.
    #[schemars(range(min = 10, max = 27_000_000))]
    day: Option<u32>,
}

/// How to sign in to Zuora.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ZuoraAuth {
    /// SOAP `login()`.
    login: ZuoraLogin,
}

/// SOAP `login()`. Only one of `entityId` and `entityName` may be given.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("not" = { "required": ["entityId", "entityName"] }))]
struct ZuoraLogin {
    /// Who signs in.
    username: NotBlank,
    /// The user's password.
    password: SecretReference,
    /// The entity to sign in to, in a tenant with several.
    entity_id: Option<NotBlank>,
    /// The entity to sign in to, by name.
    entity_name: Option<NotBlank>,
}

/// A Fulcrum organization.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Fulcrum {
    /// The region's host. Plain `http` is for loopback addresses only.
    #[schemars(regex(pattern = HOST), extend("default" = "https://api.fulcrumapp.com"))]
    url: Option<String>,
    /// The organization that this target must be; another one is refused.
    organization_id: Option<NotBlank>,
    /// How to sign in.
    auth: FulcrumAuth,
    /// The most calls to make in any hour. Write less when other programs share the user.
    #[schemars(range(min = 10, max = 5000), extend("default" = 5000))]
    max_calls: Option<u32>,
}

/// How to sign in to Fulcrum.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct FulcrumAuth {
    /// The API token, which belongs to one user in one organization.
    api_token: SecretReference,
}

/// How to sign in: exactly one way.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct Auth {
    /// OAuth client credentials, on the org's My Domain host.
    client_credentials: Option<ClientCredentials>,
    /// OAuth JWT bearer.
    jwt: Option<Jwt>,
    /// An OAuth refresh token.
    refresh_token: Option<RefreshToken>,
    /// An access token that somebody else obtained. `loginUrl` is then the instance.
    access_token: Option<SecretReference>,
    /// The Salesforce CLI's own login.
    sf_cli: Option<SalesforceCli>,
    /// SOAP `login()`, which retires with Summer '27.
    soap_login: Option<SoapLogin>,
}

/// OAuth client credentials.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ClientCredentials {
    /// The connected app's consumer key.
    client_id: SecretReference,
    /// The connected app's consumer secret.
    client_secret: SecretReference,
}

/// OAuth JWT bearer.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Jwt {
    /// The connected app's consumer key.
    client_id: SecretReference,
    /// Who signs in.
    username: NotBlank,
    /// The RSA private key in PEM.
    private_key: SecretReference,
    /// The audience of the assertion; by default the login URL.
    audience: Option<NotBlank>,
}

/// An OAuth refresh token.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshToken {
    /// The connected app's consumer key.
    client_id: SecretReference,
    /// The connected app's consumer secret, where it has one.
    client_secret: Option<SecretReference>,
    /// The refresh token.
    refresh_token: SecretReference,
}

/// The Salesforce CLI's own login.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct SalesforceCli {
    /// The alias or username that the CLI knows.
    target_org: NotBlank,
}

/// SOAP `login()`.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct SoapLogin {
    /// Who signs in.
    username: NotBlank,
    /// The password.
    password: SecretReference,
    /// The user's security token, where the org does not trust the machine's address.
    security_token: Option<SecretReference>,
}

/// Where to find a secret, never the secret itself: exactly one of the three.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct SecretReference {
    /// The environment variable that holds it.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    env: Option<String>,
    /// The file that holds it, relative to the project's directory; one trailing line break is not part of it.
    file: Option<NotBlank>,
    /// A program and its arguments, run without a shell; what it prints is the secret.
    #[schemars(length(min = 1))]
    command: Option<Vec<NotBlank>>,
}

/// Which records of one object in one target must not exist.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("allOf" = [
    {
        "if": { "properties": { "delete": { "const": "hard" } }, "required": ["delete"] },
        "then": {
            "required": ["justification"],
            "properties": { "via": { "enum": ["bulk2", "bulk1", "soap", "batch"] }, "allOrNone": { "const": false } }
        },
        "else": { "properties": { "via": { "enum": ["collections", "composite", "bulk2", "bulk1"] } } }
    },
    {
        "if": { "properties": { "via": { "enum": ["bulk2", "bulk1", "soap", "batch"] } }, "required": ["via"] },
        "then": { "properties": { "allOrNone": { "const": false } } }
    },
    {
        "if": { "properties": { "via": { "const": "bulk2" } }, "required": ["via"] },
        "then": { "properties": { "concurrency": { "const": "parallel" } } }
    },
    {
        "if": { "properties": { "filter": { "const": "everything" } }, "required": ["filter"] },
        "then": { "required": ["limits"], "properties": { "limits": { "required": ["maxRecords", "maxPercent"] } } }
    }
]))]
struct DeletionPolicySpec {
    /// The name of the target that holds the records.
    #[schemars(regex(pattern = NAME))]
    target: String,
    /// The API name of the object; in Fulcrum the name of a form, or its id.
    #[schemars(regex(pattern = OBJECT))]
    object: String,
    /// Which records: a condition in the target's own language, a tree, a list of ids, or `everything`.
    filter: Filter,
    /// Into the recycle bin (`soft`) or past it (`hard`). A hard delete cannot be undone. Zuora and Fulcrum have no recycle bin: there it must
    /// be `hard`.
    #[schemars(extend("default" = "soft"))]
    delete: Option<DeleteMode>,
    /// Why a hard delete is right. Needed with `delete: hard`.
    justification: Option<NotBlank>,
    /// What is deleted as a whole or not at all: the whole policy (`true`), each request (`perRequest`), or each record
    /// (`false`).
    #[schemars(extend("default" = false))]
    all_or_none: Option<WrittenAllOrNone>,
    /// What stops the plan. Limits stop; they never truncate.
    limits: Option<Limits>,
    /// The API to use. Without it, the plan chooses one and says why.
    via: Option<Api>,
    /// The most records that batches begin with, from 1 to what the API takes; without it, as many as it takes. Fewer at a time help where
    /// much goes along with each record, or triggers do much for it.
    #[schemars(range(min = 1))]
    batch_size: Option<u64>,
    /// Whether batches may run side by side.
    #[schemars(extend("default" = "parallel"))]
    concurrency: Option<Concurrency>,
    /// Records with equal values in this field stay in one batch, against lock contention.
    #[schemars(regex(pattern = FIELD))]
    group_by: Option<String>,
    /// The policies that must succeed before this one starts.
    #[schemars(extend("uniqueItems" = true))]
    depends_on: Option<Vec<PolicyName>>,
    /// What must be true of a record when it is deleted: that it still matches, or also that it has not changed since the plan.
    #[schemars(extend("default" = "matches"))]
    recheck: Option<Recheck>,
    /// How a batch names its records: by their ids, or (in Fulcrum) by a query for those among them that still match.
    #[schemars(extend("default" = "ids"))]
    send_as: Option<SendAs>,
    /// What reviewers are shown of each record.
    review: Option<Review>,
    /// The doubts that this policy accepts.
    accept: Option<Accept>,
    /// The last day on which the policy may be applied. After it a plan still shows the numbers, and is refused.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    review_by: Option<String>,
}

/// Records that must not be deleted, whatever any policy says.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct HoldSpec {
    /// The name of the target that holds the records.
    #[schemars(regex(pattern = NAME))]
    target: String,
    /// The API name of the object; in Fulcrum the name of a form, or its id.
    #[schemars(regex(pattern = OBJECT))]
    object: String,
    /// Which records: a condition in the target's own language, a tree, a list of ids, or `everything`.
    filter: Filter,
    /// Which records it also keeps, of objects that policies delete from: those that look up to a held one, by these fields or by all
    /// of which the system says that they do. Without it the hold keeps no children.
    children: Option<HeldChildren>,
    /// Why they are held.
    reason: NotBlank,
}

/// Doubts that are accepted by name: without it, what is not known refuses a plan.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Accept {
    /// Objects of which it is not known how many records go along with a deletion, that this login cannot see, or below which a held record
    /// may lie. A refusal lists them.
    #[schemars(extend("uniqueItems" = true))]
    unknown_cascades: Vec<NotBlank>,
}

/// Which children a hold keeps.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum HeldChildren {
    /// Every child.
    All(AllChildren),
    /// An object and its field for each, such as `Case.AccountId`.
    By(#[schemars(extend("uniqueItems" = true))] Vec<NotBlank>),
}

/// Every lookup that the system describes.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum AllChildren {
    All,
}

/// What stops a plan.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    /// The most records that a plan may select for one policy.
    #[schemars(extend("default" = 1000))]
    max_records: Option<u64>,
    /// The largest share of the object's records, in percent, with at most two decimals.
    #[schemars(extend("default" = 5))]
    max_percent: Option<Percent>,
    /// The most records that a change of the policy may add to the base; to raise it is to accept them. Without it, nothing bounds them.
    max_widened: Option<u64>,
}

/// What bounds all policies of one object of a target together.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ObjectLimits {
    /// The most records of the object that a plan may select. Default: the largest `limits.maxRecords` of its policies.
    max_records: Option<u64>,
    /// The largest share of the object's records, in percent, with at most two decimals. Default: the largest `limits.maxPercent` of its policies.
    max_percent: Option<Percent>,
}

/// What bounds a whole plan.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct PlanLimits {
    /// The most records that a plan may select in all.
    max_records: u64,
}

/// What reviewers are shown of each record.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Review {
    /// Fields whose values are written to the plan. No other contents of a record are written anywhere.
    #[schemars(extend("uniqueItems" = true))]
    fields: Vec<FieldPath>,
}

/// The records whose ids a file lists. It is a whole filter.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IdFilter {
    /// The file.
    ids: IdList,
}

/// A file that lists the ids of records: one a line, or a column of a CSV file. Each id is there once and of the object.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct IdList {
    /// Its path, relative to the project's directory.
    file: NotBlank,
    /// The name of the column that has the ids, whatever its case. Without it the column `Id`, or the only one.
    column: Option<NotBlank>,
}

/// Schemas that no derive gives.
macro_rules! by_hand {
    ($($(#[$doc:meta])* $name:ident => $schema:tt;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

by_hand! {
    /// Text that is not blank.
    NotBlank => { "type": "string", "pattern": NOT_BLANK };
    /// A field or the path of a related one.
    FieldPath => { "type": "string", "pattern": FIELD };
}

/// [`AllOrNone`] as a manifest says it, which is not how a plan does.
struct WrittenAllOrNone;

impl JsonSchema for WrittenAllOrNone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AllOrNone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = |choice: AllOrNone| choice.written().parse::<bool>().map_or(json!(choice.written()), |all| json!(all));
        json_schema!({ "enum": AllOrNone::iter().map(value).collect::<Vec<_>>() })
    }
}
