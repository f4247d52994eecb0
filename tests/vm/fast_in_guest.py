#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain sessions dealt with in the kernel (kmod/fast.h), on a stock kernel, once the module has been built for it:

    make kmod KDIR=$(scripts/vm kdir 6.1) TOOLCHAIN="tests/vm/toolchain 6.1"
    scripts/vm run -t 900 6.1 -- tests/vm/fast_in_guest.py

That nothing of them is queued, with a daemon, without one, and when it is killed in the middle, byte for byte; what is taken back; module and
daemon in turns on one stream; beginnings that are not plain; a network that loses packets; the module going while an edit is on its way.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

# kmod_in_guest first: it makes the lab's own modules known.
from kmod_in_guest import HOLD, PARAMETERS, PREFIX, RULES, TABLE, BareLab, Counted, Traffic, complaints, counters, load, loaded, unload  # noqa: E402
import cthelper_stub  # noqa: E402
import test_streams  # noqa: E402
from test_crowd import used_elsewhere, used_otherwise  # noqa: E402
from cases import daemon_lab, main  # noqa: E402
from lab import HELPER, PATIENCE, Lab, LabError  # noqa: E402
from rawftp import Pair, RawClient, Wrong, announcement, bytewise, check  # noqa: E402
from servers import Server  # noqa: E402

MODES = {"masquerade": (("PORT", 4), ("EPRT", 4), ("EPRT", 6), ("PASV", 4), ("EPSV", 4), ("EPSV", 6)),
         "dnat": (("PORT", 4), ("PASV", 4), ("EPSV", 4), ("EPSV", 6))}
SCRIPTED = (("PORT", 4), ("EPRT", 4), ("EPRT", 6), ("227", 4), ("229", 4))
TRANSFERS = 20
QUEUED_MAX = 2  # packets of a plain session, from SYN to FIN
LOADS = 50
LOSS = 5  # per cent
COUNTED_AGAIN = 1.1  # seconds: conntrack's expectations are counted anew once a second at least, where somebody wants it


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


def killed(lab, mode, family):
    """Plain transfers do not notice that the daemon goes and comes."""
    counted = Counted()
    with RawClient(lab, family=family) as session:
        for number in range(TRANSFERS):
            if number == TRANSFERS // 3:
                lab.daemon_kill9()
            if number == TRANSFERS * 2 // 3:
                lab.daemon_start()
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


def killed_in_turns(lab, mode, family):
    """A line that the daemon has edited, then it is killed: the module goes on; a new daemon takes up what that has done."""
    counted = Counted()
    with Pair(lab, family) as pair:
        pair.ready()
        transfer(pair, mode, 20000, cuts=bytewise)
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        lab.daemon_kill9()
        for number in range(3):
            transfer(pair, mode, 1111 + number, wide=number == 1)
        lab.daemon_start()
        pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
        transfer(pair, mode, 20001, cuts=bytewise)
        transfer(pair, mode, 1117)
    check(counted.announced >= 3, f"the test is none: {said(counted)}")
    return said(counted)


def begins_oddly(lab, family):
    """What is not plain in a session's beginning: a greeting in pieces, a command in pieces, one that is refused."""
    counted = Counted()
    mode = "PORT" if family == 4 else "EPRT"
    for odd in ("greeting", "user", "password", "answer", "tls"):
        with Pair(lab, family) as pair:
            pair.say("server", b"220-scripted\r\n220 ready\r\n", cuts=(8, 16) if odd == "greeting" else ())
            if odd == "tls":
                pair.exchange(b"AUTH TLS\r\n", b"534 no\r\n")
            pair.say("client", b"USER ftp\r\n", cuts=(3,) if odd == "user" else ())
            pair.say("server", b"331 password\r\n")
            pair.say("client", b"PASS lab\r\n", cuts=(3,) if odd == "password" else ())
            pair.say("server", b"230-welcome\r\n here\r\n230 in\r\n", cuts=(13, 20) if odd == "answer" else ())
            transfer(pair, mode, 1234, cuts=bytewise)
            transfer(pair, mode, 20000)
            transfer(pair, mode, 20001, wide=True, cuts=bytewise)
    return said(counted)


def lossy(lab, modes):
    counted = Counted()
    test_streams.set_loss(lab, LOSS)
    try:
        result = test_streams.lossy_sessions(lab, modes)
    finally:
        test_streams.set_loss(lab, 0)
    check(counted.announced and counted.again, f"the test is none: {said(counted)}")
    check(counted.withdrawn <= counted.announced, f"more is taken back than there was: {said(counted)}")
    return f"{result}, {said(counted)}"


