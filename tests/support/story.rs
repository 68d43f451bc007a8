//! A random story: a world, what is declared about it, and what happens to it. All of it is data, so that it shrinks.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sexton::sandbox::{
    Effect, Fault, FieldKind, ItemError, Lookup, ObjectDefinition, OnDelete, Permissions, RecordKey, User, Value, World,
    WorldBuilder,
};

use super::plan_fault::PlanFaults;
use super::route::Route;
use super::start;

/// The objects of every story, each of which may point at itself and at those before it.
pub const OBJECTS: [&str; 4] = ["Alpha__c", "Beta__c", "Gamma__c", "Delta__c"];

/// The place of the object that has archived rows.
const ARCHIVING: usize = 2;

const STATUSES: [&str; 4] = ["new", "open", "done", "void"];

/// What happens to a child when its parent goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Clear,
    Restrict,
    Cascade,
    /// Cascades, but a closed child keeps its parent.
    CascadeUnlessClosed,
}

impl Rule {
    /// Whether a held child must keep its parent.
    pub fn cascades(self) -> bool {
        matches!(self, Self::Cascade | Self::CascadeUnlessClosed)
    }

    fn on_delete(self) -> OnDelete {
        match self {
            Self::Clear => OnDelete::Clear,
            Self::Restrict => OnDelete::Restrict,
            Self::Cascade => OnDelete::Cascade,
            Self::CascadeUnlessClosed => OnDelete::CascadeUnless("Closed__c".into()),
        }
    }
}

/// One of the two lookups of an object.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    /// The object whose records have the lookup.
    pub child: usize,
    /// The field.
    pub field: &'static str,
    /// The object it points at.
    pub parent: usize,
    /// What happens when the parent goes.
    pub rule: Rule,
}

/// One object of a story.
#[derive(Clone, Debug)]
pub struct Kind {
    records: usize,
    seed: u64,
    parent: (usize, Rule),
    other: (usize, Rule),
}

/// A condition that this file evaluates by itself, so that it can tell the truth about what a policy means.
#[derive(Clone, Debug)]
pub enum Filter {
    Status(usize),
    StatusIn(Vec<usize>),
    StatusIsNot(usize),
    Closed(bool),
    AmountBelow(i32),
    NoAmount(bool),
    Older(u16),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Only around conditions on fields that are never empty.
    Not(Box<Self>),
}

impl Filter {
    fn today() -> Date {
        start().to_zoned(TimeZone::UTC).date()
    }

    fn day_before(days: u16) -> Date {
        Self::today().saturating_sub(i32::from(days).days())
    }

    /// Whether a record matches.
    pub fn matches(&self, world: &World, key: RecordKey) -> bool {
        let text = |field| world.value(key, field).unwrap_or(Value::Null).to_text();
        match self {
            Self::Status(number) => text("Status__c") == STATUSES[*number],
            Self::StatusIn(numbers) => numbers.iter().any(|number| text("Status__c") == STATUSES[*number]),
            Self::StatusIsNot(number) => text("Status__c") != STATUSES[*number],
            Self::Closed(closed) => text("Closed__c") == closed.to_string(),
            Self::AmountBelow(most) => {
                matches!(world.value(key, "Amount__c"), Some(Value::Number(amount)) if amount < f64::from(*most))
            }
            Self::NoAmount(none) => world.value(key, "Amount__c").is_none_or(|value| value.is_null()) == *none,
            Self::Older(days) => {
                matches!(world.value(key, "Due__c"), Some(Value::Date(day)) if day < Self::day_before(*days))
            }
            Self::All(parts) => parts.iter().all(|part| part.matches(world, key)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(world, key)),
            Self::Not(part) => !part.matches(world, key),
        }
    }

