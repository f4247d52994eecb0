#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures transfers through the lab's router: with nfq-ftp-helper, with a program that only accepts, with neither.

Active transfers of a small file, many sessions at once, the client behind masquerading: each PORT has to be rewritten.
All ways are set up at once, each in a lab of its own, and take turns: A B C A B C ...; what the machine does besides
then hits all of them alike. Printed are medians over the turns, and ratios of medians to the programs that only accept.
For those the in-kernel helper does the work, so that all do the same transfers.

Prints lines of fields separated by tabs: load, name, transfers/s, median and 99th percentile of a transfer's time in
microseconds, ratios to both ways of only accepting, failures, and the processor time that the program on the queue took
a transfer, in microseconds. The latter contains the way of each packet behind the queue as well, for the kernel walks
it when it is given the verdict.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import statistics
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/lab"))
from lab import FTP_PORT, Lab, LabError, is_listening, wait_until  # noqa: E402

# The client's, in seconds: transfers that begin in it are not counted.
WARM_UP = 0.2

# One address makes all announcements, more than a single client is allowed by default.
DAEMON = ("--client-rate", "1000000")


@dataclasses.dataclass(frozen=True)
class Way:
    """Who tells conntrack of the data connections, and what is queued."""

    name: str
    engine: str
    arguments: tuple = ()
    seqadj: str = "kernel"
    carrier: str = "sane"
    queue_rule: str = "all"
    mode: str = "queue"


WAYS = {
    "kernel": Way("in-kernel helper, no queue", "kernel"),
    "accept": Way("accept-all, one at a time", "accept", carrier="ftp"),
    "accept-batch": Way("accept-all, in batches", "accept", ("--batch",), carrier="ftp"),
    "daemon": Way("nfq-ftp-helper, --seqadj kernel", "daemon", DAEMON),
    "daemon-self": Way("nfq-ftp-helper, --seqadj self", "daemon", DAEMON, seqadj="self"),
    "accept-payload": Way("accept-all in batches, packets with payload", "accept", ("--batch",), carrier="ftp",
                          queue_rule="payload"),
    "daemon-payload": Way("nfq-ftp-helper, --seqadj kernel, packets with payload", "daemon", DAEMON,
                          queue_rule="payload"),
    # On a kernel that has these; not both in one run, as they have the same helper.
    "cthelper": Way("nfq-ftp-helper, --mode cthelper", "daemon", DAEMON, mode="cthelper"),
    "module": Way("nfq-ftp-helper, --mode kmod", "daemon", DAEMON, mode="kmod"),
}
REFERENCES = ("accept", "accept-batch")


class Contestant:
    """One way, in its lab, with the server running."""

    def __init__(self, key, options, stack):
        self.way = WAYS[key]
        self.options = options
        binary = options.accept_all if self.way.engine == "accept" else options.daemon
        self.lab = Lab("masquerade", engine=self.way.engine, seqadj=self.way.seqadj, carrier=self.way.carrier,
                       queue_rule=self.way.queue_rule, mode=self.way.mode, backend=options.backend,
                       binary=binary, daemon_args=self.way.arguments)
        if self.way.engine == "daemon":
            state = stack.enter_context(tempfile.TemporaryDirectory(prefix="nfq-ftp-bench-"))
            self.lab.daemon_args += ["--state-dir", state]
        stack.enter_context(self.lab)
        # What has ended is not to be looked up through for two minutes.
        setting = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait"
        self.lab.run("router", ["sh", "-c", f"echo 1 >{setting}"], check=True)
        server = self.lab.popen(self.lab.server, [*self.first(), options.load, "server", FTP_PORT, options.size])
        wait_until(lambda: is_listening(server.pid, FTP_PORT, 4), 10, "the load's server")
        if options.favour and self.lab.daemon:
            pathlib.Path(f"/proc/{self.lab.daemon.pid}/autogroup").write_text("-20")
        self.rates, self.medians, self.tails, self.cpu, self.failures = [], [], [], [], 0

    def first(self):
        """What precedes a program so that it comes before others. Each has a session, so an autogroup, of its own."""
        return ["sh", "-c", 'echo -20 >/proc/self/autogroup; exec "$@"', "sh"] if self.options.favour else []

    def cpu_seconds(self):
        """Processor time that the program on the queue has taken so far."""
        if not self.lab.daemon:
            return 0
        threads = pathlib.Path(f"/proc/{self.lab.daemon.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def measure(self):
        options = self.options
        before = self.cpu_seconds()
        argv = [*self.first(), options.load, "client", self.lab.dial(), FTP_PORT, options.sessions, options.transfers,
                options.seconds]
        result = self.lab.run(self.lab.client, argv, timeout=options.seconds + 10, check=True).stdout.split()
        count, seconds, failures, median, tail, _longest = map(float, result)
        self.rates.append(count / seconds)
        self.medians.append(median)
        self.tails.append(tail)
        self.failures += int(failures)
        self.cpu.append((self.cpu_seconds() - before) * seconds / (seconds + WARM_UP) / max(count, 1) * 1e6)

    def rate(self):
        return statistics.median(self.rates)

    def row(self, references):
        ratios = [f"{self.rate() / reference.rate():.2f}" if reference and reference.rate() else "-"
                  for reference in references]
        return "\t".join(("load", self.way.name, f"{self.rate():.0f}", f"{statistics.median(self.medians):.0f}",
                          f"{statistics.median(self.tails):.0f}", *ratios, str(self.failures),
                          f"{statistics.median(self.cpu):.0f}"))


def measure(options):
    with contextlib.ExitStack() as stack:
        contestants = {key: Contestant(key, options, stack) for key in options.ways}
        for turn in range(options.turns):
            for contestant in contestants.values():
                contestant.measure()
                if options.favour:
                    time.sleep(options.seconds)
            if options.verbose:
                rates = (f"{key} {contestant.rates[-1]:.0f}" for key, contestant in contestants.items())
                print(f"turn {turn + 1}:", *rates, file=sys.stderr, flush=True)
        references = [contestants.get(key) for key in REFERENCES]
        for contestant in contestants.values():
            print(contestant.row(references))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", default="kernel,accept,accept-batch,daemon,daemon-self,daemon-payload",
                        help=f"by commas, of: {', '.join(WAYS)}")
    parser.add_argument("--backend", default="iptables", choices=("iptables", "nft"), help="of the lab's rules")
    parser.add_argument("--turns", type=int, default=9, help="how often each way is measured")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long at a time")
    parser.add_argument("--sessions", type=int, default=16, help="FTP sessions at once")
    parser.add_argument("--transfers", type=int, default=20, help="transfers a session")
    parser.add_argument("--size", type=int, default=1024, help="bytes of the file")
    parser.add_argument("--load", default=TREE / "build/tests/bench/load", help="the program that makes the load")
    parser.add_argument("--accept-all", default=TREE / "build/tests/bench/accept-all")
    parser.add_argument("--daemon", default=TREE / "build/nfq-ftp-helper")
    parser.add_argument("--favour", action="store_true", help="come before whatever else runs on this machine, with a "
                        "pause after each turn so that it gets on, too")
    parser.add_argument("--verbose", action="store_true", help="print each turn")
    options = parser.parse_args()
    options.ways = options.ways.split(",")
    for way in options.ways:
        if way not in WAYS:
            parser.error(f"no such way: `{way}'")
    return options


def main():
    try:
        measure(parse_options())
    except LabError as error:
        sys.exit(f"load: {error}")


if __name__ == "__main__":
    main()
