# What the scripts share. Each is run with VERS and PORT set, the NFS version and the server's port, and with ENTRIES and
# FILES, the size of the large directory and of the archive.
set -eu

fail() {
	echo "FAIL: $*"
	exit 1
}

# same WHAT GOT WANT
same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', want '$3'"
}

# refused WHAT MESSAGE COMMAND…: the command fails, and says why.
refused() {
	what=$1 message=$2
	shift 2
	if said=$("$@" 2>&1); then
		fail "$what was allowed"
	fi
	case $said in
	*"$message"*) ;;
	*) fail "$what says '$said', want '$message'" ;;
	esac
}

# jovyan COMMAND…: as the user of every pod.
jovyan() {
	setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
}

# mount_hub SHARE DIRECTORY
mount_hub() {
	mount -t nfs -o "vers=$VERS,port=$PORT,hard,noatime" "10.0.2.2:$1" "$2"
}

# second_client DIRECTORY: mounts the hub with the other minor version, with which the kernel is another client to the
# server: it shares neither state nor cache with the first.
second_client() {
	other=4.1
	if [ "$VERS" = 4.1 ]; then
		other=4.2
	fi
	mkdir -p "$1"
	mount -t nfs -o "vers=$other,port=$PORT,hard,noatime,actimeo=0,lookupcache=none" 10.0.2.2:/homes/prod "$1"
}
