#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `nfq-ftp-helper replay`, over captures of real sessions and over small ones made here.

One line a case: `PASS name`, `FAIL name: why` or `SKIP name: why`; exit 1 if any failed. Arguments select cases by a part of
their names; --exceptions prints what belongs into exceptions.tsv instead. NFQ_FTP_HELPER names the program under test
(default: build/nfq-ftp-helper).
"""

import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pcaplib
from pcaplib import ACK, Conversation, PSH, SYN

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = os.environ.get('NFQ_FTP_HELPER', str(ROOT / 'build' / 'nfq-ftp-helper'))
OWN = ROOT / 'pcaps'
SHARED = ROOT.parent / 'shared' / 'pcaps'
SCRATCH = tempfile.TemporaryDirectory(prefix='nfq-ftp-helper-replay.')

CLIENT, SERVER = '10.0.0.2', '203.0.113.5'
PUBLIC = '198.51.100.254'
NAT = f'{CLIENT}={PUBLIC}'


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, why):
    if not condition:
        raise Failure(why)


def equal(got, wanted, what):
    check(got == wanted, f'{what}: {got!r} instead of {wanted!r}')


def scratch(name):
    return os.path.join(SCRATCH.name, name)


# --- running it


class Run:
    """One run of replay: its exit code, its sentences, and with --json its events."""

    def __init__(self, *arguments):
        done = subprocess.run([PROGRAM, 'replay', *map(str, arguments)], capture_output=True, timeout=60)
        self.code = done.returncode
        self.out = done.stdout.decode('utf-8')
        self.err = done.stderr.decode('utf-8', 'replace')
        check(self.code in (0, 1, 2), f'exit code {self.code}: {self.err[-2000:]}')
        self.events = []
        if '--json' in arguments:
            self.events = [json.loads(line) for line in self.out.splitlines()]

    def of(self, kind):
        return [event for event in self.events if event['event'] == kind]

    @property
    def summary(self):
        found = self.of('summary')
        equal(len(found), 1, 'summaries')
        return found[0]

    def one_sentence(self, *parts):
        equal(self.err.count('\n'), 1, f'lines on stderr ({self.err!r})')
        for part in parts:
            check(part in self.err, f'stderr does not name {part!r}: {self.err!r}')


def replay(*arguments):
    return Run('--json', *arguments)


def good(*arguments):
    run = replay(*arguments)
    equal((run.code, run.err), (0, ''), 'exit code and stderr')
    return run


# --- captures made here


def active(packets, client=(CLIENT, 40000), server=(SERVER, 21), announce='PORT 10,0,0,2,195,81', port=50001, data=b'x' * 100):
    """An upload's dialogue with one active data connection."""
    control = Conversation(packets, client, server).open()
    control.reply('220 Hello')
    control.command(announce)
    control.reply('200 OK')
    control.command('RETR file')
    control.reply('150 Here it comes')
    transfer = Conversation(packets, (server[0], 20), (client[0], port)).open()
    transfer.say(0, data)
    transfer.close()
    control.reply('226 Done')
    return control


def passive(packets, client=(CLIENT, 40000), server=(SERVER, 21), command='PASV',
            reply='227 Entering Passive Mode (203,0,113,5,195,80).', port=50000):
    control = Conversation(packets, client, server).open()
    control.reply('220 Hello')
    control.command(command)
    control.reply(reply)
    control.command('LIST')
    transfer = Conversation(packets, (client[0], 41000), (server[0], port)).open()
    control.reply('150 Here it comes')
    transfer.say(1, b'y' * 100)
    transfer.close()
    control.reply('226 Done')
    return control


def capture(name, packets, how='ethernet', **more):
    linktype, encapsulate = pcaplib.ENCAPSULATIONS[how]
    path = scratch(name + '.pcap')
    pcaplib.write(path, linktype, pcaplib.records(packets, encapsulate, **more))
    return path


def sample():
    """Both kinds of transfer in one capture."""
    packets = []
    active(packets).close()
    passive(packets, client=(CLIENT, 40001)).close()
    return packets


def tcp_of(path):
    linktype, records = pcaplib.read(path)
    return [tcp for tcp in (pcaplib.decode(pcaplib.ip_of(linktype, record.frame)) for record in records) if tcp]


def streams(packets):
    """(src, sport, dst, dport) -> the bytes that a receiver puts together, by sequence number."""
    pieces = defaultdict(dict)
    starts = {}
    for tcp in packets:
        key = (tcp.src, tcp.sport, tcp.dst, tcp.dport)
        if tcp.flags & SYN:
            starts[key] = tcp.seq + 1
        for offset, byte in enumerate(tcp.payload):
            at = tcp.seq - starts.get(key, 0) + offset
            check(pieces[key].setdefault(at, byte) == byte, f'{key} carries two bytes for offset {at}')
    for key, bytes_at in pieces.items():
        equal(sorted(bytes_at), list(range(len(bytes_at))), f'offsets that {key} fills')
    return {key: bytes(bytes_at[i] for i in range(len(bytes_at))) for key, bytes_at in pieces.items()}


CASES = []


def case(function):
    CASES.append((function.__name__.replace('_', '-'), function))
    return function


# --- (a) our own captures: the inside's replay is the outside's


