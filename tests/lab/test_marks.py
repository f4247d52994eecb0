#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks: on a router whose uplinks are chosen by them, control and data connections keep the uplink that they began on.

The server has an address of its own, which two uplinks of the router lead to: "outside", the main table's, and "uplink2", the
one of packets with a mark. A recipe, of those that people use, gives new connections that mark, keeps it in conntrack, and
copies it back to each packet. `rules' and `run' are told nothing of marks, and have to find a bit, and to agree on it.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was seen. Exit status 1 if
one failed.
"""

import contextlib
import dataclasses
import os
import re
import sys

from cases import main
from clients import CLIENTS, Get
from lab import PATIENCE, Lab, wait_until
from rawftp import check
from servers import Server
from test_rules import BINARY, missing

CONTENT = os.urandom(100000)
SERVICE = "203.0.113.99"
SECOND = ("198.51.102.254", "198.51.102.10")  # of the second uplink: the router's address, the server's
DEFAULT = 0x200000


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What gives new connections the second uplink: a mark and its mask, and how they are copied."""

    mark: int
    mask: int
    setting: str

    @property
    def labels(self):
        return self.mask == 0xffffffff

    def script(self):
        return self.setting.format(mark=hex(self.mark), mask=hex(self.mask), rest=hex(self.mask ^ 0xffffffff))


# The bits of Tailscale, and of OpenWrt's pbr: 0xff0000; mwan3's are 0x3f00.
IPTABLES = """iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask {mask} --ctmask {mask}
    iptables -t mangle -A PREROUTING -i inside -m conntrack --ctstate NEW -j MARK --set-xmark {mark}/{mask}
    iptables -t mangle -A PREROUTING -m mark ! --mark 0/{mask} -j CONNMARK --save-mark --nfmask {mask} --ctmask {mask}
    ip rule add fwmark {mark}/{mask} table 102"""
NFT = """nft add table inet uplinks
    nft 'add chain inet uplinks c {{ type filter hook prerouting priority mangle; }}'
    nft 'add rule inet uplinks c iifname "inside" ct state new ct mark set ct mark & {rest} | {mark}'
    nft 'add rule inet uplinks c meta mark set ct mark & {mask}'
    ip rule add fwmark {mark}/{mask} table 102"""
RECIPES = {
    "tailscale-like": Recipe(0x80000, 0xff0000, IPTABLES),
    "pbr-like": Recipe(0x20000, 0xff0000, NFT),
    "mwan3-like": Recipe(0x200, 0x3f00, IPTABLES),
    "whole": Recipe(2, 0xffffffff, IPTABLES),  # no bit is left: --label
}


def second_uplink(lab, server):
    """A cable from the router to the server, and both ways to the address that the server is dialled at."""
    lab.run("router", ["sh", "-e", "-c", f"""
        ip link add uplink2 type veth peer name eth1
        ip address add {SECOND[0]}/24 dev uplink2; ip link set uplink2 up
        for i in all outside uplink2; do echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done
        ip route add {SERVICE} via {lab.address('server')} dev outside"""], check=True)
    lab.run("router", ["ip", "link", "set", "eth1", "netns", str(server.process.pid)], check=True)
    lab.run("server", ["sh", "-e", "-c", f"""ip address add {SERVICE}/32 dev lo
        ip address add {SECOND[1]}/24 dev eth1; ip link set eth1 up"""], check=True)
    lab.run("router", ["sh", "-e", "-c", f"""ip route add default via {SECOND[1]} dev uplink2 table 102
        ip route add {lab.address("client")}/32 dev inside table 102
        iptables -t nat -A POSTROUTING -o uplink2 -j MASQUERADE
        iptables -A FORWARD -i inside -d {SERVICE} -p tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT"""], check=True)


def start(lab, arguments, for_rules=()):
    """Rules and daemon, told the same or nothing; but for what the daemon has to find in the rules."""
    lab.run("router", [BINARY, "rules", "--apply", "--mode", "queue", *arguments, *for_rules], check=True)
    log = lab.directory / "log"
    with open(log, "wb") as output:
        daemon = lab.popen("router", [BINARY, "run", "--mode", "queue", "--sure-queue", "1", *arguments,
                                      "--state-dir", str(lab.directory / "state")], stdout=output, stderr=output)
    wait_until(lambda: daemon.poll() is not None or "ready" in log.read_text(), 6 * PATIENCE, "the daemon to be ready")
    check(daemon.poll() is None, f"the daemon ended: {log.read_text()}")
    return int(re.search(r"mark=(0x[0-9a-f]+)/", log.read_text()).group(1), 16)


