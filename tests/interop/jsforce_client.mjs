// Runs jsforce, unmodified, against a fresh sandbox and asserts what it sees.
//
// Usage: node jsforce_client.mjs http://127.0.0.1:PORT

import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The packages lie beside the build, not beside this file.
const require = createRequire(`${process.cwd()}/`);
const { Connection } = require("jsforce");

const LEADS = 5000;
const sandbox = process.argv[2].replace(/\/$/, "");

async function logIn(clientId, clientSecret) {
  const connection = new Connection({
    version: "66.0",
    instanceUrl: sandbox,
    oauth2: { clientId, clientSecret, loginUrl: sandbox },
  });
  await connection.authorize({ grant_type: "client_credentials" });
  connection.bulk2.pollInterval = 100;
  return connection;
}

const ids = async (connection, soql) =>
  (await connection.query(soql, { autoFetch: true, maxFetch: 100000 })).records.map((record) => record.Id);
const rows = (list) => list.map((Id) => ({ Id }));
const code = (row) => row.sf__Error.split(":")[0];

// Login.
await assert.rejects(logIn("sandbox-client", "wrong"), { name: "invalid_client" });
const connection = await logIn("sandbox-client", "sandbox-secret");
const purger = await logIn("purge-client", "purge-secret");
const identity = await connection.identity();
assert.equal(identity.organization_id, connection.userInfo.organizationId);
assert.equal(identity.user_id, connection.userInfo.id);
const stranger = new Connection({ version: "66.0", instanceUrl: sandbox, accessToken: "00D000000000000!none" });
await assert.rejects(stranger.query("SELECT Id FROM Lead LIMIT 1"), { name: "INVALID_SESSION_ID" });

// Query, with paging by locators.
const leads = await ids(connection, "SELECT Id FROM Lead ORDER BY Id");
assert.equal(new Set(leads).size, LEADS);
assert.equal((await connection.query("SELECT COUNT() FROM Lead")).totalSize, LEADS);
const first = await connection.query("SELECT Id, Company FROM Lead");
assert.deepEqual([first.totalSize, first.done, first.records.length], [LEADS, false, 2000]);
const second = await connection.queryMore(first.nextRecordsUrl);
assert.equal(second.records[0].Id, leads[2000]);
await assert.rejects(connection.query("SELECT Id FORM Lead"), { name: "MALFORMED_QUERY" });
assert.ok(connection.limitInfo.apiUsage.used > 0);

// Describe and limits.
const names = (await connection.describeGlobal()).sobjects.map((entry) => entry.name);
assert.ok(names.includes("Lead"));
const description = await connection.describe("Account");
assert.equal(description.keyPrefix, "001");
assert.ok(description.childRelationships.some((child) => child.childSObject === "Case" && child.restrictedDelete));
assert.ok((await connection.limits()).DailyApiRequests.Remaining > 0);

// One record.
const one = await connection.sobject("Lead").destroy(leads[0]);
assert.deepEqual(one, { id: leads[0], success: true, errors: [] });
await assert.rejects(connection.sobject("Lead").destroy(leads[0]), { name: "ENTITY_IS_DELETED" });

// Collections: more than one call takes, in the order of the request.
const [held] = (await connection.query("SELECT AccountId FROM Case WHERE AccountId != null LIMIT 1")).records;
const wanted = [...leads.slice(1, 250), leads[0], held.AccountId, "001bad"];
const answers = await connection.sobject("Lead").destroy(wanted, { allowRecursive: true });
assert.equal(answers.length, wanted.length);
assert.ok(answers.slice(0, 249).every((answer, place) => answer.success && answer.id === wanted[place]));
assert.deepEqual(
  answers.slice(249).map((answer) => answer.errors[0].statusCode),
  ["ENTITY_IS_DELETED", "DELETE_FAILED", "MALFORMED_ID"],
);
const whole = await connection.sobject("Lead").destroy([leads[250], leads[0]], { allOrNone: true });
assert.deepEqual(
  whole.map((answer) => answer.errors[0].statusCode),
  ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "ENTITY_IS_DELETED"],
);

// Bulk API 2.0 delete: 249 good rows, one already deleted, one that is no identifier.
const deleted = await connection.bulk2.loadAndWaitForResults({
  object: "Lead",
  operation: "delete",
  input: rows([...leads.slice(250, 499), leads[0], "abc"]),
});
assert.deepEqual(deleted.successfulResults.map((row) => row.Id), leads.slice(250, 499));
assert.ok(deleted.successfulResults.every((row) => row.sf__Id === row.Id && row.sf__Created === "false"));
assert.deepEqual(
  deleted.failedResults.map((row) => [row.Id, code(row)]),
  [[leads[0], "ENTITY_IS_DELETED"], ["abc", "MALFORMED_ID"]],
);
assert.equal(deleted.unprocessedRecords.length, 0);

// The same step by step, with the counters; a parent that its children hold back.
const job = connection.bulk2.createJob({ object: "Account", operation: "delete" });
await job.open();
await job.uploadData(`Id\n${held.AccountId}\n`);
await job.close();
await job.poll();
const info = await job.check();
assert.deepEqual([info.state, info.numberRecordsProcessed, info.numberRecordsFailed], ["JobComplete", 1, 1]);
const [failure] = await job.getFailedResults();
assert.match(failure.sf__Error, /^DELETE_FAILED:.*\n:--$/s);
await job.delete();
await assert.rejects(job.check(), { name: "NOT_FOUND" });

