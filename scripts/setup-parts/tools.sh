# shellcheck shell=bash
# What the parts of scripts/setup work with: what they say, and Debian's packages.

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: FAILED: %s\n' "$*" >&2
  exit 69
}
have() { command -v "$1" >/dev/null 2>&1; }
# version_at_least HAVE WANTED
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
checksum() { sha256sum "$1" | cut -d ' ' -f 1; }

# quietly WHAT COMMAND…: a sign of life every 10 s, the output only when it fails.
quietly() {
  local what=$1 log start=$SECONDS status=0 ticks
  shift
  log=$(mktemp)
  say "$what …"
  # Ends with what it reads, not by a signal: one that comes before a subshell has put our traps aside has it run them, and
  # $work was gone. Without the lock, which it would hold a while longer.
  exec {ticks}> >(
    exec 9>&-
    while read -rt 10 _ || [ $? -gt 128 ]; do say "$what … $((SECONDS - start)) s"; done
  )
  "$@" >"$log" 2>&1 </dev/null {ticks}>&- || status=$?
  exec {ticks}>&-
  [ "$status" -eq 0 ] || tail -n 40 "$log" >&2
  rm -f "$log"
  return "$status"
}

packages_listed=
# Sets $as to what has root's rights.
find_root() {
  as=()
  [ "$(id -u)" -ne 0 ] || return 0
  have sudo || return 1
  as=(sudo)
}
apt_update() {
  [ -z "$packages_listed" ] || return 0
  quietly "apt-get update" "${as[@]}" apt-get update || say "apt-get update failed; going on with the lists there are"
  packages_listed=1
}
apt_install() {
  local as
  have apt-get || fail "this is no Debian: install $* by hand, then run this again"
  find_root || fail "missing $*: run as root: apt-get install -y $*"
  apt_update
  quietly "installing $*" "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@" || fail "apt-get install $* failed (its output is above)"
}
