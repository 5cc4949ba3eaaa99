# What files take, as df shows it: whatever they are made with, it is what du finds. Nothing else is in the home meanwhile.
. ./lib.sh
cd /home/jovyan
MiB=1024

# takes WHAT MIB: the home takes so much more than it did at the beginning, but for what the kernel rounds.
used() {
	df -k --output=used . | busybox tail -n 1 | busybox tr -d ' '
}
takes() {
	sync -f .
	now=$(($(used) - began))
	[ $now -ge $(($2 * MiB - 2 * MiB)) ] && [ $now -le $(($2 * MiB + 2 * MiB)) ] || fail "$1: the home takes $now KiB more, want $2 MiB"
	found=$(($(du -sk . | cut -f1) - empty + ${3-0} * MiB))
	[ $now -ge $((found - 2 * MiB)) ] && [ $now -le $((found + 2 * MiB)) ] || fail "$1: df shows $now KiB more, and du $found"
	same "$1: the inodes that df shows" "$(df --output=iused . | busybox tail -n 1 | busybox tr -d ' ')" "$(($(du --inodes -s . | cut -f1) + ${4-0}))"
}
began=$(used)
empty=$(du -sk . | cut -f1)
takes "nothing" 0

jovyan dd if=/dev/zero of=direct bs=1M count=16 oflag=direct status=none
takes "a file written with O_DIRECT" 16
jovyan fallocate --punch-hole --offset 8M --length 8M direct
takes "half of it punched out" 8
jovyan truncate -s 4M direct
takes "three quarters of it cut off" 4
jovyan truncate -s 4G direct
takes "a hole behind it" 4
jovyan fallocate --length 16M preallocated
takes "space that is allocated and not written" 20
jovyan dd if=/dev/zero of=preallocated bs=1M count=16 conv=notrunc,fsync status=none
takes "the same when it is written" 20
jovyan python3 -S -c '
import os
src, dst = os.open("preallocated", os.O_RDONLY), os.open("copied", os.O_RDWR | os.O_CREAT)
done = 0
while done < 16 << 20:
    done += os.copy_file_range(src, dst, (16 << 20) - done)
'
takes "a copy that the server makes" 36
jovyan cp --reflink=always preallocated cloned
takes "a clone, which counts as much as a copy" 52
jovyan ln cloned another
jovyan ln cloned name
takes "hard links, which count once" 52
jovyan rm cloned another
takes "one name of three left" 52
jovyan rm name
takes "no name left" 36

# Open without a name: the client renames it, and removes it at the last close.
exec 3<>copied
jovyan rm copied
takes "an open file without a name, which the client hides" 36
exec 3>&-
takes "after its close" 20
# Removed by somebody else, it has no name at all, and nobody finds it.
trap 'umount /mnt/second' EXIT
second_client /mnt/second
exec 4<>preallocated
jovyan rm /mnt/second/ada/preallocated
takes "an open file that another client has removed" 20 16 1
exec 4>&-
takes "after its close" 4

jovyan mkdir -p tree/a/b
jovyan ln -s nowhere tree/link
jovyan mkfifo tree/pipe
takes "directories, links and pipes" 4
jovyan rm -r tree direct
takes "nothing any more" 0
