#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures transfers through the lab's router: with nfq-ftp-helper, with a program that only accepts, with neither.

Active transfers of a small file, many sessions at once, the clients behind masquerading: each PORT has to be rewritten.
All ways are set up at once, each in a lab of its own, and take turns, every other time in the opposite order: A B C C B A ...;
what the machine does besides then hits all of them alike. Each has a reference, which did the same in the same turn: the program
that only accepts, in batches and on as many queues; of the daemon while it is asked, or without its sandbox, the daemon as it is; with --reference
that way is all others'. For the programs that only accept the in-kernel helper does the work, so that all do the same transfers.

A way is NAME or NAME@QUEUES, and with a p behind it each worker is pinned to a processor: daemon@4p.

Prints lines of fields separated by tabs: load, name, transfers/s, median and 99th percentile of a transfer's time in microseconds (medians
over the turns), the ratio to the reference (median, lower and upper quartile of the turns' ratios), failures, the processor time that the
program on the queue took a transfer, in microseconds, and how often it was asked. The processor time contains the way of each packet behind the
queue as well, for the kernel walks it when it is given the verdict.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/lab"))
from lab import FTP_PORT, Lab, LabError, is_listening, wait_until  # noqa: E402

# The client's, in seconds: transfers that begin in it are not counted.
WARM_UP = 0.2

# Of a file of so many bytes, there are so few transfers a second that tenths matter.
LARGE = 1 << 20

FAST = pathlib.Path("/sys/module/nf_conntrack_nfqftp/parameters/fast")

# So many addresses of the client's, since queues are chosen by addresses alone; more announcements than a single one is allowed by default.
SOURCES = 16
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
    reference: str = "accept-batch"
    asked: bool = False
    program: str = "daemon"  # which of the options names it
    fast: str = ""  # the module's parameter of this name in its turns


WAYS = {
    "kernel": Way("in-kernel helper, no queue", "kernel"),
    "accept": Way("accept-all, one at a time", "accept", carrier="ftp", program="accept_all"),
    "accept-batch": Way("accept-all, in batches", "accept", ("--batch",), carrier="ftp", program="accept_all"),
    "daemon": Way("nfq-ftp-helper, --seqadj kernel", "daemon", DAEMON),
    "daemon-asked": Way("nfq-ftp-helper, --seqadj kernel, asked everything once a second", "daemon", DAEMON, reference="daemon", asked=True),
    "daemon-open": Way("nfq-ftp-helper, --seqadj kernel, --no-sandbox", "daemon", (*DAEMON, "--no-sandbox"), reference="daemon"),
    "daemon-self": Way("nfq-ftp-helper, --seqadj self", "daemon", DAEMON, seqadj="self"),
    "before": Way("nfq-ftp-helper --seqadj kernel, another build", "daemon", DAEMON, program="before"),
    "accept-payload": Way("accept-all in batches, packets with payload", "accept", ("--batch",), carrier="ftp",
                          queue_rule="payload", program="accept_all"),
    "daemon-payload": Way("nfq-ftp-helper, --seqadj kernel, packets with payload", "daemon", DAEMON,
                          queue_rule="payload", reference="accept-payload"),
    # On a kernel that has these; not both in one run, as they have the same helper.
    "cthelper": Way("nfq-ftp-helper, --mode cthelper", "daemon", DAEMON, mode="cthelper"),
    "module": Way("nfq-ftp-helper, --mode kmod", "daemon", DAEMON, mode="kmod", fast="Y"),
    "module-queued": Way("nfq-ftp-helper, --mode kmod, fast=N", "daemon", DAEMON, mode="kmod", fast="N"),
}
KEY = re.compile(r"([a-z-]+)(?:@([1-9]\d?)(p?))?")

# All that it can be asked, once a second; a line for each time that all of it was answered. It ends when it is told to.
ASKING = """while for what in status sessions expectations metrics; do "$@" "$what" --state-dir "$state" >/dev/null || exit 1; done
do echo; read -r -t 1 end && exit 0; done; exit 1"""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A way, on so many queues."""

    key: str
    queues: int = 1
    pinned: bool = False

    @classmethod
    def read(cls, text):
        match = KEY.fullmatch(text)
        if not match or match[1] not in WAYS:
            raise ValueError(f"no such way: `{text}'")
        return cls(match[1], int(match[2] or 1), bool(match[3]))

    @property
    def way(self):
        return WAYS[self.key]

    @property
    def name(self):
        queues = f", {self.queues} queues" if self.queues > 1 else ""
        return f"{self.way.name}{queues}{', pinned' if self.pinned else ''}"

    def references(self, named):
        """What it is compared with, whichever of these takes part."""
        if named:
            return (named,)
        return Entry(self.way.reference, self.queues, self.pinned), Entry(self.way.reference, self.queues), Entry(self.way.reference)


class Contestant:
    """One way, in its lab, with the server running."""

    def __init__(self, entry, options, stack):
        self.entry = entry
        self.way = entry.way
        self.options = options
        self.binary = getattr(options, self.way.program)
        self.lab = Lab("masquerade", engine=self.way.engine, seqadj=self.way.seqadj, carrier=self.way.carrier,
                       queue=f"0:{entry.queues - 1}" if entry.queues > 1 else "0", queue_rule=self.way.queue_rule, mode=self.way.mode,
                       backend=options.backend, binary=self.binary, daemon_args=self.way.arguments)
        if self.way.engine == "daemon":
            self.state = stack.enter_context(tempfile.TemporaryDirectory(prefix="nfq-ftp-bench-"))
            self.lab.daemon_args += ["--state-dir", self.state]
        stack.enter_context(self.lab)
        # What has ended is not to be looked up through for two minutes.
        setting = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait"
        self.lab.run("router", ["sh", "-c", f"echo 1 >{setting}"], check=True)
        self.source = self.add_sources()
        server = self.lab.popen(self.lab.server, [*self.first(), options.load, "server", FTP_PORT, options.size])
        wait_until(lambda: is_listening(server.pid, FTP_PORT, 4), 10, "the load's server")
        if options.favour and self.lab.daemon:
            pathlib.Path(f"/proc/{self.lab.daemon.pid}/autogroup").write_text("-20")
        if entry.pinned:
            self.pin()
        self.rates, self.medians, self.tails, self.cpu = [], [], [], []
        self.failures = self.answered = 0

    def add_sources(self):
        """More addresses of the client's, behind those that the lab gives to somebody. The first of them."""
        network = self.lab.address(self.lab.client).rpartition(".")[0]
        addresses = [f"{network}.{host}" for host in range(32, 32 + SOURCES)]
        self.lab.run(self.lab.client, ["ip", "-batch", "-"], input="".join(f"address add {address}/24 dev eth0\n" for address in addresses),
                     check=True)
        return addresses[0]

    def pin(self):
        """Its workers' threads, which are those that were made first and together, to the processors in turn."""
        processors = sorted(os.sched_getaffinity(0))
        threads = sorted(int(thread.name) for thread in pathlib.Path(f"/proc/{self.lab.daemon.pid}/task").iterdir())
        for number, thread in enumerate(threads[1:]):
            os.sched_setaffinity(thread, {processors[number % len(processors)]})

    def first(self):
        """What precedes a program so that it comes before others. Each has a session, so an autogroup, of its own."""
        return ["sh", "-c", 'echo -20 >/proc/self/autogroup; exec "$@"', "sh"] if self.options.favour else []

    def cpu_seconds(self):
        """Processor time that the program on the queue has taken so far."""
        if not self.lab.daemon:
            return 0
        threads = pathlib.Path(f"/proc/{self.lab.daemon.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    @contextlib.contextmanager
    def asked(self):
        """By somebody who wants to know everything, where that is this way's."""
        if not self.way.asked:
            yield
            return
        asker = self.lab.popen("router", ["env", f"state={self.state}", "bash", "-c", ASKING, "bash", self.binary],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield
        finally:
            answers = asker.communicate("\n", timeout=30)[0]
        if asker.returncode:
            raise LabError("the daemon did not answer")
        self.answered += answers.count("\n")

    def measure(self):
        with self.asked():
            self.measure_once()

    def measure_once(self):
        options = self.options
        if self.way.fast:
            FAST.write_text(self.way.fast)
        before = self.cpu_seconds()
        argv = [*self.first(), options.load, "client", self.lab.dial(), FTP_PORT, options.sessions, options.transfers,
                options.seconds, self.source, SOURCES]
        result = self.lab.run(self.lab.client, argv, timeout=options.seconds + 30, check=True).stdout.split()
        count, seconds, failures, median, tail, _longest = map(float, result)
        self.rates.append(count / seconds)
        self.medians.append(median)
        self.tails.append(tail)
        self.failures += int(failures)
        self.cpu.append((self.cpu_seconds() - before) * seconds / (seconds + WARM_UP) / max(count, 1) * 1e6)

    def ratios(self, reference):
        """Median, lower and upper quartile of the turns' ratios."""
        if not reference or reference is self:
            return ["-"] * 3
        ratios = [mine / its for mine, its in zip(self.rates, reference.rates) if its]
        if len(ratios) < 2:
            return [f"{ratios[0]:.2f}" if ratios else "-"] * 3
        lower, median, upper = statistics.quantiles(ratios, n=4, method="inclusive")
        return [f"{median:.2f}", f"{lower:.2f}", f"{upper:.2f}"]

    def row(self, contestants):
        references = self.entry.references(self.options.reference)
        reference = next((contestants[entry] for entry in references if entry in contestants), None)
        return "\t".join(("load", self.entry.name, f"{statistics.median(self.rates):.{0 if self.options.size < LARGE else 1}f}",
                          *(f"{statistics.median(values):.0f}" for values in (self.medians, self.tails)),
                          *self.ratios(reference), str(self.failures), f"{statistics.median(self.cpu):.0f}",
                          str(self.answered) if self.way.asked else "-"))


def measure(options):
    with contextlib.ExitStack() as stack:
        contestants = {entry: Contestant(entry, options, stack) for entry in options.ways}
        for turn in range(options.turns):
            for contestant in list(contestants.values())[::-1 if turn % 2 else 1]:
                contestant.measure()
                if options.favour:
                    time.sleep(options.seconds)
            if options.verbose:
                rates = (f"{contestant.entry.name} {contestant.rates[-1]:.0f};" for contestant in contestants.values())
                print(f"turn {turn + 1}:", *rates, file=sys.stderr, flush=True)
        for contestant in contestants.values():
            print(contestant.row(contestants))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", help=f"by commas, of: {', '.join(WAYS)}", default="kernel,accept,accept-batch,daemon,"
                        "daemon-asked,daemon-self,accept-payload,daemon-payload,accept-batch@2,daemon@2,accept-batch@4,daemon@4")
    parser.add_argument("--reference", metavar="WAY", help="one of them, which all others are compared with")
    parser.add_argument("--backend", default="iptables", choices=("iptables", "nft"), help="of the lab's rules")
    parser.add_argument("--turns", type=int, default=9, help="how often each way is measured")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long at a time")
    parser.add_argument("--sessions", type=int, default=16, help="FTP sessions at once")
    parser.add_argument("--transfers", type=int, default=20, help="transfers a session")
    parser.add_argument("--size", type=int, default=1024, help="bytes of the file")
    parser.add_argument("--load", default=TREE / "build/tests/bench/load", help="the program that makes the load")
    parser.add_argument("--accept-all", default=TREE / "build/tests/bench/accept-all")
    parser.add_argument("--daemon", default=TREE / "build/nfq-ftp-helper")
    parser.add_argument("--before", help="another build of the daemon, for the way of that name")
    parser.add_argument("--favour", action="store_true", help="come before whatever else runs on this machine, with a "
                        "pause after each turn so that it gets on, too")
    parser.add_argument("--verbose", action="store_true", help="print each turn")
    options = parser.parse_args()
    try:
        options.ways = [Entry.read(text) for text in options.ways.split(",")]
        options.reference = options.reference and Entry.read(options.reference)
    except ValueError as error:
        parser.error(str(error))
    return options


def main():
    try:
        measure(parse_options())
    except LabError as error:
        sys.exit(f"load: {error}")


if __name__ == "__main__":
    main()
