. ./lib.sh
cd "$HOME"
exec python3 -S /test/writer.py
