#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon that is hammered by who may: by SIGHUP, by files that are none, and by those who ask it and do not listen.

No traffic: the daemon alone, in a namespace of its own. Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a
colon why, or what was measured. Exit status 1 if one failed.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time

from cases import main
from lab import DAEMON_USER, wait_until
from rawftp import check
from test_isolation import Daemon
from test_rules import BINARY, Namespace

AT_ONCE = 1  # seconds in which a daemon does what it is told, whatever else is asked of it
STORM = 1000  # signals
GOOD = "client-rate = 4000\n"
LARGE = 1 << 30


@contextlib.contextmanager
def hammered():
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-hammered-") as directory, Namespace() as namespace:
        pathlib.Path(directory).chmod(0o755)
        file = pathlib.Path(directory) / "conf"
        write(file, GOOD)
        with Daemon(namespace, directory, "-c", str(file), "--queue", "0", "--user", DAEMON_USER) as daemon:
            yield namespace, daemon, file
            started = time.monotonic()
            daemon.stop()
            check(time.monotonic() - started < 2 * AT_ONCE, f"it took {time.monotonic() - started:.1f} s to end")


def write(file, text):
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o644)
    new.rename(file)


def status(namespace, daemon):
    started = time.monotonic()
    done = namespace.run(BINARY, "status", "--json", "--state-dir", str(daemon.state))
    took = time.monotonic() - started
    check(json.loads(done.stdout.splitlines()[0]), f"it says {done.stdout}")
    return took


def reload(daemon, result):
    before = daemon.said().count("event=reload result=")
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.said().count("event=reload result=") > before, AT_ONCE, f"the reload to be told; it says {daemon.said()[-500:]}")
    last = [line for line in daemon.said().splitlines() if "event=reload result=" in line][-1]
    check(f"result={result}" in last, f"it says {last}")


def storm():
    """However many come, it ends at once when it is told to, and what it says is no flood."""
    with hammered() as (namespace, daemon, file):
        started = time.monotonic()
        for _ in range(STORM):
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.0005)
        took = time.monotonic() - started
        check(status(namespace, daemon) < AT_ONCE, "it does not answer")
        time.sleep(0.5)
        lines = daemon.said().count("event=reload result=")
        check(0 < lines <= 11 * (took + 0.5), f"{lines} reloads in {took:.1f} s")
        write(file, "client-rate = 9\n")
        reload(daemon, "changed")
        return f"{STORM} in {took:.1f} s: {lines} reloads"


def storm_at_the_end():
    with hammered() as (_, daemon, _):
        over = threading.Event()

        def send():
            while not over.is_set() and daemon.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(daemon.process.pid, signal.SIGHUP)
                    os.kill(daemon.process.pid, signal.SIGUSR1)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            started = time.monotonic()
            daemon.stop()
            took = time.monotonic() - started
        finally:
            over.set()
            for thread in threads:
                thread.join()
        check(took < 2 * AT_ONCE, f"it took {took:.1f} s to end")
        return f"it ended after {took:.2f} s"


def no_file(file, kind):
    """Puts something in the file's place. Returns what takes it away again."""
    file.unlink()
    if kind == "directory":
        file.mkdir()
        return file.rmdir
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(file))
    elif kind == "loop":
        file.symlink_to(file.name)
    elif kind == "nothing":
        file.symlink_to("nothing")
    elif kind == "large":
        with open(file, "wb") as one:
            one.truncate(LARGE)
    elif kind == "unreadable":
        file.write_text(GOOD)
        file.chmod(0o600)
    return file.unlink


def files_that_are_none():
    with hammered() as (namespace, daemon, file):
        for kind in ("directory", "fifo", "socket", "loop", "nothing", "large", "unreadable"):
            undo = no_file(file, kind)
            reload(daemon, "refused")
            check(status(namespace, daemon) < AT_ONCE, f"{kind}: it does not answer")
            undo()
            write(file, GOOD)
            reload(daemon, "same")


def file_that_grows():
    with hammered() as (namespace, daemon, file):
        over = threading.Event()

        def grow():
            with open(file, "ab", buffering=0) as one:
                while not over.is_set():
                    one.write(b"# more\n" * 4096)
                    if one.tell() > 1 << 28:
                        one.truncate(0)

        thread = threading.Thread(target=grow)
        thread.start()
        try:
            for _ in range(20):
                before = daemon.said().count("event=reload result=")
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda: daemon.said().count("event=reload result=") > before, AT_ONCE, "the reload to be told")
            check(status(namespace, daemon) < AT_ONCE, "it does not answer")
        finally:
            over.set()
            thread.join()


def connect(daemon):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(5)
    try:
        one.connect(str(daemon.state / "socket"))
    except OSError:
        one.close()
        raise
    return one


QUESTION = b'{"version":1,"ask":"%s"}\n'
HOSTILE = {
    "half-line": lambda one: one.sendall(b'{"version":1,'),
    "no-line": lambda one: one.sendall(b"x" * 4096),
    "byte": lambda one: one.sendall(b"{"),
    "nul": lambda one: one.sendall(b"\0\n"),
    "deep": lambda one: one.sendall(b"[" * 1000 + b"\n"),
    "answered": lambda one: one.sendall(QUESTION % b"metrics"),
    "amid": lambda one: (one.sendall(QUESTION % b"metrics"), one.recv(10)),
    "ended": lambda one: (one.sendall(QUESTION % b"status"), one.shutdown(socket.SHUT_RDWR)),
    "half-ended": lambda one: (one.sendall(b'{"ver'), one.shutdown(socket.SHUT_WR)),
    "follows": lambda one: one.sendall(QUESTION % b"follow"),
    "twice": lambda one: one.sendall(QUESTION % b"status" * 40),
}


def files_of(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def askers():
    """What each leaves behind is gone after its time, and nobody waits for it."""
    with hammered() as (namespace, daemon, _):
        check(status(namespace, daemon) < AT_ONCE, "it does not answer")
        time.sleep(0.2)
        before, slowest = files_of(daemon), 0
        for _ in range(20):
            for what in HOSTILE.values():
                with connect(daemon) as one, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    what(one)
            slowest = max(slowest, status(namespace, daemon))
        check(slowest < AT_ONCE, f"an answer took {slowest:.1f} s")
        wait_until(lambda: files_of(daemon) <= before, 8, f"{before} files, and not {files_of(daemon)}")
        return f"the slowest answer took {slowest:.2f} s"


def crowd():
    """A thousand who connect and stall: after five seconds somebody is answered again, and nothing is left of them."""
    with hammered() as (namespace, daemon, _):
        before, crowd_, refused = files_of(daemon), [], 0
        for number in range(1000):
            try:
                crowd_.append(connect(daemon))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    list(HOSTILE.values())[number % 3](crowd_[-1])
            except OSError:
                refused += 1
        time.sleep(6)
        check(status(namespace, daemon) < AT_ONCE, "it does not answer")
        for one in crowd_:
            one.close()
        wait_until(lambda: files_of(daemon) <= before, 8, f"{before} files, and not {files_of(daemon)}")
        return f"{len(crowd_)} connected, {refused} were not let in"


def group_hammered(_options, report):
    report.case("hammered/storm", storm)
    report.case("hammered/storm-at-the-end", storm_at_the_end)
    report.case("hammered/no-files", files_that_are_none)
    report.case("hammered/file-that-grows", file_that_grows)
    report.case("hammered/askers", askers)
    report.case("hammered/crowd", crowd)


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs this may ignore it, and the daemons would take that over
    sys.exit(main(__doc__.split("\n\n")[0], {"hammered": group_hammered}))
