# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.
"""Prints the Pods of an admin and of a user, as JSON, of a hub with Zero to JupyterHub's own configuration code.

HUB_ETC is a directory with what its chart mounts in the hub's container below /usr/local/etc/jupyterhub: secret/, the values,
and config/, in which the code is too. KUBESPAWNER_SRC is a checkout of KubeSpawner: there is no use in a stand-in here.
"""

import builtins
import json
import os
import pathlib
import sys

import hub
from kubernetes.client import ApiClient
from traitlets.config import Config

# The code reads these paths, and here they are somewhere else.
ETC = "/usr/local/etc/jupyterhub/"


def elsewhere(function):
    def moved(path, *args, **kwargs):
        if str(path).startswith(ETC):
            path = os.path.join(os.environ["HUB_ETC"], str(path)[len(ETC) :])
        return function(path, *args, **kwargs)

    return moved


builtins.open = elsewhere(open)
os.path.exists = elsewhere(os.path.exists)
# Kubernetes' variables for the Services that the code asks for.
os.environ.update(PROXY_API_SERVICE_PORT="8001", HUB_SERVICE_PORT="8081", POD_NAMESPACE="hubs")

path = pathlib.Path(os.environ["HUB_ETC"]) / "config/jupyterhub_config.py"
c = Config()
stdout, sys.stdout = sys.stdout, sys.stderr
exec(compile(path.read_text(), path, "exec"), {"__file__": str(path), "get_config": lambda: c, "c": c})
h = hub.Hub(c)
pods = {name: h.pod(h.user(name, admin=name == "ada.l")) for name in ("ada.l", "bob")}
json.dump(ApiClient().sanitize_for_serialization(pods), stdout)
