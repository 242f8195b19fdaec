# Sourced by the scripts beside it: one line for each step, and a step's whole output only if it fails.

# step WORDS COMMAND...: runs COMMAND silently; if it fails, shows what it said and ends the script.
step() {
  words=$1
  shift
  output=$(mktemp)
  printf '%s ...' "$words"
  if "$@" >"$output" 2>&1; then
    printf ' done\n'
    rm -f "$output"
  else
    status=$?
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
