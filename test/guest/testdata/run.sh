# run.sh THEME: runs THEME.sh as the user, in a directory of its own in the home. run.sh root THEME: as root.
. ./lib.sh
as=jovyan
if [ "$1" = root ]; then
	as=
	shift
fi
export HOME="/home/jovyan/$1"
jovyan mkdir "$HOME"
$as sh "$1.sh"
