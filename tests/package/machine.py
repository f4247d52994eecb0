# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine as the lab's router: a Debian on a disk of its own, its release's kernel, systemd as the first process.

    client ── bridge "inside" ── tap ──┤ machine ├── tap ── bridge "outside" ── server

The namespace of the lab's router is cables alone; what it would have been the machine is: its addresses, nftables.service with its rules.
"""

import base64
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from package import TREE, Failure, check, output
from story import LIBRARIES, Machine
from systems import APT, inside, overlay

# story.py has found the lab.
from lab import FAMILIES, FTP_PORT, Lab, NftRules, end_process  # noqa: E402
from rawftp import connect_from  # noqa: E402

sys.path.insert(0, str(TREE / "tests" / "vm"))
import initramfs  # noqa: E402

HERE = Path(__file__).resolve().parent
KERNELS = {"bookworm": "6.1", "trixie": "6.12"}
DISK_MODULES = ("virtio_pci", "virtio_blk", "ext4")
CARDS = {"inside": "52:54:00:00:00:01", "outside": "52:54:00:00:00:02"}
DISK_SIZE = "4G"  # most of it a hole
PACKAGES = "systemd udev kmod passwd nftables iproute2 procps"
CALL_TIMEOUT = 300  # seconds for one script
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
          "getty@tty1.service", "serial-getty@ttyS0.service", "systemd-networkd-wait-online.service")

AGENT = """[Unit]
Description=what the test asks for
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/sbin/machine-agent
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

# As on any router: interfaces have their names by a rule of udev's, addresses when they are there.
NETWORK = """[Unit]
Description=the router's addresses
Requires=sys-subsystem-net-devices-inside.device sys-subsystem-net-devices-outside.device
After=sys-subsystem-net-devices-inside.device sys-subsystem-net-devices-outside.device

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip -batch /etc/test-addresses

[Install]
WantedBy=multi-user.target
"""


class NoRules:
    @staticmethod
    def load(_lab):
        pass


class Cables(Lab):
    """The lab's hosts, with room for a machine between them."""

    def __init__(self, topology):
        super().__init__(topology)
        self.backend = NoRules

    def _make_router(self):
        self._ip("router", *(line for side in CARDS for line in (
            f"tuntap add tap-{side} mode tap", f"link set tap-{side} master {side}", f"link set tap-{side} up")))

    def addresses(self):
        """For ip -batch in the machine."""
        plans = self.plan.values()
        return [line for side in CARDS for line in (f"link set {side} up", *(
            f"address add {plan.inside_router if side == 'inside' else plan.outside_router[0]}/{plan.prefix} dev {side} nodad" for plan in plans))]

    def ruleset(self):
        return f"flush ruleset\n{NftRules(self).text()}"


def kernel_for(release):
    """The folder of its kernel, from tests/vm/kernels."""
    return Path(output(TREE / "tests/vm/kernels", KERNELS[release], timeout=1800).strip())


