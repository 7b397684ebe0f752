#!/usr/bin/env bash
# Runs a part of the integration tests against Redis in a container, through Testcontainers. Uses the Docker engine
# that answers; as root on Linux it starts one of its own for the time being. An image that cannot be pulled is made
# from this machine's redis-server. Where none of this can be had it prints the reason and succeeds: the same tests
# have run against a local server before.
# Usage: .ci/container-leg.sh [TEST FILE OR FOLDER …]
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

work=$(mktemp -d)
engine_pid=

stop_engine() {
  if [ -n "$engine_pid" ]; then
    kill "$engine_pid" 2>/dev/null || true
    wait "$engine_pid" 2>/dev/null || true
    # The engine leaves its network namespace mounted, which keeps the directory from going.
    umount "$work/exec/netns/default" 2>/dev/null || true
  fi
  rm -rf "$work" 2>/dev/null || true
}
trap stop_engine EXIT

not_run() {
  echo "container leg: not run, because $*"
  exit 0
}

start_engine() {
  [ "$(uname -s)" = Linux ] || not_run 'no Docker engine answers.'
  [ "$(id -u)" -eq 0 ] || not_run 'no Docker engine answers, and only root may start one.'
  command -v dockerd >/dev/null || not_run 'no Docker engine answers, and dockerd is not installed.'
  # Socket and data of our own: nothing of the machine's configuration is touched.
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    >"$work/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 60); do
    if docker version >/dev/null 2>&1; then return; fi
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  reason=$(grep -v 'level=info' "$work/dockerd.log" | tail -n 1)
  not_run "dockerd does not start here: ${reason:-no answer within 30 s}"
}

# The server of this machine with the libraries it is linked to, and nothing else.
pack_image() {
  local server file
  server=$(command -v redis-server) || not_run "$image cannot be pulled, and there is no redis-server to make it from."
  mkdir -p "$work/root/usr/bin" "$work/root/tmp"
  cp -L "$server" "$work/root/usr/bin/redis-server"
  for file in $(ldd "$server" | grep -oE '/[^ ]+'); do cp -L --parents "$file" "$work/root"; done
  tar -C "$work/root" -c . | docker import --change 'ENV PATH=/usr/bin' - "$image" >/dev/null
  echo "container leg: $image cannot be pulled here; made from this machine's $("$server" --version | cut -d' ' -f1-3)"
}

command -v docker >/dev/null || not_run 'there is no docker command.'
docker version >/dev/null 2>&1 || start_engine
image=$(sed -n "s/^export const REDIS_IMAGE = '\(.*\)';/\1/p" test/support/redis-container.ts)
if ! docker image inspect "$image" >/dev/null 2>&1; then
  timeout 30 docker pull --quiet "$image" >/dev/null 2>&1 || pack_image
fi

# The helper container that cleans up after killed runs would have to be pulled, too; we remove what we start.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TEST_REDIS_LEG=container
# A selection, so that it ends within three minutes: what leans on Redis most.
if [ "$#" -eq 0 ]; then set -- test/integration/{redis-legs,job-store,api-create}; fi
echo "container leg: running $* on $image"
# Without --foreground, timeout would put the tests out of reach of a Ctrl-C.
timeout --foreground 150 vitest run "$@"
