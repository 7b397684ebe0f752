#!/usr/bin/env bash
# Brings the Chromium that the console is tested in, as root on Debian. Where it cannot be had the reason is printed, and
# the tests say that they did not run.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if path=$(command -v "$name"); then
    echo "Chromium: $path"
    exit 0
  fi
done
not_had() {
  echo "Chromium: not installed, because $*"
  exit 0
}
command -v apt-get >/dev/null || not_had 'there is no apt-get.'
[ "$(id -u)" -eq 0 ] || not_had 'only root may install it.'
echo 'Chromium: installing it with apt-get, because this runs as root …'
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && timeout 300 apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1; then
  tail -n 3 "$log"
  not_had 'apt-get failed, see above.'
fi
chromium --version
