#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules that go while the daemon runs: that is noticed and said once, ours are put back, and no session is lost by it.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one
failed.
"""

import concurrent.futures
import contextlib
import json
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

from cases import main
from lab import DAEMON_USER, PATIENCE, Lab, LabError, NftRules, wait_until
from rawftp import RawClient, Wrong, check
from servers import Server
from test_isolation import Daemon
from test_rules import BINARY, Namespace

AT_MOST = max(2, 0.4 * PATIENCE)  # seconds until rules are back
QUIET = 1.25 * AT_MOST  # in which nothing more is to be said
GONE, BACK, PUT_BACK = "event=rules-gone", "event=rules-back", "result=put-back"
CONTENT = b"watched" * 5000
MODES = ("PORT", "PASV", "EPRT", "EPSV")
SESSIONS = 50
HANDS = 8  # that work on the sessions
BUSY = 10  # sessions that go on while rules go


def has_nft_queue():
    with Namespace() as namespace:
        return namespace.run("nft", "-f", "-", input="table ip t {\nchain c {\nqueue num 0\n}\n}\n", status=None).returncode == 0


def has_legacy():
    with Namespace() as namespace:
        return namespace.run("sh", "-c", "iptables-legacy -t mangle -S && ip6tables-legacy -t mangle -S", status=None).returncode == 0


def backend():
    return "nft" if has_nft_queue() else "iptables"


# ---------------------------------------------------------------------------------------------------------------------
# A daemon without traffic

class Watched:
    """A daemon in a namespace, whose rules a test takes away."""

    def __init__(self, namespace, daemon):
        self.namespace, self.daemon = namespace, daemon

    def lines(self, text):
        return [line for line in self.daemon.said().splitlines() if text in line]

    def asked(self, what):
        done = self.namespace.run(BINARY, what, "--json", "--state-dir", str(self.daemon.state))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def state(self):
        return self.asked("status")[0]["rules_found"]

    def gauge(self):
        return next(line["samples"][0]["value"] for line in self.asked("metrics") if line.get("name") == "rules_in_place")

    def in_place(self):
        wait_until(lambda: self.state()["state"] == "in-place", 5, "the daemon to see its rules")

    def waits_for(self, text, count, seconds=3 * AT_MOST):
        wait_until(lambda: len(self.lines(text)) >= count, seconds, f"{count} lines with `{text}'; it said: {self.daemon.said()}")

    def says_no_more(self, before):
        time.sleep(QUIET)
        check(self.daemon.said() == before, f"it said more: {self.daemon.said()[len(before):]}")

    def apply(self, *arguments):
        self.namespace.rules("--apply", "--mode", "queue", "--queue", "0", *arguments)


@contextlib.contextmanager
def watched(*arguments):
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-watched-") as directory, Namespace() as namespace:
        pathlib.Path(directory).chmod(0o711)
        with Daemon(namespace, directory, "--queue", "0", "--user", DAEMON_USER, *arguments) as daemon:
            one = Watched(namespace, daemon)
            yield one
            daemon.stop()


def until_there(one, wanted, script):
    """Seconds until the ruleset is as it was after a script has changed it."""
    one.namespace.sh(script)
    start = time.monotonic()
    check(one.namespace.ruleset() != wanted, f"`{script}' has changed nothing")
    wait_until(lambda: one.namespace.ruleset() == wanted, 3 * AT_MOST, f"the rules to be back after `{script}'")
    return time.monotonic() - start


def ours_are_put_back(which):
    with watched("--rules", "yes", "--backend", which) as one:
        one.in_place()
        wanted, took = one.namespace.ruleset(), []
        scripts = ["nft flush ruleset"] if which == "nft" else ["nft flush ruleset", "iptables -t mangle -F FORWARD"]
        for number, script in enumerate(scripts, 1):
            took.append(until_there(one, wanted, script))
            check(took[-1] <= AT_MOST, f"the rules were back after {took[-1]:.1f} s")
            one.waits_for(PUT_BACK, number)
            one.in_place()
            one.says_no_more(one.daemon.said())
            check(len(one.lines("event=rules")) == number, f"it said more than one line: {one.lines('event=rules')}")
        check(one.state()["put_back"] == len(scripts) and one.gauge() == 1, f"status says {one.state()}")
        return "after " + " and ".join(f"{seconds:.2f} s" for seconds in took)


def gone_before_they_are_seen():
    """A firewall that is loaded at boot takes them away right after the daemon has put them in place."""
    for _ in range(3):
        with watched("--rules", "yes", "--backend", "iptables") as one:
            one.namespace.sh("nft flush ruleset")
            one.waits_for(PUT_BACK, 1)
            one.in_place()
            check(one.state()["put_back"] == 1 and "queue" in one.namespace.ruleset().lower(), f"status says {one.state()}")


def others_are_told():
    """Once, with the remedy; that they are back; and once more when they go again."""
    which, here = backend(), ("--port", "21,2121", "--mark", "0x10000000/0x30000000", "--interface", "lo:,:lo")
    with watched("--mode", "queue", "--backend", which, *here) as one:
        check(one.state()["state"] == "never-seen" and one.gauge() == 0, f"status says {one.state()}")
        one.apply("--backend", which, *here)
        one.in_place()
        wanted = one.namespace.ruleset()
        check(one.gauge() == 1 and not one.lines("event=rules"), f"it says {one.daemon.said()}")
        one.namespace.sh("nft flush ruleset")
        one.waits_for(GONE, 1)
        check("rules --apply" in one.lines(GONE)[0] and "queue at input, forward, postrouting" in one.lines(GONE)[0],
              f"it says {one.lines(GONE)}")
        check(one.state()["state"] == "gone" and one.gauge() == 0, f"status says {one.state()}")
        one.namespace.sh("nft add table inet other; nft flush ruleset")
        one.says_no_more(one.daemon.said())
        remedy = re.search(r"advice=.`nfq-ftp-helper (.*?)'", one.lines(GONE)[0])
        one.namespace.run(BINARY, *remedy.group(1).split())
        check(one.namespace.ruleset() == wanted, f"`{remedy.group(1)}' makes other rules: {one.namespace.ruleset()}")
        one.waits_for(BACK, 1)
        one.in_place()
        one.namespace.sh("nft flush ruleset")
        one.waits_for(GONE, 2)
        check(one.state()["gone"] == 2 and one.state()["put_back"] == 0, f"status says {one.state()}")


def others_reload():
    """Away for less than a second: one line, and no warning; in one step: none."""
    with watched() as one:
        one.apply("--backend", "iptables")
        one.in_place()
        file = f"{one.daemon.state}.saved"
        one.namespace.sh(f"iptables-save >{file}; iptables -t mangle -F; iptables -t raw -F; sleep 0.3; iptables-restore <{file}")
        one.waits_for(BACK, 1)
        check(not one.lines(GONE) and "missing=" in one.lines(BACK)[0], f"it says {one.daemon.said()}")
        said = one.daemon.said()
        one.namespace.sh(f"iptables-restore <{file}; rm {file}")
        one.says_no_more(said)


def what_is_no_rule_of_ours():
    """Sets that change all the time, tables of others, rules of others."""
    with watched("--rules", "yes", "--backend", backend()) as one:
        one.in_place()
        said = one.daemon.said()
        one.namespace.run("nft", "-f", "-", input="table inet other {\nset s { type ipv4_addr; }\nchain c { type filter hook input priority 0; }\n}\n")
        for number in range(40):
            one.namespace.run("nft", "-f", "-", input=f"add element inet other s {{ 10.0.0.{number} }}\n"
                              f"add rule inet other c tcp dport {number + 1} accept\n")
        one.namespace.sh("nft flush chain inet other c; nft delete table inet other")
        one.says_no_more(said)


def what_is_there_is_meant():
    """SIGHUP, where the rules are somebody's who wants fewer of them."""
    with watched() as one:
        one.apply("--backend", "iptables")
        one.in_place()
        one.namespace.sh("iptables -t mangle -F INPUT; ip6tables -t mangle -F INPUT")
        one.waits_for(GONE, 1)
        one.daemon.process.send_signal(signal.SIGHUP)
        one.in_place()
        one.namespace.sh("iptables -t mangle -F FORWARD")
        one.waits_for(GONE, 2)
        check("input" not in one.lines(GONE)[1] and "forward (IPv4)" in one.lines(GONE)[1], f"it says {one.lines(GONE)[1]}")


