# A home that another server has left on the disk, with a project id that all in it inherits: XFS moves and links nothing
# into its directories that has another. Its user notices nothing of that.
. ./lib.sh
cd /mnt/staging/eve

same "a file that was there" "$(cat thesis/chapter1.txt)" "It was a dark night."
same "a link that was there" "$(readlink latest)" thesis/chapter1.txt
jovyan mkdir -p new/deep thesis/new
jovyan chmod 700 new/deep
jovyan mkdir -m 2750 new/group
jovyan ln -s ../thesis new/link
jovyan mkfifo new/pipe
jovyan sh -c 'echo more >>thesis/chapter1.txt; echo two >thesis/chapter2.txt; echo three >new/chapter3.txt'
jovyan mv thesis/chapter2.txt new/deep/chapter2.txt
jovyan mv new/chapter3.txt thesis/new/chapter3.txt
jovyan ln thesis/chapter1.txt new/deep/again
jovyan mv new/deep thesis/deep
jovyan mv latest new/latest
jovyan mv new/link new/pipe thesis/
same "a file that was moved" "$(cat thesis/deep/chapter2.txt)" two
same "a file of two names" "$(stat -c %h thesis/chapter1.txt)" 2
cd /tmp
jovyan git init -q /mnt/staging/eve/work
cd /mnt/staging/eve/work
jovyan sh -c 'echo one >file; git add .; git commit -qm First; git gc -q'
jovyan git clone -q . ../clone
same "a commit in a clone" "$(jovyan git -C ../clone log --format=%s)" First
jovyan cp -a ../thesis ../copy
jovyan rm -r ../copy/deep ../clone
[ ! -e ../copy/deep ] || fail "rm -r left its directory"
