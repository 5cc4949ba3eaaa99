# Mounts the hub again, as a pod's next start does.
. ./lib.sh
mount_hub /homes/prod /mnt/prod
mount --bind /mnt/prod/ada /home/jovyan
