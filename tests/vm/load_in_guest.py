#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The load of tests/bench/load.py in every mode on a stock kernel, in one boot, compared with the in-kernel helper: tests/vm/boot 6.1 --
tests/vm/load_in_guest.py, after make kmod KDIR=... What is said here is given to load.py.

Two rounds, since the module and mode cthelper have the same helper: the lines are load.py's, those of the second round but what is
compared in the first already.
"""

import contextlib
import subprocess
import sys

from kmod_in_guest import TREE, loaded

REFERENCE = "kernel"
HELPER = ("nf_conntrack_ftp", "nf_nat_ftp")  # nothing asks for the second
ROUNDS = (("accept-batch", "daemon", "module", "module-queued"), ("cthelper",))


def measure(ways, arguments):
    argv = [TREE / "tests/bench/load.py", "--backend=nft", f"--reference={REFERENCE}", f"--ways={','.join((REFERENCE, *ways))}", *arguments]
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def main():
    subprocess.run(["modprobe", "-a", *HELPER], check=True)
    for number, ways in enumerate(ROUNDS):
        with loaded() if "module" in ways else contextlib.nullcontext():
            lines = measure(ways, sys.argv[1:])
        print("\n".join(lines[1 if number else 0:]), flush=True)


if __name__ == "__main__":
    main()
