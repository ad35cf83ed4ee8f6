#!/usr/bin/env python3
"""Builds the images of images/ from Debian packages with mmdebstrap.

    tools/build_images.py [--list] [--on-request] [--force] [NAME...]

Without names: all but those that are built on request only; --on-request adds these. Each image
NAME becomes NAME.tar in the cache folder (PODIUM_IMAGE_CACHE, or build/images), an archive that is
an OCI layout and what `docker save` writes; its path is printed. An image is built again when its
recipe, this tool, the version of any package in it or the program in it has changed.
images/README.md describes recipes.
"""

import argparse
import datetime
import email.utils
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oci_layout import Layer, write_archive, write_layer

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "images"
# Where programs of images come from that are built here.
BUILD = Path(os.environ.get("PODIUM_BUILD_DIR") or ROOT / "build/release").absolute()
CACHE = Path(os.environ.get("PODIUM_IMAGE_CACHE") or ROOT / "build/images").absolute()
# Tools whose change changes what they make.
TOOLS = [Path(__file__).resolve(), ROOT / "tools/oci_layout.py"]
# Read by nobody in a container. Licences stay, and the folders of manuals, into which some packages
# put links.
EXCLUDED = ["path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
            "path-exclude=/usr/share/man/*/*", "path-exclude=/usr/share/info/*",
            "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/lintian/*",
            "path-exclude=/usr/share/linda/*", "path-exclude=/usr/share/bug/*"]
APT_OPTIONS = ['Acquire::Languages "none"', "APT::Install-Recommends false"]
# Architectures that Debian and OCI (which has Go's names) call differently.
GO_NAMES = {"armhf": "arm", "i386": "386", "mips64el": "mips64le", "ppc64el": "ppc64le"}
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"


class Failure(Exception):
    """What is wrong, in words for whoever ran the script."""


class Outdated(Failure):
    """The same, when apt's lists may be older than the archive."""


def run(command, **options):
    return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)


class Recipe:
    """images/NAME: image.toml, and perhaps a script `post` and a folder `files`."""

    KEYS = {"from", "packages", "program", "variant", "on-request", "config"}

    def __init__(self, name):
        self.name = name
        self.folder = RECIPES / name
        try:
            self.text = (self.folder / "image.toml").read_text()
        except OSError as error:
            known = ", ".join(recipe_names())
            raise Failure(f"there is no recipe {name}; recipes: {known}") from error
        table = tomllib.loads(self.text)
        if unknown := table.keys() - self.KEYS:
            raise Failure(f"images/{name}/image.toml: unknown key {sorted(unknown)[0]}")
        self.base = table.get("from")
        self.packages = table.get("packages", [])
        self.program = BUILD / table["program"] if "program" in table else None
        self.variant = table.get("variant", "custom")
        self.on_request = table.get("on-request", False)
        self.config = table.get("config", {})

    def files(self):
        """All files of the recipe, in order."""
        return sorted(path for path in self.folder.rglob("*")
                      if path.is_file() or path.is_symlink())


def recipe_names():
    return sorted(path.parent.name for path in RECIPES.glob("*/image.toml"))


