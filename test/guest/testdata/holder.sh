. ./lib.sh
cd "$HOME"
python3 -S /test/holder.py
same "what is left of the files that were held" "$(ls -A | busybox tr '\n' ' ')" "open ranges whole "
