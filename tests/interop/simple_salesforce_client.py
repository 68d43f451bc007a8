"""Runs simple-salesforce, unmodified, against a fresh sandbox and asserts what it sees.

Usage: simple_salesforce_client.py http://127.0.0.1:PORT
"""

import csv
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceResourceNotFound,
)

LEADS = 5000
VERSION = "66.0"
sandbox = sys.argv[1].rstrip("/")


class Loopback(HTTPAdapter):
    """Carries every https request to the sandbox: the client builds https addresses and knows no other."""

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = sandbox + parts.path + ("?" + parts.query if parts.query else "")
        return super().send(request, *args, **kwargs)


def log_in(consumer_key, consumer_secret):
    """Client credentials through the client's own login code."""
    session = requests.Session()
    session.mount("https://", Loopback())
    return Salesforce(
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        domain="sexton.my",
        session=session,
        version=VERSION,
    )


def rows(text):
    # Not by lines: an error text may hold a line end inside its quotes.
    return list(csv.DictReader(text.splitlines(keepends=True)))


def refused(exception, call):
    try:
        call()
    except exception as error:
        return error
    raise AssertionError(f"{exception.__name__} was expected")


def ids(client, soql):
    return [record["Id"] for record in client.query_all(soql)["records"]]


def results(job):
    bulk = client.bulk2.Lead
    return (
        rows(bulk.get_successful_records(job["job_id"])),
        rows(bulk.get_failed_records(job["job_id"])),
        rows(bulk.get_unprocessed_records(job["job_id"])),
    )


# Login.
wrong = refused(SalesforceAuthenticationFailed, lambda: log_in("sandbox-client", "wrong"))
assert wrong.code == "invalid_client", wrong
client = log_in("sandbox-client", "sandbox-secret")
purger = log_in("purge-client", "purge-secret")
stranger = Salesforce(instance="127.0.0.1", session_id="00D000000000000!none", session=client.session, version=VERSION)
expired = refused(SalesforceExpiredSession, lambda: stranger.query("SELECT Id FROM Lead LIMIT 1"))
assert expired.content[0]["errorCode"] == "INVALID_SESSION_ID", expired
assert client.is_sandbox() is True

# Query, with paging by locators.
leads = ids(client, "SELECT Id FROM Lead ORDER BY Id")
assert len(leads) == len(set(leads)) == LEADS, len(leads)
assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == LEADS
first = client.query("SELECT Id, Company FROM Lead")
assert (first["totalSize"], first["done"], len(first["records"])) == (LEADS, False, 2000)
assert first["records"][0]["attributes"]["type"] == "Lead"
second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
assert second["records"][0]["Id"] == leads[2000]
nonsense = refused(SalesforceMalformedRequest, lambda: client.query("SELECT Id FORM Lead"))
assert nonsense.content[0]["errorCode"] == "MALFORMED_QUERY", nonsense

# Describe.
assert "Lead" in {entry["name"] for entry in client.describe()["sobjects"]}
description = client.Account.describe()
assert description["keyPrefix"] == "001" and description["deletable"] is True
cases = [child for child in description["childRelationships"] if child["childSObject"] == "Case"]
assert [(child["field"], child["restrictedDelete"]) for child in cases] == [("AccountId", True)], cases

# One record.
assert client.Lead.delete(leads[0]) == 204
gone = refused(SalesforceResourceNotFound, lambda: client.Lead.delete(leads[0]))
assert gone.content[0]["errorCode"] == "ENTITY_IS_DELETED", gone

