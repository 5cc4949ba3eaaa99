# What a failure is explained by.
dmesg | tail -n 15
grep nfs /proc/mounts
# Processes that sleep in the kernel, and where.
for dir in /proc/[0-9]*; do
	if [ -s "$dir/cmdline" ] && busybox grep -q '^State:.D' "$dir/status"; then
		busybox tr '\0' ' ' <"$dir/cmdline"
		cat "$dir/stack"
	fi
done
