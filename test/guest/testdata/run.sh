# run.sh THEME: runs THEME.sh as the user, with HOME a directory of its own in the home and TMP one in the guest's memory.
# run.sh root THEME: as root.
. ./lib.sh
as=jovyan
if [ "$1" = root ]; then
	as=
	shift
fi
export HOME="/home/jovyan/$1"
jovyan mkdir "$HOME"
TMP=$(jovyan mktemp -d)
export TMP
trap 'rm -rf "$TMP"' EXIT
$as sh "$1.sh"
