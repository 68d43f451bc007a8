//! What a person types, and what people do meanwhile, as data: drawn before a life begins, and printed with it.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use fastrand::Rng;
use jiff::SignedDuration;
use sexton::base::Digest;
use sexton::store::DiskFault;

use crate::process::BEAT;
use crate::project::{DAYS, PLACES, PROJECT, Project, one};
use crate::support::route::System;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    Type(Typed),
    Edit(Edit),
}

/// A command line, and what happens while it is carried out.
#[derive(Clone, Debug)]
pub struct Typed {
    pub line: Line,
    /// By how much this machine's clock is ahead.
    pub clock: SignedDuration,
    pub trouble: Option<Trouble>,
    /// Whether trouble and what others do begin with the first deletion, and not with the process.
    pub late: bool,
    /// What others do when so many requests were sent.
    pub meanwhile: Vec<(u64, Edit)>,
    /// How many requests go wrong, from now on.
    pub faults: usize,
}

/// What is typed.
#[derive(Clone, Debug)]
pub enum Line {
    /// Into one of [`PLACES`]; of one policy only where it is numbered.
    Plan {
        place: usize,
        only: Option<usize>,
    },
    Check {
        place: usize,
    },
    Apply {
        what: ToApply,
        auto_approve: bool,
        max_records: Option<u64>,
        skip: bool,
    },
    /// The run that is unfinished; where there is none, one that nobody knows.
    Abandon {
        without_looking: bool,
    },
}

/// Which plan is applied.
#[derive(Clone, Copy, Debug)]
pub enum ToApply {
    /// That in one of [`PLACES`].
    Place(usize),
    /// None is named.
    Nothing,
    Continue,
}

/// What happens to a process.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// It dies with the request of this number, whether the system does its part or not; the power goes with it, or does not.
    Death { request: u64, done: bool, power: bool },
    /// It dies when so many more things were asked of the disk, with the power or alone.
    DeathAtDisk { operation: u64, power: bool },
    /// After so many things that were asked of it the disk fails at one.
    Disk(u64, DiskFault),
    /// The person wants it to stop after this time, longer where everything is slow.
    Interrupt(Duration),
    /// The person wants it to stop with the request of this number.
    StopAt(u64),
}

/// What people do. Numbers stand for the record, the policy or the system of this place, counted on from the first after the last.
#[derive(Clone, Debug)]
pub enum Edit {
    /// The records from this one on.
    Records {
        deed: Deed,
        first: usize,
        count: usize,
    },
    Add {
        system: usize,
        count: usize,
        word: usize,
    },
    /// A hold on a word is written.
    Hold {
        system: usize,
        word: usize,
    },
    /// A hold is taken out of the manifests.
    Lift(usize),
    Limit {
        policy: usize,
        most: u64,
    },
    /// The last day of a policy is so many days from now.
    ReviewBy {
        policy: usize,
        days: i64,
    },
    OlderThan {
        policy: usize,
        days: u16,
    },
    /// One of [`PLACES`] becomes what it was so many plans ago.
    RestorePlan {
        place: usize,
        back: usize,
    },
    /// The state becomes what it was so many commands ago.
    RestoreState {
        back: usize,
    },
    Pass(Duration),
}

/// What people do to a record.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// It is changed, so that no policy wants it.
    Renew,
    /// It is marked, so that the hold on marked ones has it.
    Mark,
    /// It is changed, and no policy minds; what marked it is gone.
    Touch,
    Remove,
}

impl Edit {
    /// What others may do to records.
    fn of_records(random: &mut Rng) -> Self {
        let (first, count) = (random.usize(..), random.usize(1..4));
        if random.u8(..7) == 0 {
            return Self::Add { system: first, count, word: random.usize(..) };
        }
        let deed = one(random, &[Deed::Renew, Deed::Mark, Deed::Mark, Deed::Touch, Deed::Remove, Deed::Remove]);
        Self::Records { deed, first, count }
    }

    /// What people may write while a run is under way.
    fn of_manifests(random: &mut Rng) -> Self {
        let policy = random.usize(..);
        match random.u8(..8) {
            0..4 => Self::Hold { system: random.usize(..), word: random.usize(..) },
            4 => Self::Lift(policy),
            _ => Self::Limit { policy, most: if random.u8(..4) == 0 { 1_000 } else { random.u64(0..200) } },
        }
    }

