# A file that is removed while it is open stays until it is closed: the client renames it meanwhile.
. ./lib.sh
cd "$HOME"

echo before >file
exec 3<>file
rm file
[ ! -e file ] || fail "a removed file is still there"
same "what is hidden of an open file that was removed" "$(ls -A | busybox grep -c '^\.nfs')" 1
same "what is read of a removed file" "$(cat <&3)" before
echo after >&3
same "what is read of a removed file after a write" "$(busybox wc -c </proc/self/fd/3)" 13
exec 3>&-
same "what is left after the close" "$(ls -A)" ""
cd ..
rmdir "$HOME"
mkdir "$HOME"
