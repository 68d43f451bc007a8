"""Runs fulcrum, the vendor's own client, unmodified, against a fresh sandbox and asserts what it sees.

Usage: fulcrum_client.py http://127.0.0.1:PORT
"""

import csv
import io
import sys
import time

from fulcrum import Fulcrum
from fulcrum.exceptions import BadRequestException, NotFoundException, UnauthorizedException

RECORDS = 12_000
FORM = "Testing App"
JSON = {"Content-Type": "application/json"}
sandbox = sys.argv[1].rstrip("/")
client = Fulcrum("sandbox-token", uri=sandbox)


def refused(exception, call):
    try:
        call()
    except exception:
        return
    raise AssertionError(f"{exception.__name__} was expected")


def post(path, data=None, by=client):
    return by.client.call("post", path, data=data, extra_headers=JSON)


def rows(sql):
    return client.query(sql)["rows"]


def count(condition="true"):
    return rows(f'SELECT count(*) AS count FROM "{FORM}" WHERE {condition}')[0]["count"]


def batch(start, **selection):
    operation = {"action": "delete", "resource": "record", "form_id": form["id"], **selection}
    return {"batch": {"start": start, "operations": [operation]}}


def ended(batch_id):
    for _ in range(300):
        found = client.client.call("get", f"batch/{batch_id}.json")["batch"]
        if found["status"] not in ("pending", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the batch does not end: {found}")


# Who is asking, and where.
refused(UnauthorizedException, lambda: Fulcrum("wrong", uri=sandbox).forms.search())
user = client.client.call("get", "users")["user"]
organization = user["current_organization"]["id"]
(context,) = [context for context in user["contexts"] if context["id"] == organization]
assert context["role"]["can_delete_records"] is True, context

# Forms.
forms = client.forms.search()
assert forms["total_count"] == len(forms["forms"]) == 3, forms
(form,) = [form for form in forms["forms"] if form["name"] == FORM]
assert form["record_count"] == RECORDS, form
assert client.forms.find(form["id"])["form"]["elements"][0]["data_name"] == "title"

# Queries: names and ids are as good, JSON and CSV say the same.
assert count() == RECORDS
found = client.query(f'SELECT _record_id AS id, _server_updated_at, amount FROM "{form["id"]}" ORDER BY _record_id LIMIT 5')
assert [(field["name"], field["type"]) for field in found["fields"]] == [
    ("id", "string"),
    ("_server_updated_at", "timestamp"),
    ("amount", "double"),
], found["fields"]
text = client.query(f'SELECT _record_id AS id FROM "{FORM}" ORDER BY _record_id LIMIT 5', "csv").decode()
assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [row["id"] for row in found["rows"]]
ids = [row["id"] for row in rows(f'SELECT _record_id AS id FROM "{FORM}" ORDER BY _record_id')]
assert len(ids) == len(set(ids)) == RECORDS
assert len({one.lower() for one in ids}) < RECORDS, "the case matters"
refused(BadRequestException, lambda: client.query("SELECT nothing FROM nowhere"))
refused(BadRequestException, lambda: client.query(f'DELETE FROM "{FORM}"'))

# One record.
client.records.delete(ids[0])
refused(NotFoundException, lambda: client.records.find(ids[0]))
refused(NotFoundException, lambda: client.records.delete(ids[0]))

# A batch of ids that waits until it is started.
doomed = ids[1:10_001]
pending = post("batch.json", batch(False, ids=doomed))["batch"]
assert (pending["status"], pending["objects_total"], pending["objects_success"]) == ("pending", 10_000, 0), pending
assert "started_at" not in pending
assert count() == RECORDS - 1
listed = client.client.call("get", "batch", url_params={"per_page": 1})
assert (listed["batches"], listed["total_count"]) == ([pending], 1), listed
assert post(f"batch/{pending['id']}/start.json")["batch"]["status"] == "running"
done = ended(pending["id"])
assert (done["status"], done["objects_success"]) == ("success", 10_000), done
left = {row["id"] for row in rows(f'SELECT _record_id AS id FROM "{FORM}"')}
assert left == set(ids[10_001:]), "exactly those"
assert "batch" in post(f"batch/{pending['id']}/start.json") and count() == len(left)

# A batch of what a query selects.
marked = count("_status = 'delete_this'")
query = f"SELECT _record_id AS id FROM \"{FORM}\" WHERE _status = 'delete_this'"
started = post("batch", batch(True, query=query))["batch"]
assert started["objects_total"] == marked > 0, started
assert ended(started["id"])["objects_success"] == marked
assert count("_status = 'delete_this'") == 0

# What is refused deletes nothing. The client takes 403 and 422 for answers.
remaining = count()
assert "errors" in post("batch", batch(True, ids=ids[:10_001]))["batch"]
assert "errors" in post("batch", batch(True, query="_status = 'keep'"))["batch"]
reader = Fulcrum("sandbox-read-only-token", uri=sandbox)
assert post("batch", batch(True, ids=list(left)), by=reader) == {"error": "Forbidden"}
assert count() == remaining == len(left) - marked
print(f"fulcrum: {RECORDS - remaining} of {RECORDS} records deleted, all answers as expected")
