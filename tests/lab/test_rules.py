#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`rules`: what it applies works, applied twice is once, and taking it away leaves everything as it was, byte for byte.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was done. Exit
status 1 if one failed.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from cases import main
from clients import CLIENTS, Get
from lab import PATIENCE, TREE, Lab, LabError, end_process, wait_until
from rawftp import Wrong, check
from servers import Server

BINARY = str(TREE / os.environ.get("NFQ_FTP_HELPER", "build/nfq-ftp-helper"))
BACKENDS = ("iptables", "nft")
MODES = ("queue", "cthelper")
STARTING = f"{max(3, PATIENCE / 2):g}"  # seconds until run is ready, and some to say so
CONTENT = os.urandom(100000)

# What others may have on a machine before: shell commands.
SETTINGS = {
    "nothing": "",
    "iptables": """iptables -P FORWARD DROP
        iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
        iptables -t raw -A PREROUTING -p udp --dport 53 -j NOTRACK
        ip6tables -t mangle -N NFQ_OTHER; ip6tables -t mangle -A NFQ_OTHER -j ACCEPT
        ip6tables -t mangle -A FORWARD -j NFQ_OTHER""",
    "empty-tables": """iptables -t mangle -A INPUT -j ACCEPT; iptables -t mangle -D INPUT -j ACCEPT
        ip6tables -t raw -A OUTPUT -j ACCEPT; ip6tables -t raw -D OUTPUT -j ACCEPT""",
    "nft": """nft add table inet firewall
        nft 'add chain inet firewall f { type filter hook forward priority 0; policy drop; }'
        nft add rule inet firewall f ct state established,related accept
        nft add table inet nfq_ftp
        nft add table ip nfq_ftp_helper""",
}


class Namespace:
    """A network namespace without a name, which lives as long as this."""

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 3600"],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def argv(self, argv):
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", "--", *argv]

    def run(self, *argv, input=None, status=0):
        """Runs a program to its end; status None allows any."""
        done = subprocess.run(self.argv(argv), text=True, capture_output=True, input=input, timeout=120)
        if status is not None and done.returncode != status:
            raise Wrong(f"{' '.join(argv)}: status {done.returncode} instead of {status}: {done.stderr or done.stdout}")
        return done

    def sh(self, script):
        return self.run("sh", "-e", "-c", script)

    def rules(self, *arguments, status=0):
        return self.run(BINARY, "rules", *arguments, status=status)

    def ruleset(self):
        return self.run("nft", "list", "ruleset").stdout


def missing(mode, backend):
    """Why the kernel cannot have these rules, in rules' own words; None: it can."""
    with Namespace() as namespace:
        done = namespace.rules("--apply", "--mode", mode, "--backend", backend, status=None)
        namespace.rules("--remove", "--backend", backend, status=None)
        return None if done.returncode == 0 else done.stderr.strip()


# ---------------------------------------------------------------------------------------------------------------------

def leaves_no_trace(setting, mode, backend, more):
    with Namespace() as namespace:
        namespace.sh(SETTINGS[setting])
        before = namespace.ruleset()
        arguments = ("--mode", mode, "--backend", backend, *more)
        namespace.rules("--apply", *arguments)
        once = namespace.ruleset()
        check(once != before, "nothing was applied")
        namespace.rules("--apply", *arguments)
        check(namespace.ruleset() == once, "applied twice is not the same as once")
        lost = [line for line in before.splitlines() if line not in once]
        check(not lost, f"a rule of somebody else's is gone: {lost}")
        namespace.rules("--remove")
        check(namespace.ruleset() == before, "what --remove leaves is not what there was before")
        namespace.rules("--remove")
        check(namespace.ruleset() == before, "a second --remove changes something")


def replaces_itself(backend):
    """Other options take the place of the old rules; a failure leaves these as they are."""
    with Namespace() as namespace:
        before = namespace.ruleset()
        arguments = ("--apply", "--backend", backend, "--mode", "queue")
        namespace.rules(*arguments, "--interface", "lan0:wan0", "--port", "2121")
        namespace.rules(*arguments, "--seqadj", "kernel")
        after = namespace.ruleset()
        check("2121" not in after and "lan0" not in after, "rules of the first time are still there")
        namespace.rules(*arguments, "--carrier", "nosuch", status=1)
        check(namespace.ruleset() == after, "a failed --apply has changed something")
        namespace.rules("--remove")
        check(namespace.ruleset() == before, "what --remove leaves is not what there was before")


