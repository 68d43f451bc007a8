// Runs SFDMU, a plugin of the Salesforce CLI, unmodified, against a fresh sandbox and asserts what it deletes: through Bulk API 2.0,
// Bulk API 1.0 and sObject Collections.
//
// Usage: sfdmu_client.mjs http://127.0.0.1:PORT DIRECTORY
// with the Node that the CLI wants, in the directory that both are installed in. What they keep lies in DIRECTORY.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const LEADS = 5000;
const sandbox = process.argv[2].replace(/\/$/, "");
const home = process.argv[3];
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });

// SFDMU asks the CLI of its time who is signed in, and reads the answer line by line. The CLI of today shows secrets on demand only, and
// draws tables with an indentation.
const old = join(home, "bin");
mkdirSync(old);
writeFileSync(join(old, "sfdx"), `#!/bin/sh\nSF_TEMP_SHOW_SECRETS=true SF_NO_TABLE_STYLE=true sf "$@" 2> /dev/null | sed 's/^ *//'\n`);
chmodSync(join(old, "sfdx"), 0o755);
const environment = {
  PATH: [old, join(process.cwd(), "node_modules/.bin"), dirname(process.execPath), process.env.PATH].join(":"),
  HOME: home,
  SF_DISABLE_TELEMETRY: "true",
  SF_AUTOUPDATE_DISABLE: "true",
  SF_SKIP_NEW_VERSION_CHECK: "true",
  SF_DISABLE_LOG_FILE: "true",
  SF_USE_GENERIC_UNIX_KEYCHAIN: "true",
};

function sf(line, more = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: { ...environment, ...more }, cwd: home, maxBuffer: 64 << 20 };
    execFile(join(process.cwd(), "node_modules/.bin/sf"), line, options, (error, output, errors) =>
      error ? reject(new Error(`${line.join(" ")}: ${output}${errors}`)) : resolve(output),
    );
  });
}

async function token(id, secret) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  return (await (await fetch(`${sandbox}/services/oauth2/token`, { method: "POST", body })).json()).access_token;
}

const mine = await token("sandbox-client", "sandbox-secret");

// What the sandbox holds, asked without the client.
async function held(soql) {
  const rows = [];
  let address = `/services/data/v66.0/query?q=${encodeURIComponent(soql)}`;
  while (address) {
    const page = await (await fetch(sandbox + address, { headers: { Authorization: `Bearer ${mine}` } })).json();
    rows.push(...page.records);
    address = page.nextRecordsUrl;
  }
  return rows;
}
const ids = (rows) => rows.map((row) => row.Id).sort();

// It wants two users, of whom the second one's org is deleted from.
for (const by of [mine, await token("purge-client", "purge-secret")]) {
  await sf(["org", "login", "access-token", "--instance-url", sandbox, "--no-prompt"], { SF_ACCESS_TOKEN: by });
}
await sf(["plugins", "link", "--no-install", join(process.cwd(), "node_modules/sfdmu")]);

async function remove(status, settings, engine) {
  const path = join(home, engine);
  mkdirSync(path);
  const query = `SELECT Id FROM Lead WHERE Status = '${status}'`;
  const objects = [{ query, operation: "Delete", deleteOldData: true }];
  const script = { objects, apiVersion: "60.0", pollingIntervalMs: 200, allOrNone: false, ...settings };
  writeFileSync(join(path, "export.json"), JSON.stringify(script));
  const users = ["--sourceusername", "purger@sandbox.example", "--targetusername", "admin@sandbox.example"];
  const told = await sf(["sfdmu", "run", ...users, "--path", path, "--noprompt", "--nowarnings"]);
  assert.ok(told.includes(engine), told);
}

const leads = await held("SELECT Id, Status FROM Lead");
assert.equal(leads.length, LEADS);
const statuses = [...new Set(leads.map((lead) => lead.Status))].sort();
assert.ok(statuses.length > 3, `${statuses}`);
const gone = new Set();
let left = leads;
for (const [settings, engine] of [
  [{ bulkThreshold: 200, bulkApiVersion: "2.0" }, "Bulk API V2.0"],
  [{ bulkThreshold: 200, bulkApiVersion: "1.0" }, "Bulk API V1.0"],
  [{ bulkThreshold: 100_000 }, "REST API"],
]) {
  const status = statuses[gone.size];
  await remove(status, settings, engine);
  gone.add(status);
  left = leads.filter((lead) => !gone.has(lead.Status));
  assert.deepEqual(ids(await held("SELECT Id FROM Lead")), ids(left), `exactly the leads that are ${status}, by ${engine}`);
}
console.log(`SFDMU: ${LEADS - left.length} of ${LEADS} leads deleted through three interfaces, exactly those that were meant`);
