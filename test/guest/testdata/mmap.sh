# A file written through memory, and read back by another process from the server.
. ./lib.sh
python3 -S mmap-file.py write "$HOME/mapped"
python3 -S mmap-file.py read "$HOME/mapped"
