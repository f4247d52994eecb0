# SPDX-License-Identifier: GPL-2.0-or-later
"""FTP at the level of sockets, for tests that must say what goes into which segment.

Sockets belong to the namespace of the thread that made them, whoever uses them later. So tests need no process in the
lab's hosts: in_namespace() makes a socket there, and the test holds both ends of a connection in its hands.

    client = RawClient(lab)                     a session with whatever FTP server listens
    pair = Pair(lab)                            a control connection of which the test plays both sides: it sees
                                                exactly which bytes arrive

Whoever sends may say where to cut; each piece is then a segment of its own.
"""

import contextlib
import ctypes
import dataclasses
import errno
import ipaddress
import itertools
import re
import socket
import struct
import threading
import time

from clients import PASSWORD, USER
from lab import FTP_PORT, PATIENCE

CLONE_NEWNET = 0x40000000
IP_BIND_ADDRESS_NO_PORT = 24
PAUSE = 0.003  # between the pieces of a cut message
NOT_ADMITTED = 0.3  # seconds after which a connection attempt that must fail is taken to have failed
INET = {4: socket.AF_INET, 6: socket.AF_INET6}
_libc = ctypes.CDLL(None, use_errno=True)


class Wrong(Exception):
    """What a test found not to be as it must."""


def check(condition, why):
    if not condition:
        raise Wrong(why)


# ---------------------------------------------------------------------------------------------------------------------
# Namespaces

def in_namespace(lab, role, function, *arguments):
    """Calls a function in the namespace of a host and returns what it returns."""
    result, errors = [], []

    def work():
        try:
            with open(f"/run/netns/{lab.netns(role)}") as namespace:
                if _libc.setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"setns to {lab.netns(role)}")
            result.append(function(*arguments))
        except BaseException as error:  # handed over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return result[0]


def socket_in(lab, role, family=4):
    sock = in_namespace(lab, role, socket.socket, INET[family], socket.SOCK_STREAM)
    sock.settimeout(PATIENCE)
    return sock


def bind_at_last(sock, endpoint):
    """What another thread starts has all sockets of this process, also those just closed, until it has become another program."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return sock.bind(endpoint)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def listen_in(lab, role, family=4, port=0, address=None, maxseg=None):
    """A listening socket; without an address, on all of the host's."""
    listener = socket_in(lab, role, family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == 6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if maxseg:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, maxseg)
    bind_at_last(listener, (address or "", port))
    listener.listen(64)
    return listener


def connect_from(lab, role, address, port, *, family=4, maxseg=None, timeout=PATIENCE, source=None):
    sock = socket_in(lab, role, family)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if maxseg:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, maxseg)
    sock.settimeout(timeout)
    try:
        if source:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its last connection may just have ended
            sock.bind(source)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _read_tcp_counters():
    """/proc/net is the process's; the thread's own namespace shows here."""
    with open("/proc/thread-self/net/netstat") as file:
        lines = [line.split() for line in file if line.startswith("TcpExt:")]
    with open("/proc/thread-self/net/snmp") as file:
        lines += [line.split() for line in file if line.startswith("Tcp:")]
    return {name: int(value) for names, values in (lines[:2], lines[2:]) for name, value in zip(names[1:], values[1:])}


class Timeouts:
    """How often a TCP of the lab's hosts has run into a retransmission timeout since this was made."""

    def __init__(self, lab, roles=("client", "server", "server2")):
        self.lab, self.roles = lab, roles
        self.before = self._now()

    def _now(self):
        return {role: in_namespace(self.lab, role, _read_tcp_counters) for role in self.roles}

    def since(self, counter="TCPTimeouts"):
        now = self._now()
        return sum(now[role][counter] - self.before[role][counter] for role in self.roles)


# ---------------------------------------------------------------------------------------------------------------------
# Announcements as text

def _octets(numbers, wide):
    return ",".join(f"{number:03d}" if wide else str(number) for number in numbers)


def announcement(mode, address, port, wide=False):
    """The line that announces an endpoint. wide: the longest text that means the same, with leading zeros."""
    packed = ipaddress.ip_address(address).packed
    version = ipaddress.ip_address(address).version
    ports = (port >> 8, port & 255)
    if mode in ("PORT", "227"):
        numbers = _octets((*packed, *ports), wide)
        return (f"PORT {numbers}\r\n" if mode == "PORT" else f"227 Entering Passive Mode ({numbers}).\r\n").encode()
    if mode in ("LPRT", "228"):
        numbers = _octets((4 if version == 4 else 6, len(packed), *packed, 2, *ports), wide)
        return (f"LPRT {numbers}\r\n" if mode == "LPRT" else f"228 Entering Long Passive Mode ({numbers})\r\n").encode()
    if mode == "229":
        return f"229 Entering Extended Passive Mode (|||{port:05d}|)\r\n".encode() if wide else \
            f"229 Entering Extended Passive Mode (|||{port}|)\r\n".encode()
    text = ipaddress.ip_address(address).exploded if version == 6 else \
        ".".join(f"{octet:03d}" if wide else str(octet) for octet in packed)
    if version == 6 and not wide:
        text = ipaddress.ip_address(address).compressed
    return f"EPRT |{1 if version == 4 else 2}|{text}|{port:05d}|\r\n".encode() if wide else \
        f"EPRT |{1 if version == 4 else 2}|{text}|{port}|\r\n".encode()


