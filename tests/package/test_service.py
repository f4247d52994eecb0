#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages on a router whose first process is systemd: installed, used, restarted with the machine and without, killed, upgraded amid a
session, removed and purged, with real transfers in between, active and passive, IPv4 and IPv6.

The router is the lab's, a network namespace of this kernel's; its processes are a fresh Debian of their own (namespaces of mounts, processes
and control groups), not a virtual machine: so a boot is one of its user space. It needs root and Debian's archive. One line a case.

Arguments: names of releases (bookworm, trixie); none: both. NFQ_FTP_PACKAGES names a folder of packages that are built already.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from package import TREE, Failure, Skip, check, output
from systems import APT, NAME, RELEASES, build, fresh_system, inside, overlay, snapshot, users

sys.path.insert(0, str(TREE / "tests" / "lab"))
import test_streams  # noqa: E402
from lab import FAMILIES, Lab, LabError  # noqa: E402
from rawftp import RawClient, Wrong  # noqa: E402
from servers import Server  # noqa: E402

PATIENCE = 90  # seconds
CAP_NET_ADMIN = 1 << 12
CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
UNITS = (f"{NAME}.service", f"{NAME}-rules.service")

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

# A firewall that takes everybody's rules away when it is reloaded, and nothing else.
FIREWALL = f"""[Unit]
Description=a firewall

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecReload=/usr/sbin/{NAME} rules --remove
ExecStop=/usr/sbin/{NAME} rules --remove
"""