def keeps_what_is_used():
    """A table that iptables made for our rules, and that somebody uses by now, stays."""
    with Namespace() as namespace:
        namespace.rules("--apply", "--backend", "iptables", "--mode", "queue")
        namespace.sh("iptables -t mangle -A FORWARD -p tcp -j ACCEPT; iptables -t raw -A OUTPUT -p icmp -j ACCEPT")
        namespace.rules("--remove")
        left = namespace.run("iptables-save").stdout
        for rule in ("-A FORWARD -p tcp -j ACCEPT", "-A OUTPUT -p icmp -j ACCEPT"):
            check(rule in left, f"a stranger's rule is gone: {rule}")
        check("NFQ_FTP" not in namespace.ruleset() + left, "something of ours is left")


def switches_backend():
    with Namespace() as namespace:
        before = namespace.ruleset()
        namespace.rules("--apply", "--mode", "queue", "--backend", "iptables")
        namespace.rules("--apply", "--mode", "queue", "--backend", "nft")
        check("NFQ_FTP" not in namespace.ruleset(), "the rules of the other backend are still there")
        namespace.rules("--remove")
        check(namespace.ruleset() == before, "what --remove leaves is not what there was before")


def prints_what_it_applies():
    """What is printed for iptables-restore is taken by it, and is the same as what --apply puts in place."""
    options = ("--mode", "queue", "--backend", "iptables", "--seqadj", "kernel", "--queue", "4:7", "--port", "21,2121",
               "--interface", "lan:wan,dmz:")
    with Namespace() as namespace:
        text = namespace.rules(*options).stdout
        for program, start, end in (("iptables-restore", "# IPv4", "# IPv6"), ("ip6tables-restore", "# IPv6", None)):
            part = text[text.index(start):text.index(end) if end else None]
            namespace.run(program, "--noflush", input=part)
        printed = [sorted(namespace.run(save).stdout.splitlines()) for save in ("iptables-save", "ip6tables-save")]
    with Namespace() as namespace:
        namespace.rules("--apply", *options)
        applied = [sorted(line for line in namespace.run(save).stdout.splitlines() if "made this" not in line)
                   for save in ("iptables-save", "ip6tables-save")]
    # Besides the time of day:
    check([[line for line in lines if line[0] != "#"] for lines in printed] ==
          [[line for line in lines if line[0] != "#"] for lines in applied], "they differ")


def names_what_is_missing():
    with Namespace() as namespace:
        said = namespace.rules("--apply", "--mode", "queue", "--backend", "nft", status=1).stderr
        check(len(said.strip().splitlines()) == 1, f"more than one sentence: {said}")
        check("queue" in said and "--backend iptables" in said, said)
        chosen = namespace.rules("--mode", "queue").stdout
        check("backend iptables" in chosen.splitlines()[0], "without --backend, the one that works is not chosen")


def is_sentence(said, word):
    return word in said and said.startswith("nfq-ftp-helper: ") and len(said.strip().splitlines()) == 1


def refuses(arguments, word):
    with Namespace() as namespace:
        done = namespace.rules(*arguments, status=2)
        check(is_sentence(done.stderr, word), f"it said: {done.stderr}")


