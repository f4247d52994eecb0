#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real clients transfer real files with real servers through the router, in every way they know.

Each case uploads one file of 10 MiB and downloads another in one control connection; both must arrive byte for byte. The
router admits data connections only if they were expected, so a case passes only if the helper did its work. The group
"without-helper" proves that: there the same transfers must fail, while the control connection works.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why. Exit status 1 if one failed.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile
import threading

import lab as laboratory
from clients import CLIENTS, FTP_MODES, PASSWORD, USER, Get, Put, bracketed
from lab import Lab, LabError
from servers import SERVERS, Server

MATRIX_TOPOLOGIES = ("masquerade", "dnat", "firewall")
SEQADJ = ("kernel", "self")
FAMILY_NAMES = {4: "ipv4", 6: "ipv6"}
SIZE = 10 << 20
TIMEOUT = 10
TIMEOUT_WITHOUT_HELPER = 3


@dataclasses.dataclass(frozen=True)
class Case:
    topology: str
    adjuster: str  # who adjusts sequence numbers: kernel, self; or kernel-helper
    server: str
    client: str
    mode: str
    family: int

    @property
    def name(self):
        return "/".join(("matrix", self.topology, self.adjuster, self.server, self.client, self.mode,
                         FAMILY_NAMES[self.family]))


def all_cases(adjusters):
    return [Case(topology, adjuster, server, client.name, mode, family)
            for topology in MATRIX_TOPOLOGIES for adjuster in adjusters for server in SERVERS
            for client in CLIENTS.values() for family in FAMILY_NAMES for mode in client.modes[family]]


def representative(cases):
    """One client for each topology, adjuster, server, mode and family, another one each time."""
    alternatives = {}
    for case in cases:
        alternatives.setdefault((case.topology, case.adjuster, case.server, case.mode, case.family), []).append(case)
    return [cases[number % len(cases)] for number, cases in enumerate(alternatives.values())]


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Files:
    """The files to transfer: different ones up and down, so that a mix-up shows."""

    def __init__(self, directory):
        self.up = pathlib.Path(directory, "up")
        self.down = pathlib.Path(directory, "down")
        for path in (self.up, self.down):
            path.write_bytes(os.urandom(SIZE))
        self.digests = {path: digest(path) for path in (self.up, self.down)}

    def differs(self, sent, arrived, what):
        """Why what arrived is not what was sent, or None."""
        if not arrived.exists():
            return f"{what}: no file arrived"
        if arrived.stat().st_size != SIZE:
            return f"{what}: {arrived.stat().st_size} bytes of {SIZE} arrived"
        return None if digest(arrived) == self.digests[sent] else f"{what}: other bytes arrived"


