# SPDX-License-Identifier: GPL-2.0-or-later
"""Two ends that say a case of tests/field over real TCP, and try its data connections. Both are in the test's hands (rawftp.py)."""

import contextlib
import re
import socket
import struct
import time

from field import Data, Say, Silence
from lab import FTP_PORT
from rawftp import Wrong, announced, connect_from, listen_in

ARRIVES = 4.0  # seconds until what was said has arrived, sent again where the helper makes TCP do so
PIECE = 0.02  # and what ends in the middle of a line may wait for its rest
ADMITTED, NOT_ADMITTED = 1.2, 0.3  # seconds to connect
SERVERS = [f"203.0.113.{number}" for number in (5, 7, 70, 77, 78, 79, 80)]
# Of a server that is translated, and of its client: their own, and what the client dials.
TRANSLATED = {4: ("192.0.2.10", "10.0.0.94", "203.0.113.94"), 6: ("2001:db8:c::10", "fd00::94", "2001:db8:100:200::94")}
# What may stand in front of a line: an option of Telnet is a byte of any kind.
TELNET = rb"(?s:\xff[\xfb-\xfe].|[\0\xf0-\xff])*"
ANNOUNCES = re.compile(rb"(?i)" + TELNET + rb"(?:PORT|EPRT|LPRT|227|228|229)\b")
WORD = re.compile(rb"^" + TELNET + rb"(PORT|EPRT|LPRT|22[789])")
# What the client, and what the server, says of where it is.
OPENS = (re.compile(rb"(?i)" + TELNET + rb"(?:PORT|EPRT|LPRT) "), re.compile(TELNET + rb"22[789]\b"))


def prepare_translated(lab):
    for family, (client, server, shown) in TRANSLATED.items():
        length, tables = ("32", "iptables") if family == 4 else ("128", "ip6tables")
        at_once = "" if family == 4 else "nodad"
        lab._ip("client", f"address add {client}/{length} dev eth0 {at_once}",
                f"route add {shown} via {lab.dial('server', family)} src {client}")
        lab._ip("server", f"address add {server}/{length} dev eth0 {at_once}")
        lab._ip("router", f"address add {shown}/{length} dev outside {at_once}", f"route add {client} via {lab.address('client', family)}",
                f"route add {server} via {lab.address('server', family)}")
        for rule in (f"-t nat -A PREROUTING -d {shown} -p tcp --dport {FTP_PORT} -j DNAT --to-destination {server}",
                     f"-A FORWARD -i outside -d {server} -p tcp --dport {FTP_PORT} -m conntrack --ctstate NEW -j ACCEPT"):
            lab.run("router", [tables, *rule.split()], check=True)


def prepare(lab):
    """The addresses of tests/field, besides the lab's own: all of them are the server's, and port 21 of the first is let through."""
    for host in ("client", "client2", "server", "server2"):
        lab._sysctl(host, "net/ipv4/ip_local_port_range=62500 65000")  # so that nobody has a port by chance that is to be announced
    if lab.topology.dnat:
        prepare_translated(lab)
        return
    lab._ip("server", *(f"address add {address}/32 dev eth0" for address in SERVERS))
    lab._ip("router", "route add 203.0.113.0/24 dev outside")
    lab.run("router", ["iptables", "-A", "FORWARD", "-i", "inside", "-o", "outside", "-d", SERVERS[0], "-p", "tcp", "--dport",
                       FTP_PORT, "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT"], check=True)


def host_of(lab, address):
    for family in (4, 6):
        if lab.topology.dnat and address in TRANSLATED[family][:2]:
            return ("client", "server")[TRANSLATED[family].index(address)]
        for host in ("client", "client2", "server", "server2"):
            if lab.address(host, family) == address:
                return host
    return "server" if address in SERVERS else None


