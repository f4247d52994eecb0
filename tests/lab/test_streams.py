#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""FTP control connections as byte streams, on the real kernel: many rewrites in one connection, messages cut anywhere,
several commands in a segment, segments at their size limit, and loss.

Every step is timed: nothing may wait for a retransmission timeout that the helper caused. Prints one line a case: PASS,
FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one failed.
"""

import fcntl
import os
import random
import socket
import struct
import sys
import threading
import time

from cases import SEQADJ, daemon_lab, main
from rawftp import (Pair, RawClient, Timeouts, Wrong, announcement, bytewise, check, cut_at, next_port)
from servers import Server

PORTS = 200
OTHERS = 50
NO_STALL = 0.2  # seconds: TCP's shortest retransmission timeout
FIRST_TIMEOUT = 1.0  # seconds: TCP's first retransmission timeout, before anything is known of the path
RANDOM_CUTS = 12
SMALL = os.urandom(3000)
SIOCATMARK = 0x8905


def milliseconds(seconds):
    return f"slowest step {seconds * 1000:.0f} ms"


def serve_files(server):
    (server.pub / "small").write_bytes(SMALL)
    for number in range(300):
        (server.pub / f"a-file-with-quite-a-long-name-to-make-the-listing-longer-{number:03d}").touch()


def fetch_small(session, mode, **options):
    check(session.fetch(mode, "pub/small", **options) == SMALL, f"{mode}: other bytes arrived")


def no_stall(session, timeouts, limit):
    """Why a session was too slow, or what to say of it."""
    stalled = timeouts.since()
    check(not stalled, f"{stalled} retransmission timeouts; {milliseconds(session.slowest)}")
    check(session.slowest < limit, milliseconds(session.slowest))
    return milliseconds(session.slowest)


# ---------------------------------------------------------------------------------------------------------------------
# Many rewrites in one connection

def many_announcements(lab, mode, family, count):
    """The text grows and shrinks by turns: short and long ports, and the longest and shortest text for an address."""
    timeouts = Timeouts(lab)
    with RawClient(lab, family=family) as session:
        for number in range(count):
            listener = session.announce(mode, next_port(number), wide=number % 4 in (1, 2))
            if number % 10 == 9:
                check(session.receive_by(listener, "pub/small") == SMALL, f"announcement {number}: other bytes arrived")
            listener.close()
            session.command("NOOP", (200,))
        return no_stall(session, timeouts, NO_STALL)


def many_passive(lab, mode, family, count):
    timeouts = Timeouts(lab)
    with RawClient(lab, family=family) as session:
        for number in range(count):
            if number % 10 == 9:
                fetch_small(session, mode)
            else:
                session.passive(mode).close()
            session.command("NOOP", (200,))
        return no_stall(session, timeouts, NO_STALL)


def many_scripted_replies(lab, mode, family, count):
    """As many_announcements, in the server's direction."""
    timeouts = Timeouts(lab)
    with Pair(lab, family).ready() as pair:
        for number in range(count):
            port = next_port(number)
            pair.announce(mode, port, wide=number % 4 in (1, 2))
            if number % 10 == 9:
                pair.data(mode, port)
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        slowest = max((pair.client, pair.server), key=lambda wire: wire.slowest)
        return no_stall(slowest, timeouts, NO_STALL)