def announced(line, peer=None):
    """The endpoint (address, port) that a line announces; 229 names none, so it is the peer's address."""
    text = line.decode("latin-1")
    if match := re.search(r"\|\|\|(\d+)\|", text):
        return peer, int(match[1])
    if match := re.search(r"EPRT (.)[12]\1([^|]+)\1(\d+)\1", text):
        return match[2], int(match[3])
    match = re.search(r"(?:LPRT |228 [^0-9]*)([\d,]+)", text)
    if match:
        numbers = [int(number) for number in match[1].split(",")]
        length = numbers[1]
        return str(ipaddress.ip_address(bytes(numbers[2:2 + length]))), numbers[-2] << 8 | numbers[-1]
    match = re.search(r"(?:PORT |227 [^0-9]*)([\d,]+)", text)
    check(match, f"nothing is announced by {line!r}")
    numbers = [int(number) for number in match[1].split(",")]
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


_few_digits, _many_digits = itertools.count(), itertools.count()


def next_port(number):
    """A port to announce, for even numbers of few digits in two octets, for odd ones of many. None comes twice soon."""
    if number % 2:
        count = next(_many_digits)
        return (100 + count // 156 % 28) << 8 | (100 + count % 156)
    return 1024 + next(_few_digits) % 1536


# ---------------------------------------------------------------------------------------------------------------------
# One end of a control connection

@dataclasses.dataclass(frozen=True)
class Reply:
    code: int
    text: bytes
    seconds: float  # since the last piece was sent


def pieces_of(data, cuts):
    """data, cut before the bytes that cuts names."""
    borders = [0, *sorted(set(cuts)), len(data)]
    return [data[start:end] for start, end in zip(borders, borders[1:]) if start < end]


class Wire:
    """A connected socket of which lines are read. slowest: the longest wait for an answer so far, in seconds."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = time.monotonic()
        self.slowest = 0.0

    def send(self, data, cuts=(), pause=PAUSE):
        """Sends data; with cuts each piece in a segment of its own, a pause apart. Checks that it was so."""
        if not cuts:
            self.sock.sendall(data)
            self.sent_at = time.monotonic()
            return
        before, again, window = self.segments_out(), self.segments_again(), self.window()
        pieces = pieces_of(data, cuts)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            self.sock.sendall(piece)
        self.sent_at = time.monotonic()
        sent = self.segments_out() - before
        # More than its initial window (RFC 6928) a sender may join, while nothing is acknowledged.
        check(sent >= min(len(pieces), 10), f"{len(pieces)} pieces of {data!r} left in {sent} segments, {self.segments_again() - again} of "
              f"them again ({again} before), its congestion window was {window}")

    def _tcp_info(self, offset):
        return struct.unpack_from("=I", self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), offset)[0]

    def segments_out(self):
        """Segments with data so far: struct tcp_info's tcpi_data_segs_out."""
        return self._tcp_info(156)

    def segments_again(self):
        """Of these, sent again: tcpi_total_retrans."""
        return self._tcp_info(100)

    def window(self):
        """Its congestion window, in segments: tcpi_snd_cwnd."""
        return self._tcp_info(80)

    def urgent(self, data):
        self.sock.send(data, socket.MSG_OOB)
        self.sent_at = time.monotonic()

    def receive(self, size=65536):
        data = self.sock.recv(size)
        self.slowest = max(self.slowest, time.monotonic() - self.sent_at)
        return data

    def line(self, timeout=PATIENCE):
        """The next line with its end; b"" when the other side has closed."""
        self.sock.settimeout(timeout)
        while b"\n" not in self.buffer:
            try:
                data = self.receive()
            except TimeoutError:
                raise Wrong(f"no line within {timeout:g} s, only {self.buffer!r}") from None
            if not data:
                return b""
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def exactly(self, count, timeout=PATIENCE):
        self.sock.settimeout(timeout)
        while len(self.buffer) < count:
            try:
                data = self.receive()
            except TimeoutError:
                raise Wrong(f"{len(self.buffer)} bytes of {count} within {timeout:g} s") from None
            if not data:
                break
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def silent(self, timeout=0.02):
        """Whether nothing more arrives."""
        self.sock.settimeout(timeout)
        with contextlib.suppress(TimeoutError):
            self.buffer += self.sock.recv(65536)
        return not self.buffer

    def close(self, reset=False):
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


# ---------------------------------------------------------------------------------------------------------------------
# A client of real servers

class RawClient(Wire):
    """A session with an FTP server, logged in unless told otherwise. Closed by close() or with.

    source: which of the client's addresses and ports the control connection comes from; port 0 is any.
    timeout: seconds to connect; where it is longer than PATIENCE, also until any reply is given up.
    """

    def __init__(self, lab, *, role=None, host=None, family=4, maxseg=None, login=True, timeout=PATIENCE, source=None):
        self.lab, self.family, self.role, self.source = lab, family, role or lab.client, source
        self.host = host or lab.dial(family=family)
        super().__init__(connect_from(lab, self.role, self.host, FTP_PORT, family=family, maxseg=maxseg, timeout=timeout,
                                      source=source))
        self.address = source[0] if source else lab.address(self.role, family)
        self.patience = max(timeout, PATIENCE)
        self.greeting = self.reply()
        if login:
            self.login()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def reply(self, expected=None):
        """The next reply, all of its lines."""
        text = line = self.line(self.patience)
        check(line, "the server closed the control connection")
        match = re.match(rb"(\d\d\d)([ -])", line)
        check(match, f"no reply: {line!r}")
        while match[2] == b"-" and not line.startswith(match[1] + b" "):
            line = self.line(self.patience)
            check(line, "the server closed the control connection in the middle of a reply")
            text += line
        reply = Reply(int(match[1]), text, time.monotonic() - self.sent_at)
        check(expected is None or reply.code in expected, f"reply {text.strip()!r} where {expected} belongs")
        return reply

    def command(self, line, expected=None, cuts=()):
        self.send(line if isinstance(line, bytes) else f"{line}\r\n".encode(), cuts)
        return self.reply(expected)

    def login(self):
        if self.command(f"USER {USER}", (230, 331)).code == 331:
            self.command(f"PASS {PASSWORD}", (230,))
        self.command("TYPE I", (200,))

    def listen(self, port=0):
        return listen_in(self.lab, self.role, self.family, port, self.address)

    def announce(self, mode, port=0, *, wide=False, cuts=None, expected=(200,)):
        """Listens and says so; cuts is a function from the message to places. Returns the listener."""
        listener = self.listen(port)
        try:
            message = announcement(mode, self.address, listener.getsockname()[1], wide)
            self.command(message, expected, cuts(message) if cuts else ())
        except BaseException:
            listener.close()
            raise
        return listener

    def passive(self, mode, cuts=None):
        """Asks where to connect, and connects."""
        message = f"{mode}\r\n".encode()
        reply = self.command(message, (227, 228, 229), cuts(message) if cuts else ())
        address, port = announced(reply.text, self.host)
        return connect_from(self.lab, self.role, address, port, family=self.family, timeout=2,
                            source=self.source and (self.address, 0))

    def receive_by(self, listener, path, command="RETR"):
        """The data that the server sends to our listener."""
        self.command(f"{command} {path}", (125, 150))
        return self.collect(listener)

    def collect(self, listener):
        with listener:
            listener.settimeout(PATIENCE)
            data, _ = listener.accept()
        return self.drain(data)

    def drain(self, data):
        content = read_all(data)
        self.sent_at = time.monotonic()  # what was waited for was the data
        self.reply((226, 250))
        return content

    def fetch(self, mode, path, *, port=0, wide=False, cuts=None):
        """Downloads a file by one of the modes."""
        if mode in ("PASV", "EPSV"):
            data = self.passive(mode, cuts)
            self.command(f"RETR {path}", (125, 150))
            return self.drain(data)
        return self.receive_by(self.announce(mode, port, wide=wide, cuts=cuts), path)


def read_all(sock, timeout=PATIENCE):
    """Everything until the other side closes."""
    sock.settimeout(timeout)
    chunks = []
    with sock:
        while chunk := sock.recv(1 << 20):
            chunks.append(chunk)
    return b"".join(chunks)


# ---------------------------------------------------------------------------------------------------------------------
# Both sides in one hand

class Pair:
    """A control connection between client and the host server_role, on which no server may listen.

    The client's side stands in .client, the server's in .server, both Wires. The dialogue is up to the test; ready() brings
    it to the point where announcements are believed.
    """

    SIDES = {"client": "server", "server": "client"}

    def __init__(self, lab, family=4, *, client_role="client", server_role="server2", maxseg=None, client_maxseg=None):
        self.lab, self.family, self.client_role, self.server_role = lab, family, client_role, server_role
        with listen_in(lab, server_role, family, FTP_PORT, maxseg=maxseg) as listener:
            self.dialled = lab.dial(server_role, family)
            self.client = Wire(connect_from(lab, client_role, self.dialled, FTP_PORT, family=family, maxseg=client_maxseg))
            accepted, peer = listener.accept()
        self.server = Wire(accepted)
        self.addresses = {"client": lab.address(client_role, family), "server": lab.address(server_role, family)}
        self.seen = {"client": peer[0], "server": self.dialled}  # how the other side sees them

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        self.client.close()
        self.server.close()

    def wires(self, side):
        """The sender's wire and the receiver's."""
        return getattr(self, side), getattr(self, self.SIDES[side])

    def say(self, side, text, arrives=None, cuts=(), timeout=PATIENCE):
        """One side says something; what arrives must be exactly that, or `arrives`."""
        sender, receiver = self.wires(side)
        receiver.sent_at = time.monotonic()
        sender.send(text, cuts)
        receiver.sent_at = sender.sent_at
        expected = text if arrives is None else arrives
        got = receiver.exactly(len(expected), timeout)
        check(got == expected, f"{side} said {text!r}, {got!r} arrived instead of {expected!r}")
        return got

    def exchange(self, command, reply):
        self.say("client", command)
        self.say("server", reply)

    def ready(self):
        self.say("server", b"220 scripted\r\n")
        self.exchange(b"USER ftp\r\n", b"331 password\r\n")
        self.exchange(b"PASS lab\r\n", b"230 welcome\r\n")
        return self

    def translated(self, mode, side, port, wide=False, own=None):
        """(what a side says to announce a port, what the other side must read)"""
        address = own or self.addresses[side]
        said = announcement(mode, address, port, wide)
        if mode == "229" or address == self.seen[side]:
            return said, said
        return said, announcement(mode, self.seen[side], port)

    def announce(self, mode, port, *, wide=False, cuts=None, reply=b"200 ok\r\n"):
        """A whole announcement, checked byte for byte. cuts: a function from the message to places."""
        side = "server" if mode[0] == "2" else "client"
        if side == "server":
            self.say("client", {"227": b"PASV\r\n", "228": b"LPSV\r\n", "229": b"EPSV\r\n"}[mode])
        said, arrives = self.translated(mode, side, port, wide)
        self.say(side, said, arrives, cuts(said) if cuts else ())
        if side == "client" and reply:
            self.say("server", reply)
        return arrives

    def data(self, mode, port, *, timeout=PATIENCE):
        """Opens the announced connection from the other side, sends bytes both ways, and checks them."""
        side = "server" if mode[0] == "2" else "client"
        listening_role, other_role = (self.server_role, self.client_role) if side == "server" else \
            (self.client_role, self.server_role)
        with listen_in(self.lab, listening_role, self.family, port, self.addresses[side]) as listener:
            with connect_from(self.lab, other_role, self.seen[side], port, family=self.family, timeout=timeout) as one:
                listener.settimeout(timeout)
                other, peer = listener.accept()
                with other:
                    for sender, receiver in ((one, other), (other, one)):
                        sender.sendall(b"data" * 100)
                        check(receiver.recv(400, socket.MSG_WAITALL) == b"data" * 100, "the data connection mixes up bytes")
                    return peer[0]

    def admitted(self, side, port, *, from_role=None, timeout=NOT_ADMITTED, listen_at=None):
        """Whether a connection from the other side to this port of `side` gets through, now."""
        role = self.client_role if side == "client" else self.server_role
        other = from_role or (self.server_role if side == "client" else self.client_role)
        with listen_in(self.lab, role, self.family, port, listen_at or self.addresses[side]) as listener:
            try:
                connect_from(self.lab, other, self.seen[side], port, family=self.family, timeout=timeout).close()
            except OSError:
                return False
            listener.settimeout(timeout)
            try:
                listener.accept()[0].close()
            except OSError:
                return False
            return True


# ---------------------------------------------------------------------------------------------------------------------
# Ways to cut a message

def bytewise(message):
    return range(1, len(message))


def cut_at(*places):
    return lambda _message: places


def expected_ports(lab):
    """The destination ports of all expectations in the router."""
    lines = lab.conntrack("-L", "expect") + lab.conntrack("-L", "expect", "-f", "ipv6")
    return {int(match[1]) for line in lines if (match := re.search(r"\bdport=(\d+)", line))}
