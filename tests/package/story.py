# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages' life on a router whose first process is systemd: installed, used, restarted with the machine and without, killed, upgraded amid a
session, removed and purged, with real transfers in between, active and passive, IPv4 and IPv6. What the router is, a Machine says."""

import contextlib
import json
import re
import shlex
import sys
import time

from package import TREE, Failure, check
from systems import NAME, snapshot, users

sys.path.insert(0, str(TREE / "tests" / "lab"))
import test_streams  # noqa: E402
from lab import FAMILIES, LabError  # noqa: E402
from rawftp import RawClient, Wrong  # noqa: E402

CAP_NET_ADMIN = 1 << 12
UNITS = (f"{NAME}.service", f"{NAME}-rules.service")
# What an installed package asks for on both releases, so that it can be installed without an archive.
LIBRARIES = "libnetfilter-queue1 libmnl0 libnfnetlink0 libinih1 libjansson4 'libpcap0.8*' libseccomp2 libncurses6 libncursesw6"

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


# Looks for them as often as it can, until there is no /run/watching any more.
WATCH = r"""
rm -f /run/seen /run/gone; : >/run/watching
(while test -e /run/watching; do
	listed=$(nft list ruleset) || continue
	case $listed in *NFQ_FTP_* | *nfq_ftp_helper*) : >/run/seen ;; *) date +%s.%N >>/run/gone ;; esac
