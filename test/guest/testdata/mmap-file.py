# Writes a pattern into a file through a shared mapping, or reads it back.
import mmap
import os
import sys

what, path = sys.argv[1:]
size = 1 << 20
pattern = b"".join(i.to_bytes(8, "big") for i in range(size // 8))
if what == "write":
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    os.ftruncate(fd, size)
    with mmap.mmap(fd, size) as memory:
        memory[:] = pattern
        memory.flush()
        # What is written with write(2) is seen in the mapping, and the other way round.
        os.pwrite(fd, b"by write", 4096)
        assert memory[4096:4104] == b"by write", "a mapping does not see what was written"
        memory[8192:8199] = b"by mmap"
        assert os.pread(fd, 7, 8192) == b"by mmap", "a read does not see what was mapped"
    os.close(fd)
else:
    pattern = pattern[:4096] + b"by write" + pattern[4104:8192] + b"by mmap" + pattern[8199:]
    with open(path, "rb") as file:
        # What the client has in its cache is not what is asked for.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as memory:
        assert memory[:] == pattern, "the mapping has other bytes than were written through one"
        assert file.read() == pattern, "the file has other bytes than were written through a mapping"
