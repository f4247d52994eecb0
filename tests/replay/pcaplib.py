# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures, for tests: reads pcap, writes pcap and pcapng, takes TCP packets apart and makes them.

A capture is a list of Record. Link headers are known by their DLT; ip_of() finds the IP packet behind them. Decoding trusts
nothing a test has not made itself further than struct.unpack does: a damaged file raises ValueError.
"""

import ipaddress
import struct
from collections import namedtuple

LINKTYPE_NULL = 0
LINKTYPE_ETHERNET = 1
LINKTYPE_PPP = 9
LINKTYPE_PPP_HDLC = 50
LINKTYPE_PPP_ETHER = 51
LINKTYPE_RAW = 101
LINKTYPE_C_HDLC = 104
LINKTYPE_IEEE802_11 = 105
LINKTYPE_LOOP = 108
LINKTYPE_LINUX_SLL = 113
LINKTYPE_IEEE802_11_RADIOTAP = 127
LINKTYPE_IPV4 = 228
LINKTYPE_IPV6 = 229
LINKTYPE_NFLOG = 239
LINKTYPE_LINUX_SLL2 = 276

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_PPPOE = 0x8864
ETHERTYPE_MPLS = 0x8847
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
SNAP = b'\xaa\xaa\x03\0\0\0'

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

Record = namedtuple('Record', 'seconds micros frame length')
Tcp = namedtuple('Tcp', 'family src sport dst dport seq ack flags window urgent options payload packet header')


# --- files


def read(path):
    """(linktype, [Record]) of a pcap file."""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) < 24:
        raise ValueError(f'{path}: too short for a pcap')
    order = {0xA1B2C3D4: '<', 0xD4C3B2A1: '>'}.get(struct.unpack('<I', data[:4])[0])
    if order is None:
        raise ValueError(f'{path}: no pcap of microseconds')
    linktype = struct.unpack(order + 'I', data[20:24])[0] & 0x0FFFFFFF
    records = []
    at = 24
    while at < len(data):
        if len(data) - at < 16:
            raise ValueError(f'{path}: cut at byte {at}')
        seconds, micros, captured, length = struct.unpack(order + 'IIII', data[at:at + 16])
        if len(data) - at - 16 < captured:
            raise ValueError(f'{path}: cut at byte {at}')
        records.append(Record(seconds, micros, data[at + 16:at + 16 + captured], length))
        at += 16 + captured
    return linktype, records


def write(path, linktype, records, snaplen=262144):
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, snaplen, linktype))
        for record in records:
            file.write(struct.pack('<IIII', record.seconds, record.micros, len(record.frame), record.length))
            file.write(record.frame)


class Pcapng:
    """Blocks of a pcapng: sections of either byte order, interfaces, packets. write() writes all there are."""

    def __init__(self):
        self.data = b''
        self.order = '<'

    def block(self, kind, body):
        body += b'\0' * (-len(body) % 4)
        length = struct.pack(self.order + 'I', len(body) + 12)
        self.data += struct.pack(self.order + 'I', kind) + length + body + length

    def section(self, order='<'):
        self.order = order
        self.block(0x0A0D0D0A, struct.pack(order + 'IHHq', 0x1A2B3C4D, 1, 0, -1))

    def interface(self, linktype, resolution=None):
        """resolution: as the option if_tsresol has it."""
        option = b'' if resolution is None else struct.pack(self.order + 'HHBxxxHH', 9, 1, resolution, 0, 0)
        self.block(1, struct.pack(self.order + 'HHI', linktype, 0, 262144) + option)

    def packet(self, interface, time, frame, length):
        """time: in the interface's units."""
        self.block(6, struct.pack(self.order + 'IIIII', interface, time >> 32, time & 0xFFFFFFFF, len(frame), length) + frame)

    def write(self, path):
        with open(path, 'wb') as file:
            file.write(self.data)


def write_pcapng(path, linktype, records):
    made = Pcapng()
    made.section()
    made.interface(linktype)
    for record in records:
        made.packet(0, record.seconds * 1000000 + record.micros, record.frame, record.length)
    made.write(path)


# --- link layers


def _by_ppp(data):
    if data[:2] == b'\xff\x03':
        data = data[2:]
    protocol, data = struct.unpack('!H', data[:2])[0], data[2:]
    return data if protocol in (PPP_IPV4, PPP_IPV6) else None


