"""Runs simple-salesforce, unmodified, against a fresh sandbox and asserts what it sees.

Usage: simple_salesforce_client.py http://127.0.0.1:PORT
"""

import csv
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.bulk import SFBulkHandler
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceRefusedRequest,
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


def log_in_by_soap(username, password, security_token=None, version="64.0"):
    """Name and password through the client's own SOAP login."""
    session = requests.Session()
    session.mount("https://", Loopback())
    # Without a token, an organization's id stands for the trusted network.
    trusted = {"security_token": security_token} if security_token is not None else {"organizationId": "00D"}
    return Salesforce(username=username, password=password, domain="sexton.my", session=session, version=version, **trusted)


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

# SOAP login, and the code of everybody who does not get in.
by_soap = log_in_by_soap("admin@sandbox.example", "sand & box", "sandboxToken")
assert by_soap.query("SELECT COUNT() FROM Lead")["totalSize"] == LEADS
for arguments, code in [
    (("admin@sandbox.example", "wrong", "sandboxToken"), "INVALID_LOGIN"),
    (("nobody@sandbox.example", "wrong", "sandboxToken"), "INVALID_LOGIN"),
    (("admin@sandbox.example", "sand & box"), "LOGIN_MUST_USE_SECURITY_TOKEN"),
    (("locked@sandbox.example", "sand-box"), "PASSWORD_LOCKOUT"),
]:
    wrong = refused(SalesforceAuthenticationFailed, lambda: log_in_by_soap(*arguments))
    assert wrong.code == code, wrong
refused(SalesforceAuthenticationFailed, lambda: log_in_by_soap("admin@sandbox.example", "sand & box", "sandboxToken", "66.0"))
useless = log_in_by_soap("expired@sandbox.example", "sand-box")
denied = refused(SalesforceRefusedRequest, lambda: useless.query("SELECT Id FROM Lead LIMIT 1"))
assert denied.content[0]["errorCode"] == "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", denied

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
# Bulk API 1.0 reads over JSON, also what is deleted.
handler = SFBulkHandler(client.session_id, f"{sandbox}/services/async/{VERSION}/")
read = handler.Lead.query("SELECT Id, Company, CreatedDate FROM Lead")
assert sorted(row["Id"] for row in read) == leads[501:]
assert all(isinstance(row["CreatedDate"], int) and row["attributes"]["type"] == "Lead" for row in read), read[0]
assert len(handler.Lead.query_all("SELECT Id FROM Lead WHERE IsDeleted = true")) == 401
nothing = refused(SalesforceGeneralError, lambda: handler.Lead.query("SELECT Nothing FROM Lead"))
assert "INVALID_FIELD" in str(nothing), nothing

# Bulk API 1.0 over JSON, in parallel and in turn: results in the order of the request.
results = handler.Lead.delete([{"Id": record} for record in leads[501:901]], batch_size=150)
assert [result["id"] for result in results] == leads[501:901], len(results)
assert all(result["success"] and not result["created"] and result["errors"] == [] for result in results)
wanted = [leads[901], "abc", leads[501], leads[902]]
results = handler.Lead.delete([{"Id": record} for record in wanted], use_serial=True, include_detailed_results=True)
assert [(result["id"], result["Id"]) for result in results] == [
    (leads[901], leads[901]),
    (None, "abc"),
    (None, leads[501]),
    (leads[902], leads[902]),
], results
assert [result["errors"][0]["statusCode"] for result in results[1:3]] == ["MALFORMED_ID", "ENTITY_IS_DELETED"], results
denied = refused(SalesforceMalformedRequest, lambda: handler.Lead.hard_delete([{"Id": leads[903]}]))
assert denied.content["exceptionCode"] == "FeatureNotEnabled", denied
hard = SFBulkHandler(purger.session_id, f"{sandbox}/services/async/{VERSION}/")
assert [result["success"] for result in hard.Lead.hard_delete([{"Id": leads[903]}])] == [True]
stale = SFBulkHandler("00D000000000000!none", f"{sandbox}/services/async/{VERSION}/")
expired = refused(SalesforceMalformedRequest, lambda: stale.Lead.delete([{"Id": leads[904]}]))
assert expired.content["exceptionCode"] == "InvalidSessionId", expired
left = client.query("SELECT COUNT() FROM Lead")["totalSize"]
assert left == LEADS - 904, left
print(f"simple-salesforce: {LEADS - left} of {LEADS} leads deleted, all results as expected")
