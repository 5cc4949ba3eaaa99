# Another client tries the locks that holder.py has: both are refused, "free" says that both can be had.
. ./lib.sh
trap 'umount /mnt/second' EXIT
second_client /mnt/second
held=0
for kind in lockf:ranges flock:whole; do
	jovyan python3 -S try-lock.py "${kind%:*}" "/mnt/second/ada/holder/${kind#*:}" || held=$((held + 1))
done
case "${1-}" in
free) same "the number of locks that are held by nobody" $held 0 ;;
*) same "the number of locks that another client is refused" $held 2 ;;
esac
