# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daily run takes of all there is: the oldest kernel and the newest, and of groups of cases that differ in one thing only, one,
on one of the two.

Which ones a number decides, by default the day's. Of N alternatives each has been on each kernel after 2N days (N where there is but one
kernel), and a sample can be taken again.
"""

import time

DAY = 86400  # seconds
TOPOLOGIES = ("masquerade", "dnat", "both")


def through(name):
    return tuple(f"{name}-{topology}" for topology in TOPOLOGIES)


# Program of test_vm.py -> groups of it; of each row one.
TURNS = {
    "daemon": (
        ("netem-queue-sane", "netem-queue-sane-self"),
        through("queue-sane"),
        through("queue-sane-self"),
        through("queue-stub"),
        through("cthelper"),
        tuple(f"forged-{variant}-{topology}" for variant in ("cthelper", "queue-sane", "queue-stub", "queue-sane-self")
              for topology in ("masquerade", "firewall")),
        ("flowtable-queue-sane", "flowtable-queue-sane-self", "flowtable-queue-stub", "flowtable-cthelper", "flowtable-alone"),
        ("zones-queue-sane", "zones-cthelper"),
        ("traces-queue", "traces-cthelper"),
        ("data",),
        ("documented",),
    ),
    "rules": (
        ("traces-nft-queue", "words", "traces-nft-cthelper", "defaults", "traces-iptables-cthelper"),
    ),
    # Half a minute a case in an emulated machine: on the days on which kmod has its own of check, here is little.
    "check": (
        ("words", "cthelper-nft", "words", "words", "queue-nft", "words"),
    ),
    "kmod": (
        ("traces", "check-nft", "check-iptables"),
        ("flowtable",),
        through("matrix"),
        through("gone"),
        ("forged-masquerade", "forged-firewall"),
    ),
    "module": (
        ("load",),
        ("daemon",),
    ),
    "fast": (
        ("daemon", "alone-masquerade", "seen", "load", "alone-dnat"),
    ),
    "guard": (
        ("guard",),
        tuple(f"gone-{variant}-{topology}" for variant in ("queue-sane", "queue-sane-self", "queue-stub", "cthelper") for topology in TOPOLOGIES),
    ),
}

# Not in the daily run: the lab has the same with iptables, and an emulated machine takes minutes for it.
LEFT_OUT = ("marks",)


def today():
    return int(time.time()) // DAY


def kernels(known):
    return [known[0], known[-1]]


def in_turn(number, alternatives, kernels):
    """(Alternative, kernel): all pairs, one after the other."""
    rounds, place = divmod(number, len(alternatives))
    return alternatives[place], kernels[rounds % len(kernels)]


def groups(number, program, kernel, kernels):
    """Names of a program's groups that are run on this kernel, when these share them. Neighbouring rows are not at the same alternative, nor,
    where they have but one, on the same kernel."""
    if not kernels:
        return []
    turns = (in_turn(number + place, row, kernels) for place, row in enumerate(TURNS[program]))
    return [group for group, where in turns if where == kernel]
