#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of one direction only: asymmetric routes (what ECMP over two routers makes of a connection), and rules that queue one direction.

The log says it once for each host, nothing of such a connection is edited or opened, and the connection itself works as it would without us.
Beside each a connection of which both directions come, which must not be said to be so. Prints one line a case: PASS, FAIL or SKIP, a blank,
the case's name, and after a colon why, or what was seen. Exit status 1 if one failed.
"""

import contextlib
import re
import sys
import time

from cases import daemon_lab, main
from rawftp import Pair, check, expected_ports, next_port

BEGINNING = 2.5  # seconds: of what began when the daemon did, all may have passed unseen, and what is acknowledged is believed in the end
SILENCE = 5.5  # seconds of one direction, until it is said to be missing
CONNECTIONS = 3
ACTIVE = {4: ("PORT", "EPRT", "LPRT"), 6: ("EPRT", "LPRT")}
PASSIVE = {4: ("227", "229", "228"), 6: ("229", "228")}
PREFIX = {4: 32, 6: 128}


def said(lab):
    """(whose packets come, whose do not), a line each."""
    return re.findall(r"event=one-way come-from=(\S+) missing-from=(\S+)", lab.daemon_log.read_text(errors="replace"))


def counted(lab):
    asked = lab.run("router", [lab.binary, "metrics", "--state-dir", str(lab.directory / "state")], check=True).stdout
    return sum(int(float(line.split()[1])) for line in asked.splitlines() if re.match(r"\w*connections_one_way", line))


# ---------------------------------------------------------------------------------------------------------------------
# The other way

def stateless(lab):
    """As on one of several routers that share the way: what belongs to port 21 passes, whatever conntrack makes of it."""
    for command in ("iptables", "ip6tables"):
        lab.run("router", ["sh", "-ec", f"for way in dport sport; do {command} -I FORWARD -p tcp --$way 21 -j ACCEPT; done"], check=True)


def lay_cable(lab, server):
    """From the client to the server, past the router; nobody uses it yet. Each answers there for the addresses that it has."""
    lab._ip("client", f"link add past type veth peer name past netns {lab.netns(server)}", "link set past up")
    lab._ip(server, "link set past up")
    for role in ("client", server):
        lab._sysctl(role, "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/past/rp_filter=0", "net/ipv4/conf/eth0/rp_filter=0")
    for family in (4, 6):
        for role, other in (("client", server), (server, "client")):
            mac = lab.run(other, ["ip", "-br", "link", "show", "past"], check=True).stdout.split()[2]
            lab._ip(role, f"neigh replace {lab.address(other, family)} lladdr {mac} dev past")


def past_the_router(lab, sender, receiver, family, way=True):
    """All that one sends to the other goes by the cable."""
    lab._ip(sender, f"route {'replace' if way else 'delete'} {lab.address(receiver, family)}/{PREFIX[family]} dev past")


# ---------------------------------------------------------------------------------------------------------------------
# What is said on it

def talks(pair, rounds=3):
    for _ in range(rounds):
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")


def announces_in_vain(lab, pair):
    """Each announcement arrives as it was said, and nothing opens for it. Pair.say() compares every byte."""
    for mode in ACTIVE[pair.family]:
        port = next_port(1)
        line = pair.translated(mode, "client", port)[0]
        pair.say("client", line)
        pair.say("server", b"200 ok\r\n")
        check(port not in expected_ports(lab), f"{line!r} opened its port")
    for mode in PASSIVE[pair.family]:
        port = next_port(1)
        pair.say("client", {"227": b"PASV\r\n", "228": b"LPSV\r\n", "229": b"EPSV\r\n"}[mode])
        line = pair.translated(mode, "server", port)[0]
        pair.say("server", line)
        check(port not in expected_ports(lab), f"{line!r} opened its port")
    port = next_port(1)
    pair.say("client", pair.translated(ACTIVE[pair.family][0], "client", port)[0])
    check(not pair.admitted("client", port), "a data connection of the server's was let in")


def works_both_ways(lab, family=4, before=None):
    """One of another server of which both directions come is helped, and nothing is said of it."""
    with Pair(lab, family, server_role="server2" if before == "server" else "server") as pair:
        pair.ready()
        for mode in (ACTIVE[family][0], PASSIVE[family][1]):
            port = next_port(1)
            pair.announce(mode, port)
            pair.data(mode, port)


def one_way(lab, family, missing, server, begun):
    """`begun`: with both directions, and then the other's packets begin to go the other way."""
    before, counted_before = said(lab), counted(lab)
    sender, receiver = ("client", server) if missing == "client" else (server, "client")
    with contextlib.ExitStack() as stack:
        if not begun:
            past_the_router(lab, sender, receiver, family)
            stack.callback(past_the_router, lab, sender, receiver, family, False)
        pairs = [stack.enter_context(Pair(lab, family, server_role=server)) for _ in range(CONNECTIONS)]
        for pair in pairs:
            pair.ready()
        if begun:
            past_the_router(lab, sender, receiver, family)
            stack.callback(past_the_router, lab, sender, receiver, family, False)
        for pair in pairs:
            talks(pair)
        time.sleep(SILENCE)
        for pair in pairs:
            talks(pair)
            announces_in_vain(lab, pair)
            talks(pair)
        works_both_ways(lab, family, server)
    new = said(lab)[len(before):]
    hosts = {"client": lab.address("client", family), "server": lab.address(server, family)}
    wanted = [(hosts["server" if missing == "client" else "client"], hosts[missing])]
    return new, wanted, counted(lab) - counted_before


