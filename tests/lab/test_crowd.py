#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody can take everything (invariant I6), on the real kernel.

First one thing at a time, with little of it there, so that it is soon used up: places in the table, work slots, ports. Then a
crowd: ten clients behave, five of each family, while one attacks with ten thousand packets a second, and the ten lose no
transfer. Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured.
Exit status 1 if one failed.
"""

import contextlib
import ipaddress
import pathlib
import socket
import subprocess
import sys
import threading
import time

from cases import SEQADJ, daemon_lab, main
from clients import PASSWORD, USER, Curl, bracketed
from forge import ACK, SYN, Forger, Packet, random_number
from lab import FTP_PORT, TREE, LabError, end_process, wait_until
from rawftp import Pair, RawClient, Wrong, announced, announcement, check, listen_in, next_port, socket_in
from servers import Server

CONTENT = b"crowd" * 1000
MODES = {4: ("PORT", "PASV"), 6: ("EPRT", "EPSV")}  # the router admits none of these by itself
SESSIONS = 64  # of a small table
WORKS = 256  # the least of work slots that there are


def serve(server):
    (server.pub / "file").write_bytes(CONTENT)


def fetch(session):
    for mode in MODES[session.family]:
        check(session.fetch(mode, "pub/file") == CONTENT, f"other bytes arrived by {mode}")


def transfer(lab, family=4):
    with RawClient(lab, family=family) as session:
        fetch(session)


@contextlib.contextmanager
def attacker(lab, role, program, *arguments):
    """One of tests/lab's own programs, for as long as the with block lasts."""
    process = lab.popen(role, [TREE / "build/tests/lab" / program, *arguments], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True)
    try:
        yield process
        if process.poll():
            raise LabError(f"{program} ended with status {process.returncode}: {process.stdout.read().strip()}")
    finally:
        end_process(process)
        process.stdout.close()


# ---------------------------------------------------------------------------------------------------------------------
# Places in the table

def stray_synacks(lab, family):
    """SYN/ACKs that answer nothing: to one client in IPv4, in IPv6 to as many as his network has addresses."""
    network = int(ipaddress.ip_address(lab.address("client2", family)))
    with Forger(lab, "server2") as forger:
        for number in range(8 * SESSIONS):
            target = str(ipaddress.ip_address(network + (number << 8 if family == 6 else 0)))
            forger.send(Packet((lab.address("server2", family), FTP_PORT), (target, 10000 + number), SYN | ACK,
                               random_number(), random_number()))


def half_open(lab, family):
    """SYNs of one client who does not answer; in IPv6 he has a network, and that is not the others'."""
    network = int(ipaddress.ip_address(lab.address("client2", family))) + (1 << 64 if family == 6 else 0)
    with Forger(lab, "client2") as forger:
        for number in range(8 * SESSIONS):
            source = str(ipaddress.ip_address(network + (number << 8 if family == 6 else 0)))
            forger.send(Packet((source, 10000 + number), (lab.address("server2", family), FTP_PORT), SYN, random_number()))


def fills_table(lab, attack, family):
    """A control connection that was there, and one that comes: both go on."""
    with RawClient(lab, family=family) as session:
        fetch(session)
        attack(lab, family)
        time.sleep(0.1)
        fetch(session)
    for other in (4, 6):
        transfer(lab, other)


def group_table(seqadj):
    def group(options, report):
        for name, attack in {"stray-SYN-ACKs": stray_synacks, "half-open": half_open}.items():
            for family in (4, 6):
                with daemon_lab(options, "firewall", seqadj, daemon_args=["--sessions", str(SESSIONS)]) as lab, \
                        Server("pure-ftpd", lab) as server:
                    serve(server)
                    report.case(f"crowd/table/{name}/ipv{family}/{seqadj}", fills_table, lab, attack, family)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Work slots

def hold_arguments(_lab):
    """Arguments that never end."""
    return ["hold", "1000", "20", 2 * WORKS]


def announce_arguments(lab):
    """Announcements that are never used."""
    return ["announce", "1000", "20", 2 * WORKS, announcement("PORT", lab.address("client2"), next_port(0)).decode()]


def takes_work(lab, arguments):
    """One client's sessions hold more than there is of what a busy session needs; another's transfers go on."""
    how, *more = arguments(lab)
    with RawClient(lab) as session, attacker(lab, "server2", "hostile", "serve", FTP_PORT):
        with attacker(lab, "client2", "hostile", how, lab.dial("server2"), FTP_PORT, *more):
            time.sleep(2)
            fetch(session)
            transfer(lab)