done) </dev/null >/dev/null 2>&1 &
"""


class Machine:
    """A Debian that is the lab's router. What is one says how to run(), to list its rules(), and to reboot()."""

    patience = 90  # seconds

    def __init__(self, lab):
        self.lab = lab

    def run(self, script):
        """What a script that must succeed prints in the machine, as root."""
        raise NotImplementedError

    def rules(self):
        """The lines of its rules, without what says when, and how often."""
        raise NotImplementedError

    def reboot(self, rules):
        """Return: when it is up again. @rules must be what is left, where the kernel stays."""
        raise NotImplementedError

    def ask(self, *words):
        return self.run(shlex.join(map(str, words)))

    def write(self, path, text):
        self.run(f"printf %s {shlex.quote(text)} >{path}")

    def wait(self, condition, what):
        end = time.monotonic() + self.patience
        while not condition():
            check(time.monotonic() < end, f"{self.patience} s were not enough for {what}")
            time.sleep(0.2)

    def wait_until_up(self):
        try:
            self.wait(lambda: self.run("systemctl is-system-running || :").strip() == "running", "the machine to be up")
        except Failure as why:
            raise Failure(f"{why}: {self.run('systemctl --failed --no-legend --plain; systemctl list-jobs --no-legend')}") from why

    def active(self, unit):
        return self.run(f"systemctl is-active {unit} || :").strip() == "active"

    def wait_for_service(self):
        try:
            self.wait(lambda: all(map(self.active, UNITS)), "both units to be active")
        except Failure as why:
            raise Failure(f"{why}: {self.run('journalctl -n 15 -o cat --no-pager')}") from why

    def daemon(self):
        return self.run(f"systemctl show -p MainPID --value {NAME}").strip()

    @contextlib.contextmanager
    def rules_stay(self, script):
        """Run it; whatever comes of that, a connection that begins meanwhile finds them."""
        self.run(WATCH)
        self.wait(lambda: self.run("ls /run").count("seen") == 1, "rules to be seen")
        try:
            self.run(script)
            yield
        finally:
            self.run("rm /run/watching")
        gone = self.run("sleep 1; cat /run/gone 2>/dev/null || :").splitlines()
        check(not gone, f"`{script}': there were no rules {len(gone)} times, from {gone[:1]} to {gone[-1:]}")

    def status(self):
        return json.loads(self.run(f"{NAME} status --json"))


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
        self.rules = machine.rules()
        self.before = snapshot("/", machine.ask), users("/", machine.ask)

    def installed_it_runs(self):
        self.machine.run(f"dpkg -i {self.debs} >/dev/null")
        self.machine.wait_for_service()
        check(self.machine.rules() != self.rules, "no rules were applied")
        transfers(self.lab)
        return f"Linux {self.machine.run('uname -r').strip()}, mode {self.machine.status()['mode']}"

    def it_is_confined(self):
        status = dict(line.split(":\t", 1) for line in
                      self.machine.run(f"cat /proc/{self.machine.daemon()}/status").splitlines() if ":\t" in line)
        check(status["Uid"].split()[1] != "0", f"its user is {status['Uid']}")
        check(int(status["CapEff"], 16) == CAP_NET_ADMIN, f"its capabilities are {status['CapEff']}")
        check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", f"NoNewPrivs {status['NoNewPrivs']}, Seccomp {status['Seccomp']}")
        shown = self.machine.run(f"systemctl show -p StatusText --value {NAME}")
        check("control connections followed" in shown, f"it says of itself {shown!r}")
        queues = self.machine.status()["queues"]
        check(all("waiting" in queue for queue in queues), f"what the kernel drops cannot be seen: {queues}")
        return f"{status['VmRSS'].strip()} resident"

    def it_is_there_after_a_reboot(self):
        self.machine.reboot(self.rules)
        self.machine.wait_for_service()
        transfers(self.lab)

    def firewalls_reload_and_restart(self):
        self.machine.write("/etc/systemd/system/ufw.service", FIREWALL)
        self.machine.run("systemctl daemon-reload; systemctl start ufw")
        ours = self.machine.rules()
        for verb in ("reload", "restart", "stop"):
            self.machine.run(f"systemctl {verb} ufw")
            self.machine.wait(lambda: self.machine.rules() == ours, f"the rules to be back after `systemctl {verb} ufw'")
        check(self.machine.active(NAME), "the daemon has stopped with the firewall")
        self.machine.run("rm /etc/systemd/system/ufw.service; systemctl daemon-reload")

    def rules_that_two_keep_are_told(self):
        file = f"/etc/{NAME}.conf"
        before = self.machine.run(f"cat {file}")
        self.machine.write(file, f"{before}\nrules = yes\n")
        self.machine.run(f"systemctl restart {NAME} || :")
        said = self.machine.run(f"journalctl -b -o cat --no-pager -u {NAME}")
        self.machine.write(file, before)
        self.machine.run(f"systemctl restart {NAME}-rules {NAME}")
        self.machine.wait_for_service()
        check(said.count("event=rules-twice") >= 1, f"the journal has {said[-500:]!r}")

    def killed_it_comes_back_with_its_sessions(self):
        with RawClient(self.lab) as session:
            test_streams.fetch_small(session, "PORT")
            daemon = self.machine.daemon()
            self.machine.run(f"kill -9 {daemon}")
            self.machine.wait(lambda: self.machine.daemon() not in ("0", daemon) and self.machine.active(NAME), "it to be back")
            self.goes_on(session)

    def restarted_the_rules_stay(self):
        """systemd from 253 on restarts the unit of the rules with the daemon's, and where that has died."""
        ours = self.machine.rules()
        for verb in ("kill", "restart", "restart-rules"):
            daemon = self.machine.daemon()
            script = {"kill": f"kill -9 {daemon}", "restart": f"systemctl restart {NAME}", "restart-rules": f"systemctl restart {NAME}-rules"}[verb]
            with self.machine.rules_stay(script):
                self.machine.wait(lambda: verb == "restart-rules" or self.machine.daemon() not in ("0", daemon), "another daemon")
                self.machine.wait_for_service()
            check(self.machine.rules() == ours, f"after `{script}' the rules are not as they were")

    def upgraded_amid_a_session(self):
        """The rules stay, and the session goes on."""
        with RawClient(self.lab) as session:
            test_streams.fetch_small(session, "PORT")
            daemon, ours = self.machine.daemon(), self.machine.rules()
            with self.machine.rules_stay(f"dpkg -i {self.debs} >/dev/null"):
                check(self.machine.rules() == ours, "the rules are not as they were")
                self.machine.wait_for_service()
            check(self.machine.daemon() != daemon, "it was not restarted")
            self.goes_on(session)

    @staticmethod
    def goes_on(session):
        session.command("NOOP", (200,))
        session.command("NOOP", (200,))
        test_streams.fetch_small(session, "PORT")
        test_streams.fetch_small(session, "PASV")

    def removed_the_rules_are_as_before(self):
        self.machine.run(f"dpkg -r {NAME}-tools {NAME} >/dev/null 2>&1")
        self.machine.wait(lambda: self.machine.rules() == self.rules, "the rules to be as they were")

    def purged_nothing_is_left(self):
        self.machine.run(f"dpkg -P {NAME}-tools {NAME} >/dev/null 2>&1; test ! -e /run/{NAME}")
        left = snapshot("/", self.machine.ask) - self.before[0], users("/", self.machine.ask) - self.before[1]
        check(not left[0] and not left[1], f"left are {sorted(left[0])[:10]} {sorted(left[1])}")

    CASES = (installed_it_runs, it_is_confined, it_is_there_after_a_reboot, firewalls_reload_and_restart, rules_that_two_keep_are_told,
             killed_it_comes_back_with_its_sessions, restarted_the_rules_stay, upgraded_amid_a_session, removed_the_rules_are_as_before,
             purged_nothing_is_left)

    def tell(self, suite):
        """One line a case. Return: how many failed."""
        failed = 0
        for case in self.CASES:
            name = f"{suite}/{case.__name__.replace('_', '-')}"
            started = time.monotonic()
            try:
                measured = case(self)
                print(f"PASS {name}: {f'{measured}, ' if measured else ''}{time.monotonic() - started:.1f} s", flush=True)
            except (Failure, Wrong, OSError, LabError) as why:
                print(f"FAIL {name}: {' '.join(str(why).split())}", flush=True)
                failed += 1
        return failed


def without_counters(lines):
    """The rules that iptables-save lists; of an empty chain it says only what becomes of packets. An empty table does nothing."""
    return [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if line[:1] in "-:" and not re.match(r":\w+ ACCEPT ", line)]
