# SPDX-License-Identifier: GPL-2.0-or-later
"""Forged packets (tests/lab/test_forged.py) for one way to attach the daemon and one topology."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import test_forged  # noqa: E402 (found through the path above)
from cases import daemon_lab  # noqa: E402
from servers import Server  # noqa: E402
from variants import PREFIX  # noqa: E402

TOPOLOGIES = ("masquerade", "firewall")


def group_forged(variant, topology):
    def group(options, report):
        variant.prepare()
        with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server("pure-ftpd", lab) as server:
            test_forged.serve(server)
            name = f"{PREFIX}/{variant.name}/{topology}/forged/{{}}"
            test_forged.browser_cases(report, lab, name)
            test_forged.client_cases(report, lab, name)
            test_forged.blind_cases(report, lab, name, families=(4,))
    return group
