# A large directory.
. ./lib.sh
python3 -S directory.py "$ENTRIES" "$HOME/many"
