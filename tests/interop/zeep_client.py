"""Runs zeep, unmodified, with Zuora's public WSDL against a fresh sandbox, and holds what Sexton sends against that WSDL.

Usage: zeep_client.py http://127.0.0.1:PORT SEXTON_BINARY

The WSDL is not ours and is in no repository of ours. It is read from $SEXTON_ZUORA_WSDL, or else from where it may lie beside
this repository; without it nothing is checked, and that is said.
"""

import copy
import http.client
import os
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import zeep
from lxml import etree
from zeep.exceptions import Fault, TransportError

USAGE = 4500
VERSION = "78.0"
API, OBJECT, FAULT = (f"http://{name}api.zuora.com/" for name in ("", "object.", "fault."))
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
sandbox, sexton = urlsplit(sys.argv[1]), sys.argv[2]
wsdl = Path(os.environ.get("SEXTON_ZUORA_WSDL", "../shared/wire/zuora.a.78.0.wsdl"))
if not wsdl.is_file():
    print(f"zeep: skipped, because there is no WSDL at {wsdl}; name one with SEXTON_ZUORA_WSDL")
    sys.exit(0)


class Recorder(BaseHTTPRequestHandler):
    """Hands every request on to the sandbox and keeps its body."""

    protocol_version = "HTTP/1.1"
    bodies = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(body)
        connection = http.client.HTTPConnection(sandbox.hostname, sandbox.port)
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def log_message(self, *_):
        pass


