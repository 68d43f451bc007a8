//! Applies that the system does not let come to a good end: what stands, and what to do next.

use sexton::sandbox::{Effect, Fault};

use super::errors::respond;
use super::service::Service;
use super::workplace::{Workplace, policy};

#[test]
fn an_apply_that_cannot_go_on_says_what_stands() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    service.sandbox.add_fault(Fault::on("DELETE", "*", Effect::DailyLimit));
    let output = place.expect(3, &["apply", "plan"]);
    assert_shown!(place.shown(&output), @"
    policy stale-leads:
               0 deleted
               3 not settled yet

    evidence in .sexton/runs/[plan]
    Apply: 0 deleted; 3 planned; 1 policy not finished.
    signing in to crm
    stale-leads: selecting: 3 of 3
    warning: stale-leads: REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.
    stale-leads: deleting: 0 of 3
    warning: policy stale-leads: REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.
    warning: 1 policy not finished: run the same command again; it asks the system what happened before it sends anything
    ");
    service.sandbox.clear_faults();
    place.expect(0, &["apply", "plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
}

#[test]
fn requests_refused_as_a_whole_say_so_once() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let refusal = "[{\"message\":\"no way\",\"errorCode\":\"INSUFFICIENT_ACCESS\"}]";
    service.sandbox.add_fault(Fault::on("DELETE", "*", respond(403, "application/json", refusal)));
    let output = place.expect(3, &["apply", "plan"]);
    assert_shown!(place.shown(&output), @"
    policy stale-leads:
               0 deleted
               3 failed: INSUFFICIENT_ACCESS

    evidence in .sexton/runs/[plan]
    Apply: 0 deleted, 3 failed; 3 planned.
    signing in to crm
    stale-leads: selecting: 3 of 3
    warning: stale-leads: could not delete 3 Lead records: HTTP 403 INSUFFICIENT_ACCESS: no way
    stale-leads: deleting: 3 of 3
    stale-leads: settled: 3 of 3
    ");
}
