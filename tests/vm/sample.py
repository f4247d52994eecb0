# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daily run takes of all there is: one kernel, and of groups of cases that differ in one thing only, one.

Which ones a number decides, by default the day's: so all have their turn within eight days, each on each kernel within three weeks, and a
sample can be taken again.
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
        ("zones-queue-sane", "zones-cthelper"),
        ("traces-queue", "traces-cthelper"),
        ("data",),
        ("documented",),
    ),
    "rules": (
        ("traces-nft-queue", "words", "traces-nft-cthelper", "defaults", "traces-iptables-cthelper"),
    ),
    # Half a minute a case in an emulated machine: on the days on which module has its own of check, here is little.
    "check": (
        ("words", "cthelper-nft", "words", "words", "queue-nft", "words"),
    ),
    "module": (
        ("load",),
        ("daemon",),
        ("traces", "check-nft", "check-iptables"),
        through("matrix"),
        ("forged-masquerade", "forged-firewall"),
    ),
}

# Not in the daily run: the lab has the same with iptables, and an emulated machine takes minutes for it.
LEFT_OUT = ("marks",)


def today():
    return int(time.time()) // DAY


def in_turn(number, alternatives):
    return alternatives[number % len(alternatives)]


def kernel(number, kernels):
    """For two days the same, as otherwise of two alternatives each would come on one kernel only."""
    return in_turn(number // 2, kernels)


def groups(number, program):
    """Names of the groups; neighbouring rows are not at the same alternative. None of a program without: it is run whole."""
    return [in_turn(number + place, row) for place, row in enumerate(TURNS.get(program, ()))]
