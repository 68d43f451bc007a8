// Runs the Salesforce CLI, unmodified, against a fresh sandbox and asserts what it says and does.
//
// Usage: salesforce_cli_client.mjs http://127.0.0.1:PORT DIRECTORY
// with the Node that the CLI wants, in the directory that it is installed in. What it keeps lies in DIRECTORY.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LEADS = 5000;
const sandbox = process.argv[2].replace(/\/$/, "");
const home = process.argv[3];
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });

const environment = {
  PATH: process.env.PATH,
  HOME: home,
  SF_DISABLE_TELEMETRY: "true",
  SF_AUTOUPDATE_DISABLE: "true",
  SF_SKIP_NEW_VERSION_CHECK: "true",
  SF_DISABLE_LOG_FILE: "true",
  SF_USE_GENERIC_UNIX_KEYCHAIN: "true",
};
const program = join(process.cwd(), "node_modules/@salesforce/cli/bin/run.js");

// Standard output and the exit code of a command.
function run(line, more = {}) {
  return new Promise((resolve) => {
    const options = { env: { ...environment, ...more }, cwd: home, maxBuffer: 64 << 20 };
    execFile(process.execPath, [program, ...line], options, (error, output) => resolve({ code: error?.code ?? 0, output }));
  });
}

// The result of a command that answers in JSON; of one that fails, what it says.
async function json(...line) {
  const { output } = await run([...line, "--json"]);
  const answer = JSON.parse(output);
  return answer.status === 0 ? answer.result : answer;
}

async function token(id, secret) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  return (await (await fetch(`${sandbox}/services/oauth2/token`, { method: "POST", body })).json()).access_token;
}

// What the sandbox holds, asked without the client.
async function held(soql, by, resource = "query") {
  const rows = [];
  let address = `/services/data/v66.0/${resource}?q=${encodeURIComponent(soql)}`;
  while (address) {
    const page = await (await fetch(sandbox + address, { headers: { Authorization: `Bearer ${by}` } })).json();
    rows.push(...page.records);
    address = page.nextRecordsUrl;
  }
  return rows;
}
const ids = (rows) => rows.map((row) => row.Id);

const mine = await token("sandbox-client", "sandbox-secret");
const purgers = await token("purge-client", "purge-secret");
const leads = ids(await held("SELECT Id FROM Lead ORDER BY Id", mine));
assert.equal(leads.length, LEADS);

// Sign-in by a token: the CLI looks for the versions, the identity and the organization.
for (const [by, username] of [[mine, "admin@sandbox.example"], [purgers, "purger@sandbox.example"]]) {
  const line = ["org", "login", "access-token", "--instance-url", sandbox, "--no-prompt", "--json"];
  const { output } = await run(line, { SF_ACCESS_TOKEN: by });
  const { result } = JSON.parse(output);
  assert.deepEqual([result.username, result.orgId], [username, mine.split("!")[0] + "MAA"]);
}
const org = ["--target-org", "admin@sandbox.example"];
const purger = ["--target-org", "purger@sandbox.example"];
assert.equal((await json("org", "display", ...org)).connectedStatus, "Connected");

// Reading: records, the columns behind a table (which the CLI asks for by themselves), counts.
const soql = "SELECT Id, Company, Owner.Name, NumberOfEmployees FROM Lead ORDER BY Id LIMIT 3";
const table = (await run(["data", "query", ...org, "--query", soql, "--result-format", "csv"])).output.trim().split("\n");
assert.equal(table[0], "Id,Company,Owner.Name,NumberOfEmployees");
assert.deepEqual(table.slice(1).map((row) => row.split(",")[0]), leads.slice(0, 3));
const count = (await run(["data", "query", ...org, "--query", "SELECT COUNT(Id) FROM Lead", "--result-format", "csv"])).output;
assert.equal(count.trim(), `count(Id)\n${LEADS}`);
const found = await json("data", "query", ...org, "--query", "SELECT Id FROM Lead ORDER BY Id");
assert.deepEqual(ids(found.records), leads);
const all = ["data", "query", ...org, "--all-rows", "--query", "SELECT Id FROM Lead WHERE IsDeleted = true"];
assert.equal((await json(...all)).totalSize, 0);
assert.equal((await json("data", "query", ...org, "--query", "SELECT Nothing FROM Lead")).name, "INVALID_FIELD");
const file = join(home, "all.csv");
const exported = await json("data", "export", "bulk", ...org, "--query", "SELECT Id FROM Lead", "--output-file", file, "--result-format", "csv", "--wait", "2");
assert.equal(exported.totalSize, LEADS);
assert.deepEqual(readFileSync(file, "utf8").trim().split("\n").slice(1).map((id) => id.replaceAll('"', "")).sort(), leads);
assert.ok((await json("sobject", "list", ...org)).includes("Lead"));
assert.equal((await json("sobject", "describe", ...org, "--sobject", "Lead")).keyPrefix, "00Q");
assert.deepEqual(await json("org", "list", "sobject", "record-counts", ...org, "--sobject", "Lead"), [{ count: LEADS, name: "Lead" }]);
const limits = await json("org", "list", "limits", ...org);
assert.equal(limits.find((limit) => limit.name === "DailyBulkApiBatches").remaining, 15_000);

// One record, by id and by a condition.
assert.deepEqual(await json("data", "delete", "record", ...org, "--sobject", "Lead", "--record-id", leads[0]), { id: leads[0], success: true, errors: [] });
const again = await json("data", "delete", "record", ...org, "--sobject", "Lead", "--record-id", leads[0]);
assert.equal(again.name, "ENTITY_IS_DELETED");
const several = await json("data", "delete", "record", ...org, "--sobject", "Lead", "--where", "Status='Closed - Converted'");
assert.notEqual(several.status, 0, "the CLI deletes no more than one record so");

// Bulk API 2.0, with a row that is gone already and one that never was.
const doomed = join(home, "doomed.csv");
writeFileSync(doomed, ["Id", ...leads.slice(1, 251), leads[0], "abc", ""].join("\n"));
const bulk = ["data", "delete", "bulk", "--sobject", "Lead", "--file", doomed, "--line-ending", "LF", "--wait", "2"];
const partly = await json(...bulk, ...org);
assert.notEqual(partly.status, 0);
assert.deepEqual(ids(await held("SELECT Id FROM Lead ORDER BY Id", mine)), leads.slice(251), "exactly those");
writeFileSync(doomed, ["Id", ...leads.slice(251, 1251), ""].join("\n"));
const whole = await json(...bulk, ...org);
assert.deepEqual([whole.jobInfo.numberRecordsProcessed, whole.jobInfo.numberRecordsFailed], [1000, 0]);
assert.deepEqual(whole.records.successfulResults.map((row) => row.sf__Id), leads.slice(251, 1251));
assert.deepEqual(ids(await held("SELECT Id FROM Lead ORDER BY Id", mine)), leads.slice(1251));

// For good, which needs a permission.
writeFileSync(doomed, ["Id", ...leads.slice(1251, 1261), ""].join("\n"));
assert.equal((await json(...bulk, "--hard-delete", ...org)).name, "HardDeletePermissionError");
assert.equal((await json(...bulk, "--hard-delete", ...purger)).jobInfo.numberRecordsFailed, 0);
assert.equal((await json(...all)).totalSize, 1251);
assert.equal((await held("SELECT Id FROM Lead", mine, "queryAll")).length, LEADS - 10);
assert.deepEqual(ids(await held("SELECT Id FROM Lead ORDER BY Id", mine)), leads.slice(1261));
console.log(`Salesforce CLI: 1261 of ${LEADS} leads deleted, all results as expected`);
