# SPDX-License-Identifier: GPL-2.0-or-later
"""A small network to try FTP through a router, in network namespaces.

    client  ──┐ inside          outside ┌──  server
              ├──────── router ─────────┤
    client2 ──┘                         └──  server2

Every host is a namespace; "inside" and "outside" are bridges in the router's. Which hosts stand on which side, and what
the router translates, is the topology (TOPOLOGIES). Wherever it stands the router admits a *new* connection only from the
client's side to port 21: a data connection gets through only if conntrack was told to expect it. That is what makes a
passing transfer mean something.

Who tells conntrack is the engine (ENGINES): nobody, the kernel's own FTP helper, or a program on an NFQUEUE. How packets get
to the daemon is its mode (MODES): rules queue them, or conntrack does for the helper that the rules assign.

    with Lab("masquerade", engine="kernel") as lab:
        lab.run(lab.client, ["curl", ...])

Nothing outside the namespaces is touched. A Lab takes itself down however its process ends, but for SIGKILL; for that case
its name is recorded in STATE_DIRECTORY before its first namespace exists, and remove_abandoned() finishes the work. Only
processes the Lab started, and those found in its own namespaces, are ever signalled.
"""

import atexit
import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from has_payload import BYTECODE as HAS_PAYLOAD

TREE = pathlib.Path(__file__).resolve().parents[2]
STATE_DIRECTORY = pathlib.Path("/run/nfq-ftp-helper-lab")
FTP_PORT = 21
MARK = "0x200000"  # the daemon's, on connections that must not pass it by
DAEMON_USER = "64123"  # whom the daemon becomes: a number needs no user of that name
HELPER = "nfq-ftp"  # the conntrack helper that the daemon or its kernel module registers
ENGINES = ("none", "kernel", "daemon", "accept")
MODES = ("queue", "cthelper", "kmod")
HOSTS = ("client", "client2", "server", "server2")
FAMILIES = (4, 6)


class LabError(Exception):
    """Something about the lab itself failed, as opposed to a transfer that was tried in it."""


@dataclasses.dataclass(frozen=True)
class Topology:
    """Which side the clients are on, and what the router does to addresses."""

    clients_inside: bool = True
    masquerade: bool = False
    dnat: bool = False
    router_is: str = ""  # the role, "client" or "server", that the router itself plays


# Seconds until a reply is given up; a command is given more of them. tests/vm/guest says more for a machine that is slow.
PATIENCE = float(os.environ.get("NFQ_FTP_PATIENCE") or 5)

TOPOLOGIES = {
    "masquerade": Topology(masquerade=True),
    "dnat": Topology(clients_inside=False, dnat=True),
    "both": Topology(masquerade=True, dnat=True),
    "firewall": Topology(),
    "server-local": Topology(router_is="server"),
    "client-local": Topology(router_is="client"),
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """The addresses of one family.

    public is where DNATed servers seem to be in topology "both": addresses that no interface has, routed to the router.
    """

    prefix: int
    inside_router: str
    inside: tuple
    outside_router: tuple
    outside: tuple
    public: tuple
    everywhere: str


# "grow": the inside address is the shorter text, so a rewritten PORT or 227 grows. "shrink": the other way round.
PLANS = {
    "grow": {
        4: Plan(24, "10.0.0.1", ("10.0.0.2", "10.0.0.3"), ("198.51.100.254", "198.51.100.253"),
                ("198.51.100.10", "198.51.100.11"), ("203.0.113.210", "203.0.113.211"), "0.0.0.0/0"),
        6: Plan(64, "fd00::1", ("fd00::2", "fd00::3"), ("2001:db8:100:200::c1a0:254", "2001:db8:100:200::c1a0:253"),
                ("2001:db8:100:200::10", "2001:db8:100:200::11"),
                ("2001:db8:203:113::d1a0:210", "2001:db8:203:113::d1a0:211"), "::/0"),
    },
    "shrink": {
        4: Plan(24, "192.168.100.254", ("192.168.100.200", "192.168.100.201"), ("192.0.2.1", "192.0.2.2"),
                ("192.0.2.9", "192.0.2.8"), ("203.0.113.1", "203.0.113.2"), "0.0.0.0/0"),
        6: Plan(64, "fd12:3456:789a:bcde::c1a0:254", ("fd12:3456:789a:bcde::c1a0:200", "fd12:3456:789a:bcde::c1a0:201"),
                ("2001:db8::1", "2001:db8::2"), ("2001:db8::9", "2001:db8::8"),
                ("2001:db8:1::1", "2001:db8:1::2"), "::/0"),
    },
}


# ---------------------------------------------------------------------------------------------------------------------
# Waiting and commands

def wait_until(condition, timeout, what):
    """Polls `condition` until it is true and returns what it returned; never sleeps longer than it must."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(0.01)


def command(argv, **options):
    """Runs a command on the host (to make namespaces) and insists that it succeeds."""
    try:
        return subprocess.run(argv, check=True, text=True, capture_output=True, **options).stdout
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed (scripts/deps lab)") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or f"exit status {error.returncode}").replace("\n", "; ")
        raise LabError(f"{' '.join(argv)}: {said}") from None


def is_listening(pid, port, family):
    """Whether somebody listens on `port` in the network namespace that process `pid` lives in."""
    table = {4: "tcp", 6: "tcp6"}[family]
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.rsplit(":", 1)[1], 16) == port:
                return True
    return False


def is_queue_bound(pid, queue):
    """Whether somebody has bound NFQUEUE `queue` in the network namespace that process `pid` lives in."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/net/netfilter/nfnetlink_queue").read_text().splitlines():
            if int(line.split()[0]) == queue:
                return True
    return False