// Another column fails the job; an aborted one stays aborted.
const columns = connection.bulk2.createJob({ object: "Lead", operation: "delete" });
await columns.open();
await columns.uploadData(`Id,Company\n${leads[600]},Acme\n`);
await assert.rejects(columns.close().then(() => columns.poll()), /The 'delete' batch must contain only ids\./);
const aborted = connection.bulk2.createJob({ object: "Lead", operation: "delete" });
await aborted.open();
await aborted.abort();
assert.equal((await aborted.check()).state, "Aborted");
await assert.rejects(aborted.close(), { name: "INVALIDJOBSTATE" });

// Hard delete needs its permission, which administrators do not have by default.
const hard = (target, list) =>
  target.bulk2.loadAndWaitForResults({ object: "Lead", operation: "hardDelete", input: rows(list) });
await assert.rejects(hard(connection, [leads[499]]), { name: "FEATURENOTENABLED" });
const purged = await hard(purger, leads.slice(499, 500));
assert.deepEqual([purged.successfulResults.length, purged.failedResults.length], [1, 0]);
const again = await hard(purger, leads.slice(499, 500));
assert.equal(again.failedResults[0].sf__Error, "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--");

// Soft deletes are in the recycle bin, hard ones nowhere.
assert.equal((await connection.query("SELECT COUNT() FROM Lead")).totalSize, LEADS - 500);
const binned = await connection.query("SELECT Id FROM Lead WHERE IsDeleted = true", { scanAll: true });
assert.equal(binned.totalSize, 499);

// Bulk API 2.0 query. One page: on more than one this client fails by itself (jsforce/jsforce#1740).
const stream = await connection.bulk2.query("SELECT Id, Company FROM Lead");
const read = await stream.toArray();
assert.deepEqual(read.map((row) => row.Id).sort(), leads.slice(500));
await assert.rejects(connection.bulk2.query("SELECT COUNT() FROM Lead"), { name: "API_ERROR" });

// Composite, by the raw request: all or nothing over several collections.
const collections = (...parts) =>
  connection.request({
    method: "POST",
    url: "/services/data/v66.0/composite",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      allOrNone: true,
      collateSubrequests: false,
      compositeRequest: parts.map((part, number) => ({
        method: "DELETE",
        url: `/services/data/v66.0/composite/sobjects?ids=${part.join(",")}&allOrNone=true`,
        referenceId: `part${number}`,
      })),
    }),
  });
const undone = (await collections(leads.slice(500, 700), [leads[700], leads[0]], leads.slice(701, 900))).compositeResponse;
assert.deepEqual(undone.map((part) => part.httpStatusCode), [400, 200, 400]);
assert.deepEqual(undone[0].body.map((error) => error.errorCode), ["PROCESSING_HALTED"]);
assert.deepEqual(
  undone[1].body.map((item) => item.errors[0].statusCode),
  ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "ENTITY_IS_DELETED"],
);
assert.equal((await connection.query("SELECT COUNT() FROM Lead")).totalSize, read.length);
const parts = [500, 700, 900, 1100, 1300].map((first) => leads.slice(first, first + 200));
const done = (await collections(...parts)).compositeResponse;
assert.deepEqual(done.map((part) => [part.httpStatusCode, part.referenceId, part.body.length]), parts.map((part, number) => [200, `part${number}`, 200]));
assert.ok(done.flatMap((part) => part.body).every((item, place) => item.success && item.id === leads[500 + place]));
const many = (await collections(...[...parts, [leads[0]]])).compositeResponse;
assert.deepEqual([many.length, many[0].referenceId, many[0].body[0].errorCode], [1, null, "LIMIT_EXCEEDED"]);

// SOAP login, and Bulk API 1.0 with the session it gives.
const soap = new Connection({ loginUrl: sandbox, version: "64.0" });
await assert.rejects(soap.login("admin@sandbox.example", "sand & box"), /^Error: LOGIN_MUST_USE_SECURITY_TOKEN: /);
await assert.rejects(soap.login("locked@sandbox.example", "sand-box"), /^Error: PASSWORD_LOCKOUT: /);
await soap.login("admin@sandbox.example", "sand & boxsandboxToken");
soap.bulk.pollInterval = 100;
const loaded = await soap.bulk.load("Lead", "delete", { concurrencyMode: "Serial" }, rows([leads[1500], "abc", leads[0]]));
assert.deepEqual(loaded.map((row) => [row.id, row.success]), [[leads[1500], true], [null, false], [null, false]]);
assert.match(loaded[2].errors[0], /^ENTITY_IS_DELETED:/);
const left = (await connection.query("SELECT COUNT() FROM Lead")).totalSize;
assert.equal(left, read.length - 1001);
const classic = await (await soap.bulk.query("SELECT Id, Company FROM Lead")).toArray();
assert.equal(classic.length, left);
assert.deepEqual(classic.map((row) => row.Id).sort(), leads.slice(1501));

// What was deleted within a span of time.
const span = [new Date(Date.now() - 3_600_000).toISOString(), new Date(Date.now() + 60_000).toISOString()];
const { deletedRecords } = await connection.sobject("Lead").deleted(...span);
assert.deepEqual(deletedRecords.map((record) => record.id).sort(), [...leads.slice(0, 499), ...leads.slice(500, 1501)]);
assert.equal((await connection.sobject("Lead").updated(...span)).ids.length, 0);
console.log(`jsforce: ${LEADS - left} of ${LEADS} leads deleted, all results as expected`);
