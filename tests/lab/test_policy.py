#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing opens that an FTP dialogue did not announce (invariant I4), clause by clause, on the real kernel.

For each clause one dialogue that must open a port, and one, as like it as can be, that must not. "Opens" means that the router
lists the expectation, and that the connection gets through; "must not", that neither is so. Prints one line a case: PASS,
FAIL or SKIP, a blank, the case's name, and after a colon why. Exit status 1 if one failed.
"""

import contextlib
import sys
import time

from cases import daemon_lab, main
from clients import CLIENTS, Get
from rawftp import (Pair, RawClient, announced, announcement, check, connect_from, expected_ports, listen_in,
                    next_port)
from servers import Server

CONTENT = b"policy" * 1000
GONE = 0.5  # seconds within which an expectation must be gone


# ---------------------------------------------------------------------------------------------------------------------
# Must, and must not

def must_open(pair, side, port, **more):
    check(port in expected_ports(pair.lab), f"port {port} is not expected")
    check(pair.admitted(side, port, timeout=2, **more), f"port {port} is expected, but the connection does not get through")


def must_not_open(pair, side, port, **more):
    check(port not in expected_ports(pair.lab), f"port {port} is expected")
    check(not pair.admitted(side, port, **more), f"a connection to port {port} gets through")


def must_be_gone(pair, side, port):
    """It was open; now it is not any more, and that at once."""
    deadline = time.monotonic() + GONE
    while port in expected_ports(pair.lab):
        check(time.monotonic() < deadline, f"port {port} is expected still")
        time.sleep(0.01)
    check(not pair.admitted(side, port), f"a connection to port {port} gets through")


def must_be_expected(pair, port):
    """Without using it up."""
    check(port in expected_ports(pair.lab), f"port {port} is not expected")


# ---------------------------------------------------------------------------------------------------------------------
# Clauses. Each takes a lab, and whether its port must open.

def port_line(pair, port, **more):
    return pair.translated("PORT", "client", port, **more)


def announce_anyway(pair, port, line=None, arrives=None):
    """PORT in whatever state the dialogue is in. Where it must not be believed it must not be changed either."""
    said, translated = port_line(pair, port)
    pair.say("client", line or said, arrives or translated)


def greeting_220(lab, opens):
    port = next_port(0)
    with Pair(lab) as pair:
        if opens:
            pair.say("server", b"220 scripted\r\n")
            announce_anyway(pair, port)
            must_open(pair, "client", port)
        else:
            announce_anyway(pair, port, arrives=port_line(pair, port)[0])
            pair.say("server", b"220 scripted\r\n")
            must_not_open(pair, "client", port)


def greeting_120(lab, opens):
    port = next_port(0)
    with Pair(lab) as pair:
        pair.say("server", b"120 ready in a moment\r\n")
        if opens:
            pair.say("server", b"220-scripted\r\n 230 of its lines\r\n220 now\r\n")
        announce_anyway(pair, port, arrives=None if opens else port_line(pair, port)[0])
        (must_open if opens else must_not_open)(pair, "client", port)


def greeting_other(lab, opens):
    """421 and the like are no greeting, nor is what is no reply at all."""
    for greeting in (b"220 scripted\r\n", b"200 scripted\r\n", b"a banner\r\n220 scripted\r\n") if opens else (b"421 too many\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"530 no\r\n"):
        port = next_port(0)
        with Pair(lab) as pair:
            pair.say("server", greeting)
            announce_anyway(pair, port, arrives=None if opens else port_line(pair, port)[0])
            (must_open if opens else must_not_open)(pair, "client", port)


def first_line(lab, opens):
    """An HTTP request that smuggles a PORT, as browsers can be made to send, or an SMTP dialogue."""
    openings = (b"USER ftp\r\n", b"FEAT\r\n", b"HOST example.org\r\n") if opens else \
        (b"POST / HTTP/1.1\r\n", b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n", b"EHLO example.org\r\n", b"HELO a\r\n", b"\x16\x03\x01\n")
    for opening in openings:
        port = next_port(0)
        with Pair(lab) as pair:
            pair.say("server", b"220 scripted\r\n")
            pair.exchange(opening, b"500 what\r\n")
            announce_anyway(pair, port, arrives=None if opens else port_line(pair, port)[0])
            (must_open if opens else must_not_open)(pair, "client", port)


def line_start(lab, opens):
    """PORT in the middle of a line is part of a file's name, also when a segment begins with it."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        said, arrives = port_line(pair, port)
        before = b"SIZE x\r\n" if opens else b"SIZE x\r "
        pair.say("client", before)
        pair.say("client", said, arrives if opens else said)
        (must_open if opens else must_not_open)(pair, "client", port)


