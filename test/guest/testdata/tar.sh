# An archive of many small files: unpacked into the home, compared, packed again there, and compared with the first.
. ./lib.sh

trap 'rm -rf /tmp/again /tmp/small.tar' EXIT
python3 -S small-files.py "$FILES" /tmp/small.tar
cd "$HOME"
mkdir unpacked
tar -xf /tmp/small.tar -C unpacked
tar -df /tmp/small.tar -C unpacked || fail "what was unpacked differs from the archive"

tar -cf packed.tar -C unpacked .
mkdir /tmp/again
tar -xf packed.tar -C /tmp/again
tar -df /tmp/small.tar -C /tmp/again || fail "what was packed differs from the first archive"
same "the number of files" "$(busybox find /tmp/again -type f | busybox wc -l)" "$FILES"
