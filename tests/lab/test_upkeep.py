#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a silent control connection needs of the real kernel's conntrack (core/session/upkeep.h): an expectation whose transfer is still to
come is renewed, the connection of a transfer that is going on is kept, and a session is forgotten when its connection is.

With short times; with --minutes 10 a tape is mounted for so long, with the usual ones. Prints one line a case: PASS, FAIL or SKIP, a
blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one failed.
"""

import contextlib
import re
import sys
import time

from cases import daemon_lab, main
from rawftp import Pair, check, expected_ports, next_port

EXPECT = 30  # seconds
ESTABLISHED = 240  # conntrack's for a connection that is established
SILENCE = 80
TICK = 5


def seconds_expected(lab, port):
    """What is left of an expectation's time; None where there is none."""
    for line in lab.expectations():
        if re.search(rf"\bdport={port}\b", line):
            return int(line.split()[0])
    return None


def seconds_known(lab, pair):
    """What is left of a control connection's time; None where conntrack does not know it."""
    sport = pair.client.sock.getsockname()[1]
    for line in lab.conntrack("-L", "-p", "tcp", "--orig-port-dst", "21"):
        if re.search(rf"\bsport={sport}\b", line):
            return int(line.split()[2])
    return None


@contextlib.contextmanager
def short_lab(options, **more):
    with daemon_lab(options, "masquerade", daemon_args=("--sessions", "16", "-v", "-v", *more.pop("daemon_args", ()))) as lab:
        lab.run("router", ["sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_timeout_established={ESTABLISHED}"], check=True)
        if lab.daemon:  # it reads that when it begins
            lab.daemon_stop()
            lab.daemon_start()
        yield lab


def waiting(lab, command=b"RETR tape\r\n"):
    """An announcement whose transfer is asked for, if it is."""
    port = next_port(0)
    pair = Pair(lab).ready()
    pair.announce("PORT", port)
    if command:
        pair.say("client", command)
    return pair, port


def silence_is_bridged(options, report):
    with short_lab(options, daemon_args=("--expect-timeout", str(EXPECT))) as lab, contextlib.ExitStack() as stack:
        tape, tape_port = waiting(lab)
        idle, idle_port = waiting(lab, None)
        running, _ = waiting(lab)
        running.say("server", b"150 here it comes\r\n")
        quiet = Pair(lab).ready()
        for pair in (tape, idle, running, quiet):
            stack.callback(pair.close)
        at_first = seconds_expected(lab, tape_port)
        left = []
        for _ in range(SILENCE // TICK):
            time.sleep(TICK)
            left.append(seconds_expected(lab, tape_port))
        now = {"running": seconds_known(lab, running), "tape": seconds_known(lab, tape), "quiet": seconds_known(lab, quiet)}

        def time_is_ours():
            check(at_first is not None and EXPECT - 3 <= at_first <= EXPECT,
                  f"the expectation has {at_first} s, whatever its carrier gives: {EXPECT} were asked for")

        def tape_is_renewed():
            check(all(left), f"it is gone: {left}")
            check(max(left) <= EXPECT, f"it has got more than {EXPECT} s: {left}")
            tape.say("server", b"125 it is mounted\r\n")
            tape.data("PORT", tape_port)
            return f"{SILENCE} s with {EXPECT}, never less than {min(left)} left"

        def nothing_waited_for():
            check(idle_port not in expected_ports(lab), "it is expected still, and no transfer was asked for")

        def transfer_is_kept():
            for which in ("running", "tape"):
                check(now[which] and now[which] > ESTABLISHED - 60, f"{which}: conntrack has {now[which]} s left")
            check(now["quiet"] and now["quiet"] <= ESTABLISHED - SILENCE + 5, f"quiet: conntrack has {now['quiet']} s left")
            return f"after {SILENCE} s of {ESTABLISHED}: {now}"

        report.case("upkeep/time-is-ours", time_is_ours)
        report.case("upkeep/tape-is-renewed", tape_is_renewed)
        report.case("upkeep/nothing-waited-for", nothing_waited_for)
        report.case("upkeep/transfer-is-kept", transfer_is_kept)


def ten_minutes(options, report):
    """As it is without options; and a connection that conntrack has forgotten."""
    if not options.minutes:
        report.skip("upkeep/minutes", "give --minutes")
        return
    with daemon_lab(options, "masquerade", daemon_args=("--sessions", "16", "-v", "-v")) as lab, contextlib.ExitStack() as stack:
        tape, port = waiting(lab)
        gone = Pair(lab).ready()
        for pair in (tape, gone):
            stack.callback(pair.close)
        sport = gone.client.sock.getsockname()[1]
        lab.conntrack("-D", "-p", "tcp", "--orig-port-src", str(sport), "--orig-port-dst", "21")
        time.sleep(options.minutes * 60 + 20)

        def tape_is_mounted():
            tape.say("server", b"125 it is mounted\r\n")
            tape.data("PORT", port)
            return f"{options.minutes} minutes and 20 seconds"

        def forgotten_with_its_connection():
            told = [line for line in lab.daemon_log.read_text(errors="replace").splitlines() if f":{sport}" in line]
            check(len(told) >= 2, f"of port {sport} the log says: {told}")
            return told[-1]

        report.case("upkeep/tape-of-minutes", tape_is_mounted)
        report.case("upkeep/forgotten-with-its-connection", forgotten_with_its_connection)


if __name__ == "__main__":
    sys.exit(main(__doc__, {"silence": silence_is_bridged, "minutes": ten_minutes},
                  lambda parser: parser.add_argument("--minutes", type=int, default=0, help="a tape is mounted for so long")))