CONFLICTS = {
    "ftp-iptables": ("iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp",
                     "iptables -t raw -D PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp"),
    "ftp-ip6tables": ("ip6tables -t raw -A OUTPUT -p tcp -m multiport --dports 20:22 -j CT --helper ftp",
                      "ip6tables -t raw -D OUTPUT"),
    "ftp-nft": ("""nft add table inet t; nft 'add ct helper inet t f { type "ftp" protocol tcp; }'
                   nft 'add chain inet t c { type filter hook prerouting priority 0; }'
                   nft 'add rule inet t c tcp dport { 21, 990 } ct helper set "f"'""",
                "nft delete rule inet t c handle"),
    "ftp-nft-named-set": ("""nft add table inet t; nft 'add ct helper inet t f { type "ftp" protocol tcp; }'
                             nft 'add chain inet t c { type filter hook prerouting priority 0; }'
                             nft 'add set inet t ports { type inet_service; flags timeout; }'
                             nft 'add element inet t ports { 21 timeout 1h, 990 }'
                             nft 'add rule inet t c tcp dport @ports ct helper set "f"'""",
                          "nft delete rule inet t c handle"),
    "ftp-nft-map": ("""nft add table inet t; nft 'add ct helper inet t f { type "ftp" protocol tcp; }'
                       nft 'add chain inet t c { type filter hook prerouting priority 0; }'
                       nft 'add rule inet t c ct helper set tcp dport map { 21 : "f", 990 : "f" }'""",
                    "nft delete rule inet t c handle"),
    "invalid-iptables": ("iptables -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP",
                         "iptables -t mangle -D PREROUTING"),
    "invalid-nft": ("""nft add table inet t; nft add chain inet t x
                       nft 'add chain inet t c { type filter hook prerouting priority -10; }'
                       nft add rule inet t c jump x; nft add rule inet t x ct state vmap { invalid : drop }""",
                    "nft delete rule inet t x handle"),
    "invalid-nft-named-map": ("""nft add table inet t
                                 nft 'add chain inet t c { type filter hook prerouting priority -10; }'
                                 nft 'add map inet t states { type ct_state : verdict; }'
                                 nft 'add element inet t states { established : accept, invalid : drop }'
                                 nft add rule inet t c ct state vmap @states""",
                              "nft delete rule inet t c handle"),
    "related-iptables": ("iptables -P FORWARD DROP; iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
                         "ESTABLISHED,RELATED -j ACCEPT"),
    "related-nft": ("""nft add table inet t
                       nft 'add chain inet t c { type filter hook forward priority 0; policy drop; }'
                       nft add rule inet t c ct state established accept""",
                    "nft insert rule inet t c ct state established,related accept"),
    "related-nft-upper-case": ("""nft add table ip t
                                  nft 'add chain ip t FORWARD { type filter hook forward priority 0; policy drop; }'
                                  nft add rule ip t FORWARD ct state established accept""",
                               "nft insert rule ip t FORWARD ct state established,related accept"),
}

# Sounding alike, but in nobody's way.
NO_CONFLICT = """iptables -t raw -A PREROUTING -p tcp --dport 2121 -j CT --helper ftp
    iptables -P FORWARD DROP; iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP
    iptables -N LATER; iptables -A FORWARD -j LATER
    iptables -A LATER -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    nft add table inet t; nft 'add chain inet t c { type filter hook forward priority 0; policy drop; }'
    nft add rule inet t c ct state vmap { established : accept, related : accept, invalid : drop }
    iptables -P INPUT DROP; iptables -A INPUT -m conntrack ! --ctstate NEW,INVALID -j ACCEPT
    nft 'add chain inet t n { type filter hook forward priority 1; policy drop; }'
    nft 'add rule inet t n ct state != { new, invalid } accept'
    nft 'add chain inet t m { type filter hook forward priority 2; policy drop; }'
    nft 'add map inet t states { type ct_state : verdict; }'
    nft 'add element inet t states { established : accept, related : accept, invalid : drop }'
    nft add rule inet t m ct state vmap @states
    nft add table arp t; nft 'add chain arp t c { type filter hook input priority 0; policy drop; }'"""


def names_conflict(setting, remedy):
    with Namespace() as namespace:
        namespace.sh(setting)
        said = namespace.rules("--mode", "queue").stderr
        check(remedy in said, f"it said: {said or 'nothing'}")
        check(len(said.strip().splitlines()) == 1, f"and more: {said}")
        command = said[said.rindex("with `") + 6:said.rindex("'")]
        namespace.sh(command)
        check(not namespace.rules("--mode", "queue").stderr, f"`{command}' does not mend it")
        return command


def names_no_conflict():
    with Namespace() as namespace:
        namespace.sh(NO_CONFLICT)
        said = namespace.rules("--mode", "queue").stderr
        check(not said, f"it said: {said}")


