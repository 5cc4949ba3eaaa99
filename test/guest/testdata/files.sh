# Files: written, appended to, replaced by rename as an editor saves, truncated, named oddly.
. ./lib.sh
cd "$HOME"

echo one >notebook
same "what was written" "$(cat notebook)" one
same "owner and mode of a new file" "$(stat -c '%u:%g %a' notebook)" "1000:1000 644"
echo two >>notebook
same "the length after an append" "$(stat -c %s notebook)" 8

# Jupyter saves to a file beside it and renames.
echo three >.~notebook
mv .~notebook notebook
same "what a rename put in place" "$(cat notebook)" three
[ ! -e .~notebook ] || fail "the old name is still there after a rename"

truncate -s 3 notebook
same "what is left by truncate" "$(cat notebook)" thr
truncate -s 5 notebook
same "a file grown by truncate" "$(busybox xxd -p notebook)" 7468720000

chmod 600 notebook
touch -d '2001-02-03 04:05:06.789 UTC' notebook
same "mode and time" "$(stat -c '%a %.3Y' notebook)" "600 981173106.789"
chmod 000 notebook
refused "reading a file of mode 000" "Permission denied" cat notebook
chmod 644 notebook

# 2 MiB, and 2 MiB in odd pieces, read back from the server and not from the client's memory.
head -c 2097152 /dev/urandom >"$TMP/big"
cp "$TMP/big" big
dd if="$TMP/big" of=odd bs=12345 status=none
for file in big odd; do
	dd if=$file of="$TMP/again" iflag=direct bs=1M status=none
	cmp "$TMP/big" "$TMP/again" || fail "$file has other bytes than were written"
done

# Names are bytes.
long=$(printf '%0255d' 0)
newline=$(printf 'a\nb')
invalid=$(printf 'not-utf8-\377')
for name in "$long" "$newline" "$invalid" "with space" "-dash" "Übung.ipynb" "back\\slash"; do
	echo "$name" >"./$name"
	same "the file of an odd name" "$(cat "./$name")" "$name"
done
refused "a name of 256 bytes" "File name too long" touch "${long}0"

set -o noclobber
refused "creating a file that is there, exclusively" "File exists" sh -Cc 'echo >notebook'
set +o noclobber

mkdir -p a/b/c/d
echo deep >a/b/c/d/file
refused "removing a directory that is not empty" "Directory not empty" rmdir a/b/c
rm -r a
[ ! -e a ] || fail "rm -r left its directory"
refused "opening a file in a directory that is gone" "No such file" cat a/b/c/d/file