def whole_line(lab, opens):
    """Until its line is complete it announces nothing."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        said, arrives = port_line(pair, port)
        pair.client.send(said[:-2])
        time.sleep(0.05)
        if opens:
            pair.say("client", said[-2:], arrives)
            must_open(pair, "client", port)
        else:
            must_not_open(pair, "client", port)


def address_own(lab, opens):
    """His own address, and as NAT shows it; not one of the same network, nor of the server's, nor nobody's."""
    with Pair(lab).ready() as pair:
        own = (pair.addresses["client"], pair.seen["client"])
        others = (lab.address("client2"), lab.address("server"), lab.address("server2"), lab.plan[4].inside_router, "127.0.0.1",
                  "0.0.0.0", "255.255.255.255")
        for address in own if opens else others:
            port = next_port(0)
            said, arrives = port_line(pair, port, own=address)
            pair.say("client", said, arrives if opens else said)
            pair.say("server", b"200 ok\r\n")
            (must_open if opens else must_not_open)(pair, "client", port)


def address_eprt(lab, opens):
    with Pair(lab, 6).ready() as pair:
        own = (pair.addresses["client"], pair.seen["client"])
        others = (lab.address("client2", 6), lab.address("server", 6), "::1", "::")
        for address in own if opens else others:
            port = next_port(0)
            said, arrives = pair.translated("EPRT", "client", port, own=address)
            pair.say("client", said, arrives if opens else said)
            pair.say("server", b"200 ok\r\n")
            (must_open if opens else must_not_open)(pair, "client", port)


def third_party_connects(lab, opens):
    """To the announced port only the server may connect, not another host."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        announce_anyway(pair, port)
        must_be_expected(pair, port)
        if opens:
            check(pair.admitted("client", port, timeout=2), "the server's connection does not get through")
        else:
            check(not pair.admitted("client", port, from_role="server"), "another host's connection gets through")


def port_1024(lab, opens):
    for port in (1024, 65535) if opens else (1023, 21, 1, 0):
        for mode in ("PORT", "EPRT"):
            with Pair(lab).ready() as pair:
                said, arrives = pair.translated(mode, "client", port)
                pair.say("client", said, arrives if opens else said)
                if port:
                    (must_open if opens else must_not_open)(pair, "client", port)
                else:
                    check(not expected_ports(lab), "port 0 is expected")


def octets(lab, opens):
    """What is more than 255 is no octet, though its lower eight bits would make one."""
    own = lab.address("client")
    with Pair(lab).ready() as pair:
        for number in range(3):
            port = next_port(1)
            numbers = [*map(int, own.split(".")), port >> 8, port & 255]
            if not opens:
                numbers[(0, 3, 4)[number]] += 256
            said = f"PORT {','.join(map(str, numbers))}\r\n".encode()
            pair.say("client", said, port_line(pair, port)[1] if opens else said)
            (must_open if opens else must_not_open)(pair, "client", port)
            pair.say("server", b"200 ok\r\n")


