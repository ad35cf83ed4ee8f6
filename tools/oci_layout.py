"""Layers and OCI archives, the same bytes each time.

A root file system comes as a tar (what mmdebstrap writes). `write_layer` turns it into one gzip
layer: entries sorted, times no newer than the epoch, without what belongs to a machine rather than
to an image, and, above a base, only what differs from it. `write_archive` puts layers and a
configuration into one tar that is an OCI layout and also what `docker save` writes, so that podium,
skopeo and docker read it.

Source: OCI image specification 1.1 (layer.md, image-layout.md).
"""

import copy
import gzip
import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"

# Of the machine that built, or made anew by whoever runs the container.
_OF_THE_MACHINE = {"etc/hostname", "etc/resolv.conf", "var/cache/ldconfig/aux-cache",
                   "var/cache/debconf/config.dat-old", "var/cache/debconf/templates.dat-old",
                   "var/lib/dpkg/status-old", "var/lib/dpkg/diversions-old",
                   "var/lib/dpkg/statoverride-old", "var/lib/dpkg/lock",
                   "var/lib/dpkg/lock-frontend", "var/lib/dpkg/triggers/Lock"}
# Folders that are in the image, with nothing but folders in them.
_EMPTY = ("dev", "proc", "sys", "run", "tmp", "var/lib/apt/lists", "var/cache/apt",
          "var/cache/man", "var/log/apt")
# Backups that passwd, group and the like leave, and logs of the build.
_BACKUPS = ("etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-",
            "etc/subgid-", "var/log/dpkg.log", "var/log/alternatives.log",
            "var/log/bootstrap.log", "var/log/faillog", "var/log/lastlog", "var/log/btmp",
            "var/log/wtmp")
_CHUNK = 1 << 20


@dataclass
class Layer:
    path: Path  # a gzip file
    digest: str
    diff_id: str
    size: int


def _name(info):
    return os.path.normpath(info.name).lstrip("/")


def _kept(name, info):
    if name in _OF_THE_MACHINE or name in _BACKUPS:
        return False
    for folder in _EMPTY:
        if name.startswith(folder + "/"):
            # /dev is made by the runtime; elsewhere packages may expect their folders.
            return info.isdir() and folder != "dev"
    return True


class _Root:
    """The entries of a root file system in a tar, by their names in the image."""

    def __init__(self, tar):
        self.tar = tar
        self.entries = {}
        for info in tar:
            name = _name(info)
            if name != "." and _kept(name, info):
                self.entries[name] = info

    def content(self, info):
        """A file's bytes, also those of a hard link."""
        if info.islnk():
            info = self.entries[os.path.normpath(info.linkname)]
        return self.tar.extractfile(info)

    def identity(self, name):
        """What has to be the same for two entries to be the same; a time is not part of it."""
        info = self.entries[name]
        digest = None
        if info.isreg() or info.islnk():
            digest = _digest_of(self.content(info))
        attributes = sorted((key, value) for key, value in info.pax_headers.items()
                            if key.startswith("SCHILY.xattr."))
        return (b"f" if info.isreg() or info.islnk() else info.type, info.mode, info.uid, info.gid,
                info.linkname if info.issym() else "", info.devmajor, info.devminor, digest,
                attributes)


def _digest_of(file):
    hasher = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def _names_of_layer(root, base):
    """What a layer above `base` has: what differs, and the folders that it stands in."""
    if base is None:
        return set(root.entries)
    names = {name for name in root.entries
             if name not in base.entries or root.identity(name) != base.identity(name)}
    for name in list(names):
        while name := os.path.dirname(name):
            if name in root.entries:
                names.add(name)
    return names


def _whiteouts(root, base):
    """Marks for what the base has and the root does not; a folder's mark covers what is in it."""
    if base is None:
        return []
    gone = base.entries.keys() - root.entries.keys()
    return [os.path.join(os.path.dirname(name), ".wh." + os.path.basename(name))
            for name in gone if os.path.dirname(name) not in gone]


def _normalised(info, name, epoch):
    result = copy.copy(info)
    result.name = name + "/" if info.isdir() else name
    result.mtime = min(int(info.mtime), epoch)
    result.uname = result.gname = ""
    result.pax_headers = {key: value for key, value in sorted(info.pax_headers.items())
                          if key.startswith("SCHILY.xattr.")}
    return result