def configure(root, lab):
    files = {
        "etc/systemd/system/test-agent.service": AGENT,
        "etc/systemd/system/test-network.service": NETWORK,
        "etc/test-addresses": "".join(f"{line}\n" for line in lab.addresses()),
        "etc/nftables.conf": lab.ruleset(),
        "etc/sysctl.d/test.conf": "net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n",
        "etc/systemd/system.conf.d/test.conf": "[Manager]\nDefaultDeviceTimeoutSec=5min\n",  # 90 s are too few where the host has other work
        "etc/hostname": "router\n",
        **{f"etc/systemd/network/10-{name}.link": f"[Match]\nMACAddress={address}\n\n[Link]\nName={name}\n" for name, address in CARDS.items()},
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    shutil.copy(HERE / "machine-agent", root / "usr/local/sbin")
    inside(root, f"systemctl enable --quiet nftables test-agent test-network; systemctl mask --quiet {' '.join(MASKED)}")


class Guest(Machine):
    patience = 300  # seconds: it is emulated

    def __init__(self, lab, image, kernel):
        super().__init__(lab)
        self.image, self.kernel = image, kernel
        self.process, self.port, self.lines, self.calls = None, None, None, 0

    @property
    def console(self):
        return self.lab.directory / "console"

    @property
    def kernel_release(self):
        return (self.kernel / "release").read_text(encoding="ascii").strip()

    def make_disk(self, base, packages):
        """A system that is as @base, with what a router has and the packages need; these are beside it, in /packages."""
        with overlay(base) as root:
            inside(root, f"{APT} update; {APT} install -y --no-install-recommends {PACKAGES} {LIBRARIES} >/dev/null; {APT} clean; "
                         "rm /usr/sbin/policy-rc.d")
            configure(root, self.lab)
            (root / "packages").mkdir()
            for package in packages:
                shutil.copy(package, root / "packages")
            modules = f"lib/modules/{self.kernel_release}"
            shutil.copytree(self.kernel / modules, root / "usr" / modules, symlinks=True)
            output("mke2fs", "-q", "-t", "ext4", "-d", root, self.image, DISK_SIZE, timeout=600)

    def boot(self):
        initramfs.make(self.lab.directory / "initramfs", HERE / "machine-init", self.kernel, self.kernel_release, DISK_MODULES)
        with socket.socket(socket.AF_UNIX) as listener:
            (self.lab.directory / "port").unlink(missing_ok=True)
            listener.bind(str(self.lab.directory / "port"))
            listener.listen()
            listener.settimeout(self.patience)
            with open(self.lab.directory / "qemu.log", "wb") as log:
                self.process = self.lab.popen("router", self.argv(), stdout=log, stderr=log)
            self.port = listener.accept()[0]
        self.port.settimeout(CALL_TIMEOUT)
        self.calls = 0
        self.lines = self.port.makefile(encoding="ascii", errors="replace")
        self.wait_until_ready()

    # As to no_timer_check, and why it is one processor: tests/vm/boot.
    def argv(self):
        folder = self.lab.directory
        cards = [word for side, address in CARDS.items() for word in (
            "-netdev", f"tap,id={side},ifname=tap-{side},script=no,downscript=no", "-device", f"virtio-net-pci,netdev={side},mac={address}")]
        return ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024", "-no-reboot", "-nodefaults", "-display", "none",
                "-kernel", self.kernel / "vmlinuz", "-initrd", folder / "initramfs",
                "-append", "console=ttyS0 loglevel=5 mitigations=off nokaslr no_timer_check",
                "-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console",
                "-drive", f"file={self.image},format=raw,if=virtio,cache=unsafe",
                "-device", "virtio-serial-pci", "-chardev", f"socket,id=test,path={folder}/port", "-device", "virtserialport,chardev=test,name=test",
                *cards]

    def wait_until_ready(self):
        """Until a boot has got to the unit that answers."""
        while self.next_line() != "ready":
            pass
        self.wait_until_up()
        self.wait(lambda: all(map(self.routes, FAMILIES)), "the machine to let a client's connection through")

    def routes(self, family):
        """A host that is slow to say where it is has been found then."""
        try:
            connect_from(self.lab, "client", self.lab.dial(family=family), FTP_PORT, family=family).close()
        except OSError:
            return False
        return True

    def next_line(self):
        try:
            line = self.lines.readline()
        except TimeoutError:
            line = ""
        check(line, f"the machine is silent; {self.last_words()}")
        return line.strip()

    def last_words(self):
        said = self.console.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"its console last said: {' | '.join(said[-12:])}"

    def say(self, script):
        self.calls += 1
        self.port.sendall(f"{self.calls} {base64.b64encode(script.encode()).decode()}\n".encode())

    def run(self, script):
        self.say(script)
        words = [""]
        while words[0] != str(self.calls):
            words = self.next_line().split(" ")
        out, errors = (base64.b64decode(word[1:]).decode(errors="replace") for word in words[2:4])
        check(words[1] == "0", f"`{script}' ends with {words[1]}: {(errors or out).strip()[-500:]}")
        return out

    def rules(self):
        listed = self.run("nft list ruleset")
        return re.sub(r"packets \d+ bytes \d+", "", listed).splitlines()

    def reboot(self, _rules):
        """
        A new kernel has no rules, so it does not matter here which were left. The machine ends where it would reset, and begins anew from
        its disk: after a reset of QEMU 7.2's own nothing more was heard of it.
        """
        before = self.run("touch /run/before-reboot; cat /proc/sys/kernel/random/boot_id")
        self.say("systemctl reboot")
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired as why:
            raise Failure(f"{self.patience} s were not enough for a shutdown: {self.last_words()}") from why
        self.end()
        self.boot()
        check(self.run("cat /proc/sys/kernel/random/boot_id") != before, "it has not booted again")
        self.run("! test -e /run/before-reboot")

    def end(self):
        if self.process:
            end_process(self.process)
        if self.port:
            self.port.close()


def only_machine():
    """One at a time, as tests/vm/boot has it: the lock, to be closed."""
    cache = Path(os.environ.get("NFQ_FTP_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or '/var/cache'}/nfq-ftp-helper")
    lock = (cache / "vm.lock").open("w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def why_not():
    """Why there can be no machine, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed (scripts/deps vm)"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun, by which a machine gets its cables"
    return None
