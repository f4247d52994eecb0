#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that a stock kernel can show, on each stock kernel, in virtual machines.

With --sample a part of it, shared between the oldest kernel and the newest; which part sample.py says.

Prints one line a case: PASS, FAIL or SKIP, a blank, the case's name, and after a colon why, or what was measured; last, how
many of each. Exit status 1 if one failed. A kernel that cannot be had is skipped.
"""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import archive
import dmesg
import sample

TREE = pathlib.Path(__file__).resolve().parents[2]
VM = TREE / "tests/vm"
KERNELS = tuple(archive.GENERATIONS)
TIMEOUT = 2400  # seconds for all that a sample does in one machine, when the host has other work too
TIMEOUT_ALL = 10800
# What is run in the machine: the module's tests, and of the lab's own those that this machine's kernel may not have.
PROGRAMS = {
    "daemon": "tests/vm/in_guest.py",
    "guard": "tests/vm/guard_in_guest.py",
    "rules": "tests/lab/test_rules.py",
    "check": "tests/lab/test_check.py",
    "marks": "tests/lab/test_marks.py",
    "kmod": "tests/vm/mode_kmod_in_guest.py",
    "module": "tests/vm/kmod_in_guest.py",
    "fast": "tests/vm/fast_in_guest.py",
}
# What is run of a program; where nothing is said, all.
GROUPS = {
    "rules": ("traces-nft-queue", "traces-nft-cthelper", "traces-iptables-cthelper", "words", "defaults"),
    "check": ("cthelper-nft", "queue-nft", "words"),
    "marks": ("pbr-like-self", "tailscale-like-kernel", "whole-self"),
}
DMESG = "tests/vm/dmesg.py"  # dmesg.CASE, whatever ran before
NEED_MODULE = ("kmod", "module", "fast")
AT_ONCE = ("module", "fast")  # what processors do to each other is part of what these show
ONE_BY_ONE = ("check", "rules")  # a helper of user space is the whole machine's: what one lab does with it another one's would find
NEWEST_ONLY = ("rules", "check", "marks")  # where one stock kernel is as good as another
PASSED_ON = ("NFQ_FTP_MODULE_PARAMETERS",)  # variables of ours that mean something in the machine
WORDS = ("PASS", "FAIL", "SKIP")


class Tally:
    """Prints results and counts them."""

    def __init__(self):
        self.counts = dict.fromkeys(WORDS, 0)

    def line(self, line, prefix=""):
        """prefix is put before the names of cases that do not have it."""
        word, _, rest = line.partition(" ")
        if word in self.counts:
            self.counts[word] += 1
            line = f"{word} {rest if rest.startswith(prefix) else prefix + rest}"
        print(line, flush=True)

    def summary(self):
        print("{PASS} passed, {FAIL} failed, {SKIP} skipped".format(**self.counts))


def last_line(text):
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def fetch(kernel, *options):
    """(The directory of a kernel, None), or (None, why it cannot be had)."""
    done = subprocess.run([VM / "kernels", *options, kernel], text=True, capture_output=True, cwd=TREE)
    return (done.stdout.strip(), None) if done.returncode == 0 else (None, last_line(done.stderr))


def why_not(kernel):
    """Why there can be no machine with this kernel, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed (scripts/deps vm)"
    return fetch(kernel)[1]


def build_module(kernel, program, tally):
    """Whether there is a module for this kernel now, as the program needs it."""
    name = f"vm/{kernel}/{program}-builds"
    directory, why = fetch(kernel, "--headers")
    if why:
        tally.line(f"SKIP {name}: {why}")
        return False
    done = subprocess.run(["make", "-s", "kmod", f"KDIR={directory}/kdir", f"TOOLCHAIN={VM}/toolchain {kernel}"],
                          text=True, capture_output=True, cwd=TREE)
    errors = [line for line in done.stderr.splitlines() if "error" in line] or [last_line(done.stderr)]
    tally.line(f"FAIL {name}: {errors[0]}" if done.returncode else f"PASS {name}")
    return done.returncode == 0


def kernel_named(name):
    try:
        archive.generation(name)
    except archive.Missing as why:
        raise argparse.ArgumentTypeError(str(why)) from why
    return name


def kernels_for(name, kernels):
    """Those of the sample's kernels that a program's turns are shared between."""
    return kernels[-1:] if name in NEWEST_ONLY else kernels


