#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every counter that `metrics' shows is moved by real traffic, and by as much as it should; at the end, those that nothing has moved are named,
and each must be one of which it is known why (UNMOVED).

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one
failed.
"""

import contextlib
import json
import re
import signal
import socket
import struct
import sys
import time

import openmetrics
from cases import SEQADJ, daemon_lab, main
from forge import ACK, Forger, Packet, Tap, numbers_of, plus, random_number
from lab import FTP_PORT, LabError, wait_until
from rawftp import Pair, bytewise, check, in_namespace, next_port
from test_asking import READERS, STALLED, ask, ask_raw, stalled, state
from test_pressure import NOMEMORY, WANT, is_stopped, restart
from test_rules import BINARY
from test_watched import PUT_BACK, backend, watched

NETLINK_NETFILTER = 12
NFQNL_MSG_PACKET = 3 << 8
SETTLE = 0.4  # seconds until what a worker has counted is published
SHORT_QUEUE = 4
CROWD = 20  # connections, where there is room for SMALL_TABLE
SMALL_TABLE = 16
SILENCE = 5.5  # seconds of one direction, until it is said to be missing
RENEWED = 22  # seconds: more than half of the least that an expectation can be there, and once around all that are
CUT = b"NOOP\r\n" * 4000  # more than any path carries at once

# What no traffic of a few seconds moves here, and where it is moved.
UNMOVED = {
    "waits_given_up": "after five minutes: tests/unit/test_greed.c",
    "packets_of_data": "on kernels that give data connections the helper only: tests/unit/test_worker.c",
    "packets_unread": "packets of more than 64 KiB only: tests/unit/test_worker.c",
    "queue_waiting": "what waits has its verdict before anybody can ask",
    "queue_dropped_unsent": "a socket of at least 64 KiB, full: tests/unit/test_nfqueue_stat.c",
}
# Of a family with labels one sample is enough, but of these: each reason is moved by tests/unit (refusals: what dialogue_report() in tests/common
# asserts, and test_shadow.c; disbelieved: test_forged.c, test_reuse.c).
EACH = ("verdicts",)


class Ledger:
    """What all cases have seen: {name: whether it was ever more than before, or more than nothing}."""

    def __init__(self):
        self.seen = {}

    def note(self, before, after):
        for name, value in after.items():
            self.seen[name] = self.seen.get(name, False) or value > before.get(name, 0)

    def unmoved(self):
        return sorted(name for name, moved in self.seen.items() if not moved)


LEDGER = Ledger()


def numbers(lab):
    time.sleep(SETTLE)
    done = ask_raw(lab, "metrics")
    check(done.returncode == 0, done.stderr.strip())
    return samples(done.stdout)


def samples(text):
    """{family or family{label}: value}; of a histogram its count, of a family with labels the sum besides."""
    found = {}
    for name, family in openmetrics.parse(text).items():
        short = name.removeprefix("nfq_ftp_helper_")
        for (ending, labels), value in family.samples.items():
            if ending in ("_bucket", "_sum"):
                continue
            found[short] = found.get(short, 0) + value
            if labels:
                found[f"{short}{{{labels[0][1]}}}"] = value
    return found


class Watch:
    """with Watch(lab) as watch: traffic; then watch.moved(name) tells by how much it has moved it."""

    def __init__(self, lab):
        self.lab = lab

    def __enter__(self):
        self.before, self.after = numbers(self.lab), None
        return self

    def __exit__(self, kind, *_exception):
        if not kind:
            self.after = numbers(self.lab)
            LEDGER.note(self.before, self.after)

    def moved(self, name):
        return self.after[name] - self.before.get(name, 0)

    def check(self, **wanted):
        """Each by exactly so much; by a tuple: at least by its only member."""
        for name, by in wanted.items():
            name = re.sub("__(.+)$", lambda label: "{" + label[1].replace("_", "-") + "}", name)
            moved = self.moved(name)
            if isinstance(by, tuple):
                check(moved >= by[0], f"{name} moved by {moved:.0f}, not by {by[0]} or more")
            else:
                check(moved == by, f"{name} moved by {moved:.0f}, not by {by}")


# ---------------------------------------------------------------------------------------------------------------------
# One dialogue

def a_dialogue(lab):
    """A rewrite, its expectation, its connection; a second one, which takes the place of the first."""
    first = next_port(1)
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        pair.announce("PORT", first)
        pair.data("PORT", first)
        for number in (2, 3):
            pair.announce("PORT", next_port(number))
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        during = numbers(lab)
    check(during["sessions"] >= 1 and during["sessions_busy"] >= 1 and during["expectations"] >= 1, f"gauges: {during}")
    LEDGER.note({}, during)
    watch.check(handshakes=1, sessions_begun=1, rewrites=3, expectations_made=3, expectations_withdrawn=3, packets_rewritten=(3,),
                conntrack_exchanges=(6,), queue_receives=(5,), queue_sends=(5,), packets=(15,), verdicts__accept=(5,), verdicts__replace=(3,))
    if lab.seqadj == "self":
        watch.check(packets_renumbered=(2,), adjustments_by_daemon=(1,), adjustments_by_kernel=0)
    else:
        watch.check(packets_renumbered=0, adjustments_by_kernel=(1,), adjustments_by_daemon=0)
    timed, verdicts = watch.moved("packet_seconds"), sum(watch.moved(f"verdicts{{{name}}}") for name in ("accept", "replace", "drop"))
    check(timed == verdicts, f"{timed:.0f} packets have a time, {verdicts:.0f} a verdict")


def in_pieces(lab):
    """An announcement of one byte a segment: of the argument they are held back."""
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        pair.announce("PORT", next_port(4), cuts=bytewise)
    watch.check(packets_held=(2,), rewrites=1)


REFUSED = {"port": b"PORT 10,0,0,2,0,22\r\n", "malformed": b"PORT 10,0,0\r\n", "too-long": b"PORT " + b"1" * 200 + b"\r\n",
           "address": b"PORT 203,0,113,200,40,40\r\n"}


def refusals(lab):
    """One of each, which opens nothing and passes as it came; and before anything is known of a connection."""
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        for line in REFUSED.values():
            pair.exchange(line, b"500 no\r\n")
        pair.say("server", b"227 Entering Passive Mode (203,0,113,5,40,40)\r\n")
        with Pair(lab) as early:
            early.say("client", b"PORT 10,0,0,2,40,40\r\n")
        with Pair(lab) as other:
            other.say("server", b"220 x\r\n")
            other.say("client", b"GET / HTTP/1.0\r\n")
    for reason in (*REFUSED, "unasked", "no-greeting", "not-ftp"):
        check(watch.moved(f"refusals{{{reason}}}") == 1, f"refusals of {reason} moved by {watch.moved(f'refusals{{{reason}}}')}")
    watch.check(refusals=len(REFUSED) + 3, expectations_made=0)


def large_packets(lab):
    """What a host hands over at one go, to be cut up on its way."""
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        pair.client.send(CUT)
        check(pair.server.exactly(len(CUT)) == CUT, "other bytes arrived")
    watch.check(packets_large=(1,))


def strange_packets(lab):
    """A wrong checksum, numbers far off, a hole, and a connection of which nobody has seen the beginning."""
    with Watch(lab) as watch, Tap(lab, "client") as tap, Pair(lab) as pair, Forger(lab, "client") as forger:
        pair.ready()
        ends = (pair.addresses["client"], pair.client.sock.getsockname()[1]), (pair.dialled, FTP_PORT)
        here = numbers_of(tap, pair.client.sock)
        forger.send(Packet(*ends, ACK, plus(here.next, 50), here.expected, b"NOOP\r\n"))
        far = Packet(*ends, ACK, random_number(), random_number(), b"NOOP\r\n")
        forger.send(far)
        damaged = bytearray(far.packed())
        damaged[-1] ^= 1
        forger.sockets[4].sendto(bytes(damaged), (pair.dialled, 0))
        forger.send(Packet((ends[0][0], 4711), ends[1], ACK, random_number(), random_number()))
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
    watch.check(packets_malformed=1, packets_disbelieved=(1,), packets_untracked=(1,), packets_dropped=1, verdicts__drop=1)


def netlink_port(lab):
    """Of the socket that has the daemon's queue."""
    for line in lab.run("router", ["cat", "/proc/net/netfilter/nfnetlink_queue"], check=True).stdout.splitlines():
        if int(line.split()[0]) == 0:
            return int(line.split()[1])
    raise LabError("nobody has queue 0")