# What others do with marks, and the bit that is left. None: no bit is.
COPY = "iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask {0} --ctmask {0}"
MARKS = {
    "nobody": ("", 0x200000),
    "tailscale": (f"""{COPY.format("0xff0000")}; ip rule add fwmark 0x80000/0xff0000 table 52
                      iptables -t mangle -A OUTPUT -m mark ! --mark 0x0/0xff0000 -j CONNMARK --save-mark --nfmask 0xff0000 \\
                          --ctmask 0xff0000""", 0x80000000),
    "pbr": ("""nft add table inet fw4; nft 'add chain inet fw4 c { type filter hook prerouting priority mangle; }'
               nft 'add rule inet fw4 c meta mark set ct mark & 0x00ff0000'
               ip rule add fwmark 0x10000/0xff0000 table 256""", 0x80000000),
    "mwan3": (f"{COPY.format('0x3f00')}; ip rule add fwmark 0x100/0x3f00 table 1", 0x200000),
    "claimed-only": ("iptables -t mangle -A OUTPUT -m mark --mark 0x200000/0x200000 -j ACCEPT", 0x80000000),
    "ipv6": ("ip6tables -t mangle -A FORWARD -m connmark ! --mark 0/0xf0600000 -j ACCEPT", 0x8000000),
    "another-protocol": ("iptables -t mangle -A PREROUTING -p udp -m connmark --mark 0x200000/0x200000 -j ACCEPT", 0x200000),
    "wireguard": ("""ip rule add not fwmark 51820 table 51820; ip -6 rule add not fwmark 51820 table 51820
                     nft add table ip wg; nft 'add chain ip wg pre { type filter hook prerouting priority mangle; }'
                     nft 'add rule ip wg pre meta l4proto udp meta mark set ct mark'
                     nft 'add chain ip wg post { type filter hook postrouting priority mangle; }'
                     nft 'add rule ip wg post meta l4proto udp meta mark 0xca6c ct mark set meta mark'""", 0x200000),
    "at-the-start": ("iptables -t mangle -A PREROUTING -m conntrack --ctstate NEW -j CONNMARK --set-xmark 0x1/0xffffffff",
                     0x200000),
    "map": ("""nft add table ip t; nft 'add chain ip t c { type filter hook prerouting priority mangle; }'
               nft 'add rule ip t c meta mark set ct mark & 0x200000 map { 0x200000 : 0x2 }'""", 0x80000000),
    "whole-restored": (f"{COPY.format('0xffffffff')}; ip rule add fwmark 1 table 1", None),
    "whole-saved": ("iptables -t mangle -A FORWARD -j CONNMARK --save-mark", None),
}


def finds_label(namespace, run):
    """Where no bit is left there are labels, as rules say; and run finds that the rules have one."""
    said = namespace.rules("--mode", "queue", "--backend", "iptables").stderr
    check("with `nfq-ftp-helper rules --apply --mode queue --backend iptables --label" in said, f"labels are not named: {said}")
    before = namespace.ruleset()
    applied = namespace.rules("--apply", "--mode", "queue", "--backend", "iptables", "--label").stderr
    check("--label" in applied and len(applied.splitlines()) == 1, f"rules said: {applied}")
    check("--label" in namespace.run("iptables-save", "-t", "mangle").stdout, "no rule asks for a label")
    started = namespace.run(*run, status=None)
    check("label=127" in started.stderr, f"run said: {started.stderr}")
    first = json.loads(namespace.run(BINARY, "check", "--json").stdout)
    check("mark-taken" not in json.dumps(first), f"check complains of the mark: {first['first']}")
    namespace.rules("--apply", "--mode", "queue", "--backend", "iptables")
    check(namespace.ruleset() == before, "without --label the rules are not as they were")


def chooses_bit(setting, bit):
    """Rules and run come to the same bit, before and after --apply; and where its place is taken then, rules find another."""
    with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
        run = ["timeout", "-s", "TERM", STARTING, BINARY, "run", "--mode", "queue", "--state-dir", directory]
        namespace.sh(setting)
        said = namespace.rules("--mode", "queue", "--backend", "iptables")
        wanted = bit or 0x200000
        check(f"--mark {wanted:#x}/{wanted:#x}" in said.stdout, f"rules said: {said.stdout.splitlines()[0]}")
        check(bool(said.stderr) == (bit is None), f"and complained: {said.stderr}")
        for apply in (False, True):
            if apply:
                namespace.rules("--apply", "--mode", "queue", "--backend", "iptables")
            started = namespace.run(*run, status=None)
            check(f"mark={wanted:#x}/{wanted:#x}" in started.stderr, f"run said: {started.stderr}")
        again = namespace.rules("--mode", "queue", "--backend", "iptables").stdout
        check(again == said.stdout, f"after --apply the rules are others: {again.splitlines()[0]}")
        if not bit:
            finds_label(namespace, run)
            return
        namespace.sh(f"iptables -t mangle -A FORWARD -m connmark --mark {bit:#x}/{bit:#x} -j ACCEPT")
        again = namespace.rules("--mode", "queue", "--backend", "iptables").stdout
        check(f"--mark {bit:#x}/" not in again, "the bit is another's now, and rules still take it")
        started = namespace.run(*run, status=None)
        check(f"mark={bit:#x}/" in started.stderr, f"run does not take the bit of the rules that are there: {started.stderr}")


BREAK_IPV6 = ("mount -t tmpfs none /usr/local/sbin; ln -s /bin/false /usr/local/sbin/ip6tables-restore; "
              'exec "$@"')