def malformed(lab, opens):
    """Of the argument's text nothing may be missing, and nothing follow."""
    with Pair(lab).ready() as pair:
        for number in range(6):
            port = next_port(0)
            said, arrives = port_line(pair, port)
            line = said[:-2]
            if not opens:
                line = (line + b",1", line.replace(b",", b".", 1), line + b"x", line.replace(b"PORT ", b"PORT -"),
                        line.rpartition(b",")[0], line.replace(b",", b",,", 1))[number]
            pair.say("client", line + b"\r\n", arrives if opens else line + b"\r\n")
            pair.say("server", b"200 ok\r\n")
            (must_open if opens else must_not_open)(pair, "client", port)


def refused(lab, opens):
    """What the server refuses is taken back, and only that."""
    for code in (200, 250) if opens else (500, 501, 502, 421, 530):
        port = next_port(0)
        with Pair(lab).ready() as pair:
            announce_anyway(pair, port)
            must_be_expected(pair, port)
            pair.say("server", f"{code} so be it\r\n".encode())
            (must_open if opens else must_be_gone)(pair, "client", port)


def replaced(lab, opens):
    """Of two PORTs the newer counts."""
    old, new = next_port(0), next_port(1)
    with Pair(lab).ready() as pair:
        pair.announce("PORT", old)
        must_be_expected(pair, old)
        pair.announce("PORT", new)
        if opens:
            must_open(pair, "client", new)
        else:
            must_be_gone(pair, "client", old)


def used(lab, opens):
    """An announcement is good for one connection."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        pair.announce("PORT", port)
        must_open(pair, "client", port)
        if opens:
            pair.announce("PORT", next_port(0))
            pair.announce("PORT", port)
            must_open(pair, "client", port)
        else:
            must_not_open(pair, "client", port)


def closing(how):
    def closed(lab, opens):
        """When the control connection has ended nothing stays open."""
        port = next_port(0)
        pair = Pair(lab).ready()
        try:
            pair.announce("PORT", port)
            must_be_expected(pair, port)
            if opens:
                must_open(pair, "client", port)
                return
            how(pair)
            must_be_gone(pair, "client", port)
        finally:
            pair.close()
    return closed


def fin_by_client(pair):
    pair.client.close()
    check(pair.server.line() == b"", "no end arrives")
    pair.server.close()


def fin_by_server(pair):
    pair.say("server", b"221 bye\r\n")
    pair.server.close()
    check(pair.client.line() == b"", "no end arrives")
    pair.client.close()


def reset_by_client(pair):
    pair.client.close(reset=True)
    with contextlib.suppress(OSError):
        pair.server.line()


def reset_by_server(pair):
    pair.server.close(reset=True)
    with contextlib.suppress(OSError):
        pair.client.line()


def tls(lab, opens):
    """Behind AUTH and 234 what looks like PORT is ciphertext; where the server refuses AUTH it is not."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        pair.exchange(b"AUTH TLS\r\n", b"502 no TLS here\r\n" if opens else b"234 go ahead\r\n")
        announce_anyway(pair, port, arrives=None if opens else port_line(pair, port)[0])
        pair.say("server", b"200 ok\r\n")
        (must_open if opens else must_not_open)(pair, "client", port)


def tls_takes_back(lab, opens):
    """What was announced before TLS began is taken back when it begins."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        pair.announce("PORT", port)
        pair.exchange(b"NOOP\r\n" if opens else b"AUTH TLS\r\n", b"200 ok\r\n" if opens else b"234 go ahead\r\n")
        (must_open if opens else must_be_gone)(pair, "client", port)


def picked_up(lab, opens):
    """A control connection that the daemon has not seen begin: first come its numbers, on which both ends agree, then the
    next line's beginning, then one exchange of a command and its reply."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        lab.daemon_stop()
        for file in (lab.directory / "state").iterdir():
            file.unlink()
        lab.daemon_start()
        if opens:
            for _ in range(3):
                pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        announce_anyway(pair, port, arrives=None if opens else port_line(pair, port)[0])
        (must_open if opens else must_not_open)(pair, "client", port)


# --- replies that announce -------------------------------------------------------------------------------------------

def passive_reply(pair, code, port, **more):
    return pair.translated(code, "server", port, **more)