def count(lab, capture, expression):
    return len(lab.run("router", ["tcpdump", "-n", "-r", str(capture), expression], check=True).stdout.splitlines())


def transfer(lab, mode):
    """(packets on the first uplink, control's and data's on the second); the transfer need not succeed."""
    captures = {name: lab.capture("router", name, lab.directory / f"{name}-{mode}.pcap", f"tcp and host {SERVICE}")
                for name in ("outside", "uplink2")}
    target = lab.directory / f"down-{mode}"
    result = CLIENTS["curl"].transfer(lab, mode, 4, [Get("pub/down", str(target))], host=SERVICE)
    arrived = target.read_bytes() if target.exists() else b""
    files = {name: capture.stop() for name, capture in captures.items()}
    return (result, arrived, count(lab, files["outside"], "tcp"), count(lab, files["uplink2"], "port 21"),
            count(lab, files["uplink2"], "not port 21"))


def sure_packets(lab):
    """How many packets the queue of marked connections has seen."""
    table = lab.run("router", ["cat", "/proc/net/netfilter/nfnetlink_queue"], check=True).stdout
    return sum(int(line.split()[7]) for line in table.splitlines() if line.split()[0] == "1")


def keeps_uplink(lab, recipe, mark, mode, stays):
    lab.run("router", ["conntrack", "-F"])
    before = sure_packets(lab)
    result, arrived, astray, control, data = transfer(lab, mode)
    check(result.ok, result.why() if not result.ok else "")
    check(arrived == CONTENT, "other bytes arrived")
    check(astray == 0, f"{astray} packets took the first uplink, and {control} and {data} the second")
    check(control and data, f"{control} packets of the control connection and {data} of data ones were seen")
    entries = [line for line in lab.conntrack("-L", "-p", "tcp") if SERVICE in line]
    marks = {int(re.search(r"mark=(\d+)", line).group(1)) for line in entries if "dport=21 " not in line}
    check(marks == {recipe.mark}, f"data connections have the marks {marks}, and not {recipe.mark:#x} alone")
    marks = {int(re.search(r"mark=(\d+)", line).group(1)) for line in entries if "dport=21 " in line}
    guard = "a label" if recipe.labels else f"bit {mark:#x}"
    if recipe.labels:
        check(marks == {recipe.mark}, f"the control connection has the marks {marks}, and not {recipe.mark:#x} alone")
        check(not stays or sure_packets(lab) > before, "no packet came to the sure queue")
    else:
        check(not stays or {one & mark for one in marks} == {mark}, f"the control connection has the marks {marks}")
    return f"{guard}, {control} packets and {data} of data"


def goes_astray(lab, mode):
    """Where the bit is one of the recipe's, packets do take the wrong uplink: what this test sees is there to be seen."""
    _result, _arrived, astray, _control, _data = transfer(lab, mode)
    check(astray, "no packet took the first uplink: this test sees nothing")
    said = lab.run("router", [BINARY, "check", "--json"]).stdout
    check("mark-taken" in said, f"check does not say so: {said}")
    return f"{astray} packets took the first uplink"


def lab_with_recipe(name):
    lab = Lab("masquerade").up()
    server = Server("vsftpd", lab).start()
    (server.pub / "down").write_bytes(CONTENT)
    second_uplink(lab, server)
    lab.run("router", ["sh", "-e", "-c", RECIPES[name].script()], check=True)
    return lab


def group_uplinks(name, seqadj):
    def group(_options, report):
        prefix = f"marks/{name}/{seqadj}"
        why = missing("queue", "iptables") and missing("queue", "nft")
        if why:
            return report.skip(prefix, why)
        with contextlib.closing(lab_with_recipe(name)) as lab:
            mark = start(lab, ("--seqadj", seqadj), ("--label",) if RECIPES[name].labels else ())
            for mode in ("PORT", "PASV"):
                report.case(f"{prefix}/{mode}", keeps_uplink, lab, RECIPES[name], mark, mode,
                            seqadj == "self" and mode == "PORT")
        if seqadj == "self" and RECIPES[name].mask & DEFAULT:
            with contextlib.closing(lab_with_recipe(name)) as lab:
                start(lab, ("--seqadj", seqadj, "--mark", hex(DEFAULT)))
                report.case(f"{prefix}/its-own-bit", goes_astray, lab, "PORT")
        return None
    return group


GROUPS = {f"{name}-{seqadj}": group_uplinks(name, seqadj) for name in RECIPES for seqadj in ("self", "kernel")}

if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