def canonical(tcp):
    """What must be equal: everything but the IP header's identification, TTL, and the checksum over those."""
    packet = bytearray(tcp.packet)
    if tcp.family == 4:
        packet[4:6] = packet[10:12] = b'\0\0'
        packet[8] = 0
    else:
        packet[7] = 0
    return bytes(packet)


def header_checksum_ok(tcp):
    return tcp.family == 6 or pcaplib.checksum(tcp.packet[:tcp.header]) == 0


def by_direction(packets):
    found = defaultdict(list)
    for tcp in packets:
        found[tcp.src, tcp.sport, tcp.dst, tcp.dport].append(tcp)
    return found


def read_exceptions():
    """capture -> number of the EPRT in it, from 1 -> (our text, theirs), with * for the port."""
    found = defaultdict(dict)
    for line in (HERE / 'exceptions.tsv').read_text().splitlines():
        if line and not line.startswith('#'):
            name, number, ours, theirs, reason = line.split('\t')
            check(reason not in ('', 'UNKNOWN'), f'exceptions.tsv: EPRT {number} of {name} without a reason')
            found[name][int(number)] = (ours, theirs)
    return found


EXCEPTIONS = read_exceptions()


def direction_text(key):
    return f'{key[0]}:{key[1]}>{key[2]}:{key[3]}'


def describe(tcp):
    return f'seq {tcp.seq} ack {tcp.ack} flags {tcp.flags:#04x} options {tcp.options.hex()} payload {tcp.payload[:80]!r}'


def is_announcement(tcp):
    return tcp.dport == 21 and tcp.payload.startswith(b'EPRT ')


def text_of(tcp):
    """An EPRT's text, with * for the port, and the port."""
    parts = tcp.payload.decode('latin-1').split('|')
    return '|'.join([*parts[:3], '*', *parts[4:]]).rstrip('\r\n'), parts[3]


def excepted(name, ours):
    """Our packets with the texts of the exceptions exchanged; and by direction the (sequence number, growth) of each."""
    shifts = defaultdict(list)
    changed = list(ours)
    announcements = [at for at, tcp in enumerate(ours) if is_announcement(tcp)]
    for number, (our_text, their_text) in sorted(EXCEPTIONS[name].items()):
        check(number <= len(announcements), f'there is no EPRT {number} to be an exception')
        our = ours[announcements[number - 1]]
        text, port = text_of(our)
        equal(text, our_text, f'EPRT {number}, an exception: our text')
        shifts[our.src, our.sport, our.dst, our.dport].append((our.seq, len(their_text) - len(our_text)))
        changed[announcements[number - 1]] = pcaplib.rebuilt(our, payload=their_text.replace('*', port).encode() + b'\r\n')
    return shifts, changed


def moved(number, shifts):
    return number + sum(growth for start, growth in shifts if 0 < (number - start) % 2**32 < 2**31)


def compare_direction(key, ours, theirs, shifts, back_shifts):
    """Byte for byte, after what the exceptions move has been moved."""
    for number, (our, their) in enumerate(zip(ours, theirs), 1):
        where = f'{direction_text(key)} packet {number}'
        check(header_checksum_ok(our), f'{where}: IPv4 header checksum')
        if shifts or back_shifts:
            check(pcaplib.checksum_ok(our), f'{where}: checksum')
            our = pcaplib.rebuilt(our, seq=moved(our.seq, shifts), ack=moved(our.ack, back_shifts))
        check(canonical(our) == canonical(their), f'{where}: {describe(our)} instead of {describe(their)}')
    equal(len(ours), len(theirs), f'{direction_text(key)}: packets')


def both_sides(name, nat):
    """The run over the inside capture, what it makes of it, and what there was outside."""
    out = scratch(f'{name}.out.pcap')
    options = [option for mapping in nat.split(',') if '=' in mapping for option in ('--nat', mapping)]
    run = good(*options, '-w', out, OWN / f'{name}.inside.pcap')
    return run, tcp_of(out), tcp_of(OWN / f'{name}.outside.pcap')


def same_as_outside(name, nat):
    run, ours, theirs = both_sides(name, nat)
    shifts, ours = excepted(name, ours)
    ours, theirs = by_direction(ours), by_direction(theirs)
    equal(sorted(ours), sorted(theirs), 'connections')
    for key in sorted(ours):
        compare_direction(key, ours[key], theirs[key], shifts[key], shifts[key[2:] + key[:2]])
    summary = run.summary
    equal(summary['data_unexpected'], 0, 'unexpected data connections')
    check(summary['data_expected'] > 0, 'no data connection')
    equal(summary['refusals'], {}, 'refusals')


def read_manifest():
    header, *lines = [line.split('\t') for line in (OWN / 'manifest.tsv').read_text().splitlines() if line]
    return [dict(zip(header, line)) for line in lines]


def reason_for(ours, theirs):
    """Why the kernel's helper wrote another text; None when that is not known."""
    spellings = []
    for text in (ours, theirs):
        parts = text.split('|')
        if len(parts) != 5 or parts[0] != 'EPRT ' or parts[1] != '2':
            return None
        spellings.append((ipaddress.ip_address(parts[2]), parts[3]))
    if spellings[0] != spellings[1]:
        return None
    if len(ours) < len(theirs):
        return 'the kernel writes an IPv6 address in full, we write the short form of RFC 5952'
    return 'the kernel spelled out an address that needed no rewriting, so that the inside has it in full'


