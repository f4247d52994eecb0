# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of the field that are no dialogue of two honest ends, but packets: a description has no words for those.

Each makes a capture of which nothing may be expected.
"""

from pathlib import Path

import captures
import pcaplib
from captures import START, Timed, connect
from field import CLIENT, ENDS, SERVER, Case, Data
from pcaplib import ACK, PSH, SYN, Conversation, Record

MSS = b"\x02\x04\x05\xb4"
OPTIONS = ["--nat", "10.0.0.2=198.51.100.254"]
TRY = Data((SERVER[0], 20), (CLIENT[0], 50001), False)


def _from_server(control, seq, flags, payload=b"", options=b"", ack=None):
    """A packet out of line: the ends' own numbers stay as they are."""
    control.packets.append(pcaplib.encode(*SERVER, *CLIENT, seq, control.seq[0] if ack is None else ack, flags, payload, options))


def _hidden_port(control):
    """What a browser sends, with a command at a place where a segment may be made to begin."""
    control.packet(0, PSH | ACK, b"GET / HTTP/1.1\r\nX: y\r\n\r\n")
    return control.seq[0]


def second_synack(control):
    """One more SYN/ACK in mid-connection, as if the first line began at PORT."""
    middle = _hidden_port(control)
    _from_server(control, control.seq[1] + 1, SYN | ACK, options=MSS, ack=middle)
    control.say(1, b"220 hi\r\n")
    control.say(0, b"PORT 10,0,0,2,195,81\r\n")


def second_synack_same_number(control):
    """The same with the first one's number."""
    middle = _hidden_port(control)
    _from_server(control, control.seq[1] - 1, SYN | ACK, options=MSS, ack=middle)
    control.say(1, b"220 hi\r\n")
    control.say(0, b"USER x\r\nPORT 10,0,0,2,195,81\r\n")


def synack_behind_reset(control):
    """A reset that the client does not believe, then a handshake's answer."""
    middle = _hidden_port(control)
    _from_server(control, control.seq[1] + 100000, pcaplib.RST | ACK)
    _from_server(control, control.seq[1], SYN | ACK, options=MSS, ack=middle)
    control.say(1, b"220 hi\r\n")
    control.say(0, b"PORT 10,0,0,2,195,81\r\n")


FORGED = {"90a-second-synack": second_synack, "90b-second-synack-same-number": second_synack_same_number,
          "90c-synack-behind-reset": synack_behind_reset}


def cases():
    return [Case(name, function.__doc__, OPTIONS, ENDS[4], 0, [], "packets", live=False) for name, function in FORGED.items()]


def write(folder, case):
    packets = Timed()
    FORGED[case.name](Conversation(packets, CLIENT, SERVER).open())
    connect(packets, TRY)
    linktype, encapsulate = pcaplib.ENCAPSULATIONS["ethernet"]
    records = []
    for time, ip in packets.packets:
        frame = encapsulate(ip)
        records.append(Record(START, int(time * 1000000), frame, len(frame)))
    path = Path(folder) / f"{case.name}.pcap"
    pcaplib.write(path, linktype, records)
    return path


__all__ = ["cases", "write", "captures"]