def wait_aside(aside):
    """Until the module leaves all to the daemon, or does not any more."""
    deadline = time.monotonic() + PATIENCE
    while bool(int((PARAMETERS / "aside").read_text())) != aside:
        check(time.monotonic() < deadline, f"aside is {(PARAMETERS / 'aside').read_text().strip()}")
        time.sleep(0.05)


def all_seen(lab, mode, family):
    """A transfer of which the daemon sees everything."""
    wait_aside(True)
    counted = Counted()
    with RawClient(lab, family=family) as session:
        test_streams.fetch_small(session, mode)
    check(not counted.announced and counted.queued > QUEUED_MAX, said(counted))
    return said(counted)


def none_seen(lab, mode, family):
    wait_aside(False)
    counted = Counted()
    with RawClient(lab, family=family) as session:
        test_streams.fetch_small(session, mode)
    check(counted.announced == 1 and counted.queued <= QUEUED_MAX, said(counted))


def verbose(lab, configuration, on):
    configuration.write_text(f"verbose = {1 if on else 0}\n")
    lab.daemon.send_signal(signal.SIGHUP)


def told_of(lab, configuration, mode, family):
    """With -v, by SIGHUP, the daemon sees all; afterwards, and when it is killed, the module goes on as it was."""
    none_seen(lab, mode, family)
    verbose(lab, configuration, True)
    result = all_seen(lab, mode, family)
    check(mode in lab.daemon_log.read_text(errors="replace"), f"its log has no {mode}")
    verbose(lab, configuration, False)
    none_seen(lab, mode, family)
    verbose(lab, configuration, True)
    wait_aside(True)
    lab.daemon_kill9()
    none_seen(lab, mode, family)
    configuration.write_text("")
    lab.daemon_start()
    none_seen(lab, mode, family)
    return result


def followed(lab, mode, family):
    """Who follows sees all; the module stays switched on, and goes on by itself afterwards."""
    none_seen(lab, mode, family)
    follower = lab.popen("router", [str(lab.binary), "follow", "--json", "--state-dir", str(lab.directory / "state")],
                         stdout=subprocess.PIPE, text=True)
    try:
        result = all_seen(lab, mode, family)
        seen = ""
        while '"rewrite"' not in seen:
            seen = follower.stdout.readline()
            check(seen, "it ends without a word of the transfer")
        check(mode in seen, seen)
    finally:
        follower.terminate()
        follower.wait()
    check((PARAMETERS / "fast").read_text().strip() == "Y", "it was switched off")
    none_seen(lab, mode, family)
    return result


def counted_too(lab, mode, family):
    """What the module did by itself is in the daemon's metrics."""
    def asked():
        done = lab.run("router", [str(lab.binary), "metrics", "--state-dir", str(lab.directory / "state")], check=True)
        return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines() if not line.startswith("#") and "{" not in line}

    before = asked()
    none_seen(lab, mode, family)
    gained = {name: number - before[name] for name, number in asked().items() if "_module_" in name}
    for name in ("expectations_made", "rewrites"):
        check(gained[f"nfq_ftp_helper_module_{name}_total"] == 1, f"{gained}")
    check(gained["nfq_ftp_helper_module_packets_total"] >= 10, f"{gained}")
    return f"{gained}"


def listed(lab, family):
    """A plain session is listed, from its greeting to its end, once, and marked; and one that the daemon sees is not."""
    def asked():
        done = lab.run("router", [str(lab.binary), "sessions", "--json", "--state-dir", str(lab.directory / "state")], check=True)
        return [line for line in map(json.loads, done.stdout.splitlines()) if line.get("state") not in (None, "closed")]

    mode = "PORT" if family == 4 else "EPRT"
    wait_aside(False)
    check(not asked(), f"before: {asked()}")
    with Pair(lab, family) as pair:
        pair.say("server", b"220 ready\r\n")
        check([(line["fast"], line["state"], line["logged_in"]) for line in asked()] == [(True, "ready", False)], f"greeted: {asked()}")
        pair.exchange(b"USER ftp\r\n", b"331 password\r\n")
        pair.exchange(b"PASS secret\r\n", b"230 in\r\n")
        transfer(pair, mode, 1111)
        plain = asked()
        check([(line["fast"], line["state"], line["logged_in"], line["seqadj"]) for line in plain] == [(True, "ready", True, "kernel")], f"{plain}")
        check(plain[0]["client"].startswith(("[" if family == 6 else "") + pair.addresses["client"]), f"{plain}")
        check("secret" not in str(plain), "a password")
        transfer(pair, mode, 1112, cuts=bytewise)
        check([line["fast"] for line in asked()] == [False], f"{asked()}")
    return f"{plain[0]['client']} {plain[0]['server']} {plain[0]['shift']}"


