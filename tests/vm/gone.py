# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed amid sessions, and stays away for a while, for one way to attach it and one topology."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import cthelper_stub  # noqa: E402 (found through the path above)
import test_streams  # noqa: E402
from cases import daemon_lab  # noqa: E402
from lab import FTP_PORT, HELPER, MARK, wait_until  # noqa: E402
from rawftp import RawClient, check, next_port  # noqa: E402
from servers import Server  # noqa: E402
from variants import PREFIX  # noqa: E402

MODES = {  # of each topology, what needs help in it, by family
    "masquerade": {4: ("PORT",), 6: ("EPRT",)},
    "dnat": {4: ("PASV",), 6: ("EPSV",)},
    "both": {4: ("PORT", "PASV"), 6: ("EPRT", "EPSV")},
}
ACTIVE = ("PORT", "EPRT")
AWAY = 0.5  # seconds
IDLE = 5  # seconds until the guard has made the helper idle
SETTLED = 5  # seconds until conntrack has been told that an edit is acknowledged


def transfers(session, modes):
    """The text grows and shrinks by turns."""
    for number, mode in enumerate(modes * 2):
        test_streams.fetch_small(session, mode, port=next_port(number), wide=mode in ACTIVE and number % 2 == 0)


def goes_on(session):
    """Where something was said meanwhile a line's beginning is not known, then not whether it is FTP still."""
    for _ in range(3):
        session.command("NOOP", (200,))


def is_settled(lab, family):
    return not lab.conntrack("-L", "-f", f"ipv{family}", "-p", "tcp", "--dport", str(FTP_PORT), "--mark", f"{MARK}/{MARK}")


def kill(lab, family, helper_is_ours):
    """Not amid an edit, whose connection waits for the daemon: that it is over conntrack is told behind the packets that say so."""
    wait_until(lambda: is_settled(lab, family), SETTLED, "the edit to be over")
    lab.daemon_kill9()
    if helper_is_ours:
        wait_until(lambda: not cthelper_stub.is_enabled(HELPER), IDLE, "the helper to be idle")


def passes(lab, family, modes, helper_is_ours):
    """What is queued passes while nobody is there: a session goes on, what was announced before is let in, another session begins."""
    with RawClient(lab, family=family) as session:
        transfers(session, modes)
        listener = session.announce(modes[0], next_port(1)) if modes[0] in ACTIVE else None
        kill(lab, family, helper_is_ours)
        goes_on(session)
        if listener:
            check(session.receive_by(listener, "pub/small") == test_streams.SMALL, "other bytes arrived while the daemon was away")
        with RawClient(lab, family=family) as begun:
            goes_on(begun)
            lab.daemon_start()
            for one in (session, begun):
                goes_on(one)
                transfers(one, modes)


def waits(lab, family, modes, _helper_is_ours):
    """Where the daemon itself adjusts sequence numbers, what is said meanwhile waits for it."""
    with RawClient(lab, family=family) as session:
        transfers(session, modes)
        lab.daemon_kill9()
        session.send(b"NOOP\r\n")
        time.sleep(AWAY)
        lab.daemon_start()
        session.reply((200,))
        transfers(session, modes)


def group_gone(variant, topology):
    how = passes if variant.options.get("seqadj", "kernel") == "kernel" else waits
    helper_is_ours = variant.options.get("mode") == "cthelper"

    def group(options, report):
        variant.prepare()
        with daemon_lab(options, topology, backend="nft", **variant.options) as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            for family, modes in MODES[topology].items():
                report.case(f"{PREFIX}/{variant.name}/{topology}/gone/ipv{family}", how, lab, family, modes, helper_is_ours)
    return group
