# Two clients of one home: each sees what the other has closed, and their locks exclude each other.
. ./lib.sh
trap 'umount /mnt/second' EXIT
second_client /mnt/second
mine=$HOME theirs=/mnt/second/ada/clients

jovyan sh -c "echo one >$mine/file"
same "a file that the other client made" "$(cat $theirs/file)" one
jovyan sh -c "echo two >>$theirs/file"
same "a file that the other client appended to" "$(cat "$mine/file")" "one
two"
jovyan mv $theirs/file $theirs/renamed
refused "opening a file that the other client renamed" "No such file" cat "$mine/file"
same "a file that the other client renamed" "$(cat "$mine/renamed")" "one
two"

# An open file that the other client removes is gone with its last name: no name is left for it as when this client does.
exec 3<"$mine/renamed"
jovyan rm $theirs/renamed
refused "opening a file that the other client removed" "No such file" cat "$mine/renamed"
exec 3<&-

for kind in lockf flock; do
	jovyan sh -c "echo >$mine/$kind"
	jovyan python3 -S hold-lock.py $kind "$mine/$kind" python3 -S try-lock.py $kind $theirs/$kind &&
		fail "two clients have an exclusive $kind lock"
	jovyan python3 -S try-lock.py $kind $theirs/$kind || fail "a $kind lock was refused after another client's release"
	jovyan python3 -S hold-lock.py $kind $theirs/$kind python3 -S try-lock.py $kind "$mine/$kind" &&
		fail "two clients have an exclusive $kind lock"
done
