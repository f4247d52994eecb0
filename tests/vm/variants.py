# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways in which the daemon can be attached to a stock kernel, one row each. Rules are nft's, as on such systems."""

import dataclasses
import os

import cthelper_stub

PREFIX = "vm/" + ".".join(os.uname().release.split(".")[:2])  # of the names of cases
STUB = "nfq-ftp-stub"


def nothing():
    pass


def register_stub():
    cthelper_stub.register(STUB)


@dataclasses.dataclass(frozen=True)
class Variant:
    """options are Lab's; prepare is called before a lab is made."""

    name: str
    options: dict
    prepare: callable = nothing


def queued(carrier, seqadj, rule="all"):
    return {"carrier": carrier, "seqadj": seqadj, "queue_rule": rule}


USER_SPACE = (
    Variant("queue-sane", queued("sane", "kernel", "payload")),
    Variant("queue-sane-self", queued("sane", "self")),
    Variant("queue-stub", queued(STUB, "auto", "established"), register_stub),
    Variant("cthelper", {"mode": "cthelper"}),
)
MODULE = Variant("kmod", {"mode": "kmod"})  # the module has to be loaded, see mode_kmod_in_guest.py
