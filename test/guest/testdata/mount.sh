# Mounts the hub and gives two users their homes, as a kubelet does: it mounts the volume, makes the subPath directories
# as root with the volume's mode, and binds them where the containers have them. The second user is an admin.
. ./lib.sh

hub=/mnt/prod
mkdir -p $hub /mnt/staging
mount_hub /homes/prod $hub
mount_hub /homes/staging /mnt/staging
for shared in _shared _shared-public; do
	[ -d "$hub/$shared" ] || fail "there is no $shared in the hub: $(ls -la $hub)"
done

for user in ada grace; do
	mkdir "$hub/$user"
	chmod "$(stat -c %a $hub)" "$hub/$user"
	same "owner and mode of a new home" "$(stat -c '%u:%g %a' "$hub/$user")" "1000:1000 755"
done
# What charts do in an init container must do no harm.
chown 1000:1000 $hub/ada

mount --bind $hub/ada /home/jovyan
mount --bind $hub/grace /home/jovyan2
mkdir /home/jovyan2/allusers /home/jovyan2/allusers-ro
mount --bind $hub /home/jovyan2/allusers
mount --bind $hub /home/jovyan2/allusers-ro
mount -o remount,bind,ro /home/jovyan2/allusers-ro
