# Runs a command while it holds a file's lock, and ends with the command's exit code.
import fcntl
import subprocess
import sys

kind, path, *command = sys.argv[1:]
with open(path, "r+b") as file:
    getattr(fcntl, kind)(file, fcntl.LOCK_EX)
    sys.exit(subprocess.run(command, timeout=60).returncode)
