# Unmounts all of NFS, the last mount first; "force" does it whatever a failure has left behind.
. ./lib.sh

for dir in $(busybox awk '$3 == "nfs4" { print $2 }' /proc/mounts | busybox tac); do
	if [ "${1-}" = force ]; then
		umount -f -l "$dir" || true
	else
		umount "$dir"
	fi
done
