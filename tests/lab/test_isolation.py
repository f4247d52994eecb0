#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running daemon may do, as /proc tells, and by trying: calls and writes are planted in it (planted.c).

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why. Exit status 1 if one failed.
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

from cases import main
from lab import DAEMON_USER, PATIENCE, TREE, wait_until
from rawftp import Wrong, check
from test_rules import BINARY, Namespace

PLANTED = TREE / "build/tests/lab/planted.so"
NET_ADMIN = 1 << 12
STARTING = 4 * PATIENCE  # seconds
# So systemd begins it, as the unit says.
AS_A_UNIT = ("setpriv", "--reuid", DAEMON_USER, "--regid", DAEMON_USER, "--clear-groups", "--inh-caps", "+net_admin",
             "--ambient-caps", "+net_admin", "--bounding-set", "-all,+net_admin")
# What ends the daemon, and what it is only kept from (an errno), or may do: 0.
ENDED = ("execve", "socket-inet", "socket-packet", "socket-unix", "socket-generic", "connect", "send-by-name", "send-message", "ptrace", "kill",
         "set-owner", "chmod", "setuid", "capset", "mount", "bpf", "io_uring", "unshare", "clone-namespace", "mmap-exec", "mprotect-exec", "dumpable")
ENOSYS = 38
LIVES = {"socket-route": 0, "file-flags": 0, "fork": 0, "clone3": ENOSYS}


