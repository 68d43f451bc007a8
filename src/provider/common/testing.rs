//! What the tests of all providers share.

use secrecy::SecretString;

use crate::apply::{Answer, BatchSpecification, IdSource};
use crate::base::RecordId;
use crate::manifest::SecretReference;
use crate::plan::Row;
use crate::provider::{AnswerSink, DeleteHalf, DeleteJobs, DeleteRequests, Provider, RowSink, SecretError, SecretSource};

/// Secrets that are `canary-` and their own names; what a program prints is the secret it holds.
pub(in crate::provider) struct NamedSecrets(pub(in crate::provider) &'static str);

impl SecretSource for NamedSecrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) => Ok(format!("canary-{name}").into()),
            SecretReference::File(path) => {
                let path = path.clone();
                Err(SecretError::File { path, source: std::io::ErrorKind::NotFound.into() })
            }
            SecretReference::Command(_) => Ok(self.0.into()),
        }
    }
}

/// A reference whose secret is `canary-` and its name.
pub(in crate::provider) fn secret(name: &str) -> SecretReference {
    SecretReference::Environment(name.into())
}

/// Rows in memory.
#[derive(Default)]
pub(in crate::provider) struct Rows(pub(in crate::provider) Vec<Row>);

impl RowSink for Rows {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

/// Answers in memory.
#[derive(Default)]
pub(in crate::provider) struct Answers(pub(in crate::provider) Vec<Answer>);

impl AnswerSink for Answers {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.0.push(answer);
        Ok(())
    }
}

/// A sink that is full.
pub(in crate::provider) struct Full;

impl RowSink for Full {
    fn row(&mut self, _: Row) -> std::io::Result<()> {
        Err(std::io::Error::other("the disk is full"))
    }
}

impl AnswerSink for Full {
    fn answer(&mut self, _: Answer) -> std::io::Result<()> {
        Err(std::io::Error::other("the disk is full"))
    }
}

/// Ids in memory.
pub(in crate::provider) struct Ids(pub(in crate::provider) Vec<RecordId>);

impl IdSource for Ids {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>> {
        Ok(self.0.iter().skip(first as usize).take(most).copied().collect())
    }
}

/// The delete half of a specification that is known to fit.
pub(in crate::provider) trait Halves {
    /// The half of an API with requests.
    fn requests<'a>(&'a self, specification: &'a BatchSpecification) -> Box<dyn DeleteRequests + 'a>;

    /// The half of an API with jobs.
    fn jobs<'a>(&'a self, specification: &'a BatchSpecification) -> Box<dyn DeleteJobs + 'a>;
}

impl<P: Provider> Halves for P {
    fn requests<'a>(&'a self, specification: &'a BatchSpecification) -> Box<dyn DeleteRequests + 'a> {
        match self.delete_half(specification).expect("it fits") {
            DeleteHalf::Requests(requests) => requests,
            DeleteHalf::Jobs(_) => panic!("{} works by jobs", specification.api),
        }
    }

    fn jobs<'a>(&'a self, specification: &'a BatchSpecification) -> Box<dyn DeleteJobs + 'a> {
        match self.delete_half(specification).expect("it fits") {
            DeleteHalf::Jobs(jobs) => jobs,
            DeleteHalf::Requests(_) => panic!("{} has no jobs", specification.api),
        }
    }
}
