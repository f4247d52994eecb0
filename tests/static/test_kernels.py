#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kernels tests/vm takes from the archive, what it fetches for each, and what a day's sample runs on which. Nothing is fetched here.

One line a case: `PASS name` or `FAIL name: why`.
"""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/vm"))

import archive  # noqa: E402 (found through the path above)
import dmesg  # noqa: E402
import fast_in_guest  # noqa: E402
import guard_in_guest  # noqa: E402
import in_guest  # noqa: E402
import kmod_in_guest  # noqa: E402
import mode_kmod_in_guest  # noqa: E402
import sample  # noqa: E402
import test_vm  # noqa: E402

_LOADER = importlib.machinery.SourceFileLoader("kernels", str(TREE / "tests/vm/kernels"))  # a program, whose name has no .py
kernels_program = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernels", _LOADER))
sys.dont_write_bytecode = True
_LOADER.exec_module(kernels_program)

DAYS = range(20000, 20000 + 100)


def package(name, version="1", **fields):
    lines = [f"Package: {name}", f"Version: {version}", f"Filename: pool/{name}_{version}.deb", f"SHA256: {name}-{version}"]
    return "\n".join([*lines, *(f"{key.replace('_', '-')}: {value}" for key, value in fields.items())])


def suite(name, *packages):
    return archive.Suite(name, "\n\n".join(packages) + "\n\n")


def image(release, version, **fields):
    return package(f"linux-image-{release}", version, **fields)


BOOKWORM = suite("bookworm", image("6.1.0-47-amd64", "6.1.170-1"), image("6.1.0-50-amd64", "6.1.176-1", Depends="kmod, linux-base (>= 4.3~)"),
                 package("linux-kbuild-6.1", "6.1.176-1"), package("kmod"), package("linux-base"), package("gcc-12"),
                 package("libc6", "2.36-9"), package("usrmerge"), package("mawk", Provides="awk"), package("linux-image-amd64", "6.1.176-1"),
                 package("make", Depends="libc6 (>= 2.34)"))
SECURITY = suite("bookworm-security", image("6.1.0-9-amd64", "6.1.99-1"), image("6.1.0-56-amd64", "6.1.192-2", Depends="kmod, linux-base"),
                 image("6.1.0-57-cloud-amd64", "6.1.193-1"), image("6.1.0-57-rt-amd64", "6.1.193-1"),
                 image("6.1.0-57-amd64-dbg", "6.1.193-1"), image("6.12-amd64", "6.12.117-1"), package("linux-kbuild-6.1", "6.1.192-2"),
                 image("6.12.117+deb12-amd64", "6.12.117-1~deb12u1"),
                 package("linux-headers-6.1.0-56-amd64", "6.1.192-2", Pre_Depends="usrmerge:any", Depends="linux-kbuild-6.1 (>= 6.1), "
                         "linux-image-6.1.0-56-amd64 (= 6.1.192-2) | linux-image-6.1.0-56-amd64-unsigned, no-such | gcc-12, awk"))
BACKPORTS = suite("bookworm-backports", image("6.12.95+deb12-amd64", "6.12.95-1~bpo12+1"), image("6.12.9+deb12-amd64", "6.12.9-1~bpo12+1"))
TRIXIE = suite("trixie-backports", image("7.2.12+deb13-amd64", "7.2.12-1~bpo13+1"), image(
    "7.3.4+deb13-amd64", "7.3.4-1~bpo13+1", Depends="dracut | linux-initramfs-tool, linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), "
    "linux-binary-7.3.4+deb13-amd64, linux-modules-7.3.4+deb13-amd64"), *(package(f"linux-{part}-7.3.4+deb13-amd64", "7.3.4-1~bpo13+1")
                                                                       for part in ("base", "binary", "modules")))
SID = suite("sid", image("7.2.13+deb14-amd64", "7.2.13-1"), image("7.2.13+deb14-cloud-amd64", "7.2.14-1"))
ALL = [BOOKWORM, SECURITY, BACKPORTS]


def newest():
    """The newest patch level of a generation, or the version that is asked for, of kernels only, and where it is."""
    for kernel, suites, wanted in (
            ("6.1", ALL, ("bookworm-security", "6.1.0-56-amd64")), ("6.1.176", ALL, ("bookworm", "6.1.0-50-amd64")),
            ("6.12", ALL, ("bookworm-security", "6.12.117+deb12-amd64")), ("6.12.95", ALL, ("bookworm-backports", "6.12.95+deb12-amd64")),
            ("6.12.9", ALL, ("bookworm-backports", "6.12.9+deb12-amd64")),
            ("7.2", [TRIXIE, SID], ("sid", "7.2.13+deb14-amd64")), ("7.2", [TRIXIE], ("trixie-backports", "7.2.12+deb13-amd64"))):
        found, release = archive.newest_kernel(kernel, suites)
        if (found.name, release) != wanted:
            yield f"{kernel} is {release} of {found.name}, not {wanted}"


def refused(call, *arguments):
    try:
        return None, call(*arguments)
    except archive.Missing as why:
        return str(why), None


def vanished():
    """A generation that no suite has any more is named, and where it was looked for."""
    why, found = refused(archive.newest_kernel, "7.3", [SID, BOOKWORM])
    if found or not why.startswith("no kernel 7.3 is in sid, bookworm any more"):
        yield f"{why} {found}"
    for name in ("5.10", "6.1x", "6", "", "6.1.0-50", "6.1.1.1", "../6.1"):
        why, found = refused(archive.generation, name)
        if found or not why.startswith(f"`{name}' is no kernel"):
            yield f"`{name}' is taken for one of {found}: {why}"


def names(parts):
    return sorted((found.name, archive.field(stanza, "Package"), archive.field(stanza, "Version")) for found, stanza in parts)


def parts():
    """One package up to 6.19, several from then on; initramfs tools and the like are none of them."""
    found = names(archive.parts_of_kernel("6.1.0-56-amd64", archive.in_order(SECURITY, ALL)))
    if found != [("bookworm-security", "linux-image-6.1.0-56-amd64", "6.1.192-2")]:
        yield f"6.1 is {found}"
    found = [name for _, name, _ in names(archive.parts_of_kernel("7.3.4+deb13-amd64", [TRIXIE, BOOKWORM]))]
    if found != [f"linux-{part}-7.3.4+deb13-amd64" for part in ("base", "binary", "image", "modules")]:
        yield f"7.3 is {found}"


def closure():
    """What is needed of what is needed, from the kernel's own suite first, by the first alternative that there is; no kernel."""
    found = names(archive.closure(["linux-headers-6.1.0-56-amd64", "make"], archive.in_order(SECURITY, ALL)))
    wanted = [("bookworm", "gcc-12", "1"), ("bookworm", "libc6", "2.36-9"), ("bookworm", "make", "1"), ("bookworm", "mawk", "1"),
              ("bookworm", "usrmerge", "1"),
              ("bookworm-security", "linux-headers-6.1.0-56-amd64", "6.1.192-2"), ("bookworm-security", "linux-kbuild-6.1", "6.1.192-2")]
    if found != wanted:
        yield f"{found}"
    ring = suite("ring", package("a", Depends="b"), package("b", Depends="a, c"), package("c", "1"), package("c", "2"))
    if names(archive.closure(["a"], [ring])) != [("ring", "a", "1"), ("ring", "b", "1"), ("ring", "c", "2")]:
        yield f"of packages that need each other: {names(archive.closure(['a'], [ring]))}"
    why, found = refused(archive.closure, ["a"], [suite("poor", package("a", Depends="gone (>= 2) | lost"))])
    if found or "there is no package gone in poor" not in why:
        yield f"of one that needs what there is not: {why} {found}"


