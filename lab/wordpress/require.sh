# To be sourced: require FILE… ends the script with a sentence if one of these programs or files isn't there.
require() {
  local wanted
  for wanted; do
    [[ -e $wanted ]] || command -v "$wanted" >/dev/null && continue
    printf '%s is not there; `penstock lab check` says what to install\n' "$wanted" >&2
    exit 1
  done
}