COMMAND_OF = {"227": b"PASV\r\n", "229": b"EPSV\r\n", "228": b"LPSV\r\n"}


def asked(lab, opens):
    """227, 229 and 228 count only as the answer to PASV, EPSV and LPSV, whichever of the three that was."""
    for code in COMMAND_OF:
        for command in COMMAND_OF.values() if opens else (b"NOOP\r\n", None):
            port = next_port(0)
            with Pair(lab).ready() as pair:
                said, arrives = passive_reply(pair, code, port)
                if command:
                    pair.say("client", command)
                pair.say("server", said, arrives if opens else said)
                (must_open if opens else must_not_open)(pair, "server", port)


def answered_already(lab, opens):
    """One PASV is answered once."""
    first, second = next_port(0), next_port(0)
    with Pair(lab).ready() as pair:
        pair.announce("227", first)
        if opens:
            must_open(pair, "server", first)
        else:
            said, _ = passive_reply(pair, "227", second)
            pair.say("server", said, said)
            must_not_open(pair, "server", second)


def multi_line(lab, opens):
    """A line of a multi-line reply's text is no reply; the one that ends it is."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        said, arrives = passive_reply(pair, "227", port)
        pair.say("client", b"PASV\r\n" if opens else b"HELP\r\n")
        if opens:
            pair.say("server", b"227-Entering\r\n", None)
            pair.say("server", said, arrives)
            must_open(pair, "server", port)
        else:
            pair.say("client", b"PASV\r\n")
            pair.say("server", b"214-Help follows\r\n" + said + b"214 end\r\n")
            must_not_open(pair, "server", port)


def passive_each(pair, addresses, opens):
    """227 with each of these: it opens, and leaves as it ought to; or it opens nothing, and stays."""
    for address in addresses:
        port = next_port(0)
        said, arrives = passive_reply(pair, "227", port, own=address)
        pair.say("client", b"PASV\r\n")
        pair.say("server", said, arrives if opens else said)
        (must_open if opens else must_not_open)(pair, "server", port)


def server_address(lab, opens):
    """The server's own address, and the public one that it is configured with; none else where none is mended (--foreign refuse)."""
    with Pair(lab).ready() as pair:
        own = (pair.addresses["server"], pair.seen["server"])
        others = (lab.address("server"), lab.address("client"), "127.0.0.1", "0.0.0.0", lab.plan[4].inside_router)
        passive_each(pair, own if opens else others, opens)


def behind_nat(pair):
    return pair.addresses["server"] != pair.seen["server"]


def can_change(pair):
    """Without NAT the kernel has no place for a sequence adjustment: there the text stays as it is, unless the daemon adjusts."""
    return behind_nat(pair) or pair.lab.seqadj == "self"


def mended(lab, opens):
    """A foreign address that stands for the server: its port is open at the server, for the client, and nowhere else for nobody else."""
    with Pair(lab).ready() as pair:
        foreign = ["127.0.0.1", "0.0.0.0", "10.77.7.7", "192.168.77.7", "172.16.1.1", "100.64.1.1", "169.254.1.1", "203.0.113.0",
                   lab.plan[4].inside_router]
        if behind_nat(pair):
            foreign += ["203.0.113.93", "8.8.8.8", lab.address("client"), lab.address("server"), lab.dial("server")]
        for address in foreign:
            port = next_port(0)
            said, arrives = passive_reply(pair, "227", port, own=address)
            pair.say("client", b"PASV\r\n")
            pair.say("server", said, arrives if can_change(pair) else said)
            if opens:
                must_open(pair, "server", port)
                continue
            must_be_expected(pair, port)
            check(not any(f"dst={address} " in line for line in lab.conntrack("-L", "expect")), f"{address} is expected itself")
            check(not pair.admitted("server", port, from_role="client2"), "another host's connection gets through")


