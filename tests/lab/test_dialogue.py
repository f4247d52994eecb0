#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialogues of tests/dialogue on the real kernel: through nfq-ftp-helper, and through the kernel's own helper to compare with.

Of a dialogue that the kernel's helper carries whole, ours loses nothing. What ours carries and the kernel's does not, and what either opens that
must stay shut, is counted by the oddity there is in it. Each dialogue has at most one, so that it is known by what.
"""

import collections
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "field"))

import field
from cases import main
from lab import TREE, Lab, LabError
from rawftp import Wrong, check
from scripted import Scripted, prepare

PROGRAM = TREE / "build/tests/dialogue/dialogue"
WORLDS = {"plain": "firewall", "masqueraded": "masquerade", "dnated": "dnat"}
SILENCE = 0.05  # seconds that a silence lasts here: what time does is for the others
PATIENCE = 0.5  # seconds until a connection is given up
ENGINES = ("daemon", "kernel")

_results = collections.defaultdict(dict)  # (world, family) -> (case, engine) -> (admitted, trouble)
_lock = threading.Lock()


def dialogues(world, family, seeds):
    """At most one oddity each, and a few of the hostile."""
    done = subprocess.run([str(PROGRAM), "--seeds", seeds, "--odd", "1", "--world", world, "--family", str(family), "--text"],
                          check=True, stdout=subprocess.PIPE, text=True)
    with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
        file.write(done.stdout)
        file.flush()
        return field.read(file.name)


def say_all(engine, world, family, seeds):
    """What becomes of each data connection."""
    with Lab(WORLDS[world], engine=engine) as lab:
        prepare(lab)
        for case in dialogues(world, family, seeds):
            said = Scripted(lab, case, longest_silence=SILENCE, patience=PATIENCE)
            trouble = ""
            try:
                said.run(judge=False)
            except (Wrong, OSError) as error:
                trouble = str(error)
            admitted = said.admitted + [False] * (len(case.connections) - len(said.admitted))
            with _lock:
                _results[world, family][case.name, engine] = (case, admitted, trouble)
        if lab.daemon and lab.daemon.poll() is not None:
            raise LabError(f"the daemon ended with status {lab.daemon.returncode}")


def oddity(case):
    _, _, rest = case.name.partition(" ")
    return rest.strip() or "none"


def carries(result):
    """All that must be, and the dialogue goes through to its end."""
    case, admitted, trouble = result
    return not trouble and all(got for got, step in zip(admitted, case.connections) if step.must)


def opens(result):
    case, admitted, _ = result
    return any(got for got, step in zip(admitted, case.connections) if not step.must)


def nothing_lost(world, family):
    """The kernel's helper carries it, so we do."""
    results = _results[world, family]
    names = sorted({name for name, _ in results})
    check(names and all((name, engine) in results for name in names for engine in ENGINES), "not all was said")
    lost = [name for name in names if carries(results[name, "kernel"]) and not carries(results[name, "daemon"])]
    check(not lost, f"{len(lost)} of {len(names)} dialogues are carried by the kernel's helper and lost by us: {'; '.join(lost[:8])}")
    return f"{len(names)} dialogues"


def all_carried(world, family):
    results = [result for (_, engine), result in _results[world, family].items() if engine == "daemon"]
    bad = sorted(f"{result[0].name} ({result[2] or result[1]})" for result in results if not carries(result))
    check(not bad, f"{len(bad)} of {len(results)} are not carried: {'; '.join(bad[:8])}")
    return f"{len(results)} dialogues, {sum(sum(result[1]) for result in results)} data connections"


def nothing_opened(world, family):
    bad = sorted(name for (name, engine), result in _results[world, family].items() if engine == "daemon" and opens(result))
    check(not bad, f"we open what must stay shut: {'; '.join(bad[:8])}")


def compare(world, family):
    """A table by oddity, for whoever reads the output."""
    results = _results[world, family]
    counts = collections.defaultdict(collections.Counter)
    for name in {name for name, _ in results}:
        ours, theirs = results[name, "daemon"], results[name, "kernel"]
        row = counts[oddity(ours[0])]
        row["dialogues"] += 1
        honest = any(step.must for step in ours[0].connections)
        row["we only"] += honest and carries(ours) and not carries(theirs)
        row["it only"] += honest and carries(theirs) and not carries(ours)
        row["it opens"] += opens(theirs) and not opens(ours)
        row["we open"] += opens(ours)
    columns = ("dialogues", "we only", "it only", "it opens", "we open")
    print(f"# {world}/ipv{family}".ljust(32) + "".join(f"{column:>11}" for column in columns))
    for kind, row in sorted(counts.items()):
        print(f"# {kind:30}" + "".join(f"{row[column]:11}" for column in columns), flush=True)


def group_of(world, family):
    def group(options, report):
        threads, errors = [], []

        def work(engine):
            try:
                say_all(engine, world, family, options.seeds)
            except Exception as error:  # the group fails by it
                errors.append(error)

        for engine in ENGINES:
            threads.append(threading.Thread(target=work, args=(engine,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        for what in (nothing_lost, all_carried, nothing_opened):
            report.case(f"dialogue/{world}/ipv{family}/{what.__name__.replace('_', '-')}", what, world, family)
        compare(world, family)
    return group


GROUPS = {f"{world}-ipv{family}": group_of(world, family) for world in WORLDS for family in (4, 6)}


def add_arguments(parser):
    parser.add_argument("--seeds", default="1:100", help="FROM:TO, for each world and family")


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS, add_arguments))