    /// As a typed tree, in YAML's flow style.
    fn tree(&self) -> String {
        let several = |parts: &[Self]| parts.iter().map(Self::tree).collect::<Vec<_>>().join(", ");
        match self {
            Self::Status(number) => format!("{{ field: Status__c, equals: \"{}\" }}", STATUSES[*number]),
            Self::StatusIn(numbers) => {
                let listed: Vec<String> = numbers.iter().map(|number| format!("\"{}\"", STATUSES[*number])).collect();
                format!("{{ field: Status__c, in: [{}] }}", listed.join(", "))
            }
            Self::StatusIsNot(number) => format!("{{ field: Status__c, notEquals: \"{}\" }}", STATUSES[*number]),
            Self::Closed(closed) => format!("{{ field: Closed__c, equals: {closed} }}"),
            Self::AmountBelow(most) => format!("{{ field: Amount__c, less: {most} }}"),
            Self::NoAmount(none) => format!("{{ field: Amount__c, isNull: {none} }}"),
            Self::Older(days) => format!("{{ field: Due__c, olderThan: {days} days }}"),
            Self::All(parts) => format!("{{ all: [{}] }}", several(parts)),
            Self::Any(parts) => format!("{{ any: [{}] }}", several(parts)),
            Self::Not(part) => format!("{{ not: {} }}", part.tree()),
        }
    }

    /// As SOQL.
    fn text(&self) -> String {
        let several = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(Self::text).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::Status(number) => format!("Status__c = '{}'", STATUSES[*number]),
            Self::StatusIn(numbers) => {
                let listed: Vec<String> = numbers.iter().map(|number| format!("'{}'", STATUSES[*number])).collect();
                format!("Status__c IN ({})", listed.join(", "))
            }
            Self::StatusIsNot(number) => format!("Status__c != '{}'", STATUSES[*number]),
            Self::Closed(closed) => format!("Closed__c = {closed}"),
            Self::AmountBelow(most) => format!("Amount__c < {most}"),
            Self::NoAmount(true) => "Amount__c = null".into(),
            Self::NoAmount(false) => "Amount__c != null".into(),
            Self::Older(days) => format!("Due__c < {}", Self::day_before(*days)),
            Self::All(parts) => several(parts, " AND "),
            Self::Any(parts) => several(parts, " OR "),
            Self::Not(part) => format!("(NOT {})", part.text()),
        }
    }

    fn yaml(&self, as_text: bool) -> String {
        if as_text { format!("\"{}\"", self.text()) } else { self.tree() }
    }
}

/// One deletion policy of a story.
#[derive(Clone, Debug)]
pub struct PolicyPart {
    pub object: usize,
    pub filter: Filter,
    as_text: bool,
    pub hard: bool,
    /// `false`, `true` or `perRequest`.
    pub all_or_none: &'static str,
    group_by: bool,
    pub unchanged: bool,
    /// Bits of the policies before this one.
    depends_on: u8,
    pub max_records: u64,
    pub max_percent: u64,
    review: bool,
}

/// One hold of a story.
#[derive(Clone, Debug)]
pub struct HoldPart {
    pub object: usize,
    pub filter: Filter,
    as_text: bool,
    /// Whether it also keeps what looks up to a record that it names.
    pub children: bool,
}

/// What somebody does to the data between plan and apply.
#[derive(Clone, Debug)]
pub enum Change {
    Create { object: usize, seed: u64 },
    Rewrite { object: usize, pick: u16, seed: u64 },
    Reparent { object: usize, pick: u16, seed: u64 },
    Delete { object: usize, pick: u16 },
}

/// Where this process ends, and whether the request under way is still carried out.
pub type Crash = (u64, bool);

/// A whole story.
#[derive(Clone, Debug)]
pub struct Story {
    pub kinds: Vec<Kind>,
    pub policies: Vec<PolicyPart>,
    pub holds: Vec<HoldPart>,
    pub later_holds: Vec<HoldPart>,
    /// Records whose deletion is refused so many times, or always.
    refusals: Vec<(usize, u16, Option<u32>)>,
    pub changes: Vec<Change>,
    /// Records that others delete when the first deletion is on its way.
    pub meanwhile: Vec<(usize, u16)>,
    pub denied_before: Option<usize>,
    pub denied_after: Option<usize>,
    /// The object that the program may not delete any more when its first deletion is on its way.
    pub denied_meanwhile: Option<usize>,
    pub may_hard_delete: (bool, bool),
    pub faults: Vec<Fault>,
    pub crashes: Vec<Crash>,
    /// What the systems draw from.
    pub seed: u64,
    /// What goes wrong with the first and with the second plan.
    pub plan_faults: [PlanFaults; 2],
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        3 => Just(Rule::Clear),
        1 => Just(Rule::Restrict),
        3 => Just(Rule::Cascade),
        1 => Just(Rule::CascadeUnlessClosed),
    ]
}