class Machine:
    """A Debian on the lab's router."""

    def __init__(self, lab, root):
        self.lab, self.root, self.process, self.init = lab, root, None, None

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
        self.wait(lambda: "running" in self.run("systemctl is-system-running || :"), "the machine to be up")

    def find_init(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()
        self.init = next((child for child in children if Path(f"/proc/{child}/comm").read_text(encoding="ascii").startswith("systemd")), None)
        return self.init and (Path(f"/proc/{self.init}/root/run/systemd/private")).exists()

    def halt(self):
        """As at a shutdown: all units are stopped."""
        os.kill(int(self.init), signal.SIGRTMIN + 4)
        self.process.wait(PATIENCE)

    def run(self, script):
        return output("nsenter", "-t", self.init, "-m", "-p", "-n", "-i", "-u", "-C", "-r", "-w", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                      "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "sh", "-euc", script, timeout=300)

    @staticmethod
    def wait(condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            check(time.monotonic() < end, f"{PATIENCE} s were not enough for {what}")
            time.sleep(0.2)

    def active(self, unit):
        return self.run(f"systemctl is-active {unit} || :").strip() == "active"

    def wait_for_service(self):
        try:
            self.wait(lambda: all(map(self.active, UNITS)), "both units to be active")
        except Failure as why:
            raise Failure(f"{why}: {self.run('journalctl -n 15 -o cat --no-pager')}") from why

    def daemon(self):
        return self.run(f"systemctl show -p MainPID --value {NAME}").strip()


def transfers(lab):
    for family in FAMILIES:
        for mode in ("EPRT", "EPSV"):
            with RawClient(lab, family=family) as session:
                test_streams.fetch_small(session, mode)


class Story:
    """The cases, in this order."""

    def __init__(self, machine, packages):
        self.machine, self.lab = machine, machine.lab
        self.debs = " ".join(f"/packages/{package.name}" for package in packages if "dbgsym" not in package.name and "dkms" not in package.name)
        self.rules = self.all_rules()
        self.before = snapshot(machine.root), users(machine.root)

    def all_rules(self):
        """Without what says when, and how often; an empty table does nothing."""
        lines = "".join(self.lab.rules(family) for family in FAMILIES).splitlines()
        return [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if line[:1] in "-:" and not re.match(r":\w+ ACCEPT ", line)]

    def installed_it_runs(self):
        self.machine.run(f"dpkg -i {self.debs} >/dev/null")
        self.machine.wait_for_service()
        check(self.all_rules() != self.rules, "no rules were applied")
        transfers(self.lab)

    def it_is_confined(self):
        status = dict(line.split(":\t", 1) for line in
                      self.machine.run(f"cat /proc/{self.machine.daemon()}/status").splitlines() if ":\t" in line)
        check(status["Uid"].split()[1] != "0", f"its user is {status['Uid']}")
        check(int(status["CapEff"], 16) == CAP_NET_ADMIN, f"its capabilities are {status['CapEff']}")
        check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", f"NoNewPrivs {status['NoNewPrivs']}, Seccomp {status['Seccomp']}")
        shown = self.machine.run(f"systemctl show -p StatusText --value {NAME}")
        check("control connections followed" in shown, f"it says of itself {shown!r}")
        status = json.loads(self.machine.run(f"{NAME} status --json"))
        check(all("waiting" in queue for queue in status["queues"]), f"what the kernel drops cannot be seen: {status['queues']}")

    def it_is_there_after_a_reboot(self):
        self.machine.halt()
        check(self.all_rules() == self.rules, "rules are left after a shutdown")
        self.machine.boot()
        self.machine.wait_for_service()
        transfers(self.lab)

    def firewalls_reload_and_restart(self):
        (self.machine.root / "etc/systemd/system/ufw.service").write_text(FIREWALL, encoding="utf-8")
        self.machine.run("systemctl daemon-reload; systemctl start ufw")
        ours = self.all_rules()
        for verb in ("reload", "restart", "stop"):
            self.machine.run(f"systemctl {verb} ufw")
            self.machine.wait(lambda: self.all_rules() == ours, f"the rules to be back after `systemctl {verb} ufw'")
        check(self.machine.active(NAME), "the daemon has stopped with the firewall")
        (self.machine.root / "etc/systemd/system/ufw.service").unlink()
        self.machine.run("systemctl daemon-reload")

    def rules_that_two_keep_are_told(self):
        file = self.machine.root / f"etc/{NAME}.conf"
        before = file.read_text(encoding="utf-8")
        file.write_text(f"{before}\nrules = yes\n", encoding="utf-8")
        self.machine.run(f"systemctl restart {NAME} || :")
        said = self.machine.run(f"journalctl -b -o cat --no-pager -u {NAME}")
        file.write_text(before, encoding="utf-8")
        self.machine.run(f"systemctl restart {NAME}-rules {NAME}")
        self.machine.wait_for_service()
        check(said.count("event=rules-twice") >= 1, f"the journal has {said[-500:]!r}")

    def killed_it_comes_back_with_its_sessions(self):
        with RawClient(self.lab) as session:
            test_streams.fetch_small(session, "PORT")
            daemon = self.machine.daemon()
            self.machine.run(f"kill -9 {daemon}")
            self.machine.wait(lambda: self.machine.daemon() not in ("0", daemon) and self.machine.active(NAME), "it to be back")
            session.command("NOOP", (200,))
            session.command("NOOP", (200,))
            test_streams.fetch_small(session, "PORT")
            test_streams.fetch_small(session, "PASV")

    def upgraded_amid_a_session(self):
        """The rules stay, and the session goes on."""
        with RawClient(self.lab) as session:
            test_streams.fetch_small(session, "PORT")
            daemon, ours = self.machine.daemon(), self.all_rules()
            self.machine.run(f"dpkg -i {self.debs} >/dev/null")
            check(self.all_rules() == ours, "the rules are not as they were")
            self.machine.wait_for_service()
            check(self.machine.daemon() != daemon, "it was not restarted")
            session.command("NOOP", (200,))
            session.command("NOOP", (200,))
            test_streams.fetch_small(session, "PORT")
            test_streams.fetch_small(session, "PASV")

    def removed_the_rules_are_as_before(self):
        self.machine.run(f"dpkg -r {NAME}-tools {NAME} >/dev/null 2>&1")
        self.machine.wait(lambda: self.all_rules() == self.rules, "the rules to be as they were")

    def purged_nothing_is_left(self):
        self.machine.run(f"dpkg -P {NAME}-tools {NAME} >/dev/null 2>&1; test ! -e /run/{NAME}")
        left = snapshot(self.machine.root) - self.before[0], users(self.machine.root) - self.before[1]
        check(not left[0] and not left[1], f"left are {sorted(left[0])[:10]} {sorted(left[1])}")

    CASES = (installed_it_runs, it_is_confined, it_is_there_after_a_reboot, firewalls_reload_and_restart,
             rules_that_two_keep_are_told, killed_it_comes_back_with_its_sessions, upgraded_amid_a_session, removed_the_rules_are_as_before, purged_nothing_is_left)


def packages_of(base):
    if os.environ.get("NFQ_FTP_PACKAGES"):
        return sorted(Path(os.environ["NFQ_FTP_PACKAGES"]).glob("*.deb"))
    kept = base.parent / f"{base.name}-packages"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    with overlay(base) as root:
        return [Path(shutil.copy(package, kept)) for package in build(root)]


def tell(release, packages, base):
    """Return: how many cases failed."""
    failed = 0
    with overlay(base) as root, Lab("masquerade") as lab, Server("vsftpd", lab) as server:
        test_streams.serve_files(server)
        (root / "packages").mkdir()
        for package in packages:
            shutil.copy(package, root / "packages")
        inside(root, f"{APT} update; {APT} install -y --no-install-recommends systemd passwd iptables nftables procps libnetfilter-queue1 libmnl0 "
                     "libnfnetlink0 libinih1 libjansson4 'libpcap0.8*' libseccomp2 libncurses6 libncursesw6 >/dev/null; rm /usr/sbin/policy-rc.d")
        machine = Machine(lab, root)
        machine.boot()
        story = Story(machine, packages)
        try:
            for case in Story.CASES:
                name = f"service/{release}/{case.__name__.replace('_', '-')}"
                try:
                    case(story)
                    print(f"PASS {name}", flush=True)
                except (Failure, Wrong, OSError, LabError) as why:
                    print(f"FAIL {name}: {' '.join(str(why).split())}", flush=True)
                    failed += 1
        finally:
            if machine.process.poll() is None:
                machine.halt()
    return failed


def main():
    failed = 0
    if os.geteuid() != 0:
        print("SKIP service: it needs root")
        return 0
    for release in sys.argv[1:] or RELEASES:
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
