# Renames: within a directory, across, over what is there, and between homes, where mv must copy.
. ./lib.sh
cd "$HOME"

rename() {
	python3 -S -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' "$1" "$2"
}

mkdir here there full empty
echo file >here/file
touch full/entry
mv here/file there/moved
same "a file moved to another directory" "$(cat there/moved)" file
[ ! -e here/file ] || fail "a moved file is still in its old directory"

echo other >there/other
mv there/moved there/other
same "a file moved over another" "$(cat there/other)" file

mv there here/inside
same "a file in a moved directory" "$(cat here/inside/other)" file
same "the parent of a moved directory" "$(cd here/inside && cd -P .. && basename "$PWD")" here

rename full empty
[ -e empty/entry ] || fail "a directory renamed over an empty one lost its entry"
mkdir full
refused "renaming over a directory that is not empty" "Directory not empty" rename full empty
refused "renaming a directory over a file" "Not a directory" rename full here/inside/other
refused "renaming a file over a directory" "Is a directory" rename here/inside/other full
refused "renaming a directory into itself" "Invalid argument" rename here here/inside/here

# The other home is on the same mount: the server itself must refuse, and mv then copies.
other=/home/jovyan2/allusers/grace
echo mine >mine
refused "renaming a file into another home" "Invalid cross-device link" rename /home/jovyan2/allusers/ada/renames/mine $other/mine
mkdir tree
echo leaf >tree/leaf
refused "renaming a directory into another home" "Invalid cross-device link" rename /home/jovyan2/allusers/ada/renames/tree $other/tree
refused "linking a file into another home" "Invalid cross-device link" ln /home/jovyan2/allusers/ada/renames/mine $other/mine
mv /home/jovyan2/allusers/ada/renames/mine /home/jovyan2/allusers/ada/renames/tree $other/
same "a file that mv took to another home" "$(cat $other/mine $other/tree/leaf)" "mine
leaf"
if [ -e mine ] || [ -e tree ]; then
	fail "mv to another home left the original"
fi
rm -r $other/mine $other/tree
