//! The APIs that delete, and what a test must know of each: where its records live, and how it is asked to delete them.

use std::collections::BTreeSet;

use sexton::sandbox::{
    DeleteMode, Deletion, Effect, Fault, ItemError, RecordKey, RequestMatch, RequestRecord, Sandbox, Tenant, WorldBuilder,
};

/// The form whose records are deleted.
const FORM: &str = "Testing App";

/// A system that holds records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Salesforce,
    Zuora,
    Fulcrum,
}

/// One API through which records are deleted.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// As in `via`.
    pub api: &'static str,
    /// The system it belongs to.
    pub system: System,
    /// Whether it puts records into a recycle bin.
    pub soft: bool,
    /// Whether it deletes past the recycle bin, or there is none.
    pub hard: bool,
    /// The most records of one atomic request; 0 where there are none.
    pub atomic: u64,
    /// Whether it can be asked for one batch at a time.
    pub serial: bool,
    /// The requests that make the system delete.
    deletes: Place,
}

/// Where a request goes: a method and a path, or for SOAP an operation.
#[derive(Clone, Copy, Debug)]
enum Place {
    Path(&'static str, &'static str),
    Operation(&'static str),
}

impl Place {
    fn fault(self, effect: Effect) -> Fault {
        match self {
            Self::Path(method, path) => Fault::on(method, path, effect),
            Self::Operation(operation) => Fault::on_operation(operation, effect),
        }
    }
}

pub const COLLECTIONS: Route = Route {
    api: "collections",
    system: System::Salesforce,
    soft: true,
    hard: false,
    atomic: 200,
    serial: true,
    deletes: Place::Path("DELETE", "*/composite/sobjects"),
};

pub const COMPOSITE: Route = Route {
    api: "composite",
    system: System::Salesforce,
    soft: true,
    hard: false,
    atomic: 1_000,
    serial: true,
    deletes: Place::Path("POST", "*/composite"),
};

pub const BULK2: Route = Route {
    api: "bulk2",
    system: System::Salesforce,
    soft: true,
    hard: true,
    atomic: 0,
    serial: false,
    deletes: Place::Path("PATCH", "*/jobs/ingest/*"),
};

pub const BULK1: Route = Route {
    api: "bulk1",
    system: System::Salesforce,
    soft: true,
    hard: true,
    atomic: 0,
    serial: true,
    deletes: Place::Path("POST", "/services/async/*/batch"),
};

pub const ZUORA_SOAP: Route = Route {
    api: "soap",
    system: System::Zuora,
    soft: false,
    hard: true,
    atomic: 0,
    serial: true,
    deletes: Place::Operation("delete"),
};

pub const FULCRUM_BATCH: Route = Route {
    api: "batch",
    system: System::Fulcrum,
    soft: false,
    hard: true,
    atomic: 0,
    serial: true,
    deletes: Place::Path("POST", "/api/v2/batch/*/start.json"),
};

impl Route {
    /// Whether the whole selection goes or none of it: the only way in which Composite is taken.
    pub fn is_whole(self) -> bool {
        self.api == "composite"
    }

    /// How its policies delete.
    pub fn delete(self) -> &'static str {
        if self.soft { "soft" } else { "hard" }
    }

    /// The document of a policy `old-ones` for everything old. `more` are further lines of its `spec`, which may take the place of
    /// the usual ones.
    pub fn policy(self, more: &[&str]) -> String {
        self.policy_named("old-ones", more)
    }

    /// The same under another name.
    pub fn policy_named(self, name: &str, more: &[&str]) -> String {
        let mut lines = vec![
            format!("target: {}", self.system.target()),
            format!("object: {}", self.system.object()),
            format!("filter: {}", self.system.condition("old")),
            format!("via: {}", self.api),
            format!("delete: {}", self.delete()),
            format!("allOrNone: {}", self.is_whole()),
            "justification: the law".to_owned(),
            "limits: { maxRecords: 1000, maxPercent: 100 }".to_owned(),
        ];
        for line in more {
            let key = line.split(':').next().expect("a key");
            lines.retain(|usual| usual.split(':').next() != Some(key));
            lines.push((*line).to_owned());
        }
        format!(
            "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  {}\n---\n",
            lines.join("\n  ")
        )
    }

    /// The document of a hold on everything marked.
    pub fn hold_document(self) -> String {
        format!(
            "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: matter }}\nspec:\n  target: {}\n  object: {}\n  \
             filter: {} = 'held'\n  reason: Matter 7\n---\n",
            self.system.target(),
            self.system.object(),
            self.system.columns().1,
        )
    }

