# What a mount does not show, and what cannot be mounted. As root: nobody else may mount.
. ./lib.sh

mkdir -p /mnt/try
refused "mounting a hub that is not declared" "No such file or directory" mount_hub /homes/nosuch /mnt/try
refused "mounting what is above the base share" "No such file or directory" mount_hub /etc /mnt/try

# What is above the hubs shows their names, and nothing can be made there.
mount_hub / /mnt/try
same "the root" "$(ls -A /mnt/try)" homes
same "the hubs" "$(ls -A /mnt/try/homes | busybox sort | busybox tr '\n' ' ')" "prod staging "
for dir in /mnt/try /mnt/try/homes; do
	if said=$(mkdir $dir/new 2>&1); then
		fail "a directory could be made in $dir"
	fi
	for hidden in .hubhome ../.hubhome ../../etc/shadow; do
		[ ! -e "$dir/new/../$hidden" ] || fail "$hidden can be seen from $dir"
	done
done
umount /mnt/try

# Two hubs are two trees.
[ ! -e /mnt/staging/ada ] || fail "a home of one hub is in another"

# A link that climbs out leads, as on any node, into the node's own tree.
jovyan ln -s ../../../../../../../../etc/passwd /home/jovyan/escape
same "what a link that climbs leads to" "$(cat /home/jovyan/escape)" "$(cat /etc/passwd)"
rm /home/jovyan/escape
same "the parent of a mounted home" "$(cd /home/jovyan && cd -P .. && pwd)" /home
