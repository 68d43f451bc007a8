//! Faults and crashes at every step, against a system that knows the truth.

mod dependency;
mod excluded;
mod isolate;
mod lost;
mod other_writer;
mod outage;
mod refusal;
mod rig;
mod rounds;
mod scenario;
mod truth;
mod turns;
mod world;