fn kind(route: Route, number: usize) -> impl Strategy<Value = Kind> {
    // Where all of a selection goes in one request, it is to be larger than the parts of that request.
    let most = if route.is_whole() { 500_usize } else { 220 };
    let parent = 0..=number;
    let other = 0..=number.saturating_sub(1);
    // A cascade within one object has no proven end, and with a hold below it every plan is refused: few worlds have one.
    let tame = proptest::bool::weighted(0.9);
    (0..most, any::<u64>(), (parent, rule()), (other, rule()), tame).prop_map(move |(records, seed, parent, other, tame)| {
        let tamed = |(to, rule): (usize, Rule)| (to, if tame && to == number { Rule::Clear } else { rule });
        Kind { records, seed, parent: tamed(parent), other: tamed(other) }
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let safe = prop_oneof![
        (0..4_usize).prop_map(Filter::Status),
        vec(0..4_usize, 1..4).prop_map(Filter::StatusIn),
        any::<bool>().prop_map(Filter::Closed),
        any::<bool>().prop_map(Filter::NoAmount),
    ];
    let leaf = prop_oneof![
        4 => safe.clone(),
        1 => (0..4_usize).prop_map(Filter::StatusIsNot),
        2 => (0..1_000_i32).prop_map(Filter::AmountBelow),
        2 => (1..900_u16).prop_map(Filter::Older),
        1 => safe.prop_map(|part| Filter::Not(Box::new(part))),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![vec(inner.clone(), 1..3).prop_map(Filter::All), vec(inner, 1..3).prop_map(Filter::Any)]
    })
}

fn policy(route: Route) -> impl Strategy<Value = PolicyPart> {
    let all_or_none = match route.atomic {
        0 => vec!["false"],
        _ if route.is_whole() => vec!["true"],
        _ => vec!["false", "false", "false", "true", "perRequest"],
    };
    let hard = if route.hard { any::<bool>().boxed() } else { Just(false).boxed() };
    let limits = (prop_oneof![6 => Just(10_000_u64), 1 => 0..150_u64], prop_oneof![6 => Just(100_u64), 1 => 5..100_u64]);
    let booleans = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.3), any::<bool>());
    let choice = (0..OBJECTS.len(), filter(), proptest::sample::select(all_or_none), hard);
    (choice, booleans, limits, prop_oneof![2 => Just(0_u8), 1 => any::<u8>()]).prop_map(
        |((object, filter, all_or_none, hard), booleans, (max_records, max_percent), depends_on)| {
            let (as_text, group_by, unchanged, review) = booleans;
            PolicyPart {
                object,
                filter,
                as_text,
                hard,
                all_or_none,
                group_by,
                unchanged,
                depends_on,
                max_records,
                max_percent,
                review,
            }
        },
    )
}

fn hold() -> impl Strategy<Value = HoldPart> {
    let parts = (0..OBJECTS.len(), filter(), filter(), any::<bool>(), any::<bool>());
    parts.prop_map(|(object, one, other, as_text, children)| HoldPart {
        object,
        filter: Filter::All(vec![one, other]),
        as_text,
        children,
    })
}

fn change() -> impl Strategy<Value = Change> {
    let object = || 0..OBJECTS.len();
    prop_oneof![
        (object(), any::<u64>()).prop_map(|(object, seed)| Change::Create { object, seed }),
        (object(), any::<u16>(), any::<u64>()).prop_map(|(object, pick, seed)| Change::Rewrite { object, pick, seed }),
        (object(), any::<u16>(), any::<u64>()).prop_map(|(object, pick, seed)| Change::Reparent { object, pick, seed }),
        (object(), any::<u16>()).prop_map(|(object, pick)| Change::Delete { object, pick }),
    ]
}