def versions():
    in_order = ["6.1.99-1", "6.1.192-2", "6.12.115+deb13-1", "6.12.115+deb13.1-1", "7.3.4-1~bpo13+1", "7.3.4-1"]
    if sorted(reversed(in_order), key=archive.version_key) != in_order:
        yield f"{sorted(reversed(in_order), key=archive.version_key)}"


def every_pair():
    """Each alternative has been on each kernel after as many days as there are such pairs, wherever one begins."""
    for kernels in (["6.1", "7.3"], ["6.1"], ["6.1", "6.12", "7.3"]):
        for program, rows in sample.TURNS.items():
            for row in rows:
                pairs = len(set(row)) * len(kernels)
                days = len(row) * len(kernels)
                for first in DAYS:
                    seen = {(group, kernel) for day in range(first, first + days) for kernel in kernels
                            for group in sample.groups(day, program, kernel, kernels) if group in row}
                    if len(seen) != pairs:
                        yield f"{program}, from day {first} on: {len(seen)} of {pairs} for {row}"
                        break


def each_once():
    """On a day one alternative of each row runs, on one kernel."""
    for program, rows in sample.TURNS.items():
        for day in DAYS:
            ran = [group for kernel in ("6.1", "7.3") for group in sample.groups(day, program, kernel, ["6.1", "7.3"])]
            if len(ran) != len(rows) or any(len(set(row) & set(ran)) != 1 for row in rows):
                yield f"{program} on day {day}: {ran}"