def foreign_reachable(lab, opens):
    """An address that can reach somebody else is a third party's, unless NAT translates the server."""
    with Pair(lab).ready() as pair:
        own = (pair.seen["server"],)
        others = ("203.0.113.93", "8.8.8.8", "172.32.0.1", "100.128.0.1", lab.address("server"))
        passive_each(pair, own if opens else others, opens)


def filled_in(lab, opens):
    """229's port counts, whatever address is filled in; an octet above 255 does not."""
    with Pair(lab).ready() as pair:
        for address in (pair.seen["server"], "192.168.77.7", "8.8.8.8") if opens else ("8.8.8.256", "8.8.8", "8.8.8.8.8"):
            port = next_port(0)
            said = f"229 Extended Passive Mode (|1|{address}|{port}|)\r\n".encode()
            pair.say("client", b"EPSV\r\n")
            changes = opens and address != pair.seen["server"] and can_change(pair)
            pair.say("server", said, passive_reply(pair, "229", port)[0].replace(b"Entering ", b"") if changes else said)
            (must_open if opens else must_not_open)(pair, "server", port)


def notations(lab, opens):
    """As the field writes replies: passed on as they are where nothing has to change."""
    with Pair(lab).ready() as pair:
        octets = pair.seen["server"].replace(".", ", ")
        good = ("229 x (|||0{}|)", "229 x |||{}|", "229 x (||{}|)", "229 x (|||{})", "229 x |||{}", "227 x (" + octets + ", {}, {})")
        bad = ("229 x (|{}|)", "229 x (||{})", "229 x (||||{}|)", "227 x (" + octets + ", {}, {}, 1)", "227 x (" + octets + ", 2{}, 2{})")
        for text in good if opens else bad:
            port = next_port(1)
            numbers = (port,) if text.count("{}") == 1 else (port >> 8, port & 255)
            pair.say("client", b"EPSV\r\n" if text.startswith("229") else b"PASV\r\n")
            pair.say("server", text.format(*numbers).encode() + b"\r\n")
            (must_open if opens else must_not_open)(pair, "server", port)


def server_port(lab, opens):
    for code in COMMAND_OF:
        port = 1024 if opens else 1023
        with Pair(lab).ready() as pair:
            said, arrives = passive_reply(pair, code, port)
            pair.say("client", COMMAND_OF[code])
            pair.say("server", said, arrives if opens else said)
            (must_open if opens else must_not_open)(pair, "server", port)


def server_closes(lab, opens):
    port = next_port(0)
    with Pair(lab).ready() as pair:
        pair.announce("227", port)
        if opens:
            must_open(pair, "server", port)
        else:
            fin_by_server(pair)
            must_be_gone(pair, "server", port)


# ---------------------------------------------------------------------------------------------------------------------
# Third parties, with and without --loose

def third_party(lab, opens):
    """PORT to another client's address, as for a transfer between servers (FXP). Only --loose NETWORK allows it."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        other = lab.address("client2")
        said = announcement("PORT", other, port)
        pair.say("client", said)
        pair.say("server", b"200 ok\r\n")
        check((port in expected_ports(lab)) == opens, f"port {port} is {'not ' if opens else ''}expected")
        with listen_in(lab, "client2", 4, port, other) as listener:
            through = True
            try:
                connect_from(lab, "server2", other, port, timeout=2 if opens else 0.3).close()
                listener.settimeout(1)
                listener.accept()[0].close()
            except OSError:
                through = False
        check(through == opens, f"the connection {'does not get' if opens else 'gets'} through")


def third_party_reply(lab, opens):
    """227 with another server's address, as content networks have it: that very address, in text and expectation, whatever NAT there is."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        other = lab.address("server") if opens else lab.plan[4].outside_router[0].rpartition(".")[0] + ".77"
        said = announcement("227", other, port)
        pair.say("client", b"PASV\r\n")
        if not opens:  # of no named network: it stands for the server where NAT translates that, else for nobody
            check(not behind_nat(pair), "this is for a server without NAT")
            pair.say("server", said)
            check(port not in expected_ports(lab), f"port {port} is expected")
            return
        pair.say("server", said)
        check(any(f"dst={other} " in line and f"dport={port}" in line for line in lab.conntrack("-L", "expect")),
              f"{other} port {port} is not expected")
        with listen_in(lab, "server", 4, port, other) as listener:
            connect_from(lab, "client", other, port, timeout=2).close()
            listener.settimeout(1)
            accepted, peer = listener.accept()
            accepted.close()
            check(peer[0] == pair.seen["client"], f"the connection comes from {peer[0]}, not from {pair.seen['client']}")


