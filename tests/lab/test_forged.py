#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet is believed as far as its receiver's TCP would believe it, and no further (invariant I8), on the real kernel.

Each case is an attack with forged packets, or by one end that lies: none may open a port, and none may harm a connection of
which the attacker is not an end. After each a real transfer has to work, so that a helper that does nothing passes nothing.
Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why. Exit status 1 if one failed.
"""

import contextlib
import subprocess
import sys
import time

from cases import SEQADJ, daemon_lab, main
from forge import ACK, FIN, MSS_1400, PSH, RST, SYN, Forger, Hand, Packet, Tap, distance, numbers_of, plus, random_number
from lab import FTP_PORT
from rawftp import Pair, RawClient, Wire, announcement, check, connect_from, expected_ports, listen_in, next_port
from servers import Server

CONTENT = b"forged" * 1000
MODES = {4: ("PORT", "PASV"), 6: ("EPRT", "EPSV")}  # the router admits none of these by itself


# ---------------------------------------------------------------------------------------------------------------------
# What must be after an attack

def fetch(session):
    """Downloads, actively and passively."""
    for mode in MODES[session.family]:
        check(session.fetch(mode, "pub/file") == CONTENT, f"other bytes arrived by {mode}")


def transfer(lab, family=4, role=None):
    """An honest client comes, logs in, and downloads."""
    with RawClient(lab, family=family, role=role) as session:
        fetch(session)


def seen(lab, role, family=4):
    """A host's address as the other side of the router sees it."""
    own = lab.address(role, family)
    return dict(lab.translations(family)).get(own, own)


def must_not_reach(lab, role, port, attacker, address):
    """Nobody was told to expect it, and an inner service at that port cannot be reached by the attacker."""
    check(port not in expected_ports(lab), f"port {port} is expected")
    with listen_in(lab, role, port=port):
        try:
            connect_from(lab, attacker, address, port, timeout=0.3).close()
        except OSError:
            return
    check(False, f"a connection to port {port} gets through")


# ---------------------------------------------------------------------------------------------------------------------
# A browser, and a hostile server at port 21

