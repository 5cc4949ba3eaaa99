# Makes a home that is at its quota, of inodes and of bytes.
. ./lib.sh
cd /home/jovyan
jovyan python3 -S /test/jupyter-home.py
refused "a byte beyond the quota" "Disk quota exceeded" jovyan dd if=/dev/zero of=results.csv bs=1M conv=notrunc,fsync
