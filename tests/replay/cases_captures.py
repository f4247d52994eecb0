# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of real sessions: our own, whose replay must be what was captured outside, and those of others."""

import ipaddress
from collections import defaultdict

import pcaplib
from harness import CASES, ELSEWHERE, HERE, OWN, Skip, by_direction, check, equal, good, replay, scratch, tcp_of


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
        check(pcaplib.header_checksum_ok(our), f'{where}: IPv4 header checksum')
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


# --- (b) captures from elsewhere, in the folders that NFQ_FTP_CAPTURES names


def nothing_refused(path, sessions, data):
    summary = good(path).summary
    equal((summary['sessions'], summary['data_expected'], summary['data_unexpected']), (sessions, data, 0),
          'sessions, data connections expected, and not')
    equal(summary['refusals'], {}, 'refusals')


def suricata_bounce(path):
    run = good(path)
    refused = run.of('refuse')
    equal([event['from'] for event in refused], ['2,2,2,3,0,80'], 'refused')
    equal([event['port'] for event in run.of('expect')], [59549], 'ports expected')
    equal(run.summary['sessions'], 2, 'sessions')
    loose = good('--loose', '2.2.2.3', path)
    equal(loose.summary['refusals'], {'port': 1}, 'refusals where the third party is let loose')


def suricata_epsv(path):
    run = good(path)
    equal([event['port'] for event in run.of('expect')], [58612, 37100, 36986, 35656], 'ports expected')
    equal((run.summary['sessions'], run.of('data')), (1, []), 'sessions, data connections')


def zeek_auth_tls(path):
    run = good(path)
    equal((run.summary['sessions'], run.summary['opaque'], run.of('expect')), (1, 1, []), 'sessions, opaque, expected')


KNOWN = {
    'ndpi-ftp': lambda path: nothing_refused(path, 1, 2),
    'suricata-bounce': suricata_bounce,
    'suricata-download-active': lambda path: nothing_refused(path, 1, 3),
    'suricata-epsv': suricata_epsv,
    'zeek-auth-tls': zeek_auth_tls,
    'zeek-ipv4': lambda path: nothing_refused(path, 1, 4),
    'zeek-ipv6': lambda path: nothing_refused(path, 1, 5),
}


def read_to_its_end(path):
    """Nothing is known of it: it is read, or one sentence says why not."""
    run = replay(path)
    if run.code == 0:
        check(not run.err or run.summary['checksums_ignored'] > 0, f'something else than checksums on stderr: {run.err!r}')
        check(run.summary['packets'] > 0, 'the summary counts no packets')
    else:
        equal(run.code, 1, 'exit code')
        run.one_sentence(str(path))


def add_captures_from_elsewhere():
    for folder in ELSEWHERE:
        paths = sorted(path for path in folder.glob('*') if path.suffix in ('.pcap', '.pcapng'))

        def there(folder=folder, paths=paths):
            check(paths, f'NFQ_FTP_CAPTURES names {folder}, and no capture is there')
        CASES.append((f'elsewhere-{folder.name}', there))
        for path in paths:
            what = KNOWN.get(path.stem, read_to_its_end)
            CASES.append((f'elsewhere-{folder.name}/{path.stem}', lambda path=path, what=what: what(path)))