def says_once(*arguments):
    new, wanted, count = one_way(*arguments)
    check(new == wanted, f"the log says {new}, and not {wanted}")
    check(count == CONNECTIONS, f"{count} of {CONNECTIONS} connections are counted")
    return f"{CONNECTIONS} connections, said once of {new[0][1]}, nothing edited or opened"


def says_no_more(lab, family, missing, server):
    """It has been said of this host."""
    new, _wanted, count = one_way(lab, family, missing, server, False)
    check(new == [], f"the log says {new}")
    check(count == CONNECTIONS, f"{count} of {CONNECTIONS} connections are counted")
    return f"{count} more are counted, and nothing is said"


def asymmetric(server, family):
    def group(options, report):
        with daemon_lab(options, "firewall", daemon_args=("-v",)) as lab:
            stateless(lab)
            lay_cable(lab, server)
            time.sleep(BEGINNING)
            prefix = f"oneway/routes/ipv{family}"
            report.case(f"{prefix}/servers-only-from-its-start", says_once, lab, family, "client", server, False)
            report.case(f"{prefix}/clients-only-from-its-start", says_once, lab, family, "server", server, False)
            report.case(f"{prefix}/not-again", says_no_more, lab, family, "server", server)
        with daemon_lab(options, "firewall", daemon_args=("-v",)) as lab:
            stateless(lab)
            lay_cable(lab, server)
            time.sleep(BEGINNING)
            report.case(f"{prefix}/clients-only-later", says_once, lab, family, "server", server, True)
            report.case(f"{prefix}/servers-only-later", says_once, lab, family, "client", server, True)
    return group


def rules_of_one_direction(lab, port):
    rules = lab.run("router", ["iptables", "-t", "mangle", "-S", "FORWARD"], check=True).stdout.splitlines()
    wrong = [rule for rule in rules if port in rule]
    check(wrong, f"no rule has {port}")
    for rule in wrong:
        lab.run("router", ["iptables", "-t", "mangle", *rule.replace("-A", "-D", 1).split()], check=True)


def translated(missing, seqadj):
    """Where NAT would have the text changed: it is not, and the log says why."""
    def group(options, report):
        with daemon_lab(options, "masquerade", seqadj, daemon_args=("-v",)) as lab:
            rules_of_one_direction(lab, "--sport 21" if missing == "server" else "--dport 21")

            def unedited():
                time.sleep(BEGINNING)
                with contextlib.ExitStack() as stack:
                    pairs = [stack.enter_context(Pair(lab)) for _ in range(CONNECTIONS)]
                    for pair in pairs:
                        pair.ready()
                    time.sleep(SILENCE)
                    for pair in pairs:
                        talks(pair)
                        announces_in_vain(lab, pair)
                        talks(pair)
                hosts = {"client": lab.address("client"), "server": lab.address("server2")}
                wanted = [(hosts["server" if missing == "client" else "client"], hosts[missing])]
                check(said(lab) == wanted, f"the log says {said(lab)}, and not {wanted}")
                return f"{CONNECTIONS} connections, their PORT arrives as it was said; in the log: {len(wanted)} line"

            report.case(f"oneway/rules/{seqadj}/no-packets-of-the-{missing}", unedited)
    return group


GROUPS = {f"routes-ipv{family}": asymmetric("server2", family) for family in (4, 6)}
GROUPS.update({f"rules-{missing}-{seqadj}": translated(missing, seqadj) for missing in ("server", "client") for seqadj in ("kernel", "self")})

if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
