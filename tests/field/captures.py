# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of dialogues: the packets that a router's inside would see, in the frames of a link, with right checksums or wrong ones."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "replay"))

import pcaplib
from field import Data, Say, Silence
from pcaplib import Conversation, Record

START = 1700000000  # seconds


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
    """One pcapng, whose packets come from two interfaces of different link types, a direction each."""
    links = [pcaplib.ENCAPSULATIONS[name] for name in ("pppoe", "sll")]
    made = pcaplib.Pcapng()
    made.section()
    for linktype, _ in links:
        made.interface(linktype)
    for time, ip in packets:
        which = int(pcaplib.decode(ip).sport < pcaplib.decode(ip).dport)
        frame = links[which][1](ip)
        made.packet(which, int((START + time) * 1000000), frame, len(frame))
    made.write(path)


def write(path, case):
    packets = packets_of(case)
    if case.capture == "two-interfaces":
        return _two_interfaces(path, packets)
    damage = DAMAGE.get(case.capture)
    linktype, encapsulate = pcaplib.ENCAPSULATIONS["ethernet" if damage or not case.capture else case.capture]
    records = []
    for time, ip in packets:
        frame = encapsulate(damage(ip) if damage else ip)
        micros = int((START + time) * 1000000)
        records.append(Record(micros // 1000000, micros % 1000000, frame, len(frame)))
    return pcaplib.write(path, linktype, records)
