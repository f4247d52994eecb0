# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cases of test_replay.py share: running replay, checking, and small captures to run it over."""

import json
import os
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import pcaplib
from pcaplib import Conversation, SYN

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = os.environ.get('NFQ_FTP_HELPER', str(ROOT / 'build' / 'nfq-ftp-helper'))
OWN = ROOT / 'pcaps'
ELSEWHERE = [Path(folder) for folder in os.environ.get('NFQ_FTP_CAPTURES', '').split(':') if folder]
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
        check(self.err.startswith('nfq-ftp-helper: '), f'stderr does not begin with the program: {self.err!r}')
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


def by_direction(packets):
    found = defaultdict(list)
    for tcp in packets:
        found[tcp.src, tcp.sport, tcp.dst, tcp.dport].append(tcp)
    return found


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