def speak_netlink(port, message):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as file:
        file.sendto(message, (port, 0))


def a_stranger_speaks(lab):
    """What is not from the kernel is no packet, whatever it says; and the queue goes on."""
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        for message in (bytes(16), struct.pack("=IHHII", 20, NFQNL_MSG_PACKET, 0, 0, 0) + bytes(4)):
            in_namespace(lab, "router", speak_netlink, netlink_port(lab), message)
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
    watch.check(queue_strange=2)


# ---------------------------------------------------------------------------------------------------------------------
# A daemon that goes and comes

def while_it_was_away(lab):
    """Bytes passed, which the streams are picked up behind; the session is the one that there was."""
    with Pair(lab) as pair:
        pair.ready()
        time.sleep(SETTLE)
        lab.daemon_kill9()
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        lab.daemon_start()
        first = numbers(lab)
        for _ in range(3):
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        after = numbers(lab)
    LEDGER.note({}, after)
    check(first["sessions_recovered"] >= 1, "no session was recovered")
    check(after["streams_resynced"] >= 1, "no stream was picked up again")


def without_a_state(lab):
    """A connection that began before it, of which it has nothing."""
    with Pair(lab) as pair:
        pair.ready()
        lab.daemon_stop()
        for file in state(lab).glob("queue-*"):
            file.unlink()
        lab.daemon_start()
        for _ in range(2):
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        after = numbers(lab)
    LEDGER.note({}, after)
    check(after["sessions_picked_up"] == 1 and after["sessions_begun"] == 1, f"picked up: {after['sessions_picked_up']}")


