# What the scripts share. Each is run with VERS and PORT set: the NFS version and the server's port.
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
