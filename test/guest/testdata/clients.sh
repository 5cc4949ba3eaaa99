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
jovyan mv "$mine/file" "$mine/renamed"
refused "opening a file that the other client renamed" "No such file" cat $theirs/file
same "a file that the other client renamed" "$(cat $theirs/renamed)" "one
two"
jovyan rm "$mine/renamed"
refused "opening a file that the other client removed" "No such file" cat $theirs/renamed

jovyan python3 -S clients.py "$mine/locked" $theirs/locked
