# SPDX-License-Identifier: GPL-2.0-or-later
"""What replay makes of a capture: small ones, made here."""

import struct

import pcaplib
from harness import (CLIENT, NAT, PUBLIC, SERVER, Run, active, by_direction, capture, case, check, equal, good, passive,
                     replay, sample, scratch, streams, tcp_of)
from pcaplib import ACK, Conversation, PSH, SYN


@case
def rewrite_grows():
    out = scratch('grows.out.pcap')
    run = good('--nat', NAT, '-w', out, capture('grows', sample()))
    rewrite, = run.of('rewrite')
    equal((rewrite['from'], rewrite['to'], rewrite['command'], rewrite['port'], rewrite['client'], rewrite['server']),
          ('10,0,0,2,195,81', '198,51,100,254,195,81', 'PORT', 50001, f'{CLIENT}:40000', f'{SERVER}:21'), 'rewrite')
    equal([event['expected'] for event in run.of('data')], [True, True], 'data connections expected')
    outside = tcp_of(out)
    check(all(pcaplib.checksum_ok(tcp) and pcaplib.header_checksum_ok(tcp) for tcp in outside), 'a checksum is wrong')
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
    passive(packets, client=('203.0.113.7', 40000), server=('10.0.0.9', 21),
            reply='227 Entering Passive Mode (10,0,0,9,195,80).')
    run = good('--nat', f'10.0.0.9={PUBLIC}', '-w', out, capture('dnat', packets))
    rewrite, = run.of('rewrite')
    equal((rewrite['command'], rewrite['to']), ('227', '198,51,100,254,195,80'), 'rewrite')
    equal(run.summary['data_expected'], 1, 'data connections expected')
    equal(streams(tcp_of(out))[PUBLIC, 21, '203.0.113.7', 40000],
          b'220 Hello\r\n227 Entering Passive Mode (198,51,100,254,195,80).\r\n150 Here it comes\r\n226 Done\r\n',
          'server stream')


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
    path = capture('refused', packets)
    equal(good('--loose', path).summary['refusals'], {'address': 1}, 'refusals when replies are loose')
    equal(good('--loose', '192.0.2.0/24', path).summary['refusals'], {}, 'refusals when its network is loose')


def passive_reply(reply, data_from, data_to, *, client='192.0.2.10', server='10.0.0.94'):
    """A capture: login, PASV, this reply, and a data connection."""
    packets = []
    control = Conversation(packets, (client, 40000), (server, 21)).open()
    control.reply('220 Hello')
    control.command('USER u')
    control.reply('230 in')
    control.command('PASV')
    control.reply(reply)
    Conversation(packets, (data_from, 42000), (data_to, 50001)).open()
    return capture('passive-reply', packets)


def replies_in(out, server):
    return b''.join(data for (src, sport, _dst, _dport), data in streams(tcp_of(out)).items() if (src, sport) == (server, 21))


@case
def foreign_address_is_mended():
    """What the client dials is what is expected, and what the text says; with --foreign refuse nothing is."""
    nat, out = ('--nat', '10.0.0.94=203.0.113.94'), scratch('mended.out.pcap')
    path = passive_reply('227 ok (203,0,113,93,195,81)', '192.0.2.10', '10.0.0.94')
    run = good(*nat, '-w', out, path)
    equal([event['expected'] for event in run.of('data')], [True], 'behind DNAT, expected')
    check(b'227 ok (203,0,113,94,195,81)\r\n' in replies_in(out, '203.0.113.94'), 'the text names another address')
    equal(tcp_of(out)[-1].src, '192.0.2.10', 'the data connection comes from')
    equal(good(*nat, '--foreign', 'refuse', path).summary['refusals'], {'foreign': 1}, 'refusals')
    path = passive_reply('227 ok (192,168,1,111,195,81)', '192.0.2.10', '10.0.0.94')
    run = good('-w', out, path)
    equal([event['expected'] for event in run.of('data')], [True], 'without NAT, expected')
    check(b'227 ok (10,0,0,94,195,81)\r\n' in replies_in(out, '10.0.0.94'), 'the text names another address')
    equal(good('--foreign', 'refuse', path).summary['refusals'], {'foreign': 1}, 'refusals')


@case
def third_party_let_loose():
    """That very address; on its way to it a connection is translated as any other is."""
    nat, out = ('--nat', '10.0.0.94=203.0.113.94', '--nat', '10.0.0.95=203.0.113.95'), scratch('loose.out.pcap')
    line = '227 ok (203,0,113,95,195,81)'
    path = passive_reply(line, '192.0.2.10', '10.0.0.95')
    run = good(*nat, '--loose', '203.0.113.0/24', '-w', out, path)
    equal([event['expected'] for event in run.of('data')], [True], 'behind DNAT, expected')
    check(line.encode() in replies_in(out, '203.0.113.94'), 'the text is changed')
    check(any((tcp.dst, tcp.dport) == ('203.0.113.95', 50001) for tcp in tcp_of(out)), 'it goes elsewhere')
    equal([event['expected'] for event in good(*nat, path).of('data')], [False], 'mended, expected')
    path = passive_reply(line, CLIENT, '203.0.113.95', client=CLIENT, server=SERVER)
    run = good('--nat', NAT, '--loose', '-w', out, path)
    equal([event['expected'] for event in run.of('data')], [True], 'behind masquerade, expected')
    check(any((tcp.src, tcp.dst) == (PUBLIC, '203.0.113.95') for tcp in tcp_of(out)), 'it does not come from the public address')


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
    """Whichever packet is the first: who is the client is found, and what he announces once both ends have agreed on their
    numbers, a line has begun, and a command has been answered."""
    packets = []
    control = Conversation(packets, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('USER ftp')
    control.reply('331 Password')
    before = len(packets)
    for _ in range(3):  # of the first two, it cannot be known whether they began at their lines' beginnings
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
    """After five minutes; while the transfer it is for is unanswered, far later."""
    path = scratch('late.pcap')
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    idle, transfer = [], []
    control = Conversation(idle, (CLIENT, 40000), (SERVER, 21)).open()
    control.reply('220 Hello')
    control.command('PORT 10,0,0,2,195,81')
    control.reply('200 OK')
    Conversation(idle, (SERVER, 20), (CLIENT, 50001)).open()
    active(transfer)
    for packets, delays in ((idle, ((299, True), (301, False))), (transfer, ((301, True), (3590, True), (4000, False)))):
        at = next(i for i, p in enumerate(packets) if pcaplib.decode(p).sport == 20)
        for delay, wanted in delays:
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
    packets = [pcaplib.with_partial_checksum(packet) for packet in sample()]
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
    udp = pcaplib.ENCAPSULATIONS['ethernet'][1](udp_ip[:9] + b'\x11' + udp_ip[10:])
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