/// Faults of reading and signing in.
fn reading_fault() -> BoxedStrategy<Fault> {
    let effect = prop_oneof![
        Just(Effect::DropBefore),
        Just(Effect::DropAfter),
        Just(Effect::Unavailable { retry_after: None }),
        Just(Effect::ShortPage { rows: 1 }),
        Just(Effect::WrongTotal { by: 1 }),
        Just(Effect::Truncate { bytes: 60 }),
        Just(Effect::Cut { bytes: 60 }),
        Just(Effect::ExpireSession),
    ];
    let place = proptest::sample::select(vec!["*/query", "*/queryAll", "*/describe"]);
    (place, effect, 1..12_u64).prop_map(|(place, effect, nth)| Fault::on("GET", place, effect).nth(nth)).boxed()
}

impl Story {
    /// Stories that go through this API. `fault` is what can happen to the requests in which it deletes.
    pub fn through(route: Route, fault: BoxedStrategy<Fault>, with_faults: bool) -> impl Strategy<Value = Self> {
        let most = if with_faults { 5 } else { 0 };
        let fault = prop_oneof![3 => fault, 1 => reading_fault()];
        let hard = (proptest::bool::weighted(0.9), proptest::bool::weighted(0.9));
        let denied = [0.1, 0.1, 0.2].map(|share| option::weighted(share, 0..OBJECTS.len()));
        let crashes = if with_faults { 3 } else { 0 };
        let plan_faults = || match with_faults {
            true => PlanFaults::of(route.system).boxed(),
            false => Just(PlanFaults::default()).boxed(),
        };
        (
            (kind(route, 0), kind(route, 1), kind(route, 2), kind(route, 3)),
            vec(policy(route), 1..4),
            (vec(hold(), 0..3), prop_oneof![2 => vec(hold(), 0..1), 1 => vec(hold(), 1..2)]),
            vec((0..OBJECTS.len(), any::<u16>(), option::of(1..3_u32)), 0..8),
            (vec(change(), 0..40), vec((0..OBJECTS.len(), any::<u16>()), 0..4)),
            (denied, hard, [plan_faults(), plan_faults()]),
            (vec(fault, 0..=most), vec((1..40_u64, any::<bool>()), 0..=crashes), any::<u64>()),
        )
            .prop_map(|(kinds, policies, holds, refusals, changes, rights, trouble)| Self {
                kinds: vec![kinds.0, kinds.1, kinds.2, kinds.3],
                policies,
                holds: holds.0,
                later_holds: holds.1,
                refusals,
                changes: changes.0,
                meanwhile: changes.1,
                denied_before: rights.0[0],
                denied_after: rights.0[1],
                denied_meanwhile: rights.0[2],
                may_hard_delete: rights.1,
                faults: trouble.0,
                crashes: trouble.1,
                seed: trouble.2,
                plan_faults: rights.2,
            })
    }
}

/// The record an index stands for at this moment.
pub fn pick(world: &World, object: usize, number: u16) -> Option<RecordKey> {
    let keys: Vec<RecordKey> = world.ids(OBJECTS[object]).collect();
    (!keys.is_empty()).then(|| keys[usize::from(number) % keys.len()])
}

fn values(random: &mut fastrand::Rng) -> Vec<(&'static str, Value)> {
    let amount = if random.u8(0..5) == 0 { Value::Null } else { Value::Number(f64::from(random.u32(0..1_000))) };
    let due = Filter::today().saturating_sub(random.i32(-30..1_000).days());
    vec![
        ("Name", Value::from(format!("record {}", random.u32(..)).as_str())),
        ("Status__c", Value::from(STATUSES[random.usize(0..4)])),
        ("Closed__c", Value::from(random.bool())),
        ("Amount__c", amount),
        ("Due__c", if random.u8(0..6) == 0 { Value::Null } else { Value::from(due) }),
    ]
}

impl Story {
    /// The lookups of all objects.
    pub fn relations(&self) -> Vec<Relation> {
        let both = |(child, kind): (usize, &Kind)| {
            let relation = |field, (parent, rule)| Relation { child, field, parent, rule };
            [relation("Parent__c", kind.parent), relation("Other__c", kind.other)]
        };
        self.kinds.iter().enumerate().flat_map(both).collect()
    }

