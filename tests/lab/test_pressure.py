#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing slow or short of room outside stops FTP, or keeps the daemon from ending (invariant I6).

Nobody reads its standard error; its terminal goes away; its queue is full; the kernel has no memory for verdicts. Prints one
line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one
failed.
"""

import fcntl
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import termios
import time

from cases import SEQADJ, daemon_lab, main
from lab import TREE, is_queue_bound, wait_until
from rawftp import RawClient, check, next_port
from servers import Server

SMALL = b"what is fetched\n" * 20
PIPE_SIZE = 4096
TRANSFERS = 150  # each says more than five lines at -v -v, and the log's ring has room for 512
END_PATIENCE = 2  # seconds from SIGTERM to the end
NOMEMORY = TREE / "build/tests/lab/nomemory.so"
WANT = "40:6"  # of 40 sends of verdicts 6 in a row fail: tries, and the small message that drops instead
SHORT_QUEUE = 4
SESSIONS = 20
STOPPED = 0.5  # seconds


def serve_files(server):
    (server.pub / "small").write_bytes(SMALL)


def transfers(lab, count):
    for number in range(count):
        with RawClient(lab) as session:
            check(session.fetch("PORT", "pub/small", port=next_port(number)) == SMALL, "other bytes arrived")


def restart(lab, *prefix, **options):
    """The daemon anew, by another command; whoever calls this sees to its output."""
    lab.daemon_stop()
    lab.daemon = lab.popen("router", [*prefix, *lab.daemon_argv()], stdout=subprocess.DEVNULL, **options)
    wait_until(lambda: is_queue_bound(lab.daemon.pid, 0), 10, "the queue to be bound")
    return lab.daemon


def end(daemon, number):
    """Seconds until it has ended by that signal, in an orderly way."""
    start = time.monotonic()
    daemon.send_signal(number)
    try:
        status = daemon.wait(END_PATIENCE)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
        check(False, f"{signal.Signals(number).name} did not end it within {END_PATIENCE} s")
    check(status == 0, f"exit status {status}")
    return time.monotonic() - start


# ---------------------------------------------------------------------------------------------------------------------
# Standard error

class Unread:
    """A daemon whose standard error is a small pipe, which is full before the daemon begins, and which nobody reads."""

    def __init__(self, lab):
        self.reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        os.write(writing, b"x" * (PIPE_SIZE - 1) + b"\n")
        self.flags = fcntl.fcntl(writing, fcntl.F_GETFL)
        self.daemon = restart(lab, stderr=writing)
        check(fcntl.fcntl(writing, fcntl.F_GETFL) == self.flags, "the daemon changed the pipe's flags")
        os.close(writing)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        os.close(self.reading)

    def read(self, seconds):
        """What comes in that time."""
        said, deadline = b"", time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.reading], [], [], left)[0]:
                more = os.read(self.reading, 65536)
                if not more:
                    break
                said += more
        return said.decode(errors="replace")


def unread(lab):
    with Unread(lab) as pipe:
        transfers(lab, TRANSFERS)
        seconds = end(pipe.daemon, signal.SIGTERM)
    lab.daemon_start()
    return f"{TRANSFERS} transfers, ended {seconds * 1000:.0f} ms after SIGTERM"


def read_later(lab):
    """The oldest lines are there, then how many are missing, and what is said from then on."""
    with Unread(lab) as pipe:
        transfers(lab, TRANSFERS)
        said = pipe.read(1)
        lost = [int(number) for number in re.findall(r": event=lines-lost lines=(\d+) ", said)]
        transfers(lab, 1)
        said_later = pipe.read(1)
        end(pipe.daemon, signal.SIGTERM)
        last = pipe.read(1)
    lab.daemon_start()
    check("ready" in said, "the first line did not come")
    check(said_later.count("event=expect command=PORT") == 1, "what was said after that did not come once")
    check(lost and min(lost) > 0, "no loss is told")
    check("event=ended" in last, "the last line did not come")
    return f"{said.count(chr(10))} lines came, {sum(lost)} are told to be lost"


def on_terminal(lab, *prefix):
    """The daemon anew, on a terminal of its own: that and the daemon."""
    terminal, its_end = os.openpty()
    with open(lab.daemon_log, "ab") as log:
        daemon = restart(lab, *prefix, stdin=its_end, stderr=log, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(its_end)
    return terminal, daemon


def terminal_gone(lab):
    terminal, daemon = on_terminal(lab)
    start = time.monotonic()
    os.close(terminal)
    check(daemon.wait(END_PATIENCE) == 0, "it did not end in order")
    seconds = time.monotonic() - start
    check("event=ended" in lab.daemon_log.read_text(), "the log has no last line")
    lab.daemon_start()
    return f"ended {seconds * 1000:.0f} ms after its terminal"


def nohup(lab):
    """Who has asked not to be ended by it is not."""
    terminal, daemon = on_terminal(lab, "nohup")
    daemon.send_signal(signal.SIGHUP)
    os.close(terminal)
    transfers(lab, 3)
    check("event=reload" in lab.daemon_log.read_text(), "whoever asks for a reload is not heard")
    check(daemon.poll() is None, f"it ended with status {daemon.returncode}")
    end(daemon, signal.SIGTERM)
    lab.daemon_start()


def nothing_secret(lab):
    """What is typed in the wrong place is not for the log: below debug it has no more than addresses."""
    with RawClient(lab) as session:
        for line in (b"PORT my-secret\r\n", b"EPRT |9|my-secret|\r\n", b"PORT 1,2,3,4,5,secret\r\n", b"PORT 10,0,0,2,90,1 secret\r\n",
                     b"PORT 10,0,0,2,0,22\r\n"):
            session.send(line)
            session.reply()
        session.fetch("PORT", "pub/small", port=next_port(1))
    time.sleep(0.3)
    said = lab.daemon_log.read_text()
    check("event=refuse" in said and "event=expect command=PORT" in said, "the refusals are not in the log")
    check("10,0,0,2,0,22" in said, "an address that was refused is not in the log")
    leaks = [line for line in said.splitlines() if "secret" in line or "small" in line]
    check(not leaks, f"the log has `{leaks[:1]}'")


# ---------------------------------------------------------------------------------------------------------------------
# Room

def queue_row(lab, number=0):
    """Numbers of the kernel's table: waiting, dropped as it was full, dropped as the socket was."""
    table = pathlib.Path(f"/proc/{lab.daemon.pid}/net/netfilter/nfnetlink_queue").read_text()
    rows = [[int(word) for word in line.split()] for line in table.splitlines()]
    return next((row[2], row[5], row[6]) for row in rows if row[0] == number)


