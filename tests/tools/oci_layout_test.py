"""Layers and archives of tools/oci_layout.py: what is in them, and that they are the same twice."""

import gzip
import hashlib
import io
import json
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from oci_layout import write_archive, write_layer

EPOCH = 1_700_000_000


def entry(name, kind=tarfile.REGTYPE, link="", mode=0o644, mtime=EPOCH - 5, **more):
    info = tarfile.TarInfo("./" + name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, mode, mtime
    for key, value in more.items():
        setattr(info, key, value)
    return info


def folder(name, **more):
    return (entry(name, tarfile.DIRTYPE, **{"mode": 0o755, **more}), None)


def file(name, text, **more):
    return (entry(name, **more), text.encode())


def hard_link(name, target):
    return (entry(name, tarfile.LNKTYPE, "./" + target), None)


class LayerTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def layer(self, name, entries, base=None):
        path = self.folder / f"{name}.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for info, data in entries:
                if data is not None:
                    info.size = len(data)
                tar.addfile(info, io.BytesIO(data) if data is not None else None)
        return write_layer(path, self.folder / f"{name}.gz", EPOCH, base)

    def read(self, layer):
        data = gzip.decompress(layer.path.read_bytes())
        self.assertEqual("sha256:" + hashlib.sha256(data).hexdigest(), layer.diff_id)
        self.assertEqual("sha256:" + hashlib.sha256(layer.path.read_bytes()).hexdigest(),
                         layer.digest)
        tar = tarfile.open(fileobj=io.BytesIO(data))
        return tar, {info.name: info for info in tar}

    def test_sorted_and_clamped_whatever_the_order(self):
        entries = [folder("a"), file("a-b", "1", mtime=EPOCH + 99), file("a/c", "2")]
        first = self.layer("first", entries)
        second = self.layer("second", reversed(entries))
        self.assertEqual(first.digest, second.digest)
        _, read = self.read(first)
        self.assertEqual(list(read), ["a", "a/c", "a-b"])
        self.assertEqual(read["a-b"].mtime, EPOCH)
        self.assertEqual(read["a/c"].mtime, EPOCH - 5)

    def test_leaves_out_what_is_the_machines(self):
        _, read = self.read(self.layer("l", [
            folder("dev"), (entry("dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3), None),
            folder("etc"), file("etc/hostname", "here"), file("etc/resolv.conf", "x"),
            file("etc/passwd", "root"), file("etc/passwd-", "old"), folder("run"),
            folder("run/lock"), file("run/lock/x", ""), file("var/lib/apt/lists/lock", "")]))
        self.assertEqual(set(read), {"dev", "etc", "etc/passwd", "run", "run/lock"})

    def test_above_a_base_only_what_differs(self):
        base = self.layer("base", [
            folder("etc"), file("etc/same", "1"), file("etc/changed", "1"),
            file("etc/mode", "1"), folder("gone"), file("gone/x", ""), file("etc/away", ""),
            folder("untouched"), file("untouched/x", "1")])
        _, read = self.read(self.layer("top", [
            folder("etc"), file("etc/same", "1", mtime=5), file("etc/changed", "2"),
            file("etc/mode", "1", mode=0o600), folder("new"), file("new/file", "3"),
            folder("untouched"), file("untouched/x", "1")], base))
        self.assertEqual(set(read), {"etc", "etc/changed", "etc/mode", "new", "new/file",
                                     ".wh.gone", "etc/.wh.away"})

    def test_a_hard_link_never_leads_out_of_its_layer(self):
        base = self.layer("base", [file("a", "text"), hard_link("b", "a")])
        _, read = self.read(base)
        self.assertTrue(read["b"].islnk())
        self.assertEqual(read["b"].linkname, "a")
        top = self.layer("top", [file("a", "text"), hard_link("b", "a"), hard_link("c", "a")],
                         base)
        tar, read = self.read(top)
        self.assertEqual(set(read), {"c"})
        self.assertEqual(tar.extractfile("c").read(), b"text")

    def test_keeps_capabilities(self):
        ping = entry("ping")
        ping.pax_headers = {"SCHILY.xattr.security.capability": "cap", "mtime": "1.5"}
        _, read = self.read(self.layer("l", [(ping, b"")]))
        self.assertEqual(read["ping"].pax_headers, {"SCHILY.xattr.security.capability": "cap"})

    def test_archive_is_an_oci_layout_and_a_docker_archive(self):
        layer = self.layer("l", [file("a", "text")])
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]}}
        first, second = self.folder / "one.tar", self.folder / "two.tar"
        digest = write_archive(first, "name", "v1", config, [layer], EPOCH)
        write_archive(second, "name", "v1", config, [layer], EPOCH)
        self.assertEqual(first.read_bytes(), second.read_bytes())
        with tarfile.open(first) as tar:
            files = {info.name: tar.extractfile(info).read() for info in tar}
        for name, data in files.items():
            if name.startswith("blobs/"):
                self.assertEqual(name, "blobs/sha256/" + hashlib.sha256(data).hexdigest())
        self.assertEqual(json.loads(files["oci-layout"]), {"imageLayoutVersion": "1.0.0"})
        index = json.loads(files["index.json"])["manifests"][0]
        self.assertEqual(index["digest"], digest)
        manifest = json.loads(files["blobs/" + digest.replace(":", "/")])
        self.assertEqual(manifest["layers"][0]["digest"], layer.digest)
        [docker] = json.loads(files["manifest.json"])
        self.assertEqual(docker["RepoTags"], ["name:v1"])
        self.assertEqual(docker["Config"], "blobs/" + manifest["config"]["digest"].replace(":", "/"))
        self.assertEqual(json.loads(files[docker["Config"]])["rootfs"]["diff_ids"], [layer.diff_id])


if __name__ == "__main__":
    unittest.main()
