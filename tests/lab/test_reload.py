#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of a daemon that runs, read again (SIGHUP), amid a hundred sessions that transfer: none is lost.

Good files and bad ones take turns, ten a second, while a hundred clients fetch in every mode; then what the last good one says holds
in the sessions that were there before it, and what needs a restart is said by name. Prints one line a case: PASS, FAIL or SKIP, a
blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one failed.
"""

import concurrent.futures
import contextlib
import signal
import sys
import threading
import time

from cases import SEQADJ, daemon_lab, main
from lab import LabError, wait_until
from rawftp import RawClient, announcement, check, expected_ports
from servers import Server

CONTENT = b"reload" * 4000
MODES = ("PORT", "PASV", "EPRT", "EPSV")
SESSIONS = 100
ROUNDS = 4  # transfers of each mode a session
HANDS = 8  # that work on the sessions
PAUSE = 0.1  # between two SIGHUPs
GOOD = ["client-rate = 4000\nmin-port = 1024\nexpect-timeout = 60\n",
        "foreign = refuse # for a while\nidle-timeout = 7200\nloose = 198.51.100.0/24\nverbose = 1\n",
        "share-exempt = 10.0.0.0/8\nports = 50000:60000\nexpect-timeout = 90\n"]
BAD = "min-port = 60000\nfrobnicate = yes\nloose = maybe\n"


class Daemon:
    """A lab's daemon with a file of its own."""

    def __init__(self, lab):
        self.lab, self.file = lab, lab.directory / "test.conf"
        lab.directory.chmod(0o711)  # the daemon goes on as another user, who reads the file again
        self.file.write_text("")
        self.file.chmod(0o644)
        lab.daemon_args += ["-c", str(self.file)]
        lab.daemon_stop()
        lab.daemon_start()

    def said(self):
        return self.lab.daemon_log.read_text()

    def reload(self, text, wait=True):
        """As an editor does: another file in its place."""
        lines = self.said().count("event=reload")
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o644)
        new.rename(self.file)
        self.lab.daemon.send_signal(signal.SIGHUP)
        if wait:
            wait_until(lambda: self.said().count("event=reload") > lines, 3, "the log to tell of the reload")
            time.sleep(0.3)  # workers take it at their tick, a tenth of a second at most


def transfer(session, number):
    for turn in range(ROUNDS):
        for mode in MODES:
            check(session.fetch(mode, "pub/file") == CONTENT, f"session {number}, {mode}, round {turn}: other bytes arrived")
    return ROUNDS * len(MODES)


def keep_reloading(daemon, stop):
    count = 0
    while not stop.wait(PAUSE):
        daemon.reload(BAD if count % 2 else GOOD[count // 2 % len(GOOD)], wait=False)
        count += 1
    return count


@contextlib.contextmanager
def many_sessions(lab):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(RawClient(lab)) for _ in range(SESSIONS)]


def none_lost(lab, daemon):
    stop = threading.Event()
    with many_sessions(lab) as sessions, concurrent.futures.ThreadPoolExecutor(HANDS + 1) as pool:
        reloads = pool.submit(keep_reloading, daemon, stop)
        try:
            transfers = sum(pool.map(transfer, sessions, range(SESSIONS)))
        finally:
            stop.set()
        said = daemon.said()
        check("frobnicate: yes: there is no such key" in said, "no fault of the bad file is told")
        check("result=refused" in said and "result=changed" in said, "good and bad files were not told apart")
    return f"{SESSIONS} sessions, {transfers} transfers, {reloads.result()} SIGHUPs"


def announces(lab, session, port):
    """Does conntrack expect it?"""
    with session.listen(port):
        session.command(announcement("PORT", session.address, port), (200, 500))  # one that is not rewritten is refused
        return port in expected_ports(lab)


def holds_at_once(lab, daemon):
    """In a session that was there before, for good files; a bad one changes nothing of it."""
    daemon.reload("")
    with RawClient(lab) as session:
        check(announces(lab, session, 30001), "nothing is expected for a port that may be announced")
        daemon.reload("min-port = 40000\n")
        check(not announces(lab, session, 30002), "min-port does not hold in a session that was there")
        check(announces(lab, session, 40001), "nothing is expected above min-port")
        daemon.reload("min-port = 1024\nmode = x\n")
        check(not announces(lab, session, 30003), "a bad file has changed what was in force")
        daemon.reload("min-port = 1024\n")
        check(announces(lab, session, 30004), "a good file has changed nothing")


def restart_is_named(_lab, daemon):
    daemon.reload("sessions = 1000\nqueue-length = 7\n")
    check("event=reload result=restart-needed for=sessions,queue-length" in daemon.said(), "what needs a restart is not named")


def group_reload(seqadj):
    def group(options, report):
        if options.engine != "daemon":
            report.skip(f"reload/{seqadj}", "only the daemon has a configuration")
            return
        with daemon_lab(options, "masquerade", seqadj) as lab, Server("pure-ftpd", lab) as server:
            (server.pub / "file").write_bytes(CONTENT)
            daemon = Daemon(lab)
            process = lab.daemon.pid
            report.case(f"reload/{seqadj}/none-lost", none_lost, lab, daemon)
            report.case(f"reload/{seqadj}/holds-at-once", holds_at_once, lab, daemon)
            report.case(f"reload/{seqadj}/restart-is-named", restart_is_named, lab, daemon)
            if lab.daemon.pid != process or lab.daemon.poll() is not None:
                raise LabError("the daemon has ended")
    return group


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs this may ignore it, and the daemons would take that over
    sys.exit(main(__doc__.split("\n\n")[0], {f"reload-{seqadj}": group_reload(seqadj) for seqadj in SEQADJ}))
