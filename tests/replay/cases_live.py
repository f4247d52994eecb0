# SPDX-License-Identifier: GPL-2.0-or-later
"""explain --live, asking somebody who says what a daemon would: what is drawn of it, and when it ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import cases_explain
from harness import PROGRAM, ROOT, Skip, case, check, equal

CLIENT, SERVER, PUBLIC = '10.0.0.2:40684', '198.51.100.10:21', '198.51.100.254'
BEGIN = {'version': 1, 'answer': ''}
PATIENCE = 20  # seconds


def event(kind, seconds=0.0, **more):
    return {'event': kind, 'ts': time.time() + seconds, 'client': CLIENT, 'server': SERVER, **more}


def line(by, command):
    return event('line', by=by, command=command)


def announced(command, by, argument, changed, to, behind, shift):
    """As a daemon tells of one that NAT changes."""
    port = int(to.rpartition(':')[2])
    return [event('expect', command=command, by=by, **{'from': argument}, port=port, data_from='198.51.100.10', data_to=to, behind_nat=behind),
            event('rewrite', command=command, by=by, **{'from': argument}, to=changed, port=port, shift=shift)]


PORT = announced('PORT', 'client', '10,0,0,2,11,185', '198,51,100,254,11,185', f'{PUBLIC}:3001', '10.0.0.2:3001', 6)
PASSIVE = [event('expect', command='227', by='server', **{'from': '198,51,100,10,11,186'}, port=3002, data_from='10.0.0.2',
                 data_to='198.51.100.10:3002')]
REFUSED = [event('refuse', command='PORT', by='client', **{'from': '10,0,0,2,0,22'}, port=22, reason='port',
                 text='the port is below the lowest that may be announced', advice='--min-port sets the limit')]
DIALOGUE = [event('opened'), line('server', '220'), line('client', 'USER'), line('server', '331'), line('client', 'PASS'), line('server', '230'),
            *PORT, line('server', '200'), line('client', 'STOR'), line('server', '150'), line('server', '226'),
            event('unexpect', command='PORT', by='server', port=3001, data_from='198.51.100.10', data_to=f'{PUBLIC}:3001', behind_nat='10.0.0.2:3001'),
            *REFUSED, line('server', '500'), line('client', ''), line('server', '502'), *PASSIVE, line('client', 'QUIT'), line('server', '221'),
            event('closed')]


class Daemon:
    """Listens in a state directory. Who follows hears @events, and, where there is an @end, that; else nothing more for as long as it likes. Who
    asks for something else hears its line of @first, if any, and its @answers."""

    def __init__(self, events, sessions=(), end=False, answers=None, first=None):
        self.events, self.end, self.asked = events, end, []
        self.answers, self.first = answers or {'sessions': sessions}, first or {}
        self.directory = tempfile.TemporaryDirectory(prefix='nfq-ftp-helper-live.')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.directory.name, 'socket'))
        self.listener.listen()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self.listener.close()
        self.directory.cleanup()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.answer, args=(self.listener.accept()[0],), daemon=True).start()

    def answer(self, sock):
        question = json.loads(sock.makefile('r').readline())
        self.asked.append(question)
        follows = question['ask'] == 'follow'
        lines = [self.first.get(question['ask'], {**BEGIN, 'answer': question['ask']}),
                 *(self.events if follows else self.answers.get(question['ask'], ()))]
        if not follows or self.end:
            lines.append({'end': True})
        with contextlib.suppress(OSError):
            for one in lines:
                sock.sendall(json.dumps(one).encode() + b'\n')
            sock.recv(1)  # its end
        sock.close()

    def argv(self, *arguments):
        return [PROGRAM, 'explain', '--state-dir', self.directory.name, *arguments]

    def explain(self, *arguments, code=0):
        done = subprocess.run(self.argv(*arguments), capture_output=True, timeout=PATIENCE, cwd=ROOT, text=True)
        equal(done.returncode, code, f'exit code ({done.stderr!r})')
        return done.stdout, done.stderr


def is_drawn(text):
    for one in text.splitlines():
        check(len(one) <= cases_explain.WIDTH and not one.endswith(' '), f'a line: {one!r}')
    rows = cases_explain.notes_of(text)
    words = [re.split(r' +[|*] |  +', row[cases_explain.NOTE:])[0] for row, _ in rows]
    equal(words, ['( the control connection begins )', '220', 'USER', '331', 'PASS', '230', 'PORT 10,0,0,2,11,185', '200', 'STOR', '150', '226',
                  '( port 3001 is shut again )', 'PORT 10,0,0,2,0,22', '500', '( another command )', '502', '227 (198,51,100,10,11,186)', 'QUIT', '221',
                  '( the control connection ends )'], 'rows')
    return dict(zip(words, (notes for _, notes in rows))), {word: row for word, (row, _) in zip(words, rows)}


@case
def live_is_drawn_as_captures_are():
    """Each announcement with its arithmetic, what was made of it and why, what may come, what was refused and what to do."""
    with Daemon(DIALOGUE) as daemon:
        text, said = daemon.explain('--live', '10.0.0.2')
    notes, rows = is_drawn(text)
    equal(notes['PORT 10,0,0,2,11,185'],
          ['port 11*256+185 = 3001: port 3001 of 10.0.0.2',
           'rewritten 10,0,0,2,11,185 becomes 198,51,100,254,11,185: the client\'s address, 10.0.0.2, means nothing to the server, who knows it as '
           '198.51.100.254',
           'rewritten 11*256+185 = 3001: port 3001 of 198.51.100.254',
           "numbers +6 bytes: from here on the client's sequence numbers move by +6, and what the server acknowledges moves back",
           'expected let in: one connection from 198.51.100.10, any port, to 198.51.100.254:3001, which is 10.0.0.2:3001'], 'notes of PORT')
    check('*  PORT 198,51,100,254,11,185' in rows['PORT 10,0,0,2,11,185'], 'what the server gets')
    equal(notes['PORT 10,0,0,2,0,22'],
          ['port 0*256+22 = 22: port 22 of 10.0.0.2', 'refused nothing is opened for it: the port is below the lowest that may be announced',
           'to do --min-port sets the limit', 'to do the sender must announce a port of 1024 or more: below are services'], 'notes of what is refused')
    equal(notes['227 (198,51,100,10,11,186)'],
          ['port 11*256+186 = 3002: port 3002 of 198.51.100.10', 'expected let in: one connection from 10.0.0.2, any port, to 198.51.100.10:3002'],
          'notes of 227')
    check('-->' in rows['USER'] and '<--' in rows['331'], 'ways')
    check('no session of that address goes on' in said, f'it says {said!r}')
    equal([question['ask'] for question in daemon.asked], ['follow', 'sessions'], 'questions')
    equal({(question['address'], question.get('lines')) for question in daemon.asked}, {('10.0.0.2', True), ('10.0.0.2', None)}, 'questions')


@case
def live_is_drawn_as_a_picture():
    with Daemon(DIALOGUE) as daemon:
        text, _ = daemon.explain('--live', '10.0.0.2')
        svg, _ = daemon.explain('--live', '10.0.0.2', '--format', 'svg')
        page, _ = daemon.explain('--live', '10.0.0.2', '--format', 'html')
    cases_explain.is_picture(svg, text)
    cases_explain.is_page(page, text)


@case
def live_comes_as_it_happens():
    """While the session goes on; a signal ends it, and a picture is written then, too."""
    with Daemon(DIALOGUE[:-1]) as daemon, tempfile.TemporaryDirectory() as folder:
        picture, text = os.path.join(folder, 'picture'), os.path.join(folder, 'text')
        with subprocess.Popen(daemon.argv('--live', '10.0.0.2'), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            seen = ''
            while '<-- 221' not in seen:
                one = process.stdout.readline()
                check(one, f'it ended too soon: {seen}')
                seen += one
            check(process.poll() is None, 'it has ended')
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            equal(process.wait(PATIENCE), 0, f'end ({process.stderr.read()!r})')
        started = time.monotonic()
        daemon.explain('--live', '10.0.0.2', '--seconds', '1', '--format', 'svg', '-o', picture)
        check(0.9 < time.monotonic() - started < PATIENCE / 2, 'it has not looked for one second')
        check('PORT 198,51,100,254,11,185' in Path(picture).read_text(), 'the picture lacks what was rewritten')
        with subprocess.Popen(daemon.argv('--live', '10.0.0.2', '-o', text)) as process:
            until = time.monotonic() + PATIENCE
            while not (os.path.exists(text) and '<-- 221' in Path(text).read_text()):
                check(time.monotonic() < until and process.poll() is None, 'a file does not have what has happened')
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            equal(process.wait(PATIENCE), 0, 'end')
        equal(sorted(os.listdir(folder)), ['picture', 'text'], 'what is there')


@case
def live_that_is_cut_off_leaves_pictures():
    """The daemon ends amid it: a picture that was there stays; text has what was told."""
    with Daemon(DIALOGUE[:-1], end=True) as daemon, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'out')
        for style in ('text', 'html'):
            Path(path).write_text('precious')
            daemon.explain('--live', '10.0.0.2', '--format', style, '-o', path, code=1)
            said = Path(path).read_text()
            check('<-- 221' in said if style == 'text' else said == 'precious', f'{style}: {said}')
            equal(os.listdir(folder), ['out'], 'what is there')
        os.link(path, os.path.join(folder, 'other'))  # none takes the place of that one
        Path(path).write_text('precious')
        daemon.explain('--live', '10.0.0.2', '-o', path, code=1)
        check('<-- 221' in Path(path).read_text() and os.path.samefile(path, os.path.join(folder, 'other')), f'two names: {Path(path).read_text()}')


def ended_while_it_writes(number, folder):
    """explain --live, into `out' in the folder; return what stood there when it had begun. Whoever has started the tests may ignore the signal (nohup)."""
    with Daemon(DIALOGUE[:-1]) as daemon:
        with subprocess.Popen(daemon.argv('--live', '10.0.0.2', '--format', 'html', '-o', os.path.join(folder, 'out')),
                              preexec_fn=lambda: signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None) as process:
            try:
                until = time.monotonic() + PATIENCE
                while len(daemon.asked) < 2:
                    check(time.monotonic() < until and process.poll() is None, 'it asks nobody')
                    time.sleep(0.01)
                there = os.listdir(folder)
                process.send_signal(number)
                equal(process.wait(PATIENCE), -number, 'end')
            finally:
                process.kill()
    return there


@case
def live_that_is_ended_leaves_nothing():
    """By a signal that ends it at once, whichever: what was there stays, and nothing is beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'out')
        Path(path).write_text('precious')
        try:
            os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
        except OSError as error:
            raise Skip(f'files without a name cannot be made here: {error}') from None
        for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL):
            equal(ended_while_it_writes(number, folder), ['out'], f'{number}: what is there meanwhile')
            equal((os.listdir(folder), Path(path).read_text()), (['out'], 'precious'), f'{number}: what is there')


@case
def live_tells_what_there_was_before():
    other = {'client': '10.0.0.2:40700', 'server': SERVER, 'state': 'ready', 'command': 'RETR', 'age': 65, 'shift': {'client': 6, 'server': 0}, 'expectations': 1}
    gone = {**other, 'client': '10.0.0.2:40701', 'state': 'closed'}
    fast = {**other, 'client': '10.0.0.2:40702', 'age': None, 'expectations': None, 'fast': True}
    lost = {'event': 'lost', 'count': 7}
    end = {**event('closed'), 'client': '10.0.0.2:40700'}
    fast_end = {**event('closed'), 'client': fast['client']}
    with Daemon([line('client', 'NOOP'), lost, event('closed'), end, fast_end], [other, gone, fast]) as daemon:
        text, said = daemon.explain('--live', '10.0.0.0/8')
    check('( goes on, for 1m 5s: ready, last RETR, shift +6/+0, 1 expected )' in ' '.join(text.split()), text)
    check("( goes on, the kernel module's alone so far: ready, shift +6/+0 )" in ' '.join(text.split()), text)
    equal(text.count('( 7 events are lost here'), 3, 'losses')
    check('40701' not in text and not said, f'{text} {said}')
    equal(text.count('Control connection 1\n'), 3, 'headings: it is another one\'s turn')


@case
def live_says_why_it_cannot():
    with tempfile.TemporaryDirectory() as nobody:
        done = subprocess.run([PROGRAM, 'explain', '--live', '10.0.0.2', '--state-dir', nobody], capture_output=True, timeout=PATIENCE, text=True)
        equal(done.returncode, 1, 'exit code')
        check('no daemon answers' in done.stderr, done.stderr)
    with Daemon([line('client', 'NOOP')], end=True) as daemon:
        daemon.explain('--live', '10.0.0.2', code=1)
        _, said = daemon.explain('--live', '10.0.0.2', 'in.pcap', code=2)
        check("takes options only with these, not `in.pcap'" in said, said)
        _, said = daemon.explain('--live', '10.0.0', code=2)
        check("--live `10.0.0' is not possible" in said, said)


