# Appends numbered lines to a log that another process appends to as well.
import fcntl
import os
import sys

who, count = sys.argv[1], int(sys.argv[2])
log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
for i in range(1, count + 1):
    fcntl.lockf(log, fcntl.LOCK_EX)
    os.write(log, f"{who} {i} in one piece\n".encode())
    fcntl.lockf(log, fcntl.LOCK_UN)