def _by_ethertype(kind, data):
    """What is behind a field that says kind."""
    while kind in VLAN_TAGS and len(data) >= 4:
        kind, data = struct.unpack('!H', data[2:4])[0], data[4:]
    if kind <= 1500 and data[:6] == SNAP:
        return _by_ethertype(struct.unpack('!H', data[6:8])[0], data[8:8 + kind - 8])
    if kind == ETHERTYPE_PPPOE and len(data) >= 8:
        return _by_ppp(data[6:6 + struct.unpack('!H', data[4:6])[0]])
    if kind == ETHERTYPE_MPLS and len(data) >= 4:
        return data[4:] if data[2] & 1 else _by_ethertype(kind, data[4:])
    return data if kind in (ETHERTYPE_IPV4, ETHERTYPE_IPV6) else None


def _of_nflog(data):
    data = data[4:]
    while len(data) >= 4:
        length, kind = struct.unpack('=HH', data[:4])
        if kind == 9:
            return data[4:length]
        data = data[length + -length % 4:]
    return None


def ip_of(linktype, frame):
    """The bytes from the IP header on, or None."""
    if linktype in (LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6):
        return frame
    if linktype in (LINKTYPE_NULL, LINKTYPE_LOOP):
        return frame[4:]
    if linktype == LINKTYPE_NFLOG:
        return _of_nflog(frame)
    if linktype in (LINKTYPE_PPP, LINKTYPE_PPP_HDLC):
        return _by_ppp(frame)
    if linktype == LINKTYPE_PPP_ETHER:
        return _by_ethertype(ETHERTYPE_PPPOE, frame)
    header, protocol = {LINKTYPE_ETHERNET: (14, 12), LINKTYPE_LINUX_SLL: (16, 14), LINKTYPE_LINUX_SLL2: (20, 0),
                        LINKTYPE_C_HDLC: (4, 2), LINKTYPE_IEEE802_11: (32, 30), LINKTYPE_IEEE802_11_RADIOTAP: (40, 38)}[linktype]
    if len(frame) < header:
        return None
    return _by_ethertype(struct.unpack('!H', frame[protocol:protocol + 2])[0], frame[header:])


def _ethertype(ip):
    return struct.pack('!H', ETHERTYPE_IPV4 if ip[0] >> 4 == 4 else ETHERTYPE_IPV6)


def _ethernet(ip, tags=b''):
    return b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02' + tags + _ethertype(ip) + ip


def _family(ip, order, ipv6):
    return struct.pack(order + 'I', 2 if ip[0] >> 4 == 4 else ipv6) + ip


def _ppp(ip):
    return struct.pack('!H', PPP_IPV4 if ip[0] >> 4 == 4 else PPP_IPV6) + ip


def _pppoe(ip):
    session = _ppp(ip)
    return struct.pack('!BBHH', 0x11, 0, 7, len(session)) + session


def _snap(ip):
    return SNAP + _ethertype(ip) + ip


def _nflog(ip, before=b''):
    payload = struct.pack('=HH', 4 + len(ip), 9) + ip + b'\0' * (-len(ip) % 4)
    return struct.pack('!BBH', 2 if ip[0] >> 4 == 4 else 10, 0, 5) + before + payload


_MACS = b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02'
_NFLOG_BEFORE = struct.pack('=HH', 8, 1) + b'\x08\0\x03\0' + struct.pack('=HH', 7, 10) + b'ab\0\0'
_WLAN = b'\x08\x01\0\0' + b'\x02\0\0\0\0\x03' + _MACS + b'\x10\0'

