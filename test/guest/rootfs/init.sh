#!/bin/busybox sh
# Process 1 of the guest. Brings up the network, unpacks the test's files into /test, and has workers that call the
# host (at the port that the kernel's command line says) and run the scripts they are given.
export PATH=/usr/sbin:/usr/bin:/opt/busybox HOME=/root LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t tmpfs shm /dev/shm

hostname guest
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2

mkdir -p /test
tar -xf /dev/vdb -C /test

read -r cmdline </proc/cmdline
for word in $cmdline; do
	case $word in
	guest.control=*) port=${word#*=} ;;
	guest.workers=*) workers=${word#*=} ;;
	esac
done
while [ "$workers" -gt 0 ]; do
	workers=$((workers - 1))
	while :; do
		busybox nc 10.0.2.2 "$port" -e /worker || sleep 1
	done &
done
while :; do wait; done