def end_process(process, timeout=2):
    """Ends one child, gently if it listens, and collects it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


# ---------------------------------------------------------------------------------------------------------------------
# Rules of the router

# Which packets of a control connection the rules queue. "payload": those with payload, or SYN, FIN, RST. "established": all but
# the first of the client; the kernel confirms a connection whose helper is user space's when the first verdict comes
# back, and at FORWARD that would be before masquerading, which then never happens.
QUEUE_RULES = ("all", "payload", "established")


@dataclasses.dataclass(frozen=True)
class Queueing:
    """How the router's rules hand packets to a program: queue is "N" or "A:B" (balanced), rule is one of QUEUE_RULES.

    Connections with the daemon's mark go to the sure queues, as many and right behind the others, which never bypass.
    """

    queue: str = "0"
    bypass: bool = False
    rule: str = "all"
    carrier: str = "sane"

    def target(self):
        return self._target(self.queue) + (" --queue-bypass" if self.bypass else "")

    def sure_target(self):
        return self._target(self.sure)

    @staticmethod
    def _target(queue):
        return f"-j NFQUEUE {'--queue-balance' if ':' in queue else '--queue-num'} {queue}"

    def nft_statement(self):
        return f"queue {'flags bypass ' if self.bypass else ''}to {self.queue.replace(':', '-')}"

    def nft_sure_statement(self):
        return f"queue to {self.sure.replace(':', '-')}"

    def numbers(self):
        first, _, last = self.queue.partition(":")
        return range(int(first), int(last or first) + 1)

    @property
    def sure(self):
        numbers = self.numbers()
        behind = [number + len(numbers) for number in (numbers[0], numbers[-1])]
        return ":".join(map(str, behind if len(numbers) > 1 else behind[:1]))


# Where control connections are queued, before the filter: the hooks of packets to the server and to the client, by what
# the router is. Where it forwards, both directions pass with addresses that mirror each other. Where it is an endpoint,
# what it sends is taken at its last hook.
QUEUE_HOOKS = {"": ("forward", "forward"), "server": ("input", "postrouting"), "client": ("postrouting", "input")}


def assign_hook(topology):
    """Where a control connection is given its helper."""
    return "output" if topology.router_is == "client" else "prerouting"


class IptablesRules:
    """The router's rules for one family, as text for iptables-restore."""

    def __init__(self, lab, family):
        self.lab = lab
        self.family = family
        self.topology = lab.topology

    @classmethod
    def load(cls, lab):
        for family in FAMILIES:
            lab.run("router", [f"ip{'6' if family == 6 else ''}tables-restore"], input=cls(lab, family).text(), check=True)

    @staticmethod
    def listed(lab, family):
        return lab.run("router", [f"ip{'6' if family == 6 else ''}tables-save"], check=True).stdout

    def text(self):
        tables = {"raw": self.raw(), "mangle": self.mangle(), "nat": self.nat(), "filter": self.filter()}
        return "".join(f"*{table}\n" + "".join(f"{line}\n" for line in lines) + "COMMIT\n"
                       for table, lines in tables.items() if lines)

    def raw(self):
        if not self.lab.helper:
            return []
        return [f"-A {assign_hook(self.topology).upper()} -p tcp --dport {FTP_PORT} -j CT --helper {self.lab.helper}"]

    def mangle(self):
        if not self.lab.rules_queue:
            return []
        ways = [f"-A {hook.upper()} -p tcp {port} {FTP_PORT} "
                for hook, port in zip(QUEUE_HOOKS[self.topology.router_is], ("--dport", "--sport"))]
        marked = f"-m connmark --mark {MARK}/{MARK} {self.lab.queueing.sure_target()}"
        sure = [way + marked for way in ways if self.lab.engine == "daemon"]
        return sure + [way + which + self.lab.queueing.target() for way in ways for which in self.which_packets()]

    def which_packets(self):
        """A packet that came back from a queue goes on at the next hook, so two rules never queue it twice."""
        return {"all": [""], "established": ["-m conntrack --ctstate ESTABLISHED "],
                "payload": [f'-m bpf --bytecode "{HAS_PAYLOAD[self.family]}" ',
                            "-m tcp ! --tcp-flags SYN,FIN,RST NONE "]}[self.lab.queueing.rule]

    def nat(self):
        rules = []
        if self.topology.dnat:
            rules += [f"-A PREROUTING -d {self.lab.dial(host, self.family)} -p tcp --dport {FTP_PORT} "
                      f"-j DNAT --to-destination {self.lab.address(host, self.family)}" for host in ("server", "server2")]
        if self.topology.masquerade:
            rules += ["-A POSTROUTING -o outside -j MASQUERADE"]
        return rules

    def filter(self):
        if self.topology.router_is:
            return self.local_filter()
        inward, outward = ("inside", "outside") if self.topology.clients_inside else ("outside", "inside")
        return [":FORWARD DROP [0:0]",
                "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
                "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
                *(f"-A FORWARD -i {inward} -o {outward} -d {self.lab.address(host, self.family)} -p tcp "
                  f"--dport {FTP_PORT} -m conntrack --ctstate NEW -j ACCEPT" for host in ("server", "server2"))]

    def local_filter(self):
        """The router as an endpoint: also what it sends must be announced, so that active mode needs a helper too."""
        neighbours = ["-A {} -p ipv6-icmp -j ACCEPT"] if self.family == 6 else []
        both = [*neighbours,
                "-A {} -m conntrack --ctstate INVALID -j DROP",
                "-A {} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"]
        opening = "INPUT" if self.topology.router_is == "server" else "OUTPUT"
        return [":INPUT DROP [0:0]", ":OUTPUT DROP [0:0]",
                *(rule.format(chain) for chain in ("INPUT", "OUTPUT") for rule in both),
                f"-A {opening} -p tcp --dport {FTP_PORT} -m conntrack --ctstate NEW -j ACCEPT"]


