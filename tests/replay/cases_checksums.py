# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums that are of no use, and what a summary counts: for programs and for people the same."""

import random
import re
import struct

import pcaplib
from harness import (CLIENT, NAT, PUBLIC, SERVER, Run, active, capture, case, check, equal, good, passive, replay, sample,
                     scratch, tcp_of)
from pcaplib import Conversation

OTHER = '10.0.0.3'


def spoiled(packet, change):
    """With another TCP checksum: change takes the right one."""
    at = pcaplib.decode(packet).header + 16
    right, = struct.unpack('!H', packet[at:at + 2])
    return packet[:at] + struct.pack('!H', change(right) % 65536) + packet[at + 2:]


def anonymised(packet):
    return spoiled(packet, lambda right: right - 0x5A5A)


def sent_by(packet, *addresses):
    return pcaplib.decode(packet).src in addresses


def says_so(run, path, count):
    equal(run.code, 0, 'exit code')
    run.one_sentence(path, f'checksums of {count} packets')
    equal((run.summary['checksums_ignored'], run.summary['malformed']), (count, 0), 'ignored checksums, damaged packets')


@case
def all_checksums_wrong():
    """Read all the same, which is said; not with `check', and with `ignore' without a word."""
    chance = random.Random(1)
    for name, spoil in (('constant', anonymised), ('random', lambda p: spoiled(p, lambda right: right + chance.randrange(1, 65000)))):
        packets = [spoil(packet) for packet in sample()]
        path, out = capture(f'wrong-{name}', packets), scratch('wrong.out.pcap')
        run = replay('--nat', NAT, '-w', out, path)
        says_so(run, path, len(packets))
        check('none is right' in run.err, f'{name}: not that none is right: {run.err}')
        equal((run.summary['rewrites'], run.summary['data_expected']), (1, 2), f'{name}: rewrites, data connections expected')
        check(all(pcaplib.checksum_ok(tcp) for tcp in tcp_of(out)), f'{name}: a checksum is wrong in what is written')
        strict = good('--nat', NAT, '--checksums', 'check', '-w', out, path)
        equal((strict.of('expect'), strict.summary['checksums_ignored']), ([], 0), f'{name}: expected, checked')
        check(strict.summary['malformed'] > 0, f'{name}: no damaged packet, checked')
        check(not any(pcaplib.checksum_ok(tcp) for tcp in tcp_of(out)), f'{name}: what is broken does not stay so')
        equal(good('--nat', NAT, '--checksums', 'ignore', path).events, run.events, f'{name}: events, ignored')
        equal(good('--nat', NAT, capture('right', sample())).events[:-1], run.events[:-1], f'{name}: events, with right ones')
    equal(good('--checksums', 'auto', capture('right', sample())).summary['checksums_ignored'], 0, 'ignored in a good capture')


@case
def all_checksums_wrong_ipv6():
    client, server = 'fd00::2', '2001:db8::5'
    packets = []
    active(packets, client=(client, 40000), server=(server, 21), announce=f'EPRT |2|{client}|50001|')
    path = capture('wrong-ipv6', [anonymised(packet) for packet in packets])
    run = replay(path)
    says_so(run, path, len(packets))
    equal(run.summary['data_expected'], 1, 'data connections expected')


@case
def checksums_of_one_direction_wrong():
    """Captured on the host that sent them, whose card fills them in, or on the other one's."""
    for sender in (CLIENT, SERVER):
        packets = [anonymised(packet) if sent_by(packet, sender) else packet for packet in sample()]
        path = capture('one-way', packets)
        run = replay('--nat', NAT, path)
        says_so(run, path, sum(sent_by(packet, sender) for packet in packets))
        equal((run.summary['rewrites'], run.summary['data_expected']), (1, 2), f'{sender}: rewrites, expected')


@case
def checksums_of_one_host_wrong():
    """His are of no use, in both directions; a packet that was damaged between others stays unread, and what a host computes
    himself (Linux: RST) is no proof that its card does not."""
    packets, others = [], []
    active(packets)
    passive(packets, client=(CLIENT, 40001))
    Conversation(packets, (CLIENT, 40009), (SERVER, 21)).packet(0, pcaplib.RST)
    active(others, client=(OTHER, 40000), announce='PORT 10,0,0,3,195,81')
    broken = next(packet for packet in others if b'PORT' in packet)
    broken = broken[:-3] + b'2' + broken[-2:]
    mixed = [anonymised(packet) for packet in packets[:-1]] + packets[-1:] + [
        piece for packet in others for piece in ([broken, packet] if b'PORT' in packet else [packet])]
    path = capture('one-host', mixed)
    run = replay(path)
    equal(run.code, 0, 'exit code')
    run.one_sentence(path, f'checksums of {len(packets) - 1} packets', 'most between their hosts')
    equal((run.summary['checksums_ignored'], run.summary['malformed'], run.summary['data_expected']), (len(packets) - 1, 1, 3),
          'ignored checksums, damaged packets, data connections expected')


