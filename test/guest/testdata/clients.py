# One file as two clients have it. To the server, each has locks of its own, even where one process asks both.
import errno
import fcntl
import sys


def lock(kind, file):
    """Returns whether the lock was had."""
    try:
        kind(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError as e:
        if e.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False


with open(sys.argv[1], "wb") as mine, open(sys.argv[2], "r+b") as theirs:
    for kind in fcntl.lockf, fcntl.flock:
        name = kind.__name__
        for first, second in (mine, theirs), (theirs, mine):
            assert lock(kind, first), f"a {name} lock that nobody has was refused"
            assert not lock(kind, second), f"two clients have one {name} lock"
            kind(first, fcntl.LOCK_UN)
            assert lock(kind, second), f"a {name} lock was refused after the other client's release"
            kind(second, fcntl.LOCK_UN)