def is_stopped(pid):
    stats = [stat.read_text() for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def nothing_waits(lab):
    wait_until(lambda: queue_row(lab)[0] == 0, 3, "every packet in the queue to have a verdict")


def full_queue(lab):
    """While the daemon is stopped nothing passes it by; what found the queue full is sent again, and the log tells."""
    sessions = [RawClient(lab, timeout=10) for _ in range(SESSIONS)]
    try:
        lab.daemon.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(lab.daemon.pid), 5, "every thread of the daemon to be stopped")
        for session in sessions:
            session.send(b"NOOP\r\n")
        passed = select.select([session.sock for session in sessions], [], [], STOPPED)[0]
        lab.daemon.send_signal(signal.SIGCONT)
        check(not passed, f"{len(passed)} commands passed while the queue was full")
        for session in sessions:
            session.reply((200,))
    finally:
        lab.daemon.send_signal(signal.SIGCONT)
        for session in sessions:
            session.close()
    check(queue_row(lab)[1] > 0, "the queue was not full")
    nothing_waits(lab)

    def told():
        return [int(number) for number in re.findall(r"event=queue-full queue=0 dropped=(\d+) ", lab.daemon_log.read_text())]

    wait_until(lambda: sum(told()) == queue_row(lab)[1], 5, "the log to tell of every packet")
    return f"{sum(told())} packets dropped, {len(told())} lines"


def no_memory(lab):
    with open(lab.daemon_log, "ab") as log:
        daemon = restart(lab, "env", f"LD_PRELOAD={NOMEMORY}", f"NOMEMORY={WANT}", stderr=log)
    transfers(lab, 40)
    check(daemon.poll() is None, f"the daemon ended with status {daemon.returncode}")
    nothing_waits(lab)
    time.sleep(1.2)  # it is said once a second
    said = lab.daemon_log.read_text()
    check("no memory for verdicts" in said, "the log does not tell")
    check("no memory to hand packets over" in said, "the log does not tell of receiving")
    lost = sum(map(int, re.findall(r"event=no-memory queue=\d+ verdicts=(\d+) ", said)))
    lab.daemon_stop()
    lab.daemon_start()
    return f"40 transfers, {lost} verdicts lost"


def group_log(options, report):
    if options.engine != "daemon":
        report.skip("log", "only the daemon has one")
        return
    with daemon_lab(options, "masquerade", daemon_args=["-v", "-v"]) as lab, Server("vsftpd", lab) as server:
        serve_files(server)
        report.case("log/nobody-reads", unread, lab)
        report.case("log/read-later", read_later, lab)
        report.case("log/terminal-gone", terminal_gone, lab)
        report.case("log/terminal-ignored", nohup, lab)
    with daemon_lab(options, "masquerade", daemon_args=["-v"]) as lab, Server("vsftpd", lab) as server:
        serve_files(server)
        report.case("log/nothing-secret", nothing_secret, lab)


def group_room(seqadj):
    def group(options, report):
        if options.engine != "daemon":
            report.skip(f"room/{seqadj}", "only the daemon can be stopped")
            return
        with daemon_lab(options, "masquerade", seqadj, daemon_args=["--queue-length", str(SHORT_QUEUE)]) as lab, \
                Server("vsftpd", lab) as server:
            report.case(f"room/{seqadj}/full-queue", full_queue, lab)
        with daemon_lab(options, "masquerade", seqadj) as lab, Server("vsftpd", lab) as server:
            serve_files(server)
            report.case(f"room/{seqadj}/no-memory", no_memory, lab)
    return group


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs this may ignore it, and the daemons would take that over
    sys.exit(main(__doc__.split("\n\n")[0],
                  {"log": group_log, **{f"room-{seqadj}": group_room(seqadj) for seqadj in SEQADJ}}))