    /// Something that goes wrong with a request that makes the system delete.
    pub fn deletion_fault(self, effect: Effect) -> Fault {
        self.deletes.fault(effect)
    }

    /// Something that goes wrong with the work of a job, where there are jobs; otherwise nothing does.
    pub fn work_fault(self, effect: Effect) -> Fault {
        match self.system {
            System::Fulcrum => Fault::on("POST", "/api/v2/batch.json", effect),
            System::Salesforce | System::Zuora => self.deletion_fault(effect),
        }
    }
}

impl System {
    /// Every system.
    pub const ALL: [Self; 3] = [Self::Salesforce, Self::Zuora, Self::Fulcrum];

    /// The name of its target.
    pub fn target(self) -> &'static str {
        match self {
            Self::Salesforce => "crm",
            Self::Zuora => "billing",
            Self::Fulcrum => "field",
        }
    }

    /// The document of its target at an address, pinned to an organization where one is named.
    pub fn document(self, address: &str, organization: Option<&str>) -> String {
        let spec = match self {
            Self::Salesforce => format!(
                "  salesforce:\n    loginUrl: {address}\n    apiVersion: \"66.0\"\n    auth:\n      clientCredentials:\n        \
                 clientId: {{ env: CLIENT_ID }}\n        clientSecret: {{ env: CLIENT_SECRET }}\n"
            ),
            Self::Zuora => format!(
                "  zuora:\n    url: {address}\n    wsdlVersion: \"78.0\"\n    auth:\n      login:\n        \
                 username: {}\n        password: {{ env: BILLING_PASSWORD }}\n",
                Tenant::USERNAME
            ),
            Self::Fulcrum => {
                format!("  fulcrum:\n    url: {address}\n    auth: {{ apiToken: {{ env: FIELD_TOKEN }} }}\n")
            }
        };
        let key = match self {
            Self::Salesforce | Self::Fulcrum => "organizationId",
            Self::Zuora => "tenantId",
        };
        let pin = organization.map(|id| format!("    {key}: \"{id}\"\n")).unwrap_or_default();
        format!(
            "apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: {} }}\nspec:\n  environment: sandbox\n{spec}{pin}---\n",
            self.target()
        )
    }

    /// The organization that the sandbox is.
    pub fn organization(self, sandbox: &Sandbox) -> String {
        match self {
            Self::Salesforce => sandbox.world().organization().key.to_string(),
            Self::Zuora => Tenant::ID.to_owned(),
            Self::Fulcrum => sandbox.fulcrum().id.clone(),
        }
    }

    /// An organization that the sandbox is not.
    pub fn another_organization(self) -> &'static str {
        match self {
            Self::Salesforce => "00D000000000009EAA",
            Self::Zuora => "99999",
            Self::Fulcrum => "00000000-0000-4000-8000-000000000009",
        }
    }

    /// The object whose records are deleted.
    pub fn object(self) -> &'static str {
        match self {
            Self::Salesforce => "Lead",
            Self::Zuora => "Usage",
            Self::Fulcrum => FORM,
        }
    }

    /// The column that policies ask for, and the one that holds ask for.
    pub fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Salesforce => ("Company", "Rating"),
            Self::Zuora => ("UOM", "Description"),
            Self::Fulcrum => ("title", "_status"),
        }
    }

    /// The condition of a policy for all records with this word, in the system's own language.
    pub fn condition(self, word: &str) -> String {
        format!("{} = '{word}'", self.columns().0)
    }

    /// Adds records with this word.
    pub fn add(self, sandbox: &Sandbox, count: usize, word: &str) -> Vec<String> {
        let (column, _) = self.columns();
        match self {
            Self::Salesforce => {
                let mut world = sandbox.world();
                let lead = |_| world.insert("Lead", [("LastName", "x".into()), (column, word.into())]).expect("a lead");
                (0..count).map(lead).map(|key: RecordKey| key.to_string()).collect()
            }
            Self::Zuora => {
                let mut tenant = sandbox.zuora();
                (0..count).map(|_| tenant.insert("Usage", [(column, word)]).expect("a usage record")).collect()
            }
            Self::Fulcrum => {
                let mut organization = sandbox.fulcrum();
                (0..count).map(|_| organization.insert(FORM, [(column, word.into())]).expect("a record")).collect()
            }
        }
    }

    /// The ids of all records there are.
    pub fn live(self, sandbox: &Sandbox) -> BTreeSet<String> {
        match self {
            Self::Salesforce => sandbox.world().ids("Lead").map(|key| key.to_string()).collect(),
            Self::Zuora => sandbox.zuora().ids("Usage").map(str::to_owned).collect(),
            Self::Fulcrum => sandbox.fulcrum().form(FORM).expect("a form").records().keys().cloned().collect(),
        }
    }

    /// Changes a record as a colleague might, so that it no longer matches.
    pub fn renew(self, sandbox: &Sandbox, id: &str) {
        self.set(sandbox, id, self.columns().0, "new");
    }

    /// Changes a record so that it is held.
    pub fn hold(self, sandbox: &Sandbox, id: &str) {
        self.set(sandbox, id, self.columns().1, "held");
    }

    /// Changes a record, and neither whether it matches nor whether it is held.
    pub fn touch(self, sandbox: &Sandbox, id: &str) {
        self.set(sandbox, id, self.columns().1, "seen");
    }

    /// Changes one column of a record.
    pub fn set(self, sandbox: &Sandbox, id: &str, column: &str, word: &str) {
        match self {
            Self::Salesforce => sandbox.world().update(key(id), column, word).expect("a lead"),
            Self::Zuora => sandbox.zuora().update(id, column, word).expect("a usage record"),
            Self::Fulcrum => sandbox.fulcrum().update(FORM, id, [(column, word.into())]).expect("a record"),
        }
    }

    /// Deletes a record as a colleague might.
    pub fn remove(self, sandbox: &Sandbox, id: &str) {
        match self {
            Self::Salesforce => {
                let somebody = Deletion { mode: DeleteMode::Soft, all_or_none: false, user: WorldBuilder::user_key(1) };
                sandbox.world().delete(&[id.to_owned()], somebody).remove(0).expect("deleted");
            }
            Self::Zuora => assert!(sandbox.zuora().remove(id)),
            Self::Fulcrum => assert!(sandbox.fulcrum().remove(FORM, id)),
        }
    }

    /// From now on the record cannot be deleted, where the system has such records.
    pub fn refuse(self, sandbox: &Sandbox, id: &str) -> bool {
        match self {
            Self::Salesforce => {
                let error = ItemError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", "not on a Saturday");
                sandbox.world().refuse(key(id), error, None);
            }
            Self::Zuora => sandbox.zuora().refuse(id, "CANNOT_DELETE", "not on a Saturday", None),
            Self::Fulcrum => return false,
        }
        true
    }

    /// Something that goes wrong with a request that reads records.
    pub fn reading_fault(self, effect: Effect) -> Fault {
        match self {
            Self::Salesforce => Fault::on("GET", "*/query", effect),
            Self::Zuora => Fault::on_operation("query", effect),
            Self::Fulcrum => {
                Fault { on: RequestMatch { path: Some("*/query".into()), ..RequestMatch::default() }, then: effect }
            }
        }
    }

    /// What is sent to sign in.
    pub fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Salesforce => &["sandbox-client", "sandbox-secret"],
            Self::Zuora => &["sandbox-password"],
            Self::Fulcrum => &["sandbox-token"],
        }
    }

    /// Something that goes wrong with a request that signs in.
    pub fn sign_in_fault(self, effect: Effect) -> Fault {
        match self {
            Self::Salesforce => Fault::on("POST", "*/token", effect),
            Self::Zuora => Fault::on_operation("login", effect),
            Self::Fulcrum => Fault::on("GET", "*/users.json", effect),
        }
    }

    /// Whether the answer to a query says how many rows there are in all.
    pub fn declares_totals(self) -> bool {
        self != Self::Fulcrum
    }

    /// Whether a session is opened, which can end.
    pub fn has_sessions(self) -> bool {
        self != Self::Fulcrum
    }

    /// Whether a request asks who is asking, and where, and nothing else.
    pub fn identifies(self, request: &RequestRecord) -> bool {
        match self {
            // The organization is a record of the org itself, asked for before anything else.
            Self::Salesforce => {
                let path = request.path.as_str();
                path.starts_with("/services/oauth2/") || ["/services/data", "/services/data/v66.0/query"].contains(&path)
            }
            Self::Zuora => matches!(request.operation.as_deref(), Some("login" | "getUserInfo")),
            Self::Fulcrum => request.path.starts_with("/api/v2/users"),
        }
    }

    /// Whether a request can change nothing of what there is.
    pub fn reads(self, request: &RequestRecord) -> bool {
        match self {
            Self::Salesforce => request.method == "GET" || self.identifies(request),
            Self::Zuora => matches!(request.operation.as_deref(), Some("query" | "queryMore")) || self.identifies(request),
            Self::Fulcrum => request.method == "GET" || request.path == "/api/v2/query",
        }
    }
}

fn key(id: &str) -> RecordKey {
    RecordKey::parse(id).expect("a record's id")
}
