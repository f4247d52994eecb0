# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stranger does: follows README to a working transfer, and takes everything away again."""

import os
import re
import shlex
import signal

import test_streams
from lab import FAMILIES, TREE, Lab, end_process, wait_until
from rawftp import RawClient, check
from servers import Server
from test_rules import BACKENDS, BINARY
from variants import PREFIX

START = re.compile(r"^(?:sudo )?nfq-ftp-helper run\b.*", re.MULTILINE)
SUDO = "#!/bin/sh\nexec \"$@\"\n"  # whoever runs this is root, on a machine that may not have it
PATIENCE = 60
PATIENCE_TO_INSTALL = 240  # in an emulated machine `make install' alone takes 40 s, of which most is looking at the tree's files


def wait_for_ready(process, log, patience=PATIENCE):
    wait_until(lambda: process.poll() is not None or "ready" in log.read_text(), patience, "nfq-ftp-helper to be ready")
    check(process.poll() is None, f"it ended: {log.read_text().strip()}")


def transfers(lab, families=FAMILIES):
    for family in families:
        for mode in ("EPRT", "EPSV"):
            with RawClient(lab, family=family) as session:
                test_streams.fetch_small(session, mode)


# ---------------------------------------------------------------------------------------------------------------------
# Every way to start a router that README and the operator's guide have

def documented_scripts():
    """Their indented blocks that start the daemon."""
    text = "\n".join((TREE / name).read_text() for name in ("README.md", "doc/operating.md"))
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    scripts = [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks]
    return [script for script in scripts if START.search(script)]


def is_installation(script):
    return "make install" in script


def name_of(number, script):
    what = "install" if is_installation(script) else "iptables" if "iptables" in script else "nft"
    return f"{number}-{what}"


def environment_for(lab, script):
    """What is installed goes into the lab's directory, and only that is found there."""
    bin_directory, prefix = lab.directory / "bin", lab.directory / "usr"
    bin_directory.mkdir()
    sudo = bin_directory / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    program = prefix / "sbin" if is_installation(script) else TREE / "build"
    return dict(os.environ, PATH=f"{bin_directory}:{program}:{os.environ['PATH']}", prefix=str(prefix))


def follow_documentation(lab, script):
    """In the checkout, on a router that does NAT already; the daemon is the last thing started. It ends with the lab."""
    log = lab.directory / "documented.log"
    with open(log, "wb") as output:
        process = lab.popen("router", ["sh", "-ec", script], cwd=TREE, env=environment_for(lab, script), stdout=output,
                            stderr=output)
    wait_for_ready(process, log, PATIENCE_TO_INSTALL if is_installation(script) else PATIENCE)
    transfers(lab, (4,) if "iptables" in script else FAMILIES)
    if is_installation(script):
        commands = script.strip().splitlines()
        check(len(commands) == 3, f"these are not three commands: {commands}")


def group_documented(options, report):
    """With an engine other than the daemon, to see the test fail, only the rest of a script is followed."""
    scripts = documented_scripts()
    check(any(map(is_installation, scripts)), "README.md does not tell how to install and start nfq-ftp-helper")
    for number, script in enumerate(scripts):
        if options.engine != "daemon":
            script = START.sub("echo ready; sleep 60", script)
        with Lab("masquerade", backend="nft") as lab, Server("vsftpd", lab) as server:
            test_streams.serve_files(server)
            report.case(f"{PREFIX}/documented/{name_of(number, script)}", follow_documentation, lab, script)


# ---------------------------------------------------------------------------------------------------------------------
# And away again

def without_counters(lab):
    return lab.run("router", ["nft", "--stateless", "list", "ruleset"], check=True).stdout


def leaves_no_trace(lab, mode, backend):
    """rules --apply, what it says is to be started, and rules --remove leave the ruleset as it was, byte for byte."""
    rules = [BINARY, "rules", "--mode", mode, "--backend", backend]
    before = lab.rules()
    words = lab.run("router", rules, check=True).stdout.splitlines()[0].partition("it goes with: ")[2].split()
    check(words[:2] == ["nfq-ftp-helper", "run"], f"`{shlex.join(rules)}' does not say what to start")
    lab.run("router", [*rules, "--apply"], check=True)
    applied = without_counters(lab)
    check(lab.rules() != before, "nothing was applied")
    log = lab.directory / "trace.log"
    with open(log, "wb") as output:
        argv = [BINARY, *words[1:], "--state-dir", str(lab.directory / "trace")]
        daemon = lab.popen("router", argv, stdout=output, stderr=output)
    wait_for_ready(daemon, log)
    transfers(lab)
    check(without_counters(lab) == applied, "the daemon has changed the ruleset")
    check(end_process(daemon, timeout=10) in (0, -signal.SIGTERM), f"the daemon failed: {log.read_text().strip()}")
    lab.run("router", [*rules, "--remove"], check=True)
    check(lab.rules() == before, "what is left is not what there was before")


def group_traces(mode, backends=BACKENDS):
    def group(_options, report):
        for backend in backends:
            with Lab("masquerade", backend="nft") as lab, Server("vsftpd", lab) as server:
                test_streams.serve_files(server)
                report.case(f"{PREFIX}/no-trace/{mode}/{backend}", leaves_no_trace, lab, mode, backend)
    return group
