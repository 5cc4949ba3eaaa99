#!/bin/busybox sh
# Runs one script. The host says a token, the seconds that the script may take and its length, then the script; the
# answer is what the script prints, a zero byte, the token and the exit code.
# (Busybox's shell runs its own applets first, so that the full names matter: its timeout kills one process only.)
read -r token seconds length
script=/run/script.$$
head -c "$length" >"$script"
cd /test
/usr/bin/timeout -s KILL "$seconds" /bin/sh "$script" </dev/null 2>&1
printf '\0%s %s\n' "$token" $?
rm -f "$script"