@case
def live_reads_a_backslash():
    """It may delimit the parts of EPRT's argument, and is told as a byte that is not printable."""
    said = '\\x5c1\\x5c10.0.0.2\\x5c3001\\x5c'
    with Daemon([event('opened'), event('expect', command='EPRT', by='client', **{'from': said}, port=3001, data_from='198.51.100.10',
                                        data_to='10.0.0.2:3001'), line('server', '200'), event('closed')]) as daemon:
        text, _ = daemon.explain('--live', '10.0.0.2')
    check('EPRT \\1\\10.0.0.2\\3001\\' in text and 'port 3001 of 10.0.0.2' in text, text)


@case
def metrics_replace_files_only():
    """/dev/null, were it replaced by a file, would be gone for all programs."""
    with Daemon([], answers={'metrics': []}) as daemon, tempfile.TemporaryDirectory() as folder:
        def write(name):
            return subprocess.run([PROGRAM, 'metrics', '--state-dir', daemon.directory.name, '--textfile', os.path.join(folder, name)],
                                  capture_output=True, timeout=PATIENCE, text=True)

        os.mkfifo(os.path.join(folder, 'pipe'))
        os.symlink('metrics', os.path.join(folder, 'link'))
        for name in ('pipe', 'link'):
            done = write(name)
            check(done.returncode == 1 and 'is no regular file' in done.stderr, f'{name} ends with {done.returncode}: {done.stderr}')
        equal(write('metrics').returncode, 0, 'exit code')
        equal(write('metrics').returncode, 0, 'exit code, again')
        equal(sorted(os.listdir(folder)), ['link', 'metrics', 'pipe'], 'what is there')
        check(os.path.islink(os.path.join(folder, 'link')) and not os.path.isfile(os.path.join(folder, 'pipe')), 'something was replaced')
