// Reads every condition that Sexton's SOQL printer wrote with a parser that others wrote, and compares the trees.
//
// Usage: node soql_judge.mjs FILE, with lines of {"soql", "tree"}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The packages lie beside the build, not beside this file.
const require = createRequire(`${process.cwd()}/`);
const { parseQuery } = require("@jetstreamapp/soql-parser-js");

const LEAST = 5000;
// It does not know times of the day, and loses the third of three negations.
const UNKNOWN = /"time":|NOT \(NOT \(NOT /;

const ESCAPES = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

// What quoted text means. In a pattern, what stands for itself keeps its backslash.
function unquoted(quoted, inPattern) {
  assert.match(quoted, /^'[^]*'$/u);
  return quoted.slice(1, -1).replace(/\\(u[0-9A-Fa-f]{4}|[^])/gu, (_, sequence) => {
    if (sequence.length > 1) return String.fromCharCode(Number.parseInt(sequence.slice(1), 16));
    if (inPattern && "%_\\".includes(sequence)) return `\\${sequence}`;
    return ESCAPES[sequence] ?? sequence;
  });
}

function literal(type, value) {
  switch (type) {
    case "NULL":
      return "null";
    case "BOOLEAN":
      return value.toLowerCase() === "true";
    case "INTEGER":
    case "DECIMAL":
      return { number: value };
    case "STRING":
      return { text: unquoted(value, false) };
    case "DATE":
      return { day: value };
    case "DATETIME":
      return { milliseconds: Date.parse(value) };
    case "INTEGER_WITH_CURRENCY_PREFIX":
    case "DECIMAL_WITH_CURRENCY_PREFIX":
      return { currency: value };
    case "DATE_LITERAL":
      return { range: value };
    case "DATE_N_LITERAL":
      return { counted: value };
    default:
      throw new Error(`a literal of type ${type}`);
  }
}

function named(fn) {
  const [first, second, third] = fn.parameters;
  if (fn.functionName === "DISTANCE") {
    assert.equal(second.functionName, "GEOLOCATION");
    return [first, ["DISTANCE", ...second.parameters, unquoted(third, false)]];
  }
  if (fn.functionName === "toLabel") return [first, ["toLabel"]];
  if (typeof first === "string") return [first, [fn.functionName, false]];
  assert.equal(first.functionName, "convertTimezone");
  return [first.parameters[0], [fn.functionName, true]];
}

function comparison(node) {
  const [field, fn] = node.fn ? named(node.fn) : [node.field, null];
  const { operator, literalType, value } = node;
  const leaf = (compared) => ({ field, function: fn, operator, value: compared });
  if (node.valueQuery) {
    const { fields, sObject, where } = node.valueQuery;
    assert.equal(fields.length, 1);
    return leaf({ field: fields[0].field, object: sObject, where: where ? tree(where) : null });
  }
  if (operator === "LIKE") return leaf({ pattern: unquoted(value, true) });
  if (Array.isArray(value)) {
    return leaf(value.map((item, place) => literal(Array.isArray(literalType) ? literalType[place] : literalType, item)));
  }
  return leaf(literal(literalType, value));
}

// The parser gives a chain with numbers of parentheses: here it becomes words again, and those a tree.
function words(where) {
  const found = [];
  for (let clause = where; clause; clause = clause.right) {
    const { left, operator } = clause;
    for (let open = left?.openParen ?? 0; open > 0; open -= 1) found.push("(");
    if (left && (left.field !== undefined || left.fn !== undefined)) found.push(comparison(left));
    for (let close = left?.closeParen ?? 0; close > 0; close -= 1) found.push(")");
    if (operator) found.push(operator.toUpperCase());
  }
  return found;
}

function tree(where) {
  const rest = words(where);
  const part = () => {
    const next = rest.shift();
    if (next === "NOT") return { not: part() };
    if (next !== "(") return next;
    const inside = level();
    assert.equal(rest.shift(), ")");
    return inside;
  };
  const level = () => {
    const parts = [part()];
    let joint;
    while (rest[0] === "AND" || rest[0] === "OR") {
      const next = rest.shift();
      assert.equal(next, joint ?? next, "AND beside OR");
      joint = next;
      parts.push(part());
    }
    return joint ? { [joint.toLowerCase()]: parts } : parts[0];
  };
  const whole = level();
  assert.deepEqual(rest, []);
  return whole;
}

let judged = 0;
let passed = 0;
const wrong = [];
for (const line of readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean)) {
  const { soql, tree: expected } = JSON.parse(line);
  if (UNKNOWN.test(line)) {
    passed += 1;
    continue;
  }
  judged += 1;
  try {
    assert.deepEqual(tree(parseQuery(`SELECT Id FROM Account WHERE ${soql}`).where), expected);
  } catch (error) {
    wrong.push(`${soql}\n  ${error.message.split("\n").slice(0, 40).join("\n  ")}`);
  }
}
console.log(`soql-parser-js: ${judged} conditions judged, ${wrong.length} read otherwise; ${passed} that it is known not to know`);
assert.ok(judged >= LEAST, `only ${judged} conditions`);
assert.equal(wrong.length, 0, wrong.slice(0, 5).join("\n\n"));
