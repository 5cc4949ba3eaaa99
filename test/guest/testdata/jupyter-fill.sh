# Writes large files as long as the quota allows.
. ./lib.sh
cd /home/jovyan
jovyan dd if=/dev/zero of=again.csv bs=1M count=32 conv=fsync status=none
refused "a byte beyond the quota" "Disk quota exceeded" jovyan dd if=/dev/zero of=more.csv bs=1M conv=fsync
