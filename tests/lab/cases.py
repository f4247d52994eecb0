# SPDX-License-Identifier: GPL-2.0-or-later
"""What the test programs of this directory have in common: reporting a case a line, arguments, and groups of cases.

A group is a function that makes a lab and reports its cases; groups run side by side, cases of one group in turn.
"""

import argparse
import concurrent.futures
import contextlib
import os
import sys
import threading
import time
import traceback

import lab as laboratory
from lab import Lab, LabError
from rawftp import Wrong

SEQADJ = ("kernel", "self")


class Report:
    """Prints results as they come, from any thread, and counts them."""

    def __init__(self, only=None, verbose=False):
        self.only, self.verbose = only, verbose
        self.counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        self._lock = threading.Lock()

    def _line(self, word, name, what=""):
        with self._lock:
            self.counts[word] += 1
            print(f"{word} {name}" + (f": {what}" if what else ""), flush=True)

    def wants(self, name):
        return self.only is None or self.only in name

    def skip(self, name, why):
        if self.wants(name):
            self._line("SKIP", name, why)

    def case(self, name, function, *arguments, **options):
        """Calls the function; what it raises is why the case failed, what it returns is said with the PASS."""
        if not self.wants(name):
            return None
        try:
            said = function(*arguments, **options)
        except (Wrong, LabError, OSError, AssertionError) as error:
            if self.verbose:
                traceback.print_exc()
            self._line("FAIL", name, " ".join(str(error or type(error).__name__).split()))
            return False
        self._line("PASS", name, said if isinstance(said, str) else "")
        return True


@contextlib.contextmanager
def daemon_lab(options, topology, seqadj="kernel", **more):
    """A Lab with the engine that the options ask for; that the daemon has ended by itself is an error."""
    if options.engine == "daemon":
        more.update(engine="daemon", seqadj=seqadj)
    else:
        more = {"engine": options.engine, **{key: more[key] for key in ("addresses", "offloads") if key in more}}
    with Lab(topology, **more) as lab:
        yield lab
        if lab.daemon and lab.daemon.poll() is not None:
            raise LabError(f"the daemon ended with status {lab.daemon.returncode}")


def run_group(name, function, options, report):
    start = time.monotonic()
    try:
        function(options, report)
    except (Wrong, LabError, OSError) as error:
        if options.verbose:
            traceback.print_exc()
        report.case(name, _raise, error)
    if options.verbose:
        print(f"# {name} took {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def _raise(error):
    raise error


def main(description, groups, add_arguments=None):
    """groups: name -> function(options, report). add_arguments adds to the parser what only this program has. The exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", help="cases whose name contains this")
    parser.add_argument("--group", action="append", choices=groups, help="only this group; may be given several times")
    parser.add_argument("--engine", choices=("daemon", "kernel", "none"), default="daemon",
                        help="who helps: nfq-ftp-helper; to see the tests fail, the kernel's own helper, or nobody")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many labs at once")
    parser.add_argument("--verbose", action="store_true", help="where a case failed, and how long the groups took")
    if add_arguments:
        add_arguments(parser)
    options = parser.parse_args()
    laboratory.take_signals()
    report = Report(options.only, options.verbose)
    pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
    try:
        work = [pool.submit(run_group, name, function, options, report) for name, function in groups.items()
                if not options.group or name in options.group]
        for future in work:
            future.result()
    finally:
        laboratory.close_all()
        pool.shutdown(cancel_futures=True)
    return 1 if report.counts["FAIL"] or not report.counts["PASS"] else 0
