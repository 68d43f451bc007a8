"""Runs tap-salesforce, unmodified, against a fresh sandbox and asserts what it reads: by REST and by Bulk API 1.0, whole and incremental.

Usage: tap_salesforce_client.py http://127.0.0.1:PORT

It deletes nothing itself: what the sandbox's own Collections delete in between must come out of the next reading as deleted.
"""

import contextlib
import io
import json
import logging
import os
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

# What the client logs of every request is not asked for here.
logging.disable(logging.INFO)

import tap_salesforce
from tap_salesforce.salesforce import Salesforce

LEADS = 5000
STREAM = "Lead"
sandbox = sys.argv[1].rstrip("/")


class Loopback(HTTPAdapter):
    """Carries every https request to the sandbox: the client signs in at the vendor's address and knows no other."""

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = sandbox + parts.path + ("?" + parts.query if parts.query else "")
        return super().send(request, *args, **kwargs)


def connected(api_type):
    tap = Salesforce(
        refresh_token="sandbox-refresh-token",
        sf_client_id="sandbox-client",
        sf_client_secret="sandbox-secret",
        default_start_date="2000-01-01T00:00:00Z",
        api_type=api_type,
        select_fields_by_default=True,
    )
    tap.session.mount("https://", Loopback())
    tap.login()
    # The timer that signs in again would outlive this check.
    tap.login_timer.cancel()
    return tap


def spoken(call):
    """What the client writes to standard output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        call()
    return output.getvalue()


def discovered(tap):
    streams = json.loads(spoken(lambda: tap_salesforce.do_discover(tap)))["streams"]
    (stream,) = [stream for stream in streams if stream["stream"] == STREAM]
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == []:
            entry["metadata"] |= {
                "selected": True,
                "replication-method": "INCREMENTAL",
                "replication-key": "SystemModstamp",
            }
    return {"streams": [stream]}


def read(tap, catalog, state):
    """The records by id, and the state for the next reading."""
    catalog = json.loads(json.dumps(catalog))
    state = tap_salesforce.build_state(state, catalog)
    messages = [json.loads(line) for line in spoken(lambda: tap_salesforce.do_sync(tap, catalog, state)).splitlines()]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert len({record["Id"] for record in records}) == len(records), "a record came twice"
    (*_, last) = [message["value"] for message in messages if message["type"] == "STATE"]
    return {record["Id"]: record for record in records}, last


def held(token, soql):
    """What the sandbox holds, asked without the client."""
    headers, address, rows = {"Authorization": f"Bearer {token}"}, f"/services/data/v66.0/queryAll?q={requests.utils.quote(soql)}", []
    while address:
        page = requests.get(sandbox + address, headers=headers).json()
        rows += page["records"]
        address = page.get("nextRecordsUrl")
    return {row["Id"]: row for row in rows}


def same(read, held):
    assert read.keys() == held.keys(), (len(read), len(held))
    for key, record in read.items():
        expected = held[key]
        assert record["IsDeleted"] in (expected["IsDeleted"], str(expected["IsDeleted"]).lower()), record
        for name in ("Company", "Email", "Status"):
            assert (record.get(name) or None) == expected[name], (name, record, expected)
        # Both forms of the moment are the vendor's: `+0000` by REST, `Z` by bulk.
        assert record["SystemModstamp"][:19] == expected["SystemModstamp"][:19], record


FIELDS = "SELECT Id, Company, Email, Status, IsDeleted, SystemModstamp FROM Lead"
before = 0
for api_type in ("REST", "BULK"):
    tap = connected(api_type)
    catalog = discovered(tap)
    everything = held(tap.access_token, FIELDS)
    assert len(everything) == LEADS
    found, state = read(tap, catalog, {})
    same(found, everything)

    # Deletions are changes: the next reading tells them, and what is at least as new as the newest record before.
    live = sorted(key for key, row in everything.items() if not row["IsDeleted"])
    doomed = live[:150]
    answer = requests.delete(
        f"{sandbox}/services/data/v66.0/composite/sobjects?ids={','.join(doomed)}",
        headers={"Authorization": f"Bearer {tap.access_token}"},
    ).json()
    assert all(item["success"] for item in answer), answer[0]
    changed, _ = read(tap, catalog, state)
    assert set(doomed) <= {key for key, record in changed.items() if record["IsDeleted"] in (True, "true")}
    bookmark = state["bookmarks"][STREAM]["SystemModstamp"][:19]
    now = held(tap.access_token, FIELDS)
    same(changed, {key: row for key, row in now.items() if row["SystemModstamp"][:19] >= bookmark})
    before += len(doomed)
    assert sum(row["IsDeleted"] for row in now.values()) == before

print(f"tap-salesforce: {LEADS} leads read twice, {before} deletions among them, all as the sandbox holds them")
# Its threads are not for waiting.
sys.stdout.flush()
os._exit(0)