    /// Whether a cascade can lead from an object back to itself, so that no number of generations is its end.
    pub fn has_endless_cascade(&self) -> bool {
        self.relations().iter().any(|relation| relation.rule.cascades() && relation.child == relation.parent)
    }

    fn permissions(&self, denied: Option<usize>, hard_delete: bool) -> Permissions {
        let delete_denied = denied.map(|object| OBJECTS[object].to_owned()).into_iter().collect();
        Permissions { hard_delete, delete_denied, ..Permissions::default() }
    }

    /// The user the program signs in as. Others do what they do as somebody else.
    pub fn user() -> RecordKey {
        WorldBuilder::user_key(1)
    }

    /// Somebody else, who may do everything.
    pub fn somebody() -> RecordKey {
        WorldBuilder::user_key(2)
    }

    /// The world in the beginning.
    pub fn world(&self) -> World {
        let user = |key, username: &str, permissions| User {
            key,
            username: username.into(),
            name: username.into(),
            active: true,
            permissions,
        };
        let mut builder = World::builder()
            .start(start())
            .seed(self.seed)
            .harsh()
            .user(user(Self::user(), "sexton@bench.example", self.permissions(self.denied_before, self.may_hard_delete.0)))
            .user(user(Self::somebody(), "ben@bench.example", Permissions::default()));
        for (number, (name, kind)) in OBJECTS.iter().zip(&self.kinds).enumerate() {
            let lookup = |(parent, rule): (usize, Rule), letter: char| {
                Lookup::to(&[OBJECTS[parent]], if letter == 'P' { "Parent__r" } else { "Other__r" })
                    .children(&format!("{letter}{number}__r"))
                    .on_delete(rule.on_delete())
            };
            let prefix = [b'a', b'0', b'1' + number as u8];
            let object = ObjectDefinition::new(name, name, name, prefix)
                .with("Name", FieldKind::Text(80))
                .with("Status__c", FieldKind::Picklist(STATUSES.map(str::to_owned).into()))
                .with("Closed__c", FieldKind::Boolean)
                .with("Amount__c", FieldKind::Double)
                .with("Due__c", FieldKind::Date)
                .with("Parent__c", lookup(kind.parent, 'P').into())
                .with("Other__c", lookup(kind.other, 'O').into());
            // One object has archived rows, which `query` hides, and which can be deleted all the same.
            let object = if number == ARCHIVING { object.with("IsArchived", FieldKind::Boolean) } else { object };
            builder = builder.object(object);
        }
        let mut world = builder.build().expect("a world");
        for (number, kind) in self.kinds.iter().enumerate() {
            let mut random = fastrand::Rng::with_seed(kind.seed);
            for _ in 0..kind.records {
                self.create(&mut world, number, &mut random);
            }
        }
        for (object, number, times) in &self.refusals {
            let Some(key) = pick(&world, *object, *number) else { continue };
            let error = match times {
                Some(_) => ItemError::locked(&[key]),
                None => ItemError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", "not on a Saturday"),
            };
            world.refuse(key, error, *times);
        }
        world
    }

    fn create(&self, world: &mut World, object: usize, random: &mut fastrand::Rng) {
        let key = world.insert(OBJECTS[object], values(random)).expect("known fields");
        if object == ARCHIVING {
            world.update(key, "IsArchived", random.u8(0..3) == 0).expect("known");
        }
        for relation in self.relations().into_iter().filter(|relation| relation.child == object) {
            self.reparent(world, key, relation, random);
        }
    }

    /// Most records have a parent, and parents of their own kind are older: there are no circles.
    fn reparent(&self, world: &mut World, key: RecordKey, relation: Relation, random: &mut fastrand::Rng) {
        let parents: Vec<RecordKey> = world
            .ids(OBJECTS[relation.parent])
            .filter(|parent| relation.parent != relation.child || *parent < key)
            .collect();
        if random.u8(0..10) < 4 && !parents.is_empty() {
            world.update(key, relation.field, parents[random.usize(0..parents.len())]).expect("known");
        }
    }

