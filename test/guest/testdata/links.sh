# Hard links and symbolic links.
. ./lib.sh
cd "$HOME"

echo text >first
ln first second
mkdir sub
ln first sub/third
same "the links of a file with three names" "$(stat -c %h second)" 3
same "the inode of its names" "$(stat -c %i first)" "$(stat -c %i sub/third)"
echo more >>second
same "a file read by another name" "$(cat sub/third)" "text
more"
rm first
same "the links after one is removed" "$(stat -c %h second)" 2
# A rename onto another name of the same file does nothing (rename(2)).
python3 -S -c 'import os; os.rename("second", "sub/third")'
same "the names left by a rename onto the same file" "$(stat -c %h second sub/third | busybox tr '\n' ' ')" "2 2 "
refused "a hard link to a directory" "not allowed" ln sub dir

ln -s sub/third link
same "what a symbolic link says" "$(readlink link)" sub/third
same "a file read through a symbolic link" "$(cat link)" "text
more"
same "the size of a symbolic link" "$(stat -c '%F %s' link)" "symbolic link 9"
ln -s nowhere dangling
refused "reading through a dangling link" "No such file" cat dangling
ln -s loop loop
refused "reading through a loop" "Too many levels" cat loop
target=$(printf 'x/%0500d' 0)
ln -s "$target" long
same "a long link" "$(readlink long)" "$target"
ln -s /etc/hostname-of-guest absolute
same "an absolute link" "$(readlink absolute)" /etc/hostname-of-guest
rm link dangling loop long absolute
[ -e sub/third ] || fail "removing a symbolic link removed its target"
