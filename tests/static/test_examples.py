#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""doc/examples/MODE.BACKEND is what `nfq-ftp-helper rules' prints for it. One line a case: `PASS name` or `FAIL name: why`.

Mode kmod's rules are cthelper's, but for the mode's name; where the module is not loaded `rules' refuses that mode, and they are made of these.

--write writes them anew, for whoever has changed the rules and read what that makes of them. NFQ_FTP_HELPER names the program under
test (default: build/nfq-ftp-helper).
"""

import difflib
import os
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PROGRAM = TREE / os.environ.get("NFQ_FTP_HELPER", "build/nfq-ftp-helper")
EXAMPLES = TREE / "doc" / "examples"
NAMES = [f"{mode}.{backend}" for mode in ("queue", "cthelper", "kmod") for backend in ("nft", "iptables")]
BY_HAND = ["router.nft", "nfq-ftp-helper.conf"]  # tests/lab/test_check.py applies one, tests/unit/test_config.c reads the other


def printed(name):
    mode, backend = name.split(".")
    if mode == "kmod" and not Path("/sys/module/nf_conntrack_nfqftp").exists():
        return printed(f"cthelper.{backend}").replace("mode cthelper", "mode kmod")
    return subprocess.run([PROGRAM, "rules", "--mode", mode, "--backend", backend, "--mark", "0x200000"], check=True, stdout=subprocess.PIPE, text=True).stdout


def difference(name):
    path = EXAMPLES / name
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    return list(difflib.unified_diff(kept.splitlines(), printed(name).splitlines(), "kept", "printed", n=0, lineterm=""))


def main():
    failed = 0
    if sys.argv[1:] == ["--write"]:
        for name in NAMES:
            (EXAMPLES / name).write_text(printed(name), encoding="utf-8")
        return 0
    for name in NAMES:
        found = difference(name)
        print(f"FAIL examples/{name}: {' | '.join(found)}" if found else f"PASS examples/{name}")
        failed += bool(found)
    strange = sorted(path.name for path in EXAMPLES.iterdir() if path.name not in NAMES + BY_HAND)
    print(f"FAIL examples/all: no test runs {', '.join(strange)}" if strange else "PASS examples/all")
    return failed > 0 or bool(strange)


if __name__ == "__main__":
    sys.exit(main())