def without_memory(lab):
    with open(lab.daemon_log, "ab") as log:
        restart(lab, "env", f"LD_PRELOAD={NOMEMORY}", f"NOMEMORY={WANT}", stderr=log)
    wait_until(lambda: ask_raw(lab, "status").returncode == 0, 10, "the daemon to answer")
    with Watch(lab) as watch:
        for _ in range(10):
            with Pair(lab) as pair:
                pair.ready()
    lab.daemon_stop()
    lab.daemon_start()
    watch.check(verdicts_retried=(1,), verdicts_unsent=(1,), queue_unreceived=(1,))


def too_many_ask(lab):
    with Watch(lab) as watch:
        with stalled(lab, STALLED):
            time.sleep(SETTLE)
        wait_until(lambda: ask_raw(lab, "status").returncode == 0, 15, "somebody to be answered again")
    watch.check(askers_turned_away=(STALLED // 2 - READERS,))


# ---------------------------------------------------------------------------------------------------------------------
# Where there is too little room

@contextlib.contextmanager
def crowd(lab, count, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Pair(lab, **more)) for _ in range(count)]


def a_small_table(lab):
    """One client has its share of it; what it says in the connections for which there was no room is a stranger's; one that is over makes room."""
    with Watch(lab) as watch:
        with crowd(lab, CROWD) as pairs:
            for pair in pairs:
                pair.ready()
        with Pair(lab) as pair:
            pair.ready()
    watch.check(connections_not_followed=(CROWD - SMALL_TABLE,), connections_over_share=(CROWD - SMALL_TABLE,), packets_of_strangers=(1,),
                sessions_displaced=(1,))


def a_rate(lab):
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        for number in range(6):
            pair.client.send(b"PORT 10,0,0,2,160,%d\r\n" % number)
            pair.server.line()
            pair.say("server", b"200 ok\r\n")
    watch.check(refusals__limit=(1,))


def a_short_queue(lab):
    with crowd(lab, SHORT_QUEUE * 4) as pairs:
        for pair in pairs:
            pair.ready()
        with Watch(lab) as watch:
            lab.daemon.send_signal(signal.SIGSTOP)
            try:
                wait_until(lambda: is_stopped(lab.daemon.pid), 5, "every thread of the daemon to be stopped")
                for pair in pairs:
                    pair.client.send(b"NOOP\r\n")
                time.sleep(0.5)
            finally:
                lab.daemon.send_signal(signal.SIGCONT)
            for pair in pairs:
                check(pair.server.line(timeout=20) == b"NOOP\r\n", "another line arrived")
    watch.check(queue_dropped_full=(1,))
    told = ask(lab, "status")[0]["queues"][0]
    check(told["dropped_full"] >= watch.after["queue_dropped_full{0}"], f"status says {told}")


# ---------------------------------------------------------------------------------------------------------------------
# What takes its time, and what the network does

def renewed(lab):
    """A transfer that is asked for, and whose connection does not come, for more than half of its expectation's time."""
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.ready()
        pair.announce("227", next_port(5))
        pair.say("client", b"RETR x\r\n")
        time.sleep(RENEWED)
    watch.check(expectations_made=1, expectations_renewed=(1,))


def late_verdicts(lab):
    """Packets wait for a daemon that does not go on, and their interface goes away."""
    with Pair(lab) as pair:
        pair.ready()
        with Watch(lab) as watch:
            lab.daemon.send_signal(signal.SIGSTOP)
            try:
                wait_until(lambda: is_stopped(lab.daemon.pid), 5, "every thread of the daemon to be stopped")
                pair.client.send(b"NOOP\r\n")
                time.sleep(0.3)
                lab._ip("router", "link set inside down")
            finally:
                lab.daemon.send_signal(signal.SIGCONT)
    lab._ip("router", "link set inside up")
    watch.check(verdicts_late=(1,))


def one_direction(lab):
    """The server's packets take another way."""
    rules = lab.run("router", ["iptables", "-t", "mangle", "-S", "FORWARD"], check=True).stdout.splitlines()
    for rule in (line for line in rules if "--sport 21" in line):
        lab.run("router", ["iptables", "-t", "mangle", *rule.replace("-A", "-D", 1).split()], check=True)
    with Watch(lab) as watch, Pair(lab) as pair:
        pair.say("server", b"220 x\r\n")
        pair.exchange(b"USER ftp\r\n", b"331 x\r\n")
        time.sleep(SILENCE)
        for _ in range(3):
            pair.exchange(b"NOOP\r\n", b"200 x\r\n")
    watch.check(connections_one_way=1)


def rules_that_go():
    """Those that the daemon keeps are taken away, and put back by it."""
    with watched("--rules", "yes", "--backend", backend()) as one:
        def asked():
            return samples(one.namespace.run(BINARY, "metrics", "--state-dir", str(one.daemon.state)).stdout)

        one.in_place()
        before = asked()
        one.namespace.sh("nft flush ruleset")
        one.waits_for(PUT_BACK, 1)
        one.in_place()
        after = asked()
    LEDGER.note(before, after)
    for name in ("rules_gone", "rules_put_back"):
        check(after[name] - before[name] == 1, f"{name} moved by {after[name] - before[name]:.0f}, not by 1")


def nothing_is_unmoved(lab):
    """All of them are there, and moved, but for those of which it is known why not."""
    def is_known(name):
        family = name.partition("{")[0]
        return family in UNMOVED or ("{" in name and family not in EACH and LEDGER.seen[family])

    unmoved = [name for name in LEDGER.unmoved() if not is_known(name)]
    check(not unmoved, f"nothing has moved {', '.join(unmoved)}")
    moved = sorted(set(UNMOVED) & {name for name, was in LEDGER.seen.items() if was})
    status = json.dumps(ask(lab, "status")[0])
    check("sessions" in status, "status is empty")
    return f"{sum(LEDGER.seen.values())} of {len(LEDGER.seen)}" + (f"; moved all the same: {', '.join(moved)}" if moved else "")


def group_dialogue(seqadj):
    def group(options, report):
        if options.engine != "daemon":
            report.skip("counters", "only the daemon counts")
            return
        with daemon_lab(options, "masquerade", seqadj=seqadj) as lab:
            for case in (a_dialogue, in_pieces, refusals, large_packets, strange_packets, a_stranger_speaks):
                report.case(f"counters/{seqadj}/{case.__name__.replace('_', '-')}", case, lab)
    return group


def group_rest(options, report):
    """In turn, as the last one looks at what all have seen."""
    for seqadj in SEQADJ:
        group_dialogue(seqadj)(options, report)
    if options.engine != "daemon":
        return
    report.case("counters/rules-that-go", rules_that_go)
    for cases, arguments in (((while_it_was_away, without_a_state, without_memory, too_many_ask), ()),
                             ((a_small_table,), ("--sessions", str(SMALL_TABLE))), ((a_rate,), ("--client-rate", "1")),
                             ((a_short_queue,), ("--queue-length", str(SHORT_QUEUE))), ((renewed,), ("--expect-timeout", "30")),
                             ((one_direction, late_verdicts), ())):
        with daemon_lab(options, "masquerade", daemon_args=list(arguments)) as lab:
            for case in cases:
                report.case(f"counters/{case.__name__.replace('_', '-')}", case, lab)
            if cases[0] is one_direction and not options.only:
                report.case("counters/nothing-is-unmoved", nothing_is_unmoved, lab)


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], {"counters": group_rest}))
