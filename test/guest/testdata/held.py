# Tries the locks of holder.py, and says whether they are held or free as they should be.
import errno
import fcntl
import sys

wanted, directory = sys.argv[1:]
for kind, path in (fcntl.lockf, "ranges"), (fcntl.flock, "whole"):
    with open(f"{directory}/{path}", "r+b") as file:
        try:
            kind(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            state = "free"
        except OSError as e:
            if e.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            state = "held"
    assert state == wanted, f"the {kind.__name__} lock of {path} is {state}"
