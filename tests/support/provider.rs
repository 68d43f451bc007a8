//! What the tests of single providers share: secrets, sinks and ids in memory, and the delete half of a specification that fits.
#![allow(dead_code, reason = "each test uses a part of it")]

use secrecy::SecretString;
use sexton::apply::{Answer, BatchSpecification, IdSource};
use sexton::base::RecordId;
use sexton::manifest::SecretReference;
use sexton::plan::Row;
use sexton::provider::{AnswerSink, DeleteHalf, DeleteJobs, DeleteRequests, Provider, RowSink, SecretError, SecretSource};

/// Secrets that are their own names.
pub struct Secrets;

impl SecretSource for Secrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) => Ok(name.clone().into()),
            other => unreachable!("{other:?}"),
        }
    }
}

/// Keeps rows.
#[derive(Default)]
pub struct Rows(pub Vec<Row>);

impl RowSink for Rows {
    fn row(&mut self, row: Row) -> std::io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

/// Keeps answers.
#[derive(Default)]
pub struct Answers(pub Vec<Answer>);

impl AnswerSink for Answers {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.0.push(answer);
        Ok(())
    }
}

/// The ids of a batch.
pub struct Ids(pub Vec<RecordId>);

impl IdSource for Ids {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>> {
        Ok(self.0.iter().skip(first as usize).take(most).copied().collect())
    }
}

/// The delete half of a specification that is known to fit.
pub trait Halves {
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