def legacy_by_a_clock():
    with watched() as one:
        for program in ("iptables-legacy", "ip6tables-legacy"):
            one.namespace.sh(f"""{program} -t mangle -N follow; {program} -t mangle -A follow -p tcp -j NFQUEUE --queue-num 0 --queue-bypass
                             {program} -t mangle -A FORWARD -p tcp --dport 21 -j follow
                             {program} -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper sane""")
        one.in_place()
        one.namespace.sh("iptables-legacy -t mangle -F FORWARD")
        one.waits_for(GONE, 1)
        check("queue at forward (IPv4)\"" in one.lines(GONE)[0], f"it says {one.lines(GONE)}")
        one.namespace.sh("iptables-legacy -t mangle -A FORWARD -p tcp --dport 21 -j follow")
        one.waits_for(BACK, 1)
        one.namespace.sh("ip6tables-legacy -t raw -F")
        one.waits_for(GONE, 2)
        check("helper at prerouting (IPv6)\"" in one.lines(GONE)[1], f"it says {one.lines(GONE)}")


def large_rulesets():
    """5,000 rules of others, which change: it takes a tenth of a processor at most, and sees its own go all the same."""
    with watched() as one:
        one.apply("--backend", "iptables")
        rules = "".join(f"tcp dport {1 + number % 60000} ip saddr 10.{number // 250 % 250}.{number % 250}.0/24 accept\n" for number in range(5000))
        one.namespace.run("nft", "-f", "-", input=f"table inet other {{\nchain c {{ type filter hook input priority 0; }}\nchain d {{\n{rules}}}\n}}\n")
        one.in_place()
        children = pathlib.Path(f"/proc/{one.daemon.process.pid}/task/{one.daemon.process.pid}/children").read_text().split()
        watcher = next(pid for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "nfq-ftp-watch")

        def ticks():
            return sum(int(number) for number in pathlib.Path(f"/proc/{watcher}/stat").read_text().rsplit(") ", 1)[1].split()[11:13])

        before, start = ticks(), time.monotonic()
        while time.monotonic() - start < 5:
            one.namespace.sh("nft add rule inet other c tcp dport 1 accept")
        share = (ticks() - before) / 100 / (time.monotonic() - start)
        check(share <= 0.15, f"it took {share:.2f} of a processor")
        one.namespace.sh("iptables -t mangle -F; ip6tables -t mangle -F")
        one.waits_for(GONE, 1, 10)
        return f"{share:.3f} of a processor"


