#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, uninstall and dist, and what the programs bring with them. One line a case: `PASS name` or `FAIL name: why`.

Arguments: parts of names; none: all.
"""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from package import PROGRAM, TREE, Skip, check, output, run

# What the daemon may load, besides the C library: each of these comes alone.
ALLOWED = {"libnetfilter_queue", "libmnl", "libnfnetlink", "libinih", "libjansson", "libseccomp", "libc", "libm", "ld-linux",
           "linux-vdso", "libasan", "libubsan", "libgcc_s", "libstdc++", "libpthread"}

WORK = None  # a folder that goes at the end
CAPTURE = TREE / "pcaps" / "masquerade-vsftpd-port-ipv4-grow.inside.pcap"


def make(*arguments, tree=TREE):
    """Other makes' flags are not for this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return output("make", "-s", "-j2", "-C", tree, *arguments, env=environment)


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def daemon_loads_little():
    """No libpcap, and nothing of what that brings in (dbus, systemd, gcrypt, lzma ...), and no ncurses."""
    loaded = {re.sub(r"[-.]?[0-9.]*\.so.*$", "", line.split()[0].rsplit("/", 1)[-1]) for line in output("ldd", PROGRAM).splitlines()}
    strange = {name for name in loaded if not any(name == one or name.startswith(one + "-") for one in ALLOWED)}
    check("libmnl" in loaded, f"ldd was not understood: {loaded}")
    check(not strange, f"the daemon's program loads {', '.join(sorted(strange))}")


def stripped_size(program):
    """Bytes."""
    smaller = WORK / f"{program.name}.stripped"
    output("strip", "-o", smaller, program)
    return smaller.stat().st_size


@contextlib.contextmanager
def idle_daemon(*arguments, **more):
    """One without traffic, in a network namespace of its own, once it is ready: its process."""
    state = WORK / "state"
    state.mkdir(exist_ok=True)
    argv = ["unshare", "--net", PROGRAM, "run", "--mode", "queue", "--sure-queue", "1", "--state-dir", state, *arguments]
    with subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more) as daemon:
        try:
            said = []
            for line in daemon.stderr:
                said.append(line)
                if "event=ready" in line:
                    time.sleep(1)
                    break
            else:
                raise Skip(f"no daemon can run here: {' '.join(said).strip()}")
            yield daemon
        finally:
            daemon.terminate()
            shutil.rmtree(state)


def memory_of_idle(*arguments):
    """{"VmRSS": kB, ...} of its /proc/PID/status."""
    with idle_daemon(*arguments) as daemon:
        status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    return {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+) kB$", status, re.MULTILINE)}


def daemon_keeps_nothing_of_its_starter():
    """Neither a lock, for as long as it runs, nor what it could write to in spite of its sandbox."""
    if os.geteuid() != 0:
        raise Skip("it needs root")
    with tempfile.NamedTemporaryFile(dir=WORK) as starters, idle_daemon(pass_fds=[starters.fileno()]) as daemon:
        for process in (daemon.pid, *Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text(encoding="ascii").split()):
            files = [os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()]
            check(starters.name not in files, f"process {process} has {files}")


# What the program took before it had configuration, isolation, asking, explain and the rest of a daemon's life; replay was in it.
BEFORE = "before there were configuration, sandbox, asking and explain: 296 kB, with replay in it; 11.9 MB"
SIZE_MOST = 2 * 296  # kB
IDLE_MOST = 2 * 11.9  # MB; most of it is the table


