//! The form of `world.yaml`.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::SeedError;
use crate::sandbox::{
    CallLimit, Client, CountLimit, CountRefusal, FieldDefinition, FieldKind, Lookup, ObjectDefinition, OnDelete,
    PasswordLogin, Permissions, RecordKey, Settings, User, WorldBuilder,
};

/// A whole `world.yaml`. Everything in it may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct WorldFile {
    organization: OrganizationEntry,
    objects: Vec<ObjectEntry>,
    users: Vec<UserEntry>,
    clients: Vec<ClientEntry>,
    settings: SettingsEntry,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct OrganizationEntry {
    id: Option<String>,
    name: Option<String>,
    is_sandbox: Option<bool>,
    instance_name: Option<String>,
    edition: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ObjectEntry {
    name: String,
    label: Option<String>,
    label_plural: Option<String>,
    key_prefix: Option<String>,
    name_field: Option<String>,
    deletable: Option<bool>,
    undeletable: Option<bool>,
    has_is_deleted: Option<bool>,
    bulk: Option<bool>,
    queryable: Option<bool>,
    needs_filter_on: Option<Vec<String>>,
    #[serde(default)]
    fields: Vec<FieldEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FieldEntry {
    name: String,
    #[serde(rename = "type")]
    kind: KindEntry,
    length: Option<u32>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    to: Vec<String>,
    parent_name: Option<String>,
    children_name: Option<String>,
    #[serde(default)]
    on_delete: OnDeleteEntry,
    #[serde(default)]
    master: bool,
    #[serde(default)]
    external_id: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KindEntry {
    Text,
    TextArea,
    Email,
    Phone,
    Url,
    Picklist,
    MultiPicklist,
    Boolean,
    Integer,
    Double,
    Currency,
    Percent,
    Date,
    DateTime,
    AutoNumber,
    Lookup,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OnDeleteEntry {
    #[default]
    Clear,
    Restrict,
    Cascade,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UserEntry {
    username: String,
    name: Option<String>,
    id: Option<String>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    permissions: PermissionsEntry,
    #[serde(default, deserialize_with = "secret")]
    password: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    security_token: Option<SecretString>,
    #[serde(default)]
    password_expired: bool,
    #[serde(default)]
    locked_out: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct PermissionsEntry {
    api_enabled: Option<bool>,
    hard_delete: Option<bool>,
    view_setup: Option<bool>,
    manage_data_integrations: Option<bool>,
    delete_denied: Vec<String>,
    read_denied: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ClientEntry {
    id: String,
    #[serde(default, deserialize_with = "secret")]
    secret: Option<SecretString>,
    run_as: Option<String>,
    public_key: Option<String>,
    #[serde(default)]
    approved: Vec<String>,
    #[serde(default)]
    refresh_tokens: Vec<RefreshTokenEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RefreshTokenEntry {
    #[serde(deserialize_with = "secret")]
    token: Option<SecretString>,
    user: String,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// How many calls a Zuora tenant answers: in ten minutes, or in windows of their own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum CallsEntry {
    InTenMinutes(usize),
    InWindows(CallWindows),
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct CallWindows {
    minute: Option<usize>,
    hour: Option<usize>,
    day: Option<usize>,
}

impl CallsEntry {
    fn limits(self) -> Vec<CallLimit> {
        match self {
            Self::InTenMinutes(calls) => vec![CallLimit::in_ten_minutes(calls)],
            Self::InWindows(CallWindows { minute, hour, day }) => {
                let windows = [(minute, 60), (hour, 3_600), (day, 86_400)].into_iter();
                windows.filter_map(|(calls, seconds)| Some(CallLimit { calls: calls?, seconds })).collect()
            }
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct SettingsEntry {
    harsh: bool,
    seed: Option<u64>,
    session_lifetime_seconds: Option<u64>,
    daily_requests: Option<u64>,
    daily_batches: Option<u64>,
    bulk_rows_per_second: Option<u64>,
    bulk_query_rows_per_second: Option<u64>,
    bulk_upload_bytes: Option<usize>,
    bulk_page_rows: Option<usize>,
    bulk_lock_contention: Option<bool>,
    composite_hides_rollback: Option<bool>,
    soap_login: Option<bool>,
    count_limit: Option<u64>,
    count_refusal: Option<CountRefusal>,
    record_count_percent: Option<u64>,
    zuora_calls: Option<CallsEntry>,
}

impl WorldFile {
    /// Asks for everything that vendors may do and seldom do.
    pub(super) fn make_harsh(&mut self) {
        self.settings.harsh = true;
    }

    /// Says what everything that is drawn comes from.
    pub(super) fn set_seed(&mut self, seed: u64) {
        self.settings.seed = Some(seed);
    }

    /// Puts everything into a world in the making and its settings.
    pub(super) fn apply(self, builder: WorldBuilder, settings: &mut Settings) -> Result<WorldBuilder, SeedError> {
        let mut builder = self.organization.apply(builder)?.seed(self.settings.seed.unwrap_or_default());
        if self.settings.harsh {
            builder = builder.harsh();
        }
        for (number, object) in self.objects.into_iter().enumerate() {
            builder = object.apply(builder, number)?;
        }
        let mut keys: BTreeMap<String, RecordKey> = BTreeMap::new();
        for (number, entry) in self.users.into_iter().enumerate() {
            let login = entry.password_login();
            let user = entry.user(number as u64 + 1)?;
            keys.insert(user.username.clone(), user.key);
            if let Some(login) = login {
                builder = builder.password_login(user.key, login);
            }
            builder = builder.user(user);
        }
        for client in self.clients {
            builder = builder.client(client.client(&keys)?);
        }
        self.settings.apply(settings);
        Ok(builder)
    }
}

fn key(text: &str, prefix: &str) -> Result<RecordKey, SeedError> {
    RecordKey::parse(text)
        .ok()
        .filter(|key| key.fifteen().starts_with(prefix))
        .ok_or_else(|| SeedError::Definition(format!("`{text}` is not an id that begins with {prefix}")))
}

impl OrganizationEntry {
    fn apply(self, builder: WorldBuilder) -> Result<WorldBuilder, SeedError> {
        let mut organization = builder.present_organization().clone();
        if let Some(id) = self.id {
            organization.key = key(&id, "00D")?;
        }
        organization.name = self.name.unwrap_or(organization.name);
        organization.is_sandbox = self.is_sandbox.unwrap_or(organization.is_sandbox);
        organization.instance_name = self.instance_name.unwrap_or(organization.instance_name);
        organization.edition = self.edition.unwrap_or(organization.edition);
        Ok(builder.organization(organization))
    }
}

impl ObjectEntry {
    /// Adds the object, or adds to the one of this name. `number` makes a key prefix where none is given.
    fn apply(self, builder: WorldBuilder, number: usize) -> Result<WorldBuilder, SeedError> {
        let mut object = match builder.present_object(&self.name) {
            Some(object) => object.clone(),
            None => {
                let label = self.name.trim_end_matches("__c").replace('_', " ");
                let prefix = format!("a{number:02}").replacen("a00", "aZZ", 1);
                let prefix = prefix.as_bytes().first_chunk().copied().unwrap_or(*b"aZZ");
                let mut object = ObjectDefinition::new(&self.name, &label, &format!("{label}s"), prefix);
                object.fields.push(FieldDefinition {
                    name: "OwnerId".to_owned(),
                    kind: Lookup::to(&["User"], "Owner").into(),
                    external_id: false,
                });
                object
            }
        };
        if let Some(prefix) = self.key_prefix {
            object.key_prefix = prefix
                .as_bytes()
                .try_into()
                .ok()
                .filter(|prefix: &[u8; 3]| prefix.iter().all(u8::is_ascii_alphanumeric))
                .ok_or_else(|| {
                    SeedError::Definition(format!("`{prefix}` is not a key prefix of three letters or digits"))
                })?;
        }
        object.label = self.label.unwrap_or(object.label);
        object.label_plural = self.label_plural.unwrap_or(object.label_plural);
        object.name_field = self.name_field.unwrap_or(object.name_field);
        object.deletable = self.deletable.unwrap_or(object.deletable);
        object.undeletable = self.undeletable.unwrap_or(object.undeletable);
        object.has_is_deleted = self.has_is_deleted.unwrap_or(object.has_is_deleted);
        object.bulk = self.bulk.unwrap_or(object.bulk);
        object.queryable = self.queryable.unwrap_or(object.queryable);
        object.needs_filter_on = self.needs_filter_on.unwrap_or(object.needs_filter_on);
        for field in self.fields {
            let field = field.definition()?;
            object.fields.retain(|other| !other.name.eq_ignore_ascii_case(&field.name));
            object.fields.push(field);
        }
        let name_field = object.name_field.clone();
        if name_field != "Id" && !object.fields.iter().any(|field| field.name.eq_ignore_ascii_case(&name_field)) {
            object.fields.insert(0, FieldDefinition { name: name_field, kind: FieldKind::Text(80), external_id: false });
        }
        Ok(builder.object(object))
    }
}

impl FieldEntry {
    fn definition(self) -> Result<FieldDefinition, SeedError> {
        let kind = match self.kind {
            KindEntry::Text => FieldKind::Text(self.length.unwrap_or(255)),
            KindEntry::TextArea => FieldKind::TextArea,
            KindEntry::Email => FieldKind::Email,
            KindEntry::Phone => FieldKind::Phone,
            KindEntry::Url => FieldKind::Url,
            KindEntry::Picklist => FieldKind::Picklist(self.values),
            KindEntry::MultiPicklist => FieldKind::MultiPicklist(self.values),
            KindEntry::Boolean => FieldKind::Boolean,
            KindEntry::Integer => FieldKind::Integer,
            KindEntry::Double => FieldKind::Double,
            KindEntry::Currency => FieldKind::Currency,
            KindEntry::Percent => FieldKind::Percent,
            KindEntry::Date => FieldKind::Date,
            KindEntry::DateTime => FieldKind::DateTime,
            KindEntry::AutoNumber => FieldKind::AutoNumber { prefix: String::new(), digits: 8 },
            KindEntry::Lookup if self.to.is_empty() => {
                return Err(SeedError::Definition(format!("the lookup `{}` does not say what it points to", self.name)));
            }
            KindEntry::Lookup => FieldKind::Lookup(Lookup {
                to: self.to,
                parent_name: Some(self.parent_name.unwrap_or_else(|| parent_name(&self.name))),
                children_name: self.children_name,
                on_delete: match self.on_delete {
                    OnDeleteEntry::Clear => OnDelete::Clear,
                    OnDeleteEntry::Restrict => OnDelete::Restrict,
                    OnDeleteEntry::Cascade => OnDelete::Cascade,
                },
                master: self.master,
            }),
        };
        Ok(FieldDefinition { name: self.name, kind, external_id: self.external_id })
    }
}

/// What a child calls its parent unless told otherwise: `AccountId` gives `Account`, `Account__c` gives `Account__r`.
fn parent_name(field: &str) -> String {
    match (field.strip_suffix("__c"), field.strip_suffix("Id")) {
        (Some(stem), _) => format!("{stem}__r"),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => field.to_owned(),
    }
}

impl UserEntry {
    fn password_login(&self) -> Option<PasswordLogin> {
        Some(PasswordLogin {
            password: self.password.clone()?,
            security_token: self.security_token.clone(),
            expired: self.password_expired,
            locked_out: self.locked_out,
        })
    }

    fn user(self, number: u64) -> Result<User, SeedError> {
        let standard = Permissions::default();
        let given = self.permissions;
        let permissions = Permissions {
            api_enabled: given.api_enabled.unwrap_or(standard.api_enabled),
            hard_delete: given.hard_delete.unwrap_or(standard.hard_delete),
            view_setup: given.view_setup.unwrap_or(standard.view_setup),
            manage_data_integrations: given.manage_data_integrations.unwrap_or(standard.manage_data_integrations),
            delete_denied: given.delete_denied.into_iter().collect(),
            read_denied: given.read_denied.into_iter().collect(),
        };
        let key = match self.id {
            Some(id) => key(&id, "005")?,
            None => WorldBuilder::user_key(number),
        };
        let name = self.name.unwrap_or_else(|| self.username.clone());
        Ok(User { key, username: self.username, name, active: self.active, permissions })
    }
}

impl ClientEntry {
    fn client(self, users: &BTreeMap<String, RecordKey>) -> Result<Client, SeedError> {
        let find = |username: String| {
            let missing = || SeedError::Definition(format!("the client `{}` names the unknown user `{username}`", self.id));
            users.get(&username).copied().ok_or_else(missing)
        };
        Ok(Client {
            run_as: self.run_as.map(find).transpose()?,
            approved: self.approved.into_iter().map(find).collect::<Result<_, _>>()?,
            refresh_tokens: self
                .refresh_tokens
                .into_iter()
                .filter_map(|entry| Some((entry.token?, entry.user)))
                .map(|(token, username)| Ok((token, find(username)?)))
                .collect::<Result<_, SeedError>>()?,
            public_key_pem: self.public_key,
            secret: self.secret,
            id: self.id.clone(),
        })
    }
}

impl SettingsEntry {
    fn apply(self, settings: &mut Settings) {
        settings.seed = self.seed.unwrap_or_default();
        if self.harsh {
            settings.make_harsh(settings.seed);
        }
        if let Some(seconds) = self.session_lifetime_seconds {
            settings.session_lifetime = std::time::Duration::from_secs(seconds);
        }
        settings.daily_requests = self.daily_requests.unwrap_or(settings.daily_requests);
        settings.daily_batches = self.daily_batches.unwrap_or(settings.daily_batches);
        settings.bulk_rows_per_second = self.bulk_rows_per_second.unwrap_or(settings.bulk_rows_per_second);
        settings.bulk_query_rows_per_second = self.bulk_query_rows_per_second.unwrap_or(settings.bulk_query_rows_per_second);
        settings.bulk_upload_bytes = self.bulk_upload_bytes.unwrap_or(settings.bulk_upload_bytes);
        settings.bulk_page_rows = self.bulk_page_rows.unwrap_or(settings.bulk_page_rows);
        settings.bulk_lock_contention = self.bulk_lock_contention.unwrap_or(settings.bulk_lock_contention);
        settings.composite_hides_rollback = self.composite_hides_rollback.unwrap_or(settings.composite_hides_rollback);
        settings.soap_login = self.soap_login.unwrap_or(settings.soap_login);
        if let Some(rows) = self.count_limit {
            let refusal = self.count_refusal.unwrap_or(CountRefusal::QueryTimeout);
            settings.count_limit = Some(CountLimit { rows, refusal });
        }
        settings.record_count_percent = self.record_count_percent.unwrap_or(settings.record_count_percent);
        if let Some(calls) = self.zuora_calls {
            settings.zuora.calls = calls.limits();
        }
    }
}
