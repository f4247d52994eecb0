# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP packets that no honest TCP would send, and looking at those that pass.

    tap = Tap(lab, "client")            sees what a host sends and receives, from now on
    forger = Forger(lab, "server2")     sends any packet from a host, also in another's name
    hand = Hand(lab, "server2", 21)     one end of a connection, of which every packet is the test's own

A packet is a Packet: its two ends, its numbers, its bytes. Whoever knows the addresses and ports only takes random numbers;
numbers_of() reads a living connection's off the wire, for attackers who are one end of it, or can see it.
"""

import contextlib
import dataclasses
import ipaddress
import random
import socket
import struct
import time

import lab as laboratory
from lab import FTP_PORT
from rawftp import INET, Wrong, in_namespace

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETH_P_ALL = 3
ETHERTYPES = {0x0800: 4, 0x86dd: 6}
HOPS = 64
BUFFER = 8 << 20
PATIENCE = 4 * laboratory.PATIENCE  # until a packet is given up: programs have to be started first
MSS_1400 = b"\x02\x04\x05\x78"


def plus(number, more):
    """A sequence number further on."""
    return (number + more) & 0xffffffff


def distance(number, other):
    """How far a sequence number is ahead of the other; behind it: negative."""
    return (number - other + (1 << 31)) % (1 << 32) - (1 << 31)


def random_number():
    return random.getrandbits(32)


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


@dataclasses.dataclass(frozen=True)
class Packet:
    """One TCP segment. source and target are pairs (address, port)."""

    source: tuple
    target: tuple
    flags: int
    seq: int
    ack: int = 0
    payload: bytes = b""
    window: int = 0xffff
    options: bytes = b""

    @property
    def end(self):
        """The number behind its last byte; SYN and FIN count as one each."""
        return plus(self.seq, len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN))

    def packed(self):
        source, target = (ipaddress.ip_address(address).packed for address, _port in (self.source, self.target))
        size = 20 + len(self.options)
        header = struct.pack("!HHIIBBHHH", self.source[1], self.target[1], self.seq, self.ack, size << 2, self.flags,
                             self.window, 0, 0) + self.options
        segment = header + self.payload
        pseudo = source + target + struct.pack("!II", len(segment), socket.IPPROTO_TCP)
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
        if len(source) == 4:  # the kernel computes this header's checksum
            return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, HOPS, socket.IPPROTO_TCP, 0) \
                + source + target + segment
        return struct.pack("!IHBB", 6 << 28, len(segment), socket.IPPROTO_TCP, HOPS) + source + target + segment

    @classmethod
    def parse(cls, data):
        """None: it is not TCP. IPv6 without extension headers."""
        version = data[0] >> 4
        header, protocol = (4 * (data[0] & 15), data[9]) if version == 4 else (40, data[6])
        if protocol != socket.IPPROTO_TCP:
            return None
        length = struct.unpack_from("!H", data, 2)[0] if version == 4 else 40 + struct.unpack_from("!H", data, 4)[0]
        addresses = data[12:20] if version == 4 else data[8:40]
        source, target = (str(ipaddress.ip_address(half)) for half in (addresses[:len(addresses) // 2],
                                                                      addresses[len(addresses) // 2:]))
        tcp = data[header:length]
        sport, dport, seq, ack, size, flags, window = struct.unpack_from("!HHIIBBH", tcp)
        return cls((source, sport), (target, dport), flags, seq, ack, tcp[size >> 4 << 2:], window, tcp[20:size >> 4 << 2])


class Forger:
    """Sends packets from a host as they are."""

    def __init__(self, lab, role):
        self.sockets = {family: in_namespace(lab, role, socket.socket, INET[family], socket.SOCK_RAW, socket.IPPROTO_RAW)
                        for family in INET}

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        for sock in self.sockets.values():
            sock.close()

    def send(self, *packets):
        """At one go."""
        for packed, address in [(packet.packed(), packet.target[0]) for packet in packets]:
            self.sockets[ipaddress.ip_address(address).version].sendto(packed, (address, 0))


class Tap:
    """All TCP packets that a host has sent and received since this was made."""

    def __init__(self, lab, role):
        self.sock = in_namespace(lab, role, self._open)
        self.pending = []

    @staticmethod
    def _open():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        sock.bind(("eth0", ETH_P_ALL))
        return sock

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.sock.close()

    def next(self, timeout):
        """The next packet, or None."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                data, origin = self.sock.recvfrom(65536)
            except TimeoutError:
                return None
            if origin[1] in ETHERTYPES and (packet := Packet.parse(data)):
                return packet
        return None

    def wait(self, condition, what, timeout=PATIENCE):
        """The next packet that meets a condition."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            packet = self.next(left)
            if packet and condition(packet):
                return packet
        raise Wrong(f"waited {timeout:g} s in vain for {what}")

    def last(self, source, target, quiet=0.05):
        """The last packet of one direction so far; returns when the wire has been quiet for a while."""
        found = None
        while packet := self.next(quiet):
            if (packet.source, packet.target) == (source, target) and not packet.flags & RST:
                found = packet
        if not found:
            raise Wrong(f"no packet from {source} to {target} was seen")
        return found


@dataclasses.dataclass(frozen=True)
class Ends:
    """A connection as one host sees it, and where it stands: what that host sends next, and expects next."""

    near: tuple
    far: tuple
    next: int
    expected: int

    def segment(self, flags=ACK, ahead=0, acknowledged=0, payload=b""):
        """What the near end would send now, but for what is asked for."""
        return Packet(self.near, self.far, flags, plus(self.next, ahead), plus(self.expected, acknowledged), payload)

    def answer(self, flags=ACK, ahead=0, acknowledged=0, payload=b""):
        """What the far end would."""
        return Packet(self.far, self.near, flags, plus(self.expected, ahead), plus(self.next, acknowledged), payload)


def numbers_of(tap, sock):
    """The Ends of a host's connected socket, by the tap of that host."""
    near, far = sock.getsockname()[:2], sock.getpeername()[:2]
    last = tap.last(near, far)
    return Ends(near, far, last.end, last.ack)