def expected_for(lab):
    """Seconds that the one data connection is expected for yet."""
    lines = lab.expectations()
    check(len(lines) == 1, f"{lines}")
    return int(lines[0].split()[0])


def left(lab, family):
    """Seconds that conntrack gives the one control connection that is established."""
    lines = lab.conntrack("-L", "-f", f"ipv{family}", "-p", "tcp", "--dport", "21", "--state", "ESTABLISHED")
    check(len(lines) == 1, f"{lines}")
    return int(lines[0].split()[2])


@contextlib.contextmanager
def told(**parameters):
    before = {name: (PARAMETERS / name).read_text() for name in parameters}
    try:
        for name, value in parameters.items():
            (PARAMETERS / name).write_text(str(value))
        yield
    finally:
        for name, value in before.items():
            (PARAMETERS / name).write_text(value)


def waited_for(lab, family):
    """What is expected of a plain session has the longest time while its transfer is asked for, and no more than the usual else."""
    mode = "PORT" if family == 4 else "EPRT"
    wait_aside(False)
    counted = Counted()
    with Pair(lab, family) as pair:
        pair.ready()
        pair.announce(mode, 21000)
        check(expected_for(lab) <= 300, "longer than usual before its transfer is asked for")
        pair.say("client", b"RETR x\r\n")
        seconds = expected_for(lab)
        check(3300 < seconds <= 3600, f"{seconds} s while it is asked for")
        pair.say("server", b"550 no\r\n")
        check(expected_for(lab) <= 300, "longer than usual when it has been answered")
        pair.exchange(b"RETR y\r\n", b"550 no\r\n")
        check(expected_for(lab) <= 300, "longer than usual for another")
    with told(timeout=4, longest=60), Pair(lab, family) as pair:
        pair.ready()
        pair.announce(mode, 21001)
        time.sleep(6)
        check(not pair.admitted("client", 21001), "admitted when its time is over")
        pair.announce(mode, 21002)
        pair.say("client", b"RETR x\r\n")
        time.sleep(8)
        check(pair.admitted("client", 21002), "not admitted any more, though its transfer is asked for")
        pair.say("server", b"226 done\r\n")
    check(counted.announced == 3 and counted.queued <= QUEUED_MAX, said(counted))
    return f"{seconds} s, {said(counted)}"


def kept(lab, family):
    """A silent plain session is kept while a transfer is asked for, or goes on; its established time is a minute."""
    sysctl = "net.netfilter.nf_conntrack_tcp_timeout_established"
    mode = "PORT" if family == 4 else "EPRT"
    wait_aside(False)
    counted = Counted()
    before = lab.run("router", ["sysctl", "-n", sysctl], check=True).stdout.strip()
    lab.run("router", ["sysctl", "-w", f"{sysctl}=60"], check=True)
    try:
        with Pair(lab, family) as pair:
            pair.ready()
            pair.announce(mode, 21003)
            check(left(lab, family) <= 60, "kept without a transfer")
            pair.say("client", b"RETR x\r\n")
            asked = left(lab, family)
            check(3500 < asked <= 3600, f"{asked} s while it is asked for")
            pair.say("server", b"150 here\r\n")
            goes_on = left(lab, family)
            check(86000 < goes_on <= 86400, f"{goes_on} s while it goes on")
            pair.data(mode, 21003)
            pair.say("server", b"226 done\r\n")
            pair.exchange(b"NOOP\r\n", b"200 ok\r\n")
            check(left(lab, family) <= 60, "kept when the transfer is over")
    finally:
        lab.run("router", ["sysctl", "-w", f"{sysctl}={before}"], check=True)
    check(counted.announced == 1 and counted.queued <= QUEUED_MAX, said(counted))
    return f"{asked} s, {goes_on} s, {said(counted)}"


