#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel module on a stock kernel: scripts/vm run 6.1 -- tests/vm/kmod_in_guest.py, after make kmod KDIR=...

How few packets reach user space, that no data connection's do, that traffic goes on without the daemon and after it has been
killed, and that the module comes and goes under traffic. What mode kmod shares with the other modes is mode_kmod_in_guest.py's.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/lab"))

import cthelper_stub  # noqa: E402 (what is imported below is found through the path above)
import test_streams  # noqa: E402
from cases import daemon_lab, main  # noqa: E402
from lab import HELPER, Lab, LabError  # noqa: E402
from rawftp import RawClient, Wrong, check, next_port  # noqa: E402
from servers import Server  # noqa: E402
from test_rules import queued  # noqa: E402

MODULE_NAME = "nf_conntrack_nfqftp"
RELEASE = os.uname().release
PREFIX = f"vm/{'.'.join(RELEASE.split('.')[:2])}/module"
MODULE = TREE / f"build/kmod/linux-headers-{RELEASE}/{MODULE_NAME}.ko"
PARAMETERS_TOO = os.environ.get("NFQ_FTP_MODULE_PARAMETERS", "").split()  # fast=0: all of this where the module deals with nothing by itself
QUEUES = "fast=0"  # where what is queued is the test
PARAMETERS = pathlib.Path(f"/sys/module/{MODULE_NAME}/parameters")
PATIENCE = 20
NOOPS, TRANSFERS, QUEUED_MAX = 100, 10, 40
LOADS = 50
LARGE = 4 << 20
HARMLESS = ("out-of-tree", "taint", "module verification",  # what the kernel says of any module that is not its own
            "hrtimer: interrupt took", "clocksource: ", "TSC found unstable")  # and of a slow machine, and its clock


def load(*parameters):
    subprocess.run(["modprobe", "-a", "nf_conntrack", "nf_nat", "nfnetlink_queue"], check=True)
    done = subprocess.run(["insmod", MODULE, *PARAMETERS_TOO, *parameters], text=True, capture_output=True)
    if done.returncode:
        raise LabError(done.stderr.strip())


def unload():
    """A namespace that is on its way out may still use it for a while."""
    deadline = time.monotonic() + PATIENCE
    while (done := subprocess.run(["rmmod", MODULE_NAME], text=True, capture_output=True)).returncode:
        if "in use" not in done.stderr or time.monotonic() > deadline:
            raise LabError(done.stderr.strip())
        time.sleep(0.1)


@contextlib.contextmanager
def loaded(*parameters):
    load(*parameters)
    try:
        yield
    finally:
        unload()


def counters():
    lines = (PARAMETERS / "counters").read_text().split()
    return dict(zip(lines[::2], map(int, lines[1::2])))


class Counted:
    """What the module's counters have gained since this was made."""

    def __init__(self):
        self.before = counters()

    def __getattr__(self, name):
        return counters()[name] - self.before[name]

    def said(self):
        return f"{self.queued} of {self.packets} packets queued, {self.payload} with payload, {self.sure} without bypass"


class BareLab(Lab):
    """Rules that assign the helper, and no daemon."""

    helper = HELPER


def complaints():
    lines = subprocess.run(["dmesg", "--level", "emerg,alert,crit,err,warn"], text=True, capture_output=True).stdout.splitlines()
    return [line for line in lines if not any(word in line for word in HARMLESS)]


# ---------------------------------------------------------------------------------------------------------------------

def few_are_queued(lab, mode, family):
    """The issue's measure, and the greeting, the login and the end with it. What a busy host delays makes acknowledgements of its own, which are
    queued while something is edited, so that there are more and never fewer: of three sessions that with the fewest counts."""
    many, said = min(queued_in_a_session(lab, mode, family) for _ in range(3))
    check(many <= QUEUED_MAX, said)
    return said


