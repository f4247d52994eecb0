#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The field, live: two scripted ends say the dialogues of tests/field over real TCP through a router, and try each data connection.

The router admits what is new to port 21 alone. Who dials reads where to from the text that has arrived, where NAT may have changed it. Prints
a line a case, and a table at the end: case, expected, carried. Those with silences of a minute or more are skipped, but for the group
`tape', which takes as long as its longest.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "field"))

import field
from cases import daemon_lab, main
from scripted import Scripted, prepare

LONGEST = 60  # seconds of silence
WORLDS = {
    "10.0.0.2=198.51.100.254": "masquerade", "fd00::2=2001:db8:100:200::c1a0:254": "masquerade",
    "10.0.0.94=203.0.113.94": "dnat", "fd00::94=2001:db8:100:200::94": "dnat",
}
TAPE = 700  # where it is the only one, which takes so long beside all others
TABLE = []


def try_case(lab, case):
    said = Scripted(lab, case)
    try:
        said.run()
    finally:
        TABLE.append((case.name, f"{lab.topology_name}/{lab.seqadj}", case.expected, sum(said.admitted)))


def options_of(case):
    """The topology and the daemon's arguments, or None: not for the lab."""
    words = list(case.options)
    topology = "firewall"
    if "--nat" in words:
        at = words.index("--nat")
        topology = WORLDS.get(words[at + 1])
        del words[at:at + 2]
    return topology and (topology, tuple(words))


def chosen(topology, arguments, tape):
    cases = [case for case in field.own() + field.elsewhere() if options_of(case) == (topology, arguments) and case.steps]
    if tape:
        return [case for case in cases if case.kind == "17" and case.expected and case.silence < TAPE][-1:]
    return [case for case in cases if case.live]


def group_of(topology, arguments=(), seqadj="kernel", tape=False):
    def group(options, report):
        cases = chosen(topology, arguments, tape)
        if not cases:
            report.skip(f"field/{topology}", "there is none")
            return
        with daemon_lab(options, topology, seqadj, daemon_args=list(arguments)) as lab:
            prepare(lab)
            for case in cases:
                name = f"field/{case.name}/{topology}/{seqadj}"
                if case.silence >= LONGEST and not tape:
                    report.skip(name, f"{case.silence:g} s of silence")
                else:
                    report.case(name, try_case, lab, case)
    return group


GROUPS = {
    "plain": group_of("firewall"), "masquerade": group_of("masquerade"),
    "masquerade-self": group_of("masquerade", seqadj="self"),
    "dnat": group_of("dnat"), "dnat-self": group_of("dnat", seqadj="self"),
    "loose": group_of("firewall", ("--loose",)), "loose-network": group_of("firewall", ("--loose", "203.0.113.64/26")),
    "tape": group_of("masquerade", tape=True),
}


def table():
    width = max((len(row[0]) for row in TABLE), default=4)
    print(f"# {'case':{width}}  {'topology':17}  expected  carried")
    for name, topology, expected, carried in sorted(TABLE):
        print(f"# {name:{width}}  {topology:17}  {expected:8}  {carried}")


if __name__ == "__main__":
    if not {"--group", "--help", "-h"} & set(sys.argv):
        sys.argv += [word for name in GROUPS if name != "tape" for word in ("--group", name)]
    status = main(__doc__.split("\n\n")[0], GROUPS)
    table()
    sys.exit(status)
