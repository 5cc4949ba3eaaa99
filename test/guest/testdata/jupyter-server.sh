# jupyter-server.sh notebook|server: a user's Jupyter server, the classic one or JupyterLab's, with what it makes in the home
# where it does by default: below HOME.
. ./lib.sh
cd /home/jovyan
echo $$ >/tmp/jupyter.pid
case $1 in
notebook) app=NotebookApp ;;
server) app=ServerApp ;;
esac
exec setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/jovyan SHELL=/bin/sh \
	"jupyter-$1" --no-browser --ip=127.0.0.1 --port=8888 "--$app.token=secret"