    /// What happens between two commands. What is written beside a run that is to be continued is worth more than anything else.
    fn between(random: &mut Rng, seen: &Seen) -> Self {
        let policy = random.usize(..);
        if seen.is_unfinished && random.bool() {
            return match (random.bool(), random.choice(&seen.under_way)) {
                (true, Some(policy)) => Self::Limit { policy: *policy, most: random.u64(0..150) },
                _ => Self::of_manifests(random),
            };
        }
        match random.u8(..24) {
            0..9 => Self::of_records(random),
            9..14 => Self::Add { system: policy, count: random.usize(1..120), word: random.usize(..) },
            14 => Self::Hold { system: policy, word: random.usize(..) },
            15 => Self::of_manifests(random),
            16 => Self::ReviewBy { policy, days: random.i64(-1..9) },
            17 => Self::OlderThan { policy, days: one(random, &DAYS) },
            18 => Self::RestorePlan { place: random.usize(..PLACES.len()), back: random.usize(0..3) },
            19 => Self::RestoreState { back: random.usize(1..4) },
            20 => Self::Pass(Duration::from_secs(random.u64(5 * 24 * 3_600..12 * 24 * 3_600))),
            _ => Self::Pass(Duration::from_secs(random.u64(0..5_000))),
        }
    }
}

impl Trouble {
    /// Eight in `chance` have some.
    fn draw(random: &mut Rng, late: bool, chance: u8) -> Option<Self> {
        let most = 1 << if late { random.u32(2..9) } else { random.u32(2..12) };
        let operation = random.u64(0..most);
        let requests = 1 << if late { random.u32(0..4) } else { random.u32(2..7) };
        let faults = [DiskFault::Refused, DiskFault::DoneButFailed, DiskFault::Short, DiskFault::NoSpace];
        match random.u8(..chance) {
            0 | 1 => Some(Self::Death { request: random.u64(1..=requests), done: random.bool(), power: random.bool() }),
            2 | 3 => Some(Self::DeathAtDisk { operation, power: random.bool() }),
            4 => Some(Self::Disk(operation, one(random, &faults))),
            5 => Some(Self::Interrupt(BEAT * random.u32(0..300))),
            6 | 7 => Some(Self::StopAt(random.u64(1..=requests))),
            _ => None,
        }
    }

    /// Whether the disk has its part in it: then nobody else writes meanwhile, since it would count.
    fn is_of_the_disk(self) -> bool {
        matches!(self, Self::DeathAtDisk { .. } | Self::Disk(..))
    }
}

impl Line {
    fn plan(random: &mut Rng) -> Self {
        let only = (random.u8(..5) == 0).then(|| random.usize(..));
        Self::Plan { place: usize::from(random.u8(..3) == 0), only }
    }

    fn apply(random: &mut Rng, what: ToApply) -> Self {
        Self::Apply {
            what,
            auto_approve: random.u8(..5) == 0,
            max_records: (random.u8(..6) == 0).then(|| one(random, &[0, 40, 150, 2_000])),
            skip: random.u8(..3) == 0,
        }
    }

    /// Mostly what makes sense, and anything else now and then.
    fn draw(random: &mut Rng, seen: &Seen) -> Self {
        let place = random.usize(..PLACES.len());
        let first = usize::from(random.u8(..4) == 0);
        let usable = [first, 1 - first].into_iter().find(|place| seen.usable[*place]);
        let without_looking = random.u8(..3) == 0;
        match (random.u8(..24), seen.is_unfinished, usable) {
            (0, ..) => Self::plan(random),
            (1, ..) => Self::Check { place },
            (2, ..) | (3..7, true, _) => Self::Abandon { without_looking },
            (3, ..) | (7..12, true, _) => Self::apply(random, ToApply::Continue),
            (4, ..) | (12 | 13, true, _) => Self::apply(random, ToApply::Nothing),
            (14 | 15, true, _) => Self::plan(random),
            (16..22, true, _) => Self::apply(random, seen.begun.map_or(ToApply::Continue, ToApply::Place)),
            (5..21, false, Some(usable)) => Self::apply(random, ToApply::Place(usable)),
            (5..21, false, None) => Self::plan(random),
            _ => Self::apply(random, ToApply::Place(place)),
        }
    }
}