class Apt:
    """The machine's own Debian sources, and what they have."""

    FORMAT = "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(FILENAME)"

    def __init__(self):
        if not self._read_sources():
            self.update()
            if not self._read_sources():
                raise Failure("apt has no Debian sources; images are built from Debian's packages "
                              "alone, so add them to /etc/apt/sources.list")

    def _read_sources(self):
        listing = run(["apt-get", "indextargets", "--format", self.FORMAT,
                       "Created-By: Packages"]).stdout
        self.sources, self.suite, self.date = [], "", 0
        for line in listing.splitlines():
            origin, label, uri, release, codename, component, path = line.split("|")
            if origin != "Debian" or component != "main" or not os.path.exists(path):
                continue
            self.sources.append(f"deb {uri} {release} {component}")
            if label == "Debian" and not codename.endswith("-updates"):
                self.suite = codename
                self.date = _release_date(path, component)
        return self.suite

    @staticmethod
    def update():
        if os.geteuid() != 0:
            raise Failure("apt's lists are missing or old; run apt-get update as root")
        print("updating apt's lists", file=sys.stderr)
        result = run(["apt-get", "-q", "-o", "Acquire::Retries=5", "update"])
        if result.returncode != 0:
            raise Failure("apt-get update failed:\n" + result.stdout[-2000:])

    def _get(self, arguments, **options):
        """Runs apt-get with Debian's sources alone, as on a machine where nothing is installed."""
        with tempfile.NamedTemporaryFile("w", suffix=".list") as sources:
            sources.write("\n".join(self.sources) + "\n")
            sources.flush()
            return run(["apt-get", "-q", "-o", "Dir::State::status=/dev/null",
                        "-o", "Debug::NoLocking=1", "-o", "APT::Install-Recommends=0",
                        "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=5",
                        "-o", f"Dir::Etc::sourcelist={sources.name}",
                        "-o", "Dir::Etc::sourceparts=-", *arguments], **options)

    def _state(self):
        """What changes when apt's lists do."""
        lists = [(path.name, path.stat().st_mtime_ns, path.stat().st_size)
                 for path in Path("/var/lib/apt/lists").glob("*_*")]
        return hashlib.sha256(repr([self.sources, sorted(lists)]).encode()).hexdigest()

    def versions(self, packages, recipe_name):
        """The names and versions of all that is installed with `packages` on an empty system."""
        # apt needs seconds to find out; an answer is good as long as its lists are the same.
        path, state = CACHE / f".{recipe_name}.versions", self._state()
        try:
            known = json.loads(path.read_text())
            if known["state"] == state and known["packages"] == packages:
                return known["versions"]
        except (OSError, ValueError, KeyError):
            pass
        versions = self._ask_versions(packages, recipe_name)
        path.write_text(json.dumps({"state": state, "packages": packages, "versions": versions}))
        return versions

    def _ask_versions(self, packages, recipe_name):
        result = self._get(["-s", "install", *packages])
        if result.returncode != 0:
            raise Failure(f"{recipe_name}: apt cannot install its packages:\n{result.stdout}")
        return sorted(" ".join(line.split()[1:3]) for line in result.stdout.splitlines()
                      if line.startswith("Inst "))

    def extract(self, recipe, work, root):
        """Unpacks the recipe's packages, without what they depend on."""
        result = self._get(["download", *recipe.packages], cwd=work)
        if result.returncode != 0:
            raise Outdated(f"{recipe.name}: apt cannot fetch its packages:\n{result.stdout}")
        for package in sorted(work.glob("*.deb")):
            result = run(["dpkg-deb", "-x", str(package), str(root)])
            if result.returncode != 0:
                raise Failure(f"{recipe.name}: {result.stdout}")
            package.unlink()


def _release_date(packages_file, component):
    """When the release that an index belongs to was made."""
    prefix = packages_file.split(f"_{component}_")[0]
    for name in (prefix + "_InRelease", prefix + "_Release"):
        if os.path.exists(name):
            for line in Path(name).read_text(errors="replace").splitlines():
                if line.startswith("Date: "):
                    return int(email.utils.parsedate_to_datetime(line[6:]).timestamp())
    raise Failure(f"apt's lists have no Release file beside {packages_file}; run apt-get update")