def spares_strangers_chains():
    """After a failure half-way, chains of others are as they were, though their names begin like ours."""
    with Namespace() as namespace:
        namespace.sh("""iptables -t mangle -N NFQ_FTP_MINE; iptables -t mangle -A NFQ_FTP_MINE -j ACCEPT
            iptables -t mangle -A FORWARD -j NFQ_FTP_MINE""")
        before = namespace.run("iptables-save", "-t", "mangle").stdout.splitlines()[1:-1]
        namespace.run("unshare", "--mount", "sh", "-ec", BREAK_IPV6, "sh", BINARY, "rules", "--apply", "--mode", "queue",
                      "--backend", "iptables", status=1)
        after = namespace.run("iptables-save", "-t", "mangle").stdout.splitlines()[1:-1]
        check(after == before, f"a failed --apply has made of {before} {after}")


def needs_rights(action):
    with Namespace() as namespace:
        done = namespace.run("setpriv", "--bounding-set", "-net_admin", BINARY, "rules", action, status=1)
        check(is_sentence(done.stderr, "as root"), f"it said: {done.stderr}")


def chooses_queue(*arguments):
    """What a conntrack helper cannot have, several queues and sure ones, only mode queue has."""
    with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
        said = namespace.rules(*arguments).stdout
        check("mode queue," in said.splitlines()[0], f"it said: {said.splitlines()[0]}")
        started = namespace.run("timeout", "-s", "TERM", STARTING, BINARY, "run", *arguments, "--state-dir",
                                directory, status=None)
        check("event=ready mode=queue " in started.stderr, f"run said: {started.stderr}")


def run_goes_by_rules():
    """Told of no mode and no queues, run has those of the rules that are there; told of others, it says so in one sentence before it is ready."""
    with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
        def run(*arguments):
            said = namespace.run("timeout", "-s", "TERM", STARTING, BINARY, "run", *arguments, "--state-dir", directory, status=None).stderr
            return said, [line for line in said.splitlines() if "rules that are there" in line]

        _said, complaints = run("--mode", "queue")
        check(not complaints, f"without rules it said: {complaints}")
        namespace.rules("--apply", "--mode", "queue", "--backend", "iptables", "--queue", "4:5", "--port", "2121")
        said, complaints = run()
        check("event=ready mode=queue mode-chosen=yes queue=4:5 sure-queue=6:7 " in said and not complaints, f"it said: {said}")
        said, complaints = run("--mode", "queue", "--queue", "4:5", "--sure-queue", "6:7")
        check("event=ready" in said and not complaints, f"with the rules' queues it said: {said}")
        said, complaints = run("--mode", "queue", "--queue", "8")
        check(len(complaints) == 1 and "for --queue 4:5 --sure-queue 6:7, and this was started with --queue 8" in complaints[0], f"it said: {said}")
        check(said.index(complaints[0]) < said.index("event=ready"), f"not at once: {said}")
        said, complaints = run("--mode", "cthelper")
        check(len(complaints) == 1 and "of mode queue, and this is mode cthelper" in complaints[0] and
              "`nfq-ftp-helper rules --apply --mode cthelper --backend iptables --mark 0x200000/0x200000 --port 2121'" in complaints[0], f"it said: {said}")
        said, complaints = run("--queue", "8", "--rules", "yes")
        check(not complaints, f"though it makes its own it said: {complaints}")


def has_one_queue():
    """The helper is the whole machine's: a daemon of another namespace cannot send it to another queue."""
    with Namespace() as one, Namespace() as other, tempfile.TemporaryDirectory() as directory:
        command = [BINARY, "run", "--mode", "cthelper", "--state-dir"]
        with open(f"{directory}/log", "w+", encoding="utf-8") as log:
            daemon = subprocess.Popen(one.argv([*command, f"{directory}/one", "--queue", "3"]), stderr=log)
            try:
                wait_until(lambda: "ready" in pathlib.Path(log.name).read_text(), 20, "the daemon to be ready")
                said = other.run("timeout", "10", *command, f"{directory}/other", "--queue", "5", status=1).stderr
                check("--queue 3" in said and len(said.strip().splitlines()) == 1, f"it said: {said}")
                said = other.run("timeout", "3", *command, f"{directory}/other", "--queue", "3", status=None).stderr
                check("ready" in said and "stays active" in said, f"with the same queue it said: {said}")
            finally:
                end_process(daemon, timeout=10)


