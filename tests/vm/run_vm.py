#!/usr/bin/env python3
"""Runs a program in a virtual machine: Debian's cloud kernel on qemu's software emulation.

    tests/vm/run_vm.py [options] PROGRAM [ARGUMENT...]

The machine has no disk and no network device; PROGRAM runs as root, as a child of PID 1, in a file
system in memory. Its output is printed as it comes, and its exit code is this one's. A PROGRAM
NAME.py is run by Python; what it imports of the standard library is put there.

  --cgroups LAYOUT   v2 (the default), v1, hybrid (v1, and a v2 tree without controllers), none
  --modules A,B      modules of the kernel to load first; pods: all that pods use
  --file PATH=SOURCE a file, or a folder with all in it, to have at PATH
  --tools            programs that tests call: ip, nft and their like
  --program P=SOURCE a program to have at P, with the libraries that it needs
  --env NAME=VALUE   for PROGRAM
  --selinux          enforces the policy in tests/vm/selinux, which knows containers
  --kernel WORDS     more for the kernel's command line
  --memory MIB       of the machine (1024)
  --cpus N           of the machine (2)
  --timeout SECONDS  for all of it (120)
  --long             only in the long form of the tests (PODIUM_TEST_LONG)

Exit codes: PROGRAM's; 77 where no machine can be made, with the reason; 124 when the time was over;
125 when the machine ended without a result.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from initramfs import Initramfs, modules_to_load  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "build" / "vm" / "kernel"
SECILC = ROOT / "build" / "vm" / "secilc" / "usr" / "bin" / "secilc"
SELINUX = ROOT / "tests" / "vm" / "selinux"
CATEGORIES = 1024
BUSYBOX = Path("/bin/busybox")
QEMU = "qemu-system-x86_64"

# For pods: root file systems, a bridge and its rules, limits of bandwidth, what there is to ask.
POD_MODULES = ("overlay,veth,bridge,br_netfilter,nft_chain_nat,nft_masq,nft_nat,nft_fib_inet,"
               "nft_meta_bridge,nft_ct,nft_compat,nf_conntrack_netlink,inet_diag,tcp_diag,udp_diag,"
               "sch_tbf,sch_ingress,ifb,cls_u32,act_mirred")
TOOLS = ("/bin/ip", "/sbin/bridge", "/sbin/tc", "/usr/sbin/nft", "/usr/sbin/iptables-nft",
         "/usr/sbin/iptables-legacy", "/bin/mount", "/bin/umount", "/usr/bin/unshare",
         "/usr/bin/nsenter")

SKIPPED, TIMED_OUT, NO_RESULT = 77, 124, 125
RESULT = "podium-vm-result:"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/local/bin:/bin:/usr/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
if [ -e /policy ]; then
  # The kernel takes a policy in one piece.
  mount -t selinuxfs selinuxfs /sys/fs/selinux &&
    dd if=/policy of=/sys/fs/selinux/load bs=16M count=1 2>/dev/null &&
    echo 1 >/sys/fs/selinux/enforce || poweroff -f
fi
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /tmp /run /root
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
ip link set lo up
# Logs of tests are no place for the kernel's messages; dmesg has them.
echo 1 >/proc/sys/kernel/printk
while read -r module; do insmod "$module" || poweroff -f; done </modules

case $(cat /layout) in
  v2) mount -t cgroup2 cgroup2 /sys/fs/cgroup ;;
  v1|hybrid)
    mount -t tmpfs cgroups /sys/fs/cgroup
    for name in cpu,cpuacct cpuset memory pids devices freezer blkio hugetlb; do
      mkdir -p "/sys/fs/cgroup/$name"
      mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name" || poweroff -f
    done ;;
esac
if [ "$(cat /layout)" = hybrid ]; then
  mkdir /sys/fs/cgroup/unified
  mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified || poweroff -f
fi

setsid sh /program
result=$?
# What the policy has refused, for whoever looks for the reason.
[ ! -e /policy ] || [ $result = 0 ] || dmesg | grep 'avc: *denied' | tail -n 40
echo "@RESULT@$result"
poweroff -f
"""


def missing():
    """Why there can be no machine, or None."""
    if shutil.which(QEMU) is None:
        return f"no {QEMU} (package qemu-system-x86)"
    if not BUSYBOX.exists():
        return f"no {BUSYBOX} (package busybox-static)"
    if not (KERNEL / "vmlinuz").exists():
        return "no kernel for the virtual machine; tests/vm/fetch gets it"
    return None


def add_policy(archive):
    """The policy as a program of the kernel's, and what says of it that it knows containers."""
    names = [f"c{number}" for number in range(CATEGORIES)]
    text = (SELINUX / "policy.cil").read_text()
    text += "".join(f"(category {name})\n" for name in names)
    text += f"(categoryorder ({' '.join(names)}))\n"
    with tempfile.TemporaryDirectory(prefix="podium-vm-") as folder:
        source, policy = Path(folder, "policy.cil"), Path(folder, "policy")
        source.write_text(text)
        subprocess.run([SECILC, "-c", "33", "-o", policy, "-f", "/dev/null", source], check=True)
        archive.add_file("policy", policy)
    archive.add_file("etc/selinux/config", SELINUX / "config")
    archive.add_tree("etc/selinux/podium", SELINUX / "podium")


