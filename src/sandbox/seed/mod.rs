//! Starting data: a directory of CSV files named after objects, a `world.yaml` beside them, and generators. The files of a
//! system that is not Salesforce lie in a folder of its name.

mod definition;
mod files;
mod fulcrum;
mod generator;
mod records;
#[expect(clippy::module_inception, reason = "the seed is the noun of this folder")]
mod seed;
mod seed_error;
#[cfg(test)]
mod tests;
mod zuora;

pub use files::read_directory;
pub use generator::{GeneratedRecords, GeneratorError};
pub use seed::Seed;
pub use seed_error::SeedError;