class Builder:
    def __init__(self, force):
        self.apt = None  # read when something asks for it
        self.force = force
        self.done = {}

    def build(self, name):
        """Builds what is missing; returns the record of the image."""
        if name in self.done:
            return self.done[name]
        recipe = Recipe(name)
        base = self.build(recipe.base) if recipe.base else None
        if base and base["from"]:
            raise Failure(f"{name}: its base {recipe.base} has a base of its own")
        self.apt = self.apt or Apt()
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / f".{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.done[name] = self._build_locked(recipe, base)
        return self.done[name]

    def _build_locked(self, recipe, base):
        versions, key = self._key(recipe, base)
        record_path = CACHE / f"{recipe.name}.json"
        if not self.force and (record := _read_record(record_path, key)):
            return record
        print(f"building {recipe.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix=f"podium-image-{recipe.name}-") as work:
            root_tar = Path(work) / "root.tar"
            try:
                self._root(recipe, base, Path(work), root_tar)
            except Outdated:
                # The archive may have moved on since the lists were fetched.
                self.apt.update()
                self.apt = Apt()
                versions, key = self._key(recipe, base)
                self._root(recipe, base, Path(work), root_tar)
            return self._finish(recipe, base, root_tar, versions, key, record_path)

    def _key(self, recipe, base):
        wanted = list(recipe.packages)
        if recipe.variant == "minbase":
            wanted += ["?essential", "?priority(required)", "apt", "usr-is-merged"]
        versions = self.apt.versions(wanted, recipe.name) if wanted else []
        hasher = hashlib.sha256()
        program = [recipe.program] if recipe.program else []
        if program and not recipe.program.exists():
            raise Failure(f"{recipe.name}: {recipe.program} is not built (PODIUM_BUILD_DIR names "
                          "another build)")
        for path in [*TOOLS, *recipe.files(), *program]:
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            hasher.update(f"{path.name} {os.access(path, os.X_OK)} {len(content)}\n".encode())
            hasher.update(content)
        hasher.update("\n".join([*versions, base["key"] if base else "", str(self.apt.date)])
                      .encode())
        return versions, hasher.hexdigest()

    def _hooks(self, recipe):
        if recipe.program:
            there = f"\"$1/usr/bin/{recipe.program.name}\""
            yield f"install -D {recipe.program} {there} && llvm-strip-19 {there}"
        if (recipe.folder / "files").is_dir():
            yield f"cp -R --no-dereference {recipe.folder}/files/. \"$1\""
        if (recipe.folder / "post").exists():
            yield f"{recipe.folder}/post \"$1\""

    def _root(self, recipe, base, work, root_tar):
        if recipe.packages and recipe.variant != "extract":
            self._mmdebstrap(recipe, base, root_tar)
        else:
            self._plain_root(recipe, work, root_tar)

    def _plain_root(self, recipe, work, root_tar):
        """A root that only has what is in the recipe's packages, not installed, and files."""
        root = work / "root"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        if recipe.packages:
            self.apt.extract(recipe, work, root)
        for hook in self._hooks(recipe):
            result = run(["sh", "-ec", hook, "hook", str(root)], env=self._environment())
            if result.returncode != 0:
                raise Failure(f"{recipe.name}: {hook} failed:\n{result.stdout}")
        result = run(["tar", "-C", str(root), "--sort=name", "--numeric-owner", "--owner=0",
                      "--group=0", "-cf", str(root_tar), "."])
        if result.returncode != 0:
            raise Failure(f"{recipe.name}: {result.stdout}")

    def _environment(self):
        return dict(os.environ, SOURCE_DATE_EPOCH=str(self.apt.date), LC_ALL="C.UTF-8", TZ="UTC",
                    PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")

    def _mmdebstrap(self, recipe, base, root_tar):
        # As root no user namespace is needed; mmdebstrap does without mounts where it may not
        # mount. Otherwise its unshare mode needs them.
        mode = "root" if os.geteuid() == 0 else "unshare"
        command = ["mmdebstrap", f"--mode={mode}", f"--variant={recipe.variant}",
                   "--skip=update,check/signed-by", "--format=tar", "--include=" + ",".join(recipe.packages),
                   '--setup-hook=mkdir -p "$1/var/lib/apt/lists" && '
                   'cp /var/lib/apt/lists/*_* "$1/var/lib/apt/lists/"']
        command += [f"--dpkgopt={option}" for option in EXCLUDED]
        command += [f"--aptopt={option}" for option in APT_OPTIONS]
        if base:
            layer = base["layers"][0]["path"]
            command.append(f"--setup-hook=tar -C \"$1\" --numeric-owner --xattrs "
                           f"--xattrs-include='*' --exclude=etc/apt/sources.list -xzf {layer}")
        elif recipe.variant == "minbase":
            command.append(f"--hook-dir={MERGED_USR}")
        command += [f"--customize-hook={hook}" for hook in self._hooks(recipe)]
        # Where this machine gets its packages from is nothing for an image.
        command.append("--customize-hook=: >\"$1/etc/apt/sources.list\"")
        command += [self.apt.suite, str(root_tar), *self.apt.sources]
        result = run(command, env=self._environment(), umask=0o022)
        if result.returncode != 0:
            kind = Outdated if "Failed to fetch" in result.stdout else Failure
            raise kind(f"{recipe.name}: mmdebstrap failed:\n{result.stdout[-3000:]}")

    def _finish(self, recipe, base, root_tar, versions, key, record_path):
        base_layers = [Layer(Path(l["path"]), l["digest"], l["diff_id"], l["size"])
                       for l in base["layers"]] if base else []
        partial = CACHE / f".{recipe.name}.layer"
        # Without packages there is no root to compare: all that is in it stands above the base.
        compared = base_layers[0] if base_layers and recipe.packages else None
        layer = write_layer(root_tar, partial, self.apt.date, compared)
        layer.path = CACHE / f"{recipe.name}.layer.tar.gz"
        os.replace(partial, layer.path)
        layers = [*base_layers, layer]
        archive = CACHE / f"{recipe.name}.tar"
        digest = write_archive(str(archive) + ".partial", recipe.name, "latest",
                               self._config(recipe, layers), layers, self.apt.date)
        os.replace(str(archive) + ".partial", archive)
        record = {"key": key, "name": recipe.name, "from": recipe.base, "digest": digest,
                  "archive": str(archive), "packages": versions,
                  "layers": [dict(vars(l), path=str(l.path)) for l in layers]}
        partial.write_text(json.dumps(record, indent=1))
        os.replace(partial, record_path)
        return record

    def _config(self, recipe, layers):
        given = recipe.config
        config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                          *given.get("env", [])]}
        for key, name in (("entrypoint", "Entrypoint"), ("cmd", "Cmd"), ("user", "User"),
                          ("working-dir", "WorkingDir"), ("stop-signal", "StopSignal"),
                          ("labels", "Labels")):
            if key in given:
                config[name] = given[key]
        for key, name in (("exposed-ports", "ExposedPorts"), ("volumes", "Volumes")):
            if key in given:
                config[name] = {value: {} for value in given[key]}
        known = {"env", "entrypoint", "cmd", "user", "working-dir", "stop-signal", "labels",
                 "exposed-ports", "volumes"}
        if unknown := given.keys() - known:
            raise Failure(f"images/{recipe.name}/image.toml: unknown config {sorted(unknown)[0]}")
        architecture = run(["dpkg", "--print-architecture"]).stdout.strip()
        architecture = GO_NAMES.get(architecture, architecture)
        created = datetime.datetime.fromtimestamp(self.apt.date, datetime.UTC)
        date = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"architecture": architecture, "os": "linux", "created": date, "config": config,
                "history": [{"created": date, "created_by": f"images/{recipe.base}"}
                            for _ in layers[:-1]] +
                           [{"created": date, "created_by": f"images/{recipe.name}"}]}


def _read_record(path, key):
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    files = [record.get("archive", ""), *(layer["path"] for layer in record.get("layers", []))]
    return record if record.get("key") == key and all(map(os.path.exists, files)) else None


def main():
    parser = argparse.ArgumentParser(prog="scripts/build-images", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the names and what they are")
    parser.add_argument("--on-request", action="store_true", help="also those built on request")
    parser.add_argument("--force", action="store_true", help="build again what is there")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.list:
        for name in recipe_names():
            recipe = Recipe(name)
            about = recipe.text.splitlines()[0].lstrip("# ")
            print(f"{name:12} {about}{' (on request)' if recipe.on_request else ''}")
        return 0
    names = arguments.names or [name for name in recipe_names()
                                if arguments.on_request or not Recipe(name).on_request]
    if not shutil.which("mmdebstrap"):
        raise Failure("mmdebstrap is missing; run scripts/install-build-deps")
    builder = Builder(arguments.force)
    for name in names:
        print(builder.build(name)["archive"])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"build-images: {failure}", file=sys.stderr)
        sys.exit(1)
