# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.
"""The code that gives admins their mounts, in a hub with users and servers: hub.py says what of it is real."""

import pathlib
import sys
import types
import unittest

import hub
from kubernetes.client import models
from traitlets.config import Config

PATH = pathlib.Path(__file__).parents[3] / "charts/homes/files/hub/admin_mounts.py"
CODE = compile(PATH.read_text(), PATH, "exec")

# What everybody has, as the values for z2jh make it.
VOLUMES = {"home": {"name": "home", "persistentVolumeClaim": {"claimName": "home-nfs"}}}
MOUNTS = {
    "home": {"name": "home", "mountPath": "/home/jovyan", "subPath": "{escaped_username}"},
    "002-shared": {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared", "readOnly": True},
}
EVERYBODY = [("/home/jovyan/shared", "_shared", True), ("/home/jovyan", "ada-2el", None)]
READWRITE = {"name": "home", "mountPath": "/home/jovyan/shared-readwrite", "subPath": "_shared"}
ALLUSERS = {"name": "home", "mountPath": "/home/jovyan/allusers", "readOnly": True}


def config(mounts, hook=None, **more):
    """The configuration of a hub that ran the code, with the mounts that admins get and a hook that was there before."""
    c = Config()
    c.KubeSpawner.volumes = VOLUMES
    c.KubeSpawner.volume_mounts = MOUNTS
    if hook is not None:
        c.KubeSpawner.modify_pod_hook = hook
    c.KubeSpawner.update(more)
    run(c, mounts)
    return c


def run(c, mounts):
    """Runs the code as z2jh runs hub.extraConfig, beside z2jh's own module for the values."""
    values = {"custom.singleuserAdmin.extraVolumeMounts": mounts}
    z2jh = types.ModuleType("z2jh")
    z2jh.get_config = lambda key, default=None: values.get(key, default)
    sys.modules["z2jh"] = z2jh
    exec(CODE, {"c": c})


def mounts(pod, name="notebook"):
    """The mounts of a container as (path, subPath, readOnly)."""
    container = next(each for each in pod.spec.containers if each.name == name)
    return [(m.mount_path, m.sub_path, m.read_only) for m in container.volume_mounts]


class AdminMounts(unittest.TestCase):
    def admin(self, c, **how):
        h = hub.Hub(c)
        return h.pod(h.user("ada.l", admin=True), **how)

    def other(self, c, **how):
        h = hub.Hub(c)
        return h.pod(h.user("ada.l"), **how)

    def test_admin(self):
        pod = self.admin(config({"2": ALLUSERS, "1": READWRITE}))
        self.assertEqual(
            mounts(pod),
            EVERYBODY + [("/home/jovyan/shared-readwrite", "_shared", None), ("/home/jovyan/allusers", None, True)],
        )
        self.assertTrue(all(isinstance(m, models.V1VolumeMount) for m in pod.spec.containers[0].volume_mounts))

    def test_other(self):
        self.assertEqual(mounts(self.other(config({"1": READWRITE, "2": ALLUSERS}))), EVERYBODY)

    def test_list(self):
        self.assertEqual(
            mounts(self.admin(config([ALLUSERS, READWRITE])))[2:],
            [("/home/jovyan/allusers", None, True), ("/home/jovyan/shared-readwrite", "_shared", None)],
        )

    def test_nothing_configured(self):
        for nothing in (None, {}, [], {"1": None}):
            with self.subTest(nothing):
                self.assertEqual(mounts(self.admin(config(nothing))), EVERYBODY)

    def test_template_variables(self):
        mount = {"name": "home", "mountPath": "/mnt/{username}", "subPath": "{escaped_username}"}
        self.assertEqual(mounts(self.admin(config({"1": mount})))[2][1], "ada-2el")

    def test_named_servers(self):
        mount = {"name": "home", "mountPath": "/mnt", "subPath": "{escaped_username}/{servername}"}
        h = hub.Hub(config({"1": mount, "2": ALLUSERS}))
        user = h.user("ada.l", admin=True)
        # Either server of the user has its own, one after the other.
        self.assertEqual(mounts(h.pod(user, server="gpu"))[2:], [("/mnt", "ada-2el/gpu", None), ("/home/jovyan/allusers", None, True)])
        self.assertEqual(mounts(h.pod(user, server="cpu"))[2:], [("/mnt", "ada-2el/cpu", None), ("/home/jovyan/allusers", None, True)])
        self.assertEqual(mounts(h.pod(h.user("bob"), server="gpu"))[2:], [])

    def test_started_again(self):
        """A spawner is kept from one start of the server to the next."""
        once, again = (mounts(self.admin(config({"1": ALLUSERS}), times=n)) for n in (1, 3))
        self.assertEqual(once, again)

    def test_same_path(self):
        """Kubernetes refuses a pod that has a path twice; a slash at the end makes no other path."""
        mine = {"name": "home", "mountPath": "/home/jovyan/shared/", "subPath": "_shared"}
        self.assertEqual(mounts(self.admin(config({"1": mine}))), [("/home/jovyan/shared/", "_shared", None), EVERYBODY[1]])

    def test_code_twice(self):
        """The same code under two keys of hub.extraConfig, as after a copy, mounts nothing twice."""
        c = config({"1": ALLUSERS})
        run(c, {"1": ALLUSERS})
        self.assertEqual(len(mounts(self.admin(c))), 3)

    def test_hook_before(self):
        def sync(spawner, pod):
            pod.metadata.labels = {"user": spawner.user.name}
            return pod

        async def coroutine(spawner, pod):
            return sync(spawner, pod)

        for hook in (sync, coroutine):
            for start in (self.admin, self.other):
                with self.subTest(f"{hook.__name__} {start.__name__}"):
                    self.assertEqual(start(config({"1": ALLUSERS}, hook)).metadata.labels, {"user": "ada.l"})
        self.assertEqual(len(mounts(self.admin(config({"1": ALLUSERS}, coroutine)))), 3)

    def test_hook_before_returns_another_pod(self):
        def hook(spawner, pod):
            other = models.V1Container(name="sidecar", volume_mounts=[])
            notebook = models.V1Container(name="notebook")
            return models.V1Pod(spec=models.V1PodSpec(containers=[other, notebook], volumes=pod.spec.volumes))

        pod = self.admin(config({"1": ALLUSERS}, hook))
        self.assertEqual(mounts(pod), [("/home/jovyan/allusers", None, True)])
        self.assertEqual(mounts(pod, "sidecar"), [])

    def test_hook_that_was_only_read(self):
        """Reading a setting that is not there leaves something in traitlets' configuration that is no hook."""
        c = Config()
        c.KubeSpawner.volumes, c.KubeSpawner.volume_mounts = VOLUMES, MOUNTS
        c.KubeSpawner.modify_pod_hook
        run(c, {"1": ALLUSERS})
        self.assertEqual(len(mounts(self.admin(c))), 3)

    def test_hook_before_that_fails(self):
        def hook(spawner, pod):
            raise RuntimeError("no pods today")

        with self.assertRaisesRegex(RuntimeError, "no pods today"):
            self.admin(config({"1": ALLUSERS}, hook))

    def test_user_options_make_no_admin(self):
        options = {
            "admin": True,
            "user": {"admin": True},
            "custom": {"singleuserAdmin": {}},
            "modify_pod_hook": "",
            "extraVolumeMounts": [ALLUSERS],
        }
        self.assertEqual(mounts(self.other(config({"1": ALLUSERS}), options=options)), EVERYBODY)

    def test_admin_no_more(self):
        """Who is no admin any more gets none of it at the next start."""
        h = hub.Hub(config({"1": ALLUSERS}))
        user = h.user("ada.l", admin=True)
        self.assertEqual(len(mounts(h.pod(user))), 3)
        user.admin = False
        self.assertEqual(mounts(h.pod(user)), EVERYBODY)

    def test_mistakes(self):
        """A mistake names its place, and stops nobody but admins."""
        setting = "custom.singleuserAdmin.extraVolumeMounts"
        for wrong, message in (
            ("home", f"{setting} has to be a mapping"),
            ({"a": "home"}, f"{setting}.a: it has to be a volume mount"),
            (["home"], rf"{setting}\[0\]: it has to be a volume mount"),
            ({"a": {"name": "home"}}, rf"{setting}.a: .*(mount_path|mountPath)"),
            ({"a": {"mountPath": "/x"}}, f"{setting}.a: .*name"),
            ({"a": {"name": "home", "mountpath": "/x"}}, f"{setting}.a: .*mountpath"),
            ({"a": {"name": "scratch", "mountPath": "/x"}}, rf"{setting}.a: the pod has no volume scratch, but \['home'\]"),
            ({"a": {"name": "home", "mountPath": "/x", "subPath": "{usrname}"}}, f"{setting}.a: .*usrname"),
        ):
            with self.subTest(wrong):
                with self.assertRaisesRegex(ValueError, message):
                    self.admin(config(wrong))
                self.assertEqual(mounts(self.other(config(wrong))), EVERYBODY)

    def test_no_notebook(self):
        def hook(spawner, pod):
            pod.spec.containers[0].name = "main"
            return pod

        with self.assertRaisesRegex(ValueError, "no container notebook"):
            self.admin(config({"1": ALLUSERS}, hook))
        self.assertEqual(mounts(self.other(config({"1": ALLUSERS}, hook)), "main"), EVERYBODY)

    @unittest.skipUnless(hub.SOURCE, "KUBESPAWNER_SRC names no checkout of KubeSpawner, and the stand-in has no profiles")
    def test_profile(self):
        """A profile that replaces everybody's mounts leaves admins theirs, and a user who asks for what no profile offers gets nothing."""
        profiles = [{"display_name": "Small", "slug": "small", "kubespawner_override": {"volume_mounts": [MOUNTS["home"]]}}]
        c = config({"1": ALLUSERS}, profile_list=profiles)
        self.assertEqual(mounts(self.admin(c, options={"profile": "small"})), [EVERYBODY[1], ("/home/jovyan/allusers", None, True)])
        self.assertEqual(mounts(self.other(c, options={"profile": "small"})), [EVERYBODY[1]])

    @unittest.skipUnless(hub.SOURCE, "KUBESPAWNER_SRC names no checkout of KubeSpawner, and the stand-in has one scheme of names")
    def test_schemes(self):
        """What is filled in is KubeSpawner's own, in both of its schemes."""
        mount = {"name": "home", "mountPath": "/mnt", "subPath": "{username}/{safe_username}/{escaped_username}"}
        for scheme, want in (("safe", "ada-l---"), ("escape", "ada-2el/")):
            with self.subTest(scheme):
                sub_path = mounts(self.admin(config({"1": mount}, slug_scheme=scheme)))[2][1]
                self.assertTrue(sub_path.startswith(want), sub_path)
                self.assertTrue(sub_path.endswith("/ada-2el"), sub_path)


if __name__ == "__main__":
    unittest.main()
