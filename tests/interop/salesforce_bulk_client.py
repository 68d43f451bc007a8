"""Runs salesforce-bulk, unmodified, against a fresh sandbox and asserts what it sees.

Usage: salesforce_bulk_client.py http://127.0.0.1:PORT
"""

import csv
import io
import json
import sys
from xml.etree import ElementTree

import requests
from salesforce_bulk import BulkApiError, CsvDictsAdapter, SalesforceBulk
from salesforce_bulk.salesforce_bulk import BulkBatchFailed

LEADS = 5000
VERSION = "66.0"
sandbox = sys.argv[1].rstrip("/")


def log_in(client_id, client_secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    answer = requests.post(f"{sandbox}/services/oauth2/token", data=form).json()
    return answer["access_token"]


def query(soql):
    """Every row of a query, by the REST API: this client lists nothing by itself."""
    headers = {"Authorization": f"Bearer {token}"}
    address, rows = f"/services/data/v{VERSION}/query?q={requests.utils.quote(soql)}", []
    while address:
        page = requests.get(sandbox + address, headers=headers).json()
        rows += page["records"]
        address = page.get("nextRecordsUrl")
    return rows


def bulk(session):
    return SalesforceBulk(sessionId=session, host=sandbox, API_version=VERSION)


def refused(call, text):
    try:
        call()
    except BulkApiError as error:
        assert text in str(error), error
        return error
    raise AssertionError(f"{text} was expected")


def delete(client, job, rows):
    """One batch, to its end."""
    batch = client.post_batch(job, rows)
    client.wait_for_batch(job, batch, timeout=30, sleep_interval=0.1)
    return client.get_batch_results(batch, job), batch


token = log_in("sandbox-client", "sandbox-secret")
client = bulk(token)
leads = [row["Id"] for row in query("SELECT Id FROM Lead ORDER BY Id")]
assert len(leads) == LEADS, len(leads)
account = query("SELECT AccountId FROM Case WHERE AccountId != null LIMIT 1")[0]["AccountId"]

# XML around CSV, one batch after the other: results by position, a failed row without its id.
job = client.create_delete_job("Lead", contentType="CSV", concurrency="Serial")
status = client.job_status(job)
assert (status["state"], status["concurrencyMode"], status["object"]) == ("Open", "Serial", "Lead"), status
wanted = leads[:400] + ["abc", leads[0]]
results, batch = delete(client, job, CsvDictsAdapter(iter([{"Id": row} for row in wanted])))
assert len(results) == len(wanted), len(results)
assert [result.id for result in results[:400]] == leads[:400]
assert all(result.success == "true" and result.created == "false" and result.error == "" for result in results[:400])
assert [(result.id, result.success, result.error.split(":")[0]) for result in results[400:]] == [
    ("", "false", "MALFORMED_ID"),
    ("", "false", "ENTITY_IS_DELETED"),
], results[400:]
info = client.batch_status(batch, job, reload=True)
assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("402", "2"), info
results, _ = delete(client, job, f"Id\n{leads[400]}\n".encode())
assert [result.id for result in results] == [leads[400]]
assert [entry["state"] for entry in client.get_batch_list(job)] == ["Completed", "Completed"]
client.close_job(job)
status = client.job_status(job)
assert (status["state"], status["numberBatchesTotal"], status["numberRecordsFailed"]) == ("Closed", "2", "2"), status

# A parent that its children hold back, with the line end that the service puts into the text.
job = client.create_delete_job("Account")
results, _ = delete(client, job, f"Id\n{account}\n".encode())
assert results[0].error.startswith("DELETE_FAILED:") and results[0].error.endswith("\n:--"), results

# Batches in JSON and in XML.
job = client.create_delete_job("Lead", contentType="JSON")
results, _ = delete(client, job, json.dumps([{"Id": leads[401]}, {"Id": leads[0]}]))
assert [(result.success, result.id) for result in results] == [(True, leads[401]), (False, None)], results
assert results[1].error[0]["statusCode"] == "ENTITY_IS_DELETED", results
job = client.create_delete_job("Lead", contentType="XML")
rows = "".join(f"<sObject><Id>{row}</Id></sObject>" for row in (leads[402], leads[0]))
results, _ = delete(client, job, f'<sObjects xmlns="{client.jobNS}">{rows}</sObjects>')
assert [result.success for result in results] == [True, False], results
assert results[1].error == [{"fields": [], "message": "entity is deleted", "statusCode": "ENTITY_IS_DELETED"}], results

# Reading, in each of the three forms.
def read(soql, content):
    job = client.create_query_job("Lead", contentType=content)
    batch = client.query(job, soql)
    client.wait_for_batch(job, batch, timeout=30, sleep_interval=0.1)
    client.close_job(job)
    return b"".join(part.read() for part in client.get_all_results_for_query_batch(batch, job)).decode()


wanted = sorted(row["Id"] for row in query("SELECT Id FROM Lead"))
assert sorted(row["Id"] for row in csv.DictReader(io.StringIO(read("SELECT Id, Company FROM Lead", "CSV")))) == wanted
assert sorted(row["Id"] for row in json.loads(read("SELECT Id FROM Lead", "JSON"))) == wanted
records = ElementTree.fromstring(read("SELECT Id FROM Lead", "XML"))
assert sorted(record.findtext(f"{{{client.jobNS}}}Id") for record in records) == wanted
assert read("SELECT Id FROM Lead WHERE Company = 'nobody at all'", "CSV") == "Records not found for this query"
refused(lambda: read("SELECT COUNT() FROM Lead", "CSV"), "Aggregate Relationships not supported")

# Another column fails the batch; an aborted job takes no more.
job = client.create_delete_job("Lead")
failed = refused(
    lambda: delete(client, job, f"Id,Company\n{leads[403]},Acme\n".encode()), "The 'delete' batch must contain only ids"
)
assert isinstance(failed, BulkBatchFailed), failed
client.abort_job(job)
assert client.job_state(job) == "Aborted"
refused(lambda: client.post_batch(job, b"Id\nabc\n"), "InvalidJobState")

# Refusals.
assert refused(lambda: client.create_job("Lead", "harddelete"), "Unable to parse Job").status_code == 400
refused(lambda: client.create_job("Lead", "hardDelete"), "FeatureNotEnabled")
assert refused(lambda: bulk("00DS00000000001!none").job_status(job), "InvalidSessionId").status_code == 400

# Hard delete, with its permission.
purger = bulk(log_in("purge-client", "purge-secret"))
job = purger.create_job("Lead", "hardDelete", contentType="CSV")
results, _ = delete(purger, job, f"Id\n{leads[403]}\n{leads[403]}\n".encode())
assert [result.success for result in results] == ["true", "false"], results
left = {row["Id"] for row in query("SELECT Id FROM Lead")}
assert left == set(leads[404:]), len(left)
print(f"salesforce-bulk: {LEADS - len(left)} of {LEADS} leads deleted, all results as expected")
