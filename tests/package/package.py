# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of this folder share."""

import os
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PROGRAM = TREE / os.environ.get("NFQ_FTP_HELPER", "build/nfq-ftp-helper")


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, complaint):
    if not condition:
        raise Failure(complaint)


def output(*command, **kwargs):
    """What a command that must succeed prints."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, **kwargs)
    check(done.returncode == 0, f"`{' '.join(map(str, command))}' ends with {done.returncode}: "
                                f"{(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def run(suite, cases, wanted):
    """One line a case, with what it returns, if anything; arguments are parts of names. Return: an exit code."""
    failed = 0
    for case in cases:
        name = f"{suite}/{case.__name__.replace('_', '-')}"
        if wanted and not any(part in name for part in wanted):
            continue
        try:
            measured = case()
            print(f"PASS {name}{f': {measured}' if measured else ''}", flush=True)
        except Skip as why:
            print(f"SKIP {name}: {why}", flush=True)
        except Failure as why:
            print(f"FAIL {name}: {why}", flush=True)
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit("this is a part of the tests beside it")