recorder = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
Thread(target=recorder.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{recorder.server_port}"


def schema_of_the_wsdl():
    """The types of the WSDL as one schema. Its parts import each other without saying where they are."""
    folder = Path(tempfile.mkdtemp())
    places = {API: "api.xsd", OBJECT: "object.xsd", FAULT: "fault.xsd"}
    for part in etree.parse(wsdl).iter(f"{{{SCHEMA}}}schema"):
        for reference in part.iter(f"{{{SCHEMA}}}import"):
            reference.set("schemaLocation", places[reference.get("namespace")])
        (folder / places[part.get("targetNamespace")]).write_bytes(etree.tostring(part))
    return etree.XMLSchema(etree.parse(folder / "api.xsd"))


def validate(schema, body):
    """The operation of a request whose header blocks and body are as the schema has them; an error for any other."""
    envelope = etree.fromstring(body)
    assert envelope.tag == f"{{{SOAP}}}Envelope", envelope.tag
    *headers, content = [child for part in envelope for child in part]
    assert [part.tag for part in envelope] in ([f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"], [f"{{{SOAP}}}Body"])
    for element in [*headers, content]:
        schema.assertValid(etree.ElementTree(copy.deepcopy(element)))
    return etree.QName(content).localname


def refused(call):
    try:
        call()
    except (Fault, TransportError) as error:
        return error
    raise AssertionError("a fault was expected")


def code(fault):
    return fault.detail.findtext(f".//{{{FAULT}}}FaultCode")


client = zeep.Client(str(wsdl))
service = client.create_service(f"{{{API}}}SoapBinding", f"{url}/apps/services/a/{VERSION}")

# Login.
wrong = refused(lambda: service.login(username="api@sandbox.example", password="wrong"))
assert (wrong.code, code(wrong)) == ("fns:INVALID_VALUE", "INVALID_VALUE"), wrong
login = service.login(username="api@sandbox.example", password="sandbox-password")
assert login.ServerUrl == f"{url}/apps/services/a/{VERSION}", login.ServerUrl
header = {"SessionHeader": {"session": login.Session}}
stale = refused(lambda: service.getUserInfo(_soapheaders={"SessionHeader": {"session": "none"}}))
assert code(stale) == "INVALID_SESSION", stale
assert service.getUserInfo(_soapheaders=header).TenantId == "12001"


def query(text, **options):
    headers = {**header, "QueryOptions": options} if options else header
    return service.query(queryString=text, _soapheaders=headers)


# Query, with paging by locators. Records are parsed as the types of the WSDL.
page = query("select Id, Quantity, UOM, StartDateTime, AccountId from Usage")
usage = [record.Id for record in page.records]
assert (page.size, page.done, len(usage)) == (USAGE, False, 2000), (page.size, page.done, len(usage))
assert type(page.records[0]).__name__ == "Usage" and page.records[0].StartDateTime.tzinfo is not None
while not page.done:
    page = service.queryMore(queryLocator=page.queryLocator, _soapheaders=header)
    assert page.size == USAGE
    usage += [record.Id for record in page.records]
assert len(usage) == len(set(usage)) == USAGE
accounts = query("select Id, Name, Status from Account where Status = 'Active' or Status = 'Draft'")
assert accounts.size == len(accounts.records) == 5, accounts.size
assert len(query("select Id from Usage", batchSize=10).records) == 10
nothing = query("select Id from Usage where Quantity = -1")
assert (nothing.size, nothing.done, [record.Id for record in nothing.records]) == (0, True, [None]), nothing
assert code(refused(lambda: query("select Id from Usage order by Id"))) == "MALFORMED_QUERY"
foreign = refused(lambda: service.queryMore(queryLocator="0" * 32 + "-2000", _soapheaders=header))
assert foreign.detail.find(f"{{{FAULT}}}InvalidQueryLocatorFault") is not None


def delete(kind, ids):
    return service.delete(type=kind, ids=ids, _soapheaders=header)


# Delete: answers in the order of the request, failures without taking the others along.
account = accounts.records[0].Id
answers = delete("Usage", [usage[0], account, usage[0], usage[1]])
assert [answer.success for answer in answers] == [True, False, False, True], answers
assert [answer.id for answer in answers if answer.success] == usage[:2], answers
assert [answer.errors[0].Code for answer in answers if not answer.success] == ["INVALID_VALUE"] * 2, answers
assert all(answer.success for answer in delete("Usage", usage[2:52]))
assert code(refused(lambda: delete("Usage", usage[52:103]))) == "MAX_RECORDS_EXCEEDED"
assert code(refused(lambda: delete("RatePlan", [account]))) == "INVALID_TYPE"
assert refused(lambda: delete("Usage", ["abc"])).code == "soapenv:Server"
assert query("select Id from Usage").size == USAGE - 52
print(f"zeep: 52 of {USAGE} usage records deleted, all answers as expected")

# What zeep sends is what the WSDL has, but for the one id that is none: the check can tell.
schema = schema_of_the_wsdl()
operations = set()
invalid = 0
for body in Recorder.bodies:
    try:
        operations.add(validate(schema, body))
    except etree.DocumentInvalid:
        invalid += 1
assert (operations, invalid) == ({"login", "getUserInfo", "query", "queryMore", "delete"}, 1), (operations, invalid)

# So must be what Sexton sends.
Recorder.bodies.clear()
manifest = f"""
apiVersion: sexton/v1
kind: Target
metadata: {{ name: billing }}
spec:
  environment: sandbox
  zuora:
    url: {url}
    wsdlVersion: "{VERSION}"
    auth: {{ login: {{ username: api@sandbox.example, password: {{ env: ZUORA_PASSWORD }} }} }}
---
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: {{ name: small-usage }}
spec:
  target: billing
  object: Usage
  filter: Quantity > 500 and StartDateTime < '2026-01-01T00:00:00'
  delete: hard
  justification: A check of the requests that are sent.
  limits: {{ maxRecords: 5000, maxPercent: 100 }}
"""
with tempfile.TemporaryDirectory() as project:
    Path(project, "sexton.yaml").write_text(manifest)
    environment = {**os.environ, "ZUORA_PASSWORD": "sandbox-password"}
    for arguments in (["plan"], ["apply", "plan", "--confirm-target", "billing"]):
        run = subprocess.run([sexton, *arguments], cwd=project, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
operations = [validate(schema, body) for body in Recorder.bodies]
assert {"login", "query", "queryMore", "delete"} <= set(operations), operations
assert query("select Id from Usage where Quantity > 500 and StartDateTime < '2026-01-01T00:00:00'").size == 0
print(f"zeep: {len(operations)} requests of sexton are valid by the types of the WSDL")
