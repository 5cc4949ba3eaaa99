# What is refused at the quota, and that it takes nothing: for whoever writes, however. Another home fills the disk.
. ./lib.sh
cd /home/jovyan
spent="Disk quota exceeded"
used() {
	df -k --output=used "$1" | busybox tail -n 1 | busybox tr -d ' '
}

left() {
	df -k --output=avail "$1" | busybox tail -n 1 | busybox tr -d ' '
}

jovyan mkdir room
jovyan fallocate --length 16M room/source
room=$(left .)
refused "a file beyond the quota" "$spent" jovyan dd if=/dev/zero of=big bs=1M conv=fsync
# XFS takes space in advance, of which a part counts until it is given back. To the block there is what is allocated.
jovyan rm big
tries=0
until [ "$(left .)" = "$room" ]; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || fail "without the file there are $(left .) KiB left, and were $room"
	sleep 0.1
done
jovyan fallocate --length "${room}K" big
same "what is left" "$(left .)" 0
full=$(used .)
refused "a write with O_DIRECT" "$spent" jovyan dd if=/dev/zero of=direct bs=1M count=1 oflag=direct
refused "fallocate" "$spent" jovyan fallocate --length 1M allocated
refused "a copy that the server makes" "$spent" jovyan python3 -S -c '
import os
os.copy_file_range(os.open("room/source", os.O_RDONLY), os.open("copied", os.O_RDWR | os.O_CREAT), 16 << 20)
'
refused "a clone" "$spent" jovyan cp --reflink=always room/source cloned
refused "a write in a hole" "$spent" jovyan dd if=/dev/zero of=big bs=1M count=1 seek=4096 conv=notrunc,fsync
same "what the home takes after all of it" "$(used .)" "$full"
# What takes nothing works.
jovyan dd if=/dev/zero of=big bs=1M count=4 conv=notrunc,fsync status=none
jovyan mv big moved
jovyan truncate -s 1M moved
same "what is left of what was refused" "$(find . -type f -size +0 | busybox sort | busybox tr '\n' ' ')" "./moved ./room/source "

# The disk is full: that is another error, and nobody's usage but the writer's own.
before=$(used .)
refused "a file beyond the disk" "No space left" jovyan dd if=/dev/zero of=/home/jovyan2/filling bs=1M conv=fsync
same "what another home takes when the disk is full" "$(used .)" "$before"
refused "a file on a full disk" "No space left" jovyan dd if=/dev/zero of=more bs=1M count=8 conv=fsync
jovyan rm more
same "what a home takes after it was refused for the disk" "$(used .)" "$before"
jovyan rm /home/jovyan2/filling
jovyan dd if=/dev/zero of=more bs=1M count=8 conv=fsync status=none
jovyan rm -r more moved room
