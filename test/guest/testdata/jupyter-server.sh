# jupyter-server.sh OPTION…: a user's Jupyter server, with what it makes in the home where it does by default: below HOME.
. ./lib.sh
cd /home/jovyan
echo $$ >/tmp/jupyter.pid
exec setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/jovyan SHELL=/bin/sh \
	jupyter-notebook --no-browser --ip=127.0.0.1 --port=8888 --NotebookApp.token=secret "$@"