impl Line {
    /// As it is typed, after the program's name. `unfinished` is the run that is to be abandoned.
    pub fn text(&self, project: &Project, unfinished: Option<Digest>) -> String {
        let path = |place: usize| format!("{PROJECT}/{}", PLACES[place]);
        match self {
            Self::Plan { place, only } => {
                let out = if *place == 0 { String::new() } else { format!(" --out {}", path(*place)) };
                let policy = |number: usize| &project.policies[number % project.policies.len()].name;
                let only = only.map_or_else(String::new, |number| format!(" --policy {}", policy(number)));
                format!("plan{out}{only}")
            }
            Self::Check { place } => format!("check {}", path(*place)),
            Self::Apply { what, auto_approve, max_records, skip } => {
                let what = match what {
                    ToApply::Place(place) => format!(" {}", path(*place)),
                    ToApply::Nothing => String::new(),
                    ToApply::Continue => " --continue".to_owned(),
                };
                let confirmed = System::ALL.map(|system| format!(" --confirm-target {}", system.target())).concat();
                let approved = if *auto_approve { format!(" --auto-approve{confirmed}") } else { String::new() };
                let most = max_records.map_or_else(String::new, |most| format!(" --max-records {most}"));
                format!("apply{what}{approved}{most}{}", if *skip { " --on-refusal skip" } else { "" })
            }
            Self::Abandon { without_looking } => {
                let run = unfinished.map_or_else(|| "abcdef".to_owned(), |plan| plan.short());
                format!("state abandon {run}{}", if *without_looking { " --without-looking" } else { "" })
            }
        }
    }
}

impl Typed {
    /// A command by a right clock with which nothing goes wrong.
    pub fn quiet(line: Line) -> Self {
        Self { line, clock: SignedDuration::ZERO, trouble: None, late: false, meanwhile: Vec::new(), faults: 0 }
    }

    fn draw(random: &mut Rng, line: Line) -> Self {
        let deletes = matches!(line, Line::Apply { .. });
        let late = deletes && random.u8(..3) > 0;
        let trouble = Trouble::draw(random, late, if deletes { 13 } else { 32 });
        let mut meanwhile = Vec::new();
        for _ in 0..(if deletes { random.usize(0..4) } else { 0 }) {
            let edit = if random.bool() && !trouble.is_some_and(Trouble::is_of_the_disk) {
                Edit::of_manifests(random)
            } else {
                Edit::of_records(random)
            };
            let request = random.u64(1..if late { 9 } else { 60 });
            let is_worth_it = matches!(edit, Edit::Hold { .. });
            meanwhile.push((request, edit));
            if random.u8(..4) == 0 || is_worth_it {
                // The machine sleeps.
                meanwhile.push((request + random.u64(0..3), Edit::Pass(Duration::from_secs(random.u64(300..1_200)))));
            }
        }
        meanwhile.sort_by_key(|(request, _)| *request);
        Self {
            line,
            clock: if deletes || random.bool() { wrong_by(random) } else { SignedDuration::ZERO },
            trouble,
            late,
            meanwhile,
            faults: if random.u8(..3) == 0 { random.usize(1..8) } else { 0 },
        }
    }

    /// Whether nothing goes wrong by itself.
    pub fn is_quiet(&self) -> bool {
        self.trouble.is_none() && self.faults == 0
    }
}

/// By how much a clock is wrong, mostly not at all.
fn wrong_by(random: &mut Rng) -> SignedDuration {
    let sign = if random.bool() { 1 } else { -1 };
    match random.u8(..12) {
        0 | 1 => SignedDuration::from_secs(sign * random.i64(1..240)),
        2 => SignedDuration::from_mins(sign * random.i64(7..48 * 60)),
        3 => SignedDuration::from_hours(sign * random.i64(48..24 * 1_500)),
        _ => SignedDuration::ZERO,
    }
}

/// What the person can see before a command.
pub struct Seen {
    /// Whether a run is unfinished.
    pub is_unfinished: bool,
    /// In which of [`PLACES`] its plan lies.
    pub begun: Option<usize>,
    /// The policies of which it has sent something.
    pub under_way: Vec<usize>,
    /// Whether a plan that was never used lies in each of [`PLACES`].
    pub usable: [bool; PLACES.len()],
}

/// A command line, and what happens before it.
pub fn next(random: &mut Rng, seen: &Seen) -> Vec<Step> {
    let edits: Vec<Step> = (0..random.usize(0..4)).map(|_| Step::Edit(Edit::between(random, seen))).collect();
    let line = Line::draw(random, seen);
    edits.into_iter().chain([Step::Type(Typed::draw(random, line))]).collect()
}

impl Display for Step {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(typed) => write!(formatter, "{typed:?}"),
            Self::Edit(edit) => write!(formatter, "{edit:?}"),
        }
    }
}