@contextlib.contextmanager
def curl(lab, *arguments):
    """Asks server2 for a page, at the port of FTP."""
    process = lab.popen("client", ["curl", "--disable", "--silent", "--max-time", "60", *arguments,
                                   f"http://{lab.dial('server2')}:{FTP_PORT}/"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def port_line(lab, port):
    return announcement("PORT", lab.address("client"), port)[:-2].decode()


def client_is_closed(lab, port):
    """The hostile server cannot reach the port that the browser was made to announce."""
    must_not_reach(lab, "client", port, "server2", seen(lab, "client"))


def second_synack(lab):
    """Another SYN/ACK, that points at the word PORT of a cookie: the browser does not believe it, and sends all again."""
    port = next_port(0)
    with Hand(lab) as server, curl(lab, "--cookie", f"c={port_line(lab, port)}"):
        server.accept()
        _, word = server.hear_text(b"PORT ")
        elsewhere = plus(server.next, 1000)  # in the window, or conntrack lets nothing through
        server.say(SYN | ACK, word, seq=elsewhere)
        server.say(PSH | ACK, word, seq=plus(elsewhere, 1), payload=b"220 x\r\n")
        server.hear(lambda packet: packet.payload.endswith(b"\r\n\r\n"), "the request's repetition")
        client_is_closed(lab, port)


def data_in_syn(lab):
    """TCP Fast Open: of the request in the SYN all before the word PORT is acknowledged, and what follows comes again."""
    port = next_port(0)
    lab.run("client", ["sh", "-c", "echo 5 >/proc/sys/net/ipv4/tcp_fastopen"], check=True)  # without a cookie
    with Hand(lab) as server, curl(lab, "--tcp-fastopen", "--cookie", f"c={port_line(lab, port)}"):
        syn = server.hear_syn()
        check(b"PORT " in syn.payload, "curl's SYN carries no data")
        word = plus(syn.seq, 1 + syn.payload.index(b"PORT "))
        server.say(SYN | ACK, word, window=len("PORT "), options=MSS_1400)
        server.say(PSH | ACK, word, payload=b"220 x\r\n", window=len("PORT "))
        server.hear(lambda packet: packet.ack == server.next, "an acknowledgement of the greeting")
        server.say(ACK, plus(word, len("PORT ")))
        server.hear(lambda packet: packet.payload.endswith(b"\r\n\r\n"), "the rest")
        client_is_closed(lab, port)


def request_of(lab, body):
    """What curl sends to an honest server."""
    with listen_in(lab, "server2", port=FTP_PORT) as listener, curl(lab, "--data-binary", body):
        wire = Wire(listener.accept()[0])
        request = wire.receive()
        while not request.endswith(body.encode()):
            request += wire.receive()
        wire.close(reset=True)
        return request


def ack_ahead_of_request(lab):
    """The server acknowledges what the browser has not sent yet, as if that had passed unseen: up to a NOOP in its body."""
    port = next_port(0)
    body = f"NOOP\r\n{port_line(lab, port)}\r\n"
    request = request_of(lab, body)
    with Hand(lab) as server, curl(lab, "--data-binary", body):
        first = server.accept(window=0)
        server.hear(lambda packet: packet.flags == ACK, "the handshake's end")
        server.say(ACK, plus(first, request.index(b"NOOP")), window=0)
        server.say(ACK, first, window=request.index(b"PORT "))
        _, word = server.hear_text(b"NOOP\r\n")
        server.say(PSH | ACK, first, payload=b"200 x\r\n", window=request.index(b"PORT "))
        server.hear(lambda packet: packet.ack == server.next, "an acknowledgement of the reply")
        server.say(ACK, plus(word, len("NOOP\r\n")))
        server.hear(lambda packet: packet.payload.endswith(b"\r\n"), "the body's end")
        client_is_closed(lab, port)


BROWSER = {"second-SYN-ACK": second_synack, "ACK-ahead-of-request": ack_ahead_of_request, "data-in-SYN": data_in_syn}


def browser_cases(report, lab, name):
    for attack, function in BROWSER.items():
        report.case(name.format(f"browser/{attack}"), then_transfer, lab, function)


def serve(server):
    (server.pub / "file").write_bytes(CONTENT)


def then_transfer(lab, attack, *arguments):
    said = attack(lab, *arguments)
    transfer(lab)
    return said


# ---------------------------------------------------------------------------------------------------------------------
# A client that has not logged in

def ack_ahead_of_reply(lab):
    """A name that is an announcement, which the server says again; the client acknowledges what stands before it too early."""
    port = 3306
    echoed = f"227 Entering Passive Mode ({lab.dial().replace('.', ',')},{port >> 8},{port & 255})"
    with Tap(lab, "client") as tap, Forger(lab, "client") as forger, RawClient(lab, login=False) as session:
        ends = numbers_of(tap, session.sock)
        forger.send(ends.segment(ACK, acknowledged=len("331 User ")))
        time.sleep(0.05)
        session.send(f"USER {echoed}\r\nPASV\r\n".encode())
        reply = session.reply((331,))
        check(echoed.encode() in reply.text, f"the server does not say the name again: {reply.text!r}")
        must_not_reach(lab, "server", port, "client", lab.dial())


def client_cases(report, lab, name):
    report.case(name.format("client/ACK-ahead-of-reply"), then_transfer, lab, ack_ahead_of_reply)


# ---------------------------------------------------------------------------------------------------------------------
# Blind: only addresses and ports are known

BLIND = 64  # packets of each direction: about half of them are ahead of the receiver, the others behind
# Bytes, two windows: conntrack itself takes a RST's number so far ahead for its sender's end, and then the sender's own for
# INVALID, whoever helps. A blind packet hits upon that once in thousands.
CONNTRACK_BELIEVES = 1 << 18


class Blind:
    """Somebody on each side who sends in the other end's name.

    ends: the numbers of the connection, which are only used to keep away from what conntrack would believe.
    """

    def __init__(self, lab, session, ends):
        (client, client_port), server = session.sock.getsockname()[:2], session.sock.getpeername()[:2]
        own_server = (lab.address("server", session.family), FTP_PORT)
        self.lab = lab
        self.numbers = (ends.next, ends.expected)
        self.to_server = ((client, client_port), server)
        self.to_client = (own_server, (seen(lab, "client", session.family), client_port))

    def send(self, flags, count=BLIND):
        """In both directions, with random numbers."""
        for role, (source, target) in (("client2", self.to_server), ("server2", self.to_client)):
            with Forger(self.lab, role) as forger:
                for _ in range(count):
                    forger.send(Packet(source, target, flags, self.number(), random_number() if flags & ACK else 0))
        time.sleep(0.1)

    def number(self):
        while True:
            number = random_number()
            if all(abs(distance(number, known)) > CONNTRACK_BELIEVES for known in self.numbers):
                return number


def blind(lab, flags, edits, family=4):
    """Random packets into a session that has had some transfers, edited or not; it goes on."""
    with Tap(lab, "client") as tap, RawClient(lab, family=family) as session:
        for _ in range(edits):
            fetch(session)
        Blind(lab, session, numbers_of(tap, session.sock)).send(flags)
        session.command("NOOP", (200,))
        fetch(session)
        fetch(session)


def reset_next_to_exact(lab, edits):
    """A RST that is in the window, but not exact, is answered only (RFC 5961): from each side, at what the other sees next."""
    with Tap(lab, "client") as near, Tap(lab, "server") as far, RawClient(lab) as session:
        for _ in range(edits):
            fetch(session)
        session.command("NOOP", (200,))
        ends = numbers_of(near, session.sock)
        there = far.last((lab.address("server"), FTP_PORT), (seen(lab, "client"), ends.near[1]))
        with Forger(lab, "client") as client, Forger(lab, "server") as server:
            client.send(ends.segment(RST, ahead=1))
            server.send(Packet(there.source, there.target, RST, plus(there.end, 1)))
        time.sleep(0.1)
        session.command("NOOP", (200,))
        fetch(session)


BLIND_KINDS = {"ACK": ACK, "FIN": FIN | ACK, "SYN-ACK": SYN | ACK, "SYN": SYN, "RST": RST}


def blind_cases(report, lab, name, families=(4, 6)):
    for edits in (0, 1):
        for kind, flags in BLIND_KINDS.items():
            for family in families:
                report.case(name.format(f"blind/{kind}/behind-{edits}/ipv{family}"), blind, lab, flags, edits, family)
        report.case(name.format(f"RST-next-to-exact/behind-{edits}"), reset_next_to_exact, lab, edits)


# ---------------------------------------------------------------------------------------------------------------------
# A verdict outlives its session

IDLE = 10  # seconds; the least that the option takes
SESSIONS = 16
SWEEP = 6  # seconds within which the daemon looks at each session of a table so small


def speak_http(pair):
    pair.exchange(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n")


def speak_tls(pair):
    """With what is no record: plain text behind it does not count any more, as it would behind TLS that has ended (CCC)."""
    pair.say("server", b"220 scripted\r\n")
    pair.exchange(b"AUTH TLS\r\n", b"234 go ahead\r\n")
    pair.exchange(b"\x80\x2e\x01\x03", b"\x80\x2e\x04\x03")


def smuggle_port(lab, pair):
    """What would do for a connection that was picked up in the middle."""
    port = next_port(0)
    pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
    pair.say("client", port_line(lab, port).encode() + b"\r\n")
    client_is_closed(lab, port)


def judged_long_ago(lab, speak):
    """What was no FTP is none either when the session has timed out, of which nothing is left then."""
    with Pair(lab) as pair:
        speak(pair)
        time.sleep(IDLE + SWEEP)
        smuggle_port(lab, pair)


def judged_and_crowded_out(lab, speak):
    """Nor when others have taken all places in the table since."""
    with Pair(lab) as pair, contextlib.ExitStack() as others:
        speak(pair)
        for _ in range(2 * SESSIONS):
            others.enter_context(Pair(lab)).say("server", b"220 scripted\r\n")
        smuggle_port(lab, pair)


VERDICTS = {"http": speak_http, "tls": speak_tls}


def group_timeout(speaks, seqadj):
    def group(options, report):
        arguments = ["--idle-timeout", str(IDLE), "--sessions", str(SESSIONS)]
        with daemon_lab(options, "masquerade", seqadj, daemon_args=arguments) as lab, Server("pure-ftpd", lab) as server:
            serve(server)
            report.case(f"forged/verdict-outlives/timeout/{speaks}/{seqadj}", then_transfer, lab, judged_long_ago,
                        VERDICTS[speaks])
    return group


def group_crowded(options, report):
    for speaks, speak in VERDICTS.items():
        with daemon_lab(options, "masquerade", daemon_args=["--sessions", str(SESSIONS)]) as lab:
            report.case(f"forged/verdict-outlives/eviction/{speaks}", judged_and_crowded_out, lab, speak)


# ---------------------------------------------------------------------------------------------------------------------

CASES = {"browser": browser_cases, "client": client_cases, "blind": blind_cases}
TOPOLOGIES = {"browser": ("masquerade", "firewall"), "client": ("masquerade", "dnat", "firewall"),
              "blind": ("masquerade", "dnat", "firewall")}


def group_cases(cases, topology, seqadj):
    """The braces of a case's name are filled with what is particular to it."""
    def group(options, report):
        with daemon_lab(options, topology, seqadj) as lab, Server("pure-ftpd", lab) as server:
            serve(server)
            CASES[cases](report, lab, f"forged/{{}}/{topology}/{seqadj}")
    return group


GROUPS = {}
for _seqadj in SEQADJ:
    for _speaks in VERDICTS:
        GROUPS[f"verdict-{_speaks}-{_seqadj}"] = group_timeout(_speaks, _seqadj)
    for _cases in CASES:
        for _topology in TOPOLOGIES[_cases]:
            GROUPS[f"{_cases}-{_topology}-{_seqadj}"] = group_cases(_cases, _topology, _seqadj)
GROUPS["verdict-crowded-out"] = group_crowded


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
