# Holds locks, an open file, and an open file that was removed, while the server is killed and started again.
import fcntl
import os
import signal
import time

signal.alarm(400)
ranges = open("ranges", "w+b", buffering=0)
fcntl.lockf(ranges, fcntl.LOCK_EX, 100)
whole = open("whole", "w+b", buffering=0)
fcntl.flock(whole, fcntl.LOCK_EX)
removed = open("removed", "w+b", buffering=0)
removed.write(b"still here")
os.unlink("removed")
mine = open("open", "w+b", buffering=0)
mine.write(b"before")
print("holding", flush=True)
while not os.path.exists("/tmp/stop"):
    time.sleep(0.1)
# The kernel answers EIO for a file whose lock or open was lost.
for file in ranges, whole, mine:
    file.write(b" and after")
    os.fsync(file.fileno())
assert os.pread(mine.fileno(), 100, 0) == b"before and after", "an open file has other bytes after the restarts"
assert os.pread(removed.fileno(), 100, 0) == b"still here", "an open file that was removed has other bytes after the restarts"