def shared(lab, family):
    """Of what may be expected at a time the module gives a client half, while nobody else has any; the next one is the daemon's affair, and is
    expected all the same. What has gone by then does not count."""
    mode = "PORT" if family == 4 else "EPRT"
    wait_aside(False)
    time.sleep(COUNTED_AGAIN)
    counted = Counted()
    with told(most=8), contextlib.ExitStack() as stack:
        for number in range(5):
            pair = stack.enter_context(Pair(lab, family))
            pair.ready()
            pair.announce(mode, 22000 + number)
        check((counted.announced, counted.declined) == (4, 1), said(counted))
        check(len(lab.expectations()) == 5, f"{lab.expectations()}")
        elsewhere(family, counted)
    with told(most=8), Pair(lab, family) as pair:
        pair.ready()
        for number in range(8):
            time.sleep(COUNTED_AGAIN)
            transfer(pair, mode, 22010 + number)
    check((counted.announced, counted.declined) == (16, 1), said(counted))
    return said(counted)


def elsewhere(family, counted):
    """In another network namespace there is as much to have, also for a client of the same address."""
    before = counted.declined
    with BareLab("masquerade", backend="nft") as other, contextlib.ExitStack() as stack:
        for number in range(4):
            pair = stack.enter_context(Pair(other, family))
            pair.ready()
            pair.announce("PORT" if family == 4 else "EPRT", 22000 + number)
        check(len(other.expectations()) == 4, f"in another namespace: {other.expectations()}")
    check(counted.declined == before, f"not the module's in another namespace: {said(counted)}")


def refuses(lab, port):
    with Pair(lab, 4) as pair:
        pair.ready()
        pair.exchange(announcement("PORT", pair.addresses["client"], port), b"200 ok\r\n")  # as it is
        check(not pair.admitted("client", port), "a port below the lowest is open")