def shared():
    """Neither kernel has most of the day's work for long: of a week at least a third is on each."""
    for first in DAYS:
        counts = [sum(len(sample.groups(day, program, kernel, ["6.1", "7.3"])) for day in range(first, first + 7) for program in sample.TURNS)
                  for kernel in ("6.1", "7.3")]
        if min(counts) * 3 < sum(counts):
            yield f"in the week from day {first} on: {counts}"


def sampled(rows):
    return sorted({group for row in rows for group in row})


def whole():
    """Every group of a program has its turn, but for those that are left out of the machines altogether."""
    there = {"daemon": in_guest.all_groups(), "guard": guard_in_guest.GROUPS, "kmod": mode_kmod_in_guest.GROUPS,
             "module": kmod_in_guest.GROUPS, "fast": fast_in_guest.GROUPS, "rules": test_vm.GROUPS["rules"], "check": test_vm.GROUPS["check"]}
    for program, groups in there.items():
        if sampled(sample.TURNS[program]) != sorted(groups):
            yield f"{program}: {sorted(set(groups) ^ set(sampled(sample.TURNS[program])))} are not in both"
    left = set(test_vm.PROGRAMS) - set(sample.TURNS) - set(sample.LEFT_OUT)
    if left:
        yield f"no sample has {left}"


def options(**given):
    return argparse.Namespace(**{"sample": None, "program": None, "kernel": None, **given})


def work():
    """--all is all, a sample shared; where one kernel cannot be had the other does everything, and who asks for a program gets it."""
    kernels = list(test_vm.KERNELS)
    if set(test_vm.work_for(kernels[-1], kernels, options())) != set(test_vm.PROGRAMS):
        yield "--all is not all on the newest"
    if set(test_vm.work_for(kernels[0], kernels, options())) != set(test_vm.PROGRAMS) - set(test_vm.NEWEST_ONLY):
        yield "--all is not all on the oldest"
    if test_vm.work_for("6.1", kernels, options(program=["check"])) != {"check": test_vm.GROUPS["check"]}:
        yield "check is not run where it is asked for"
    oldest, newest_one = sample.kernels(kernels)
    for day in DAYS:
        alone = test_vm.work_for(oldest, [oldest], options(sample=day))
        if sum(map(len, alone.values())) != sum(map(len, sample.TURNS.values())):
            yield f"day {day}, alone: {alone}"
        both = [test_vm.work_for(kernel, [oldest, newest_one], options(sample=day)) for kernel in (oldest, newest_one)]
        if sum(len(groups) for part in both for groups in part.values()) != sum(map(len, sample.TURNS.values())):
            yield f"day {day}, shared: {both}"


def archives():
    """Debian's own archive by what apt is configured with, and that of its security updates, or where it is likely to be."""
    others = "H://other/ stable contrib\nH://node/ nodistro-x main\n"
    for text, wanted in ((f"{others}H://x/debian/ trixie main\nH://s/sec/ trixie-security main", ("H://x/debian/", ["H://s/sec/"])),
                         ("H://x/debian/ trixie-updates main\nH://y/debian/ sid main", ("H://y/debian/", ["H://y/debian-security", None])),
                         ("H://x/mirror/ trixie main", ("H://x/mirror/", [None]))):
        if kernels_program.archives(text) != wanted:
            yield f"{text!r}: {kernels_program.archives(text)}"
    try:
        yield f"of nothing: {kernels_program.archives(others)}"
    except kernels_program.Failed:
        pass


@contextlib.contextmanager
def cache(**kernels):
    """A cache with these: name (_ for . and -) -> names of what is complete in it."""
    with tempfile.TemporaryDirectory() as folder:
        before, kernels_program.CACHE = kernels_program.CACHE, Path(folder)
        for name, files in kernels.items():
            place = Path(folder) / name[1:].replace("_", ".").replace(".0.", ".0-")
            place.mkdir()
            for file in files:
                (place / file).touch()
        try:
            yield Path(folder)
        finally:
            kernels_program.CACHE = before


WHOLE = ("release", "vmlinuz", "kdir")


def fetched_before(kernel, headers):
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return kernels_program.newest_there(kernel, headers, kernels_program.Failed("no network")).name
        except kernels_program.Failed as why:
            return str(why)


def offline():
    """Without the archive the newest that is there is taken, and only one that has all that is asked for; else the reason is said."""
    with cache(v6_1_0_9=WHOLE, v6_1_0_56=WHOLE, v6_12_118=WHOLE, v7_3_4=WHOLE[:2], v7_3_10=WHOLE[:1], v6_1=("release", "kdir")):
        for kernel, headers, wanted in (("6.1", False, "6.1.0-56"), ("6.12", True, "6.12.118"), ("7.3", False, "7.3.4"), ("7.3", True, "no network"),
                                        ("7.2", False, "no network"), ("6.12.1", False, "no network")):
            found = fetched_before(kernel, headers)
            if found != wanted:
                yield f"{kernel}{' with headers' if headers else ''}: {found}, not {wanted}"


