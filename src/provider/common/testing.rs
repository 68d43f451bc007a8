//! What the tests of all providers share.

use crate::apply::BatchSpecification;
use crate::provider::{DeleteHalf, DeleteJobs, DeleteRequests, Provider};

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
