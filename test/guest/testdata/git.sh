# Git: a repository made, cloned, changed, checked.
. ./lib.sh
cd "$HOME"

git init -q work
cd work
mkdir src
for i in $(busybox seq 20); do
	echo "line $i" >src/$i.txt
done
git add .
git commit -qm "First"
echo changed >>src/7.txt
same "the status after a change" "$(git status --porcelain)" " M src/7.txt"
git commit -qam "Second"
same "the status after a commit" "$(git status --porcelain)" ""
cd ..
git clone -q work clone
git clone -q --no-hardlinks work copy
same "the last commit of a clone" "$(git -C clone log -1 --format=%s)" Second
same "a file of a clone" "$(tail -n1 copy/src/7.txt)" changed
cd clone
git mv src moved
git commit -qm "Third"
git push -q origin HEAD:refs/heads/other
cd ../work
git gc -q
git fsck --strict --full || fail "git fsck finds damage"
same "a branch that was pushed" "$(git log -1 --format=%s other)" Third
