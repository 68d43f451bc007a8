"""Runs CumulusCI's task DeleteData, unmodified, against a fresh sandbox and asserts what it deletes: by REST and by Bulk API 1.0.

Usage: cumulusci_client.py http://127.0.0.1:PORT
"""

import logging
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

# What the client logs of every row is not asked for here.
logging.disable(logging.ERROR)

import requests
from cumulusci.core.config import TaskConfig
from cumulusci.core.exceptions import BulkDataException, ServiceNotConfigured, TaskOptionsError
from cumulusci.tasks.bulkdata.delete import DeleteData
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

LEADS = 5000
VERSION = "66.0"
sandbox = sys.argv[1].rstrip("/")


class Loopback(HTTPAdapter):
    """Carries every https request to the sandbox: the client builds https addresses for REST and knows no other."""

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = sandbox + parts.path + ("?" + parts.query if parts.query else "")
        return super().send(request, *args, **kwargs)


def log_in(client_id, client_secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return requests.post(f"{sandbox}/services/oauth2/token", data=form).json()["access_token"]


class Org:
    """What stands in for an org of the client's keychain: where it is, and a token."""

    def __init__(self, token):
        session = requests.Session()
        session.mount("https://", Loopback())
        self.instance_url, self.access_token = sandbox, token
        self.username, self.org_id = "somebody", token.split("!")[0]
        self.salesforce_client = Salesforce(instance="sandbox", session_id=token, version=VERSION, session=session)

    def get_domain(self):
        return "sandbox"

    def refresh_oauth_token(self, keychain):
        pass


class Keychain:
    def get_service(self, name):
        raise ServiceNotConfigured(name)


project = SimpleNamespace(
    repo_root=None,
    keychain=Keychain(),
    project__package__api_version=VERSION,
    project__package__namespace=None,
)


class Delete(DeleteData):
    def _update_credentials(self):
        pass

    def _init_class(self):
        self.sf.session.mount("https://", Loopback())


def delete(org, **options):
    Delete(project, TaskConfig({"options": options}), org)()


def held(soql):
    """What the sandbox holds, asked without the client."""
    headers, address, rows = {"Authorization": f"Bearer {token}"}, f"/services/data/v{VERSION}/query?q={requests.utils.quote(soql)}", []
    while address:
        page = requests.get(sandbox + address, headers=headers).json()
        rows += page["records"]
        address = page.get("nextRecordsUrl")
    return {row["Id"]: row for row in rows}


def refused(exception, call):
    try:
        call()
    except exception as error:
        return str(error)
    raise AssertionError(f"{exception.__name__} was expected")


token = log_in("sandbox-client", "sandbox-secret")
org, purger = Org(token), Org(log_in("purge-client", "purge-secret"))
leads = held("SELECT Id, Status, Rating FROM Lead")
assert len(leads) == LEADS
statuses = sorted({row["Status"] for row in leads.values()})
assert len(statuses) > 2, statuses


def expected(condition):
    return {key for key, row in leads.items() if condition(row)}


# By REST, in collections of 200.
delete(org, objects="Lead", where=f"Status = '{statuses[0]}'", api="rest")
left = expected(lambda row: row["Status"] != statuses[0])
assert held("SELECT Id FROM Lead").keys() == left, len(left)

# By Bulk API 1.0: a query job, and a job that deletes what it found.
delete(org, objects="Lead", where=f"Status = '{statuses[1]}'", api="bulk")
left = expected(lambda row: row["Status"] not in statuses[:2])
assert held("SELECT Id FROM Lead").keys() == left, len(left)

# Nothing found is nothing deleted, and no error.
delete(org, objects="Lead", where="Company = 'nobody at all'", api="bulk")
assert held("SELECT Id FROM Lead").keys() == left

# A statement that makes no sense fails its batch.
assert "INVALID_FIELD" in refused(BulkDataException, lambda: delete(org, objects="Lead", where="Nothing = 1", api="bulk"))
assert "not present or not deletable" in refused(TaskOptionsError, lambda: delete(org, objects="Organization", api="rest"))

# Records that their children hold back.
accounts = held("SELECT Id FROM Account")
parents = {row["AccountId"] for row in held("SELECT Id, AccountId FROM Case WHERE AccountId != null").values()}
delete(org, objects="Account", api="bulk", ignore_row_errors=True)
assert held("SELECT Id FROM Account").keys() == parents & accounts.keys() and parents

# Hard delete needs its permission.
condition = {"objects": "Lead", "where": f"Status = '{statuses[2]}'", "hardDelete": True}
refused(Exception, lambda: delete(org, **condition))
assert held("SELECT Id FROM Lead").keys() == left
delete(purger, **condition)
left = expected(lambda row: row["Status"] not in statuses[:3])
assert held("SELECT Id FROM Lead").keys() == left
print(f"CumulusCI: {LEADS - len(left)} of {LEADS} leads deleted, all as the sandbox holds them")
