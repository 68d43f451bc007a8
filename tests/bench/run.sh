#!/usr/bin/env bash
# Measures `sexton plan` and `sexton apply` against `curl` doing the same work, and a few fixed costs.
#
#   tests/bench/run.sh [RECORDS] [RUNS]        1,000,000 records and 3 runs unless said otherwise
#
# Every run starts `sexton sandbox` twice as a process of its own, once for sexton and once for curl, with the same records.
# Twice over: a server that works at once, so that nothing but work is measured, and one that paces its jobs as the sandbox does
# by itself, where both sides wait. Needs bash 5, curl and GNU time. Prints one line a run and the medians at the end.
#
# FIGURES=FILE keeps the raw figures, PACES="instant paced" chooses the servers, SEXTON=PATH takes a binary that is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

records="${1:-1000000}"
runs="${2:-3}"
paces="${PACES:-instant paced}"
api="services/data/v66.0"

for tool in curl /usr/bin/time; do
  command -v "$tool" >/dev/null || { echo "$tool is not here (GNU time is the package \`time\`)" >&2; exit 1; }
done
if [ -z "${SEXTON:-}" ]; then
  cargo build --profile dist --quiet
  SEXTON="${CARGO_TARGET_DIR:-target}/dist/sexton"
fi
SEXTON="$(realpath "$SEXTON")"

work="$(mktemp -d "${TMPDIR:-/tmp}/sexton-bench.XXXXXX")"
server=""
stop_server() {
  if [ -n "$server" ]; then
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=""
  fi
}
trap 'stop_server; rm -rf "$work"' EXIT

figures="${FIGURES:-$work/figures}"
: >"$figures"

# Starts a server and sets $url. "instant" has a pace no machine reaches, so that jobs are done when first looked at.
start_server() {
  mkdir -p "$work/seed"
  echo "settings: {}" >"$work/seed/world.yaml"
  if [ "$1" = instant ]; then
    echo "settings: { bulkRowsPerSecond: 1000000000000, bulkQueryRowsPerSecond: 1000000000000 }" >"$work/seed/world.yaml"
  fi
  : >"$work/listening"
  "$SEXTON" sandbox --listen 127.0.0.1:0 --seed "$work/seed" --generate "Lead=$records" >"$work/listening" 2>"$work/server.log" &
  server=$!
  until grep -q '^listening on ' "$work/listening"; do
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.1
  done
  url="$(sed -n 's/^listening on //p' "$work/listening")"
}

# record PACE WHO STEP WALL USER SYSTEM MEMORY_KIB BYTES
record() {
  echo "$*" >>"$figures"
  awk -v line="$*" 'BEGIN {
    split(line, f, " ")
    printf "%-8s %-7s %-9s %8.2f s wall  %7.2f s processor", f[1], f[2], f[3], f[4], f[5] + f[6]
    if (f[7] > 0) printf "  %7.1f MiB peak", f[7] / 1024
    if (f[8] > 0) printf "  %8.1f MB moved", f[8] / 1e6
    print ""
  }'
}

# timed PACE STEP command...: one sexton command under GNU time.
timed() {
  local pace="$1" step="$2"
  shift 2
  /usr/bin/time -o "$work/time" -f "%e %U %S %M" "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
  # shellcheck disable=SC2046
  record "$pace" sexton "$step" $(cat "$work/time") 0
}

# A flat JSON answer has each key once in what is asked for here.
member() {
  sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p" "$2" | head -n 1
}

transfer() {
  curl --silent --show-error --fail --header "Authorization: Bearer $token" \
    --write-out '%{size_download} %{size_upload}\n' "$@" >>"$work/bytes"
}

login() {
  curl --silent --show-error --fail --output "$work/token" "$url/services/oauth2/token" \
    -d grant_type=client_credentials -d client_id=sandbox-client -d client_secret=sandbox-secret
  token="$(member access_token "$work/token")"
}

# Waits as sexton does: soon, then ever less often.
poll() {
  local pause=0.1 state
  while :; do
    sleep "$pause"
    transfer --output "$work/job" "$url/$api/$1"
    state="$(member state "$work/job")"
    case "$state" in
      JobComplete) return ;;
      Failed | Aborted) cat "$work/job" >&2; return 1 ;;
    esac
    pause="$(awk -v pause="$pause" 'BEGIN { pause *= 1.25; print (pause > 30) ? 30 : pause }')"
  done
}

json=(--header "Content-Type: application/json")

# What a plan moves: one query job, all pages.
curl_query() {
  local job locator=""
  login
  transfer "${json[@]}" --output "$work/job" "$url/$api/jobs/query" \
    --data '{"operation":"query","query":"SELECT Id FROM Lead","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}'
  job="jobs/query/$(member id "$work/job")"
  poll "$job"
  : >"$work/ids.csv"
  while :; do
    transfer --dump-header "$work/headers" --output "$work/page" \
      "$url/$api/$job/results?maxRecords=250000${locator:+&locator=$locator}"
    tail -n +2 "$work/page" >>"$work/ids.csv"
    locator="$(tr -d '\r' <"$work/headers" | sed -n 's/^sforce-locator: //Ip')"
    [ "$locator" != null ] || break
  done
  transfer --request DELETE "$url/$api/$job"
}

