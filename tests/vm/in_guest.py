#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's tests on a stock kernel. tests/vm/test_vm.py runs this in a virtual machine; it does no harm elsewhere.

For every way to attach the daemon without its kernel module (variants.py): the matrix (matrix.py), through masquerading, DNAT
and both at once; forged packets (forged.py); and flow tables (flowtable.py). Then what only a stock kernel can show (stock.py), and what README tells
people to do (stranger.py).
"""

import sys

from matrix import TOPOLOGIES, group_matrix  # first: it makes the lab's own modules known
from cases import main
from flowtable import group_flowtable, group_flowtable_alone
from forged import TOPOLOGIES as FORGED_TOPOLOGIES, group_forged
from stock import group_data, group_netem, group_zones
from stranger import group_documented, group_traces
from variants import USER_SPACE

BAD_NETWORK = ("queue-sane", "queue-sane-self")
ZONES = ("queue-sane", "cthelper")


def all_groups():
    """The bad network first: it mostly waits, so that others run beside it."""
    groups = {f"netem-{variant.name}": group_netem(variant) for variant in USER_SPACE if variant.name in BAD_NETWORK}
    groups.update({f"{variant.name}-{topology}": group_matrix(variant, topology)
                   for variant in USER_SPACE for topology in TOPOLOGIES})
    groups.update({f"forged-{variant.name}-{topology}": group_forged(variant, topology)
                   for variant in USER_SPACE for topology in FORGED_TOPOLOGIES})
    groups.update({f"flowtable-{variant.name}": group_flowtable(variant) for variant in USER_SPACE})
    groups["flowtable-alone"] = group_flowtable_alone
    groups.update({f"zones-{variant.name}": group_zones(variant) for variant in USER_SPACE if variant.name in ZONES})
    groups.update({f"traces-{mode}": group_traces(mode) for mode in ("queue", "cthelper")})
    groups["data"] = group_data
    groups["documented"] = group_documented
    return groups


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], all_groups()))