def group_work(seqadj):
    def group(options, report):
        for name, arguments in {"split-arguments": hold_arguments, "announcements": announce_arguments}.items():
            with daemon_lab(options, "masquerade", seqadj, daemon_args=["--sessions", "2048"]) as lab, \
                    Server("pure-ftpd", lab) as server:
                serve(server)
                report.case(f"crowd/work/{name}/{seqadj}", takes_work, lab, arguments)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Ports

RANGE = range(50000, 50004)
ANNOUNCEMENTS = 200
DEARER = 5  # times at most
AT_ONCE = 0.9  # seconds: a SYN that is lost comes again after one


def busy_seconds(process):
    """How long a process has run on a processor, all of its threads."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")) / 1e9


def cost(lab, pair, port_of, arrives):
    """Seconds of the daemon's an announcement."""
    before = busy_seconds(lab.daemon)
    for number in range(ANNOUNCEMENTS):
        said, translated = pair.translated("PORT", "client", port_of(number))
        pair.say("client", said, said if arrives == "unchanged" else translated)
        pair.say("server", b"500 no\r\n")
    return (busy_seconds(lab.daemon) - before) / ANNOUNCEMENTS


def taken_ports(lab):
    """An announcement for which no port is free costs not much more than one whose port is."""
    taken = next_port(0)
    with contextlib.ExitStack() as stack:
        for _ in range(len(RANGE) + 1):
            pair = stack.enter_context(Pair(lab, client_role="client2").ready())
            pair.client.send(pair.translated("PORT", "client", taken)[0])
            pair.server.line()
        pair = stack.enter_context(Pair(lab, client_role="client2").ready())
        free = cost(lab, pair, lambda number: 10000 + number, "translated")
        dear = cost(lab, pair, lambda _number: taken, "unchanged")
        said = f"{1e6 * dear:.0f} us with no port free, {1e6 * free:.0f} us with its own"
        check(dear <= DEARER * free, said)
        return said


DATA_PORT = 20  # of servers that have RFC 959's


def announce_one(pair, family, port):
    """Says it, and returns the port that the server is told."""
    pair.client.send(pair.translated(MODES[family][0], "client", port)[0])
    _, told = announced(pair.server.line())
    pair.say("server", b"200 ok\r\n")
    return told


def connect_to(lab, stack, pair, family, port, told):
    """The data connection from the server's own data port to a port that it was told, which is one of the client's: both ends."""
    listener = stack.enter_context(listen_in(lab, pair.client_role, family, port, pair.addresses["client"]))
    server = stack.enter_context(socket_in(lab, pair.server_role, family))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((pair.addresses["server"], DATA_PORT))
    server.settimeout(AT_ONCE)
    try:
        server.connect((pair.seen["client"], told))
    except OSError as error:
        raise Wrong(f"port {port}, announced as {told}: {error}") from None
    client = stack.enter_context(listener.accept()[0])
    listener.close()
    return server, client


def used_elsewhere(lab, family):
    """While one client's port is connected to the server, the same port of another client has to be another one to that server."""
    port = next_port(0)
    with contextlib.ExitStack() as stack:
        one, other = (stack.enter_context(Pair(lab, family, client_role=role).ready()) for role in ("client", "client2"))
        connect_to(lab, stack, one, family, port, announce_one(one, family, port))
        told = announce_one(other, family, port)
        connect_to(lab, stack, other, family, port, told)
        check(told != port, "both have the same port to the server")


def used_otherwise(lab, family):
    """What was announced as another port, because it was taken, may be announced as itself as soon as that transfer is over."""
    port = next_port(0)
    with contextlib.ExitStack() as stack:
        one, other = (stack.enter_context(Pair(lab, family, client_role=role).ready()) for role in ("client", "client2"))
        announce_one(one, family, port)
        told = announce_one(other, family, port)
        check(told != port, "both have the same port to the server")
        for end in connect_to(lab, stack, other, family, port, told):
            end.close()
        for end in connect_to(lab, stack, one, family, port, port):
            end.close()
        for end in connect_to(lab, stack, other, family, port, announce_one(other, family, port)):
            end.close()