class Hand:
    """A server's end of a connection, played by hand; the host's own TCP hears nothing of what comes to its port.

    What it has sent is the caller's to remember, but for `next`: the number of the next byte, if that is to be honest.
    """

    TABLE = "inet forged"

    def __init__(self, lab, role="server2", port=FTP_PORT):
        self.lab, self.role, self.port = lab, role, port
        self.next = random_number()
        self.peer = self.own = None
        self._stack = contextlib.ExitStack()
        self.forger = self._stack.enter_context(Forger(lab, role))
        self.tap = self._stack.enter_context(Tap(lab, role))

    def __enter__(self):
        self._nft(f"table {self.TABLE} {{ chain input {{ type filter hook input priority 0; tcp dport {self.port} drop; }}; }}")
        return self

    def __exit__(self, *_exception):
        self._nft(f"delete table {self.TABLE}")
        self._stack.close()

    def _nft(self, text):
        self.lab.run(self.role, ["nft", "-f", "-"], input=text + "\n", check=True)

    def hear(self, condition, what, timeout=PATIENCE):
        """The next packet that comes to the port and meets the condition."""
        return self.tap.wait(lambda packet: packet.target[1] == self.port and condition(packet), what, timeout)

    def hear_syn(self):
        """A client's first packet; from then on he is the peer."""
        syn = self.hear(lambda packet: packet.flags & (SYN | ACK) == SYN, "a SYN")
        self.peer, self.own = syn.source, syn.target
        return syn

    def hear_text(self, text, timeout=PATIENCE):
        """A packet with this text, and the text's own number in it."""
        packet = self.hear(lambda packet: text in packet.payload, f"a packet with {text!r}", timeout)
        return packet, plus(packet.seq, packet.payload.index(text))

    def packet(self, flags, ack, *, seq=None, payload=b"", window=0xffff, options=b""):
        """Without seq it goes on where the last one ended."""
        packet = Packet(self.own, self.peer, flags, self.next if seq is None else seq, ack, payload, window, options)
        if seq is None:
            self.next = packet.end
        return packet

    def say(self, flags, ack, **more):
        self.forger.send(self.packet(flags, ack, **more))

    def accept(self, window=0xffff):
        """The handshake, honestly; the number of the client's first byte."""
        syn = self.hear_syn()
        self.say(SYN | ACK, plus(syn.seq, 1), window=window, options=MSS_1400)
        return plus(syn.seq, 1)
