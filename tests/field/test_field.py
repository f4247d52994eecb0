#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The field in replay: every dialogue of this folder, and those beside captures from elsewhere (NFQ_FTP_CAPTURES), is made into a
capture and run through `replay --json'. Captures of the same names are run as they are, too.

Prints a line a case, `PASS field/NAME', `FAIL field/NAME: why', and at the end a table: case, expected, carried.
Arguments: parts of names; none: all. --by-kind: how many of each kind fail, besides.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import captures
import field
import forged

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NFQ_FTP_HELPER", str(ROOT / "build" / "nfq-ftp-helper"))


class Failure(Exception):
    pass


def replay(options, path):
    done = subprocess.run([PROGRAM, "replay", "--json", *options, str(path)], capture_output=True, timeout=60)
    if done.returncode:
        raise Failure(f"exit code {done.returncode}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def judge(case, path):
    """How many data connections were expected. A case that says of each whether it must be is asked about each."""
    events = replay(case.options, path)
    data = [event["expected"] for event in events if event["event"] == "data"]
    summary = [event for event in events if event["event"] == "summary"][0]
    if (summary["data_expected"], summary["data_unexpected"]) != (sum(data), len(data) - sum(data)):
        raise Failure(f"the summary counts {summary['data_expected']} and {summary['data_unexpected']}, the events say {data}")
    must = [connection.must for connection in case.connections]
    if case.steps and len(data) != len(must):
        raise Failure(f"{len(data)} data connections are seen of {len(must)}")
    refusals = ", ".join(f"{reason} {count}" for reason, count in summary["refusals"].items())
    if sum(data) != case.expected:
        raise Failure(f"{sum(data)} data connections carried, {case.expected} expected{' (refused: ' + refusals + ')' if refusals else ''}")
    if must and None not in must and data != must:
        raise Failure(f"carried {data} of {must}")
    return sum(data)


def cases(folder):
    """(name, case, its capture): made from the text, and those that are there."""
    for case in field.own() + forged.cases() + field.elsewhere():
        if case.steps:
            yield case.name, case, None
        elif case.path is None:
            yield case.name, case, forged.write(folder, case)
        if case.path and case.path.exists():
            yield f"{case.name}.pcap", case, case.path


def spellings(wanted):
    """Each kind that has any has three of our own at least."""
    count = collections.Counter(case.kind for case in field.own() + forged.cases())
    few = sorted(kind for kind, number in count.items() if number < 3)
    if few and not wanted:
        print(f"FAIL field-spellings: fewer than three of kind {', '.join(few)}")
    elif not wanted:
        print("PASS field-spellings")
    return bool(few and not wanted)


def main():
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    rows, failed = [], collections.Counter()
    bad = spellings(wanted)
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-helper-field.") as folder:
        for name, case, path in cases(folder):
            if wanted and not any(part in name for part in wanted):
                continue
            carried = why = None
            try:
                if not path:
                    path = Path(folder) / f"{name}.pcap"
                    captures.write(path, case)
                carried = judge(case, path)
            except Exception as error:
                why = f"{'' if isinstance(error, Failure) else type(error).__name__ + ': '}{error}".replace("\n", " | ")
                failed[case.kind] += 1
            print(f"FAIL field/{name}: {why}" if why else f"PASS field/{name}", flush=True)
            rows.append((name, case.expected, carried if why is None else why))
    width = max((len(row[0]) for row in rows), default=4)
    print(f"# {'case':{width}}  expected  carried")
    for name, expected, carried in rows:
        print(f"# {name:{width}}  {expected:8}  {carried}")
    if "--by-kind" in sys.argv:
        print("# failed, by kind: " + (", ".join(f"{kind}: {number}" for kind, number in sorted(failed.items())) or "none"))
    return int(bad or bool(failed) or not rows)


if __name__ == "__main__":
    sys.exit(main())