# name -> (linktype, IP packet to frame)
ENCAPSULATIONS = {
    'ethernet': (LINKTYPE_ETHERNET, _ethernet),
    'vlan': (LINKTYPE_ETHERNET, lambda ip: _ethernet(ip, b'\x81\0\0\x07')),
    'qinq': (LINKTYPE_ETHERNET, lambda ip: _ethernet(ip, b'\x88\xa8\0\x05\x81\0\0\x07')),
    'three-tags': (LINKTYPE_ETHERNET, lambda ip: _ethernet(ip, b'\x88\xa8\0\x05\x81\0\0\x07\x81\0\0\x08')),
    'snap': (LINKTYPE_ETHERNET, lambda ip: _MACS + struct.pack('!H', len(_snap(ip))) + _snap(ip)),
    'pppoe': (LINKTYPE_ETHERNET, lambda ip: _MACS + b'\x88\x64' + _pppoe(ip)),
    'vlan-pppoe': (LINKTYPE_ETHERNET, lambda ip: _MACS + b'\x81\0\0\x07\x88\x64' + _pppoe(ip)),
    'mpls': (LINKTYPE_ETHERNET, lambda ip: _MACS + b'\x88\x47\0\x01\x01\x40' + ip),
    'mpls-three-labels': (LINKTYPE_ETHERNET, lambda ip: _MACS + b'\x88\x47\0\x01\0\x40\0\x02\0\x40\0\x03\x01\x40' + ip),
    'ppp': (LINKTYPE_PPP, lambda ip: b'\xff\x03' + _ppp(ip)),
    'ppp-bare': (LINKTYPE_PPP, _ppp),
    'ppp-hdlc': (LINKTYPE_PPP_HDLC, lambda ip: b'\xff\x03' + _ppp(ip)),
    'ppp-ether': (LINKTYPE_PPP_ETHER, _pppoe),
    'cisco-hdlc': (LINKTYPE_C_HDLC, lambda ip: b'\x0f\0' + _ethertype(ip) + ip),
    'nflog': (LINKTYPE_NFLOG, _nflog),
    'nflog-more': (LINKTYPE_NFLOG, lambda ip: _nflog(ip, _NFLOG_BEFORE)),
    'wlan': (LINKTYPE_IEEE802_11, lambda ip: _WLAN + _snap(ip)),
    'radiotap': (LINKTYPE_IEEE802_11_RADIOTAP, lambda ip: b'\0\0\x08\0\0\0\0\0' + _WLAN + _snap(ip)),
    'sll-pppoe': (LINKTYPE_LINUX_SLL, lambda ip: b'\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x88\x64' + _pppoe(ip)),
    'sll': (LINKTYPE_LINUX_SLL, lambda ip: b'\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0' + _ethertype(ip) + ip),
    'sll2': (LINKTYPE_LINUX_SLL2,
             lambda ip: _ethertype(ip) + b'\0\0\0\0\0\x03\0\x01\0\x06\x02\0\0\0\0\x01\0\0' + ip),
    'raw': (LINKTYPE_RAW, lambda ip: ip),
    'null-linux': (LINKTYPE_NULL, lambda ip: _family(ip, '<', 10)),
    'null-darwin': (LINKTYPE_NULL, lambda ip: _family(ip, '<', 30)),
    'null-big-endian': (LINKTYPE_NULL, lambda ip: _family(ip, '>', 28)),
    'loop': (LINKTYPE_LOOP, lambda ip: _family(ip, '>', 24)),
}


# --- TCP


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _address(text):
    return ipaddress.ip_address(text).packed


def _pseudo(src, dst, length):
    return _address(src) + _address(dst) + struct.pack('!II', length, 6)


def decode(ip):
    """A Tcp, or None for anything else (fragments and truncated packets too)."""
    if not ip:
        return None
    if ip[0] >> 4 == 4 and len(ip) >= 20:
        header, total = (ip[0] & 15) * 4, struct.unpack('!H', ip[2:4])[0]
        if ip[9] != 6 or struct.unpack('!H', ip[6:8])[0] & 0x3FFF:
            return None
        family, src, dst = 4, ip[12:16], ip[16:20]
    elif ip[0] >> 4 == 6 and len(ip) >= 40:
        header, total = 40, 40 + struct.unpack('!H', ip[4:6])[0]
        if ip[6] != 6:
            return None
        family, src, dst = 6, ip[8:24], ip[24:40]
    else:
        return None
    if total > len(ip) or total - header < 20:
        return None
    tcp = ip[header:total]
    sport, dport, seq, ack, offset, flags, window, _, urgent = struct.unpack('!HHIIBBHHH', tcp[:20])
    size = (offset >> 4) * 4
    return Tcp(family, str(ipaddress.ip_address(src)), sport, str(ipaddress.ip_address(dst)), dport, seq, ack, flags, window,
               urgent, tcp[20:size], tcp[size:], ip[:total], header)


