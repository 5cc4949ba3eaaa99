# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.
"""Stands in for KubeSpawner, which Debian does not have: a JupyterHub spawner with what a pod hook meets of it.

It knows the template variables {username}, {escaped_username} and {servername} in the escape scheme, and makes a Pod of
volumes and mounts alone.
"""

import string

import escapism
from jupyterhub.spawner import Spawner
from jupyterhub.traitlets import Callable
from kubernetes.client import models
from traitlets import Dict, List, Union


def get_k8s_model(model, fields):
    """Returns a model of Kubernetes from a mapping with the API's names of its fields."""
    names = {api: python for python, api in model.attribute_map.items()}
    for name in fields:
        if name not in names:
            raise ValueError(f"{model.__name__} has no field {name}")
    return model(**{names[name]: value for name, value in fields.items()})


class KubeSpawner(Spawner):
    volumes = Union([List(), Dict()], config=True)
    volume_mounts = Union([List(), Dict()], config=True)
    modify_pod_hook = Callable(None, allow_none=True, config=True)

    def _escape(self, name):
        return escapism.escape(name, safe=set(string.ascii_lowercase + string.digits), escape_char="-").lower()

    def _expand_all(self, value):
        if isinstance(value, list):
            return [self._expand_all(each) for each in value]
        if isinstance(value, dict):
            return {key: self._expand_all(each) for key, each in value.items()}
        if isinstance(value, str):
            name = self._escape(self.user.name)
            return value.format(username=name, escaped_username=name, servername=self._escape(self.name))
        return value

    def _models(self, model, value):
        values = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
        return [get_k8s_model(model, self._expand_all(each)) for each in values]

    async def load_user_options(self):
        """The options of the user that KubeSpawner knows choose a profile, and here are none."""

    async def start(self):
        raise NotImplementedError("there is no cluster to start a server in")

    stop = poll = start

    async def get_pod_manifest(self):
        notebook = models.V1Container(name="notebook", volume_mounts=self._models(models.V1VolumeMount, self.volume_mounts))
        return models.V1Pod(
            metadata=models.V1ObjectMeta(name="jupyter-" + self._escape(self.user.name)),
            spec=models.V1PodSpec(containers=[notebook], volumes=self._models(models.V1Volume, self.volumes)),
        )