def print_exceptions():
    """For exceptions.tsv, when scripts/capture makes other sessions: to be read before it is believed."""
    for row in read_manifest():
        _, ours, theirs = both_sides(row['name'], row['nat'])
        announcements = [[text_of(tcp)[0] for tcp in side if is_announcement(tcp)] for side in (ours, theirs)]
        for number, texts in enumerate(zip(*announcements), 1):
            if texts[0] != texts[1]:
                print(row['name'], number, *texts, reason_for(*texts) or 'UNKNOWN', sep='\t')


def add_own_captures():
    if not (OWN / 'manifest.tsv').exists():
        def absent():
            raise Skip(f'no {OWN}/manifest.tsv: scripts/capture makes it')
        CASES.append(('own-captures', absent))
        return
    rows = read_manifest()
    for row in rows:
        CASES.append((f"own-{row['name']}", lambda row=row: same_as_outside(row['name'], row['nat'])))

    def exceptions_known():
        equal(sorted(set(EXCEPTIONS) - {row['name'] for row in rows}), [], 'exceptions of captures that are not there')
    CASES.append(('own-exceptions-are-of-captures-that-exist', exceptions_known))


# --- (b) captures of others


def shared(name):
    if not SHARED.is_dir():
        raise Skip(f'no {SHARED}')
    return SHARED / f'{name}.pcap'


def all_expected(name, sessions, data):
    def run_it():
        summary = good(shared(name)).summary
        equal((summary['sessions'], summary['data_expected'], summary['data_unexpected']), (sessions, data, 0),
              'sessions, data connections expected, and not')
        equal(summary['refusals'], {}, 'refusals')
    CASES.append((f'shared-{name}', run_it))


all_expected('ndpi-ftp', 1, 2)
all_expected('suricata-download-active', 1, 3)
all_expected('zeek-ipv4', 1, 4)
all_expected('zeek-ipv6', 1, 5)


@case
def shared_suricata_bounce():
    run = good(shared('suricata-bounce'))
    refused = run.of('refuse')
    equal([event['from'] for event in refused], ['2,2,2,3,0,80'], 'refused')
    equal([event['port'] for event in run.of('expect')], [59549], 'ports expected')
    equal(run.summary['sessions'], 2, 'sessions')
    loose = good('--loose', shared('suricata-bounce'))
    check('address' not in loose.summary['refusals'], 'a third party is refused even when --loose')


@case
def shared_suricata_epsv():
    run = good(shared('suricata-epsv'))
    equal([event['port'] for event in run.of('expect')], [58612, 37100, 36986, 35656], 'ports expected')
    equal((run.summary['sessions'], run.of('data')), (1, []), 'sessions, data connections')


@case
def shared_zeek_auth_tls():
    run = good(shared('zeek-auth-tls'))
    equal((run.summary['sessions'], run.summary['opaque'], run.of('expect')), (1, 1, []), 'sessions, opaque, expected')


# --- what it does to a capture