class Report:
    """Prints results as they come, from any thread, and counts them."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.counts = {"PASS": 0, "FAIL": 0}
        self._lock = threading.Lock()

    def result(self, name, why=None, dialogue=""):
        with self._lock:
            word = "FAIL" if why else "PASS"
            self.counts[word] += 1
            print(f"{word} {name}" + (f": {why}" if why else ""), flush=True)
            if why and self.verbose:
                print(dialogue, file=sys.stderr, flush=True)


def transfer(lab, server, files, case, timeout=TIMEOUT):
    """Carries out one case: (why it failed or None, what the client said)."""
    tag = f"{case.client}-{case.mode}-{case.family}"
    uploaded, downloaded = server.pub / f"up-{tag}", lab.directory / f"down-{tag}"
    steps = [Put(str(files.up), f"pub/{uploaded.name}"), Get("pub/down", str(downloaded))]
    try:
        result = CLIENTS[case.client].transfer(lab, case.mode, case.family, steps, timeout=timeout)
        why = None if result.ok else result.why()
        why = why or files.differs(files.up, uploaded, "upload") or files.differs(files.down, downloaded, "download")
        return why, result.stderr
    finally:
        uploaded.unlink(missing_ok=True)
        downloaded.unlink(missing_ok=True)


def revive_daemon(lab):
    """Says how the daemon ended if it did, and starts it again for the next case."""
    if not lab.daemon or lab.daemon.poll() is None:
        return None
    why = f"the daemon ended with status {lab.daemon.returncode}"
    lab.daemon_start()
    return why


def run_group(cases, files, report, lab_options):
    """Cases of one topology and adjuster: one lab, in which the servers take turns."""
    name = f"matrix/{cases[0].topology}/{cases[0].adjuster}"
    try:
        with Lab(cases[0].topology, **lab_options) as lab:
            for server_name in dict.fromkeys(case.server for case in cases):
                with Server(server_name, lab) as server:
                    shutil.copy(files.down, server.pub / "down")
                    for case in (case for case in cases if case.server == server_name):
                        why, dialogue = transfer(lab, server, files, case)
                        report.result(case.name, revive_daemon(lab) or why, dialogue)
    except LabError as error:
        report.result(name, str(error))


def control_works(lab, family):
    """A request that needs no data connection."""
    url = f"ftp://{bracketed(lab.dial(family=family))}/pub/down"
    argv = ["curl", "--disable", "--silent", "--show-error", "--max-time", str(TIMEOUT), "--user", f"{USER}:{PASSWORD}",
            "--head", url]
    done = lab.run(lab.client, argv)
    return done.returncode == 0 and f"Content-Length: {SIZE}" in done.stdout


def run_without_helper(cases, files, report):
    """Cases of one topology that must fail, all at once since most do so by waiting in vain."""
    prefix = f"matrix/{cases[0].topology}/without-helper"

    def must_fail(case):
        why, dialogue = transfer(lab, server, files, case, TIMEOUT_WITHOUT_HELPER)
        report.result(case.name, None if why else "the transfer worked, so this lab can prove nothing", dialogue)

    try:
        with Lab(cases[0].topology) as lab, Server("vsftpd", lab) as server:
            shutil.copy(files.down, server.pub / "down")
            for family in sorted({case.family for case in cases}):
                works = control_works(lab, family)
                report.result(f"{prefix}/control/{FAMILY_NAMES[family]}",
                              None if works else "the control connection failed")
            with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
                list(pool.map(must_fail, cases))
    except LabError as error:
        report.result(prefix, str(error))


def cases_without_helper():
    return [dataclasses.replace(case, adjuster="without-helper") for case in all_cases([""])
            if case.client == "curl" and case.server == "vsftpd"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="Filters may be given several times.")
    parser.add_argument("--topology", action="append", choices=MATRIX_TOPOLOGIES)
    parser.add_argument("--seqadj", action="append", choices=SEQADJ)
    parser.add_argument("--server", action="append", choices=SERVERS)
    parser.add_argument("--client", action="append", choices=CLIENTS)
    parser.add_argument("--mode", action="append", choices=FTP_MODES)
    parser.add_argument("--family", action="append", type=int, choices=FAMILY_NAMES)
    parser.add_argument("--fast", action="store_true", help="one client a case instead of all, taken in turn")
    parser.add_argument("--engine", choices=("daemon", "kernel"), default="daemon",
                        help="who does the helping: nfq-ftp-helper, or to compare with, the kernel's own helper")
    parser.add_argument("--queue-rule", choices=("all", "payload"), default="all",
                        help="what is queued where the kernel adjusts sequence numbers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many labs at once")
    parser.add_argument("--list", action="store_true", help="print the names of the cases only")
    parser.add_argument("--verbose", action="store_true", help="print what the client said when a case fails")
    return parser.parse_args()


def is_wanted(options, case):
    """Whether the filters admit a case."""
    return all(wanted is None or value in wanted for wanted, value in (
        (options.topology, case.topology), (options.server, case.server), (options.client, case.client),
        (options.mode, case.mode), (options.family, case.family)))


def lab_options(options, adjuster):
    if options.engine == "kernel":
        return {"engine": "kernel"}
    rule = options.queue_rule if adjuster == "kernel" else "all"
    return {"engine": "daemon", "seqadj": adjuster, "queue_rule": rule}


def grouped(cases):
    groups = {}
    for case in cases:
        groups.setdefault((case.topology, case.adjuster), []).append(case)
    return groups


def run_all(options, cases, negative, report):
    with tempfile.TemporaryDirectory(prefix="nfqftp-matrix-") as directory:
        files = Files(directory)
        pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
        try:
            work = [pool.submit(run_group, group, files, report, lab_options(options, adjuster))
                    for (_topology, adjuster), group in grouped(cases).items()]
            work += [pool.submit(run_without_helper, group, files, report) for group in grouped(negative).values()]
            for future in work:
                future.result()
        finally:
            laboratory.close_all()
            pool.shutdown(cancel_futures=True)


def main():
    options = parse_arguments()
    laboratory.take_signals()
    adjusters = ["kernel-helper"] if options.engine == "kernel" else options.seqadj or SEQADJ
    cases = [case for case in all_cases(adjusters) if is_wanted(options, case)]
    negative = [case for case in cases_without_helper() if is_wanted(options, case)]
    if options.fast:
        cases = representative(cases)
    if options.list:
        print(*(case.name for case in cases + negative), sep="\n")
        return 0
    report = Report(options.verbose)
    run_all(options, cases, negative, report)
    return 1 if report.counts["FAIL"] or not report.counts["PASS"] else 0


if __name__ == "__main__":
    sys.exit(main())
