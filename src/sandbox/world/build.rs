//! Making a world.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::account_children::account_children;
use super::definition::{FieldKind, ObjectDefinition, OnDelete};
use super::odd_objects::odd_objects;
use super::organization::{Client, Organization, PasswordLogin, Permissions, User};
use super::place::Place;
use super::standard::{business_objects, system_objects};
use super::table::Table;
use super::world::Relation;
use super::{RecordKey, Value, World, WorldError};
use crate::sandbox::draw::first_number;

/// A world in the making: who is in it and what kinds of records there are.
#[derive(Debug)]
pub struct WorldBuilder {
    start: Timestamp,
    seed: u64,
    organization: Organization,
    objects: Vec<ObjectDefinition>,
    users: Vec<User>,
    password_logins: BTreeMap<RecordKey, PasswordLogin>,
    clients: Vec<Client>,
}

impl World {
    /// Starts a world: with the standard objects, one administrator and one client, unless told otherwise.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::new()
    }
}

impl WorldBuilder {
    pub(super) fn new() -> Self {
        let organization = Organization {
            key: RecordKey::numbered(*b"00D", 1),
            name: "Sandbox Industries".to_owned(),
            is_sandbox: true,
            instance_name: "LOCAL".to_owned(),
            edition: "Enterprise Edition".to_owned(),
        };
        Self {
            start: Timestamp::UNIX_EPOCH,
            seed: 0,
            organization,
            objects: business_objects(),
            users: Vec::new(),
            password_logins: BTreeMap::new(),
            clients: Vec::new(),
        }
    }

    pub(in crate::sandbox) fn present_organization(&self) -> &Organization {
        &self.organization
    }

    pub(in crate::sandbox) fn present_object(&self, name: &str) -> Option<&ObjectDefinition> {
        self.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name))
    }

    /// The key of the user of this number, for use in clients and permissions before the world exists.
    pub fn user_key(number: u64) -> RecordKey {
        RecordKey::numbered(*b"005", number)
    }

    /// The moment the world begins at; generated records are up to ten years older. 1970 unless said.
    #[must_use]
    pub fn start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// What the keys of its records are drawn from. They stay in the order of creation, and those of the organization and of users are the
    /// same with every seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds what a real organization has and a small one has not: everything that lies below an account ([`account_children`]), and
    /// objects without `IsDeleted` or without bulk jobs ([`odd_objects`]).
    #[must_use]
    pub fn harsh(self) -> Self {
        account_children().into_iter().chain(odd_objects()).fold(self, Self::object)
    }

    /// Another organization.
    #[must_use]
    pub fn organization(mut self, organization: Organization) -> Self {
        self.organization = organization;
        self
    }

    /// One more object, in place of one with the same name.
    #[must_use]
    pub fn object(mut self, object: ObjectDefinition) -> Self {
        self.objects.retain(|other| !other.name.eq_ignore_ascii_case(&object.name));
        self.objects.push(object);
        self
    }

    /// One more user. The first one makes all records. Without any, there is an administrator, `admin@sandbox.example`, with
    /// the password `sandbox-password` and the security token `sandboxToken`.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// How a user logs in by name and password; without it, they do not.
    #[must_use]
    pub fn password_login(mut self, user: RecordKey, login: PasswordLogin) -> Self {
        self.password_logins.insert(user, login);
        self
    }

    /// One more connected application. Without any, there is the client `sandbox-client` with the secret
    /// `sandbox-secret`, which stands for the first user.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// The world, without any business records.
    ///
    /// # Errors
    ///
    /// When two objects share a name or a prefix, or a definition refers to something that does not exist.
    pub fn build(mut self) -> Result<World, WorldError> {
        if self.users.is_empty() {
            let login = PasswordLogin::new("sandbox-password", Some("sandboxToken"));
            self.password_logins.insert(Self::user_key(1), login);
            self.users.push(User {
                key: Self::user_key(1),
                username: "admin@sandbox.example".to_owned(),
                name: "Sandbox Administrator".to_owned(),
                active: true,
                permissions: Permissions::default(),
            });
        }
        if self.clients.is_empty() {
            self.clients.push(Client::confidential("sandbox-client", "sandbox-secret", self.users[0].key));
        }
        let mut world = World {
            organization: self.organization.clone(),
            users: self.users.iter().map(|user| (user.key, user.clone())).collect(),
            password_logins: self.password_logins,
            clients: self.clients,
            tables: Vec::new(),
            by_name: HashMap::new(),
            by_prefix: BTreeMap::new(),
            relations: Vec::new(),
            now: super::value::whole_seconds(self.start),
            events: Vec::new(),
            purged: 0,
            refusals: BTreeMap::new(),
            weight_limit: None,
            seed: self.seed,
            query_lag: None,
            locked_once: None,
            transactions: 0,
            undo: Vec::new(),
        };
        for definition in system_objects().into_iter().chain(self.objects) {
            let number = world.tables.len();
            let name = definition.name.clone();
            let first = first_number(self.seed, &name) + 1;
            if world.by_name.insert(name.to_ascii_lowercase(), number).is_some()
                || world.by_prefix.insert(definition.key_prefix, number).is_some()
            {
                return Err(WorldError::Duplicate(name));
            }
            world.tables.push(Table::new(definition, first));
        }
        world.relations = relations(&world)?;
        add_system_records(&mut world, &self.organization, &self.users)?;
        Ok(world)
    }
}

/// The relations of all tables, by parent.
fn relations(world: &World) -> Result<Vec<Vec<Relation>>, WorldError> {
    let mut relations = vec![Vec::new(); world.tables.len()];
    for (child_table, table) in world.tables.iter().enumerate() {
        for (child_field, field) in table.definition.fields.iter().enumerate() {
            let FieldKind::Lookup(lookup) = &field.kind else { continue };
            let unless = match &lookup.on_delete {
                OnDelete::CascadeUnless(blocker) => match table.place(blocker) {
                    Some(Place::Field(place)) => Some(place),
                    _ => {
                        let object = table.definition.name.clone();
                        return Err(WorldError::UnknownField { object, field: blocker.clone() });
                    }
                },
                _ => None,
            };
            for parent in &lookup.to {
                let parent = world.table_number(parent).ok_or_else(|| WorldError::UnknownObject(parent.clone()))?;
                let on_delete = lookup.on_delete.clone();
                relations[parent].push(Relation { child_table, child_field, on_delete, unless });
            }
        }
    }
    Ok(relations)
}

fn add_system_records(world: &mut World, organization: &Organization, users: &[User]) -> Result<(), WorldError> {
    let number =
        |world: &World, object: &str| world.table_number(object).ok_or_else(|| WorldError::UnknownObject(object.to_owned()));
    let table = number(world, "Organization")?;
    let fields = [
        ("Name", organization.name.as_str().into()),
        ("IsSandbox", organization.is_sandbox.into()),
        ("InstanceName", organization.instance_name.as_str().into()),
        ("OrganizationType", organization.edition.as_str().into()),
    ];
    world.insert_with_key(table, organization.key, fields)?;
    let table = number(world, "User")?;
    for user in users {
        let fields = [
            ("Username", user.username.as_str().into()),
            ("Name", user.name.as_str().into()),
            ("Email", user.username.as_str().into()),
            ("IsActive", Value::Boolean(user.active)),
        ];
        world.insert_with_key(table, user.key, fields)?;
    }
    let table = number(world, "UserPermissionAccess")?;
    for user in users {
        world.insert_with_key(table, World::access_key(user.key), [])?;
        world.show_permissions(user.key);
    }
    Ok(())
}