def queued_in_a_session(lab, mode, family):
    counted = Counted()
    with RawClient(lab, family=family) as session:
        for _ in range(NOOPS // TRANSFERS):
            for _ in range(TRANSFERS):
                session.command("NOOP", (200,))
            test_streams.fetch_small(session, mode, port=next_port(1))
        session.command("QUIT", (221,))
    return counted.queued, counted.said()


def data_stays(lab, server, mode, family):
    (server.pub / "large").write_bytes(bytes(LARGE))
    with RawClient(lab, family=family) as session:
        counted, before = Counted(), queued(lab)
        check(len(session.fetch(mode, "pub/large")) == LARGE, "other bytes arrived")
        check(counted.queued <= 5, f"{counted.queued} packets were queued for one transfer")
        check(queued(lab) - before == counted.queued, "packets that are not of the control connection were queued")
        return f"{counted.said()}, {counted.related} of the data connection met the helper"


def unknown_to_scan(lab, family):
    """With scan=N all that carry payload are queued."""
    (PARAMETERS / "scan").write_text("N")
    try:
        counted = Counted()
        with RawClient(lab, family=family) as session:
            for _ in range(10):
                session.command("NOOP", (200,))
        check(counted.queued >= counted.payload, counted.said())
        return counted.said()
    finally:
        (PARAMETERS / "scan").write_text("Y")


def survives_daemon(lab, family):
    """An announcement has changed the numbers; then the daemon dies, and what is queued bypasses."""
    with RawClient(lab, family=family) as session:
        mode = "PORT" if family == 4 else "EPRT"
        for wide in (True, False):
            test_streams.fetch_small(session, mode, wide=wide)
        lab.daemon_kill9()
        counted = Counted()
        for command, code in (("NOOP", 200), ("PASV" if family == 4 else "EPSV", 227 if family == 4 else 229), ("PWD", 257)) * 5:
            session.command(command, (code,))
        check(counted.queued >= 10, f"the test is none: {counted.said()}")
        lab.daemon_start()
        for _ in range(3):  # numbers, a line's beginning, one exchange
            session.command("NOOP", (200,))
        test_streams.fetch_small(session, mode)
        return counted.said()


def passes_without_daemon(lab, family):
    counted = Counted()
    with RawClient(lab, family=family) as session:
        for _ in range(20):
            session.command("NOOP", (200,))
        session.command("PASV" if family == 4 else "EPSV", (227, 229))
    check(counted.queued > 3, f"the test is none: {counted.said()}")
    return counted.said()


def hooks(lab, family):
    """Per hook the functions that are called, in their order; {} where this kernel does not tell."""
    listed = lab.run("router", ["nft", "list", "hooks", family]).stdout
    return {part.split(" ", 1)[0]: re.findall(r"^\s+[-+ ]\d{10} (.*)$", part, re.MULTILINE)
            for part in listed.split("\thook ")[1:]}


def comes_before_conntrack(lab):
    """Behind it the numbers have been adjusted already. Conntrack's hooks come and go with the rules that need them."""
    for family in ("ip", "ip6"):
        for hook in ("input", "postrouting"):
            called = hooks(lab, family)[hook]
            place = called.index(f"nfqftp_hook [{MODULE_NAME}]")
            check(called[place + 1:] == ["nf_confirm [nf_conntrack]"], f"{family} {hook}: {called}")


def group_daemon(options, report):
    with loaded(QUEUES):
        with daemon_lab(options, "masquerade", mode="kmod", backend="nft") as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            for mode, family in (("PORT", 4), ("EPRT", 6), ("PASV", 4), ("EPSV", 6)):
                report.case(f"{PREFIX}/few-are-queued/{mode}/ipv{family}", few_are_queued, lab, mode, family)
                report.case(f"{PREFIX}/data-stays/{mode}/ipv{family}", data_stays, lab, server, mode, family)
            report.case(f"{PREFIX}/scan-off", unknown_to_scan, lab, 4)
            for family in (4, 6):
                report.case(f"{PREFIX}/survives-daemon/ipv{family}", survives_daemon, lab, family)
        with BareLab("masquerade", backend="nft") as lab, Server("vsftpd", lab) as server:
            if hooks(lab, "ip"):
                report.case(f"{PREFIX}/before-conntrack", comes_before_conntrack, lab)
            else:
                report.skip(f"{PREFIX}/before-conntrack", "this kernel does not list its hooks (nfnetlink_hook)")
            for family in (4, 6):
                report.case(f"{PREFIX}/without-daemon/ipv{family}", passes_without_daemon, lab, family)


# ---------------------------------------------------------------------------------------------------------------------

class Traffic(threading.Thread):
    """Sessions, one after the other, until told to stop. Commands are pipelined, so that packets are always on their way."""

    def __init__(self, lab):
        super().__init__()
        self.lab, self.over, self.commands, self.error = lab, threading.Event(), 0, None

    def run(self):
        try:
            while not self.over.is_set():
                with RawClient(self.lab) as session:
                    for _ in range(200):
                        if self.over.is_set():
                            break
                        session.send(b"NOOP\r\nPASV\r\nPWD\r\n")
                        for code in (200, 227, 257):
                            session.reply((code,))
                            self.commands += 1
        except (Wrong, OSError) as error:
            self.error = error


# In a table of its own: the lab's has its address translation.
TABLE = "inet comes-and-goes"
RULES = f"""table {TABLE} {{
	ct helper ours {{ type "{HELPER}" protocol tcp; }}
	chain assign {{ type filter hook prerouting priority mangle; policy accept;
		tcp dport 21 ct helper set "ours"
	}}
}}
"""


# The first hook of a kind makes the kernel patch its running code (jump labels). QEMU's emulation does not always survive that, with or
# without the module: other hooks of all kinds it has are there all the time.
HOLD = "flush ruleset\ntable inet hold {\n" + "".join(
    f"chain {hook} {{ type filter hook {hook} priority filter; policy accept; ct state new; }}\n"
    for hook in ("prerouting", "input", "forward", "output", "postrouting")) + "}\n"


def comes_and_goes(lab):
    before = complaints()
    queued = 0
    threads = [Traffic(lab) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(LOADS):
            print(f"# load {number}", file=sys.stderr, flush=True)
            load(QUEUES)
            lab.run("router", ["nft", "-f", "-"], input=RULES, check=True)
            with RawClient(lab) as session:
                session.command("NOOP", (200,))
                lab.run("router", ["nft", f"delete table {TABLE}"], check=True)
                queued += counters()["queued"]
                unload()
                session.command("NOOP", (200,))
    finally:
        for thread in threads:
            thread.over.set()
        for thread in threads:
            thread.join()
    errors = [str(thread.error) for thread in threads if thread.error]
    check(not errors, f"traffic: {errors}")
    check(queued > LOADS, f"the test is none: {queued} packets queued")
    check(complaints() == before, f"dmesg: {complaints()[len(before):]}")
    return f"{LOADS} times, {sum(thread.commands for thread in threads)} commands, {queued} packets queued and bypassed"


def group_load(_options, report):
    with Lab("firewall", backend="nft") as lab, Server("vsftpd", lab):
        lab.run("router", ["nft", "-f", "-"], input=HOLD, check=True)
        report.case(f"{PREFIX}/comes-and-goes", comes_and_goes, lab)


GROUPS = {"load": group_load, "daemon": group_daemon}


if __name__ == "__main__":
    sys.argv += ["--jobs", "1"]  # there is one module
    cthelper_stub.unregister(HELPER)  # its name may be taken
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
