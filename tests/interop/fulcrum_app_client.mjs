// Runs fulcrum-app, the vendor's own client, unmodified, against a fresh sandbox and asserts what it sees.
//
// Usage: fulcrum_app_client.mjs http://127.0.0.1:PORT

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const { Client } = createRequire(join(process.cwd(), "package.json"))("fulcrum-app");
const RECORDS = 12_000;
const FORM = "Testing App";
const sandbox = process.argv[2].replace(/\/$/, "");
const client = new Client("sandbox-token", { baseUrl: `${sandbox}/api/v2` });

// What the sandbox holds, asked without the client.
async function held(condition = "true") {
  const response = await fetch(`${sandbox}/api/v2/query`, {
    method: "POST",
    headers: { "X-ApiToken": "sandbox-token", "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ q: `SELECT _record_id AS id FROM "${FORM}" WHERE ${condition} ORDER BY 1`, format: "json" }),
  });
  return (await response.json()).rows.map((row) => row.id);
}

// Forms and queries.
await assert.rejects(new Client("wrong", { baseUrl: `${sandbox}/api/v2` }).forms.all(), /^Error: Unauthorized$/);
const forms = await client.forms.all();
assert.deepEqual([forms.totalCount, forms.objects.length], [3, 3]);
const form = forms.objects.find((form) => form.name === FORM);
assert.equal((await client.forms.find(form.id)).record_count, RECORDS);
const rows = (await client.query(`SELECT _record_id AS id, _status FROM "${FORM}" ORDER BY _record_id`)).rows;
assert.deepEqual(rows.map((row) => row.id), await held());
const text = await client.query(`SELECT count(*) AS n FROM "${FORM}"`, "csv");
assert.equal(text.trim(), `n\n${RECORDS}`);
await assert.rejects(client.query("SELECT nothing FROM nowhere"), /^Error: Bad Request$/);

// Records in pages, by the moment of their last change.
const page = await client.records.all({ form_id: form.id, per_page: 5, page: 2 });
assert.deepEqual([page.totalCount, page.totalPages, page.currentPage, page.objects.length], [RECORDS, RECORDS / 5, 2, 5]);
const first = await client.records.all({ form_id: form.id, per_page: 10, page: 1 });
assert.deepEqual(page.objects, first.objects.slice(5));
const moments = first.objects.map((record) => record.updated_at);
assert.deepEqual(moments, [...moments].sort());
const newest = await client.records.all({ form_id: form.id, newest_first: true, per_page: 1 });
assert.ok(newest.objects[0].updated_at >= moments.at(-1));
const since = newest.objects[0].updated_at;
const recent = await client.records.all({ form_id: form.id, updated_since: since });
assert.ok(recent.totalCount > 0 && recent.totalCount < RECORDS, `${recent.totalCount}`);
assert.ok(recent.objects.every((record) => record.updated_at >= since));
// A filter that the sandbox does not have is refused, and not passed over.
await assert.rejects(client.records.all({ form_id: form.id, changeset_id: "none" }), /^Error: HTTP 501$/);

// Deletions, three at a time, as this client sends them.
const doomed = rows.slice(0, 60).map((row) => row.id);
const deleted = await Promise.all(doomed.map((id) => client.records.delete(id)));
assert.deepEqual(deleted.map(({ record }) => record.id), doomed);
await assert.rejects(client.records.delete(doomed[0]), /^Error: Not Found$/);
await assert.rejects(client.records.find(doomed[0]), /^Error: Not Found$/);
const reader = new Client("sandbox-read-only-token", { baseUrl: `${sandbox}/api/v2` });
await assert.rejects(reader.records.delete(rows[60].id), /^Error: Forbidden$/);
const left = rows.slice(60).map((row) => row.id);
assert.deepEqual(await held(), left);
assert.equal((await client.records.find(left[0])).id, left[0]);
console.log(`fulcrum-app: ${doomed.length} of ${RECORDS} records deleted one by one, all answers as expected`);
