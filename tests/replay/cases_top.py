# SPDX-License-Identifier: GPL-2.0-or-later
"""top, in a terminal that can be looked at (tmux), asking somebody who says what a daemon would."""

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time

from cases_live import Daemon
from harness import PROGRAM, Skip, case, check, equal

PATIENCE = 10  # seconds
STATUS = {'version': 1, 'answer': 'status', 'mode': 'queue', 'uptime': 93784, 'sessions': {'now': 3, 'busy': 1, 'room': 65536},
          'expectations': {'now': 1, 'made': 9}, 'queues': [{'queue': 0, 'waiting': 2, 'dropped_full': 4, 'dropped_unsent': 1}],
          'rates': {'packets': 12.5, 'rewrites': 1.0, 'refusals': 0.5}, 'refusals': [{'reason': 'port', 'count': 7}]}


def session(number, **more):
    return {'client': f'10.0.0.{number}:4000{number}', 'server': '198.51.100.10:21', 'zone': 0, 'queue': 0, 'state': 'ready', 'command': 'RETR',
            'logged_in': True, 'seqadj': 'kernel', 'shift': {'client': 6, 'server': 0}, 'expectations': 0, 'age': 0, 'idle': 0, **more}


SESSIONS = [session(1, age=10, idle=7, state='tls'), session(2, age=3000, idle=5, expectations=1), session(3, age=500, idle=90)]
EXPECTED = [{'client': '10.0.0.2:40002', 'server': '198.51.100.10:21', 'command': 'PORT', 'from': '198.51.100.10', 'to': '198.51.100.254:3001', 'left': 250}]