    /// Does what others do between plan and apply.
    pub fn change(&self, world: &mut World) {
        for change in &self.changes {
            match change {
                Change::Create { object, seed } => self.create(world, *object, &mut fastrand::Rng::with_seed(*seed)),
                Change::Rewrite { object, pick: number, seed } => {
                    let Some(key) = pick(world, *object, *number) else { continue };
                    for (field, value) in values(&mut fastrand::Rng::with_seed(*seed)) {
                        world.update(key, field, value).expect("known");
                    }
                }
                Change::Reparent { object, pick: number, seed } => {
                    let Some(key) = pick(world, *object, *number) else { continue };
                    let mut random = fastrand::Rng::with_seed(*seed);
                    for relation in self.relations().into_iter().filter(|relation| relation.child == *object) {
                        self.reparent(world, key, relation, &mut random);
                    }
                }
                Change::Delete { object, pick: number } => delete_as_somebody(world, *object, *number),
            }
        }
        self.set_rights(world, self.denied_after);
    }

    /// Takes the right to delete one object from the program's user, and gives back all others.
    pub fn set_rights(&self, world: &mut World, denied: Option<usize>) {
        world.set_permissions(Self::user(), self.permissions(denied, self.may_hard_delete.1));
    }

    /// The names of the policies that a policy waits for.
    pub fn dependencies(&self, policy: usize) -> Vec<usize> {
        (0..policy).filter(|other| self.policies[policy].depends_on & (1 << other) != 0).collect()
    }

    /// The documents, with the first or with all holds.
    pub fn documents(&self, route: Route, with_later_holds: bool) -> String {
        let mut text = String::new();
        for (number, policy) in self.policies.iter().enumerate() {
            let depends: Vec<String> = self.dependencies(number).iter().map(|other| policy_name(*other)).collect();
            text += &format!(
                "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {} }}\nspec:\n  target: crm\n  object: {}\n  \
                 filter: {}\n  via: {}\n  delete: {}\n  allOrNone: {}\n  recheck: {}\n  \
                 limits: {{ maxRecords: {}, maxPercent: {} }}\n",
                policy_name(number),
                OBJECTS[policy.object],
                policy.filter.yaml(policy.as_text),
                route.api,
                if policy.hard { "hard\n  justification: the law" } else { "soft" },
                policy.all_or_none,
                if policy.unchanged { "unchanged" } else { "matches" },
                policy.max_records,
                policy.max_percent,
            );
            if !depends.is_empty() {
                text += &format!("  dependsOn: [{}]\n", depends.join(", "));
            }
            if policy.group_by {
                text += "  groupBy: Parent__c\n";
            }
            if policy.review {
                text += "  review: { fields: [Name, Status__c] }\n";
            }
            text += "---\n";
        }
        for (number, hold) in self.holds_now(with_later_holds).iter().enumerate() {
            text += &format!(
                "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: hold-{number} }}\nspec:\n  target: crm\n  object: {}\n  \
                 filter: {}\n  reason: Matter 7\n{}---\n",
                OBJECTS[hold.object],
                hold.filter.yaml(hold.as_text),
                if hold.children { "  children: all\n" } else { "" },
            );
        }
        text
    }

    /// The holds in force.
    pub fn holds_now(&self, with_later_holds: bool) -> Vec<&HoldPart> {
        let later = if with_later_holds { self.later_holds.as_slice() } else { &[] };
        self.holds.iter().chain(later).collect()
    }
}

/// The name of the policy of this number.
pub fn policy_name(number: usize) -> String {
    format!("policy-{number}")
}

/// Deletes a record as somebody else; refusals of the world are theirs.
pub fn delete_as_somebody(world: &mut World, object: usize, number: u16) {
    use sexton::sandbox::{DeleteMode, Deletion};
    if let Some(key) = pick(world, object, number) {
        let deletion = Deletion { mode: DeleteMode::Soft, all_or_none: false, user: Story::somebody() };
        world.delete(&[key.to_string()], deletion);
    }
}
