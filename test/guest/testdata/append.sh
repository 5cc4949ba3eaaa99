# Two processes append to one log, under a lock.
. ./lib.sh
cd "$HOME"
for who in a b; do
	python3 -S /test/append.py $who 100 &
done
wait
same "the lines that two processes appended" "$(busybox wc -l <log)" 200
for who in a b; do
	same "the lines of $who, in order" "$(busybox grep "^$who [0-9]* in one piece$" log | cut -d' ' -f2)" "$(busybox seq 100)"
done
