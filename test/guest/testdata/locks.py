# Two processes lock parts of one file: a child does as it is told over a pipe and answers whether it got the lock.
import errno
import fcntl
import os
import signal
import sys

signal.alarm(240)
kind = sys.argv[1]
path = f"locked-by-{kind}"
EX, SH, UN, NB = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_UN, fcntl.LOCK_NB


def lock(file, how, start=0, length=0):
    """Returns whether the lock was had."""
    try:
        if kind == "flock":
            fcntl.flock(file, how)
        else:
            fcntl.lockf(file, how, length, start)
        return True
    except OSError as e:
        if e.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False


class Child:
    def __init__(self):
        ask, self.ask = os.pipe()
        self.answer, answer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.ask)
            with open(path, "r+b") as file:
                while command := os.read(ask, 100):
                    how, start, length = map(int, command.split())
                    os.write(answer, b"y" if lock(file, how, start, length) else b"n")
            os._exit(0)
        os.close(ask)
        os.close(answer)

    def begin(self, how, start=0, length=0):
        os.write(self.ask, f"{how} {start} {length}".encode())

    def done(self):
        said = os.read(self.answer, 1)
        assert said, "the child process died"
        return said == b"y"

    def lock(self, *args):
        self.begin(*args)
        return self.done()


open(path, "w").close()
child = Child()
with open(path, "r+b") as file:
    assert lock(file, EX | NB), "a lock that nobody has was refused"
    assert not child.lock(EX | NB), "two processes have an exclusive lock"
    assert not child.lock(SH | NB), "a shared lock beside an exclusive one"
    assert lock(file, UN)
    assert child.lock(SH | NB), "a lock was refused after its release"
    assert lock(file, SH | NB), "two shared locks were refused"
    assert not lock(file, EX | NB), "an exclusive lock beside a shared one"
    if kind == "flock":
        # A refused conversion may have lost the lock (flock(2)).
        lock(file, UN)
    assert child.lock(UN)
    assert lock(file, EX | NB), "a lock was refused after its release by the child"

    # One that waits gets the lock when it is free.
    child.begin(EX)
    assert lock(file, UN)
    assert child.done(), "who waited for a lock did not get it"
    assert not lock(file, EX | NB), "two processes have an exclusive lock after one waited"

    # A process that dies leaves its locks.
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    assert lock(file, EX), "a dead process still has its lock"
    lock(file, UN)

    if kind == "fcntl":
        child = Child()
        assert lock(file, EX | NB, 0, 100)
        assert child.lock(EX | NB, 100, 50), "a lock of the bytes behind another's was refused"
        assert not child.lock(EX | NB, 50, 60), "overlapping ranges are both locked"
        # Unlocking the middle leaves two locks.
        assert lock(file, UN, 40, 20)
        assert child.lock(EX | NB, 40, 20), "a lock of the freed middle was refused"
        assert not child.lock(EX | NB, 39, 1) and not child.lock(EX | NB, 60, 1), "the ends of a split lock are free"
        assert not lock(file, SH | NB, 1 << 40, 0) or lock(file, UN, 1 << 40, 0)
        child.lock(UN)
        os.close(child.ask)
        os.waitpid(child.pid, 0)
