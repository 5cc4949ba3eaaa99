# Installs packages in a home that is at its quota: small files, until they are refused. Then it waits for what is left of the
# reserve: it is given out in parts, one a minute.
. ./lib.sh
cd /home/jovyan
mkdir packages
i=0
while said=$( (echo module >packages/$i) 2>&1); do
	i=$((i + 1))
done
case $said in
*"Disk quota exceeded"*) ;;
*) fail "after $i files of packages it says '$said'" ;;
esac
[ $i -ge 64 ] && [ $i -lt 1024 ] || fail "there are $i files of packages"

tries=0
until touch packages/again 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || fail "minutes later there is no more of the reserve"
	sleep 0.5
done
