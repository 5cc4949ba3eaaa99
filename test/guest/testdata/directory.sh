# A directory of 10,000 entries.
. ./lib.sh
python3 -S directory.py 10000 "$HOME/many"