def work_for(kernel, kernels, options):
    """{name of a program: names of its groups, none: all of them} to be run on this kernel of those that there are."""
    if options.sample is None:
        names = options.program or [name for name in PROGRAMS if f"{kernel}/{name}" in parts(kernels)]
        return {name: GROUPS.get(name, ()) for name in names}
    names = options.program or [name for name in PROGRAMS if name not in sample.LEFT_OUT]
    shared = {name: sample.groups(options.sample, name, kernel, kernels_for(name, kernels)) for name in names if name in sample.TURNS}
    return {name: groups for name, groups in shared.items() if groups}


def parts(kernels):
    """All there is to be run on these, a program of a kernel each, KERNEL/PROGRAM: in this order, each ends long before the whole does."""
    return [f"{kernel}/{name}" for kernel in kernels for name in PROGRAMS if name not in NEWEST_ONLY or kernel == kernels[-1]]


def command_in_guest(work, processors, arguments):
    """All programs in turn, and last what the kernel has to say of it; fails if one did. Of labs at once there is one more than processors, as
    some mostly wait."""
    calls = [shlex.join([PROGRAMS[name], *(f"--group={group}" for group in groups), f"--jobs={1 if name in ONE_BY_ONE else processors + 1}", *arguments])
             for name, groups in work.items()] + [DMESG]
    set_there = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    return ["env", *set_there, "sh", "-c", "status=0; " + "".join(f"{call} || status=1; " for call in calls) + "exit $status"]


def run_machines(kernel, work, options, arguments, tally):
    """One of two processors, where the module must stand what they do to each other; and one of one for all else, which is emulated in half the time."""
    work = {name: groups for name, groups in work.items() if name not in NEED_MODULE or build_module(kernel, name, tally)}
    for processors in (1, 2):
        there = {name: groups for name, groups in work.items() if processors == (2 if name in AT_ONCE else 1)}
        if there:
            run_machine(kernel, processors, command_in_guest(there, processors, arguments), options, tally)


def run_machine(kernel, processors, command, options, tally):
    prefix = f"vm/{archive.generation(kernel)}/"
    before = dict(tally.counts)
    ran = False
    argv = [VM / "boot", "-t", str(options.timeout), "-p", str(processors), kernel, "--", *command]
    with subprocess.Popen(argv, text=True, errors="replace", stdout=subprocess.PIPE, cwd=TREE) as machine:
        for line in machine.stdout:
            tally.line(line.rstrip(), prefix)
            ran = ran or (line.startswith("PASS ") and dmesg.CASE not in line)
    if machine.returncode and tally.counts["FAIL"] == before["FAIL"]:
        tally.line(f"FAIL vm/{kernel}: exit status {machine.returncode}, see above")
    elif not ran:
        tally.line(f"FAIL vm/{kernel}: no test ran in the machine")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                     epilog="All other arguments are given to the programs in the machine (--help there).")
    parser.add_argument("--kernel", action="append", type=kernel_named, metavar="KERNEL",
                        help=f"only this one, of {', '.join(KERNELS)}, or a version, as 6.1.176; may be given several times")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="only this one; may be given several times")
    parser.add_argument("--timeout", type=int, help=f"seconds for one machine (default: {TIMEOUT_ALL}; of a sample {TIMEOUT})")
    parser.add_argument("--sample", type=int, nargs="?", const=sample.today(), metavar="N",
                        help="a part of it, another for each N (default: the day's)")
    parser.add_argument("--parts", action="store_true", help="print what --kernel and --program can be of all there is, KERNEL/PROGRAM each")
    options, arguments = parser.parse_known_args()
    if options.parts:
        print("\n".join(parts(options.kernel or KERNELS)))
        return 0
    options.timeout = options.timeout or (TIMEOUT_ALL if options.sample is None else TIMEOUT)
    tally = Tally()
    if options.sample is not None:
        print(f"# sample {options.sample} (again: {sys.argv[0]} --sample={options.sample})", flush=True)
    kernels = []
    for kernel in options.kernel or (KERNELS if options.sample is None else sample.kernels(KERNELS)):
        why = why_not(kernel)
        if why:
            tally.line(f"SKIP vm/{kernel}: {why}")
        else:
            kernels.append(kernel)
    for kernel in kernels:
        run_machines(kernel, work_for(kernel, kernels, options), options, arguments, tally)
    tally.summary()
    return 1 if tally.counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
