#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon may die (invariant I7): it is killed amid sessions in every state, and amid load.

With --seqadj kernel the queues bypass while it is away: control connections go on, and once it is back new transfers work. With
--seqadj self packets wait for it. Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon
why, or what was done. Exit status 1 if one failed.
"""

import os
import random
import socket
import sys
import threading
import time

from cases import SEQADJ, daemon_lab, main
from rawftp import RawClient, Wrong, announcement, check, next_port, read_all
from servers import Server

SESSIONS = 50
SMALL = os.urandom(3000)
LARGE = os.urandom(8 << 20)
KILLS = 20
LOAD_SESSIONS = 8
AWAY = 0.3  # seconds
LOAD_PATIENCE = 60  # seconds: a sender whose packets were lost at several kills has backed off for long
MISSED_PAUSE = 0.02


def serve_files(server):
    (server.pub / "small").write_bytes(SMALL)
    (server.pub / "large").write_bytes(LARGE)


class Session:
    """A session in one of the states that a killed daemon must not matter to. number decides which."""

    def __init__(self, lab, number):
        self.number = number
        self.family = 6 if number % 10 == 9 else 4
        self.mode = "EPRT" if self.family == 6 or number % 3 == 2 else "PORT"
        self.state = ("quiet", "rewritten", "transferring", "announced", "rewritten")[number % 5]
        self.client = RawClient(lab, family=self.family)
        self.listener = self.data = None
        if self.state != "quiet":
            for count in range(1 + number % 3):
                self.fetch(count)
        if self.state == "transferring":
            self.start_transfer()
        elif self.state == "announced":
            self.listener = self.client.announce(self.mode, next_port(number))

    def __str__(self):
        return f"session {self.number} ({self.state}, {self.mode} over IPv{self.family})"

    def fetch(self, count=0):
        content = self.client.fetch(self.mode, "pub/small", port=next_port(self.number), wide=(self.number + count) % 2)
        check(content == SMALL, "other bytes arrived")

    def start_transfer(self):
        """A download of which the client takes little as yet."""
        listener = self.client.listen()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        listener.close()
        listener = self.client.announce(self.mode, next_port(self.number))
        self.client.command("RETR pub/large", (150,))
        with listener:
            self.data, _ = listener.accept()

    def noop(self):
        self.client.command("NOOP", (200,))

    def finish(self):
        """What had been begun when the daemon was killed goes on to its end."""
        if self.data:
            check(read_all(self.data) == LARGE, "other bytes arrived in the transfer that was under way")
            self.client.reply((226,))
        if self.listener:
            check(self.client.receive_by(self.listener, "pub/small") == SMALL, "other bytes arrived after the announcement")
        self.data = self.listener = None

    def close(self):
        for sock in (self.client, self.listener, self.data):
            if sock:
                sock.close()


def for_each(sessions, what, function):
    """Calls the function for all sessions, and says all that went wrong at once."""
    errors = []
    for session in sessions:
        try:
            function(session)
        except (Wrong, OSError) as error:
            errors.append(f"{session}: {error}")
    check(not errors, f"{what}: {len(errors)} of {len(sessions)} failed: {'; '.join(errors[:5])}")


def killed(lab, sessions):
    """Kernel: away for a while, in which half of the sessions talk."""
    lab.daemon_kill9()
    talkers = [session for session in sessions if session.number % 2 and not session.data]
    for_each(talkers, "NOOP while the daemon was away", Session.noop)
    finished = [session for session in sessions if session.number % 4 == 3]
    for_each(finished, "going on while the daemon was away", Session.finish)
    lab.daemon_start()
    for_each(sessions, "going on after the restart", Session.finish)
    # Where something was said meanwhile the next line may begin anywhere, and one exchange shows that it is FTP still.
    for _ in range(2):
        for_each(set(talkers + finished), "NOOP after the restart", Session.noop)
    for_each(sessions, "a transfer after the restart", Session.fetch)
    for_each(sessions, "another transfer after the restart", lambda session: session.fetch(1))
    return f"{len(sessions)} sessions, {len(talkers)} of them talked meanwhile"


def killed_briefly(lab, sessions):
    """Self: what is said while it is away waits for it."""
    lab.daemon_kill9()
    talkers = [session for session in sessions if not session.data]
    for session in talkers:
        session.client.send(b"NOOP\r\n")
    time.sleep(AWAY)
    lab.daemon_start()
    for_each(talkers, "NOOP while the daemon was away", lambda session: session.client.reply((200,)))
    for_each(sessions, "going on after the restart", Session.finish)
    for_each(sessions, "a transfer after the restart", Session.fetch)
    for_each(sessions, "another transfer after the restart", lambda session: session.fetch(1))
    slowest = max(session.client.slowest for session in talkers)
    return f"{len(sessions)} sessions, slowest step {slowest * 1000:.0f} ms"


def killed_without_state(lab, sessions):
    """Kernel: the tables are lost too, so that all are picked up in the middle: numbers, a line's beginning, one exchange."""
    for_each(sessions, "going on before", Session.finish)
    lab.daemon_kill9()
    files = list((lab.directory / "state").iterdir())
    check(files, "there is no state file")
    for file in files:
        file.unlink()
    lab.daemon_start()
    for _ in range(3):
        for_each(sessions, "NOOP after the restart", Session.noop)
    for_each(sessions, "a transfer after the restart", Session.fetch)
    for_each(sessions, "another transfer after the restart", lambda session: session.fetch(1))
    return f"{len(sessions)} sessions"