def group_ports(seqadj):
    def group(options, report):
        arguments = ["--ports", f"{RANGE[0]}:{RANGE[-1]}"]
        with daemon_lab(options, "masquerade", seqadj, daemon_args=arguments) as lab, Server("pure-ftpd", lab) as server:
            serve(server)
            report.case(f"crowd/ports/none-free/{seqadj}", taken_ports, lab)
        with daemon_lab(options, "masquerade", seqadj) as lab:
            for family in (4, 6):
                report.case(f"crowd/ports/used-elsewhere/ipv{family}/{seqadj}", used_elsewhere, lab, family)
                report.case(f"crowd/ports/used-otherwise/ipv{family}/{seqadj}", used_otherwise, lab, family)
    return group


# ---------------------------------------------------------------------------------------------------------------------
# Ten who behave

BEHAVING = 10
RATE = 10000  # packets a second of the one who does not
SECONDS, SECONDS_FULL = 10, 60
UNDISTURBED = 3  # seconds before the attack
REST = 0.05  # seconds between two transfers of one client
PATIENT = 15  # seconds for one transfer
NETWORKS = {4: ("10.0.0.16", 28), 6: ("fd00::10", 124)}  # of the ten
KNOWN_PORT = 30021  # from which come those of them who keep their control connection


class Crowd:
    """Ten clients, each with an address of its own, that transfer files until the with block ends. errors: what went wrong."""

    def __init__(self, lab):
        self.lab = lab
        self.errors = []
        self.transfers = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._behave, args=(number,)) for number in range(BEHAVING)]

    def __enter__(self):
        # An IPv6 address can be bound at once only where nobody is asked first whether he has it.
        lines = [f"address add {self._address(number)}" + ("/24 dev eth0" if self._family(number) == 4 else "/64 dev eth0 nodad")
                 for number in range(BEHAVING)]
        self.lab.run("client", ["ip", "-batch", "-"], input="\n".join(lines) + "\n", check=True)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @staticmethod
    def _family(number):
        return 4 if number % 2 else 6

    def _address(self, number):
        return str(ipaddress.ip_address(NETWORKS[self._family(number)][0]) + number)

    def _behave(self, number):
        """Some keep their control connection, some come anew for each transfer, some are curl."""
        way = (self._keep, self._come, self._curl)[number // 2 % 3]
        while not self._stop.is_set():
            try:
                way(self._family(number), self._address(number))
            except (Wrong, LabError, OSError) as error:
                with self._lock:
                    self.errors.append(f"{way.__name__[1:]} from {self._address(number)}: {error or type(error).__name__}")
                self._stop.wait(1)

    def _done(self):
        with self._lock:
            self.transfers += 1
        self._stop.wait(REST)

    def _session(self, family, address, port=0):
        return RawClient(self.lab, family=family, source=(address, port), timeout=PATIENT)

    def _keep(self, family, address):
        with self._session(family, address, KNOWN_PORT) as session:
            while not self._stop.is_set():
                fetch(session)
                self._done()

    def _come(self, family, address):
        with self._session(family, address) as session:
            fetch(session)
        self._done()

    def _curl(self, family, address):
        for mode in MODES[family]:
            done = self.lab.run("client", ["curl", "--disable", "--silent", "--show-error", "--max-time", PATIENT, "--interface",
                                           address, "--user", f"{USER}:{PASSWORD}", *Curl.MODE_OPTIONS[mode],
                                           f"ftp://{bracketed(self.lab.dial(family=family))}/pub/file"], timeout=2 * PATIENT)
            check(done.returncode == 0, f"curl by {mode}: {done.stderr.strip()}")
            check(done.stdout.encode() == CONTENT, f"other bytes arrived by {mode}")
        self._done()


def blind(lab, seconds):
    """Whatever random numbers can do to connections whose addresses and ports are known, in the names of both ends.

    Not RST: conntrack itself takes one anywhere in the window, which so many do hit, for the connection's end (seen with
    the kernel's own helper). test_forged.py has it.
    """
    kinds = "A,FA,SA,S"
    for family in (4, 6):
        server, clients = lab.address("server", family), "{}/{}".format(*NETWORKS[family])
        outside = lab.plan[family].outside_router[0]
        yield "client2", "flood", kinds, clients, KNOWN_PORT, server, FTP_PORT, RATE // 4, seconds
        yield "server2", "flood", kinds, server, FTP_PORT, outside, KNOWN_PORT, RATE // 4, seconds


def strays(lab, seconds):
    """SYN/ACKs that answer nothing, to all the addresses and ports there are."""
    for family in (4, 6):
        address = lab.address("client2", family)
        yield ("server2", "flood", "SA", lab.address("server2", family), FTP_PORT, f"{address}/{32 if family == 4 else 64}",
               "1024-65535", RATE // 2, seconds)


def splits(lab, seconds):
    """Sessions that say PORT 1 and no more; one is some ten packets."""
    yield "server2", "hostile", "serve", FTP_PORT
    yield "client2", "hostile", "hold", lab.dial("server2"), FTP_PORT, RATE // 10, seconds, 10000


def taken(lab, seconds):
    """Announcements of one port, of which the first is believed and the others find all taken; one is two packets and its answer two."""
    line = announcement("PORT", lab.address("client2"), next_port(0)).decode()
    yield "server2", "hostile", "serve", FTP_PORT
    yield "client2", "hostile", "announce", lab.dial("server2"), FTP_PORT, RATE // 4, seconds, 256, line


# Way of attack -> (topology, its function, more arguments of the daemon)
ATTACKS = {
    "blind": ("masquerade", blind, []),
    "stray-SYN-ACKs": ("firewall", strays, ["--sessions", "8192"]),
    "split-arguments": ("masquerade", splits, []),
    "taken-ports": ("masquerade", taken, ["--ports", f"{RANGE[0]}:{RANGE[-1]}"]),
}


def rate(crowd, seconds):
    """Transfers a second, from now on."""
    before, start = crowd.transfers, time.monotonic()
    time.sleep(seconds)
    return (crowd.transfers - before) / (time.monotonic() - start)


def crowd_goes_on(lab, attack, seconds):
    with Crowd(lab) as crowd, contextlib.ExitStack() as stack:
        time.sleep(1)
        undisturbed = rate(crowd, UNDISTURBED)
        ending = []
        for role, program, *arguments in attack(lab, seconds):
            process = stack.enter_context(attacker(lab, role, program, *arguments))
            ending += [process] if arguments[0] != "serve" else []
        attacked = rate(crowd, seconds)
        for process in ending:  # its sessions end one after another, and until then the ten go on
            wait_until(lambda: process.poll() is not None, 6 * seconds, "the attack to be over")
    said = f"{attacked:.0f} transfers a second, undisturbed {undisturbed:.0f}"
    check(not crowd.errors, f"{len(crowd.errors)} transfers lost, {said}; {'; '.join(crowd.errors[:3])}")
    # How fast is no test's business, on two processors that have the attack's own work to do as well.
    check(undisturbed > 1 and attacked * seconds >= BEHAVING, said)
    return said


# What conntrack itself believes, by who adjusts sequence numbers; run it with --only.
CONNTRACKS_OWN = {
    ("blind", "self"): "what the session adjusts acknowledges bytes that conntrack has not seen, so the connection has to be liberal, and "
                       "then tcp_in_window() (nf_tcp_log_invalid()) takes forged FINs, and nf_conntrack_tcp_packet() lets a SYN behind "
                       "them kill the connection before any rule sees the packet",
}


def group_crowd(name, seqadj):
    topology, attack, arguments = ATTACKS[name]

    def group(options, report):
        if (name, seqadj) in CONNTRACKS_OWN and not options.only:
            report.skip(f"crowd/ten-clients/{name}/{seqadj}", CONNTRACKS_OWN[name, seqadj])
            return
        seconds = SECONDS_FULL if options.full else SECONDS
        with daemon_lab(options, topology, seqadj, daemon_args=arguments) as lab, Server("vsftpd", lab) as server:
            serve(server)
            report.case(f"crowd/ten-clients/{name}/{seqadj}", crowd_goes_on, lab, attack, seconds)
    return group


# ---------------------------------------------------------------------------------------------------------------------

GROUPS = {}
for _seqadj in SEQADJ:
    GROUPS[f"table-{_seqadj}"] = group_table(_seqadj)
    GROUPS[f"work-{_seqadj}"] = group_work(_seqadj)
    GROUPS[f"ports-{_seqadj}"] = group_ports(_seqadj)
CROWDS = {f"ten-{_name}-{_seqadj}": group_crowd(_name, _seqadj) for _seqadj in SEQADJ for _name in ATTACKS}


def add_arguments(parser):
    parser.add_argument("--full", action="store_true",
                        help=f"the crowd is attacked for {SECONDS_FULL} s each time, not {SECONDS}")


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], {**GROUPS, **CROWDS}, add_arguments))