@case
def rewrite_grows():
    out = scratch('grows.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('grows', sample()))
    rewrite, = run.of('rewrite')
    equal((rewrite['from'], rewrite['to'], rewrite['command'], rewrite['port'], rewrite['client'], rewrite['server']),
          ('10,0,0,2,195,81', '198,51,100,254,195,81', 'PORT', 50001, f'{CLIENT}:40000', f'{SERVER}:21'), 'rewrite')
    equal([event['expected'] for event in run.of('data')], [True, True], 'data connections expected')
    outside = tcp_of(out)
    check(all(pcaplib.checksum_ok(tcp) and header_checksum_ok(tcp) for tcp in outside), 'a checksum is wrong')
    check(not any(CLIENT in (tcp.src, tcp.dst) for tcp in outside), 'an inside address shows outside')
    found = streams(outside)
    equal(found[PUBLIC, 40000, SERVER, 21], b'PORT 198,51,100,254,195,81\r\nRETR file\r\n', 'client stream')
    equal(found[SERVER, 20, PUBLIC, 50001], b'x' * 100, 'data stream')
    last = [tcp for tcp in outside if tcp.sport == 21 and tcp.dport == 40000][-1]
    equal(last.ack, 1000 + 1 + len('PORT 198,51,100,254,195,81\r\nRETR file\r\n') + 1, 'last acknowledgement of the server')


@case
def who_renumbers():
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.packet(0, PSH | ACK, b'PORT 10,0,0,2,195,81\r\n')
    out = scratch('mapped.out.pcap')
    control.packet(0, PSH | ACK, b'NOOP\r\n')
    good('--nat', NAT, '-w', out, capture('mapped', packets))
    first, second = tcp_of(out)[-2:]
    equal(second.seq, first.seq + len(first.payload), 'sequence number behind the longer text')
    good('--nat', NAT, '--seqadj', 'none', '-w', out, capture('mapped', packets))
    first, second = tcp_of(out)[-2:]
    equal(second.seq, first.seq + len(b'PORT 10,0,0,2,195,81\r\n'), 'sequence number left to the kernel')


@case
def selective_acknowledgements_are_mapped():
    """The inside is told of its own bytes; the outside wrote of those that it received."""
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 10,0,0,2,195,81')
    lost = control.seq[0]
    packets.append(pcaplib.encode(SERVER, 21, CLIENT, 40000, control.seq[1], lost, ACK,
                                  options=b'\x01\x01\x05\x0a' + struct.pack('!II', lost + 10, lost + 20)))
    out = scratch('sack.out.pcap')
    for who in ('self', 'none'):
        good('--nat', NAT, '--seqadj', who, '-w', out, capture('sack', packets))
        last = tcp_of(out)[-1]
        equal((last.ack, struct.unpack('!II', last.options[4:])), (lost + 6, (lost + 16, lost + 26)), f'{who}: numbers')
        check(pcaplib.checksum_ok(last), 'its checksum')


@case
def late_acknowledgement_after_a_second_rewrite():
    """It speaks of bytes before the second edit, which the first one alone has moved."""
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    before = control.seq[0]
    control.packet(0, PSH | ACK, b'PORT 10,0,0,2,195,82\r\n')
    packets.append(pcaplib.encode(SERVER, 21, CLIENT, 40000, control.seq[1], before, ACK))
    control.packet(1, ACK)
    out = scratch('late-ack.out.pcap')
    equal(good('--nat', NAT, '-w', out, capture('late-ack', packets)).summary['rewrites'], 2, 'rewrites')
    equal([tcp.ack for tcp in tcp_of(out)[-2:]], [before + 6, control.seq[0] + 12], 'acknowledgements outside')


@case
def rewrite_shrinks():
    out = scratch('shrinks.out.pcap')
    packets = []
    active(packets, client=('192.168.100.200', 40000), announce='PORT 192,168,100,200,195,81')
    run = good('--nat', '192.168.100.200=192.0.2.1', '-w', out, capture('shrinks', packets))
    equal(run.of('rewrite')[0]['to'], '192,0,2,1,195,81', 'rewritten to')
    outside = tcp_of(out)
    check(all(pcaplib.checksum_ok(tcp) for tcp in outside), 'a checksum is wrong')
    equal(streams(outside)['192.0.2.1', 40000, SERVER, 21], b'PORT 192,0,2,1,195,81\r\nRETR file\r\n', 'client stream')


@case
def server_behind_nat():
    out = scratch('dnat.out.pcap')
    packets = []
    passive(packets, client=('203.0.113.7', 40000), server=('10.0.0.9', 21), reply='227 Entering Passive Mode (10,0,0,9,195,80).')
    run = good('--nat', f'10.0.0.9={PUBLIC}', '-w', out, capture('dnat', packets))
    rewrite, = run.of('rewrite')
    equal((rewrite['command'], rewrite['to']), ('227', '198,51,100,254,195,80'), 'rewrite')
    equal(run.summary['data_expected'], 1, 'data connections expected')
    equal(streams(tcp_of(out))[PUBLIC, 21, '203.0.113.7', 40000],
          b'220 Hello\r\n227 Entering Passive Mode (198,51,100,254,195,80).\r\n150 Here it comes\r\n226 Done\r\n', 'server stream')


@case
def active_data_of_a_server_behind_nat_comes_from_its_public_address():
    out = scratch('dnat-active.out.pcap')
    packets = []
    active(packets, client=('203.0.113.7', 40000), server=('10.0.0.9', 21), announce='PORT 203,0,113,7,195,81')
    run = good('--nat', f'10.0.0.9={PUBLIC}', '-w', out, capture('dnat-active', packets))
    equal((run.of('rewrite'), run.summary['data_expected']), ([], 1), 'rewrites, data connections expected')
    check((PUBLIC, 20, '203.0.113.7', 50001) in by_direction(tcp_of(out)), 'the data connection is not from there')


@case
def ipv6():
    client, server, public = 'fd00::2', '2001:db8::5', '2001:db8:100::254'
    packets = []
    active(packets, client=(client, 40000), server=(server, 21), announce=f'EPRT |2|{client}|50001|')
    passive(packets, client=(client, 40001), server=(server, 21), command='EPSV', reply='229 Extended (|||50000|)')
    out = scratch('ipv6.out.pcap')
    run = good('--nat', f'{client}={public}', '-w', out, capture('ipv6', packets))
    rewrite, = run.of('rewrite')
    equal((rewrite['to'], rewrite['client'], rewrite['server']),
          (f'|2|{public}|50001|', f'[{client}]:40000', f'[{server}]:21'), 'rewrite')
    equal(run.summary['data_expected'], 2, 'data connections expected')
    check(all(pcaplib.checksum_ok(tcp) for tcp in tcp_of(out)), 'a checksum is wrong')


@case
def port_collision():
    """Two inside clients share an outside address and a source port; both announce the same port to one server."""
    packets = []
    for client in (CLIENT, '10.0.0.3'):
        control = Conversation(packets, (client, 40000), (SERVER, 21)).open()
        control.reply('220 Hello')
        control.command(f'PORT {client.replace(".", ",")},195,81')
        control.reply('200 OK')
    for client in (CLIENT, '10.0.0.3'):
        Conversation(packets, (SERVER, 20), (client, 50001)).open()
    out = scratch('collision.out.pcap')
    run = good('--nat', NAT, '--nat', f'10.0.0.3={PUBLIC}', '-w', out, capture('collision', packets))
    first, second = run.of('rewrite')
    check(first['to'] != second['to'], 'both are announced on one port')
    equal(run.summary['data_expected'], 2, 'data connections expected')
    opened = {(tcp.dst, tcp.dport) for tcp in tcp_of(out) if tcp.flags == SYN and tcp.sport == 20}
    numbers = [tuple(map(int, event['to'].split(','))) for event in (first, second)]
    equal(opened, {('.'.join(map(str, n[:4])), n[4] * 256 + n[5]) for n in numbers}, 'where the data connections go')
    equal(len({tcp.sport for tcp in tcp_of(out) if tcp.dport == 21}), 2, 'source ports outside')


@case
def unannounced_connection():
    packets = []
    active(packets, port=50002)
    run = good(capture('unannounced', packets))
    data, = run.of('data')
    equal((data['expected'], data['client'], data['server'], data['port']), (False, f'{SERVER}:20', f'{CLIENT}:50002', 50002),
          'data event')
    equal(run.summary['data_unexpected'], 1, 'unexpected')


@case
def an_expectation_admits_one_connection():
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    for port in (20, 4444):
        Conversation(packets, (SERVER, port), (CLIENT, 50001)).open()
    equal([event['expected'] for event in good(capture('twice', packets)).of('data')], [True, False], 'expected')


@case
def refused_and_taken_back():
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 192,0,2,99,195,81')
    control.reply('200 OK')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('500 No')
    run = good(capture('refused', packets))
    refuse, = run.of('refuse')
    equal((refuse['from'], refuse['reason'], refuse['command']), ('192,0,2,99,195,81', 'address', 'PORT'), 'refusal')
    equal(run.summary['refusals'], {'address': 1}, 'refusals')
    equal((len(run.of('expect')), len(run.of('unexpect'))), (1, 1), 'expected, and taken back')
    equal(good('--loose', capture('refused', packets)).summary['refusals'], {}, 'refusals when loose')


@case
def other_control_port():
    packets = []
    active(packets, server=(SERVER, 2121))
    path = capture('port', packets)
    run = good('--port', '21,2121', path)
    equal(run.summary['data_expected'], 1, 'expected')
    equal(replay('--port', '2122', path).code, 1, 'exit code without a control connection')
    equal(good('--port', '2121,50001', path).summary['data_expected'], 1, 'expected, on what is a control port too')


@case
def picked_up_in_the_middle():
    """Whichever packet is the first: who is the client is found, and what he announces after one whole exchange."""
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('USER ftp')
    control.reply('331 Password')
    before = len(packets)
    for _ in range(2):  # of the first, it cannot be known whether it began at its line's beginning
        control.command('NOOP')
        control.reply('200 OK')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    Conversation(packets, (SERVER, 20), (CLIENT, 50001)).open()
    for skipped in range(3, before + 1):
        run = good('--nat', NAT, capture('middle', packets[skipped:]))
        equal(len(run.of('rewrite')), 1, f'rewrites without the first {skipped} packets')
        equal(run.summary['data_expected'], 1, f'expected without the first {skipped} packets')
        equal(run.of('rewrite')[0]['client'], f'{CLIENT}:40000', 'client')


@case
def every_packet_twice():
    """As a capture on "any" has them."""
    packets = [packet for packet in sample() for _ in range(2)]
    once, twice = (good('--nat', NAT, capture('twice', p)) for p in (sample(), packets))
    for kind in ('rewrite', 'expect', 'data'):
        equal(len(twice.of(kind)), len(once.of(kind)), f'{kind} events')


@case
def time_steps_back():
    path = scratch('back.pcap')
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    records = [record._replace(seconds=record.seconds - number * 100)
               for number, record in enumerate(pcaplib.records(sample(), encapsulate))]
    pcaplib.write(path, linktype, records)
    equal(good(path).summary['data_expected'], 2, 'data connections expected')


@case
def expectations_time_out():
    path = scratch('late.pcap')
    packets = []
    active(packets)
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    at = next(i for i, p in enumerate(packets) if pcaplib.decode(p).sport == 20)
    for delay, wanted in ((299, True), (301, False)):
        records = [record._replace(seconds=record.seconds + (delay if i >= at else 0))
                   for i, record in enumerate(pcaplib.records(packets, encapsulate))]
        pcaplib.write(path, linktype, records)
        equal(good(path).of('data')[0]['expected'], wanted, f'expected after {delay} seconds')


@case
def timestamps():
    events = good(capture('ts', sample(), start=1700000000, step=1234)).events
    first = events[0]
    number = next(i for i, p in enumerate(sample()) if b'PORT' in p)
    equal(first['ts'], 1700000000 + number * 1234 / 1e6, 'ts of the first event')


def cut_to(snaplen, packets, name):
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    path = scratch(name + '.pcap')
    pcaplib.write(path, linktype, [record._replace(frame=record.frame[:snaplen])
                                   for record in pcaplib.records(packets, encapsulate)], snaplen=snaplen)
    return path


@case
def snapshot_length_cuts_data():
    packets = []
    active(packets)
    out = scratch('cut.out.pcap')
    run = good('--nat', NAT, '-w', out, cut_to(100, packets, 'cut'))
    equal((run.summary['data_expected'], run.summary['truncated']), (1, 0), 'data connections, control packets truncated')
    linktype, records = pcaplib.read(out)
    long = [record for record in records if record.length > len(record.frame)]
    equal([record.length for record in long], [14 + 40 + 100], 'lengths of cut packets')
    ip = pcaplib.ip_of(linktype, long[0].frame)
    equal((ip[2:4], ip[16:20]), (b'\0\x8c', bytes([198, 51, 100, 254])), 'IP length and destination of the cut packet')
    equal(pcaplib.checksum(ip[:20]), 0, 'its header checksum')


@case
def snapshot_length_cuts_control():
    packets = []
    active(packets)
    run = replay(cut_to(58, packets, 'cut-control'))
    equal((run.code, run.summary['packets']), (0, len(packets)), 'exit code, packets')
    check(run.summary['truncated'] >= 5, f"truncated: {run.summary['truncated']}")
    number = next(i for i, p in enumerate(packets, 1) if b'220' in p)
    check(f'packet {number} ' in run.err, f'packet {number} is not named: {run.err!r}')


@case
def snapshot_length_cuts_headers():
    """Every length there is: nothing is read that is not there (run with sanitizers)."""
    packets = sample()
    out = scratch('cut.out.pcap')
    for snaplen in range(0, 80):
        path = cut_to(snaplen, packets, 'cut-headers')
        equal(replay('-w', out, path).summary['packets'], len(packets), f'packets with {snaplen} bytes each')
        check(pcaplib.read(out) == pcaplib.read(path), f'packets of {snaplen} bytes are not copied as they are')


@case
def checksums_left_to_the_network_card():
    packets = []
    for packet in sample():
        tcp = pcaplib.decode(packet)
        at = tcp.header + 16
        partial = ~pcaplib.checksum(pcaplib._pseudo(tcp.src, tcp.dst, len(packet) - tcp.header)) & 0xFFFF
        packets.append(packet[:at] + partial.to_bytes(2, 'big') + packet[at + 2:])
    out = scratch('offload.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('offload', packets))
    equal((run.summary['rewrites'], run.summary['data_expected']), (1, 2), 'rewrites, expected')
    check(all(pcaplib.checksum_ok(tcp) for tcp in tcp_of(out)), 'a checksum is wrong')


@case
def broken_checksum_stays_broken():
    packets = []
    active(packets)
    at = next(i for i, p in enumerate(packets) if b'PORT' in p)
    broken = packets[at][:-3] + b'2' + packets[at][-2:]
    out = scratch('broken.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('broken', packets[:at] + [broken] + packets[at:]))
    equal((run.summary['malformed'], run.summary['rewrites'], run.summary['data_expected']), (1, 1, 1),
          'malformed, rewrites, expected')
    equal(sum(not pcaplib.checksum_ok(tcp) for tcp in tcp_of(out)), 1, 'packets with a broken checksum outside')


@case
def other_packets_are_copied():
    arp = b'\xff' * 6 + b'\x02' * 6 + b'\x08\x06' + b'\0' * 28
    udp_ip = pcaplib.encode(CLIENT, 1, SERVER, 2, 0, 0, 0)
    udp = pcaplib._ethernet(udp_ip[:9] + b'\x11' + udp_ip[10:])
    short = b'\x02' * 13
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    records = pcaplib.records(sample(), encapsulate)
    others = [records[0]._replace(frame=frame, length=len(frame)) for frame in (arp, udp, short)]
    path, out = scratch('others.pcap'), scratch('others.out.pcap')
    pcaplib.write(path, linktype, others + records)
    run = good('--nat', NAT, '-w', out, path)
    equal(run.summary['data_expected'], 2, 'expected')
    equal([record.frame for record in pcaplib.read(out)[1][:3]], [arp, udp, short], 'the first three frames')


@case
def contradictory_lengths():
    packets = sample()
    at = next(i for i, p in enumerate(packets) if b'PORT' in p)
    bad = packets[at][:32] + b'\x10' + packets[at][33:]
    out = scratch('lengths.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('lengths', packets[:at] + [bad] + packets[at:]))
    equal((run.summary['malformed'], run.summary['rewrites']), (1, 1), 'malformed, rewrites')
    equal(pcaplib.read(out)[1][at].frame[14:], bad, 'the packet')


@case
def unrelated_tcp_is_translated():
    packets = sample()
    Conversation(packets, (CLIENT, 5555), (SERVER, 80)).open()
    out = scratch('unrelated.out.pcap')
    good('--nat', NAT, '-w', out, capture('unrelated', packets))
    check((PUBLIC, 5555, SERVER, 80) in by_direction(tcp_of(out)), 'it is not translated')


@case
def held_packets_are_left_out():
    """A PORT in two pieces leaves in one."""
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.packet(0, PSH | ACK, b'PORT 10,0,0')
    control.packet(0, PSH | ACK, b',2,195,81\r\n')
    out = scratch('held.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('held', packets))
    equal(run.summary['rewrites'], 1, 'rewrites')
    equal(streams(tcp_of(out))[PUBLIC, 40000, SERVER, 21], b'PORT 198,51,100,254,195,81\r\n', 'client stream')


@case
def reused_endpoints():
    """The same data connection's endpoints, announced and used again after it was closed."""
    packets = []
    control = active(packets)
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    Conversation(packets, (SERVER, 20), (CLIENT, 50001), client_isn=9000000).open()
    equal([event['expected'] for event in good(capture('reused', packets)).of('data')], [True, True], 'expected')


@case
def for_people():
    path = capture('people', sample())
    run = Run('--nat', NAT, path)
    equal((run.code, run.err), (0, ''), 'exit code and stderr')
    for text in ('10,0,0,2,195,81 -> 198,51,100,254,195,81', f'{SERVER} -> {PUBLIC}:50001', path, '2 FTP control connections'):
        check(text in run.out, f'{text!r} is not said: {run.out}')


# --- (c) link layers and damage


@case
def link_layers_make_no_difference():
    wanted = None
    for how, (linktype, encapsulate) in pcaplib.ENCAPSULATIONS.items():
        out = scratch(f'{how}.out.pcap')
        run = good('--nat', NAT, '-w', out, capture(how, sample(), how))
        written_type, records = pcaplib.read(out)
        equal(written_type, linktype, f'{how}: link type written')
        ips = [pcaplib.ip_of(written_type, record.frame) for record in records]
        equal([record.frame for record in records], [encapsulate(ip) for ip in ips], f'{how}: link headers')
        wanted = wanted or (run.events, ips)
        equal(run.events, wanted[0], f'{how}: events')
        equal(ips, wanted[1], f'{how}: packets')


@case
def link_layers_ipv6():
    packets = []
    active(packets, client=('fd00::2', 40000), server=('2001:db8::5', 21), announce='EPRT |2|fd00::2|50001|')
    for how in pcaplib.ENCAPSULATIONS:
        run = good('--nat', 'fd00::2=2001:db8:100::254', capture(how, packets, how))
        equal((run.summary['rewrites'], run.summary['data_expected']), (1, 1), f'{how}: rewrites, data connections')


@case
def raw_of_one_family():
    for linktype in (pcaplib.LINKTYPE_IPV4, pcaplib.LINKTYPE_RAW):
        path = scratch('raw.pcap')
        pcaplib.write(path, linktype, pcaplib.records(sample(), lambda ip: ip))
        equal(good(path).summary['data_expected'], 2, f'link type {linktype}: expected')


@case
def pcapng():
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    path, out = scratch('sample.pcapng'), scratch('pcapng.out.pcap')
    pcaplib.write_pcapng(path, linktype, pcaplib.records(sample(), encapsulate))
    run = good('--nat', NAT, '-w', out, path)
    equal(run.events, good('--nat', NAT, capture('pcap', sample())).events, 'events')
    check(tcp_of(out), 'nothing written')


@case
def link_type_unknown():
    path = scratch('usb.pcap')
    pcaplib.write(path, 189, [])
    run = Run(path)
    equal(run.code, 1, 'exit code')
    run.one_sentence(path, 'USB_LINUX')


def record_starts(data):
    starts, at = [], 24
    while at < len(data):
        starts.append(at)
        at += 16 + int.from_bytes(data[at + 8:at + 12], 'little')
    return starts + [at]


@case
def truncated_file():
    """Cut at every byte of the first records, then at many: what came before is still reported, the place is named."""
    data = Path(capture('whole', sample())).read_bytes()
    starts = record_starts(data)
    path = scratch('cut-file.pcap')
    for size in [*range(0, 24 + 110), *range(140, len(data), 61), len(data)]:
        Path(path).write_bytes(data[:size])
        run = replay(path)
        if size < 24:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, 'empty' if size == 0 else 'not a capture')
            continue
        packets = sum(start <= size for start in starts) - 1
        equal(run.summary['packets'], packets, f'packets at byte {size}')
        if size in starts and packets > 0:
            equal((run.code, run.err), (0, ''), f'exit code and stderr at byte {size}')
        elif size in starts:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, 'no FTP control connection')
        else:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, f'packet {packets + 1}', f'byte {starts[packets]}', 'damaged')


@case
def truncated_pcapng():
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    path = scratch('cut.pcapng')
    pcaplib.write_pcapng(path, linktype, pcaplib.records(sample(), encapsulate))
    data = Path(path).read_bytes()
    for size in range(28 + 20 + 5, len(data), 83):
        Path(path).write_bytes(data[:size])
        run = replay(path)
        check(run.code in (0, 1), f'exit code {run.code} at byte {size}')
        if run.code:
            run.one_sentence(path)


@case
def garbage():
    path = scratch('garbage.pcap')
    for content in (b'GET / HTTP/1.0\r\n\r\n' * 100, os.urandom(4096), b'\xd4\xc3\xb2\xa1', b'\0' * 1000):
        Path(path).write_bytes(content)
        run = Run(path)
        equal(run.code, 1, 'exit code')
        run.one_sentence(path, 'not a capture')


@case
def flipped_bytes():
    """Damage anywhere, in records and packets: an answer, never a crash (run with sanitizers)."""
    whole = Path(capture('whole', sample())).read_bytes()
    path = scratch('flipped.pcap')
    chance = random.Random(1)
    for number in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30, 300))):
            data[chance.randrange(24 if number % 2 else 0, len(data))] = chance.randrange(256)
        Path(path).write_bytes(data)
        run = replay('--nat', NAT, '-w', scratch('flipped.out.pcap'), path)
        check(run.code in (0, 1), f'exit code {run.code}')
        check(run.code == 0 or run.err, f'exit code {run.code} without a word')


