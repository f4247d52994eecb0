#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The corpora of the fuzz targets: tests/fuzz/corpus/TARGET, a line an input, hexadecimal digits, sorted.

unpack writes a target's inputs into a folder, a file each, as libFuzzer takes them. pack makes the corpus anew: of all inputs that
the folders hold and that the corpus has, few that reach as much. It needs build-fuzz/tests/fuzz/test_TARGET, which chooses.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
CORPUS = TREE / "tests/fuzz/corpus"
INPUT_MAX = 2048  # bytes of an input that is kept: most of what is reached is reached by a few dozen


def unpack(target, folder):
    folder.mkdir(parents=True, exist_ok=True)
    corpus = CORPUS / target
    for line in corpus.read_text().split("\n")[:-1] if corpus.exists() else ():
        data = bytes.fromhex(line)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(target, folders):
    program = TREE / "build-fuzz/tests/fuzz" / f"test_{target}"
    with tempfile.TemporaryDirectory() as scratch:
        before, after = pathlib.Path(scratch, "before"), pathlib.Path(scratch, "after")
        unpack(target, before)
        after.mkdir()
        done = subprocess.run([program, "-set_cover_merge=1", f"-max_len={INPUT_MAX}", after, before, *folders],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode:
            sys.exit(f"{program.name}: {done.stdout[-2000:]}")
        inputs = [path.read_bytes() for path in after.iterdir()]
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / target).write_text("".join(sorted(f"{data.hex()}\n" for data in inputs)))
    print(f"{target}: {len(inputs)} inputs, {sum(map(len, inputs))} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("unpack", "pack"))
    parser.add_argument("target")
    parser.add_argument("folder", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.what == "pack":
        pack(arguments.target, arguments.folder)
        return
    for folder in arguments.folder:
        unpack(arguments.target, folder)


if __name__ == "__main__":
    main()
