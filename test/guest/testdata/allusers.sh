# The admin sees every home through the hub's directory, and may write where it was mounted to be written.
. ./lib.sh
cd /home/jovyan2

echo "from ada" >/home/jovyan/for-grace
same "a user's file as the admin sees it" "$(cat allusers/ada/for-grace)" "from ada"
echo "from grace" >allusers/ada/from-grace
same "the admin's file as the user sees it" "$(cat /home/jovyan/from-grace)" "from grace"
refused "writing where the hub is mounted read-only" "Read-only file system" touch allusers-ro/ada/new
same "a user's file where the hub is mounted read-only" "$(cat allusers-ro/ada/for-grace)" "from ada"
echo shared >allusers/_shared/notice
same "a shared file" "$(cat allusers-ro/_shared/notice)" shared
