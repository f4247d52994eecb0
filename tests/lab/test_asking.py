#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The running daemon is asked: status, sessions, expectations, follow, metrics.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured. Exit status 1 if one
failed.
"""

import contextlib
import grp
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time

import openmetrics
from cases import daemon_lab, main
from clients import PASSWORD
from lab import TREE, wait_until
from rawftp import RawClient, check, next_port
from servers import Server

SMALL = b"what is fetched\n" * 20
READERS = 64  # so many are answered at once
STALLED = 200
TRANSFERS = 20
SETTLE = 0.3  # seconds until what a worker has counted is published


def serve_files(server):
    (server.pub / "small").write_bytes(SMALL)


def state(lab):
    return lab.directory / "state"


def ask_raw(lab, *arguments):
    return subprocess.run([str(lab.binary), arguments[0], "--state-dir", str(state(lab)), *arguments[1:]], text=True,
                          capture_output=True, timeout=20)


def ask(lab, *arguments):
    """The lines of an answer."""
    done = ask_raw(lab, *arguments, "--json")
    check(done.returncode == 0, f"{arguments[0]}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def alive(lab):
    """The one session that goes on; those that have ended are listed for a while."""
    rows = ask(lab, "sessions", "--state", "ready")[1:]
    check(len(rows) == 1, f"sessions: {rows}")
    return rows[0]


def metrics(lab):
    time.sleep(SETTLE)
    done = ask_raw(lab, "metrics")
    check(done.returncode == 0, done.stderr.strip())
    try:
        return openmetrics.parse(done.stdout)
    except ValueError as error:
        check(False, f"metrics: {error}")


def total(families, name, **labels):
    return families[f"nfq_ftp_helper_{name}"].value("_total", **labels)


def gauge(families, name):
    return families[f"nfq_ftp_helper_{name}"].value("")


# ---------------------------------------------------------------------------------------------------------------------

def status(lab):
    with RawClient(lab) as session:
        session.send(b"PORT 10,0,0,2,0,22\r\n")
        session.reply()
        time.sleep(SETTLE)
        answer, = ask(lab, "status")
        check(answer["version"] == 1 and answer["mode"] == lab.mode, f"{answer}")
        check(answer["sessions"]["now"] >= 1, f"sessions: {answer['sessions']}")
        check("CAP_NET_ADMIN" in answer["sandbox"], f"sandbox: {answer['sandbox']}")
        check(answer["queues"][0]["waiting"] == 0 and answer["queues"][0]["dropped_full"] == 0, f"queues: {answer['queues']}")
        refusal = next(row for row in answer["refusals"] if row["reason"] == "port")
        check(refusal["count"] == 1 and "--min-port" in refusal["advice"] and refusal["command"] == "PORT", f"{refusal}")
        check(time.time() - refusal["last"] < 10 and 0 < answer["uptime"] < 300, f"{refusal['last']} {answer['uptime']}")
    text = ask_raw(lab, "status").stdout
    check("--min-port sets the limit" in text and max(map(len, text.splitlines())) <= 100, text)


def sessions(lab):
    """What is listed is what goes on; an expectation is there until its connection has come."""
    with RawClient(lab) as session:
        listener = session.announce("PORT", next_port(1))
        row = alive(lab)
        check(row["client"].startswith(lab.address(lab.client) + ":") and row["command"] == "PORT", f"{row}")
        check(row["shift"]["client"] != 0 and row["shift"]["server"] == 0 and row["expectations"] == 1, f"{row}")
        check(row["seqadj"] == lab.seqadj and row["age"] <= 16 and row["idle"] <= 2 and row["logged_in"], f"{row}")
        check(not ask(lab, "sessions", "--port", "4711")[1:], "a filter takes what it should not")
        expected, = ask(lab, "expectations")[1:]
        check(expected["to"].endswith(f":{listener.getsockname()[1]}") and expected["command"] == "PORT", f"{expected}")
        check(250 < expected["left"] <= 300, f"{expected}")
        check(session.receive_by(listener, "pub/small") == SMALL, "other bytes arrived")
        row = alive(lab)
        check(row["command"] == "RETR", f"{row}")
    text = ask_raw(lab, "sessions").stdout
    check("CLIENT" in text, text)


def counters(lab):
    """A session with a transfer, a refusal, and a bare command moves what it should, and by how much."""
    before = metrics(lab)
    with RawClient(lab) as session:
        session.fetch("PORT", "pub/small", port=next_port(1))
        session.command("NOOP", (200,))
        session.send(b"PORT 10,0,0,2,0,22\r\n")
        session.reply()
        during = metrics(lab)
    after = metrics(lab)

    def moved(name, **labels):
        return total(after, name, **labels) - total(before, name, **labels)

    for name, by in (("sessions_begun", 1), ("rewrites", 1), ("expectations_made", 1), ("handshakes", 1)):
        check(moved(name) == by, f"{name} moved by {moved(name)}")
    check(moved("refusals", reason="port") == 1, "the refusal is not counted")
    check(moved("verdicts", verdict="replace") >= 1 and moved("verdicts", verdict="accept") >= 5, "verdicts are not counted")
    check(moved("packets_rewritten") == 1 and moved("conntrack_exchanges") >= 1, "the rewrite's packet is not counted")
    check(gauge(during, "sessions") == gauge(before, "sessions") + 1, "the session is not there")
    verdicts = sum(moved("verdicts", verdict=verdict) for verdict in ("accept", "replace", "drop"))
    name = "nfq_ftp_helper_packet_seconds"
    timed = after[name].value("_count") - before[name].value("_count")
    check(timed == verdicts > 0, f"{timed} packets have a time, {verdicts} a verdict")
    seconds = after[name].value("_sum") - before[name].value("_sum")
    return f"{verdicts:.0f} packets, {seconds / verdicts * 1e6:.0f} us each in user space, at most"


def textfile(lab):
    path = lab.directory / "metrics.prom"
    done = ask_raw(lab, "metrics", "--textfile", str(path))
    check(done.returncode == 0 and not done.stdout, done.stderr.strip())
    check(stat.S_IMODE(path.stat().st_mode) == 0o644, f"mode {path.stat().st_mode:o}")
    check([name.name for name in lab.directory.glob("metrics.prom*")] == ["metrics.prom"], "something was left behind")
    text = path.read_text()
    check("# TYPE nfq_ftp_helper_packets_total counter\n" in text and "EOF" not in text, "it is of another format")


def promtool(lab):
    """Prometheus's own word on them, and that it would complain if there was something."""
    def said(text):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        return done.stdout + done.stderr

    text = ask_raw(lab, "metrics", "--textfile", "-").stdout
    check(text and not said(text), f"promtool: {said(text)}")
    check("counter metrics should have" in said(text.replace("packets_total", "packets")), "promtool complains of nothing")
    return f"it finds nothing in {len(text.splitlines())} lines"


