# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways in which the daemon can be attached to a stock kernel, one row each. Rules are nft's, as on such systems."""

import dataclasses
import os
import subprocess

import cthelper_stub
from lab import LabError

PREFIX = "vm/" + ".".join(os.uname().release.split(".")[:2])  # of the names of cases
STUB = "nfq-ftp-stub"
MODULE = os.environ.get("NFQ_FTP_MODULE", "")  # the .ko for this very kernel, built by test_vm.py


class Missing(Exception):
    """Why a variant cannot be tested here."""


def nothing():
    pass


def register_stub():
    cthelper_stub.register(STUB)


def load_module():
    if not os.path.exists(MODULE):
        raise Missing("the kernel module has not been built (make kmod)")
    # By path, so its dependencies are up to us.
    subprocess.run(["modprobe", "-a", "nf_conntrack", "nf_nat", "nfnetlink_queue"], check=True)
    done = subprocess.run(["insmod", MODULE], text=True, capture_output=True)
    if done.returncode and "File exists" not in done.stderr:
        raise LabError(done.stderr.strip())


@dataclasses.dataclass(frozen=True)
class Variant:
    """options are Lab's; prepare is called once before the first lab."""

    name: str
    options: dict
    prepare: callable = nothing


def queued(carrier, seqadj, rule="all"):
    return {"carrier": carrier, "seqadj": seqadj, "queue_rule": rule}


VARIANTS = (
    Variant("queue-sane", queued("sane", "kernel", "payload")),
    Variant("queue-sane-self", queued("sane", "self")),
    Variant("queue-stub", queued(STUB, "auto"), register_stub),
    Variant("cthelper", {"mode": "cthelper"}),
    Variant("kmod", {"mode": "kmod"}, load_module),
)