def run_makes_them(mode, backend):
    """`rules = yes': those that `rules --apply' makes of the same file, while the daemon runs, and nothing is left of them."""
    with Namespace() as namespace, tempfile.TemporaryDirectory() as directory:
        file, log = pathlib.Path(directory, "conf"), pathlib.Path(directory, "log")
        file.write_text(f"mode = {mode}\nbackend = {backend}\nport = 21,2121 # two\nqueue = 7\nrules = yes\n")
        before = namespace.ruleset()
        namespace.rules("--apply", "-c", str(file))
        wanted = namespace.ruleset()
        namespace.rules("--remove")
        check(namespace.ruleset() == before, "what --remove leaves is not what there was before")
        check("2121" in wanted, "rules do not read the file")
        with open(log, "w", encoding="utf-8") as out:
            daemon = subprocess.Popen(namespace.argv([BINARY, "run", "-c", str(file), "--state-dir", f"{directory}/state"]), stderr=out)
        try:
            wait_until(lambda: daemon.poll() is not None or "ready" in log.read_text(), 20, "the daemon to be ready")
            check(daemon.poll() is None, f"it ended: {log.read_text()}")
            check(namespace.ruleset() == wanted, "the daemon's rules are others")
            namespace.run(BINARY, "run", "-c", str(file), "--state-dir", f"{directory}/state", status=1)
            check(namespace.ruleset() == wanted, "a second daemon, which cannot start, has taken the rules away")
        finally:
            status = end_process(daemon, timeout=10)
        check(status == 0 and namespace.ruleset() == before, f"what it leaves is not what there was before, status {status}")


# ---------------------------------------------------------------------------------------------------------------------
# Transfers through what was applied

def lab_with_rules(topology, backend, options, **more):
    """A lab whose own queue and helper rules have given way to ours."""
    lab = Lab(topology, engine="daemon", **more).up()
    for program in ("iptables", "ip6tables"):
        for table in ("raw", "mangle"):
            lab.run("router", [program, "-t", table, "-F"], check=True)
    lab.run("router", [BINARY, "rules", "--apply", "--mode", "queue", "--backend", backend, *options], check=True)
    return lab


def queued(lab):
    """How many packets the daemon's queues have seen so far."""
    table = lab.run("router", ["cat", "/proc/net/netfilter/nfnetlink_queue"], check=True).stdout
    return sum(int(line.split()[7]) for line in table.splitlines())


def fetch(lab, mode, family, role=None):
    target = lab.directory / f"down-{mode}-{family}"
    result = CLIENTS["curl"].transfer(lab, mode, family, [Get("pub/down", str(target))], role=role)
    check(result.ok, result.why() if not result.ok else "")
    check(target.read_bytes() == CONTENT, "other bytes arrived")
    target.unlink()


def count_packets(lab, path):
    return len(lab.run("router", ["tcpdump", "-n", "-r", str(path)], check=True).stdout.splitlines())


def each_packet_once(lab, interface, transfer):
    """Every packet of the control connection is queued exactly once; one that was lost there comes a second time."""
    time.sleep(0.3)
    before = queued(lab)
    capture = lab.capture("router", interface, lab.directory / f"{interface}.pcap", "tcp port 21")
    transfer()
    time.sleep(0.5)
    passed, seen = count_packets(lab, capture.stop()), queued(lab) - before
    check(passed <= seen <= passed + 2, f"{passed} packets of the control connection passed, {seen} were queued")
    return f"{seen} packets"


def loopback(lab):
    """Client and server on one host: packets pass output and input."""
    for chain in ("OUTPUT", "INPUT"):
        lab.run("router", ["iptables", "-P", chain, "ACCEPT"], check=True)
    return each_packet_once(lab, "lo", lambda: fetch(lab, "PASV", 4, role="router"))


def group_transfers(topology, interface, backend, seqadj):
    def group(_options, report):
        name = f"rules/transfer/{topology}/{backend}/{seqadj}"
        why = missing("queue", backend)
        if why:
            return report.skip(name, why)
        lab = lab_with_rules(topology, backend, ("--seqadj", seqadj), seqadj=seqadj)
        try:
            with Server("vsftpd", lab) as server:
                (server.pub / "down").write_bytes(CONTENT)
                for mode, family in (("PORT", 4), ("PASV", 4), ("EPRT", 6), ("EPSV", 6)):
                    report.case(f"{name}/{mode}/ipv{family}", fetch, lab, mode, family)
                if seqadj == "kernel":
                    return None  # packets without payload are not queued there
                report.case(f"{name}/each-packet-once", each_packet_once, lab, interface,
                            lambda: fetch(lab, "PORT", 4))
                if topology == "server-local":
                    report.case(f"{name}/loopback", loopback, lab)
        finally:
            lab.close()
        return None
    return group


