# A file written through memory, and read back by another process from the server.
. ./lib.sh
jovyan python3 -S mmap-file.py write "$HOME/mapped"
echo 3 >/proc/sys/vm/drop_caches
jovyan python3 -S mmap-file.py read "$HOME/mapped"
