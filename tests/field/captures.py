# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of dialogues: the packets that a router's inside would see, in the frames of a link, with right checksums or wrong ones."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "replay"))

import pcaplib
from field import Data, Say, Silence
from pcaplib import Conversation, Record

LINKTYPE_PPP = 9
LINKTYPE_NFLOG = 239
START = 1700000000


def _ethernet(kind, payload):
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + struct.pack("!H", kind) + payload


def _is_ipv4(ip):
    return ip[0] >> 4 == 4


def _ppp(ip):
    return struct.pack("!H", 0x0021 if _is_ipv4(ip) else 0x0057) + ip


def _pppoe(ip):
    return struct.pack("!BBHH", 0x11, 0, 7, len(ip) + 2) + _ppp(ip)


def _mpls(ip, labels=1):
    stack = b"".join(struct.pack("!I", (100 + at) << 12 | (at == labels - 1) << 8 | 64) for at in range(labels))
    return _ethernet(0x8847, stack + ip)


def _nflog(ip):
    """struct nflog_tlv: length and type in host order, padded; type 9 is the packet. First another one, as the kernel writes it."""
    header = struct.pack("<HH", 8, 1) + struct.pack("!HBB", 0x0800, 3, 0)
    payload = struct.pack("<HH", 4 + len(ip), 9) + ip
    return struct.pack("!BBH", 2 if _is_ipv4(ip) else 10, 0, 5) + header + payload + b"\0" * (-len(payload) % 4)


LINKS = {
    **pcaplib.ENCAPSULATIONS,
    "pppoe": (pcaplib.LINKTYPE_ETHERNET, lambda ip: _ethernet(0x8864, _pppoe(ip))),
    "pppoe-vlan": (pcaplib.LINKTYPE_ETHERNET, lambda ip: _ethernet(0x8100, struct.pack("!HH", 7, 0x8864) + _pppoe(ip))),
    "ppp": (LINKTYPE_PPP, lambda ip: b"\xff\x03" + _ppp(ip)),
    "ppp-bare": (LINKTYPE_PPP, _ppp),
    "mpls": (pcaplib.LINKTYPE_ETHERNET, _mpls),
    "mpls-two": (pcaplib.LINKTYPE_ETHERNET, lambda ip: _mpls(ip, 2)),
    "nflog": (LINKTYPE_NFLOG, _nflog),
}


class Timed:
    """A list of packets, as Conversation wants one, that notes when each was appended."""

    def __init__(self):
        self.now, self.packets = 0.0, []

    def append(self, packet):
        self.now += 0.001
        self.packets.append((self.now, packet))


def connect(packets, data):
    """A data connection from its handshake to its end, as if nothing stood in its way: whether it is let in is the helper's question."""
    transfer = Conversation(packets, data.source, data.destination, 7000, 9000).open()
    transfer.say(0, b"0123456789")
    transfer.close()


def packets_of(case):
    packets = Timed()
    control = Conversation(packets, *case.ends).open()
    for step in case.steps:
        if isinstance(step, Say):
            control.say(step.side, step.data)
        elif isinstance(step, Data):
            connect(packets, step)
        elif isinstance(step, Silence):
            packets.now += step.seconds
    control.close()
    return packets.packets


def _wrong_checksum(ip):
    """As where an address has been replaced in a file and nothing computed anew: off by the same amount everywhere."""
    at = pcaplib.decode(ip).header + 16
    return ip[:at] + struct.pack("!H", (struct.unpack("!H", ip[at:at + 2])[0] + 0x1234) % 0xFFFF) + ip[at + 2:]


DAMAGE = {"wrong-checksums": _wrong_checksum, "partial-checksums": pcaplib.with_partial_checksum}


def _two_interfaces(path, packets):
    """One pcapng, whose packets come from two interfaces of different link types, a direction each; their times have another unit."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    links = [LINKS["pppoe"], LINKS["sll"]]
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for linktype, _ in links:
            file.write(block(1, struct.pack("<HHI", linktype, 0, 262144)))
        for time, ip in packets:
            which = int(pcaplib.decode(ip).sport < pcaplib.decode(ip).dport)
            frame = links[which][1](ip)
            micros = int((START + time) * 1000000)
            file.write(block(6, struct.pack("<IIIII", which, micros >> 32, micros & 0xFFFFFFFF, len(frame), len(frame)) + frame))


def write(path, case):
    packets = packets_of(case)
    if case.capture == "two-interfaces":
        return _two_interfaces(path, packets)
    damage = DAMAGE.get(case.capture)
    linktype, encapsulate = LINKS["ethernet" if damage or not case.capture else case.capture]
    records = []
    for time, ip in packets:
        frame = encapsulate(damage(ip) if damage else ip)
        micros = int((START + time) * 1000000)
        records.append(Record(micros // 1000000, micros % 1000000, frame, len(frame)))
    return pcaplib.write(path, linktype, records)
