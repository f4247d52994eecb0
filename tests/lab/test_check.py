#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`check` names the cause: first nothing is wrong, then one thing is broken, and that is what must come first.

Where the remedy is a command, it is carried out, and then nothing may be wrong any more. Prints one line a case: PASS,
FAIL or SKIP, a blank, the case's name, and after a colon why, or what check said. Exit status 1 if one failed.
"""

import dataclasses
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from cases import main
from lab import TREE, end_process, wait_until
from rawftp import check
from test_rules import BINARY, STARTING, Namespace, missing

FORWARD = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
UNASSIGN = {
    "iptables": "iptables -t raw -F; ip6tables -t raw -F",
    "nft": "nft flush chain inet nfq_ftp_helper prerouting; nft flush chain inet nfq_ftp_helper output",
}
HELPERS = {"queue": "sane", "cthelper": "nfq-ftp", "kmod": "nfq-ftp"}
UNQUEUE = {
    "iptables": "iptables -t mangle -F; ip6tables -t mangle -F",
    "nft": "for hook in forward input postrouting follow; do nft flush chain inet nfq_ftp_helper $hook; done",
}


class Host(Namespace):
    """A router on which all is well: rules, a daemon, forwarding."""

    def __init__(self, mode, backend):
        self.mode, self.backend = mode, backend
        self.daemon = None

    def __enter__(self):
        super().__enter__()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nfqftp-check-"))
        self.sh(f"ip link set lo up; {FORWARD}")
        self.rules("--apply", "--mode", self.mode, "--backend", self.backend)
        return self

    def __exit__(self, *exception):
        self.stop()
        self.rules("--remove", status=None)
        super().__exit__(*exception)
        shutil.rmtree(self.directory)

    def start(self, program=BINARY):
        """The daemon; or, by a copy of it under another name, another program on its queues."""
        queues = ["--queue", "0", "--sure-queue", "1"] if self.mode == "queue" else []
        log = self.directory / "log"
        with open(log, "wb") as output:
            self.daemon = subprocess.Popen(
                self.argv([str(program), "run", "--mode", self.mode, *queues,
                           "--state-dir", str(self.directory / "state")]),
                stdout=output, stderr=output)

        def is_ready():
            check(self.daemon.poll() is None, f"the daemon ended: {log.read_text()}")
            return "ready" in log.read_text()

        wait_until(is_ready, 20, "the daemon to be ready")

    def stop(self):
        if self.daemon:
            end_process(self.daemon, timeout=10)
        self.daemon = None

    def check(self, prefix=(), status=0):
        """(first cause's row or None, the whole)."""
        done = subprocess.run(self.argv([*prefix, BINARY, "check", "--json"]), text=True, capture_output=True,
                              timeout=120)
        check(done.returncode == status, f"check ended with status {done.returncode}: {done.stderr}")
        said = json.loads(done.stdout)
        return said["first"], said


@dataclasses.dataclass(frozen=True)
class Broken:
    """A set-up with one thing broken: by a script, or a function of the host."""

    cause: str
    script: str = ""
    break_it: callable = None
    mends: bool = True  # the remedy is a command that mends it here
    modes: tuple = ("queue", "cthelper", "kmod")


def take_queue(host, name="suricata"):
    host.stop()
    program = host.directory / name
    shutil.copy(BINARY, program)
    host.start(program)


def desert(host):
    """As the kill of a control group: the daemon has no time to replace its guard."""
    host.daemon.send_signal(signal.SIGSTOP)
    subprocess.run(["pkill", "-KILL", "-P", str(host.daemon.pid), "nfq-ftp-guard"], check=True)
    host.daemon.kill()
    host.daemon.wait()
    host.daemon = None


ASSIGN = """nft add table inet t; nft 'add ct helper inet t h {{{{ type "{{helper}}" protocol tcp; }}}}'
    nft 'add chain inet t c {{{{ type filter hook prerouting priority {}; }}}}'
    nft 'add rule inet t c tcp dport 21 ct helper set "h"'"""

BROKEN = {
    "no-helper": Broken("no-helper", "{unassign}"),
    "not-queued": Broken("not-queued", "{unqueue}", modes=("queue",)),
    "related": Broken("related-not-accepted", """iptables -P FORWARD DROP
        iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"""),
    "related-nft": Broken("related-not-accepted", """nft add table inet t
        nft 'add chain inet t c {{ type filter hook input priority 0; policy drop; }}'
        nft add rule inet t c ct state established accept"""),
    "related-of-ftp-only": Broken("related-not-accepted", """iptables -P FORWARD DROP
        iptables -A FORWARD -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT"""),
    "invalid": Broken("invalid-dropped", "iptables -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP"),
    "kernel-ftp-helper": Broken("kernel-ftp-helper",
                                "iptables -t raw -I PREROUTING -p tcp --dport 21 -j CT --helper ftp"),
    "kernel-ftp-helper-instead": Broken("kernel-ftp-helper", """{unassign}
        iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp""", mends=False),
    "assigned-early": Broken("helper-before-conntrack", "{unassign}; " + ASSIGN.format(-300)),
    "assigned-with-conntrack": Broken("helper-before-conntrack", "{unassign}; " + ASSIGN.format(-200)),
    "assigned-late": Broken("helper-behind-dnat", "{unassign}; " + ASSIGN.format(0) + """
        iptables -t nat -A PREROUTING -p tcp --dport 21 -j DNAT --to-destination 10.0.0.2"""),
    "notrack": Broken("not-tracked", "iptables -t raw -I PREROUTING -p tcp --dport 21 -j NOTRACK"),
    "notrack-replies": Broken("not-tracked", "iptables -t raw -A PREROUTING -p tcp -m multiport --sports 20,21 -j CT --notrack"),
    "notrack-all": Broken("not-tracked", "ip6tables -t raw -A OUTPUT -p tcp -j NOTRACK"),
    "notrack-nft": Broken("not-tracked", """nft add table inet t
        nft 'add chain inet t c {{ type filter hook prerouting priority raw; }}'
        nft 'add rule inet t c tcp dport {{ 20-25, 80 }} notrack'"""),
    "dnat-port": Broken("dnat-port", """iptables -t nat -A PREROUTING -d 198.51.100.1 -p tcp --dport 2121 -j DNAT \\
        --to-destination 10.0.0.2:21"""),
    "dnat-port-ipv6": Broken("dnat-port", """ip6tables -t nat -A PREROUTING -p tcp --dport 2121 -j DNAT \\
        --to-destination [fd00::2]:21"""),
    "dnat-port-nft": Broken("dnat-port", """nft add table ip t
        nft 'add chain ip t c {{ type nat hook prerouting priority dstnat; }}'
        nft 'add rule ip t c tcp dport 2121 dnat to 10.0.0.2:21'"""),
    "dnat-port-behind": Broken("dnat-port", """iptables -t nat -A PREROUTING -p tcp --dport 21 -j REDIRECT --to-ports 2121""",
                               modes=("queue",)),
    "synproxy": Broken("synproxy", """iptables -A FORWARD -p tcp --dport 21 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY \\
        --sack-perm --timestamp --wscale 7 --mss 1460"""),
    "conntrack-timeout": Broken("conntrack-timeout", "echo 600 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"),
    "kernel-ftp-helper-of-firewalld": Broken("kernel-ftp-helper", """nft add table inet firewalld
        nft 'add ct helper inet firewalld helper-ftp-tcp {{ type "ftp" protocol tcp; }}'
        nft 'add chain inet firewalld filter_INPUT {{ type filter hook input priority 10; }}'
        nft 'add chain inet firewalld filter_IN_public_allow'; nft 'add rule inet firewalld filter_INPUT jump filter_IN_public_allow'
        nft 'add rule inet firewalld filter_IN_public_allow tcp dport 21 ct helper set "helper-ftp-tcp"'""", mends=False),
    "legacy-drops": Broken("related-not-accepted", """iptables-legacy -P FORWARD DROP
        iptables-legacy -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"""),
    # Not in mode kmod: the module's bit is the whole machine's, and a remedy would change it under the other tests that run there.
    "mark-routed": Broken("mark-taken", """ip rule add fwmark 0x80000/0xff0000 table 52
        iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000""", modes=("queue", "cthelper")),
    "mark-overwritten": Broken("mark-taken", "iptables -t mangle -A FORWARD -j CONNMARK --set-xmark 0x10000/0xff0000",
                               modes=("queue", "cthelper")),
    "mark-asked-for": Broken("mark-taken", """nft add table inet t; nft 'add chain inet t c {{ type filter hook forward priority 0; }}'
        nft 'add rule inet t c ct mark & 0x00f00000 != 0 accept'""", modes=("queue", "cthelper")),
    "no-forwarding": Broken("no-forwarding", "echo 0 >/proc/sys/net/ipv4/ip_forward"),
    "queue-taken": Broken("queue-taken", break_it=take_queue, mends=False, modes=("queue",)),
    "deserted": Broken("deserted", break_it=desert, mends=False, modes=("cthelper",)),
    "no-daemon": Broken("no-daemon", break_it=Host.stop, mends=False),
    "no-daemon-and-related": Broken("no-daemon", "iptables -P FORWARD DROP", Host.stop, mends=False),
    "invalid-and-no-forwarding": Broken("invalid-dropped", """echo 0 >/proc/sys/net/ipv4/ip_forward
        iptables -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP""", mends=False),
}

NAMES = {"notrack": "-p tcp -m tcp --dport 21 -j NOTRACK", "assigned-late": "nft rule inet t c handle",
         "kernel-ftp-helper-of-firewalld": "nft rule inet firewalld filter_IN_public_allow handle",
         "dnat-port": "port 2121 to 21", "dnat-port-behind": "no rule queues packets of port 2121",
         "legacy-drops": "of iptables-legacy", "mark-routed": "ip rule 32765: fwmark 0x80000/0xff0000", "mark-overwritten": "--set-xmark 0x10000/0xff0000",
         "mark-asked-for": "nft rule inet t c handle",
         "queue-taken": "suricata", "kernel-ftp-helper": "--helper ftp", "invalid": "--ctstate INVALID"}


def mend(host, remedy):
    """Carries out the remedy; our own program's is the one that is tested, and with the set-up's own options.

    What a remedy leaves for the next start of the machine is not to be left on this one.
    """
    script, ours, arguments = remedy.partition("nfq-ftp-helper rules --apply")
    if script:
        host.run("unshare", "--mount", "sh", "-ec", "for d in sysctl modprobe modules-load; do mount -t tmpfs none /etc/$d.d; done; " + script)
    if ours:
        said = arguments.partition(", and start")[0].split()
        for name, value in (("--mode", host.mode), ("--backend", host.backend)):
            check(name not in said or said[said.index(name) + 1] == value, f"the remedy is for another {name}: {remedy}")
        host.rules("--apply", "--mode", host.mode, "--backend", host.backend, *said)


def names_cause(broken, name, mode, backend):
    with Host(mode, backend) as host:
        host.start()
        first, _said = host.check()
        check(first is None, f"before anything was broken: {first}")
        if broken.script:
            host.sh(broken.script.format(unassign=UNASSIGN[backend], unqueue=UNQUEUE[backend], helper=HELPERS[mode]))
        if broken.break_it:
            broken.break_it(host)
        first, _said = host.check()
        check(first, "nothing was found")
        check(first["cause"] == broken.cause, f"{first['cause']} comes first: {first['text']}")
        check(NAMES.get(name, "") in first["text"], f"{NAMES.get(name)} is not named: {first['text']}")
        check(first.get("remedy"), "there is no remedy")
        if "sysctl -w net.netfilter." in first["remedy"]:
            check("/etc/sysctl.d/" in first["remedy"] and "nf_conntrack >/etc/modules-load.d/" in first["remedy"],
                  f"the machine's next start undoes it: {first['remedy']}")
        if broken.mends:
            mend(host, first["remedy"])
            rest, _said = host.check()
            check(rest is None, f"`{first['remedy']}' does not mend it: {rest}")
        return f"{first['text']} -> {first['remedy']}"


# Sounding alike, but in nobody's way.
SOUND = {
    "notrack": """iptables -t raw -I PREROUTING -p tcp --dport 2121 -j NOTRACK; iptables -t raw -I PREROUTING -p udp -j NOTRACK
        iptables -t raw -A PREROUTING -p tcp --dport 21 -j NOTRACK; iptables -t raw -I OUTPUT -o lo -j NOTRACK
        nft add table inet t; nft 'add chain inet t c { type filter hook prerouting priority raw; }'
        nft 'add rule inet t c udp dport 21 notrack'; nft 'add chain inet t unused'; nft 'add rule inet t unused notrack'""",
    "dnat": """iptables -t nat -A PREROUTING -p tcp --dport 2121 -j DNAT --to-destination 10.0.0.2:2122
        iptables -t nat -A PREROUTING -p tcp --dport 21 -j DNAT --to-destination 10.0.0.2
        iptables -t nat -A PREROUTING -p tcp --dport 21 -j DNAT --to-destination 10.0.0.2:21
        iptables -t nat -A PREROUTING -p udp --dport 2121 -j REDIRECT --to-ports 21""",
    "assigned-late-without-dnat": "iptables -t raw -F PREROUTING; " + ASSIGN.format(0).format(helper="sane"),
    "assigned-early-besides": ASSIGN.format(-300).format(helper="sane"),
    "assigned-late-besides": ASSIGN.format(0).format(helper="sane") + "; iptables -t nat -A PREROUTING -p tcp --dport 21 -j DNAT --to 10.0.0.2",
    "synproxy": "iptables -A FORWARD -p tcp --dport 80 -j SYNPROXY --mss 1460",
    "timeout": "echo 3600 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
    "firewalld": """nft add table inet firewalld; nft 'add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; }'
        nft 'add rule inet firewalld filter_FORWARD ct state invalid drop'""",
}


def names_nothing(setting, *rules):
    with Host("queue", "iptables") as host:
        host.start()
        if rules:
            host.rules("--apply", "--mode", host.mode, "--backend", host.backend, *rules)
        host.sh(setting)
        first, _said = host.check()
        check(first is None, f"first comes: {first}")


def knows_guard():
    """By its name, which is not the daemon's: a queue that it holds is nobody else's. Of another name it is, "queue-taken" above."""
    with Host("queue", "iptables") as host:
        host.start()
        take_queue(host, "nfq-ftp-guard")
        first, _said = host.check()
        check(first is None, f"first comes: {first}")


# What is only worth knowing: a row of this name, where there is something of the kind.
NOTES = {
    "zones": "iptables -t raw -A PREROUTING -i lan -j CT --zone-orig 1",
    "iptables-legacy": "iptables-legacy -t mangle -A FORWARD -p icmp -j ACCEPT",
    "bridge": "ip link add br0 type bridge; echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables",
    "firewalld": SOUND["firewalld"],
    "fw4": "nft add table inet fw4; nft 'add chain inet fw4 forward { type filter hook forward priority filter; }'",
    "ufw": "iptables -N ufw-before-forward; iptables -A FORWARD -j ufw-before-forward",
}


def notes(name, setting):
    with Host("queue", "iptables") as host:
        host.start()
        _first, said = host.check()
        check(name not in [row["name"] for row in said["rows"]], "there is such a row before there is reason for it")
        host.sh(setting)
        first, said = host.check()
        row = next((row for row in said["rows"] if row["name"] == name), None)
        check(row and row["level"] == "note", f"the row is: {row}")
        check(first is None, f"first comes: {first}")
        return row["text"]


# What this machine's kernel cannot have, as nft or sysctl show it elsewhere: programs and files that say so.
FLOW_TABLE = json.dumps({"nftables": [
    {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
    {"table": {"family": "inet", "name": "fw", "handle": 1}},
    {"flowtable": {"family": "inet", "name": "ft", "table": "fw", "handle": 2, "hook": "ingress", "prio": 0, "dev": ["lan", "wan"]}},
    {"chain": {"family": "inet", "table": "fw", "name": "f", "handle": 3, "type": "filter", "hook": "forward", "prio": 0,
               "policy": "accept"}},
    {"rule": {"family": "inet", "table": "fw", "chain": "f", "handle": 4, "expr": [
        {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}},
        {"flow": {"op": "add", "flowtable": "@ft"}}]}}]})
FLOW_TABLE_UNUSED = json.dumps({"nftables": [part for part in json.loads(FLOW_TABLE)["nftables"] if "rule" not in part]})
SAY = """mount -t tmpfs none /usr/local/sbin; printf '#!/bin/sh\\ncat <<E\\n%s\\nE\\n' "$1" >/usr/local/sbin/nft
    chmod +x /usr/local/sbin/nft; shift; exec "$@" """
IPVS = """mount -t tmpfs none /mnt; mkdir /mnt/vs; echo "$1" >/mnt/vs/conntrack; echo 1 >/mnt/ip_forward
    mount --bind /mnt /proc/sys/net/ipv4; shift; exec "$@" """


def has_row(answer, name, level, cause):
    first, said = answer
    row = next((row for row in said["rows"] if row["name"] == name), None)
    check(row and row["level"] == level, f"the row is {row}")
    check((first and first["cause"]) == cause, f"first comes: {first}")
    return row["text"]


def recorded_without(script, said, name):
    """Sounding alike, and in nobody's way: there is no such row."""
    with Host("queue", "iptables") as host:
        host.start()
        first, answer = host.check(["unshare", "--mount", "sh", "-ec", script, "sh", said])
        check(name not in [row["name"] for row in answer["rows"]], f"there is such a row: {answer['rows']}")
        check(first is None, f"first comes: {first}")
        return "recorded"


def recorded(script, said, name, level, cause):
    with Host("queue", "iptables") as host:
        host.start()
        answer = host.check(["unshare", "--mount", "sh", "-ec", script, "sh", said])
        return f"recorded; {has_row(answer, name, level, cause)}"


# The same where the kernel has them; a kernel without is what the recorded ones are for.
FLOW_TABLE_RULES = """ip link add lan type veth peer name wan; nft -f - <<E
    table inet fw {
        flowtable ft { hook ingress priority 0; devices = { lan, wan }; }
        chain f { type filter hook forward priority 0; ct state established flow add @ft; }
    }
E"""


def names_flow_table():
    with Host("queue", "iptables") as host:
        host.start()
        host.sh(FLOW_TABLE_RULES)
        return has_row(host.check(), "flow table", "note", None)


def names_ipvs():
    """And the command that is said mends it."""
    with Host("queue", "iptables") as host:
        host.start()
        first, said = host.check()
        text = has_row((first, said), "IPVS", "no", "ipvs-without-conntrack")
        mend(host, first["remedy"])
        has_row(host.check(), "IPVS", "yes", None)
        return text


def why_no_flow_table():
    with Namespace() as namespace:
        done = namespace.run("sh", "-ec", FLOW_TABLE_RULES, status=None)
        return (done.stderr.strip().splitlines() or ["nft fails"])[0] if done.returncode else None


def why_no_ipvs():
    """It is not loaded for this: every network namespace of the machine has it then, and check says so in all other cases."""
    with Namespace() as namespace:
        done = namespace.run("test", "-e", "/proc/sys/net/ipv4/vs/conntrack", status=None)
        return "the module ip_vs is not loaded" if done.returncode else None


KILL_HELPER = "for family in inet inet6; do nfct helper delete nfq-ftp $family tcp; done"


def names_dead_helper():
    """Rules name a helper that somebody has taken away: newer kernels do that without asking. And the command that is said mends it."""
    with Host("cthelper", "nft") as host:
        host.sh(KILL_HELPER)
        first, _said = host.check()
        check(first and first["cause"] == "helper-dead", f"first comes: {first}")
        check(first["remedy"] == "nfq-ftp-helper rules --apply --mode cthelper --backend nft", f"the remedy: {first['remedy']}")
        with tempfile.TemporaryDirectory() as directory:
            said = host.run("timeout", "-s", "TERM", STARTING, BINARY, "run", "--mode", "cthelper", "--state-dir", directory, status=None).stderr
        check("has been taken away" in said, f"run said: {said}")
        host.sh(KILL_HELPER)
        mend(host, first["remedy"])
        host.start()
        rest, _said = host.check()
        check(rest is None, f"`{first['remedy']}' does not mend it: {rest}")
        return first["text"]


def why_no_dead_helper():
    why = missing("cthelper", "nft")
    if why:
        return why
    with Namespace() as namespace:
        namespace.rules("--apply", "--mode", "cthelper", "--backend", "nft")
        done = namespace.run("sh", "-ec", KILL_HELPER, status=None)
        return (done.stderr.strip().splitlines() or ["it stays"])[0] if done.returncode else None


def names_rights(mode, backend):
    with Host(mode, backend) as host:
        host.start()
        first, said = host.check(["setpriv", "--bounding-set", "-net_admin"], status=1)
        check(first and first["cause"] == "rights", f"first comes: {first}")
        check(not any(said["modes"].values()), "a mode can run nevertheless")
        return f"{first['text']} -> {first['remedy']}"


HIDE = 'for program in nft iptables; do mount --bind /dev/null "$(readlink -f "$(command -v "$program")")"; done; '


def names_programs():
    """Without nft and iptables no mode has rules, whatever the kernel can."""
    with Namespace() as namespace:
        done = namespace.run("unshare", "--mount", "sh", "-ec", HIDE + 'exec "$@"', "sh", BINARY, "check", "--json",
                             status=1)
        first = json.loads(done.stdout)["first"]
        check("neither nft nor iptables" in first["text"], f"first comes: {first}")
        check(first["remedy"] == "install nftables", f"the remedy: {first['remedy']}")


def takes_documented_rules():
    """README's own rules for mode queue, in which a jump asks for the port."""
    with Host("queue", "nft") as host:
        host.rules("--remove")
        host.run("nft", "-f", str(TREE / "doc/examples/router.nft"))
        host.start()
        first, _said = host.check()
        check(first is None, f"first comes: {first}")


def reads_ports():
    """Not told of ports, it looks for those of the rules that are there; told of another, it adds that to them."""
    with Host("queue", "iptables") as host:
        host.start()
        host.rules("--apply", "--mode", "queue", "--backend", "iptables", "--port", "2121")
        first, _said = host.check()
        check(first is None, f"first comes: {first}")
        for ports, wanted in (("990", "990,2121"), ("2121,990", "2121,990")):
            first = json.loads(host.run(BINARY, "check", "--json", "--port", ports, "--interface", "lo:ppp*").stdout)["first"]
            check(first and first["cause"] == "no-helper" and "990" in first["text"], f"first comes: {first}")
            command = f"nfq-ftp-helper rules --apply --mode queue --backend iptables --port {wanted} --interface lo:ppp+"
            check(first["remedy"] == command, f"the remedy: {first['remedy']}")
            host.rules(*command.split()[2:])
            first = json.loads(host.run(BINARY, "check", "--json", "--port", ports).stdout)["first"]
            check(first is None, f"the remedy does not mend it: {first}")
            host.rules("--apply", "--mode", "queue", "--backend", "iptables", "--port", "2121")


UNCHANGED = TREE / "build/tests/lab/unchanged.so"
DROPPED = "this kernel drops each packet that a program changes in a network namespace of another user namespace"


def sees_dropped(kernel_drops, *rights):
    """What newer kernels do in a rootless container's network: check and run find it out by trying, and say it in a sentence each.

    This kernel may not do it: then a library does, which turns changed packets into dropped ones. So in one that lets them pass nothing is said.
    """
    preload = ["env", f"LD_PRELOAD={UNCHANGED}"] if kernel_drops else []
    with tempfile.TemporaryDirectory(prefix="nfqftp-check-") as directory:
        def inside(*argv):
            return subprocess.run(["unshare", "--user", "--map-root-user", "--net", *rights, *preload, *argv], text=True, capture_output=True, timeout=120)

        def said_by_run():
            done = inside("timeout", "-s", "TERM", STARTING, BINARY, "run", "--mode", "queue", "--no-sandbox", "--state-dir", directory)
            return [line for line in done.stderr.splitlines() if DROPPED in line]

        answer = inside(BINARY, "check", "--json")
        row = next(row for row in json.loads(answer.stdout)["rows"] if row["name"] == "changed packets")
        if not kernel_drops and row["level"] == "no":
            return "this kernel does it"
        check(row["level"] == ("no" if kernel_drops else "yes"), f"the row is {row}")
        said = said_by_run()
        check(len(said) == kernel_drops, f"run said it {len(said)} times")
        if kernel_drops:
            first = json.loads(answer.stdout)["first"]
            check(first["cause"] == "changed-packets-dropped" and "host's network namespace" in first["remedy"], f"first comes: {first}")
        return row["text"]


def sees_no_drop_outside():
    """Of the first user namespace's own network nothing is tried by run: what is said of others' is not so here."""
    with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
        done = namespace.run("env", f"LD_PRELOAD={UNCHANGED}", "timeout", "-s", "TERM", STARTING, BINARY, "run", "--mode", "queue", "--state-dir", directory,
                             status=None)
        check("event=ready" in done.stderr and DROPPED not in done.stderr, f"run said: {done.stderr}")
        said = json.loads(namespace.run(BINARY, "check", "--json").stdout)
        row = next(row for row in said["rows"] if row["name"] == "changed packets")
        check(row["level"] == "yes", f"the row is {row}")


def tries_without_sys_admin():
    """As the unit of the rules does: a user namespace serves for a trial, but not for what depends on whose the network namespace is."""
    with Namespace() as namespace:
        said = json.loads(namespace.run("setpriv", "--bounding-set", "-sys_admin", BINARY, "check", "--json").stdout)
        rows = {row["name"]: row for row in said["rows"]}
        whole = json.loads(namespace.run(BINARY, "check", "--json").stdout)
        for name in ("data connections", "expectations", "nft", "iptables NFQUEUE"):
            wanted = next(row["level"] for row in whole["rows"] if row["name"] == name)
            check(rows[name]["level"] == wanted, f"{name}: {rows[name]}")
        check(rows["changed packets"]["level"] == "unknown", f"the row is {rows['changed packets']}")


def changes_nothing():
    """All trials are made elsewhere: neither rules nor interfaces nor queues of the present namespace change."""
    look = "nft list ruleset; ip -o link; cat /proc/net/netfilter/nfnetlink_queue 2>/dev/null || :; ip netns list"
    with Namespace() as namespace:
        namespace.sh("iptables -A FORWARD -j ACCEPT")
        before = namespace.sh(look).stdout
        namespace.run(BINARY, "check")
        check(namespace.sh(look).stdout == before, "something is different")


def prints_table():
    """The table for people has the same rows as the JSON, and the first cause in its first line."""
    with Namespace() as namespace:
        said = json.loads(namespace.run(BINARY, "check", "--json").stdout)
        text = namespace.run(BINARY, "check").stdout
        check(text.startswith(f"First: {said['first']['text']}"), f"it begins with {text.splitlines()[0]}")
        lost = [row["name"] for row in said["rows"] if row["text"] not in text or row.get("remedy", "") not in text]
        check(not lost, f"not in the table: {lost}")
        lame = [row["name"] for row in said["rows"] if row["level"] == "no" and not row.get("remedy")]
        check(not lame, f"a no without a remedy: {lame}")
        return ", ".join(f"{mode} {'yes' if can else 'no'}" for mode, can in said["modes"].items())


def refuses(*arguments):
    with Namespace() as namespace:
        done = namespace.run(BINARY, "check", *arguments, status=2)
        check(len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("nfq-ftp-helper: "),
              f"it said: {done.stderr}")


# ---------------------------------------------------------------------------------------------------------------------

def group_broken(mode, backend):
    def group(_options, report):
        prefix = f"check/{mode}/{backend}"
        why = missing(mode, backend)
        if why:
            return report.skip(prefix, why)
        for name, broken in BROKEN.items():
            if mode in broken.modes:
                report.case(f"{prefix}/{name}", names_cause, broken, name, mode, backend)
        report.case(f"{prefix}/no-rights", names_rights, mode, backend)
        if (mode, backend) == ("queue", "nft"):
            report.case(f"{prefix}/documented", takes_documented_rules)
        return None
    return group


def group_sound(_options, report):
    why = missing("queue", "iptables")
    if why:
        return report.skip("check/sound", why)
    for name, setting in SOUND.items():
        report.case(f"check/sound/{name}", names_nothing, setting)
    report.case("check/sound/guard", knows_guard)
    report.case("check/sound/dnat-port-known", names_nothing,
                "iptables -t nat -A PREROUTING -p tcp --dport 2121 -j DNAT --to-destination 10.0.0.2:21", "--port", "2121,21")
    for name, setting in NOTES.items():
        report.case(f"check/note/{name}", notes, name, setting)
    report.case("check/recorded/flow-table", recorded, SAY, FLOW_TABLE, "flow table", "note", None)
    report.case("check/recorded/flow-table-unused", recorded_without, SAY, FLOW_TABLE_UNUSED, "flow table")
    report.case("check/recorded/ipvs", recorded, IPVS, "0", "IPVS", "no", "ipvs-without-conntrack")
    report.case("check/recorded/ipvs-with-conntrack", recorded, IPVS, "1", "IPVS", "yes", None)
    return None


def group_parts(_options, report):
    """What few kernels have; where one lacks it, `sound' has a recorded one."""
    why = missing("queue", "iptables")
    for name, case, why_not in (("flow-table", names_flow_table, why_no_flow_table), ("ipvs", names_ipvs, why_no_ipvs),
                                ("dead-helper", names_dead_helper, why_no_dead_helper)):
        lacks = (why if name != "dead-helper" else None) or why_not()
        if lacks:
            report.skip(f"check/parts/{name}", f"this kernel has none: {lacks}")
        else:
            report.case(f"check/parts/{name}", case)


def group_words(_options, report):
    report.case("check/changes-nothing", changes_nothing)
    why = missing("queue", "iptables")
    if why:
        report.skip("check/reads-ports", why)
    else:
        report.case("check/reads-ports", reads_ports)
    report.case("check/prints-table", prints_table)
    users = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "true"], text=True, capture_output=True)
    if users.returncode:
        report.skip("check/changed-packets", f"there are no user namespaces here: {users.stderr.strip()}")
    else:
        report.case("check/changed-packets/pass", sees_dropped, False)
        report.case("check/changed-packets/dropped", sees_dropped, True)
        report.case("check/changed-packets/dropped-without-sys-admin", sees_dropped, True, "setpriv", "--bounding-set", "-sys_admin")
        report.case("check/without-sys-admin", tries_without_sys_admin)
    report.case("check/changed-packets/outside", sees_no_drop_outside)
    private = subprocess.run(["unshare", "--mount", "true"], text=True, capture_output=True)
    if private.returncode:  # in a chroot, whose root is no mount
        report.skip("check/no-programs", f"no program can be hidden here: {private.stderr.strip()}")
    else:
        report.case("check/no-programs", names_programs)
    report.case("check/usage/port", refuses, "--port", "0")
    report.case("check/usage/interface", refuses, "--interface", "*:wan")
    report.case("check/usage/backend", refuses, "--backend", "ufw")
    report.case("check/usage/operand", refuses, "all")


GROUPS = {"words": group_words, "sound": group_sound, "parts": group_parts}
GROUPS.update({f"{mode}-{backend}": group_broken(mode, backend)
               for mode in ("queue", "cthelper", "kmod") for backend in ("iptables", "nft")})

if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