def group_many(seqadj):
    def group(options, report):
        with daemon_lab(options, "masquerade", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            report.case(f"streams/many/PORT/ipv4/{seqadj}", many_announcements, lab, "PORT", 4, PORTS)
            report.case(f"streams/many/EPRT/ipv4/{seqadj}", many_announcements, lab, "EPRT", 4, OTHERS)
            report.case(f"streams/many/EPRT/ipv6/{seqadj}", many_announcements, lab, "EPRT", 6, OTHERS)
        with daemon_lab(options, "dnat", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            report.case(f"streams/many/227/ipv4/{seqadj}", many_passive, lab, "PASV", 4, OTHERS)
            report.case(f"streams/many/229/ipv4/{seqadj}", many_passive, lab, "EPSV", 4, OTHERS)
            report.case(f"streams/many/229/ipv6/{seqadj}", many_passive, lab, "EPSV", 6, OTHERS)
            report.case(f"streams/many/227/growing-and-shrinking/{seqadj}", many_scripted_replies, lab, "227", 4, OTHERS)
            report.case(f"streams/many/228/growing-and-shrinking/{seqadj}", many_scripted_replies, lab, "228", 6, OTHERS)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Cut messages

def ways_to_cut(length):
    """Functions from a message to places: every byte into two, at random into three, byte by byte."""
    chooser = random.Random(length)
    yield from (cut_at(place) for place in range(1, length))
    yield from (cut_at(*chooser.sample(range(1, length), 2)) for _ in range(RANDOM_CUTS))
    yield bytewise
    yield bytewise


def cut_commands(lab, mode, family):
    """By a client of a real server; in passive mode it is PASV or EPSV that is cut."""
    timeouts = Timeouts(lab)
    with RawClient(lab, family=family) as session:
        if mode in ("PASV", "EPSV"):
            shortest = f"{mode}\r\n".encode()
        else:
            shortest = announcement(mode, session.address, 1024)
        for number, cuts in enumerate(ways_to_cut(len(shortest))):
            fetch_small(session, mode, port=next_port(number), wide=number % 4 in (1, 2), cuts=cuts)
        return f"{number + 1} transfers, " + no_stall(session, timeouts, FIRST_TIMEOUT)


def cut_scripted(lab, mode, family):
    """By a server, or by a client whose command no real server speaks; the test sees every byte that arrives."""
    timeouts = Timeouts(lab)
    with Pair(lab, family).ready() as pair:
        shortest = announcement(mode, pair.addresses["client" if mode == "LPRT" else "server"], 1024)
        for number, cuts in enumerate(ways_to_cut(len(shortest))):
            port = next_port(number)
            pair.announce(mode, port, wide=number % 4 in (1, 2), cuts=cuts)
            pair.data(mode, port)
        slowest = max((pair.client, pair.server), key=lambda wire: wire.slowest)
        return f"{number + 1} transfers, " + no_stall(slowest, timeouts, FIRST_TIMEOUT)


def slow_pieces(lab, mode, family, wide, cuts, pause):
    """In a connection that has sent little yet, so that its sender may have few segments unacknowledged."""
    with Pair(lab, family).ready() as pair:
        side = "server" if mode[0] == "2" else "client"
        port = next_port(1)
        said, arrives = pair.translated(mode, side, port, wide)
        if side == "server":
            pair.say("client", {"227": b"PASV\r\n", "228": b"LPSV\r\n"}[mode])
        sender, receiver = pair.wires(side)
        sender.send(said, cuts(said), pause)
        start = sender.sent_at
        got = receiver.exactly(len(arrives))
        waited = time.monotonic() - start
        check(got == arrives, f"{got!r} arrived instead of {arrives!r}")
        if side == "client":
            pair.say("server", b"200 ok\r\n")
        pair.data(mode, port)
        check(waited < FIRST_TIMEOUT, f"the last piece took {milliseconds(waited)}")
        return f"the last piece took {waited * 1000:.0f} ms"


SLOW = (("PORT", 4, True, bytewise, 0.005), ("EPRT", 6, True, bytewise, 0.003), ("PORT", 4, False, bytewise, 0.02),
        ("PORT", 4, False, cut_at(8), 0.15), ("PORT", 4, False, cut_at(8), 0.3), ("PORT", 4, False, cut_at(8), 1.0),
        ("PORT", 4, False, cut_at(8, 12), 0.5))
SLOW_REPLIES = (("227", 4, True, bytewise, 0.005), ("228", 6, True, bytewise, 0.003), ("227", 4, False, bytewise, 0.02),
                ("227", 4, False, cut_at(30), 0.3), ("227", 4, False, cut_at(30), 1.0))


def slow_cases(report, lab, seqadj, cases):
    for number, (mode, family, wide, cuts, pause) in enumerate(cases):
        what = "bytewise" if cuts is bytewise else "pieces"
        report.case(f"streams/slow/{mode}/ipv{family}/{what}-{pause * 1000:.0f}ms-{number}/{seqadj}", slow_pieces, lab, mode,
                    family, wide, cuts, pause)


def group_cut_commands(seqadj):
    def group(options, report):
        with daemon_lab(options, "masquerade", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            for mode, family in (("PORT", 4), ("EPRT", 4), ("EPRT", 6)):
                report.case(f"streams/cut/{mode}/ipv{family}/{seqadj}", cut_commands, lab, mode, family)
            for family in (4, 6):
                report.case(f"streams/cut/LPRT/ipv{family}/{seqadj}", cut_scripted, lab, "LPRT", family)
            slow_cases(report, lab, seqadj, SLOW)
    return group


def group_cut_replies(seqadj):
    def group(options, report):
        with daemon_lab(options, "dnat", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            for mode, family in (("PASV", 4), ("EPSV", 4), ("EPSV", 6)):
                report.case(f"streams/cut/{mode}/ipv{family}/{seqadj}", cut_commands, lab, mode, family)
            for mode, family in (("227", 4), ("229", 4), ("229", 6), ("228", 4), ("228", 6)):
                report.case(f"streams/cut/{mode}/ipv{family}/{seqadj}", cut_scripted, lab, mode, family)
            slow_cases(report, lab, seqadj, SLOW_REPLIES)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Several commands in one segment

def pipelined_once(lab):
    """NOOP, PORT and RETR in one segment, behind an earlier rewrite."""
    with RawClient(lab) as session:
        for wide in (False, True, False):
            with session.listen() as listener:
                port = announcement("PORT", session.address, listener.getsockname()[1], wide)
                session.send(b"NOOP\r\n" + port + b"RETR pub/small\r\n")
                for expected in ((200,), (200,), (150,)):
                    session.reply(expected)
                check(session.collect(listener) == SMALL, "other bytes arrived")
        check(session.slowest < FIRST_TIMEOUT, milliseconds(session.slowest))
        return milliseconds(session.slowest)


def pipelined_twice(lab):
    """Two PORTs, each with its RETR, in one segment."""
    with RawClient(lab) as session:
        for number in range(3):
            with session.listen() as one, session.listen() as two:
                lines = [announcement("PORT", session.address, listener.getsockname()[1], number % 2)
                         for listener in (one, two)]
                session.send(lines[0] + b"RETR pub/small\r\n" + lines[1] + b"RETR pub/small\r\n")
                for listener in (one, two):
                    session.reply((200,))
                    session.reply((150,))
                    check(session.collect(listener) == SMALL, "other bytes arrived")
        check(session.slowest < FIRST_TIMEOUT, milliseconds(session.slowest))
        return milliseconds(session.slowest)


def pipelined_scripted(lab):
    """Two PORTs in one segment, byte for byte: the second edit must wait for the first to be acknowledged."""
    timeouts = Timeouts(lab)
    with Pair(lab).ready() as pair:
        for number in range(6):
            lines = [pair.translated("PORT", "client", port, number % 2) for port in (4001 + number, 26001 + number)]
            pair.client.send(b"NOOP\r\n" + lines[0][0] + b"NOOP\r\n" + lines[1][0])
            pair.server.sent_at = pair.client.sent_at
            for arrives, reply in ((b"NOOP\r\n" + lines[0][1] + b"NOOP\r\n", b"200 ok\r\n" * 3),
                                   (lines[1][1], b"200 ok\r\n")):
                got = pair.server.exactly(len(arrives))
                check(got == arrives, f"{got!r} arrived instead of {arrives!r}")
                pair.say("server", reply)
        pair.data("PORT", 26001 + number)
        check(pair.server.slowest < FIRST_TIMEOUT, milliseconds(pair.server.slowest))
        return f"{milliseconds(pair.server.slowest)}, {timeouts.since()} timeouts"


# ---------------------------------------------------------------------------------------------------------------------
# Telnet and urgent data

def at_mark(sock):
    return struct.unpack("i", fcntl.ioctl(sock, SIOCATMARK, b"\0" * 4))[0]


def urgent_arrives(lab):
    """RFC 959 section 4.1.3: interrupt process, then the synch signal. The mark must stand where it was set."""
    with Pair(lab).ready() as pair:
        pair.server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        for number, port in enumerate((4003, 26004, 4005)):
            pair.announce("PORT", port, wide=number % 2)
            pair.client.send(b"\xff\xf4")
            pair.client.urgent(b"\xff")
            pair.client.send(b"\xf2ABOR\r\n")
            time.sleep(0.05)
            before = pair.server.sock.recv(100)  # a receive never goes across the mark
            check(before == b"\xff\xf4", f"{before!r} stands before the mark")
            check(at_mark(pair.server.sock), "the urgent mark is not where it was set")
            check(pair.server.exactly(8) == b"\xff\xf2ABOR\r\n", "the bytes at the mark are others")
            pair.say("server", b"226 aborted\r\n")
        said, arrives = pair.translated("PORT", "client", 4006)
        pair.say("client", b"\xff\xf4\xff\xf2" + said, b"\xff\xf4\xff\xf2" + arrives)
        pair.say("server", b"200 ok\r\n")
        pair.data("PORT", 4006)
        said, arrives = pair.translated("PORT", "client", 26007)
        pair.say("client", b"PO\xff\xf1RT" + said[4:], b"PO\xff\xf1RT" + arrives[4:])
        pair.say("server", b"200 ok\r\n")
        pair.data("PORT", 26007)


def abort_transfer(lab, server):
    """With a real server: a download that the client does not read is aborted, and the session goes on."""
    (server.pub / "large").write_bytes(bytes(64 << 20))
    (server.pub / "small").write_bytes(SMALL)
    with RawClient(lab) as session:
        for number in range(3):
            listener = session.announce("PORT", wide=number % 2)
            session.command("RETR pub/large", (150,))
            with listener:
                data, _ = listener.accept()
            time.sleep(0.05)
            session.urgent(b"\xff\xf4\xff")
            session.send(b"\xf2ABOR\r\n")
            data.close()
            codes = [session.reply((226, 426)).code, session.reply((225, 226)).code]
            check(codes[0] == 426, f"the transfer was not aborted: {codes}")
            fetch_small(session, "PORT", wide=number % 2 == 0)


# ---------------------------------------------------------------------------------------------------------------------
# The size of segments

def packets(path):
    """(IP length, TCP payload length, client to server) of a capture's IPv4 packets of control connections."""
    content = path.read_bytes()
    at = 24
    while at + 16 <= len(content):
        length = struct.unpack_from("=I", content, at + 8)[0]
        frame = content[at + 16:at + 16 + length]
        at += 16 + length
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        header = 4 * (frame[14] & 15)
        total = struct.unpack_from("!H", frame, 16)[0]
        tcp = frame[14 + header:]
        source, target = struct.unpack_from("!HH", tcp)
        if 21 in (source, target):
            yield total, total - header - 4 * (tcp[12] >> 4), target == 21


def long_reply(lines):
    return b"211-" + b"".join(b" line %06d of a long reply, which goes on for a while\r\n" % number
                              for number in range(lines)) + b"211 end\r\n"


def long_replies_arrive(lab, mode):
    """A reply far longer than a segment, behind rewrites, in packets that the kernel has not segmented yet (GSO)."""
    reply = b"211-start\r\n" + long_reply(2000)[4:]
    capture = lab.capture("router", "outside", lab.directory / f"long-{mode}.pcap", "tcp port 21")
    with Pair(lab).ready() as pair:
        for number, port in enumerate((4011, 26012, 4013)):
            pair.announce(mode, port, wide=number % 2)
            pair.say("client", b"STAT\r\n")
            sending = threading.Thread(target=pair.server.send, args=(reply,))
            sending.start()
            got = pair.client.exactly(len(reply))
            sending.join()
            check(got == reply, "the long reply arrives with other bytes")
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        pair.announce(mode, 26014)
        pair.data(mode, 26014)
        largest = max(total for total, _, _ in packets(capture.stop()))
        check(largest > 1500, f"the largest packet had {largest} bytes, so GSO was not tried")
        slowest = max(pair.client.slowest, pair.server.slowest)
        return f"largest packet {largest} bytes, {milliseconds(slowest)}"


def real_long_reply(lab):
    """vsftpd's STAT of a directory: the same before and after rewrites."""
    with RawClient(lab) as session:
        before = session.command("STAT pub", (213,)).text
        check(len(before) > 10000, "the listing is short")
        fetch_small(session, "PASV" if lab.topology.dnat else "PORT")
        fetch_small(session, "PASV" if lab.topology.dnat else "PORT", wide=True)
        check(session.command("STAT pub", (213,)).text == before, "the listing has changed")
        fetch_small(session, "PASV" if lab.topology.dnat else "PORT")
        return f"{len(before)} bytes, {milliseconds(session.slowest)}"


def port_behind_much(lab, size):
    """PORT at the end of a segment that is full already, or not segmented yet: what grows out of it is sent again."""
    timeouts = Timeouts(lab)
    with Pair(lab).ready() as pair:
        for number, port in enumerate((4021, 26022, 4023)):
            said, arrives = pair.translated("PORT", "client", port, number % 2)
            before = b"SITE " + b"x" * (size - 7 - len(said)) + b"\r\n"
            pair.say("client", before + said, before + arrives)
            pair.say("server", b"200 ok\r\n" * 2)
            pair.data("PORT", port)
        check(pair.server.slowest < FIRST_TIMEOUT, milliseconds(pair.server.slowest))
        return f"{milliseconds(pair.server.slowest)}, {timeouts.since()} timeouts"


def small_segments(lab, maxseg):
    """The server takes small segments only; PORT stands at every place of a full one, and nothing larger leaves."""
    room = maxseg - 12  # timestamps
    capture = lab.capture("router", "outside", lab.directory / f"small-{maxseg}.pcap", "tcp port 21")
    with Pair(lab, maxseg=maxseg).ready() as pair:
        for number in range(12):
            port = next_port(number)
            said, arrives = pair.translated("PORT", "client", port, number % 3 == 2)
            filling = room - len(said) - 7 - number  # from exactly full down to room for the growth
            before = b"SITE " + b"x" * filling + b"\r\n"
            pair.say("client", before + said + b"NOOP\r\n", before + arrives + b"NOOP\r\n")
            pair.say("server", b"200 ok\r\n" * 3)
        pair.data("PORT", port)
        largest = max(payload for _, payload, to_server in packets(capture.stop()) if to_server)
        check(largest <= room, f"a segment of {largest} bytes left, the server takes {room}")
        check(pair.server.slowest < FIRST_TIMEOUT, milliseconds(pair.server.slowest))
        return f"largest segment {largest} of {room} bytes, {milliseconds(pair.server.slowest)}"


def group_segments(seqadj):
    def group(options, report):
        with daemon_lab(options, "masquerade", seqadj) as lab:
            with Server("vsftpd", lab) as server:
                serve_files(server)
                report.case(f"streams/pipelined/one-transfer/{seqadj}", pipelined_once, lab)
                report.case(f"streams/pipelined/two-transfers/{seqadj}", pipelined_twice, lab)
                report.case(f"streams/long-reply/vsftpd/masquerade/{seqadj}", real_long_reply, lab)
            report.case(f"streams/pipelined/two-edits/{seqadj}", pipelined_scripted, lab)
            report.case(f"streams/urgent/mark/{seqadj}", urgent_arrives, lab)
            with Server("proftpd", lab) as server:
                report.case(f"streams/urgent/abort/proftpd/{seqadj}", abort_transfer, lab, server)
            report.case(f"streams/long-reply/behind-PORT/{seqadj}", long_replies_arrive, lab, "PORT")
            for size in (1448, 5000, 30000):
                report.case(f"streams/PORT-at-the-end-of-{size}/{seqadj}", port_behind_much, lab, size)
        with daemon_lab(options, "masquerade", seqadj, offloads=False) as lab:
            for maxseg in (128, 536):
                report.case(f"streams/segments-of-{maxseg}/{seqadj}", small_segments, lab, maxseg)
        if seqadj == "kernel":
            with daemon_lab(options, "firewall") as lab, Server("vsftpd", lab) as server:
                serve_files(server)
                report.case("streams/pipelined/two-transfers/firewall", pipelined_twice, lab)
        with daemon_lab(options, "dnat", seqadj) as lab:
            report.case(f"streams/long-reply/behind-227/{seqadj}", long_replies_arrive, lab, "227")
            with Server("vsftpd", lab) as server:
                serve_files(server)
                report.case(f"streams/long-reply/vsftpd/dnat/{seqadj}", real_long_reply, lab)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Loss

LOSS_SESSIONS = 6
LOSS_TRANSFERS = 8
# Seconds. A server whose SYN/ACKs were lost, or not answered, for 7 s takes that for the round trip's time (the answer's
# timestamp is the first one's), and sends a greeting that is lost as well again after 21.
LOSS_PATIENCE = 90


def set_loss(lab, percent):
    """Drops packets of control connections in the router, before the helper sees them and after."""
    for family in (4, 6):
        tool = "iptables" if family == 4 else "ip6tables"
        for table, chain in (("raw", "PREROUTING"), ("mangle", "POSTROUTING")):
            for port in ("--dport", "--sport"):
                lab.run("router", [tool, "-t", table, "-I", chain, "-p", "tcp", port, "21", "-m", "statistic", "--mode",
                                   "random", "--probability", percent / 100, "-j", "DROP"], check=True)


def set_tcp(lab, setting, value):
    for role in ("client", "server"):
        lab.run(role, ["sh", "-c", f"echo {value} >/proc/sys/net/ipv4/{setting}"], check=True)


def lossy_session(lab, mode, family, errors):
    try:
        with RawClient(lab, family=family, timeout=LOSS_PATIENCE) as session:
            for number in range(LOSS_TRANSFERS):
                fetch_small(session, mode, port=next_port(number), wide=number % 2)
                if mode in ("PORT", "EPRT"):
                    session.announce(mode, next_port(number), wide=number % 2 == 0).close()
                session.command("NOOP", (200,))
    except (Wrong, OSError) as error:
        errors.append(f"{mode} over IPv{family}: {error}")


def lossy_sessions(lab, modes):
    """Sessions side by side; the data connections are spared."""
    errors = []
    timeouts = Timeouts(lab)
    threads = [threading.Thread(target=lossy_session, args=(lab, *modes[number % len(modes)], errors))
               for number in range(LOSS_SESSIONS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not errors, "; ".join(errors))
    return (f"{LOSS_SESSIONS * LOSS_TRANSFERS} transfers in {time.monotonic() - start:.1f} s, "
            f"{timeouts.since()} timeouts, {timeouts.since('RetransSegs')} segments sent again")


def group_loss(seqadj, topology, modes):
    def group(options, report):
        with daemon_lab(options, topology, seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            set_loss(lab, 5)
            name = f"streams/loss/{topology}/{seqadj}"
            report.case(f"{name}/plain", lossy_sessions, lab, modes)
            set_tcp(lab, "tcp_sack", 0)
            report.case(f"{name}/no-sack", lossy_sessions, lab, modes)
            set_tcp(lab, "tcp_timestamps", 0)
            report.case(f"{name}/no-sack-no-timestamps", lossy_sessions, lab, modes)
    return group


GROUPS = {}
for _seqadj in SEQADJ:
    GROUPS[f"many-{_seqadj}"] = group_many(_seqadj)
    GROUPS[f"cut-commands-{_seqadj}"] = group_cut_commands(_seqadj)
    GROUPS[f"cut-replies-{_seqadj}"] = group_cut_replies(_seqadj)
    GROUPS[f"segments-{_seqadj}"] = group_segments(_seqadj)
    GROUPS[f"loss-active-{_seqadj}"] = group_loss(_seqadj, "masquerade", (("PORT", 4), ("EPRT", 4), ("EPRT", 6)))
    GROUPS[f"loss-passive-{_seqadj}"] = group_loss(_seqadj, "dnat", (("PASV", 4), ("EPSV", 4), ("EPSV", 6)))


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