@case
def record_larger_than_any():
    data = bytearray(Path(capture('whole', sample())).read_bytes())
    third = record_starts(data)[2]
    data[third + 8:third + 16] = b'\xff\xff\xff\x7f' * 2
    path = scratch('large.pcap')
    Path(path).write_bytes(data)
    run = replay(path)
    equal((run.code, run.summary['packets']), (1, 2), 'exit code, packets')
    run.one_sentence(path, 'packet 3', f'byte {third}')


@case
def no_ftp():
    packets = []
    Conversation(packets, (CLIENT, 5555), (SERVER, 80)).open()
    path = capture('no-ftp', packets)
    run = replay(path)
    equal((run.code, run.summary['packets'], run.summary['sessions']), (1, 3, 0), 'exit code, packets, sessions')
    run.one_sentence(path, 'no FTP control connection', '21')


@case
def nothing_to_read():
    for path, word in ((scratch('absent.pcap'), 'No such file'), (SCRATCH.name, 'directory')):
        run = Run(path)
        equal(run.code, 1, 'exit code')
        run.one_sentence(path, word)


# --- (d) the command line


def refuses(name, code, *arguments, names=()):
    def run_it():
        run = Run(*[capture('usage', sample()) if argument == 'IN' else argument for argument in arguments])
        equal(run.code, code, 'exit code')
        run.one_sentence(*names)
        equal(run.out, '', 'output')
    CASES.append((f'usage-{name}', run_it))


