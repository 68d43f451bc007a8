#!/usr/bin/env bash
# Asks a real PostgreSQL which rows Fulcrum conditions select: tests/interop/sql_judge.sh DIRECTORY
#
# The directory has what `cargo test --lib -- --ignored writes_judged_conditions` wrote. The server lives in a directory of its own,
# listens on a socket there and nowhere else, and never runs as root.
set -euo pipefail
directory=$(realpath "$1")

find_server() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin/postgres 2> /dev/null | sort -V | tail -n 1)
  [[ -n $found ]] || found=$(command -v postgres || true)
  [[ -z $found ]] || dirname "$found"
}

bin=$(find_server || true)
if [[ -z $bin && $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends postgresql > /dev/null 2>&1 || true
  bin=$(find_server || true)
fi
if [[ -z $bin ]]; then
  echo "SKIPPED: no PostgreSQL is installed here, so nobody judged the conditions of Fulcrum" >&2
  exit 0
fi

# A server refuses to run as root.
as_other=()
home=$(mktemp -d)
if [[ $(id -u) == 0 ]]; then
  other=nobody
  ! id postgres > /dev/null 2>&1 || other=postgres
  chown "$other" "$home"
  as_other=(setpriv --reuid "$other" --regid "$(id -g "$other")" --clear-groups)
fi
server=
stop() {
  if [[ -n $server ]]; then
    kill -INT "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
  fi
  rm -rf "$home"
}
trap stop EXIT

cd "$home"
"${as_other[@]}" "$bin/initdb" --pgdata "$home/data" --username judge --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync > /dev/null
"${as_other[@]}" "$bin/postgres" -D "$home/data" -k "$home" -c listen_addresses= -c fsync=off -c log_min_messages=panic 2> "$home/log" &
server=$!
ask() {
  "$bin/psql" --host "$home" --username judge --dbname postgres --no-psqlrc --quiet --no-align --tuples-only "$@"
}
for _ in $(seq 300); do
  ! ask --command "SELECT 1" > /dev/null 2>&1 || break
  kill -0 "$server" 2> /dev/null || { cat "$home/log" >&2; exit 1; }
  sleep 0.1
done
ask --file "$directory/sql_statements.sql" > "$directory/sql_answers.txt" 2> "$directory/sql_errors.txt"

python3 - "$directory" << 'END'
import pathlib
import sys

directory = pathlib.Path(sys.argv[1])
answers = dict(line.split("|", 1) for line in (directory / "sql_answers.txt").read_text().splitlines())
judged, gaps, wrong = 0, 0, []
for line in (directory / "sql_expected.txt").read_text().splitlines():
    answer, condition = line.split("\t", 1)
    number, rows = answer.split("|", 1)
    if "the sandbox does not simulate" in rows:
        gaps += 1
        continue
    judged += 1
    theirs = answers.get(number)
    refused = rows.startswith("error: ")
    if (theirs is None) != refused or (theirs is not None and theirs != rows):
        wrong.append(f"{condition}\n  PostgreSQL: {theirs}\n  the sandbox: {rows}")
print(f"PostgreSQL: {judged} conditions judged, {len(wrong)} answered otherwise; {gaps} that the sandbox does not simulate")
if judged < 5000 or wrong:
    sys.exit("\n\n".join(wrong[:10]) or f"only {judged} conditions")
END
