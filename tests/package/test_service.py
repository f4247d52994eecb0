#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""story.py's cases where a container is the router, which is much faster than the virtual machine of test_machine.py.

The router is the lab's, a network namespace of this kernel's; its processes are a fresh Debian of their own (namespaces of mounts, processes
and control groups), so a boot is one of its user space. It needs root and Debian's archive. One line a case.

Arguments: names of releases (bookworm, trixie); none: both. NFQ_FTP_PACKAGES names a folder of packages that are built already.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from package import Failure, Skip, check, output
from story import LIBRARIES, Machine, Story, test_streams, without_counters
from systems import APT, NAME, build, chosen, fresh_system, inside, keep_packages, overlay, packages_given

# story.py has found the lab.
from lab import FAMILIES, Lab, LabError  # noqa: E402
from servers import Server  # noqa: E402

# Without libkmod2, which every Debian has, but systemd of Debian 13 does not depend on, its systemd-modules-load.service fails.
PACKAGES = "systemd libkmod2 passwd iptables nftables procps"
CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

# All that the container has of its own is made in namespaces that end with it. Devices are those that a program may expect.
BOOT = r"""
root=$1
mount -t proc proc "$root/proc"; mount -t sysfs sys "$root/sys"; mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
mount -t tmpfs run "$root/run"; mount -t tmpfs tmp "$root/tmp"; mount -t tmpfs dev "$root/dev"
for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"; mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
cd "$root"; mkdir -p old; pivot_root . old; umount -l old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb /lib/systemd/systemd
"""


class Container(Machine):
    def __init__(self, lab, root):
        super().__init__(lab)
        self.root, self.process, self.init = root, None, None

    def boot(self):
        group = next(Path(path) for path in CGROUPS if (Path(path) / "cgroup.procs").exists()) / f"{NAME}-test-{os.getpid()}"
        group.mkdir(exist_ok=True)
        argv = ["sh", "-euc", 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "sh", str(group), "unshare", "--mount", "--pid", "--ipc", "--uts",
                "--cgroup", "--propagation", "private", "--fork", "--kill-child", "sh", "-euc", BOOT, "sh", str(self.root)]
        with open(f"{self.root}.console", "ab") as console:
            self.process = self.lab.popen("router", argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            self.wait(self.find_init, "systemd to start")
        except Failure as why:
            raise Failure(f"{why}: {Path(f'{self.root}.console').read_text(encoding='utf-8')[-500:]}") from why
        self.wait_until_up()

    def find_init(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()
        self.init = next((child for child in children if Path(f"/proc/{child}/comm").read_text(encoding="ascii").startswith("systemd")), None)
        return self.init and (Path(f"/proc/{self.init}/root/run/systemd/private")).exists()

    def halt(self):
        """As at a shutdown: all units are stopped."""
        os.kill(int(self.init), signal.SIGRTMIN + 4)
        self.process.wait(self.patience)

    def run(self, script):
        return output("nsenter", "-t", self.init, "-m", "-p", "-n", "-i", "-u", "-C", "-r", "-w", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                      "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "sh", "-euc", script, timeout=300)

    def rules(self):
        return without_counters("".join(self.lab.rules(family) for family in FAMILIES).splitlines())

    def reboot(self, rules):
        self.halt()
        check(self.rules() == rules, "rules are left after a shutdown")
        self.boot()


def packages_of(base):
    if packages_given():
        return packages_given()
    with overlay(base) as root:
        return keep_packages(base, build(root))


def tell(release, packages, base):
    """Return: how many cases failed."""
    with overlay(base) as root, Lab("masquerade") as lab, Server("vsftpd", lab) as server:
        test_streams.serve_files(server)
        (root / "packages").mkdir()
        for package in packages:
            shutil.copy(package, root / "packages")
        inside(root, f"{APT} update; {APT} install -y --no-install-recommends {PACKAGES} {LIBRARIES} >/dev/null; rm /usr/sbin/policy-rc.d")
        machine = Container(lab, root)
        machine.boot()
        try:
            return Story(machine, packages).tell(f"service/{release}")
        finally:
            if machine.process.poll() is None:
                machine.halt()


def main():
    failed, releases = 0, chosen(sys.argv[1:])
    if os.geteuid() != 0:
        print("SKIP service: it needs root")
        return 0
    for release in releases:
        try:
            base = fresh_system(release)
            failed += tell(release, packages_of(base), base)
        except (Failure, LabError, subprocess.TimeoutExpired) as why:
            print(f"FAIL service/{release}: {' '.join(str(why).split())}", flush=True)
            failed += 1
        except Skip as why:
            print(f"SKIP service/{release}: {why}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