class NftRules:
    """The same for both families, as one table of nft. Its queue statement is not in every kernel."""

    KEYWORDS = {4: "ip", 6: "ip6"}

    def __init__(self, lab):
        self.lab = lab
        self.topology = lab.topology

    @classmethod
    def load(cls, lab):
        lab.run("router", ["nft", "-f", "-"], input=cls(lab).text(), check=True)

    @staticmethod
    def listed(lab, _family):
        return lab.run("router", ["nft", "list", "ruleset"], check=True).stdout

    def text(self):
        parts = [*self.assign(), *self.queue(), *self.nat(), *self.filter()]
        return "table inet lab {\n" + "".join(f"{part}\n" for part in parts) + "}\n"

    @staticmethod
    def chain(name, kind, hook, priority, rules, policy="accept"):
        lines = "".join(f"\t{rule}\n" for rule in rules)
        return f"chain {name} {{\n\ttype {kind} hook {hook} priority {priority}; policy {policy};\n{lines}}}"

    def assign(self):
        """Before NAT is set up, or connections miss the seqadj extension; see doc/architecture.md."""
        if not self.lab.helper:
            return []
        return [f'ct helper ours {{ type "{self.lab.helper}" protocol tcp; }}',
                self.chain("assign", "filter", assign_hook(self.topology), "mangle",
                           [f'tcp dport {FTP_PORT} ct helper set "ours"'])]

    def queue(self):
        if not self.lab.rules_queue:
            return []
        chains = {}
        for hook, port in zip(QUEUE_HOOKS[self.topology.router_is], ("dport", "sport")):
            rules = chains.setdefault(hook, [])
            if self.lab.engine == "daemon":
                rules += [f"tcp {port} {FTP_PORT} ct mark and {MARK} == {MARK} {self.lab.queueing.nft_sure_statement()}"]
            rules += [f"tcp {port} {FTP_PORT} {which}{self.lab.queueing.nft_statement()}" for which in self.which_packets()]
        return [self.chain(f"queue-{hook}", "filter", hook, "mangle", rules) for hook, rules in chains.items()]

    def which_packets(self):
        """@ih is what is behind the TCP header: a packet without payload has no such byte."""
        return {"all": [""], "established": ["ct state established "],
                "payload": ["@ih,0,8 >= 0 ", "tcp flags & (fin | syn | rst) != 0 "]}[self.lab.queueing.rule]

    def each_server(self, rule):
        """A rule for each server and family. {dial} and {server}: its address as clients call it, and its own."""
        return [rule.format(ip=keyword, dial=self.lab.dial(host, family), server=self.lab.address(host, family))
                for family, keyword in self.KEYWORDS.items() for host in ("server", "server2")]

    def nat(self):
        chains = []
        if self.topology.dnat:
            chains += [self.chain("destination-nat", "nat", "prerouting", "dstnat", self.each_server(
                f"{{ip}} daddr {{dial}} tcp dport {FTP_PORT} dnat {{ip}} to {{server}}"))]
        if self.topology.masquerade:
            chains += [self.chain("source-nat", "nat", "postrouting", "srcnat", ['oifname "outside" masquerade'])]
        return chains

    def filter(self):
        known = ["ct state invalid drop", "ct state established,related accept"]
        opening = f"tcp dport {FTP_PORT} ct state new accept"
        if self.topology.router_is:
            opens = "input" if self.topology.router_is == "server" else "output"
            return [self.chain(hook, "filter", hook, "filter",
                               ["meta l4proto ipv6-icmp accept", *known, *([opening] if hook == opens else [])], "drop")
                    for hook in ("input", "output")]
        inward, outward = ("inside", "outside") if self.topology.clients_inside else ("outside", "inside")
        return [self.chain("forward", "filter", "forward", "filter", known + self.each_server(
            f'iifname "{inward}" oifname "{outward}" {{ip}} daddr {{server}} {opening}'), "drop")]


