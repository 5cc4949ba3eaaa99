# Makes an archive of small files in 60 directories.
import io
import sys
import tarfile

count, path = int(sys.argv[1]), sys.argv[2]
with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
    for d in range(60):
        info = tarfile.TarInfo(f"{d:02}")
        info.type, info.mode, info.mtime, info.uid, info.gid = tarfile.DIRTYPE, 0o755, 1_700_000_000, 1000, 1000
        archive.addfile(info)
    for i in range(count):
        text = (f"file {i}\n" * (i % 200 + 1)).encode()
        info = tarfile.TarInfo(f"{i % 60:02}/{i}.txt")
        info.size, info.mode, info.mtime, info.uid, info.gid = len(text), 0o640, 1_700_000_000 + i, 1000, 1000
        archive.addfile(info, io.BytesIO(text))