def dashboard(lab):
    """Every metric that the dashboard asks for is there."""
    text = (TREE / "doc/grafana.json").read_text()
    panels = json.loads(text)["panels"]
    wanted = set(re.findall(r"nfq_ftp_helper_\w+", text))
    done = ask_raw(lab, "metrics", "--textfile", "-")
    there = {re.match(r"\w+", line)[0] for line in done.stdout.splitlines() if not line.startswith("#")}
    check(wanted <= there, f"not there: {sorted(wanted - there)}")
    return f"{len(panels)} panels, {len(wanted)} metrics"


def follow(lab):
    """Everything in its order; what was typed in the wrong place, and names of files, nowhere."""
    follower = lab.popen("router", [str(lab.binary), "follow", "--json", "--state-dir", str(state(lab))], stdout=subprocess.PIPE)
    try:
        first = json.loads(follower.stdout.readline())
        check(first == {"version": 1, "answer": "follow"}, f"{first}")
        with RawClient(lab) as session:
            session.fetch("PORT", "pub/small", port=next_port(1))
            for line in (b"PORT my-secret\r\n", b"PORT 10,0,0,2,0,22\r\n"):
                session.send(line)
                session.reply()
            session.command("QUIT", (221,))
        events = []
        while not events or events[-1]["event"] != "refuse" or "from" not in events[-1]:
            events.append(json.loads(follower.stdout.readline()))
    finally:
        follower.kill()
        follower.wait()
    order = [event["event"] for event in events if event["event"] in ("opened", "rewrite", "expect", "refuse")]
    check(order[0] == "opened" and set(order[1:3]) == {"rewrite", "expect"} and order[3:] == ["refuse", "refuse"], f"{order}")
    rewrite = next(event for event in events if event["event"] == "rewrite")
    check(rewrite["command"] == "PORT" and rewrite["from"] != rewrite["to"] and rewrite["shift"] != 0, f"{rewrite}")
    check(events[-1]["reason"] == "port" and events[-1]["from"] == "10,0,0,2,0,22", f"{events[-1]}")
    said = json.dumps(events)
    check("secret" not in said and "small" not in said, said)