RULES = {"iptables": IptablesRules, "nft": NftRules}


# ---------------------------------------------------------------------------------------------------------------------
# What is recorded, for the case that a lab cannot clean up after itself

def process_start(pid):
    """When a process started, in kernel ticks: tells it from a later one that got the same pid."""
    with contextlib.suppress(OSError):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return None


def recorded_labs():
    """All labs that exist on this machine: a list of the dictionaries that Lab recorded, oldest first."""
    labs = []
    for path in sorted(STATE_DIRECTORY.glob("*.json"), key=lambda path: path.stat().st_mtime):
        with contextlib.suppress(OSError, ValueError):
            labs.append(json.loads(path.read_text()))
    return labs


def has_owner(state):
    """Whether the process that made a lab is still there to take it down."""
    start = process_start(state["pid"])
    return start is not None and start == state["start"]


def namespace_name(lab_name, role):
    return f"{lab_name}-{role}"


def existing_namespaces(lab_name):
    """The names of the namespaces of a lab that are there now."""
    listed = command(["ip", "netns", "list"]).splitlines()
    return [line.split()[0] for line in listed if line.startswith(f"{lab_name}-")]


def remove_namespaces(lab_name):
    """Ends whatever still runs in a lab's namespaces and removes them."""
    for name in existing_namespaces(lab_name):
        for pid in command(["ip", "netns", "pids", name]).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        command(["ip", "netns", "delete", name])