def alone(_options, report):
    report.case("watched/put-back/iptables", ours_are_put_back, "iptables")
    if has_nft_queue():
        report.case("watched/put-back/nft", ours_are_put_back, "nft")
    else:
        report.skip("watched/put-back/nft", "this kernel's nft has no queue statement")
    report.case("watched/gone-at-once", gone_before_they_are_seen)
    report.case("watched/told", others_are_told)
    report.case("watched/reload", others_reload)
    report.case("watched/not-ours", what_is_no_rule_of_ours)
    report.case("watched/meant", what_is_there_is_meant)
    report.case("watched/large", large_rulesets)
    if has_legacy():
        report.case("watched/legacy", legacy_by_a_clock)
    else:
        report.skip("watched/legacy", "there is no iptables-legacy here, or the kernel has none")


# ---------------------------------------------------------------------------------------------------------------------
# Sessions while rules go

class Router:
    """A lab whose daemon keeps its rules, beside the lab's own, of NAT and filter, which whoever reloads puts back in the same step."""

    def __init__(self, seqadj):
        self.lab = Lab("masquerade", backend="nft", seqadj=seqadj).up()
        self.own = NftRules(self.lab).text()
        self.lab.engine = "daemon"
        self.lab.daemon_args += ["--rules", "yes", "--backend", backend(), "--verbose"]
        self.lab.daemon_start()
        self.wanted = self.ruleset()

    def ruleset(self):
        """Lines of rules, without what they have counted; tables and chains may stand in another order."""
        text = self.lab.run("router", ["nft", "list", "ruleset"], check=True).stdout
        return sorted(re.sub(r"counter packets \d+ bytes \d+", "counter", text).splitlines())

    def flush(self):
        """Seconds until the rules are back."""
        self.lab.run("router", ["nft", "-f", "-"], input="flush ruleset\n" + self.own, check=True)
        start = time.monotonic()
        check(self.ruleset() != self.wanted, "a flush has changed nothing")
        wait_until(lambda: self.ruleset() == self.wanted, 3 * AT_MOST, "the rules to be back")
        return time.monotonic() - start

    def said(self, text):
        return [line for line in self.lab.daemon_log.read_text(errors="replace").splitlines() if text in line]


