# SPDX-License-Identifier: GPL-2.0-or-later
"""What only a stock kernel can show: conntrack zones, the packet's own word on its connection, a bad
network, and data connections that are queued."""

import time

import test_streams
from cases import daemon_lab
from lab import FTP_PORT
from rawftp import RawClient, Timeouts, check, next_port
from servers import Server
from test_rules import queued
from variants import PREFIX

ZONE = 7
TRANSFERS = 100
PATIENCE = 30  # seconds: through many retransmissions


# ---------------------------------------------------------------------------------------------------------------------
# Zones

def set_zone(lab):
    """All that the router forwards belongs to a zone that is not the default one."""
    rules = f"table inet zones {{ chain everything {{ type filter hook prerouting priority raw; ct zone set {ZONE}; }}; }}"
    lab.run("router", ["nft", "-f", "-"], check=True, input=rules)


def transfers_in_zone(lab, mode, family):
    """A data connection is in the zone too, so it is admitted only if it was expected there; the connection has to be found
    there to begin with."""
    with RawClient(lab, family=family) as session:
        for number in range(3):
            test_streams.fetch_small(session, mode, port=next_port(number))
    elsewhere = [line for line in lab.conntrack("-L", "-p", "tcp") if f"zone={ZONE} " not in line]
    check(not elsewhere, f"connections outside of zone {ZONE}: {elsewhere}")


def group_zones(variant):
    def group(options, report):
        for topology, modes in (("masquerade", (("PORT", 4), ("EPRT", 6))), ("dnat", (("PASV", 4), ("EPSV", 6)))):
            with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server("vsftpd", lab) as server:
                set_zone(lab)
                test_streams.serve_files(server)
                for mode, family in modes:
                    report.case(f"{PREFIX}/{variant.name}/zone/{topology}/{mode}/ipv{family}", transfers_in_zone, lab, mode,
                                family)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# A bad network

NETEM = "delay 4ms 2ms loss 5% duplicate 5% reorder 25% 50%".split()


def spoil(lab, role, interface):
    """Control packets that leave by this interface are delayed, lost, doubled and overtaken; others are not."""
    def tc(*words):
        lab.run(role, ["tc", *words[:2], "dev", interface, *words[2:]], check=True)

    tc("qdisc", "add", "root", "handle", "1:", "prio", "bands", "3", "priomap", *("0 " * 16).split())
    tc("qdisc", "add", "parent", "1:3", "handle", "30:", "netem", *NETEM)
    for which in ("src_port", "dst_port"):
        tc("filter", "add", "parent", "1:", "protocol", "ip", "prio", "1", "flower", "ip_proto", "tcp", which, str(FTP_PORT),
           "classid", "1:3")


def spoil_all(lab):
    """Both ways, before the router has seen the packets and after."""
    for role, interface in (("client", "eth0"), ("router", "client"), ("server", "eth0"), ("router", "server")):
        spoil(lab, role, interface)
    for role in ("client", "server"):  # a lost packet costs 0.2 s otherwise
        route = lab.run(role, ["ip", "-4", "route", "show", "dev", "eth0"], check=True).stdout.splitlines()
        for line in route:
            lab.run(role, ["ip", "route", "change", *line.split(), "dev", "eth0", "rto_min", "40ms"], check=True)


def transfers_through_bad_network(lab, how_many):
    timeouts = Timeouts(lab)
    start = time.monotonic()
    with RawClient(lab, timeout=PATIENCE) as session:
        for number in range(how_many):
            test_streams.fetch_small(session, "PORT", port=next_port(number), wide=number % 4 in (1, 2))
    return (f"{how_many} transfers in {time.monotonic() - start:.1f} s, {timeouts.since()} timeouts, "
            f"{timeouts.since('RetransSegs')} segments sent again")


def group_netem(variant):
    def group(options, report):
        with daemon_lab(options, "masquerade", backend="nft", **variant.options) as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            spoil_all(lab)
            report.case(f"{PREFIX}/{variant.name}/netem/PORT/ipv4", transfers_through_bad_network, lab, TRANSFERS)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Data connections that some kernels give their master's helper, and so queue

LARGE = 4 << 20
CONTROL_PACKETS = 30  # of a short session, and some to spare
EXPLANATION = "gives data connections the helper"


def large_transfers(lab, server):
    """They are whole, whether or not this kernel queues them, and when it does the log says so, once."""
    (server.pub / "large").write_bytes(bytes(LARGE))
    before = queued(lab)
    for mode, family in (("PORT", 4), ("EPSV", 6)):
        with RawClient(lab, family=family) as session:
            check(session.fetch(mode, "pub/large") == bytes(LARGE), f"{mode}: other bytes arrived")
    packets = queued(lab) - before
    time.sleep(0.5)  # it is said by the clock
    explained = lab.daemon_log.read_text().count(EXPLANATION)
    check(explained == (packets > 2 * CONTROL_PACKETS), f"{packets} packets were queued, explained {explained} times")
    return f"{packets} packets were queued for two transfers, which the log explains {explained} times"


def group_data(options, report):
    with daemon_lab(options, "masquerade", backend="nft", mode="cthelper") as lab, Server("vsftpd", lab) as server:
        report.case(f"{PREFIX}/cthelper/data-connections", large_transfers, lab, server)