def group_defaults(*arguments):
    """rules --apply and run, told nothing of queues, fit together; a marked connection finds its queue, too."""
    def group(_options, report):
        with Lab("masquerade") as lab, Server("vsftpd", lab) as server:
            (server.pub / "down").write_bytes(CONTENT)
            lab.run("router", [BINARY, "rules", "--apply", *arguments], check=True)
            log = lab.directory / "log"
            with open(log, "wb") as output:
                daemon = lab.popen("router", [BINARY, "run", *arguments, "--state-dir", str(lab.directory / "state")],
                                   stdout=output, stderr=output)
            wait_until(lambda: daemon.poll() is not None or "ready" in log.read_text(), 10, "the daemon to be ready")
            for mode, family in (("PORT", 4), ("EPRT", 6)):
                report.case("/".join(["rules/defaults", *(arguments or ["none"]), mode]), fetch, lab, mode, family)
    return group


# ---------------------------------------------------------------------------------------------------------------------

MUCH = ("--seqadj", "kernel", "--port", "21,2121", "--interface", "lan:wan,ppp+:", "--zone", "3")


def variants(mode):
    """A conntrack helper has one queue."""
    return {
        "plain": (),
        "label": ("--label", "--mode", "queue"),
        "much": (*MUCH, "--queue", "4" if mode == "cthelper" else "4:7"),
    }


USAGE = {
    "carrier-ftp": (("--carrier", "ftp"), "--carrier"),
    "port": (("--port", "70000"), "70000"),
    "interface": (("--interface", "eth0"), "--interface"),
    "interface-injection": (("--interface", 'a";drop:b'), "--interface"),
    "interface-any": (("--interface", "+:wan"), "--interface"),
    "sure-queue": (("--queue", "0:3", "--sure-queue", "2:5"), "--sure-queue"),
    "label-kmod": (("--label", "--mode", "kmod"), "--label"),
    "label-cthelper": (("--label", "--mode", "cthelper"), "--label"),
    "no-sure-queue": (("--queue", "65535", "--mode", "queue"), "--sure-queue"),
    "both": (("--apply", "--remove"), "--remove"),
    "operand": (("apply",), "apply"),
}


def needs_module(*arguments):
    """Rules of mode kmod without the module would be for a helper that nobody has: printed or applied, they are refused."""
    with Namespace() as namespace:
        before = namespace.ruleset()
        done = namespace.rules("--mode", "kmod", *arguments, status=1)
        check(is_sentence(done.stderr, "--mode kmod") and "nf_conntrack_nfqftp" in done.stderr, f"it said: {done.stderr}")
        check(not done.stdout and namespace.ruleset() == before, "and has made rules")
        done = namespace.run("timeout", "5", BINARY, "run", "--mode", "kmod", "--rules", "yes", status=1)
        check(is_sentence(done.stderr, "--mode kmod"), f"run said: {done.stderr}")


def advises_container():
    """In a container nobody loads modules: that is the host's affair, and is said so."""
    script = 'mount -t tmpfs none /run; : >/run/.containerenv; exec "$@"'
    with Namespace() as namespace:
        takes_modules = pathlib.Path("/proc/modules").exists()
        said = namespace.run("unshare", "--mount", "sh", "-ec", script, "sh", BINARY, "rules", "--mode", "kmod", status=1).stderr
        wanted = "modprobe nf_conntrack_nfqftp, on the host of this container" if takes_modules else "takes no modules"
        check(is_sentence(said, wanted) and "make kmod" not in said, f"it said: {said}")


def takes_wildcard(backend):
    """nft's way to write it, in both backends' rules."""
    with Namespace() as namespace:
        done = namespace.rules("--mode", "queue", "--backend", backend, "--interface", "lo:ppp*")
        check({"nft": 'oifname "ppp*"', "iptables": "-o ppp+ "}[backend] in done.stdout, f"it printed: {done.stdout}")
        check("ppp" not in done.stderr, f"it said: {done.stderr}")


def names_missing_interface():
    """It may come later, so the rules are made; but a name that is mistaken is to be seen."""
    with Namespace() as namespace:
        done = namespace.rules("--mode", "queue", "--interface", "lo:wan7")
        check(is_sentence(done.stderr, "`wan7'") and "wan7" in done.stdout, f"it said: {done.stderr}")
        namespace.sh("ip link add wan7 type dummy || ip link add wan7 type veth peer name wan8")
        done = namespace.rules("--mode", "queue", "--interface", "lo:wan7")
        check(not done.stderr, f"when it was there it said: {done.stderr}")


