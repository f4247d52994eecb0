#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""openwrt/, as far as it can be tried without OpenWrt: its scripts are read by busybox's ash and shellcheck, and the init script is run by that
shell with rc.common's functions played; what it would start is given to the program itself. The package cannot be built here.

Arguments: parts of names; none: all.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from package import PROGRAM, TREE, Skip, check, output, run

FILES = TREE / "openwrt" / "files"
INIT = FILES / "nfq-ftp-helper.init"
SCRIPTS = [INIT, FILES / "firewall.include", FILES / "nfq-ftp-helper.defaults"]

# What rc.common and procd give an init script, by lib/config/uci.sh and lib/functions/procd.sh: settings are CONFIG_NAME, calls are printed.
RC_COMMON = r"""
config_load() { :; }
config_get() { eval "$1=\${CONFIG_$3:-$4}"; }
config_get_bool() { eval "$1=\${CONFIG_$3:-$4}"; }
procd_open_instance() { echo open; }
procd_set_param() { local what=$1; shift; echo "set $what: $*"; }
procd_append_param() { local what=$1; shift; echo "append $what: $*"; }
procd_close_instance() { echo close; }
procd_add_reload_trigger() { echo "trigger: $*"; }
modprobe() { echo "modprobe $*"; }
mkdir() { echo "mkdir: $*"; }
. "$INIT"
PROGRAM=$STUB
"$@"
"""

# Speaks for the program, and has its own words for `rules' without --apply.
STUB = """#!/bin/sh
case " $* " in *" --apply "* | *" --remove "*) echo "ran: $*" ;; *) exec "$REAL" "$@" ;; esac
"""

MODULE = Path("/sys/module/nf_conntrack_nfqftp")


def busybox():
    if not shutil.which("busybox"):
        raise Skip("there is no busybox")
    return "busybox"


def played(*call, **settings):
    """The lines that a function of the init script makes rc.common, and the program, hear."""
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder) / "nfq-ftp-helper"
        stub.write_text(STUB, encoding="utf-8")
        stub.chmod(0o755)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "INIT": str(INIT), "STUB": str(stub), "REAL": str(PROGRAM),
                       **{f"CONFIG_{name}": value for name, value in settings.items()}}
        return output(busybox(), "ash", "-euc", RC_COMMON, "ash", *call, env=environment).replace(str(stub), "PROGRAM").splitlines()


def shells_read_them():
    for script in SCRIPTS:
        output(busybox(), "ash", "-n", script)
    output("shellcheck", *SCRIPTS)


def the_daemon_is_started_rightly():
    """For each mode: after its rules, with words that the program takes, and the queues that its rules have."""
    for mode in ("queue", "cthelper", "kmod"):
        lines = played("start_service", mode=mode, queue="4")
        rules = next((line for line in lines if line.startswith("ran: rules --apply ")), None)
        start = next((line for line in lines if line.startswith("set command: PROGRAM run ")), None)
        check(rules and start and lines.index(rules) < lines.index(start), f"mode {mode}: {lines}")
        # Without its module `rules' refuses mode kmod: then it is only asked whether it takes the words.
        asked = ["--help"] if mode == "kmod" and not MODULE.exists() else []
        output(PROGRAM, *rules.removeprefix("ran: ").replace("--apply ", "").split(), *asked)
        output(PROGRAM, *start.removeprefix("set command: PROGRAM ").split(), "--help")
        check(("--sure-queue 5" in start) == (mode == "queue"), f"mode {mode} starts {start}")
        check(not any(line.startswith("mkdir") for line in lines), f"the state directory becomes root's, and not the daemon's own: {lines}")
        check("set respawn: 3600 1 0" in lines, f"mode {mode} is not started again: {lines}")


def settings_are_heard():
    check(played("start_service", enabled="0") == [], "it starts although it is not enabled")
    check("append command: --verbose" in played("start_service", verbose="1"), "verbose is not passed on")
    check("modprobe nf_conntrack_amanda" in played("start_service", carrier="amanda"), "the carrier's module is not loaded")
    check(played("stop_service") == ["ran: rules --remove"], "the rules stay when it stops")
    check(any(line.startswith("ran: rules --apply ") for line in played("reload_rules")), "rules are not applied again")
    check(played("service_triggers") == ["trigger: nfq-ftp-helper firewall"], "it does not hear of the firewall")


def example_has_what_is_read():
    read = set(re.findall(r"config_get(?:_bool)? \w+ main (\w+)", INIT.read_text(encoding="utf-8")))
    told = set(re.findall(r"^\toption (\w+) ", (FILES / "nfq-ftp-helper.config").read_text(encoding="utf-8"), re.MULTILINE))
    check(read == told, f"read are {sorted(read)}, and the example has {sorted(told)}")


def files_are_there():
    """What the Makefile installs of its own folder, and of the program's build."""
    text = (TREE / "openwrt/Makefile").read_text(encoding="utf-8")
    for name in re.findall(r"\./files/(\S+)", text):
        check((FILES / name).exists(), f"there is no openwrt/files/{name}")
    built = set(re.findall(r"\$\(PKG_BUILD_DIR\)/build/(\S+)", text))
    check(built == {"nfq-ftp-helper", "nfq-ftp-helper-tools"}, f"it installs {sorted(built)}")
    check(re.search(r"cannot be built here", text), "it does not say that it has not been built")


CASES = [shells_read_them, the_daemon_is_started_rightly, settings_are_heard, example_has_what_is_read, files_are_there]

if __name__ == "__main__":
    sys.exit(run("openwrt", CASES, sys.argv[1:]))
