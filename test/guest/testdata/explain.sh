# What a failure is explained by: what the kernel says, and the processes that sleep in it, and where.
dmesg | tail -n 15
for dir in /proc/[0-9]*; do
	if [ -s "$dir/cmdline" ] && busybox grep -q '^State:.D' "$dir/status"; then
		busybox tr '\0' ' ' <"$dir/cmdline"
		echo
		cat "$dir/stack"
	fi
done
