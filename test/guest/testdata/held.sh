# Another client tries the locks that holder.py has; "free" says that nobody has them any more.
. ./lib.sh
trap 'umount /mnt/second' EXIT
second_client /mnt/second
jovyan python3 -S held.py "${1-held}" /mnt/second/ada/holder
