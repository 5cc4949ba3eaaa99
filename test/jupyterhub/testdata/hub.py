# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.
"""A hub as far as it takes to make a user's Pod: JupyterHub's own users and spawners, on a database in memory.

What is real: JupyterHub, from Debian; the models of Kubernetes' objects, from Debian's python3-kubernetes; and KubeSpawner
where KUBESPAWNER_SRC names a checkout of it.

What stands in: without KUBESPAWNER_SRC, the little of KubeSpawner that pod hooks meet (`StandIn`). With it, the module
kubernetes_asyncio, which Debian does not have, is Debian's kubernetes: both are generated from the same description of
Kubernetes' API, and nothing here calls a cluster.
"""

import asyncio
import importlib.util
import logging
import os
import sys
import types

import kubernetes
import kubernetes.client
from jupyterhub import orm
from jupyterhub.user import User
from jupyterhub.utils import maybe_future
from traitlets.config import Config

logging.disable(logging.WARNING)

if importlib.util.find_spec("kubernetes_asyncio") is None:
    for name, module in list(sys.modules.items()):
        if name == "kubernetes" or name.startswith("kubernetes."):
            sys.modules["kubernetes_asyncio" + name[len("kubernetes") :]] = module

SOURCE = os.environ.get("KUBESPAWNER_SRC")
if SOURCE:
    sys.path.insert(0, SOURCE)
    import kubespawner.spawner
    from kubespawner import KubeSpawner

    # There is no cluster.
    kubespawner.spawner.load_config = lambda **_: None
    kubespawner.spawner.shared_client = lambda *_, **__: None
else:
    import standin

    KubeSpawner = standin.KubeSpawner
    sys.modules["kubespawner"] = types.ModuleType("kubespawner")
    sys.modules["kubespawner.utils"] = types.ModuleType("kubespawner.utils")
    sys.modules["kubespawner"].KubeSpawner = KubeSpawner
    sys.modules["kubespawner.utils"].get_k8s_model = standin.get_k8s_model


class _Hub:
    """What a spawner asks of its hub: addresses."""

    public_host = ""
    url = base_url = "/hub/"
    api_url = "http://hub:8081/hub/api"


class Hub:
    """A hub with one configuration."""

    def __init__(self, config=None):
        self.config = Config() if config is None else config
        self._db = orm.new_session_factory("sqlite:///:memory:")()

    def user(self, name, admin=False):
        """Returns a user, who is made where there is none."""
        row = orm.User.find(self._db, name)
        if row is None:
            row = orm.User(name=name, admin=admin)
            self._db.add(row)
            self._db.commit()
        settings = {"config": self.config, "spawner_class": KubeSpawner, "hub": _Hub(), "allow_named_servers": True}
        return User(row, settings)

    def pod(self, user, server="", options=None, times=1):
        """Returns the Pod of a user's server, as KubeSpawner hands it to Kubernetes. The user's options are those of a form."""

        async def make():
            spawner = user.spawners[server]
            spawner.user_options = options or {}
            spawner.orm_spawner.server = orm.Server(proto="http", ip="", port=8888, base_url="/", cookie_name="")
            await spawner.load_user_options()
            for _ in range(times):
                pod = await spawner.get_pod_manifest()
                # As in KubeSpawner._start.
                if spawner.modify_pod_hook:
                    pod = await maybe_future(spawner.modify_pod_hook(spawner, pod))
            return pod

        return asyncio.run(make())
