#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mode kmod on a stock kernel, as in_guest.py has the others: tests/vm/boot 6.1 -- tests/vm/mode_kmod_in_guest.py, after make kmod KDIR=...

The matrix, a daemon that is away or killed, forged packets, flow tables, what people leave behind, and what check finds. Processors
at once have nothing to do with any of it: the module on two is kmod_in_guest.py's and fast_in_guest.py's.
"""

import sys

from kmod_in_guest import loaded  # first: it makes the lab's own modules known
import cthelper_stub
from cases import main
from flowtable import group_flowtable
from forged import TOPOLOGIES as FORGED_TOPOLOGIES, group_forged
from gone import group_gone
from lab import HELPER
from matrix import TOPOLOGIES, group_matrix
from stranger import group_traces
from test_check import group_broken
from test_rules import BACKENDS
from variants import MODULE


def with_module(group):
    def loaded_group(options, report):
        with loaded():
            group(options, report)
    return loaded_group


GROUPS = {"traces": with_module(group_traces("kmod"))}
GROUPS.update({f"check-{backend}": with_module(group_broken("kmod", backend)) for backend in BACKENDS})
GROUPS.update({f"matrix-{topology}": with_module(group_matrix(MODULE, topology)) for topology in TOPOLOGIES})
GROUPS["flowtable"] = with_module(group_flowtable(MODULE))
GROUPS.update({f"gone-{topology}": with_module(group_gone(MODULE, topology)) for topology in TOPOLOGIES})
GROUPS.update({f"forged-{topology}": with_module(group_forged(MODULE, topology)) for topology in FORGED_TOPOLOGIES})


if __name__ == "__main__":
    sys.argv += ["--jobs", "1"]  # there is one module
    cthelper_stub.unregister(HELPER)  # its name may be taken
    sys.exit(main(__doc__.split("\n\n", maxsplit=1)[0], GROUPS))