class Screen:
    """A terminal in which a command runs, and its text."""

    def __init__(self, *argv, columns=110, rows=24, term='tmux-256color'):
        if not shutil.which('tmux'):
            raise Skip('there is no tmux')
        self.directory = tempfile.mkdtemp(prefix='nfq-ftp-helper-top.')
        self.environment = {**os.environ, 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}
        command = f'TERM={term} ' + ' '.join(argv) + f' 2>{self.directory}/said; echo $? >{self.directory}/status'
        self.tmux('-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y', str(rows), command)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.tmux('kill-server')
        shutil.rmtree(self.directory)

    def tmux(self, *arguments):
        return subprocess.run(['tmux', '-S', f'{self.directory}/socket', *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment).stdout

    def keys(self, *names):
        self.tmux('send-keys', *names)

    def text(self):
        return self.tmux('capture-pane', '-p')

    def wait(self, condition, what):
        """Return: the screen on which it is so."""
        end = time.monotonic() + PATIENCE
        while not condition(text := self.text()):
            check(time.monotonic() < end, f'{what} did not come: {text}')
            time.sleep(0.05)
        return text

    def ended(self):
        """Its exit status, and what it said."""
        end = time.monotonic() + PATIENCE
        while not os.path.exists(f'{self.directory}/status') or not os.path.getsize(f'{self.directory}/status'):
            check(time.monotonic() < end, 'it does not end')
            time.sleep(0.05)
        with open(f'{self.directory}/status') as status, open(f'{self.directory}/said') as said:
            return int(status.read()), said.read()


def daemon(sessions=None, **status):
    answers = {'sessions': SESSIONS if sessions is None else sessions, 'expectations': EXPECTED}
    return Daemon([], answers=answers, first={'status': {**STATUS, **status}})


def top(directory, *arguments):
    return [PROGRAM, 'top', '--state-dir', directory.directory.name, *arguments]


def clients(text):
    """The last numbers of the clients, from above."""
    return [int(number) for number in re.findall(r'^10\.0\.0\.(\d+):', text, re.MULTILINE)]


@case
def top_shows_what_there_is():
    with daemon() as one, Screen(*top(one)) as screen:
        text = screen.wait(lambda text: '10.0.0.3' in text, 'the table')
        lines = text.splitlines()
        equal(lines[:3], ['nfq-ftp-helper, mode queue, for 1d 2h', 'sessions 3 of 65536, busy 1, expected 1, refused 7',
                          'queues: 2 wait, 5 dropped; a second: 12.5 packets, 1.0 rewrites, 0.5 refusals'], 'head')
        check(re.match(r'CLIENT +SERVER +STATE +LAST +AGE +IDLE +SEQADJ +SHIFT +EXP', lines[5]), lines[5])
        check(re.match(r'10\.0\.0\.2:40002 +198\.51\.100\.10:21 +ready +RETR +50m 0s +5s +kernel +\+6 +\+0 +1$', lines[6]), lines[6])
        equal(clients(text), [2, 1, 3], 'by how long they are silent')
        check(lines[23].startswith('q end  Enter detail  sort: '), lines[23])
        screen.keys('q')
        equal(screen.ended(), (0, ''), 'the end')


@case
def top_adds_up_nothing_that_it_cannot_see():
    with daemon(queues=[STATUS['queues'][0], {'queue': 1, 'unseen': 'it is root\'s'}]) as one, Screen(*top(one)) as screen:
        text = screen.wait(lambda text: '10.0.0.3' in text and '12.5 packets' in text, 'the table, and what has changed since')
        equal(text.splitlines()[2], "queues: cannot be seen, `status' says why; a second: 12.5 packets, 1.0 rewrites, 0.5 refusals", 'head')


@case
def top_quotes_what_somebody_says_who_has_the_daemon():
    """Names of members, too: no line of the screen is one of their choice."""
    with daemon([session(1, **{'x\n  state         all is well\x1b[2J': 1})]) as one, Screen(*top(one)) as screen:
        screen.wait(lambda text: '10.0.0.1' in text, 'the table')
        screen.keys('Enter')
        text = screen.wait(lambda text: 'seqadj ' in text and 'x?' in text or 'all is well' in text, 'the detail')
        check('  x?  state         all is well?[2J 1' in text.splitlines(), text)


@case
def top_is_sorted():
    with daemon() as one, Screen(*top(one)) as screen:
        screen.wait(lambda text: '10.0.0.3' in text, 'the table')
        for key, order in (('a', [1, 3, 2]), ('r', [2, 3, 1]), ('c', [3, 2, 1]), ('r', [1, 2, 3]), ('e', [1, 3, 2]), ('t', [2, 3, 1]), ('i', [2, 1, 3])):
            screen.keys(key)
            screen.wait(lambda text, order=order: clients(text) == order, f'the order {order} by {key}')


@case
def top_shows_a_detail():
    with daemon() as one, Screen(*top(one)) as screen:
        screen.wait(lambda text: '10.0.0.3' in text, 'the table')
        screen.keys('Down', 'Up', 'Enter')
        text = screen.wait(lambda text: 'Esc back' in text, 'the detail, to its last line')
        for wanted in (r'^  client +10\.0\.0\.2:40002$', r'^  state +ready$', r'^  age +3000$', r'^  logged_in +yes$', r"^  shift +client's bytes \+6, server's \+0$",
                       r'^  expected +from 198\.51\.100\.10 to 198\.51\.100\.254:3001 by PORT, for another 250 s$', r'^Esc back  q end$'):
            check(re.search(wanted, text, re.MULTILINE), f'`{wanted}\' is not in {text}')
        screen.keys('Escape')
        screen.wait(lambda text: 'CLIENT' in text, 'the table again')


@case
def top_pages_and_follows_the_terminal():
    many = [session(1, client=f'10.0.0.{number}:40000', idle=number) for number in range(1, 61)]
    with daemon(many) as one, Screen(*top(one)) as screen:
        screen.wait(lambda text: clients(text) == list(range(1, 17)), 'the first page')
        screen.keys('NPage')
        screen.wait(lambda text: clients(text) == list(range(2, 18)), 'one that has the row below')
        screen.keys('NPage', 'NPage', 'NPage', 'NPage')
        screen.wait(lambda text: clients(text) == list(range(45, 61)), 'the last page')
        screen.tmux('resize-window', '-x', '60', '-y', '12')
        text = screen.wait(lambda text: len(clients(text)) == 4 and clients(text)[-1] == 60, 'four rows, of a smaller terminal')
        check(all(len(line) <= 60 for line in text.splitlines()), text)
        screen.tmux('resize-window', '-x', '10', '-y', '3')  # of no use, but no harm
        time.sleep(0.3)
        screen.tmux('resize-window', '-x', '110', '-y', '24')
        screen.wait(lambda text: len(clients(text)) == 16, 'all of it again')


@case
def top_says_that_nobody_answers():
    with Screen(PROGRAM, 'top', '--state-dir', '/nonexistent') as screen:
        code, said = screen.ended()
        equal(code, 1, 'exit code')
        check('no daemon answers at `/nonexistent/socket\'' in said, said)
    with daemon() as one, Screen(*top(one)) as screen:
        screen.wait(lambda text: '10.0.0.3' in text, 'the table')
        one.listener.close()
        os.unlink(os.path.join(one.directory.name, 'socket'))
        text = screen.wait(lambda text: 'no daemon answers' in text, 'what is wrong')
        equal(clients(text), [2, 1, 3], 'what was there last')
    with daemon() as one, Screen(*top(one), term='nonsense') as screen:
        code, said = screen.ended()
        equal(code, 1, 'exit code')
        check('this terminal, TERM=`nonsense\', is not known' in said, said)


@case
def top_prints_once_where_there_is_no_terminal():
    with daemon() as one:
        done = subprocess.run(top(one), capture_output=True, text=True, timeout=PATIENCE)
    equal((done.returncode, done.stderr), (0, ''), 'the end')
    check(re.search(r'^mode +queue', done.stdout) and '3 sessions' in done.stdout and '\x1b' not in done.stdout, done.stdout)


@case
def top_ends_with_its_terminal():
    """Also where SIGHUP is ignored, as by nohup: it would ask, and draw, as fast as it can."""
    with daemon() as one:
        ours, its = pty.openpty()
        process = subprocess.Popen(top(one), stdin=its, stdout=its, stderr=subprocess.DEVNULL, env={**os.environ, 'TERM': 'xterm'},
                                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        os.close(its)
        try:
            check(os.read(ours, 4096), 'nothing is drawn')
            os.close(ours)
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            check(False, f'it goes on, and has asked {len(one.asked)} times')
        finally:
            process.kill()
            process.wait()
