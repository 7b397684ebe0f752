#!/bin/sh
# Brings a machine to where `npm start` and `npm test` work: dependencies in step with the lockfile, the pinned
# Node among them, and a Redis server. Says what it installs before it does; system packages only as root, never
# through sudo. Quick when there is nothing to do.
# Usage: sh local/setup.sh [--no-redis | --docker-will-do]
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.lockfile-checksum

fail() {
  echo "setup: $*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Our own node_modules/.bin leads PATH inside npm scripts; installing must not run on the Node it replaces.
foreign_path() {
  kept=
  old_ifs=$IFS
  IFS=:
  for directory in $PATH; do
    case $directory in
      */node_modules/.bin) ;;
      *) kept=${kept:+$kept:}$directory ;;
    esac
  done
  IFS=$old_ifs
  echo "$kept"
}

node_is_new_enough() {
  version=$(node_modules/.bin/node -v 2>/dev/null) || return 1
  major=${version#v}
  [ "${major%%.*}" -ge 24 ]
}

# In step: we installed this very lockfile, or npm itself did after the lockfile last changed.
dependencies_are_in_step() {
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$checksum" ] && return 0
  [ -n "$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null)" ]
}

install_dependencies() {
  has npm || fail 'npm is missing: install Node.js 20 or newer from https://nodejs.org.'
  echo 'setup: installing the dependencies of package-lock.json (npm ci), the pinned Node among them …'
  PATH=$(foreign_path) npm ci --no-audit --no-fund --loglevel=error || fail 'npm ci failed, see above.'
  node_is_new_enough || fail 'node_modules/.bin/node is not Node 24: npm must be allowed to run install scripts (npm config get ignore-scripts).'
}

has_redis() {
  [ -n "${REDIS_URL:-}" ] || has redis-server || has valkey-server
}

install_redis() {
  if ! has apt-get || [ "$(uname -s)" != Linux ] || [ "$(id -u)" -ne 0 ]; then
    fail 'no Redis server found: install one (apt-get install redis-server · dnf install valkey · brew install redis) or point REDIS_URL at one.'
  fi
  echo 'setup: no Redis server found; installing redis-server with apt-get, because this runs as root …'
  # We start a server of our own; the package must not start one as a service.
  policy=/usr/sbin/policy-rc.d
  if has invoke-rc.d && [ ! -e "$policy" ] && printf '#!/bin/sh\nexit 101\n' 2>/dev/null >"$policy"; then
    trap 'rm -f "$policy"' EXIT
    chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  log=node_modules/.apt-get.log
  if ! { apt-get update && apt-get install -y --no-install-recommends redis-server; } >"$log" 2>&1; then
    cat "$log" >&2
    fail 'apt-get could not install redis-server, see above: install it yourself or point REDIS_URL at a Redis.'
  fi
  if [ -d /run/systemd/system ]; then systemctl disable --now redis-server >/dev/null 2>&1 || true; fi
  has_redis || fail 'redis-server was installed but is not on PATH.'
}

mode=${1:-}
checksum=$(cksum <package-lock.json)
if ! dependencies_are_in_step || ! node_is_new_enough; then install_dependencies; fi
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$checksum" ] || echo "$checksum" >"$stamp"

[ "$mode" = --no-redis ] && exit 0
has_redis && exit 0
if [ "$mode" = --docker-will-do ] && has docker && docker version >/dev/null 2>&1; then exit 0; fi
install_redis
