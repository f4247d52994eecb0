#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking a daemon that somebody has taken over: it answers without end, of few bytes makes many, or says what no daemon says; whoever asks ends soon, with one
sentence, and little memory. And a file of metrics is there whole or not at all, whoever was killed or is at it, and whatever has its name.
One line a case: `PASS name` or `FAIL name: why`.

Arguments: parts of names; none: all.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from package import PROGRAM, check, run

PATIENCE = 30  # seconds, for a machine that is slow
MEMORY = 3 << 30  # bytes of addresses
MOST = 640  # MiB of memory
METRICS = b'{"version":1,"answer":"metrics"}\n{"name":"a","type":"gauge","help":"h","samples":[{"value":7}]}\n'
END = b'{"end":true}\n'


@contextlib.contextmanager
def daemon(*answer, endless=False):
    """Yield: its state directory. It says the parts, the last one without end, or waits for good before one that is None."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        stop = threading.Event()

        def speak(reader):
            with reader, contextlib.suppress(OSError):
                reader.recv(4096)
                for part in answer:
                    if part is None:
                        stop.wait(PATIENCE)
                    else:
                        reader.sendall(part)
                while endless and not stop.is_set():
                    reader.sendall(answer[-1])

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield Path(folder)
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)


def ask(state, *arguments):
    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    return subprocess.run([PROGRAM, *arguments, "--state-dir", state], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=2 * PATIENCE, preexec_fn=bound)


def refuses(state, *arguments, words):
    told = ask(state, *arguments)
    check(told.returncode == 1, f"{arguments} ends with {told.returncode}: {told.stderr}")
    check(told.stderr.count("\n") == 1 and words in told.stderr, f"{arguments} says {told.stderr!r}")


# ---- who answers without end ----

TOO_LONG = "is longer than one can be"


def lines_without_end():
    line = b'{"name":"a","type":"gauge","help":"h","samples":[{"value":7}]}\n' * 1000
    with daemon(METRICS, line, endless=True) as state:
        for arguments in (["metrics"], ["metrics", "--json"], ["metrics", "--textfile", "-"], ["metrics", "--textfile", state / "a.prom"],
                          ["status"], ["status", "--json"]):
            refuses(state, *arguments, words=TOO_LONG)
        check(sorted(os.listdir(state)) == ["socket"], f"it has left {os.listdir(state)}")


def much_memory_for_few_bytes():
    with daemon(b'{"version":1}\n', b'{"a":[' + b"{}," * 300000 + b"{}]}\n", endless=True) as state:
        # On a machine that is slow, time is over first.
        for command in ("sessions", "expectations"):
            refuses(state, command, words="the daemon's answer ")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    check(most < MOST, f"it took {most} MiB")


def a_long_name():
    line = b'{"name":"' + b"a" * 500000 + b'","type":"gauge","help":"h","samples":[' + b"{}," * 100000 + b"{}]}\n"
    with daemon(METRICS, line, END) as state:
        refuses(state, "metrics", words="a metric in it that none can be called")


# ---- a file of metrics ----

def is_written(state):
    told = ask(state, "metrics", "--textfile", state / "a.prom")
    check(told.returncode == 0 and not told.stderr, f"it ends with {told.returncode}: {told.stderr}")
    check("nfq_ftp_helper_a 7\n" in (state / "a.prom").read_text(encoding="utf-8"), "it is not what the daemon says")
    check((state / "a.prom").stat().st_mode & 0o777 == 0o644, "others cannot read it")
    check(sorted(os.listdir(state)) == ["a.prom", "socket"], f"beside it there is {os.listdir(state)}")


def has_begun(asking, folder):
    """It has what it writes open, be it without a name."""
    return any(os.readlink(link).startswith(str(folder)) for link in Path(f"/proc/{asking.pid}/fd").iterdir() if link.is_symlink())


def what_was_killed_leaves_nothing():
    with daemon(METRICS, None) as state, daemon(METRICS, END) as other:
        (state / "a.prom").write_text("before\n", encoding="utf-8")
        for number in (signal.SIGKILL, signal.SIGTERM):
            asking = subprocess.Popen([PROGRAM, "metrics", "--textfile", other / "a.prom", "--state-dir", state])
            until = time.monotonic() + PATIENCE
            while not has_begun(asking, other) and time.monotonic() < until:
                time.sleep(0.01)
            check(has_begun(asking, other), "it writes nothing")
            is_written(other)  # another, meanwhile
            asking.send_signal(number)
            asking.wait()
            is_written(other)


def what_has_its_name_is_not_written_to():
    with daemon(METRICS, END) as state, tempfile.TemporaryDirectory(dir=state.parent) as folder:
        victim = Path(folder) / "victim"
        victim.write_text("mine\n", encoding="utf-8")
        os.link(victim, state / "a.prom")
        is_written(state)
        for put in (os.symlink, lambda _, name: os.mkfifo(name)):
            (state / "a.prom").unlink()
            put(victim, state / "a.prom")
            refuses(state, "metrics", "--textfile", state / "a.prom", words="is no regular file")
        check(victim.read_text(encoding="utf-8") == "mine\n" and victim.stat().st_mode & 0o777 != 0o600, "a file of others was written to")


def its_name_may_be_as_long_as_any():
    with daemon(METRICS, END) as state:
        for length in (250, 251, 255):
            name = "a" * (length - 5) + ".prom"
            told = ask(state, "metrics", "--textfile", state / name)
            check(told.returncode == 0 and not told.stderr, f"of {length} letters: it ends with {told.returncode}: {told.stderr}")
            check(sorted(os.listdir(state)) == [name, "socket"], f"there is {os.listdir(state)}")
            (state / name).unlink()
        refuses(state, "metrics", "--textfile", state / ("a" * 256), words="File name too long")
        check(os.listdir(state) == ["socket"], f"there is {os.listdir(state)}")


CASES = [lines_without_end, much_memory_for_few_bytes, a_long_name, what_was_killed_leaves_nothing,
         what_has_its_name_is_not_written_to, its_name_may_be_as_long_as_any]

if __name__ == "__main__":
    sys.exit(run("asked", CASES, sys.argv[1:]))