def third_party_dnat(lab, opens):
    """The same of a server behind DNAT: what it expects and what it writes is one and the same address."""
    port = next_port(0)
    with Pair(lab).ready() as pair:
        other = "203.0.113.93" if opens else "203.0.114.93"
        said, mended_text = passive_reply(pair, "227", port, own=other)
        pair.say("client", b"PASV\r\n")
        pair.say("server", said, said if opens else mended_text)
        expected = f"dst={other if opens else pair.seen['server']} "
        check(any(expected in line and f"dport={port}" in line for line in lab.conntrack("-L", "expect")),
              f"{expected}port {port} is not expected")


# ---------------------------------------------------------------------------------------------------------------------
# Real servers

def refused_by_real_server(lab):
    """vsftpd refuses a PORT that is not its client's."""
    with RawClient(lab) as session:
        port = next_port(0)
        reply = session.command(announcement("PORT", lab.address("client2"), port))
        check(reply.code >= 500, f"vsftpd said {reply.text!r}")
        check(port not in expected_ports(lab), "it is expected all the same")


def public_address(lab, name):
    """A server that is told its public address announces it; that is right, and nothing is rewritten."""
    with Server(name, lab, public_address=lab.dial("server")) as server:
        (server.pub / "file").write_bytes(CONTENT)
        with RawClient(lab) as session:
            address, _ = announced(session.command("PASV", (227,)).text)
            check(address == lab.dial("server"), f"{address} is announced")
            for mode in ("PASV", "EPSV", "PORT"):
                check(session.fetch(mode, "pub/file") == CONTENT, "other bytes arrived")


def real_client(lab, client, mode, family):
    """The router's own server or client: one download by a real client."""
    target = lab.directory / f"{client}-{mode}-{family}"
    result = CLIENTS[client].transfer(lab, mode, family, [Get("pub/file", str(target))])
    check(result.ok, result.why())
    check(target.read_bytes() == CONTENT, "other bytes arrived")


# ---------------------------------------------------------------------------------------------------------------------

def clauses(report, lab, prefix, functions):
    for name, function in functions.items():
        report.case(f"policy/{prefix}/{name}/opens", function, lab, True)
        report.case(f"policy/{prefix}/{name}/must-not", function, lab, False)


CLIENT_CLAUSES = {
    "greeting-220": greeting_220, "greeting-120": greeting_120, "greeting-other": greeting_other, "first-line": first_line,
    "line-start": line_start, "whole-line": whole_line, "own-address": address_own, "own-address-ipv6": address_eprt,
    "peer-only": third_party_connects, "port-1024": port_1024, "octets": octets, "malformed": malformed,
    "refused": refused, "replaced": replaced, "used-once": used,
    "fin-by-client": closing(fin_by_client), "fin-by-server": closing(fin_by_server),
    "rst-by-client": closing(reset_by_client), "rst-by-server": closing(reset_by_server),
    "tls": tls, "tls-takes-back": tls_takes_back,
}

SERVER_CLAUSES = {
    "asked": asked, "answered-once": answered_already, "multi-line": multi_line, "mended": mended, "filled-in": filled_in,
    "notations": notations, "port-1024": server_port, "closed": server_closes,
}


