# lseek(2) with SEEK_DATA and SEEK_HOLE, and copy_file_range(2), on the server.
import errno
import os

MiB = 1 << 20
fd = os.open("holes", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
os.ftruncate(fd, 8 * MiB)
os.pwrite(fd, b"x" * MiB, 2 * MiB)
os.fsync(fd)
for what, start, want in (
    (os.SEEK_DATA, 0, 2 * MiB),
    (os.SEEK_HOLE, 0, 0),
    (os.SEEK_HOLE, 2 * MiB, 3 * MiB),
    (os.SEEK_DATA, 2 * MiB + 10, 2 * MiB + 10),
    (os.SEEK_HOLE, 5 * MiB, 5 * MiB),
):
    got = os.lseek(fd, start, what)
    name = "SEEK_DATA" if what == os.SEEK_DATA else "SEEK_HOLE"
    assert got == want, f"{name} from {start} finds {got}, want {want}"
for start, what in ((4 * MiB, "behind the last data"), (8 * MiB, "at the end")):
    try:
        got = os.lseek(fd, start, os.SEEK_DATA)
        raise AssertionError(f"SEEK_DATA {what} finds {got}")
    except OSError as e:
        assert e.errno == errno.ENXIO, f"SEEK_DATA {what}: {e}"

copy = os.open("copied", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
done = 0
while done < 3 * MiB:
    n = os.copy_file_range(fd, copy, 3 * MiB - done, MiB + done, done)
    assert n > 0, f"copy_file_range ends after {done} bytes"
    done += n
os.fsync(copy)
assert os.pread(copy, 4 * MiB, 0) == bytes(MiB) + b"x" * MiB + bytes(MiB), "copy_file_range copied other bytes"