def todays_answer():
    """Is taken while it is of today, and all that it takes is there still."""
    with cache(v7_3_4=WHOLE[:2]) as folder:
        (folder / "lists").mkdir()
        answer = folder / "lists/7.3.found"
        answer.write_text("7.3.4\n")
        found = [kernels_program.found_today("7.3", headers) for headers in (False, True)] + [kernels_program.found_today("7.2", False)]
        os.utime(answer, (time.time() - 86400,) * 2)
        if [*found, kernels_program.found_today("7.3", False)] != [folder / "7.3.4", None, None, None]:
            yield f"{found}"


def unused():
    """A kernel goes that nobody has asked for in long, and nothing else."""
    with cache(v6_1=WHOLE, v7_3=WHOLE) as folder:
        (folder / "lists").mkdir()
        for name in ("6.1", "lists"):
            os.utime(folder / name / "release" if name != "lists" else folder / name, (1, 1))
        kernels_program.remove_unused()
        left = sorted(path.name for path in folder.iterdir())
        if left != ["7.3", "lists"]:
            yield f"left are {left}"


COMPLAINTS = (
    "BUG: KASAN: slab-use-after-free in nfqftp_hook+0x1/0x2 [nf_conntrack_nfqftp]", "UBSAN: array-index-out-of-bounds in fast.c:1:2",
    "WARNING: possible circular locking dependency detected", "WARNING: inconsistent lock state", "WARNING: suspicious RCU usage",
    "[ BUG: Invalid wait context ]", "BUG: sleeping function called from invalid context at mm/slab.h:1", "BUG: scheduling while atomic: a/1/0x2",
    "INFO: trying to register non-static key.", "BUG: MAX_LOCKDEP_ENTRIES too low!", "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 f+0x1/0x2",
    "list_add corruption. prev->next should be next", "ODEBUG: free active (active state 0) object: 1 object type: timer_list hint: f+0x0/0x1",
    "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
    "kernel BUG at net/core/skbuff.c:1!", "BUG: kernel NULL pointer dereference, address: 0000000000000008")
NONE = ("nf_conntrack_nfqftp: loading out-of-tree module taints kernel.", "hrtimer: interrupt took 9000000 ns",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "INFO: task sh:1 blocked for more than 120 seconds.", "BUG: workqueue lockup - pool cpus=0",
        "traps: nfq-ftp-helper[9] general protection fault ip:1 sp:2 error:0",
        "Speculative Return Stack Overflow: WARNING: See the page for mitigation options.",
        "ACPI BIOS Warning (bug): something", "clocksource: Long readout interval, skipping watchdog check")
OUT_OF_TREE = 1 << 12


def what_dmesg_says():
    """What the kernel finds wrong is seen, also where its log has lost it; that it was kept waiting is no fault."""
    for line in COMPLAINTS:
        if dmesg.faults(["[    1.000000] before", f"[    2.000000] {line}", "after"]) != [1]:
            yield f"not seen: {line}"
    if dmesg.faults([f"[    1.000000] {line}" for line in NONE]):
        yield f"seen in {NONE}"
    for bits, statistics, clean in ((0, "", True), (OUT_OF_TREE, " debug_locks:             1\n", True), (OUT_OF_TREE | 1 << 9, "", False),
                                    (1 << 5, "", False), (1 << 7, "", False), (1 << 14, "", True), (0, "a: 1\n debug_locks:             0\n", False)):
        if dmesg.judge(list(NONE), bits, statistics)[0] != clean:
            yield f"taint {bits:#x}, {statistics!r}: {dmesg.judge(list(NONE), bits, statistics)}"


def asked_last():
    """In each machine dmesg is asked for last, and a fault that it tells is the machine's."""
    command = test_vm.command_in_guest({"fast": ()}, 2, [])[-1]
    if not command.endswith(f"{test_vm.DMESG} || status=1; exit $status"):
        yield command


CASES = [newest, vanished, parts, closure, versions, archives, offline, todays_answer, unused, every_pair, each_once, shared, whole, work, what_dmesg_says,
         asked_last]


def main():
    failed = 0
    for case in CASES:
        try:
            found = list(case())
        except archive.Missing as why:
            found = [str(why)]
        print(f"FAIL kernels/{case.__name__}: {'; '.join(found[:3])}" if found else f"PASS kernels/{case.__name__}")
        failed += bool(found)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
