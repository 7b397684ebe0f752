#!/bin/sh
# Runs COMMAND and ends it (SIGTERM) when our stdin closes. The starter holds the other end of that pipe, so
# nothing outlives it: closing the pipe is the ordinary way to stop, and the kernel closes it if the starter is
# killed. Exits with the command's own code.
# Usage: guard.sh COMMAND [ARGUMENT…]
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
# `read` is a builtin: no second process that would have to be ended too.
(while read -r _ <&3; do :; done; kill -TERM "$child" 2>/dev/null) &
watcher=$!
exec 3<&-
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
# A trapped signal ends `wait` early, hence the loop.
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break
done
kill "$watcher" 2>/dev/null
exit "$code"