def group_client(topology, seqadj):
    def group(options, report):
        with daemon_lab(options, topology, seqadj) as lab:
            clauses(report, lab, f"{topology}/{seqadj}", CLIENT_CLAUSES)
            if options.engine == "daemon":
                clauses(report, lab, f"{topology}/{seqadj}", {"picked-up": picked_up})
            if topology == "firewall":
                report.case("policy/third-party/must-not", third_party, lab, False)
            with Server("vsftpd", lab):
                report.case(f"policy/{topology}/{seqadj}/vsftpd-refuses", refused_by_real_server, lab)
    return group


def group_server(topology, seqadj):
    def group(options, report):
        with daemon_lab(options, topology, seqadj) as lab:
            clauses(report, lab, f"{topology}/{seqadj}", SERVER_CLAUSES)
            if topology == "firewall":
                clauses(report, lab, f"{topology}/{seqadj}", {"foreign-reachable": foreign_reachable})
            if topology == "dnat":
                # vsftpd that listens for IPv6, as the lab's does, announces 0.0.0.0 in place of its pasv_address.
                for name in ("proftpd", "pure-ftpd"):
                    report.case(f"policy/public-address/{name}/{seqadj}", public_address, lab, name)
    return group


def group_mended(options, report):
    """Where the daemon adjusts sequence numbers the text can change without NAT, too."""
    with daemon_lab(options, "firewall", "self") as lab:
        clauses(report, lab, "firewall/self", {"mended": mended, "filled-in": filled_in})


def group_refuse(topology, seqadj):
    def group(options, report):
        with daemon_lab(options, topology, seqadj, daemon_args=["--foreign", "refuse"]) as lab:
            clauses(report, lab, f"{topology}/{seqadj}", {"own-address": server_address})
    return group


def group_loose(options, report):
    """A client's PORT needs its network named: --loose alone is of replies."""
    with daemon_lab(options, "firewall", daemon_args=["--loose"]) as lab:
        report.case("policy/third-party/loose-replies/must-not", third_party, lab, False)
        report.case("policy/third-party/loose-replies/reply-opens", third_party_reply, lab, True)
        network = lab.address("client2") + "/32"
    with daemon_lab(options, "firewall", daemon_args=["--loose", network]) as lab:
        report.case("policy/third-party/loose/opens", third_party, lab, True)
        report.case("policy/third-party/loose/reply-must-not", third_party_reply, lab, False)
    with daemon_lab(options, "masquerade", daemon_args=["--loose", "198.51.100.10", "--loose", "192.0.2.9"]) as lab:
        report.case("policy/third-party/loose/masquerade/reply-opens", third_party_reply, lab, True)
    with daemon_lab(options, "dnat", daemon_args=["--loose=203.0.113.0/24"]) as lab:
        report.case("policy/third-party/loose/dnat/opens", third_party_dnat, lab, True)
        report.case("policy/third-party/loose/dnat/mended", third_party_dnat, lab, False)


def group_local(seqadj):
    def group(options, report):
        for topology in ("server-local", "client-local"):
            with daemon_lab(options, topology, seqadj) as lab, Server("vsftpd", lab) as server:
                (server.pub / "file").write_bytes(CONTENT)
                for family, modes in ((4, ("PORT", "EPRT", "PASV", "EPSV")), (6, ("EPRT", "EPSV"))):
                    for mode in modes:
                        report.case(f"topology/{topology}/{mode}/ipv{family}/{seqadj}", real_client, lab, "ftplib", mode, family)
    return group


GROUPS = {
    "client-masquerade-kernel": group_client("masquerade", "kernel"), "client-firewall": group_client("firewall", "kernel"),
    "client-masquerade-self": group_client("masquerade", "self"),
    "server-dnat-kernel": group_server("dnat", "kernel"), "server-dnat-self": group_server("dnat", "self"),
    "server-firewall": group_server("firewall", "kernel"), "mended": group_mended, "loose": group_loose,
    **{f"refuse-{topology}-{seqadj}": group_refuse(topology, seqadj)
       for topology, seqadj in (("dnat", "kernel"), ("dnat", "self"), ("firewall", "kernel"))},
    "local-kernel": group_local("kernel"), "local-self": group_local("self"),
}


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
