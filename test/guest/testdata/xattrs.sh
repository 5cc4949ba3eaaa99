# Extended attributes of the user: 4.2 has them, 4.1 says that it does not.
. ./lib.sh
cd "$HOME"

echo text >file
if [ "$VERS" = 4.1 ]; then
	refused "setting an attribute with 4.1" "not supported" setfattr -n user.origin -v a file
	exit
fi
setfattr -n user.origin -v "from a notebook" file
setfattr -n user.empty file
same "an attribute" "$(getfattr --only-values -n user.origin file)" "from a notebook"
same "the names of the attributes" "$(getfattr file | busybox grep user | busybox sort | busybox tr '\n' ' ')" "user.empty user.origin "
setfattr -n user.origin -v changed file
same "a changed attribute" "$(getfattr --only-values -n user.origin file)" changed
setfattr -x user.origin file
refused "reading a removed attribute" "No such attribute" getfattr --only-values -n user.origin file
python3 -S -c '
import os
value = bytes(range(256)) * 8
os.setxattr("file", "user.binary", value, os.XATTR_CREATE)
assert os.getxattr("file", "user.binary") == value, "an attribute of 2 KiB has other bytes"
try:
    os.setxattr("file", "user.binary", b"", os.XATTR_CREATE)
    raise SystemExit("an attribute was made twice")
except FileExistsError:
    pass
'
mkdir dir
setfattr -n user.on -v directory dir
same "an attribute of a directory" "$(getfattr --only-values -n user.on dir)" directory
same "the text of a file with attributes" "$(cat file)" text