def checksum_ok(tcp):
    segment = tcp.packet[tcp.header:]
    return checksum(_pseudo(tcp.src, tcp.dst, len(segment)) + segment) == 0


def header_checksum_ok(tcp):
    """The IPv4 header's; IPv6 has none."""
    return tcp.family == 6 or checksum(tcp.packet[:tcp.header]) == 0


def with_partial_checksum(packet):
    """The packet as it is captured when its checksum is left to the network card: the pseudo header's sum."""
    tcp = decode(packet)
    partial = ~checksum(_pseudo(tcp.src, tcp.dst, len(packet) - tcp.header)) & 0xFFFF
    at = tcp.header + 16
    return packet[:at] + struct.pack('!H', partial) + packet[at + 2:]


def encode(src, sport, dst, dport, seq, ack, flags, payload=b'', options=b'', window=65535, urgent=0, ident=0, ttl=64):
    """The IP packet."""
    options += b'\0' * (-len(options) % 4)
    tcp = struct.pack('!HHIIBBHHH', sport, dport, seq % 2**32, ack % 2**32, (20 + len(options)) // 4 << 4, flags, window, 0,
                      urgent) + options + payload
    check = checksum(_pseudo(src, dst, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack('!H', check) + tcp[18:]
    if ':' in src:
        return struct.pack('!IHBB', 6 << 28, len(tcp), 6, ttl) + _address(src) + _address(dst) + tcp
    header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp), ident, 0x4000, ttl, 6, 0) + _address(src) + _address(dst)
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + tcp


def rebuilt(tcp, seq=None, ack=None, payload=None):
    """The same packet with other numbers or another payload; both checksums are made anew."""
    packet = bytearray(tcp.packet)
    at = tcp.header
    if payload is not None:
        packet[len(packet) - len(tcp.payload):] = payload
    if seq is not None:
        packet[at + 4:at + 8] = struct.pack('!I', seq % 2**32)
    if ack is not None:
        packet[at + 8:at + 12] = struct.pack('!I', ack % 2**32)
    if tcp.family == 4:
        packet[2:4] = struct.pack('!H', len(packet))
        packet[10:12] = b'\0\0'
        packet[10:12] = struct.pack('!H', checksum(bytes(packet[:at])))
    else:
        packet[4:6] = struct.pack('!H', len(packet) - 40)
    packet[at + 16:at + 18] = b'\0\0'
    segment = bytes(packet[at:])
    packet[at + 16:at + 18] = struct.pack('!H', checksum(_pseudo(tcp.src, tcp.dst, len(segment)) + segment))
    return decode(bytes(packet))


class Conversation:
    """Two TCP endpoints that talk without loss: makes the packets of a capture, in order."""

    def __init__(self, packets, client, server, client_isn=1000, server_isn=5000):
        """packets: a list to append IP packets to; client and server: (address, port)."""
        self.packets = packets
        self.ends = (client, server)
        self.seq = [client_isn, server_isn]

    def packet(self, sender, flags, payload=b'', options=b'', **more):
        (src, sport), (dst, dport) = self.ends[sender], self.ends[1 - sender]
        ack = self.seq[1 - sender] if flags & ACK else 0
        self.packets.append(encode(src, sport, dst, dport, self.seq[sender], ack, flags, payload, options, **more))
        self.seq[sender] += len(payload) + bool(flags & SYN) + bool(flags & FIN)

    def open(self, mss=1460):
        option = b'\x02\x04' + struct.pack('!H', mss)
        self.packet(0, SYN, options=option)
        self.packet(1, SYN | ACK, options=option)
        self.packet(0, ACK)
        return self

    def say(self, sender, text):
        self.packet(sender, PSH | ACK, text if isinstance(text, bytes) else text.encode())
        self.packet(1 - sender, ACK)

    def command(self, text):
        self.say(0, text + '\r\n')

    def reply(self, text):
        self.say(1, text + '\r\n')

    def close(self):
        self.packet(0, FIN | ACK)
        self.packet(1, FIN | ACK)
        self.packet(0, ACK)


def records(packets, encapsulate, start=1700000000, step=1000):
    """Records of IP packets, step microseconds apart."""
    made = []
    for number, packet in enumerate(packets):
        frame = encapsulate(packet)
        micros = number * step
        made.append(Record(start + micros // 1000000, micros % 1000000, frame, len(frame)))
    return made