def remedies_repeat():
    """What was asked is asked again by the command that mends, and of the rest nothing but what is there."""
    with Namespace() as namespace:
        namespace.sh("iptables -t nat -A PREROUTING -p tcp --dport 2121 -j DNAT --to-destination 10.0.0.2:21")
        asked = ("--mode", "queue", "--backend", "iptables", "--queue", "4:5", "--interface", "lo:ppp*")
        said = namespace.rules(*asked).stderr
        check("`nfq-ftp-helper rules --apply --mode queue --backend iptables --queue 4:5 --port 21,2121 --interface lo:ppp+'" in said,
              f"it said: {said}")


def takes_last_queue(*arguments):
    """Only mode queue has a second queue, which the last number leaves none for."""
    with Namespace() as namespace:
        namespace.rules("--queue", "65535", *arguments)


def group_traces(backend, mode):
    def group(_options, report):
        name = f"rules/no-trace/{backend}/{mode}"
        why = missing(mode, backend)
        if why:
            return report.skip(name, why)
        for setting in SETTINGS:
            for variant, more in variants(mode).items():
                report.case(f"{name}/{setting}/{variant}", leaves_no_trace, setting, mode, backend, more)
        report.case(f"rules/run-makes-them/{backend}/{mode}", run_makes_them, mode, backend)
        if mode == "queue":
            report.case(f"rules/replaces-itself/{backend}", replaces_itself, backend)
        return None
    return group


def group_words(_options, report):
    report.case("rules/keeps-what-is-used", keeps_what_is_used)
    report.case("rules/prints-what-it-applies", prints_what_it_applies)
    if missing("queue", "nft"):
        report.case("rules/names-what-is-missing", names_what_is_missing)
    else:
        report.case("rules/switches-backend", switches_backend)
    report.case("rules/spares-strangers-chains", spares_strangers_chains)
    for action in ("--apply", "--remove"):
        report.case(f"rules/needs-rights/{action}", needs_rights, action)
    report.case("rules/run-goes-by-rules", run_goes_by_rules)
    report.case("rules/chooses-queue/several", chooses_queue, "--queue", "0:3")
    report.case("rules/chooses-queue/sure", chooses_queue, "--sure-queue", "1")
    for name, arguments in (("cthelper", ("--mode", "cthelper")), ("remove", ("--remove",))):
        report.case(f"rules/last-queue/{name}", takes_last_queue, *arguments)
    if pathlib.Path("/sys/module/nf_conntrack_nfqftp").exists():
        report.case("rules/last-queue/kmod", takes_last_queue, "--mode", "kmod")
    else:
        report.case("rules/needs-module/print", needs_module)
        report.case("rules/needs-module/apply", needs_module, "--apply")
        report.case("rules/advises-container", advises_container)
    for backend in BACKENDS:
        report.case(f"rules/wildcard/{backend}", takes_wildcard, backend)
    report.case("rules/missing-interface", names_missing_interface)
    report.case("rules/remedies-repeat", remedies_repeat)
    why = missing("cthelper", "nft")
    if why:
        report.skip("rules/one-queue", why)
    else:
        report.case("rules/one-queue", has_one_queue)
    for name, (arguments, word) in USAGE.items():
        report.case(f"rules/usage/{name}", refuses, arguments, word)
    for name, (setting, remedy) in CONFLICTS.items():
        report.case(f"rules/conflict/{name}", names_conflict, setting, remedy)
    report.case("rules/conflict/none", names_no_conflict)
    for name, (setting, bit) in MARKS.items():
        report.case(f"rules/mark/{name}", chooses_bit, setting, bit)


GROUPS = {"words": group_words, "defaults": group_defaults(), "defaults-self": group_defaults("--seqadj=self")}
GROUPS.update({f"traces-{backend}-{mode}": group_traces(backend, mode) for backend in BACKENDS for mode in MODES})
for _backend in BACKENDS:
    for _topology, _interface in (("masquerade", "inside"), ("dnat", "inside"), ("server-local", "inside"),
                                  ("client-local", "outside")):
        for _seqadj in ("kernel", "auto", "self"):
            GROUPS[f"transfer-{_topology}-{_backend}-{_seqadj}"] = group_transfers(_topology, _interface, _backend,
                                                                                   _seqadj)

if __name__ == "__main__":
    if not pathlib.Path(BINARY).exists():
        raise LabError(f"{BINARY} is not there: run make")
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