def daemon_is_small():
    """Stripped, and in memory, idle, with its table of 65,536 sessions and with one of 1,024."""
    if not shutil.which("strip") or os.geteuid() != 0:
        raise Skip("it needs strip, and root")
    if "asan" in output("ldd", PROGRAM):
        raise Skip("a build with sanitizers is of another size")
    size = stripped_size(PROGRAM) / 1000
    tools = stripped_size(PROGRAM.with_name(f"{PROGRAM.name}-tools")) / 1000
    large, small = memory_of_idle(), memory_of_idle("--sessions", "1024")
    idle, own = large["VmRSS"] * 1.024 / 1000, large["RssAnon"] * 1.024 / 1000
    check(size <= SIZE_MOST and idle <= IDLE_MOST, f"{size:.0f} kB of program, {idle:.1f} MB idle: twice of what it was, and more")
    return (f"{size:.0f} kB stripped, its tools {tools:.0f} kB; idle {idle:.1f} MB, of which {own:.1f} MB are its own and the rest files (table, "
            f"program, libraries), with room for 1,024 sessions {small['VmRSS'] * 1.024 / 1000:.1f} MB; {BEFORE}")


def tools_stand_beside():
    """In the tree where it was built, wherever that has been moved."""
    folder = WORK / "beside"
    folder.mkdir()
    for name in (PROGRAM.name, f"{PROGRAM.name}-tools"):
        shutil.copy(PROGRAM.with_name(name), folder / name)
    said = output(folder / PROGRAM.name, "replay", CAPTURE)
    check("as announced" in said, f"replay says {said[:200]}")


def tools_may_be_missing():
    root, again = install("one")
    program, tools = root / "opt/ftp/sbin/nfq-ftp-helper", root / "opt/ftp/libexec/nfq-ftp-helper-tools"
    check("as announced" in output(program, "replay", CAPTURE), "installed tools are not found")
    tools.unlink()
    done = subprocess.run([program, "replay", CAPTURE], text=True, capture_output=True, check=False)
    again("install")
    check(done.returncode == 1 and done.stderr == "nfq-ftp-helper: `replay' is one of the tools, which are not installed: there is no "
          f"`{tools}'; install the package nfq-ftp-helper-tools\n", f"it ends with {done.returncode} and says {done.stderr!r}")


def options_are_left_to_the_tools():
    """Also those that look like the first program's own."""
    check(output(PROGRAM, "replay", "--help").startswith("Usage: nfq-ftp-helper replay "), "replay --help is another's")
    done = subprocess.run([PROGRAM, "replay", "--nonsense"], text=True, capture_output=True, check=False)
    check(done.returncode == 2 and "nfq-ftp-helper: `--nonsense' is no option" in done.stderr, f"replay --nonsense says {done.stderr!r}")


PLACES = ["prefix=/opt/ftp", "sysconfdir=/opt/etc", "unitdir=/opt/units", "sysusersdir=/opt/sysusers", "tmpfilesdir=/opt/tmpfiles"]


def copy_tree(tree):
    """What git knows or would, without what is built of it, and what only tests need."""
    for path in output("git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if not path or path.startswith(("pcaps/", "tests/")) or not (TREE / path).exists():
            continue
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TREE / path, tree / path, follow_symlinks=False)


@functools.cache
def install(name):
    """A copy of the tree, built and installed: (the root it is installed below, how)."""
    tree, root = WORK / name, WORK / f"root-{name}"
    copy_tree(tree)
    places = [*PLACES, f"DESTDIR={root}", "CFLAGS=-O0 -g"]
    make(*places, "install", tree=tree)
    return root, lambda target: make(*places, target, tree=tree)