class _Tee:
    """Writes to a gzip stream and hashes what goes through."""

    def __init__(self, out):
        self.out = out
        self.hasher = hashlib.sha256()

    def write(self, data):
        self.hasher.update(data)
        return self.out.write(data)


def _write_entries(out, root, base, epoch):
    written = set()
    entries = [(name, None) for name in _names_of_layer(root, base)]
    entries += [(name, tarfile.TarInfo(name)) for name in _whiteouts(root, base)]
    # By component, as tar sorts: a hard link comes after the file it names.
    for name, mark in sorted(entries, key=lambda entry: entry[0].split("/")):
        if mark:
            mark.mode = 0o600
            mark.mtime = epoch
            out.addfile(mark)
            continue
        source = root.entries[name]
        info = _normalised(source, name, epoch)
        # A hard link to a file of another layer would be one that a reader cannot follow.
        if info.islnk():
            target = os.path.normpath(info.linkname)
            info.linkname = target
            if target not in written:
                content = root.entries[target]
                info = _normalised(content, name, epoch)
        written.add(name)
        out.addfile(info, root.content(source) if info.isreg() else None)


def write_layer(root_tar, path, epoch, base_layer=None):
    """Writes the layer of the tar `root_tar` to `path`; `base_layer`: the one it stands on."""
    with tarfile.open(root_tar) as tar, open(path, "wb") as raw:
        root = _Root(tar)
        base = None
        if base_layer:
            # Random access into gzip would read it from the start for each file.
            unpacked = io.BytesIO(gzip.decompress(Path(base_layer.path).read_bytes()))
            base = _Root(tarfile.open(fileobj=unpacked))
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw,
                           mtime=0) as packed:
            tee = _Tee(packed)
            with tarfile.open(fileobj=tee, mode="w|", format=tarfile.PAX_FORMAT) as out:
                _write_entries(out, root, base, epoch)
    with open(path, "rb") as file:
        digest = _digest_of(file)
    return Layer(Path(path), "sha256:" + digest, "sha256:" + tee.hasher.hexdigest(),
                 os.path.getsize(path))


def _json(value):
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _descriptor(media_type, data):
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
            "size": len(data)}


def _add(tar, name, epoch, data=None, path=None):
    info = tarfile.TarInfo(name)
    info.mtime = epoch
    info.mode = 0o644
    if path:
        info.size = os.path.getsize(path)
        with open(path, "rb") as file:
            tar.addfile(info, file)
        return
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _blob(digest):
    return "blobs/" + digest.replace(":", "/")


def write_archive(path, name, tag, config, layers, epoch):
    """Writes the image NAME:TAG. `config`: an OCI image configuration without its rootfs."""
    config = dict(config, rootfs={"type": "layers", "diff_ids": [l.diff_id for l in layers]})
    config_data = _json(config)
    config_descriptor = _descriptor(CONFIG_TYPE, config_data)
    manifest = _json({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config_descriptor,
        "layers": [{"mediaType": LAYER_TYPE, "digest": l.digest, "size": l.size} for l in layers]})
    manifest_descriptor = _descriptor(MANIFEST_TYPE, manifest)
    manifest_descriptor["annotations"] = {
        "io.containerd.image.name": f"docker.io/library/{name}:{tag}",
        "org.opencontainers.image.ref.name": tag}
    manifest_descriptor["platform"] = {"architecture": config["architecture"], "os": config["os"]}
    index = _json({"schemaVersion": 2, "mediaType": INDEX_TYPE,
                   "manifests": [manifest_descriptor]})
    docker = _json([{"Config": _blob(config_descriptor["digest"]), "RepoTags": [f"{name}:{tag}"],
                     "Layers": [_blob(l.digest) for l in layers]}])
    blobs = {_blob(config_descriptor["digest"]): config_data,
             _blob(manifest_descriptor["digest"]): manifest}
    files = {_blob(layer.digest): layer.path for layer in layers}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "oci-layout", epoch, _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", epoch, index)
        _add(tar, "manifest.json", epoch, docker)
        for blob in sorted(blobs.keys() | files.keys()):
            _add(tar, blob, epoch, blobs.get(blob), files.get(blob))
    return manifest_descriptor["digest"]