refuses('no-capture', 2)
refuses('two-captures', 2, 'IN', 'second.pcap', names=['second.pcap'])
refuses('unknown-option', 2, '--frob', 'IN', names=['frob'])
refuses('nat-without-equals', 2, '--nat', '10.0.0.2', 'IN', names=['--nat', '10.0.0.2'])
refuses('nat-no-address', 2, '--nat', '10.0.0.2=router', 'IN', names=['router'])
refuses('nat-nothing-inside', 2, '--nat', '=10.0.0.2', 'IN', names=['=10.0.0.2'])
refuses('nat-long', 2, '--nat', '1' * 300 + '=1.2.3.4', 'IN', names=['--nat'])
refuses('nat-two-families', 2, '--nat', '10.0.0.2=2001:db8::1', 'IN', names=['2001:db8::1'])
refuses('nat-twice', 2, '--nat', '10.0.0.2=192.0.2.1', '--nat', '10.0.0.2=192.0.2.2', 'IN', names=['192.0.2.2'])
refuses('nat-no-argument', 2, 'IN', '--nat', names=['nat'])
refuses('seqadj', 2, '--seqadj', 'kernel', 'IN', names=['kernel'])
for bad in ('0', '65536', 'ftp', '21,', ',21', '-1', '21;22', '99999999999999999999', ''):
    refuses(f'port-{bad}', 2, '--port', bad, 'IN', names=['--port', f"`{bad}'"])