@case
def few_checksums_wrong():
    """What is wrong too seldom to be a habit: two damaged packets of many, all of which there is of two hosts, and half of them."""
    packets = sample()
    Conversation(packets, (OTHER, 5555), (SERVER, 21)).packet(0, pcaplib.SYN)
    packets[-1] = anonymised(packets[-1])
    equal(good(capture('one-of-one', packets)).summary['checksums_ignored'], 0, 'ignored: the only packet of a host')
    packets = [anonymised(packet) if number % 2 else packet for number, packet in enumerate(sample())]
    equal(good(capture('every-other', packets)).summary['checksums_ignored'], 0, 'ignored: every other packet')


@case
def checksums_left_out_prove_nothing():
    """What the card was to fill in is neither right nor wrong: the few that are damaged stay so."""
    packets = [pcaplib.with_partial_checksum(packet) for packet in sample()]
    packets.append(anonymised(sample()[-1]))
    equal(good(capture('left-out', packets)).summary['checksums_ignored'], 0, 'ignored')


@case
def checksums_option():
    path = capture('option', sample())
    for word, code in (('auto', 0), ('check', 0), ('ignore', 0), ('yes', 2), ('', 2)):
        equal(Run('--checksums', word, path).code, code, f'exit code with {word!r}')


# --- which connections are data connections


def connections(packets, *options):
    run = good(*options, capture('connections', packets))
    return [(event['server'], event['expected']) for event in run.of('data')], run.summary


@case
def connections_that_are_none_of_ftp():
    packets = sample()
    for number, (client, server) in enumerate((((CLIENT, 5555), ('192.0.2.7', 80)), ((OTHER, 5555), (SERVER, 50005)),
                                               ((OTHER, 5556), ('192.0.2.7', 443)), ((CLIENT, 5557), (SERVER, 22)))):
        Conversation(packets, client, server, client_isn=7000 * number).open()
    data, summary = connections(packets)
    equal(data, [(f'{CLIENT}:50001', True), (f'{SERVER}:50000', True)], 'data events')
    equal((summary['data_expected'], summary['data_unexpected'], summary['other_connections']), (2, 0, 4), 'summary')


@case
def connections_that_nobody_announced():
    """Between the two hosts of a control connection, wherever in the capture that is and whichever of their addresses they use; and where
    a port goes that was refused."""
    packets = []
    Conversation(packets, (CLIENT, 5555), (SERVER, 50005)).open()
    control = active(packets)
    Conversation(packets, (SERVER, 5556), (CLIENT, 50006)).open()
    Conversation(packets, (SERVER, 5557), (PUBLIC, 50007)).open()
    control.command('PORT 192,0,2,99,195,90')
    control.reply('500 No')
    Conversation(packets, (SERVER, 20), ('192.0.2.99', 50010)).open()
    control.command('PORT 10,0,0,2,0,80')
    control.reply('500 No')
    Conversation(packets, (SERVER, 20), (CLIENT, 80)).open()
    data, summary = connections(packets, '--nat', NAT)
    equal([where for where, expected in data if not expected],
          [f'{SERVER}:50005', f'{CLIENT}:50006', f'{PUBLIC}:50007', '192.0.2.99:50010', f'{CLIENT}:80'], 'not expected')
    equal((summary['data_expected'], summary['data_unexpected'], summary['other_connections']), (1, 5, 0), 'summary')


@case
def connections_of_a_control_connection_seen_from_one_side():
    """Of which only one end's packets were captured; the data connection is the other one's. And a client that dials where
    the server should not have sent it."""
    packets = []
    active(packets)
    packets = [packet for packet in packets if sent_by(packet, CLIENT) and pcaplib.decode(packet).dport == 21]
    Conversation(packets, (SERVER, 20), (CLIENT, 50006)).open()
    equal(connections(packets)[0], [(f'{CLIENT}:50006', False)], 'data events')
    packets = []
    control = passive(packets, reply='227 Entering Passive Mode (198,51,100,77,195,90).')
    Conversation(packets, (control.ends[0][0], 5555), ('198.51.100.77', 50010)).open()
    equal(connections(packets)[0], [(f'{SERVER}:50000', False), ('198.51.100.77:50010', False)], 'data events')


@case
def what_is_still_expected_is_counted():
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    path = capture('still', packets)
    equal(good(path).summary['still_expected'], 1, 'still expected')
    check('1 still expected at the end' in Run(path).out, 'the text does not say so')


@case
def text_and_json_count_the_same():
    packets = sample()
    control = active(packets, client=(OTHER, 40000), announce='PORT 192,0,2,99,195,81')
    control.command('PORT 10,0,0,3,0,80')
    Conversation(packets, (CLIENT, 5555), ('192.0.2.7', 80)).open()
    at = next(i for i, packet in enumerate(packets) if b'150' in packet)
    packets.insert(at, anonymised(packets[at]))
    for options in ((), ('--nat', NAT), ('--loose',), ('--checksums', 'ignore')):
        path = capture('counts', packets)
        summary = good(*options, path).summary
        people = Run(*options, path).out
        counted = sorted(map(int, re.findall(r'^ +(\d+) ', people[people.index(f'\n{path}:\n'):], re.MULTILINE)))
        refusals = summary.pop('refusals')
        equal(summary.pop('refused'), sum(refusals.values()), f'{options}: refusals')
        numbers = [count for name, count in summary.items() if name not in ('event', 'ts')]
        equal(counted, sorted(number for number in [*numbers, *refusals.values()] if number), f'{options}: numbers in the text')
