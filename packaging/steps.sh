# Sourced by the scripts beside it: one line for each step, and a step's whole output only if it fails.

# Every so many seconds a step says that it goes on.
progress_every=${progress_every:-10}

# progress FILE: how far the command has come that writes into FILE, as Ninja ("[12/300] ...") and CTest ("12/300 Test ...") say it, else a dot. In the
# background, until it is killed or the script is gone: Ctrl-C ends a script, but nothing that it has in the background.
progress() {
  while sleep "$progress_every" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    percent=$(sed -nE 's/^\[? *([0-9]+)\/([0-9]+)[] ].*/\1 \2/p' "$1" | awk '$2 > 0 { percent = int(100 * $1 / $2) } END { print percent }')
    if [ "$percent" ]; then printf ' %s%%' "$percent"; else printf ' .'; fi
  done
}

# step WORDS COMMAND...: runs COMMAND silently but for its progress; if it fails, shows what it said and ends the script.
step() {
  words=$1
  shift
  output=$(mktemp)
  printf '%s ...' "$words"
  progress "$output" &
  progress=$!
  status=0
  "$@" >"$output" 2>&1 || status=$?
  kill "$progress" 2>/dev/null || true
  wait "$progress" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then
    printf ' done\n'
    rm -f "$output"
  else
    printf ' FAILED (exit %s): %s\n' "$status" "$*"
    tail -n 300 "$output"
    rm -f "$output"
    exit "$status"
  fi
}

# How many compilers to run at a time: as many as there are CPUs, with 1.5 GiB of free memory for each.
jobs() {
  awk -v cpus="$(nproc)" '/^MemAvailable:/ { fit = int($2 / 1572864) } END { if (fit < 1) fit = 1; print (fit < cpus ? fit : cpus) }' /proc/meminfo
}
