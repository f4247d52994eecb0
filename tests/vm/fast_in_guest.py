#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain announcements dealt with in the kernel, on a stock kernel, once the module has been built for it with NFQFTP_FAST=1 (kmod/fast.h):

    make kmod KDIR=$(readlink -f $(tests/vm/kernels --headers 6.1)/kdir) NFQFTP_FAST=1
    tests/vm/boot -t 900 6.1 -- tests/vm/fast_in_guest.py

The module is not built so by default, so nothing else runs this. Transfers with nobody on the queue, byte for byte; what is taken back; module
and daemon in turns on one stream; a network that loses packets; how little is queued.
"""

import sys

from kmod_in_guest import PREFIX, BareLab, Counted, complaints, counters, loaded  # first: it makes the lab's own modules known
import cthelper_stub
import test_streams
from cases import daemon_lab, main
from lab import HELPER
from rawftp import Pair, RawClient, bytewise, check
from servers import Server

MODES = {"masquerade": (("PORT", 4), ("EPRT", 4), ("EPRT", 6), ("PASV", 4), ("EPSV", 4), ("EPSV", 6)),
         "dnat": (("PORT", 4), ("PASV", 4), ("EPSV", 4), ("EPSV", 6))}
SCRIPTED = (("PORT", 4), ("EPRT", 4), ("EPRT", 6), ("227", 4), ("229", 4))
TRANSFERS = 10
QUEUED_MAX = 12  # packets of a session: its beginning, as far as the login, and its end
LOSS = 5  # per cent


def said(counted):
    return ", ".join(f"{name} {getattr(counted, name)}" for name in ("queued", "announced", "edited", "again", "declined", "withdrawn"))


def transfers(lab, mode, family):
    counted = Counted()
    with RawClient(lab, family=family) as session:
        for number in range(TRANSFERS):
            test_streams.fetch_small(session, mode, wide=number % 2)
        session.command("QUIT", (221,))
    check(counted.announced >= TRANSFERS, f"the test is none: {said(counted)}")
    check(counted.queued <= QUEUED_MAX, said(counted))
    return said(counted)


def transfer(pair, mode, port, **options):
    pair.announce(mode, port, **options)
    pair.exchange(b"RETR x\r\n", b"150 here\r\n")
    pair.data(mode, port)
    pair.say("server", b"226 done\r\n")


def scripted(lab, mode, family):
    """Longer and shorter texts in turn; every data connection is opened, and shut afterwards."""
    counted = Counted()
    with Pair(lab, family) as pair:
        pair.ready()
        for number in range(6):
            transfer(pair, mode, (20000 if number % 2 else 1111) + number, wide=number % 3 == 2)
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
    check(counted.announced == 6, f"the test is none: {said(counted)}")
    return said(counted)


def taken_back(lab, family):
    counted = Counted()
    mode = "PORT" if family == 4 else "EPRT"
    with Pair(lab, family) as pair:
        pair.ready()
        pair.announce(mode, 5000, reply=b"500 no\r\n")
        check(not pair.admitted("client", 5000), "refused, but admitted")
        pair.announce(mode, 5001)
        check(pair.admitted("client", 5001), "accepted, but not admitted")
        pair.announce(mode, 5002)
        pair.announce(mode, 5003)
        check(not pair.admitted("client", 5002), "replaced, but admitted")
        pair.exchange(b"RETR x\r\n", b"150 here\r\n")
        pair.say("server", b"226 done\r\n")
        check(not pair.admitted("client", 5003), "over, but admitted")
    check(counted.announced == 4, f"the test is none: {said(counted)}")
    return said(counted)


def in_turns(lab, mode, family):
    """Whole lines are the module's, cut ones the daemon's."""
    counted = Counted()
    with Pair(lab, family) as pair:
        pair.ready()
        for number in range(6):
            transfer(pair, mode, (20000 if number % 2 else 1100) + number, wide=number % 3 == 2,
                     cuts=bytewise if number % 3 == 1 else None)
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
    check(0 < counted.announced < 6, f"the test is none: {said(counted)}")
    return said(counted)


def lossy(lab, modes):
    counted = Counted()
    test_streams.set_loss(lab, LOSS)
    try:
        result = test_streams.lossy_sessions(lab, modes)
    finally:
        test_streams.set_loss(lab, 0)
    check(counted.announced and counted.again, f"the test is none: {said(counted)}")
    return f"{result}, {said(counted)}"


def quiet(before):
    check(complaints() == before, f"dmesg: {complaints()[len(before):]}")
    return f"{counters()['packets']} packets"


def group_alone(topology):
    def group(_options, report):
        before = complaints()
        with loaded("fast=1"):
            with BareLab(topology, backend="nft") as lab, Server("vsftpd", lab) as server:
                test_streams.serve_files(server)
                for mode, family in MODES[topology]:
                    report.case(f"{PREFIX}-fast/alone/{topology}/{mode}/ipv{family}", transfers, lab, mode, family)
                for mode, family in SCRIPTED:
                    report.case(f"{PREFIX}-fast/alone/{topology}/scripted/{mode}/ipv{family}", scripted, lab, mode, family)
                for family in (4, 6):
                    report.case(f"{PREFIX}-fast/alone/{topology}/taken-back/ipv{family}", taken_back, lab, family)
            report.case(f"{PREFIX}-fast/alone/{topology}/dmesg", quiet, before)
    return group


def group_daemon(options, report):
    with loaded("fast=1"):
        with daemon_lab(options, "masquerade", mode="kmod", backend="nft") as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            for mode, family in MODES["masquerade"]:
                report.case(f"{PREFIX}-fast/daemon/{mode}/ipv{family}", transfers, lab, mode, family)
            for mode, family in SCRIPTED:
                report.case(f"{PREFIX}-fast/daemon/in-turns/{mode}/ipv{family}", in_turns, lab, mode, family)
            for family in (4, 6):
                report.case(f"{PREFIX}-fast/daemon/taken-back/ipv{family}", taken_back, lab, family)
            report.case(f"{PREFIX}-fast/daemon/lossy", lossy, lab, (("PORT", 4), ("EPRT", 4), ("EPRT", 6)))


GROUPS = {"daemon": group_daemon}
GROUPS.update({f"alone-{topology}": group_alone(topology) for topology in MODES})

if __name__ == "__main__":
    sys.argv += ["--jobs", "1"]  # there is one module
    cthelper_stub.unregister(HELPER)  # its name may be taken
    sys.exit(main(__doc__.split("\n\n", maxsplit=1)[0], GROUPS))
