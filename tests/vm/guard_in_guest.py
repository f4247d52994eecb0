#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed, in every mode without the module (gone.py); in mode cthelper, whose helper is the whole machine's, its guard, too, and
both at once.

One at a time, as another daemon would keep the helper enabled. Prints one line a case, as tests/lab does.
"""

import contextlib
import os
import pathlib
import signal
import sys
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/lab"))

import cthelper_stub  # noqa: E402 (what is imported below is found through the path above)
import test_streams  # noqa: E402
from cases import daemon_lab, main  # noqa: E402
from gone import MODES as TOPOLOGIES, group_gone  # noqa: E402
from lab import HELPER, wait_until  # noqa: E402
from rawftp import RawClient, Wrong, check, next_port  # noqa: E402
from servers import Server  # noqa: E402
from test_pressure import Unread  # noqa: E402
from variants import PREFIX, USER_SPACE  # noqa: E402

GUARD = "nfq-ftp-guard"
GUARD_KILLS = 5
FOLLOWED = 20
BACK = 1  # seconds
AWAY = 2


def guard_of(lab):
    """The process id of the daemon's guard; None: there is none."""
    processes = pathlib.Path("/proc")
    for child in (processes / f"{lab.daemon.pid}/task/{lab.daemon.pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            name, _, rest = (processes / child / "stat").read_text().partition("(")[2].rpartition(")")
            if name == GUARD and rest.split()[0] != "Z":
                return int(child)
    return None


def guard_killed(lab):
    """Another one is there within a second, and does what the first would have done."""
    slowest = 0
    with RawClient(lab) as session:
        test_streams.fetch_small(session, "PORT", port=next_port(1))
        for _ in range(GUARD_KILLS):
            guard, start = guard_of(lab), time.monotonic()
            check(guard, "there is no guard")
            os.kill(guard, signal.SIGKILL)
            wait_until(lambda killed=guard: guard_of(lab) not in (None, killed), BACK, "another guard")
            slowest = max(slowest, time.monotonic() - start)
        check(lab.daemon_log.read_text().count("was killed by signal 9") == GUARD_KILLS, "the log does not tell")
        test_streams.fetch_small(session, "PORT", port=next_port(2))
        check(cthelper_stub.is_enabled(HELPER), "the helper is not enabled while the daemon runs")
        lab.daemon_kill9()
        wait_until(lambda: not cthelper_stub.is_enabled(HELPER), AWAY, "the helper to be idle")
        session.command("NOOP", (200,))
        with RawClient(lab) as another:
            another.command("NOOP", (200,))
        lab.daemon_start()
        for _ in range(2):  # something was said meanwhile: a line's beginning, and one exchange
            session.command("NOOP", (200,))
        test_streams.fetch_small(session, "PORT", port=next_port(3))
    return f"{GUARD_KILLS} kills, the next one is there after {slowest * 1000:.0f} ms at most"


def followed_at_once(lab):
    """The next daemon is started when the last one has been killed: it waits for that one's end, and for the guard, which has the queue."""
    with RawClient(lab) as session:
        for number in range(FOLLOWED):
            killed = lab.daemon
            killed.kill()
            lab.daemon_start()
            killed.wait()
            for _ in range(2):  # something may have been said meanwhile
                session.command("NOOP", (200,))
            test_streams.fetch_small(session, "PORT", port=next_port(number))
            check(cthelper_stub.is_enabled(HELPER), "the helper is not enabled while the daemon runs")
    return f"{FOLLOWED} times"


def guard_unread(lab):
    """Who does not read its last word keeps neither the guard nor the queue that it holds."""
    with Unread(lab):
        lab.daemon_kill9()
        wait_until(lambda: not cthelper_stub.is_enabled(HELPER), AWAY, "the helper to be idle")
        lab.daemon_start()
        with RawClient(lab) as session:
            test_streams.fetch_small(session, "PORT", port=next_port(5))


def begins(lab):
    try:
        RawClient(lab, timeout=AWAY).close()
    except (OSError, Wrong):
        return False
    return True


def both_killed(lab):
    """The helper queues packets for nobody, so that no connection begins, until a daemon is there again."""
    os.kill(lab.daemon.pid, signal.SIGSTOP)
    os.kill(guard_of(lab), signal.SIGKILL)
    lab.daemon_kill9()
    check(cthelper_stub.is_enabled(HELPER), "the helper is idle: what is written of this case is wrong")
    check(not begins(lab), "a connection began: what is written of this case is wrong")
    lab.daemon_start()
    with RawClient(lab) as session:
        test_streams.fetch_small(session, "PORT", port=next_port(4))


def group_guard(options, report):
    with daemon_lab(options, "masquerade", backend="nft", mode="cthelper") as lab, Server("vsftpd", lab) as server:
        test_streams.serve_files(server)
        report.case(f"{PREFIX}/cthelper/guard-killed", guard_killed, lab)
        report.case(f"{PREFIX}/cthelper/followed-at-once", followed_at_once, lab)
        report.case(f"{PREFIX}/cthelper/guard-unread", guard_unread, lab)
        report.case(f"{PREFIX}/cthelper/both-killed", both_killed, lab)


GROUPS = {"guard": group_guard}
GROUPS.update({f"gone-{variant.name}-{topology}": group_gone(variant, topology) for variant in USER_SPACE for topology in TOPOLOGIES})


if __name__ == "__main__":
    sys.argv += ["--jobs", "1"]
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
