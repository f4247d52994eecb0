# SPDX-License-Identifier: GPL-2.0-or-later
"""Two real clients and a real server, in every mode they speak, for one way to attach the daemon and one topology."""

import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import test_matrix  # noqa: E402 (found through the path above)
from cases import daemon_lab  # noqa: E402
from clients import CLIENTS  # noqa: E402
from rawftp import check  # noqa: E402
from servers import Server  # noqa: E402
from variants import PREFIX  # noqa: E402

TOPOLOGIES = ("masquerade", "dnat", "both")
SERVER = "vsftpd"
CLIENT_NAMES = ("curl", "ftplib")
TIMEOUT = 20
test_matrix.SIZE = 1 << 20  # the processor is emulated


def matrix_cases(topology):
    return [test_matrix.Case(topology, "", SERVER, name, mode, family)
            for name in CLIENT_NAMES for family in (4, 6) for mode in CLIENTS[name].modes[family]]


def transfer(lab, server, files, case):
    why, _dialogue = test_matrix.transfer(lab, server, files, case, timeout=TIMEOUT)
    check(not why, why)


def group_matrix(variant, topology):
    def group(options, report):
        variant.prepare()
        with tempfile.TemporaryDirectory(prefix="nfqftp-vm-") as directory:
            files = test_matrix.Files(directory)
            with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server(SERVER, lab) as server:
                shutil.copy(files.down, server.pub / "down")
                for case in matrix_cases(topology):
                    report.case(f"{PREFIX}/{variant.name}/{topology}/{case.client}/{case.mode}/ipv{case.family}", transfer,
                                lab, server, files, case)
    return group
