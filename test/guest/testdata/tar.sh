# An archive of many small files: unpacked into the home, packed again there, and compared with the first.
. ./lib.sh

python3 -S small-files.py "$FILES" "$TMP/small.tar"
cd "$HOME"
mkdir unpacked
tar -xf "$TMP/small.tar" -C unpacked
tar -cf packed.tar -C unpacked .
mkdir "$TMP/again"
tar -xf packed.tar -C "$TMP/again"
tar -df "$TMP/small.tar" -C "$TMP/again" || fail "what was packed differs from the first archive"
same "the number of files" "$(busybox find "$TMP/again" -type f | busybox wc -l)" "$FILES"