class Daemon:
    """One in a namespace of its own; what it says is in `log'."""

    def __init__(self, namespace, directory, *arguments, prefix=(), mode="queue", sure="1", **environment):
        self.log = pathlib.Path(directory) / "log"
        self.state = pathlib.Path(directory) / "state"
        queues = ("--sure-queue", sure) if mode == "queue" else ()
        argv = [*prefix, BINARY, "run", "--mode", mode, *queues, "--state-dir", str(self.state), *arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(namespace.argv(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **environment})

    def __enter__(self):
        self.wait_for("ready")
        return self

    def __exit__(self, *_exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, text):
        def is_there():
            if self.process.poll() is not None and text not in self.said():
                raise Wrong(f"the daemon ended with status {self.process.returncode}: {self.said().strip()}")
            return text in self.said()

        wait_until(is_there, STARTING, f"`{text}' from the daemon, which said {self.said()!r}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(STARTING) == 0, f"the daemon ended with status {self.process.returncode}: {self.said()}")


def rights(pid):
    """/proc/PID/status, for each thread: a dictionary."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        yield dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())


def check_confined(pid, user, bound=0):
    threads = list(rights(pid))
    for status in threads:
        name = status["Name"].strip()
        check(status["Uid"].split() == [str(user)] * 4, f"{name}: Uid is {status['Uid']}")
        check(status["Gid"].split() == [str(user)] * 4, f"{name}: Gid is {status['Gid']}")
        check(not status["Groups"].split(), f"{name}: Groups is {status['Groups']}")
        for set_ in ("CapEff", "CapPrm"):
            check(int(status[set_], 16) == NET_ADMIN, f"{name}: {set_} is {status[set_]}")
        for set_, most in (("CapInh", 0), ("CapBnd", bound), ("CapAmb", 0)):
            check(int(status[set_], 16) == most, f"{name}: {set_} is {status[set_]}")
        check(status["NoNewPrivs"].strip() == "1", f"{name}: NoNewPrivs is {status['NoNewPrivs']}")
        check(status["Seccomp"].strip() == "2", f"{name}: Seccomp is {status['Seccomp']}")
    return len(threads)


@contextlib.contextmanager
def daemon(*arguments, **options):
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory, Namespace() as namespace:
        with Daemon(namespace, directory, *arguments, **options) as one:
            yield one


# ---------------------------------------------------------------------------------------------------------------------

def is_confined():
    with daemon("--user", DAEMON_USER, prefix=("setpriv", "--groups", "4,27")) as one:
        threads = check_confined(one.process.pid, DAEMON_USER)
        check(threads >= 3, f"{threads} threads were looked at: main, the log's and a worker's")
        check("event=isolation what=\"user " + DAEMON_USER + ", CAP_NET_ADMIN alone, no new privileges, " in one.said(),
              f"the log says {one.said()!r}")
        one.stop()
        return f"{threads} threads"


def children(one, name):
    """The daemon's, of that name."""
    found = pathlib.Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
    return [pid for pid in found if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name]


def watcher_is_confined():
    """It has sockets that the daemon is not to have, so it is another process; that it is gone is said."""
    with daemon("--user", DAEMON_USER) as one:
        watchers = children(one, "nfq-ftp-watch")
        check(len(watchers) == 1, f"processes that watch the rules: {watchers}")
        wait_until(lambda: any(status["Seccomp"].strip() == "2" for status in rights(watchers[0])), STARTING, "the watcher's list of calls")
        check(check_confined(watchers[0], DAEMON_USER) == 1, "it has more than one thread")
        os.kill(int(watchers[0]), signal.SIGKILL)
        one.wait_for("event=rules-unwatched")
        one.stop()


def guard_is_confined():
    """And a later one, which is forked off behind the list of calls."""
    with daemon("--user", DAEMON_USER, mode="cthelper") as one:
        first = children(one, "nfq-ftp-guard")
        check(len(first) == 1, f"guards of the daemon: {first}")
        check_confined(first[0], DAEMON_USER)
        os.kill(int(first[0]), signal.SIGKILL)
        wait_until(lambda: children(one, "nfq-ftp-guard") not in ([], first), STARTING, "another guard")
        check_confined(children(one, "nfq-ftp-guard")[0], DAEMON_USER)
        one.stop()


def tidies_up():
    """What a daemon with more queues has left goes, also when it was killed."""
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory, Namespace() as namespace:
        pathlib.Path(directory).chmod(0o711)
        sizes = ("--sessions", "1000", "--user", DAEMON_USER)
        with Daemon(namespace, directory, "--queue", "0:3", *sizes, sure="10:13"):
            pass
        with Daemon(namespace, directory, "--queue", "1:2", *sizes, sure="11:12") as one:
            one.wait_for("queue-3' is of a queue that is no longer used, and removed")
            wait_until(lambda: not (one.state / "queue-0").exists(), STARTING, "the first queue's file to go")
            tables = {path.name for path in one.state.glob("queue-*")}
            check(tables == {"queue-1", "queue-1.lock", "queue-2", "queue-2.lock"}, f"in the state directory is {tables}")
            one.stop()


def without_a_user_it_is_said():
    if subprocess.run(["id", "nfq-ftp"], capture_output=True).returncode == 0:
        return "there is one here"
    with daemon() as one:
        check_confined(one.process.pid, 0)
        check("this stays root's process, with CAP_NET_ADMIN alone, since there is no user `nfq-ftp'" in one.said(),
              f"the log says {one.said()!r}")
        one.stop()


def no_sandbox_is_said():
    with daemon("--no-sandbox", "--user", DAEMON_USER) as one:
        for status in rights(one.process.pid):
            check(status["Uid"].split()[1] == "0" and status["Seccomp"].strip() == "0", "it is confined")
            check(int(status["CapEff"], 16) != NET_ADMIN, "it has CAP_NET_ADMIN alone")
        check("--no-sandbox: this process, which reads what strangers write, keeps all its rights" in one.said(),
              f"the log says {one.said()!r}")
        one.stop()


def user_is_none(name, words, status=1):
    with tempfile.TemporaryDirectory() as directory, Namespace() as namespace:
        done = namespace.run(BINARY, "run", "--mode", "queue", "--state-dir", directory, "--user", name, status=status)
        check(words in done.stderr and len(done.stderr.splitlines()) == 1, f"it says {done.stderr!r}")


def kernel_counters_are_seen(namespace, one, seen):
    """Or it is said that they are not, and why: in the log, by status, and as a metric."""
    check(("`/proc/net/netfilter/nfnetlink_queue' is root's" in one.said()) != seen, f"the log says {one.said()!r}")
    queues = json.loads(namespace.run(BINARY, "status", "--json", "--state-dir", str(one.state)).stdout)["queues"]
    check(all(("waiting" in queue) == seen and ("chgrp" in queue.get("unseen", "")) != seen for queue in queues), f"status says {queues}")
    metrics = namespace.run(BINARY, "metrics", "--state-dir", str(one.state)).stdout
    check(f'nfq_ftp_helper_queue_seen{{queue="0"}} {int(seen)}\n' in metrics and ("queue_waiting{" in metrics) == seen,
          "the metrics say something else")


def the_group_may_read_what_the_kernel_counts():
    """Where the file is its group's, as the unit makes it."""
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory, Namespace() as namespace:
        os.chmod(directory, 0o755)
        os.mkdir(f"{directory}/state", 0o700)
        os.chown(f"{directory}/state", int(DAEMON_USER), int(DAEMON_USER))
        namespace.run("chgrp", DAEMON_USER, "/proc/net/netfilter/nfnetlink_queue")
        with Daemon(namespace, directory, "--user", DAEMON_USER, prefix=AS_A_UNIT) as one:
            kernel_counters_are_seen(namespace, one, True)
            check_confined(one.process.pid, DAEMON_USER, NET_ADMIN)
            one.stop()


def as_a_unit_starts_it():
    """As another user from the beginning, with CAP_NET_ADMIN as an ambient capability; then as root, and as that user again."""
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory, Namespace() as namespace:
        os.chmod(directory, 0o755)
        os.mkdir(f"{directory}/state", 0o700)
        os.chown(f"{directory}/state", int(DAEMON_USER), int(DAEMON_USER))
        for arguments, options in (((), {"prefix": AS_A_UNIT}), ((), {}), ((), {"prefix": AS_A_UNIT}), (("--no-sandbox",), {}),
                                   ((), {"prefix": AS_A_UNIT})):
            with Daemon(namespace, directory, *arguments, "--user", DAEMON_USER, **options) as one:
                kernel_counters_are_seen(namespace, one, "prefix" not in options)
                if "no-sandbox" not in one.said():
                    check_confined(one.process.pid, DAEMON_USER, NET_ADMIN if "prefix" in options else 0)
                one.stop()
                check("set aside" not in one.said(), f"the log says {one.said()!r}")
                one.log.unlink()


def check_tells(level, text, *arguments):
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory, Namespace() as namespace:
        namespace.rules("--apply", "--mode", "queue")
        with Daemon(namespace, directory, *arguments) as one:
            told = json.loads(namespace.run(BINARY, "status", "--json", "--state-dir", str(one.state)).stdout)["sandbox"]
            check(told == ("none" if level == "note" else one.said().partition('event=isolation what="')[2].partition('"')[0]),
                  f"status says {told!r}")
            done = namespace.run(BINARY, "check", "--json", status=None)
            rows = [row for row in json.loads(done.stdout)["rows"] if row["name"] == "isolation"]
            check(len(rows) == 1 and rows[0]["level"] == level and text in rows[0]["text"], f"check says {rows}")
            return rows[0]["text"]


def plant(name, *arguments, worker=False):
    """Return: the daemon's exit status, None while it lives, and the errno that it said."""
    more = {"PLANTED_WORKER": "yes"} if worker else {}
    with daemon(*arguments, LD_PRELOAD=str(PLANTED), PLANTED=name, **more) as one:
        one.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "planted: " in one.said() or one.process.poll() is not None, STARTING, f"what comes of {name}")
        said = [line for line in one.said().splitlines() if line.startswith("planted: ")]
        if said:
            time.sleep(0.1)
        return one.process.poll(), int(said[0].split()[1]) if said else None


def call_ends_it(name, worker):
    status, said = plant(name, "--user", DAEMON_USER, worker=worker)
    check(status == -signal.SIGSYS, f"the daemon's status is {status}, errno {said}")


def call_does_not_end_it(name, error):
    status, said = plant(name, "--user", DAEMON_USER)
    check(status is None and said == error, f"the daemon's status is {status}, errno {said}")


def call_is_possible_without(name):
    """Or nothing would have been shown."""
    status, said = plant(name, "--no-sandbox")
    check(status != -signal.SIGSYS, f"the daemon's status is {status}, errno {said}")


# Those first that take no time, for a machine that is slow.
ROOTS = ("/dev/shm", "/run/lock", "/tmp", "/run", "/dev", "/", "/sys")


def places(user):
    """What this user may write to by owner and mode: directories, files and character devices."""
    who = ["-writable"] if user == "0" else ["-perm", "-0002"]
    found = subprocess.run(["timeout", "20", "find", *ROOTS, "-xdev", "-maxdepth", "3", *who,
                            "(", "-type", "d", "-o", "-type", "c", "-o", "-type", "f", ")"],
                           capture_output=True, text=True, errors="replace")
    return sorted({line for line in found.stdout.splitlines() if not line.startswith("/proc/")})


def writes(tried, *arguments):
    """Return: which of the places, the state directory besides, the daemon can write to; the state directory."""
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-isolation-") as directory:
        listed = pathlib.Path(directory) / "list"
        os.chmod(directory, 0o755)
        with daemon(*arguments, LD_PRELOAD=str(PLANTED), PLANTED=f"write:{listed}") as one:
            os.chmod(one.state.parent, 0o755)
            listed.write_text("".join(f"{place}\n" for place in [*tried, one.state]))
            one.process.send_signal(signal.SIGUSR1)
            one.wait_for("planted: ")
            wrote = [line.removeprefix("planted wrote: ") for line in one.said().splitlines() if "planted wrote" in line]
            return wrote, str(one.state)


def no_writable_path(user, *arguments):
    tried = [place for place in places(user) if user != "0" or pathlib.Path(place).is_dir()]
    check("/tmp" in tried and len(tried) > 3, f"only {tried} were found to try")
    wrote, state = writes(tried, *arguments)
    check(wrote == [state], f"it can write to {wrote}")
    return f"{len(tried)} places were tried"


def writes_without():
    """Or nothing would have been shown."""
    wrote, state = writes(["/tmp", "/run"], "--no-sandbox")
    check(wrote == ["/tmp", "/run", state], f"it can write to {wrote}")


def has_landlock():
    with daemon("--user", DAEMON_USER) as one:
        return "Landlock" in one.said() and "no Landlock" not in one.said()


def has_cthelper():
    with Namespace() as namespace:
        return namespace.run(BINARY, "rules", "--apply", "--mode", "cthelper", status=None).returncode == 0


def proc(_options, report):
    report.case("proc", is_confined)
    report.case("watcher", watcher_is_confined)
    report.case("tidies-up", tidies_up)
    if has_cthelper():
        report.case("guard", guard_is_confined)
    else:
        report.skip("guard", "this kernel has no helpers of user space")
    report.case("no-user", without_a_user_it_is_said)
    report.case("no-sandbox", no_sandbox_is_said)
    report.case("unknown-user", user_is_none, "nfq-ftp-nobody", "there is no such user")
    report.case("user-root", user_is_none, "root", "not root's", 2)
    report.case("user-0", user_is_none, "0", "not root's", 2)
    report.case("as-a-unit", as_a_unit_starts_it)
    report.case("as-a-unit/kernel-counters", the_group_may_read_what_the_kernel_counts)
    report.case("check", check_tells, "yes", f"is user {DAEMON_USER}, with CAP_NET_ADMIN alone, no new privileges, and a list of "
                "system calls; the kernel has ", "--user", DAEMON_USER)
    report.case("check/no-sandbox", check_tells, "note", "may do more than it needs: user 0, other capabilities", "--no-sandbox")


def paths(_options, report):
    if not has_landlock():
        report.skip("writes", "this kernel has no Landlock")
        return
    report.case("writes/user", no_writable_path, DAEMON_USER, "--user", DAEMON_USER)
    report.case("writes/root", no_writable_path, "0")
    report.case("writes/no-sandbox", writes_without)


def calls(_options, report):
    for name in ENDED:
        report.case(f"call/{name}", call_ends_it, name, False)
    report.case("call/worker/execve", call_ends_it, "execve", True)
    report.case("call/worker/socket-inet", call_ends_it, "socket-inet", True)
    for name, error in LIVES.items():
        report.case(f"call/{name}", call_does_not_end_it, name, error)
    for name in ("socket-inet", "execve", "mmap-exec", "unshare"):
        report.case(f"call/{name}/no-sandbox", call_is_possible_without, name)


if __name__ == "__main__":
    sys.exit(main(__doc__, {"proc": proc, "paths": paths, "calls": calls}))
