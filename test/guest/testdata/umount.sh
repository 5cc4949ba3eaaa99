# Undoes mount.sh; "force" does it to whatever a failure has left behind.
. ./lib.sh

for dir in /home/jovyan2/allusers-ro /home/jovyan2/allusers /home/jovyan2 /home/jovyan /mnt/staging /mnt/prod; do
	if [ "${1-}" = force ]; then
		umount -f -l $dir || true
	else
		umount $dir
	fi
done