def remove_recorded(state):
    """Takes down a lab by what was recorded of it."""
    remove_namespaces(state["name"])
    shutil.rmtree(state["directory"], ignore_errors=True)
    (STATE_DIRECTORY / f"{state['name']}.json").unlink(missing_ok=True)


def remove_abandoned():
    """Takes down all labs whose owner is gone: crashed ones and detached ones. Returns their names."""
    abandoned = [state for state in recorded_labs() if not has_owner(state)]
    for state in abandoned:
        remove_recorded(state)
    return [state["name"] for state in abandoned]


# ---------------------------------------------------------------------------------------------------------------------
# Labs end with their process

_live = set()
_live_lock = threading.RLock()


def close_all():
    """Takes down all labs of this process. One that makes labs in threads calls this before it waits for them to end."""
    for lab in list(_live):
        lab.close()


def _on_signal(number, _frame):
    """Only unwinds: the labs' own with blocks, and at the latest atexit, take them down."""
    sys.exit(128 + number)


def _watch_over(lab):
    """From the first Lab on, SIGTERM, SIGINT and SIGHUP end this process in an orderly way."""
    with _live_lock:
        if not _live:
            atexit.register(close_all)
        _live.add(lab)
    if threading.current_thread() is threading.main_thread():
        take_signals()


