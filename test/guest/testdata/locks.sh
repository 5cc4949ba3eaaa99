# Locks between two processes: of whole files (flock) and of ranges (fcntl).
. ./lib.sh
cd "$HOME"
python3 -S /test/locks.py flock
python3 -S /test/locks.py fcntl