def places_may_have_blanks():
    """And quotes: what a shell would make something else of. Nothing is written elsewhere, into the tree least of all."""
    tree, _ = WORK / "one", install("one")
    root, before = WORK / "a b" / "c' $HOME", {path.name for path in (*WORK.iterdir(), *tree.iterdir())}
    for target in ("install", "install-dkms", "dist"):
        make(*PLACES, f"DESTDIR={str(root).replace('$', '$$')}", f"DIST={root / 'dist'}".replace("$", "$$"), "CFLAGS=-O0 -g", target,
             tree=TREE if target == "dist" else tree)
    files = files_below(root)
    for wanted in (*INSTALLED, "opt/ftp/src/nfq-ftp-helper-0.1.0/dkms.conf", "opt/ftp/src/nfq-ftp-helper-0.1.0/core/wire/scan.c"):
        check(wanted.replace("0.1.0", output(PROGRAM, "--version").split()[1]) in files, f"{wanted} is not installed, but {sorted(files)}")
    check(any(name.startswith("dist/") for name in files), "there is no archive")
    make(*PLACES, f"DESTDIR={str(root).replace('$', '$$')}", "uninstall", tree=tree)
    left = {name for name in files_below(root) if not name.startswith(("dist/", "opt/ftp/src/"))}
    check(not left, f"make uninstall leaves {sorted(left)}")
    strange = {path.name for path in (*WORK.iterdir(), *tree.iterdir())} - before - {"a b"}
    check(not strange, f"besides there is {sorted(strange)}")


# What units cannot name, or the program not find.
NO_PLACES = ("PREFIX=opt/ftp", "PREFIX=/opt/my ftp", "PREFIX=/opt/a&b", "PREFIX=/opt/a,b", "sbindir=", "sysconfdir=etc", "sysconfdir=")


def places_that_cannot_be():
    """Are refused, and nothing is written; a slash at the end is one that can be."""
    tree, _ = WORK / "one", install("one")
    for place in NO_PLACES:
        root = WORK / "refused"
        done = subprocess.run(["make", "-s", "-C", tree, f"DESTDIR={root}", place, "install"], text=True, capture_output=True, check=False)
        check(done.returncode and "absolute path" in done.stderr, f"{place} ends with {done.returncode}: {done.stderr}")
        check(not root.exists(), f"{place}: there is {sorted(files_below(root))}")
    root = WORK / "slash"
    make(*PLACES, f"DESTDIR={root}", "sbindir=/opt/ftp/sbin/", "CFLAGS=-O0 -g", "install", tree=tree)
    check("opt/ftp/libexec/nfq-ftp-helper-tools" in files_below(root), f"the tools are not found from there: {sorted(files_below(root))}")


def hashes(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files_below(folder)}


def two_builds_are_one():
    """In folders of different names: what is installed is the same, to the byte."""
    one, other = [hashes(install(name)[0]) for name in ("one", "another-and-longer")]
    check(len(one) >= len(INSTALLED), f"only {len(one)} files are installed")
    differ = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    check(not differ, f"two builds differ in {', '.join(differ)}")


def installed_where_it_was_told():
    root, _ = install("one")
    files = files_below(root)
    for wanted in INSTALLED:
        check(wanted in files, f"{wanted} is not installed, but {', '.join(sorted(files))}")
    outside = sorted(name for name in files if not name.startswith("opt/"))
    check(not outside, f"installed outside of what was named: {', '.join(outside)}")
    check("nfq-ftp-helper " in output(root / "opt/ftp/sbin/nfq-ftp-helper", "--version"), "the installed program does not run")


def uninstall_leaves_what_is_others():
    root, again = install("one")
    stranger = root / "opt/ftp/sbin/another-program"
    stranger.write_text("of somebody else's\n")
    again("uninstall")
    left = files_below(root)
    again("install")
    stranger.unlink()
    check(left == {"opt/ftp/sbin/another-program"}, f"make uninstall leaves {', '.join(sorted(left))}")


INSTALLED = ["opt/ftp/sbin/nfq-ftp-helper", "opt/ftp/libexec/nfq-ftp-helper-tools", "opt/ftp/share/man/man8/nfq-ftp-helper.8", "opt/ftp/share/man/man1/nfq-ftp-helper-replay.1",
             "opt/ftp/share/man/man5/nfq-ftp-helper.conf.5", "opt/etc/nfq-ftp-helper.conf",
             "opt/units/nfq-ftp-helper.service", "opt/units/nfq-ftp-helper-rules.service", "opt/sysusers/nfq-ftp-helper.conf",
             "opt/tmpfiles/nfq-ftp-helper.conf", "opt/ftp/share/bash-completion/completions/nfq-ftp-helper", "opt/ftp/share/zsh/site-functions/_nfq-ftp-helper"]