refuses('write-nowhere', 1, '-w', '/nonexistent/out.pcap', 'IN', names=['/nonexistent/out.pcap'])


@case
def write_over_the_input():
    path = capture('same', sample())
    before = Path(path).read_bytes()
    run = Run('-w', path, path)
    equal((run.code, Path(path).read_bytes() == before), (1, True), 'exit code, the capture is whole')
    run.one_sentence(path)


@case
def write_to_a_full_disk():
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    run = replay('-w', '/dev/full', capture('full', sample()))
    equal(run.code, 1, 'exit code')
    run.one_sentence('/dev/full')


@case
def print_to_a_full_disk():
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    with open('/dev/full', 'w') as full:
        done = subprocess.run([PROGRAM, 'replay', '--json', capture('full', sample())], stdout=full, stderr=subprocess.PIPE,
                              timeout=60)
    equal((done.returncode, done.stderr.count(b'\n')), (1, 1), 'exit code, lines on stderr')


@case
def help_is_given():
    run = Run('--help')
    equal((run.code, run.err), (0, ''), 'exit code and stderr')
    for option in ('--nat', '--seqadj', '--loose', '--port', '-w', '--json'):
        check(option in run.out, f'{option} is not explained')


def main():
    if sys.argv[1:] == ['--exceptions']:
        print_exceptions()
        return 0
    add_own_captures()
    chosen = [(name, function) for name, function in CASES
              if len(sys.argv) < 2 or any(part in name for part in sys.argv[1:])]
    failed = 0
    for name, function in chosen:
        try:
            function()
            print(f'PASS {name}')
        except Skip as why:
            print(f'SKIP {name}: {why}')
        except Exception as why:
            kind = '' if isinstance(why, Failure) else f'{type(why).__name__}: '
            print(f'FAIL {name}: {kind}{why}'.replace('\n', ' | '))
            failed += 1
        sys.stdout.flush()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
