# To be sourced: wait_for SECONDS WHAT COMMAND… runs the command again and again until it succeeds, and shows its last words if it never does.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2 said
  shift 2
  until said=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf '%s: still not there: %s\n' "$what" "$said" >&2
      return 1
    fi
    sleep 0.05
  done
}