def dist_is_what_is_committed():
    """Twice the same."""
    archives = []
    for name in ("dist-one", "dist-two"):
        make(f"DIST={WORK / name}", "dist")
        archives.append(next((WORK / name).iterdir()))
    check(archives[0].read_bytes() == archives[1].read_bytes(), "two archives of one commit differ")
    version = output(PROGRAM, "--version").split()[1]
    check(archives[0].name == f"nfq-ftp-helper-{version}.tar.gz", f"it is called {archives[0].name}")
    with tarfile.open(archives[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    committed = set(output("git", "-C", TREE, "ls-tree", "-rz", "--name-only", "HEAD").split("\0")) - {""}
    missing = sorted(committed - names)
    check(not missing, f"it has no {', '.join(missing[:5])}")
    tree, none = WORK / "dist-of-none", WORK / "dist-none"
    copy_tree(tree)
    done = subprocess.run(["make", "-s", "-C", tree, f"DIST={none}", "dist"], text=True, capture_output=True, check=False)
    check(done.returncode and not files_below(none), f"where nothing is committed it ends with {done.returncode}, and leaves {files_below(none)}")


def units_are_sound():
    """systemd reads them without a word, and has little to say against the daemon's."""
    if not shutil.which("systemd-analyze"):
        raise Skip("there is no systemd-analyze")
    root, _ = install("one")
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in (root / "opt/units").iterdir():
        shutil.copy(unit, units)
    (root / "bin").mkdir(exist_ok=True)
    for program in ("kill", "chgrp", "sh"):
        shutil.copy(f"/bin/{program}", root / "bin")
    for target in ("sysinit", "multi-user", "basic", "shutdown"):
        (units / f"{target}.target").write_text("[Unit]\nDescription=another\nDefaultDependencies=no\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}", "nfq-ftp-helper.service",
                           "nfq-ftp-helper-rules.service"], text=True, capture_output=True, check=False)
    shutil.rmtree(root / "etc")
    shutil.rmtree(root / "bin")
    check(done.returncode == 0 and not done.stderr, f"systemd-analyze verify: {done.stderr.strip()}")
    said = output("systemd-analyze", "security", "--offline=yes", "--no-pager", root / "opt/units/nfq-ftp-helper.service")
    exposure = re.search(r"Overall exposure level for nfq-ftp-helper.service: ([0-9.]+)", said)
    check(exposure, f"systemd-analyze security: {said[-200:]}")
    check(float(exposure.group(1)) <= 2.0, f"systemd-analyze security: {exposure.group(1)}, and 2.0 is the most")


def units_say_nothing_twice():
    """systemd does such a line twice, and says nothing: a merge can leave one behind."""
    for unit in sorted((TREE / "systemd").glob("*.service.in")):
        lines = [line for line in unit.read_text(encoding="utf-8").splitlines() if "=" in line and not line.startswith("#")]
        twice = sorted({line for line in lines if lines.count(line) > 1})
        check(lines and not twice, f"{unit.name} has twice {twice}")


def package_can_be_removed():
    """Although nothing that its scripts call can do what it is to do; they say so. Of a /run of their own."""
    if os.geteuid() != 0:
        raise Skip("this is for root")
    stubs = WORK / "stubs"
    stubs.mkdir()
    for name in ("deb-systemd-invoke", "userdel", "systemctl", "nfq-ftp-helper"):
        (stubs / name).write_text(f"#!/bin/sh\necho {name} \"$@\" >>{stubs}/called\nexit 8\n", encoding="utf-8")
        (stubs / name).chmod(0o755)
    (stubs / "getent").symlink_to("/bin/true")
    for script, argument, called in (("prerm", "remove", "deb-systemd-invoke stop"), ("postrm", "purge", "userdel nfq-ftp")):
        (stubs / "called").write_text("", encoding="utf-8")
        done = subprocess.run(["unshare", "-m", "sh", "-ec", 'mount -t tmpfs none /run; mkdir -p /run/systemd/system; exec sh -e "$@"', "sh",
                               TREE / f"debian/nfq-ftp-helper.{script}", argument], text=True, capture_output=True, check=False,
                              env={"PATH": f"{stubs}:{os.environ['PATH']}"})
        check(done.returncode == 0 and done.stderr.count("\n") == 1, f"{script} {argument} ends with {done.returncode}: {done.stderr}")
        check(called in (stubs / "called").read_text(encoding="utf-8"), f"{script} {argument} did not call {called}")


def rules_go_with_the_package():
    """Also those that their unit has left, as one does that is stopped while the daemon is about to be started again; but not somebody else's."""
    if os.geteuid() != 0:
        raise Skip("this is for root")
    for state, wanted in (("static", True), ("", True), ("masked", False), ("masked-runtime", False)):
        stubs = WORK / f"stubs-{state}"
        stubs.mkdir()
        for name, does in (("deb-systemd-invoke", "exit 0"), ("nfq-ftp-helper", "exit 0"),
                           ("systemctl", f'[ "$1" = is-enabled ] || exit 3; echo {state}; exit 1')):
            (stubs / name).write_text(f"#!/bin/sh\necho {name} \"$@\" >>{stubs}/called\n{does}\n", encoding="utf-8")
            (stubs / name).chmod(0o755)
        output("unshare", "-m", "sh", "-ec", 'mount -t tmpfs none /run; mkdir -p /run/systemd/system; exec sh -e "$@"', "sh",
               TREE / "debian/nfq-ftp-helper.prerm", "remove", env={"PATH": f"{stubs}:{os.environ['PATH']}"})
        called = (stubs / "called").read_text(encoding="utf-8").splitlines()
        check(("nfq-ftp-helper rules --remove" in called) == wanted and called[0].startswith("deb-systemd-invoke stop "),
              f"where the rules' unit is {state!r}: {called}")


def what_systemd_says(unit, masks):
    """Of a unit with these links to nowhere, by the real one, of a tree of its own: what `systemctl is-enabled' prints."""
    with tempfile.TemporaryDirectory(dir=WORK) as root:
        for folder, content in (("usr/lib/systemd/system", unit), *((folder, None) for folder in masks)):
            path = Path(root) / folder / "nfq-ftp-helper-rules.service"
            path.parent.mkdir(parents=True)
            if content:
                path.write_text(content, encoding="utf-8")
            else:
                path.symlink_to("/dev/null")
        return subprocess.run(["systemctl", f"--root={root}", "is-enabled", "nfq-ftp-helper-rules.service"], text=True, capture_output=True, check=False).stdout.strip()


# In namespaces of its own: our real rules, then the maintainer's script with the real program; what is left of the rules is printed.
REMOVAL = """mount -t tmpfs none /run
mkdir -p /run/systemd/system
has_rules() { { nft list ruleset; iptables-save; ip6tables-save; } 2>/dev/null | grep -qi nfq; }
nfq-ftp-helper rules --apply --mode queue 2>/dev/null
has_rules
"$@"
has_rules && echo stay || echo go
"""


def rules_are_gone_from_the_kernel():
    """prerm and the unit's own ExecStop, as they are, and the program; played are only a systemd that is this far, and one that has it masked."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("nft", "iptables", "systemctl"))):
        raise Skip("this is for root, with nft, iptables and systemctl")
    unit = (TREE / "systemd/nfq-ftp-helper-rules.service.in").read_text(encoding="utf-8").replace("@sbindir@/", "")
    stop = re.search(r"^ExecStop=/bin/sh -c '(.*)'$", unit, re.MULTILINE).group(1).replace(r"\\.", r"\.")
    for number, (masks, daemon, argument, wanted) in enumerate((
            ([], "dead", "remove", "go"), ([], "auto-restart", "remove", "go"), ([], "auto-restart-queued", "remove", "go"), ([], "dead", "upgrade", "stay"),
            (["etc/systemd/system"], "dead", "remove", "stay"), (["run/systemd/system"], "auto-restart", "remove", "stay"))):
        stubs = WORK / f"removal-{number}"
        stubs.mkdir()
        masked = 'exit 0' if masks else f"exec /bin/sh -c '{stop}'"
        for name, does in (("deb-systemd-invoke", masked), ("nfq-ftp-helper", f'exec {PROGRAM} "$@"'),
                           ("systemctl", f'case $1 in is-enabled) echo "{what_systemd_says(unit, masks)}" ;; show) echo SubState={daemon} ;; esac')):
            (stubs / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
            (stubs / name).chmod(0o755)
        left = output("unshare", "-m", "-n", "sh", "-ec", REMOVAL, "sh", TREE / "debian/nfq-ftp-helper.prerm", argument,
                      env={"PATH": f"{stubs}:{os.environ['PATH']}"})
        check(left.split() == [wanted], f"{argument}, with masks {masks}, while the daemon is {daemon}: the rules {left}")


def users_are_those_of_the_unit():
    """The user that systemd makes, that whose directory is made, and that of the unit."""
    user = re.search(r"^User=(.*)$", (TREE / "systemd/nfq-ftp-helper.service.in").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    made = re.search(r"^u (\S+)", (TREE / "systemd/sysusers.conf").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    directory = re.search(r"^d (\S+) \S+ (\S+)", (TREE / "systemd/tmpfiles.conf").read_text(encoding="utf-8"), re.MULTILINE)
    check(user == made == directory.group(2), f"{user}, {made}, {directory.group(2)}")
    check(f'"{directory.group(1)}"' in (TREE / "nfq-ftp-helper/daemon/options.h").read_text(encoding="utf-8"),
          f"{directory.group(1)} is not the daemon's")


def packages_are_built_of_the_same():
    """What scripts/deps installs to build with, and Debian's packages ask for."""
    deps = re.search(r"^build_packages='([^']*)'", (TREE / "scripts/deps").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    asked = re.search(r"^Build-Depends: (.*(?:\n .*)*)", (TREE / "debian/control").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    wanted = {name for name in deps.split() if name.startswith("lib") and name != "libc6-dev"}
    has = {name for name in re.findall(r"[a-z0-9.+-]+", asked) if name.startswith("lib")}
    check(wanted == has, f"scripts/deps has {sorted(wanted - has)} besides, debian/control {sorted(has - wanted)}")


def version_has_one_home():
    version = output(PROGRAM, "--version").split()[1]
    for name, pattern in VERSIONS.items():
        found = re.search(pattern, (TREE / name).read_text(encoding="utf-8"), re.MULTILINE)
        check(found and found.group(1) == version, f"{name} does not say {version}, but {found and found.group(1)}")


VERSIONS = {"kmod/dkms.conf": r'^PACKAGE_VERSION="(.*)"', "debian/changelog": r"\Anfq-ftp-helper \((.*)\)",
            "openwrt/Makefile": r"^PKG_VERSION:=(.*)"}

CASES = [daemon_loads_little, daemon_is_small, daemon_keeps_nothing_of_its_starter, tools_stand_beside, options_are_left_to_the_tools, installed_where_it_was_told, tools_may_be_missing,
         two_builds_are_one, units_are_sound, units_say_nothing_twice, package_can_be_removed, rules_go_with_the_package, rules_are_gone_from_the_kernel, users_are_those_of_the_unit, uninstall_leaves_what_is_others, places_may_have_blanks, places_that_cannot_be, dist_is_what_is_committed, packages_are_built_of_the_same,
         version_has_one_home]

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-helper-package.") as scratch:
        WORK = Path(scratch)
        sys.exit(run("install", CASES, sys.argv[1:]))
