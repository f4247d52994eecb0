#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Has the kernel found fault with itself since it was started? tests/vm/test_vm.py asks this last in each machine, whatever ran in it.

What KASAN, UBSAN, lockdep and the like say, WARN() and BUG(), and what taints the kernel for them: its log forgets its beginning. Not that it was
kept waiting: its host may have other work.
"""

import pathlib
import re
import subprocess
import sys

CASE = "dmesg-clean"
FAULT = re.compile(r"\bBUG\b|^(?:\[[^]]*\] *)*WARNING: |\b(?:KASAN|UBSAN|KCSAN|ODEBUG): |INFO: (?:trying to register|possible|inconsistent|task )|"
                   r"\[#\d+\]|corruption|turning off the locking")
KEPT_WAITING = re.compile(r"lockup|detected stalls|self-detected stall|blocked for more than", re.IGNORECASE)
TAINTS = {5: "a bad page", 7: "a death", 9: "a warning"}  # bits of /proc/sys/kernel/tainted
CONTEXT = 60  # lines of the log from the first fault on
LOCKDEP = pathlib.Path("/proc/lockdep_stats")


def faults(lines):
    """The lines that begin a complaint, as numbers from 0."""
    return [number for number, line in enumerate(lines) if FAULT.search(line) and not KEPT_WAITING.search(line)]


def tainted(bits):
    return [what for bit, what in TAINTS.items() if bits >> bit & 1]


def lockdep(statistics):
    """on or off, by what the kernel has in /proc/lockdep_stats; none without it."""
    found = re.search(r"^\s*debug_locks:\s+(\d+)", statistics, re.MULTILINE)
    return "none" if not found else "on" if int(found.group(1)) else "off"


def judge(lines, bits, statistics):
    """(Whether it is clean, what is to be said of it.)"""
    first = faults(lines)[:1]
    said = [lines[number].strip() for number in first] + [f"the kernel is tainted by {what}" for what in tainted(bits)]
    said += ["lockdep has switched itself off"] if lockdep(statistics) == "off" else []
    return not said, "; ".join(said) or f"{len(lines)} lines, lockdep: {lockdep(statistics)}"


def main():
    lines = subprocess.run(["dmesg"], text=True, errors="replace", capture_output=True, check=True).stdout.splitlines()
    bits = int(pathlib.Path("/proc/sys/kernel/tainted").read_text())
    clean, said = judge(lines, bits, LOCKDEP.read_text() if LOCKDEP.exists() else "")
    for number in faults(lines)[:1]:
        print(*(f"# {line}" for line in lines[number:number + CONTEXT]), sep="\n")
    print(f"{'PASS' if clean else 'FAIL'} {CASE}: {said}", flush=True)
    return not clean


if __name__ == "__main__":
    sys.exit(main())
