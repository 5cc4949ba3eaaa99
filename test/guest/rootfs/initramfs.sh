#!/busybox sh
# The first program: loads the drivers and the NFS client, mounts the disk, goes on with /init on it.
set -eu
/busybox mkdir -p /dev /root
/busybox mount -t devtmpfs dev /dev
while read -r module; do
	/busybox insmod "/modules/$module"
done </modules/order
until [ -b /dev/vda ]; do /busybox usleep 10000; done
/busybox mount -t ext4 -o noatime /dev/vda /root
exec /busybox switch_root /root /init
