#!/usr/bin/env python3
"""podman and crun doing what the agent does, in a mount namespace of their own.

Started by pods.py as `unshare --mount pod_peers.py FOLDER IMAGE`; takes lines "podman N" and
"crun N" and answers each with a line of JSON: what each of N took, in seconds.

Neither is a dependency of podium. crun, and so podman, gives up where both versions of cgroups are
mounted, so that version 2 is unmounted here; what they would leave in /run and /var is on a file
system that goes with the namespace.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

POD = """apiVersion: v1
kind: Pod
metadata: {name: peer}
spec:
  containers:
  - name: main
    image: docker.io/library/busybox:latest
    imagePullPolicy: Never
    command: [sleep, infinity]
    resources: {limits: {cpu: 500m, memory: 64Mi}}
"""
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def timed(*command):
    # Not a pipe: containers that stay would keep it open.
    with tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=errors, check=False, timeout=120)
        took = time.perf_counter() - begin
        if done.returncode != 0:
            errors.seek(0)
            raise AssertionError(f"{' '.join(map(str, command))}: {errors.read()}")
    return took


class Peers:
    def __init__(self, folder, image):
        self.folder = folder
        self.image = image
        self.infra = None
        run("mount", "--make-rprivate", "/")
        mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        points = {line.split()[4] for line in mounts if " - cgroup2 " in line}
        self.hybrid = CGROUPS.as_posix() not in points
        for point in points if self.hybrid else ():
            run("umount", point)
        for path in "/run", "/var/lib/cni", "/var/lib/containers", "/etc/cni":
            if pathlib.Path(path).exists():
                run("mount", "-t", "tmpfs", "none", path)

    def podman(self, count):
        """podman play kube until the pod runs, and its removal."""
        podman = ["podman", "--root", self.folder / "storage", "--runroot", "/run/storage",
                  "--tmpdir", "/run/libpod", "--cgroup-manager", "cgroupfs",
                  "--events-backend", "file"]
        manifest = self.folder / "peer.yaml"
        if not manifest.exists():
            run(*podman, "load", "--input", self.image)
            manifest.write_text(POD, encoding="utf-8")
            self._play(podman, manifest)  # builds its pause image
        return [self._play(podman, manifest) for _ in range(count)]

    @staticmethod
    def _play(podman, manifest):
        start = timed(*podman, "play", "kube", manifest)
        return start, timed(*podman, "pod", "rm", "--force", "--time", "0", "peer")

    def crun(self, count):
        """A container in the namespaces of a pod, as a CRI runtime calls crun."""
        bundle = self.folder / "bundle"
        if not bundle.exists():
            self._make_bundle(bundle)
        crun = ["crun", "--root", "/run/peer-crun", "--cgroup-manager", "cgroupfs"]
        samples = []
        for _ in range(count):
            start = timed(*crun, "run", "--detach", "--bundle", bundle, "peer")
            samples.append((start, timed(*crun, "delete", "--force", "peer")))
        return samples

    def _make_bundle(self, bundle):
        (bundle / "rootfs/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", bundle / "rootfs/bin/busybox")
        run("crun", "spec", cwd=bundle)
        self.infra = subprocess.Popen(["unshare", "--net", "--ipc", "--uts", "sleep", "infinity"])
        config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
        config["process"] |= {"terminal": False, "args": ["/bin/busybox", "sleep", "1000"]}
        config["linux"]["cgroupsPath"] = f"/{self.folder.name}-crun"
        own = {"network": "net", "ipc": "ipc", "uts": "uts"}
        for namespace in config["linux"]["namespaces"]:
            if namespace["type"] in own:
                namespace["path"] = f"/proc/{self.infra.pid}/ns/{own[namespace['type']]}"
        (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def close(self):
        if self.infra:
            self.infra.kill()
            self.infra.wait()
        # What podman leaves even when its last pod is gone.
        tops = [each for each, _, _ in os.walk(CGROUPS) if each.endswith("/libpod_parent")]
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass  # somebody else's


def main():
    peers = Peers(pathlib.Path(sys.argv[1]), sys.argv[2])
    try:
        for line in sys.stdin:
            name, count = line.split()
            print(json.dumps(getattr(peers, name)(int(count))), flush=True)
    finally:
        peers.close()


if __name__ == "__main__":
    main()
