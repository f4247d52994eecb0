#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's tests on a stock kernel. tests/vm/test_vm.py runs this in a virtual machine; it does no harm elsewhere.

For every way to attach the daemon (variants.py): two real clients and a real server, in every mode they speak, through
masquerading, DNAT and both at once. Then what only a stock kernel can show (stock.py).
"""

import pathlib
import shutil
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/lab"))

import test_matrix  # noqa: E402 (found through the path above)
from cases import daemon_lab, main  # noqa: E402
from clients import CLIENTS  # noqa: E402
from rawftp import check  # noqa: E402
from servers import Server  # noqa: E402
from stock import group_documented, group_netem, group_zones  # noqa: E402
from variants import PREFIX, VARIANTS, Missing  # noqa: E402

TOPOLOGIES = ("masquerade", "dnat", "both")
SERVER = "vsftpd"
CLIENT_NAMES = ("curl", "ftplib")
test_matrix.SIZE = 1 << 20  # the processor is emulated


def matrix_cases(topology):
    return [test_matrix.Case(topology, "", SERVER, name, mode, family)
            for name in CLIENT_NAMES for family in (4, 6) for mode in CLIENTS[name].modes[family]]


def transfer(lab, server, files, case):
    why, _dialogue = test_matrix.transfer(lab, server, files, case, timeout=20)
    check(not why, why)


def group_matrix(variant, topology):
    def group(options, report):
        prefix = f"{PREFIX}/{variant.name}/{topology}"
        try:
            variant.prepare()
        except Missing as missing:
            return report.skip(prefix, str(missing))
        with tempfile.TemporaryDirectory(prefix="nfqftp-vm-") as directory:
            files = test_matrix.Files(directory)
            with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server(SERVER, lab) as server:
                shutil.copy(files.down, server.pub / "down")
                for case in matrix_cases(topology):
                    report.case(f"{prefix}/{case.client}/{case.mode}/ipv{case.family}", transfer, lab, server, files, case)
    return group


GROUPS = {f"{variant.name}-{topology}": group_matrix(variant, topology)
          for variant in VARIANTS for topology in TOPOLOGIES}
for _variant in VARIANTS:
    if _variant.name.startswith("queue-sane"):
        GROUPS[f"netem-{_variant.name}"] = group_netem(_variant)
    if _variant.name in ("queue-sane", "cthelper"):
        GROUPS[f"zones-{_variant.name}"] = group_zones(_variant)
GROUPS["documented"] = group_documented


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], GROUPS))
