# The space that df shows is that of a real disk.
. ./lib.sh

set -- $(stat -f -c '%b %f %a %c %d %l' "$HOME")
[ "$1" -gt 0 ] && [ "$2" -le "$1" ] && [ "$3" -le "$2" ] && [ "$3" -gt 0 ] || fail "blocks: $1 in all, $2 free, $3 available"
[ "$4" -gt 0 ] && [ "$5" -le "$4" ] || fail "files: $4 in all, $5 free"
same "the longest name" "$6" 255
df -P "$HOME" | tail -n1 | busybox grep -q 10.0.2.2: || fail "df does not show the mount: $(df -P "$HOME")"
