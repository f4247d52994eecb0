# SPDX-License-Identifier: GPL-2.0-or-later
"""Flow tables: established connections go past all rules, queues among them. Data connections may; a control connection must not, and does
not as long as it has a helper (nft_flow_offload_eval() looks for that extension), in whatever mode, and whoever adjusts its numbers.
"""

import socket

import test_streams
from cases import daemon_lab
from lab import FTP_PORT, PATIENCE, wait_until
from rawftp import RawClient, check, next_port
from servers import Server
from variants import PREFIX

# As people have it in their firewall. The lab's own chains come before it and behind it. Linux 7.3 offloads what passes a bridge only where
# the bridge's ports are named, too.
RULES = """table inet fast {
	flowtable ft { hook ingress priority 0; devices = { inside, outside, client, server }; }
	chain forward { type filter hook forward priority filter - 5; meta l4proto tcp ct state established flow add @ft; }
}
"""
LARGE = bytes(range(256)) * (4 << 12)  # 4 MiB: more than goes into the small window below
WINDOW = 32768
WAYS = (("masquerade", (("PORT", 4), ("EPRT", 6))), ("dnat", (("PASV", 4), ("EPSV", 6))))


def connections(lab, family):
    """The control connections of a family, and the others, as conntrack -L has them."""
    lines = lab.conntrack("-L", "-f", f"ipv{family}", "-p", "tcp")
    control = [line for line in lines if f" dport={FTP_PORT} " in line]
    return control, [line for line in lines if line not in control]


def offloaded(lines):
    return [line for line in lines if "OFFLOAD]" in line]


def control_stays(lab, family):
    control, _data = connections(lab, family)
    check(control, "conntrack knows no control connection")
    check(not offloaded(control), f"a control connection is offloaded: {offloaded(control)}")


def open_data(session, mode, path):
    """A transfer that has begun, and stands still since nobody reads: its data connection."""
    if mode in ("PASV", "EPSV"):
        data = session.passive(mode)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        session.command(f"RETR {path}", (125, 150))
        return data
    with session.announce(mode, next_port(1)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        session.command(f"RETR {path}", (125, 150))
        listener.settimeout(PATIENCE)
        return listener.accept()[0]


def data_only(lab, mode, family):
    """Three transfers of one session; in the middle of each its data connection is in the flow table, and never the control connection."""
    with RawClient(lab, family=family) as session:
        for _ in range(3):
            data = open_data(session, mode, "pub/large")
            wait_until(lambda: offloaded(connections(lab, family)[1]), PATIENCE, "the data connection to be offloaded")
            control_stays(lab, family)
            check(session.drain(data) == LARGE, f"{mode}: other bytes arrived")
            control_stays(lab, family)
        for _ in range(10):
            session.command("NOOP", (200,))
        control_stays(lab, family)


def without_helper(lab, family):
    """What the others would look like if nothing kept control connections off."""
    with RawClient(lab, family=family) as session:
        for _ in range(3):
            session.command("NOOP", (200,))
        wait_until(lambda: offloaded(connections(lab, family)[0]), PATIENCE, "a control connection that nobody helps to be offloaded")


def prepare(lab, server):
    lab.run("router", ["nft", "-f", "-"], check=True, input=RULES)
    (server.pub / "large").write_bytes(LARGE)
    test_streams.serve_files(server)


def group_flowtable(variant):
    def group(options, report):
        variant.prepare()
        for topology, modes in WAYS:
            with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server("vsftpd", lab) as server:
                prepare(lab, server)
                for mode, family in modes:
                    report.case(f"{PREFIX}/{variant.name}/flowtable/{topology}/{mode}/ipv{family}", data_only, lab, mode, family)
    return group


def group_flowtable_alone(options, report):
    options = type(options)(**{**vars(options), "engine": "none"})
    with daemon_lab(options, "firewall", backend="nft") as lab, Server("vsftpd", lab):
        lab.run("router", ["nft", "-f", "-"], check=True, input=RULES)
        for family in (4, 6):
            report.case(f"{PREFIX}/flowtable/without-helper/ipv{family}", without_helper, lab, family)
