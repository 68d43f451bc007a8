//! The manifests of a life as data: people change them while it goes on, and the judge knows what they mean without the program.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::support::ADDRESS;
use crate::support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, System, ZUORA_SOAP};

/// The project, which is no directory of this machine.
pub const PROJECT: &str = "/simulated/project";

/// The directories of it that plans are written into.
pub const PLACES: [&str; 2] = ["plan", "plans/other"];

/// The words by which policies know their records.
pub const WORDS: [&str; 2] = ["old", "ancient"];

/// Policies look no further back than so many days.
pub const DAYS: [u16; 3] = [3, 10, 30];

/// A deletion policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: String,
    pub route: Route,
    pub hard: bool,
    /// It selects the records with one of these words,
    pub words: Vec<String>,
    /// and where this is given only those that are older than so many days.
    pub days: Option<u16>,
    pub max_records: u64,
    pub review_by: Option<Date>,
    /// What else it says.
    pub lines: Vec<String>,
}

/// A hold on the records that are marked, or on those with a word.
#[derive(Clone, Debug)]
pub struct Hold {
    pub name: String,
    pub system: System,
    pub word: Option<String>,
}

/// What the person has written.
#[derive(Clone, Debug)]
pub struct Project {
    pub systems: Vec<System>,
    /// How old a reading of the holds may be, in minutes.
    pub refresh: u16,
    pub policies: Vec<Policy>,
    pub holds: Vec<Hold>,
}

/// One of these.
pub fn one<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

/// The APIs of a system, and the most records that make its policy worth looking at.
pub fn routes(system: System) -> &'static [(Route, usize)] {
    match system {
        System::Salesforce => &[(COLLECTIONS, 450), (COMPOSITE, 450), (BULK2, 200), (BULK1, 200)],
        System::Zuora => &[(ZUORA_SOAP, 300)],
        System::Fulcrum => &[(FULCRUM_BATCH, 120)],
    }
}

/// The field that says when a record was made.
fn birth_field(system: System) -> &'static str {
    match system {
        System::Salesforce | System::Zuora => "CreatedDate",
        System::Fulcrum => "_created_at",
    }
}

impl Policy {
    /// Whether it selects a record of its system with this word, made at that moment, by a clock that says `now`.
    pub fn matches(&self, word: &str, born: Timestamp, now: Timestamp) -> bool {
        self.words.iter().any(|own| own == word) && self.is_old_enough(born, now)
    }

    pub fn is_old_enough(&self, born: Timestamp, now: Timestamp) -> bool {
        self.days.is_none_or(|days| born + SignedDuration::from_hours(24 * i64::from(days)) < now)
    }

    /// Its document.
    pub fn text(&self) -> String {
        let Self { route, words, .. } = self;
        let (system, column) = (route.system, route.system.columns().0);
        let native: Vec<String> = words.iter().map(|word| system.condition(word)).collect();
        let filter = match self.days {
            None => native.join(" OR "),
            Some(days) => format!(
                "{{ all: [{{ field: {column}, in: [{}] }}, {{ field: {}, olderThan: {days} days }}] }}",
                words.join(", "),
                birth_field(system),
            ),
        };
        let mut lines = vec![
            format!("filter: {filter}"),
            format!("delete: {}", if self.hard { "hard" } else { "soft" }),
            format!("limits: {{ maxRecords: {}, maxPercent: 100 }}", self.max_records),
        ];
        lines.extend(self.review_by.map(|day| format!("reviewBy: {day}")));
        lines.extend(self.lines.iter().cloned());
        route.policy_named(&self.name, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl Hold {
    fn text(&self) -> String {
        let text = routes(self.system)[0].0.hold_document().replace("name: matter", &format!("name: {}", self.name));
        match &self.word {
            None => text,
            Some(word) => {
                let marked = format!("{} = 'held'", self.system.columns().1);
                text.replace(&marked, &self.system.condition(word))
            }
        }
    }

    /// Whether it keeps a record of its system.
    pub fn keeps(&self, word: &str, marked: bool) -> bool {
        self.word.as_ref().map_or(marked, |own| own == word)
    }
}

impl Project {
    /// The file that has all of it.
    pub fn text(&self) -> String {
        let mut text = format!(
            "apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: life }}\nspec:\n  holdRefresh: {} minutes\n  \
             objectLimits: {{ maxRecords: 5000, maxPercent: 100 }}\n---\n",
            self.refresh
        );
        text.extend(self.systems.iter().map(|system| system.document(ADDRESS, None)));
        text.extend(self.holds.iter().map(Hold::text));
        text.extend(self.policies.iter().map(Policy::text));
        text
    }
}