def take_signals():
    """Makes the ending signals take down all labs. A program that makes its labs in threads calls this at its start."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _on_signal)


# ---------------------------------------------------------------------------------------------------------------------

class Capture:
    """A running tcpdump. stop() returns when what had happened before it is in the file."""

    def __init__(self, process, path):
        self.process = process
        self.path = pathlib.Path(path)

    def stop(self, quiet_seconds=0.1):
        size, since = -1, time.monotonic()
        while time.monotonic() - since < quiet_seconds:
            now = self.path.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.01)
        end_process(self.process)
        return self.path


class Lab:
    """One network; see the head of this file. All arguments but the topology are by name.

    engine      "none", "kernel" (the in-kernel FTP helper), "daemon" (nfq-ftp-helper run), "accept" (a program that only
                accepts, to compare with)
    addresses   "grow" or "shrink": what a rewritten address does to the text's length
    offloads    False switches checksum and segmentation offloads off, so that captures hold complete packets
    mode        "queue", "cthelper" or "kmod": who queues packets for the daemon (MODES)
    backend     "iptables" or "nft": what the router's rules are made with
    seqadj      "kernel", "self" or "auto": who adjusts sequence numbers (daemon)
    queue       "N" or "A:B"
    bypass      whether the queue rule lets packets pass while no program is there; default: only with seqadj "kernel"
    queue_rule  which packets of a control connection: "all", "payload" or "established" (QUEUE_RULES)
    carrier     the in-kernel helper that carries expectations for daemon and accept
    binary      the program (default: $NFQ_FTP_HELPER or build/nfq-ftp-helper; for accept build/tests/bench/accept-all)
    daemon_args more arguments for the program
    """

    _numbers = itertools.count()

    def __init__(self, topology, *, engine="none", mode="queue", backend="iptables", addresses="grow", offloads=True,
                 seqadj="kernel", queue="0", bypass=None, queue_rule="all", carrier="sane", binary=None, daemon_args=()):
        self.topology_name = topology
        self.topology = self._choose("topology", topology, TOPOLOGIES)
        self.plan = self._choose("addresses", addresses, PLANS)
        self.engine = engine
        self._choose("engine", engine, dict.fromkeys(ENGINES))
        self.mode = mode
        self._choose("mode", mode, dict.fromkeys(MODES))
        self.backend = self._choose("backend", backend, RULES)
        self._choose("seqadj", seqadj, dict.fromkeys(("kernel", "self", "auto")))
        self._choose("queue_rule", queue_rule, dict.fromkeys(QUEUE_RULES))
        if engine == "daemon" and seqadj != "kernel" and queue_rule == "payload":
            raise LabError(f"seqadj {seqadj} needs every packet queued, not those with payload only")
        self.seqadj = seqadj
        self.queueing = Queueing(str(queue), seqadj == "kernel" if bypass is None else bypass, queue_rule, carrier)
        self.offloads = offloads
        self.binary = pathlib.Path(binary or self._default_binary())
        self.daemon_args = list(daemon_args)
        self.daemon = None
        self.name = None
        self.directory = None
        self._children = []
        self._lock = threading.RLock()
        self._closed = False
        self._detached = False

    @staticmethod
    def _choose(what, value, table):
        if value not in table:
            raise LabError(f"{what} is none of {', '.join(table)}: `{value}'")
        return table[value]

    def _default_binary(self):
        if self.engine == "accept":
            return TREE / "build/tests/bench/accept-all"
        return TREE / os.environ.get("NFQ_FTP_HELPER", "build/nfq-ftp-helper")

    # --- what the rules are for --------------------------------------------------------------------------------------

    @property
    def runs_program(self):
        return self.engine in ("daemon", "accept")

    @property
    def rules_queue(self):
        return self.runs_program and self.mode == "queue"

    @property
    def helper(self):
        """The helper that the rules give control connections; None: none."""
        if self.engine == "none":
            return None
        if self.engine == "kernel":
            return "ftp"
        return self.queueing.carrier if self.mode == "queue" else HELPER

    # --- roles and addresses -----------------------------------------------------------------------------------------

    @property
    def client(self):
        """The role whose namespace the FTP client runs in."""
        return "router" if self.topology.router_is == "client" else "client"

    @property
    def server(self):
        """The role whose namespace the FTP server runs in."""
        return "router" if self.topology.router_is == "server" else "server"

    def is_inside(self, host):
        return host.startswith("client") == self.topology.clients_inside

    def address(self, role, family=4):
        """The address a host itself has. The router's is that on the side of its peer, if it is an endpoint itself."""
        plan = self.plan[family]
        if role == "router":
            return plan.inside_router if self.topology.router_is == "server" else plan.outside_router[0]
        return (plan.inside if self.is_inside(role) else plan.outside)[int(role.endswith("2"))]

    def dial(self, host=None, family=4):
        """The address under which a client reaches a server ("server", "server2", or the topology's own)."""
        host = host or self.server
        if host == "router" or not self.topology.dnat:
            return self.address(host, family)
        plan = self.plan[family]
        return (plan.public if self.topology.masquerade else plan.outside_router)[int(host.endswith("2"))]

    def translations(self, family=4):
        """The router's NAT as pairs (the host's own address, what the other side sees)."""
        pairs = []
        if self.topology.masquerade:
            pairs += [(self.address(host, family), self.plan[family].outside_router[0]) for host in ("client", "client2")]
        if self.topology.dnat:
            pairs += [(self.address(host, family), self.dial(host, family)) for host in ("server", "server2")]
        return pairs

    # --- up and down -------------------------------------------------------------------------------------------------

    def __enter__(self):
        return self.up()

    def __exit__(self, *_exception):
        if not self._detached:
            self.close()

    def up(self):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run this with sudo")
        _watch_over(self)
        try:
            self._record()
            self._make_hosts()
            self._make_router()
            if self.runs_program:
                self.daemon_start()  # before the rules: in mode cthelper they need what it registers
            self.backend.load(self)
        except BaseException:
            self.close()
            raise
        return self

    def _record(self):
        """Takes a name that nobody has, and notes it before anything is made under it."""
        STATE_DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
        while self.name is None:
            name = f"nfqftp{os.getpid()}-{next(self._numbers)}"
            with contextlib.suppress(FileExistsError), open(STATE_DIRECTORY / f"{name}.json", "x") as file:
                self.name = name
                self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
                self.directory.chmod(0o755)  # servers give up root and must still get at their files
                json.dump({"name": name, "pid": os.getpid(), "start": process_start(os.getpid()),
                           "directory": str(self.directory), "topology": self.topology_name, "engine": self.engine}, file)

    def detach(self):
        """Leaves the lab standing when this process ends; remove_abandoned() or remove_recorded() takes it down."""
        self._detached = True
        with _live_lock:
            _live.discard(self)

    def close(self):
        """Takes everything down. May be called at any time and again: what was interrupted is then finished."""
        with self._lock:
            self._closed = True
            for child in self._children:
                end_process(child)
            if self.name:
                remove_recorded({"name": self.name, "directory": str(self.directory)})
        with _live_lock:
            _live.discard(self)

    def _make_hosts(self):
        """Namespaces, and a cable from each host to the bridge of its side in the router."""
        router = self.netns("router")
        for role in ("router", *HOSTS):
            command(["ip", "netns", "add", self.netns(role)])
        # Addresses work at once, without duplicate address detection; routed packets never see bridge-nf.
        self._sysctl("router", "net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1",
                     "net/ipv6/conf/default/accept_dad=0", "net/bridge/bridge-nf-call-iptables=0",
                     "net/bridge/bridge-nf-call-ip6tables=0")
        self._ip("router", "link set lo up", *(line for side in ("inside", "outside") for line in
                                               (f"link add {side} type bridge", f"link set {side} up")))
        for host in HOSTS:
            self._sysctl(host, "net/ipv6/conf/default/accept_dad=0")
            self._ip(host, f"link add eth0 type veth peer name {host} netns {router}", "link set lo up",
                     "link set eth0 up", *self._host_addresses(host))
            self._ip("router", f"link set {host} master {'inside' if self.is_inside(host) else 'outside'}",
                     f"link set {host} up")

    def _host_addresses(self, host):
        """An outside host knows no way inside but in topologies without NAT: an untranslated address fails at once."""
        inside = self.is_inside(host)
        for plan in (self.plan[family] for family in FAMILIES):
            address = (plan.inside if inside else plan.outside)[int(host.endswith("2"))]
            yield f"address add {address}/{plan.prefix} dev eth0"
            if inside or not (self.topology.masquerade or self.topology.dnat):
                yield f"route add default via {plan.inside_router if inside else plan.outside_router[0]}"

    def _make_router(self):
        lines = []
        for plan in (self.plan[family] for family in FAMILIES):
            lines.append(f"address add {plan.inside_router}/{plan.prefix} dev inside")
            lines += [f"address add {address}/{plan.prefix} dev outside" for address in self._router_outside(plan)]
        self._ip("router", *lines)
        if not self.offloads:
            self._switch_offloads_off()

    def _router_outside(self, plan):
        """Behind DNAT alone each server has a public address; else the second would only confuse masquerading."""
        return plan.outside_router if self.topology.dnat and not self.topology.masquerade else plan.outside_router[:1]

    def _switch_offloads_off(self):
        interfaces = [(host, "eth0") for host in HOSTS]
        interfaces += [("router", interface) for interface in (*HOSTS, "inside", "outside")]
        for role, interface in interfaces:
            self.run(role, ["ethtool", "-K", interface, "tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off"],
                     check=True)

    def _ip(self, role, *lines):
        self.run(role, ["ip", "-batch", "-"], input="\n".join(lines) + "\n", check=True)

    def _sysctl(self, role, *settings):
        """Sets what of these this kernel has (bridge-nf may be missing)."""
        script = 'for s in "$@"; do f=/proc/sys/${s%=*}; [ ! -e "$f" ] || echo "${s#*=}" >"$f" || exit; done'
        self.run(role, ["sh", "-c", script, "sysctl", *settings], check=True)

    # --- processes ---------------------------------------------------------------------------------------------------

    def netns(self, role):
        """The namespace's name, for ip netns."""
        return namespace_name(self.name, role)

    def inside_argv(self, role, argv):
        """Enters the network namespace only; ip netns exec and ip -n would also remount /sys, which not every container allows."""
        return ["nsenter", f"--net=/run/netns/{self.netns(role)}", "--", *map(str, argv)]

    def popen(self, role, argv, **options):
        """Starts a process in a namespace; its pid is the program's own. close() ends it if it still runs."""
        options.setdefault("stdin", subprocess.DEVNULL)
        with self._lock:
            if self._closed:
                raise LabError(f"lab {self.name} is down")
            process = subprocess.Popen(self.inside_argv(role, argv), start_new_session=True, **options)
            self._children = [child for child in self._children if child.poll() is None] + [process]
        return process

    def run(self, role, argv, *, input=None, timeout=6 * PATIENCE, check=False, env=None, cwd=None):
        """Runs a program in a namespace to its end: a CompletedProcess with text.

        A program that takes too long is killed and has returncode None. With check, anything but success is a LabError.
        """
        process = self.popen(role, argv, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, env=env, cwd=cwd,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        try:
            out, err = process.communicate(input, timeout)
            result = subprocess.CompletedProcess(argv, process.returncode, out, err)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            result = subprocess.CompletedProcess(argv, None, out, err)
        if check and result.returncode != 0:
            why = f"took more than {timeout:g} s" if result.returncode is None else f"exit status {result.returncode}"
            raise LabError(f"{argv[0]} in {role}: {(err.strip() or why)}".replace("\n", "; "))
        return result

    # --- the engine --------------------------------------------------------------------------------------------------

    @property
    def daemon_log(self):
        """Where the daemon's (or accepting program's) output goes, over all of its starts."""
        return self.directory / "daemon.log"

    def daemon_argv(self):
        argv = [str(self.binary)]
        if self.engine == "daemon":
            argv += ["run", "--mode", self.mode, "--queue", self.queueing.queue, "--mark", MARK, "--user", DAEMON_USER,
                     "--state-dir", str(self.directory / "state")]
            argv += ["--seqadj", self.seqadj, "--sure-queue", self.queueing.sure] if self.rules_queue else []
        else:
            argv += ["--queue", self.queueing.queue]
        return argv + self.daemon_args

    def daemon_start(self, timeout=6 * PATIENCE):
        """Starts the program and returns when it says that it is ready (accept: when its queues are bound)."""
        if not os.access(self.binary, os.X_OK):
            raise LabError(f"engine {self.engine}: {self.binary} is no program (run make)")
        before = self.daemon_log.stat().st_size if self.daemon_log.exists() else 0
        with open(self.daemon_log, "ab") as log:
            self.daemon = self.popen("router", self.daemon_argv(), stdout=log, stderr=log)

        def said():
            with open(self.daemon_log, errors="replace") as log:
                log.seek(before)
                return log.read()

        def is_ready():
            if self.daemon.poll() is not None:
                last = (said().strip().splitlines() or ["nothing"])[-1]
                raise LabError(f"{self.binary.name} ended with status {self.daemon.returncode}; it said: {last}")
            if self.engine == "daemon":
                return "ready" in said()
            return all(is_queue_bound(self.daemon.pid, number) for number in self.queueing.numbers())

        wait_until(is_ready, timeout, f"{self.binary.name} to be ready")
        return self.daemon

    def daemon_stop(self):
        """Ends the program with SIGTERM and returns its exit status."""
        return end_process(self.daemon, timeout=10)

    def daemon_kill9(self):
        """Ends the program as a crash would."""
        self.daemon.kill()
        return self.daemon.wait()

    # --- looking -----------------------------------------------------------------------------------------------------

    def rules(self, family=4):
        """The router's rules as the kernel has them."""
        return self.backend.listed(self, family)

    def conntrack(self, *arguments, role="router"):
        """The lines of `conntrack ARGUMENTS` (default: -L)."""
        return self.run(role, ["conntrack", *(arguments or ("-L",))], check=True).stdout.splitlines()

    def expectations(self):
        """The connections of both families that the router expects now, one line each."""
        return self.conntrack("-L", "expect", "-f", "ipv4") + self.conntrack("-L", "expect", "-f", "ipv6")

    def capture(self, role, interface, path, expression="tcp"):
        """Starts to capture; returns a Capture when packets are being taken.

        Interfaces: eth0 of a host; inside and outside of the router.
        """
        log = self.directory / f"tcpdump-{role}-{interface}-{time.monotonic_ns()}.log"
        with open(log, "wb") as output:
            process = self.popen(role, ["tcpdump", "--immediate-mode", "-U", "-n", "-s", "0", "-Z", "root", "-i", interface,
                                        "-w", path, expression], stdout=output, stderr=output)

        def is_listening_now():
            if process.poll() is not None:
                raise LabError(f"tcpdump on {interface} of {role}: {log.read_text().strip()}")
            return "listening on" in log.read_text() and os.path.exists(path) and os.path.getsize(path) >= 24

        wait_until(is_listening_now, 10, f"tcpdump on {interface} of {role}")
        return Capture(process, path)