# What an apply moves: the same query again, the upload, all three results.
curl_delete() {
  local job list
  curl_query
  split --lines 1000000 "$work/ids.csv" "$work/part."
  for part in "$work"/part.*; do
    { echo Id; tr -d '"' <"$part"; } >"$work/upload.csv"
    rm "$part"
    transfer "${json[@]}" --output "$work/job" "$url/$api/jobs/ingest" \
      --data '{"object":"Lead","operation":"delete","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}'
    job="jobs/ingest/$(member id "$work/job")"
    transfer --header "Content-Type: text/csv" --upload-file "$work/upload.csv" "$url/$api/$job/batches"
    transfer "${json[@]}" --output "$work/job" --request PATCH "$url/$api/$job" --data '{"state":"UploadComplete"}'
    poll "$job"
    for list in successfulResults failedResults unprocessedrecords; do
      transfer --output "$work/results-$list" "$url/$api/$job/$list"
    done
  done
}

# timed_curl PACE STEP function
timed_curl() {
  local TIMEFORMAT="%R %U %S"
  : >"$work/bytes"
  { time "$3" 2>&4; } 4>&2 2>"$work/time"
  # shellcheck disable=SC2046
  record "$1" curl "$2" $(cat "$work/time") 0 "$(awk '{ sum += $1 + $2 } END { print sum }' "$work/bytes")"
}

write_project() {
  rm -rf "$1"
  mkdir -p "$1"
  printf sandbox-client >"$1/client-id"
  printf sandbox-secret >"$1/client-secret"
  cat >"$1/sexton.yaml" <<MANIFEST
apiVersion: sexton/v1
kind: Target
metadata: { name: crm }
spec:
  environment: sandbox
  salesforce:
    loginUrl: $url
    apiVersion: "66.0"
    auth:
      clientCredentials:
        clientId: { file: client-id }
        clientSecret: { file: client-secret }
---
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: { name: all-leads }
spec:
  target: crm
  object: Lead
  filter: everything
  delete: soft
  limits: { maxRecords: $records, maxPercent: 100 }
MANIFEST
}

bench_pace() {
  local pace="$1" project="$work/project"
  start_server "$pace"
  write_project "$project"
  timed "$pace" plan "$SEXTON" -C "$project" plan
  grep -q "^Plan: .* to delete" "$work/out"
  timed "$pace" plan-2nd "$SEXTON" -C "$project" plan --out "$work/second"
  timed "$pace" diff "$SEXTON" diff --summary "$project/plan" "$work/second"
  timed "$pace" apply "$SEXTON" -C "$project" apply "$project/plan"
  rm -rf "$work/second"
  stop_server
  start_server "$pace"
  timed_curl "$pace" query curl_query
  timed_curl "$pace" delete curl_delete
  stop_server
}

fixed_costs() {
  local project="$work/manifests" number
  timed none version "$SEXTON" version
  url="http://127.0.0.1:1"
  write_project "$project"
  for ((number = 1; number < 1000; number++)); do
    sed '1,/^---$/d' "$project/sexton.yaml" | sed "s/all-leads/policy-$number/" >"$project/policy-$number.yaml"
  done
  timed none validate "$SEXTON" -C "$project" validate
  rm -rf "$project"
}

for ((run = 1; run <= runs; run++)); do
  fixed_costs
  for pace in $paces; do
    bench_pace "$pace"
  done
done

echo
echo "Medians of $runs runs, $records records. Waiting is wall time without processor time of the process itself."
echo
echo "| server | who | step | wall s | processor s | waiting s | peak MiB | MB moved |"
echo "|---|---|---|---:|---:|---:|---:|---:|"
awk '
  function median(text,    values, count, i, j, kept) {
    count = split(text, values, " ")
    for (i = 2; i <= count; i++)
      for (j = i; j > 1 && values[j - 1] + 0 > values[j] + 0; j--) { kept = values[j]; values[j] = values[j - 1]; values[j - 1] = kept }
    return values[int((count + 1) / 2)] + 0
  }
  {
    key = $1 " | " $2 " | " $3
    if (!(key in wall)) order[++keys] = key
    wall[key] = wall[key] " " $4
    busy[key] = busy[key] " " ($5 + $6)
    memory[key] = memory[key] " " $7
    moved[key] = moved[key] " " $8
  }
  END {
    for (i = 1; i <= keys; i++) {
      key = order[i]
      w = median(wall[key]); b = median(busy[key]); m = median(memory[key]) / 1024; v = median(moved[key]) / 1e6
      printf "| %s | %.2f | %.2f | %.2f | %s | %s |\n", key, w, b, (w > b) ? w - b : 0, (m > 0) ? sprintf("%.1f", m) : "", (v > 0) ? sprintf("%.1f", v) : ""
      all[key] = w
    }
    print ""
    n = split("instant paced", paces, " ")
    for (i = 1; i <= n; i++) {
      p = paces[i]
      if (all[p " | curl | query"] > 0) {
        printf "%s server: plan takes %.2f times as long as curl, apply %.2f times.\n", p,
          all[p " | sexton | plan"] / all[p " | curl | query"], all[p " | sexton | apply"] / all[p " | curl | delete"]
      }
    }
  }' "$figures"
