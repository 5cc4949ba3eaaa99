# Tries to lock a file and says by its exit code whether it could.
import errno
import fcntl
import sys

kind, path = sys.argv[1:]
with open(path, "r+b") as file:
    try:
        getattr(fcntl, kind)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        if e.errno in (errno.EAGAIN, errno.EACCES):
            sys.exit(1)
        raise