# Collections: answers in the order of the request, failures without taking the others along.
account = client.query("SELECT AccountId FROM Case WHERE AccountId != null LIMIT 1")["records"][0]["AccountId"]
wanted = [leads[1], leads[0], "001bad", account, leads[2]]
answers = client.restful("composite/sobjects", params={"ids": ",".join(wanted), "allOrNone": "false"}, method="DELETE")
assert [answer["success"] for answer in answers] == [True, False, False, False, True], answers
assert [answer["errors"][0]["statusCode"] for answer in answers if not answer["success"]] == [
    "ENTITY_IS_DELETED",
    "MALFORMED_ID",
    "DELETE_FAILED",
]
assert answers[0]["id"] == leads[1]
too_many = refused(
    SalesforceMalformedRequest,
    lambda: client.restful("composite/sobjects", params={"ids": ",".join(leads[:201])}, method="DELETE"),
)
assert too_many.content[0]["errorCode"] == "EXCEEDED_ID_LIMIT", too_many

# Bulk API 2.0 delete: 398 good rows, one already deleted, one that is no identifier.
wanted = leads[3:401] + [leads[0], "abc"]
(job,) = client.bulk2.Lead.delete(records=[{"Id": record} for record in wanted], wait=1)
assert (job["numberRecordsProcessed"], job["numberRecordsFailed"], job["numberRecordsTotal"]) == (400, 2, 400), job
successful, failed, unprocessed = results(job)
assert [row["Id"] for row in successful] == leads[3:401]
assert all(row["sf__Id"] == row["Id"] and row["sf__Created"] == "false" for row in successful)
assert {row["Id"]: row["sf__Error"].split(":")[0] for row in failed} == {
    leads[0]: "ENTITY_IS_DELETED",
    "abc": "MALFORMED_ID",
}
assert unprocessed == []

# A parent that its children hold back, with the line end that the service puts into the text.
(job,) = client.bulk2.Account.delete(records=[{"Id": account}], wait=1)
_, failed, _ = results(job)
assert len(failed) == 1 and failed[0]["sf__Error"].startswith("DELETE_FAILED:"), failed
assert failed[0]["sf__Error"].endswith(":--") and "\n" in failed[0]["sf__Error"], failed

# Rows of the other line ending fail the job before the first row.
bulk = SFBulk2Handler(client.session_id, f"{sandbox}/services/data/v{VERSION}/jobs/").Lead._client
job = bulk.create_job("delete")
bulk.upload_job_data(job["id"], f"Id\r\n{leads[500]}\r\n")
bulk.close_job(job["id"])
ended = refused(SalesforceOperationError, lambda: bulk.wait_for_job(job["id"], False))
assert "LineEnding is invalid on user data" in str(ended), ended

# Hard delete needs its permission, which administrators do not have by default.
denied = refused(
    SalesforceMalformedRequest, lambda: client.bulk2.Lead.hard_delete(records=[{"Id": leads[401]}], wait=1)
)
assert denied.content[0]["errorCode"] == "FEATURENOTENABLED", denied
(job,) = purger.bulk2.Lead.hard_delete(records=[{"Id": record} for record in leads[401:501]], wait=1)
assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (100, 0), job
(job,) = purger.bulk2.Lead.hard_delete(records=[{"Id": leads[401]}], wait=1)
_, failed, _ = results(job)
assert failed[0]["sf__Error"] == "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", failed

# Soft deletes are in the recycle bin, hard ones nowhere.
assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == LEADS - 501
binned = client.query_all("SELECT Id FROM Lead WHERE IsDeleted = true", include_deleted=True)["records"]
assert len(binned) == 401, len(binned)

# Bulk API 2.0 query, in pages.
pages = list(client.bulk2.Lead.query("SELECT Id, Company FROM Lead", max_records=2000, wait=1))
read = [row for page in pages for row in rows(page)]
assert [len(rows(page)) for page in pages] == [2000, 2000, 499], [len(rows(page)) for page in pages]
assert sorted(row["Id"] for row in read) == leads[501:]
unsupported = refused(SalesforceMalformedRequest, lambda: list(client.bulk2.Lead.query("SELECT COUNT() FROM Lead")))
assert unsupported.content[0]["errorCode"] == "API_ERROR", unsupported
print(f"simple-salesforce: {LEADS - len(read)} of {LEADS} leads deleted, all results as expected")