def terminated(lab, sessions):
    """SIGTERM: ends cleanly, keeps the tables, and says what it did."""
    status = lab.daemon_stop()
    check(status == 0, f"exit status {status}")
    check("event=ended" in lab.daemon_log.read_text(), "the log has no last line")
    lab.daemon_start()
    for_each(sessions, "going on after the restart", Session.finish)
    for_each(sessions, "a transfer after the restart", Session.fetch)


# ---------------------------------------------------------------------------------------------------------------------
# Kills at random moments, under load

class Load(threading.Thread):
    """One session that announces and transfers until it is told to stop.

    may_miss: with bypass, a PORT that passed while nobody was there to translate it fails, in one of the ways that FTP
    has for that; the session goes on and tries again. Without bypass that may be before the first edit only, until which
    the daemon does not know that nothing bypasses it: an argument of which the line's beginning had passed before a kill
    is not read (core/table/table_take_up.c, table_mistrust()).
    """

    def __init__(self, lab, number, bypass):
        super().__init__()
        self.lab, self.number, self.bypass, self.may_miss = lab, number, bypass, True
        self.logged_in, self.stopping = threading.Event(), threading.Event()
        self.transfers = self.missed = 0
        self.error = None

    def run(self):
        try:
            with RawClient(self.lab, timeout=LOAD_PATIENCE) as session:
                self.logged_in.set()
                while not self.stopping.is_set():
                    if not self.transfer(session):
                        time.sleep(MISSED_PAUSE)
                    session.command("NOOP", (200,))
                self.one_more(session)
        except (Wrong, OSError) as error:
            self.error = f"session {self.number} after {self.transfers} transfers: {error}"
        finally:
            self.logged_in.set()

    def one_more(self, session):
        """Where something passed unseen: the next line may begin anywhere, one exchange shows that it is FTP, the third works."""
        tries = 3 if self.may_miss else 1
        check(any([self.transfer(session) for _ in range(tries)]), "no transfer works in the end")

    def transfer(self, session):
        """Return whether it took place."""
        with session.listen(next_port(self.number)) as listener:
            line = announcement("PORT", session.address, listener.getsockname()[1], (self.transfers + self.missed) % 2)
            if session.command(line, (200, 500, 501) if self.may_miss else (200,)).code != 200:
                self.missed += 1
                return False
            self.may_miss = self.bypass
            reply = session.command("RETR pub/small", (150, 425, 500) if self.may_miss else (150,))
            if reply.code != 150:
                self.missed += 1
                return False
            check(session.collect(listener) == SMALL, "other bytes arrived")
            self.transfers += 1
            return True


def killed_under_load(lab, seqadj):
    chooser = random.Random(7)
    load = [Load(lab, number, bypass=seqadj == "kernel") for number in range(LOAD_SESSIONS)]
    for thread in load:
        thread.start()
    for thread in load:  # whose client's first line passes while nobody is there is no FTP's, whatever follows (tests/unit/test_liar.c)
        thread.logged_in.wait()
    for _ in range(KILLS):
        time.sleep(chooser.uniform(0.02, 0.3))
        lab.daemon_kill9()
        time.sleep(chooser.uniform(0, 0.1))
        lab.daemon_start()
    for thread in load:
        thread.stopping.set()
    for thread in load:
        thread.join()
    errors = [thread.error for thread in load if thread.error]
    check(not errors, "; ".join(errors))
    return (f"{KILLS} kills, {sum(thread.transfers for thread in load)} transfers, "
            f"{sum(thread.missed for thread in load)} missed while nobody was there")


# ---------------------------------------------------------------------------------------------------------------------

def followed_at_once(lab, sessions):
    """The next daemon is started when the last one has been killed, and perhaps not ended yet: what it holds is waited for."""
    for number in range(KILLS):
        killed_one = lab.daemon
        killed_one.kill()
        lab.daemon_start()
        killed_one.wait()
        session = sessions[number % len(sessions)]
        session.finish()
        session.noop()
        session.noop()
        session.fetch(number)
    return f"{KILLS} times"


def with_sessions(lab, test, count=SESSIONS):
    sessions = []
    try:
        for number in range(count):
            sessions.append(Session(lab, number))
        return test(lab, sessions)
    finally:
        for session in sessions:
            session.close()
        if lab.daemon.poll() is not None:
            lab.daemon_start()


def group_restart(seqadj):
    def group(options, report):
        if options.engine != "daemon":
            report.skip(f"restart/{seqadj}", "only the daemon can be restarted")
            return
        with daemon_lab(options, "masquerade", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            if seqadj == "kernel":
                report.case("restart/kernel/50-sessions", with_sessions, lab, killed)
                report.case("restart/kernel/without-state", with_sessions, lab, killed_without_state, 20)
            else:
                report.case("restart/self/50-sessions", with_sessions, lab, killed_briefly)
            report.case(f"restart/{seqadj}/SIGTERM", with_sessions, lab, terminated, 10)
            report.case(f"restart/{seqadj}/at-once", with_sessions, lab, followed_at_once, 5)
            report.case(f"restart/{seqadj}/under-load", killed_under_load, lab, seqadj)
    return group


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], {f"restart-{seqadj}": group_restart(seqadj) for seqadj in SEQADJ}))
