// Opens manifests in yaml-language-server, unmodified, as an editor does, and asserts what it finds in them: nothing, and a mistyped
// key in every document of a file.
//
// Usage: node language_server.mjs FILE.yaml...

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

// The packages lie beside the build, not beside this file.
const require = createRequire(`${process.cwd()}/`);
const program = require.resolve("yaml-language-server/bin/yaml-language-server");

// Schemas are those that the files name; nothing is fetched.
const settings = {
  yaml: { validate: true, schemaStore: { enable: false }, kubernetesCRDStore: { enable: false } },
  http: { proxy: "", proxyStrictSSL: true },
  "[yaml]": {},
};

class LanguageServer {
  #process = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  #received = Buffer.alloc(0);
  #answers = new Map();
  #diagnostics = new Map();
  #last = 0;

  constructor() {
    this.#process.stdout.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      for (let message = this.#next(); message; message = this.#next()) this.#receive(message);
    });
  }

  #next() {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const length = Number(/Content-Length: (\d+)/i.exec(this.#received.subarray(0, end).toString())[1]);
    if (this.#received.length < end + 4 + length) return undefined;
    const body = this.#received.subarray(end + 4, end + 4 + length).toString();
    this.#received = this.#received.subarray(end + 4 + length);
    return JSON.parse(body);
  }

  #receive({ id, method, params, result, error }) {
    if (method === "textDocument/publishDiagnostics") {
      this.#diagnostics.set(params.uri, params.diagnostics);
    } else if (method && id !== undefined) {
      const asked = params?.items?.map(({ section }) => settings[section] ?? {});
      this.#send({ id, result: method === "workspace/configuration" ? asked : null });
    } else if (id !== undefined) {
      assert.equal(error, undefined);
      this.#answers.get(id)(result);
    }
  }

  #send(message) {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  ask(method, params) {
    const id = ++this.#last;
    const answer = new Promise((answered) => this.#answers.set(id, answered));
    this.#send({ id, method, params });
    return answer;
  }

  tell(method, params) {
    this.#send({ method, params });
  }

  // Opens a text under a name of its own beside a file, so that nothing said of another text is taken for what is said of it.
  open(file, text) {
    const uri = `${pathToFileURL(resolve(file)).href}.${++this.#last}.yaml`;
    this.tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    return uri;
  }

  // What the server found in a text, once that satisfies; at last whatever it has found.
  async found(uri, satisfies) {
    const last = () => this.#diagnostics.get(uri);
    for (let waited = 0; waited < 60_000 && !(last() && satisfies(last())); waited += 20) await sleep(20);
    assert(last(), `nothing was said of ${uri}`);
    return last();
  }

  async stop() {
    await this.ask("shutdown", null);
    this.tell("exit", null);
  }
}

// The documents of a text: where each begins, and where its first key in `spec` stands.
function documents(lines) {
  const starts = [0, ...lines.flatMap((line, number) => (line === "---" ? [number + 1] : []))];
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? lines.length;
    const spec = lines.findIndex((line, number) => number >= start && number < end && /^spec:/.test(line));
    assert(spec >= 0, `a document without spec, from line ${start + 1}`);
    return { start, end, key: /^spec: *\{/.test(lines[spec]) ? spec : lines.findIndex((line, at) => at > spec && /^ +\w/.test(line)) };
  });
}

const server = new LanguageServer();
const capabilities = { workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } } };
await server.ask("initialize", { processId: process.pid, rootUri: null, capabilities });
server.tell("initialized", {});
server.tell("workspace/didChangeConfiguration", { settings });

let several = 0;
for (const file of process.argv.slice(2)) {
  const text = await readFile(file, "utf8");
  const asItIs = server.open(file, text);
  const lines = text.split("\n");
  const all = documents(lines);
  several += all.length > 1 ? 1 : 0;
  for (const { start, end, key } of all) {
    const mistyped = lines.with(key, lines[key].replace(/^( *(?:spec: *\{ *)?)(\w+)/, "$1$2x"));
    assert.notEqual(mistyped[key], lines[key]);
    const within = (found) => found.some(({ range }) => range.start.line >= start && range.start.line < end);
    const found = await server.found(server.open(file, mistyped.join("\n")), within);
    assert(within(found), `${file}:${key + 1}: the language server does not see \`${mistyped[key].trim()}\``);
  }
  // It was opened before the others, so that everything has been said of it by now.
  assert.deepEqual(await server.found(asItIs, () => true), [], `${file} is right, and the language server says otherwise`);
}
assert(several > 0, "no file has several documents");
await server.stop();
console.log(`yaml-language-server: ${process.argv.length - 2} files, ${several} with several documents`);
