#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""This tree in the user space of another release of Debian than this machine's: suites and demo, in a fresh system, which installs what they
need as a newcomer's does. In systems.py's overlays. One line a suite, `PASS name: how many' or `FAIL name: why', and one for each test in it
that failed or was skipped. What was said is kept in build/test-logs.

Arguments: names of releases (bookworm, trixie); none: those that this machine does not have. With --suite=NAME just that.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from package import TREE, Failure, Skip, check, output
from systems import NAME, RELEASES, copy_tree, entering, fresh_system, inside, overlay

SUITES = {name: f"scripts/test {name}" for name in ("static", "unit", "replay")} | {"demo": "scripts/demo"}
LOGS = TREE / "build/test-logs"
TOLD = re.compile(r"(FAIL|SKIP) (\S+: .*)")
TALLY = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped|4 of 4 transfers .* worked.*")
TIMEOUT = 5400  # seconds for one suite: clang-tidy alone may take half an hour


def this_release():
    return re.search(r"^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)


def others():
    here = this_release()
    return [release for release in RELEASES if not here or release != here.group(1)]


def lay_tree(root):
    """A checkout, as static asks git what is in it; and the captures from elsewhere. Return: what is to be said of those in there."""
    tree = root / "src" / NAME
    copy_tree(tree)
    output("git", "-C", tree, "init", "-q")
    output("git", "-C", tree, "add", "-A")
    captures = [Path(folder) for folder in os.environ.get("NFQ_FTP_CAPTURES", "").split(":") if folder]
    for number, folder in enumerate(captures):
        shutil.copytree(folder, root / f"captures/{number}")
    return ":".join(f"/captures/{number}" for number in range(len(captures)))


def tell(word, name, text):
    print(f"{word} {name}: {text}", flush=True)


def run_suite(release, suite, root, captures):
    """Return: whether it passed."""
    name = f"userspace/{release}/{suite}"
    script = f"cd /src/{NAME}; NFQ_FTP_CAPTURES={captures} {SUITES[suite]} 2>&1"
    done = subprocess.run([str(word) for word in entering(root, script)], text=True, errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{name.replace('/', '-')}.raw").write_text(done.stdout, encoding="utf-8")
    lines = done.stdout.strip().splitlines() or [""]
    for word, rest in dict.fromkeys(found.groups() for found in map(TOLD.fullmatch, lines) if found):
        print(f"{word} {name}/{rest}", flush=True)
    tally = [line for line in lines if TALLY.fullmatch(line)]
    passed = done.returncode == 0 and bool(tally) and not tally[-1].startswith("0 passed")
    tell("PASS" if passed else "FAIL", name, tally[-1] if tally else f"exit status {done.returncode}: {lines[-1]}")
    return passed


def run_release(release, suites):
    """Return: how many suites failed."""
    with overlay(fresh_system(release)) as root:
        captures = lay_tree(root)
        try:
            inside(root, f"cd /src/{NAME}; scripts/deps")
        except Failure as why:
            raise Skip(f"its packages cannot be had without Debian's archive: {' '.join(str(why).split())}") from why
        return sum(not run_suite(release, suite, root, captures) for suite in suites)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="append", choices=SUITES)
    parser.add_argument("release", nargs="*", choices=[*RELEASES, []], metavar="RELEASE")
    options = parser.parse_args()
    if os.geteuid() != 0:
        tell("SKIP", "userspace", "it needs root")
        return 0
    failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no overlay stays
    for release in options.release or others():
        try:
            check(shutil.which("git"), "git is not installed (scripts/deps lint)")
            failed += run_release(release, options.suite or SUITES)
        except Skip as why:
            tell("SKIP", f"userspace/{release}", why)
        except (Failure, subprocess.TimeoutExpired) as why:
            tell("FAIL", f"userspace/{release}", " ".join(str(why).split()))
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
