# Writes until it is told to stop, and says what it was told is safe: each line it prints is a promise that was made to it.
# The server is killed and started again meanwhile. No call may fail, but for a rename that a server made and was killed
# before it could say so: the client asks the next server again, which finds no such name. No server of NFS without a
# durable reply cache knows better (RFC 8881 section 2.10.6.5), and what counts is that the file is in place.
import hashlib
import os
import signal

signal.alarm(400)


def record(i):
    return f"{i:08} {hashlib.sha256(str(i).encode()).hexdigest()}\n".encode() * 7


log = os.open("records", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
i = 0
while not os.path.exists("/tmp/stop"):
    os.write(log, record(i))
    os.fsync(log)
    # A notebook is saved to another name and put in place.
    with open("saving", "wb") as file:
        file.write(record(i))
        os.fsync(file.fileno())
    try:
        os.rename("saving", f"saved-{i % 10}")
    except FileNotFoundError:
        print("renamed, and not told", i, flush=True)
    with open(f"saved-{i % 10}", "rb") as file:
        assert file.read() == record(i), f"what was saved last is not in saved-{i % 10}"
    print("safe", i, flush=True)
    i += 1

# What the client has in its cache is not what is asked for.
os.posix_fadvise(log, 0, 0, os.POSIX_FADV_DONTNEED)
size = len(record(0))
for n in range(i):
    assert os.pread(log, size, n * size) == record(n), f"record {n} of {i} is not what was written"
assert os.fstat(log).st_size == i * size, "there are more records than were written"
