# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.


def hubhome_admin_mounts(c):
    """Mounts custom.singleuserAdmin.extraVolumeMounts into the servers of admins, and of nobody else.

    Zero to JupyterHub has mounts for everybody. These are added by KubeSpawner.modify_pod_hook, after a hook that
    is there already. Who is an admin the hub's database says when the server starts, and nothing that a user can
    send. A mistake in the mounts keeps admins from starting a server, with an error that names it, and nobody else.

    All names are in this function: the code of hub.extraConfig shares one namespace with other such code.
    """
    import posixpath

    from jupyterhub.utils import maybe_future
    from kubernetes_asyncio.client.models import V1VolumeMount
    from kubespawner.utils import get_k8s_model
    from z2jh import get_config

    setting = "custom.singleuserAdmin.extraVolumeMounts"
    before = c.KubeSpawner.get("modify_pod_hook")

    def entries():
        """The configured mounts in the order of their keys, each after where it is. A null switches a key off."""
        mounts = get_config(setting) or {}
        if isinstance(mounts, dict):
            return [(f"{setting}.{key}", mount) for key, mount in sorted(mounts.items()) if mount is not None]
        if isinstance(mounts, list):
            return [(f"{setting}[{i}]", mount) for i, mount in enumerate(mounts)]
        raise ValueError(f"{setting} has to be a mapping of names to mounts, and is {mounts!r}")

    def model(spawner, entry):
        """One mount, with {username} and the like filled in, as KubeSpawner has done for all others."""
        if not isinstance(entry, dict):
            raise ValueError(f"it has to be a volume mount with a name and a mountPath, and is {entry!r}")
        mount = get_k8s_model(V1VolumeMount, spawner._expand_all(entry))
        if not mount.name or not mount.mount_path:
            raise ValueError("it has to have a name and a mountPath")
        return mount

    def path(mount):
        return posixpath.normpath(mount.mount_path)

    def add(spawner, pod):
        container = next((each for each in pod.spec.containers if each.name == "notebook"), None)
        if container is None:
            raise ValueError(f"{setting}: the pod has no container notebook to mount them in")
        volumes = {volume.name for volume in pod.spec.volumes or []}
        mounts = {path(mount): mount for mount in container.volume_mounts or []}
        for where, entry in entries():
            try:
                mount = model(spawner, entry)
                if mount.name not in volumes:
                    raise ValueError(f"the pod has no volume {mount.name}, but {sorted(volumes)}")
            except Exception as error:
                raise ValueError(f"{where}: {error}") from error
            # A path can be mounted once: what admins get there is instead of what everybody gets.
            mounts[path(mount)] = mount
        container.volume_mounts = list(mounts.values())

    async def modify_pod_hook(spawner, pod):
        if callable(before):
            pod = await maybe_future(before(spawner, pod))
        if spawner.user.admin:
            add(spawner, pod)
        return pod

    c.KubeSpawner.modify_pod_hook = modify_pod_hook


hubhome_admin_mounts(c)  # noqa: F821
