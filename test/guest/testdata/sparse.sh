# Holes: files that are longer than what they take on the disk.
. ./lib.sh
cd "$HOME"

truncate -s 1G sparse
same "the blocks of a file that is one hole" "$(stat -c %b sparse)" 0
printf end | dd of=sparse bs=1M seek=512 conv=notrunc status=none
same "the size after a write in the middle" "$(stat -c %s sparse)" 1073741824
[ "$(du -k sparse | cut -f1)" -lt 2048 ] || fail "3 bytes in a hole take $(du -k sparse)"
same "what is read in the middle" "$(dd if=sparse bs=1M skip=512 count=1 status=none | head -c 5 | busybox xxd -p)" 656e640000
rm sparse

truncate -s 4M small
printf middle | dd of=small bs=1M seek=2 conv=notrunc status=none
cp --sparse=always small copy
cmp small copy || fail "the copy of a sparse file has other bytes"
[ "$(du -k copy | cut -f1)" -lt 2048 ] || fail "the copy of a sparse file takes $(du -k copy)"

if [ "$VERS" = 4.1 ]; then
	refused "fallocate with 4.1" "not supported" fallocate -l 1M reserved
	exit
fi
python3 -S /test/holes.py
fallocate -l 1M reserved
same "the size of a file made by fallocate" "$(stat -c %s reserved)" 1048576
[ "$(du -k reserved | cut -f1)" -ge 1024 ] || fail "fallocate reserved nothing: $(du -k reserved)"
head -c 1M /dev/urandom >punched
cp punched "$TMP/punched"
fallocate --punch-hole --offset 256K --length 512K punched
fallocate --punch-hole --keep-size --offset 256K --length 512K "$TMP/punched"
cmp punched "$TMP/punched" || fail "a punched hole does not read as zeros"
[ "$(du -k punched | cut -f1)" -lt 1024 ] || fail "a punched hole takes space: $(du -k punched)"
