# Writes a large file as long as the quota allows.
. ./lib.sh
cd /home/jovyan
jovyan mkdir results
refused "a byte beyond the quota" "Disk quota exceeded" jovyan dd if=/dev/zero of=results/again.csv bs=1M conv=fsync