def close_hard(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class End:
    def __init__(self, sock):
        self.sock, self.said, self.heard = sock, b"", b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Scripted:
    """run() says the case and returns how many of its connections were let in; admitted: of each, whether it was."""

    def __init__(self, lab, case, *, longest_silence=None, patience=ADMITTED):
        self.lab, self.case = lab, case
        self.longest_silence, self.patience = longest_silence, patience
        self.admitted = []
        self.ends = None
        words = case.options
        self.shown = dict(after.split("=") for word, after in zip(words, words[1:]) if word == "--nat")  # own address: the other side's

    def run(self, judge=True):
        self.connect()
        try:
            for step in self.case.steps:
                if isinstance(step, Say):
                    self.say(step)
                elif isinstance(step, Data):
                    self.admitted.append(self.try_data(step))
                elif isinstance(step, Silence):
                    time.sleep(step.seconds if self.longest_silence is None else min(step.seconds, self.longest_silence))
        finally:
            self.close()
        if judge:
            self.judge()
        return sum(self.admitted)

    def connect(self):
        (client, _), (server, port) = self.case.ends
        family = self.case.family
        self.roles = [host_of(self.lab, client), host_of(self.lab, server)]
        with listen_in(self.lab, self.roles[1], family, port, server) as listener:
            one = connect_from(self.lab, self.roles[0], self.shown.get(server, server), port, family=family, source=(client, 0))
            other, _ = listener.accept()
        self.ends = [End(one), End(other)]

    def close(self):
        """So that nothing of it is there for the next."""
        for end in self.ends:
            close_hard(end.sock)
        for arguments in (["-F"], ["-F", "expect"]):
            self.lab.run("router", ["conntrack", *arguments])

    def say(self, step):
        sender, receiver = self.ends[step.side], self.ends[1 - step.side]
        sender.sock.sendall(step.data)
        sender.said += step.data
        whole = step.data.rstrip(b"\0").endswith(b"\n")
        deadline = time.monotonic() + (ARRIVES if whole else PIECE)
        while not self.has_arrived(sender.said, receiver.heard):
            receiver.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                receiver.heard += receiver.sock.recv(65536)
            except TimeoutError:
                if whole:
                    raise Wrong(f"{step.data!r} does not arrive, {receiver.heard[-80:]!r} was the last that did") from None
                return

    @staticmethod
    def has_arrived(said, heard):
        """The text of an announcement may have another length, but not other line ends."""
        return said.count(b"\n") == heard.count(b"\n") and said.rpartition(b"\n")[2] == heard.rpartition(b"\n")[2]

    def where_to(self, step):
        """As who dials has it: of a translated end, where the other one reads that it is."""
        address, port = step.destination
        if address not in self.shown:
            return address, port
        shown, side = self.shown[address], int(address == self.case.ends[1][0])
        lines = [line for line in self.ends[1 - side].heard.split(b"\n") if OPENS[side].match(line)]
        with contextlib.suppress(Wrong, ValueError, IndexError):
            told, port = announced(WORD.sub(rb"\1 ", lines[-1].upper().replace(b" ", b"")), shown)
            shown = shown if told == "0.0.0.0" else told  # of no address, and of one that is in IPv6, the peer's is meant
        return shown, port

    def try_data(self, step):
        family = self.case.family
        must = step.must if step.must is not None else self.case.expected > 0
        address, port = self.where_to(step)
        timeout = self.patience if must else NOT_ADMITTED
        with listen_in(self.lab, host_of(self.lab, step.destination[0]), family, step.destination[1], step.destination[0]) as listener:
            try:
                one = connect_from(self.lab, host_of(self.lab, step.source[0]), address, port, family=family, timeout=timeout,
                                   source=(step.source[0], 0))
            except OSError:
                return False
            listener.settimeout(timeout)
            with contextlib.suppress(OSError):
                close_hard(listener.accept()[0])
                close_hard(one)
                return True
            close_hard(one)
            return False

    def judge(self):
        must = [step.must for step in self.case.connections]
        if sum(self.admitted) != self.case.expected:
            raise Wrong(f"{sum(self.admitted)} data connections carried, {self.case.expected} expected: {self.admitted}")
        if None not in must and must != self.admitted:
            raise Wrong(f"carried {self.admitted} of {must}")
        for side in (0, 1):
            said, heard = self.ends[side].said.split(b"\n"), self.ends[1 - side].heard.split(b"\n")
            for one, other in zip(said, heard):
                if one != other and not ANNOUNCES.match(one):
                    raise Wrong(f"{one!r} arrived as {other!r}")