def build(options, path):
    archive = Initramfs()
    for folder in ("proc", "sys", "dev", "tmp", "run", "root", "etc", "mnt", "usr/bin", "var/lib",
                   "var/log"):
        archive.add_folder(folder)
    # Before devtmpfs is there, PID 1 speaks here.
    archive.add_device("dev/console", 5, 1)
    archive.add_device("dev/null", 1, 3)
    archive.add_program("bin/busybox", BUSYBOX)
    archive.add_link("bin/sh", "busybox")
    # Where Debian has it; tests make their images of it.
    archive.add_link("usr/bin/busybox", "/bin/busybox")
    archive.add_bytes("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    archive.add_bytes("etc/group", b"root:x:0:\n")
    archive.add_bytes("init", INIT.replace("@RESULT@", RESULT).encode(), 0o755)

    if options.selinux:
        add_policy(archive)

    releases = sorted((KERNEL / "lib" / "modules").iterdir())
    modules = POD_MODULES if options.modules == "pods" else options.modules
    files = modules_to_load(releases[-1], [name for name in modules.split(",") if name])
    for file in files:
        archive.add_file(f"lib/modules/{file.name}", file)
    archive.add_bytes("modules", "".join(f"/lib/modules/{file.name}\n" for file in files).encode())
    archive.add_bytes("layout", options.cgroups.encode())

    program = Path(options.command[0])
    words = [f"/usr/bin/{program.name}", *options.command[1:]]
    if program.suffix == ".py":
        archive.add_file(f"usr/bin/{program.name}", program)
        archive.add_python([str(program)])
        words.insert(0, "/usr/bin/python3")
    else:
        archive.add_program(f"usr/bin/{program.name}", program)
    if options.tools:
        for tool in filter(os.path.exists, TOOLS):
            archive.add_program(f"usr/local/bin/{os.path.basename(tool)}", tool)
        archive.add_link("usr/local/bin/iptables", "iptables-nft")
    for pair in options.program:
        place, source = pair.split("=", 1)
        archive.add_program(place, source)
    for pair in options.file:
        place, source = pair.split("=", 1)
        (archive.add_tree if Path(source).is_dir() else archive.add_file)(place, source)
    lines = [f"export {name}={shlex.quote(value)}\n"
             for name, value in (pair.split("=", 1) for pair in options.env)]
    lines.append("exec " + " ".join(map(shlex.quote, words)) + " </dev/null\n")
    archive.add_bytes("program", "".join(lines).encode())
    archive.write(path)


def boot(options, initramfs):
    """Runs the machine, copies what it prints, and returns the exit code."""
    command = [
        QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35,usb=off",
        "-smp", str(options.cpus), "-m", str(options.memory), "-nodefaults", "-no-user-config",
        "-display", "none", "-nic", "none", "-no-reboot", "-serial", "stdio",
        "-kernel", str(KERNEL / "vmlinuz"), "-initrd", str(initramfs),
        # mitigations=off and tsc: what is emulated need not be slower than it is.
        "-append", "console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off tsc=reliable "
                   "random.trust_cpu=on swapaccount=1 no_timer_check rcupdate.rcu_expedited=1 "
                   + ("lsm=selinux " if options.selinux else "") + options.kernel]
    code = NO_RESULT
    late = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        def stop():
            late.set()
            machine.kill()
        timer = threading.Timer(options.timeout, stop)
        timer.start()
        try:
            for line in machine.stdout:
                text = line.decode(errors="replace").rstrip("\r\n")
                if text.startswith(RESULT):
                    code = int(text.removeprefix(RESULT))
                else:
                    print(text, flush=True)
        finally:
            timer.cancel()
            machine.kill()
    if late.is_set():
        print(f"run_vm: no end after {options.timeout} s", file=sys.stderr)
        return TIMED_OUT
    if code == NO_RESULT:
        print("run_vm: the machine ended without a result", file=sys.stderr)
    return code


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--cgroups", default="v2", choices=["v2", "v1", "hybrid", "none"])
    parser.add_argument("--modules", default="")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--program", action="append", default=[])
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--kernel", default="")
    parser.add_argument("--tools", action="store_true")
    parser.add_argument("--selinux", action="store_true")
    parser.add_argument("--memory", type=int, default=1024)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("no program")
    reason = missing()
    if options.selinux and not SECILC.exists():
        reason = "no compiler for the policy; tests/vm/fetch gets it"
    if options.long and not os.environ.get("PODIUM_TEST_LONG"):
        reason = "only in the long form"
    if reason:
        print(f"run_vm: skipped: {reason}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="podium-vm-") as folder:
        initramfs = os.path.join(folder, "initramfs")
        start = time.monotonic()
        build(options, initramfs)
        code = boot(options, initramfs)
        print(f"run_vm: {time.monotonic() - start:.0f} s, exit code {code}", flush=True)
        return code


if __name__ == "__main__":
    sys.exit(main())