def live(lab):
    """A session is drawn as it goes on, until it has ended; its password and its file's name are not."""
    drawing = lab.popen("router", [str(lab.binary), "explain", "--live", lab.address(lab.client), "--state-dir", str(state(lab))],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        check("no session of that address goes on" in drawing.stderr.readline(), "it says nothing of having to wait")
        with RawClient(lab) as session:
            session.fetch("PORT", "pub/small", port=next_port(1))
            session.command("QUIT", (221,))
        said, wrong = drawing.communicate(timeout=20)
    finally:
        drawing.kill()
        drawing.wait()
    check(drawing.returncode == 0 and not wrong, f"it ended with {drawing.returncode}: {wrong}")
    words = " ".join(said.split())
    for text in (r"--> PORT 10,0,0,2,\S+ \* PORT \S+ -->", r"port \d+\*256\+\d+ = \d+: port \d+ of 10\.0\.0\.2", r"address, 10\.0\.0\.2, means nothing to the server",
                 r"expected let in: one connection from", r"--> RETR ", r"<-- 226 ", r"--> QUIT ", r"\( the control connection ends \)"):
        check(re.search(text, words), f"`{text}' is not in {said}")
    check("small" not in said and f"PASS {PASSWORD}" not in said, said)


@contextlib.contextmanager
def stalled(lab, count):
    """So many who ask for everything, or for nothing, and take nothing."""
    sockets = []
    directory = os.open(state(lab), os.O_PATH | os.O_DIRECTORY)
    try:
        for number in range(count):
            sock = socket.socket(socket.AF_UNIX)
            sockets.append(sock)
            sock.connect(f"/proc/self/fd/{directory}/socket")
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(b'{"version":1,"ask":"%s"}\n' % (b"follow" if number % 3 else b"metrics") if number % 2 else b"{")
        yield sockets
    finally:
        os.close(directory)
        for sock in sockets:
            sock.close()


def readers_stall(lab):
    with stalled(lab, STALLED) as sockets:
        start = time.monotonic()
        with RawClient(lab) as session:
            for number in range(TRANSFERS):
                check(session.fetch("PORT", "pub/small", port=next_port(number)) == SMALL, "other bytes arrived")
        seconds = time.monotonic() - start
        busy = 0
        for sock in sockets:
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                busy += b'"busy"' in sock.recv(200)
        check(busy >= STALLED // 2 - READERS, f"{busy} were told that it is busy")
        wait_until(lambda: ask_raw(lab, "status").returncode == 0, 15, "somebody to be answered again")
    return f"{TRANSFERS} transfers in {seconds:.2f} s, {busy} of {STALLED} told that it is busy"


def killed(lab):
    """What a killed daemon leaves is no obstacle, and what it followed is listed anew, with its age."""
    with RawClient(lab) as session:
        time.sleep(SETTLE)
        lab.daemon_kill9()
        check((state(lab) / "socket").exists(), "the socket has gone with it")
        done = ask_raw(lab, "status")
        check(done.returncode == 1 and "no daemon answers" in done.stderr, f"{done}")
        lab.daemon_start()
        session.command("NOOP", (200,))
        row = alive(lab)
        check("age" in row and row["age"] is not None and row["command"], f"{row}")
    lab.daemon_stop()
    check(not (state(lab) / "socket").exists(), "the socket stays behind an orderly end")
    lab.daemon_start()


def of_a_group(lab):
    row = (state(lab) / "socket").stat()
    check(stat.S_IMODE(row.st_mode) == 0o660 and row.st_gid == grp.getgrnam("adm").gr_gid, f"mode {row.st_mode:o}, group {row.st_gid}")
    row = state(lab).stat()
    check(stat.S_IMODE(row.st_mode) == 0o710 and row.st_gid == grp.getgrnam("adm").gr_gid, f"mode {row.st_mode:o}, group {row.st_gid}")


CASES = {"status": status, "sessions": sessions, "counters": counters, "textfile": textfile, "dashboard": dashboard, "follow": follow, "live": live,
         "readers-stall": readers_stall, "killed": killed}


def group_asking(options, report):
    if options.engine != "daemon":
        report.skip("asking", "only the daemon can be asked")
        return
    with daemon_lab(options, "masquerade", daemon_args=["--group", "adm"]) as lab, Server("vsftpd", lab) as server:
        serve_files(server)
        report.case("asking/group", of_a_group, lab)
        for name, function in CASES.items():
            report.case(f"asking/{name}", function, lab)
        if shutil.which("promtool"):
            report.case("asking/promtool", promtool, lab)
        else:
            report.skip("asking/promtool", "promtool is not installed (Debian has it in its package prometheus, which is too much for scripts/deps)")


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n\n")[0], {"asking": group_asking}))