def policy_by_signal(lab, configuration):
    """A port that is refused from now on is not opened by the module either. Half of what the kernel allows is the module's."""
    minimum = int((PARAMETERS / "min_port").read_text())
    allowed = int(pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_expect_max").read_text())
    check(int((PARAMETERS / "most").read_text()) == allowed // 2, f"{(PARAMETERS / 'most').read_text()} of {allowed}")
    try:
        configuration.write_text("min-port = 30000\n")
        lab.daemon.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while (PARAMETERS / "min_port").read_text().strip() != "30000":
            check(time.monotonic() < deadline, "the module has not been told")
            time.sleep(0.05)
        while True:  # the daemon's workers know of it somewhat later
            try:
                refuses(lab, 20000)
                break
            except Wrong:
                if time.monotonic() > deadline:
                    raise
    finally:
        configuration.write_text(f"min-port = {minimum}\n")
        lab.daemon.send_signal(signal.SIGHUP)
    return "30000"


def quiet(before):
    check(complaints() == before, f"dmesg: {complaints()[len(before):]}")
    return f"{counters()['packets']} packets"


def block(lab, option, port):
    """What the server says to this port of the client's, which address translation leaves as it is; the traffic beside hears on."""
    lab.run("router", ["iptables", "-t", "raw", option, "PREROUTING", "-p", "tcp", "--sport", "21", "--dport", str(port), "-j", "DROP"],
            check=True)


def leave_in_flight(lab, session, wide):
    """An announcement that is edited, and of whose arrival nothing is heard."""
    counted, deadline = Counted(), time.monotonic() + PATIENCE
    block(lab, "-I", session.sock.getsockname()[1])
    session.send(announcement("PORT", session.address, 40001, wide))
    while not counted.edited and time.monotonic() < deadline:
        time.sleep(0.01)
    check(counted.edited, f"the test is none: {said(counted)}")


@contextlib.contextmanager
def step(name):
    """Says where it was that something failed."""
    start = time.monotonic()
    try:
        yield
    except (Wrong, LabError, OSError) as error:
        raise Wrong(f"{name}, {time.monotonic() - start:.1f} s: {error or type(error).__name__}") from error


def come_and_go(lab, wide):
    """What has been edited comes again as it was, once the module has gone. Where the text had grown, its receiver has all of that; where it had
    become shorter, the receiver would get a piece of it, as from the kernel's own helper."""
    with step("load"):
        load()
        lab.run("router", ["nft", "-f", "-"], input=RULES, check=True)
    with step("connect"):
        session = RawClient(lab)
    with session:
        with step("transfer"):
            test_streams.fetch_small(session, "PORT")
        with step("leave in flight"):
            leave_in_flight(lab, session, wide)
        with step("unload"):
            lab.run("router", ["nft", f"delete table {TABLE}"], check=True)
            unload()
        block(lab, "-D", session.sock.getsockname()[1])
        if not wide:
            with step("go on"):
                session.reply((200,))
                session.command("NOOP", (200,))


def comes_and_goes(lab):
    """The module goes while an edit of its own is on its way, amid other traffic."""
    before = complaints()
    threads = [Traffic(lab) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(LOADS):
            print(f"# load {number} at {time.monotonic():.0f} s", file=sys.stderr, flush=True)
            with step(f"load {number}"):
                come_and_go(lab, number % 2)
    finally:
        for thread in threads:
            thread.over.set()
        for thread in threads:
            thread.join()
    errors = [str(thread.error) for thread in threads if thread.error]
    check(not errors, f"traffic: {errors}")
    check(complaints() == before, f"dmesg: {complaints()[len(before):]}")
    return f"{LOADS} times with an edit on its way, {sum(thread.commands for thread in threads)} commands beside"


def group_load(_options, report):
    with Lab("masquerade", backend="nft") as lab, Server("vsftpd", lab) as server:
        test_streams.serve_files(server)
        lab.run("router", ["nft", "-f", "-"], input=HOLD.replace("flush ruleset\n", ""), check=True)
        report.case(f"{PREFIX}-fast/comes-and-goes", comes_and_goes, lab)


def group_alone(topology):
    def group(_options, report):
        before = complaints()
        with loaded():
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
    with loaded():
        with daemon_lab(options, "masquerade", mode="kmod", backend="nft") as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            for mode, family in MODES["masquerade"]:
                report.case(f"{PREFIX}-fast/daemon/{mode}/ipv{family}", transfers, lab, mode, family)
            for mode, family in SCRIPTED:
                report.case(f"{PREFIX}-fast/daemon/in-turns/{mode}/ipv{family}", in_turns, lab, mode, family)
            for family in (4, 6):
                report.case(f"{PREFIX}-fast/daemon/taken-back/ipv{family}", taken_back, lab, family)
                report.case(f"{PREFIX}-fast/daemon/begins-oddly/ipv{family}", begins_oddly, lab, family)
                report.case(f"{PREFIX}-fast/daemon/used-elsewhere/ipv{family}", used_elsewhere, lab, family)
                report.case(f"{PREFIX}-fast/daemon/used-otherwise/ipv{family}", used_otherwise, lab, family)
            for mode, family in MODES["masquerade"]:
                report.case(f"{PREFIX}-fast/daemon/killed/{mode}/ipv{family}", killed, lab, mode, family)
            for mode, family in SCRIPTED:
                report.case(f"{PREFIX}-fast/daemon/killed-in-turns/{mode}/ipv{family}", killed_in_turns, lab, mode, family)
            report.case(f"{PREFIX}-fast/daemon/lossy", lossy, lab, (("PORT", 4), ("EPRT", 4), ("EPRT", 6)))


def group_seen(options, report):
    """What becomes of the module's share while somebody wants to see everything."""
    with loaded(), tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # it is read again by the daemon's user
        configuration = pathlib.Path(folder) / "nfq-ftp-helper.conf"
        configuration.write_text("")
        with daemon_lab(options, "masquerade", mode="kmod", backend="nft", daemon_args=["-c", str(configuration)]) as lab, \
                Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            for mode, family in (("PORT", 4), ("EPRT", 6)):
                report.case(f"{PREFIX}-fast/seen/verbose/{mode}/ipv{family}", told_of, lab, configuration, mode, family)
                report.case(f"{PREFIX}-fast/seen/follow/{mode}/ipv{family}", followed, lab, mode, family)
            for family in (4, 6):
                report.case(f"{PREFIX}-fast/seen/sessions/ipv{family}", listed, lab, family)
                report.case(f"{PREFIX}-fast/seen/waited-for/ipv{family}", waited_for, lab, family)
                report.case(f"{PREFIX}-fast/seen/kept/ipv{family}", kept, lab, family)
                report.case(f"{PREFIX}-fast/seen/shared/ipv{family}", shared, lab, family)
            report.case(f"{PREFIX}-fast/seen/metrics", counted_too, lab, "PORT", 4)
            report.case(f"{PREFIX}-fast/seen/policy", policy_by_signal, lab, configuration)


GROUPS = {"daemon": group_daemon, "seen": group_seen}
GROUPS.update({f"alone-{topology}": group_alone(topology) for topology in MODES})
GROUPS["load"] = group_load

if __name__ == "__main__":
    sys.argv += ["--jobs", "1"]  # there is one module
    cthelper_stub.unregister(HELPER)  # its name may be taken
    sys.exit(main(__doc__.split("\n\n", maxsplit=1)[0], GROUPS))