def goes_on(session, stop):
    """Transfers until it is told to stop: while there are no rules the server may refuse one, or the firewall, and the session goes on."""
    done = failed = 0
    while not stop.is_set():
        reply = session.command("NOOP", (200,))
        check(reply.code == 200, "NOOP fails")
        try:
            check(session.fetch(MODES[done % len(MODES)], "pub/file") == CONTENT, "other bytes arrived")
            done += 1
        except TimeoutError:  # what was announced unseen is not admitted
            failed += 1
        except Wrong as error:
            if "closed" in str(error):
                raise
            failed += 1
    return done, failed


def every_mode(session):
    for mode in MODES:
        check(session.fetch(mode, "pub/file") == CONTENT, f"{mode}: other bytes arrived")


def every_mode_again(session):
    """As after a restart: bytes may have passed unseen, and it takes an exchange that shows where both are, and one behind it."""
    for _ in range(2):
        session.command("NOOP", (200,))
    every_mode(session)


def none_is_lost(router, busy):
    stop = threading.Event()
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(HANDS + BUSY) as pool:
        sessions = [stack.enter_context(RawClient(router.lab)) for _ in range(SESSIONS)]
        list(pool.map(every_mode, sessions))
        going = [pool.submit(goes_on, session, stop) for session in sessions[:busy]]
        try:
            time.sleep(0.5 if busy else 0)
            took = router.flush()
        finally:
            stop.set()
        transfers = [one.result() for one in going]
        check(took <= AT_MOST, f"the rules were back after {took:.1f} s")
        list(pool.map(every_mode_again, sessions))
        with RawClient(router.lab) as new:
            every_mode(new)
        lines = router.said("event=rules")
        check(len(lines) == 1 and PUT_BACK in lines[0], f"not one line is said, but {lines}")
        done, failed = (sum(counts) for counts in zip(*transfers)) if transfers else (0, 0)
        return f"{SESSIONS} sessions, rules back after {took:.2f} s; {done} transfers meanwhile, {failed} refused"


def begun_meanwhile(router):
    """A session that began while there were no rules is followed. Conntrack takes no helper for a connection that is there already, and no expectation
    without one: that is said, with what it comes from, and the session goes on."""
    router.lab.daemon.send_signal(signal.SIGSTOP)  # it puts nothing back for a while
    try:
        router.lab.run("router", ["nft", "-f", "-"], input="flush ruleset\n" + router.own, check=True)
        session = RawClient(router.lab)
    finally:
        router.lab.daemon.send_signal(signal.SIGCONT)
    with session:
        wait_until(lambda: router.ruleset() == router.wanted, 3 * AT_MOST, "the rules to be back")
        end = time.monotonic() + 15
        while not router.said("was given it too late"):
            check(time.monotonic() < end, "why nothing is expected has not been said")
            for _ in range(3):
                session.command("NOOP", (200,))
            try:
                session.fetch("EPSV", "pub/file")
                check(False, "a transfer without an expectation")
            except TimeoutError:
                pass
        session.command("NOOP", (200,))
        asked = router.lab.run("router", [BINARY, "sessions", "--json", "--state-dir", str(router.lab.directory / "state")], check=True).stdout
        check(f":{session.sock.getsockname()[1]}" in asked, f"it is not followed: {asked}")


def with_sessions(seqadj):
    def group(options, report):
        if options.engine != "daemon":
            report.skip(f"watched/sessions/{seqadj}", "only the daemon has rules of its own")
            return
        router = Router(seqadj)
        try:
            with Server("pure-ftpd", router.lab) as server:
                (server.pub / "file").write_bytes(CONTENT)
                # Bytes of a connection whose numbers the daemon moves must not pass without it: those are quiet meanwhile.
                report.case(f"watched/sessions/{seqadj}", none_is_lost, router, BUSY if seqadj == "kernel" else 0)
                report.case(f"watched/begun-meanwhile/{seqadj}", begun_meanwhile, router)
            if router.lab.daemon.poll() is not None:
                raise LabError("the daemon has ended")
        finally:
            router.lab.close()
    return group


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs this may ignore it, and the daemons would take that over
    sys.exit(main(__doc__.split("\n\n", maxsplit=1)[0], {"alone": alone, "kernel": with_sessions("kernel"), "self": with_sessions("self")}))
