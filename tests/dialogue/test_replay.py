#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dialogues of this folder as captures, through `replay --json': it counts as many data connections expected, and not, as there are.

test_replay.py [FROM:TO]. Where the counts differ the first seed by which they do is looked for, and named.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NFQ_FTP_HELPER", str(ROOT / "build" / "nfq-ftp-helper"))
DIALOGUE = str(ROOT / "build" / "tests" / "dialogue" / "dialogue")
# As tests/dialogue/script.c has its worlds.
NAT = {"plain": (), "masqueraded": ("10.0.0.2=198.51.100.254", "fd00::2=2001:db8:100:200::c1a0:254"),
       "dnated": ("10.0.0.94=203.0.113.94", "fd00::94=2001:db8:100:200::94")}


def counts(world, first, last, folder):
    """(made, counted): each (expected, not)."""
    path = f"{folder}/{world}.pcap"
    made = subprocess.run([DIALOGUE, "--world", world, "--seeds", f"{first}:{last}", "--capture", path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    options = [word for pair in NAT[world] for word in ("--nat", pair)]
    done = subprocess.run([PROGRAM, "replay", "--json", *options, path], check=True, stdout=subprocess.PIPE, text=True)
    summary = json.loads(done.stdout.splitlines()[-1])
    return tuple(map(int, made.split())), (summary["data_expected"], summary["data_unexpected"])


def first_wrong(world, first, last, folder):
    """Of a range that is wrong; the halves are not always, where one dialogue has spoilt the next."""
    while first < last:
        middle = (first + last) // 2
        made, counted = counts(world, first, middle, folder)
        first, last = (first, middle) if made != counted else (middle + 1, last)
    return first


def main():
    first, last = map(int, (sys.argv[1] if len(sys.argv) > 1 else "1:10000").split(":"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-helper-dialogue.") as folder:
        for world in NAT:
            made, counted = counts(world, first, last, folder)
            if made == counted:
                print(f"PASS dialogue-replay/{world}: {made[0]} data connections expected, {made[1]} not")
                continue
            seed = first_wrong(world, first, last, folder)
            print(f"FAIL dialogue-replay/{world}: {counted[0]} data connections expected and {counted[1]} not, instead of {made[0]} "
                  f"and {made[1]}; first by seed {seed} (build/tests/dialogue/dialogue --world {world} --seed {seed} --text)")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
