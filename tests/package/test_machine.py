#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages' whole way, on Debian 12 and on 13: built in a fresh system, judged by lintian, and installed on a router of that release, with
its kernel and systemd, which is a virtual machine: transfers, a reboot, transfers, an upgrade amid a session, removed, purged (story.py).

It needs root, Debian's archive and no KVM. One line a case.

Arguments: names of releases (bookworm, trixie); none: both. NFQ_FTP_PACKAGES names a folder of packages that are built already.
"""

import os
import subprocess
import sys

os.environ.setdefault("NFQ_FTP_PATIENCE", "20")  # seconds: the machine is emulated, and its host may have other work

from machine import Cables, Guest, kernel_for, only_machine, why_not
from package import Failure, Skip, check
from story import LabError, Story, transfers, test_streams
from systems import build, chosen, fresh_system, keep_packages, overlay, packages_given
from servers import Server
from test_debian import lintian


class MachineStory(Story):
    """What a container has no part of: a firewall of its own, nftables.service."""

    def nftables_reloads_and_restarts(self):
        ours = self.machine.rules()
        for verb in ("reload", "restart"):
            self.machine.run(f"systemctl {verb} nftables")
            self.machine.wait(lambda: self.machine.rules() == ours, f"the rules to be back after `systemctl {verb} nftables'")
        self.machine.wait_for_service()
        transfers(self.lab)

    def no_unit_failed_nothing_was_denied(self):
        """1326: a call that no filter of seccomp lets through."""
        said = self.machine.run("systemctl --failed --no-legend --plain; "
                                "journalctl -b -k -o cat --no-pager | grep -E 'type=1326|^BUG: |^WARNING: |Oops' || :")
        check(not said, said[-300:])

    CASES = (*Story.CASES[:4], nftables_reloads_and_restarts, *Story.CASES[4:-2], no_unit_failed_nothing_was_denied, *Story.CASES[-2:])


def built(release, base):
    """The packages, judged."""
    if packages_given():
        return packages_given()
    with overlay(base) as root:
        packages = keep_packages(base, build(root))
        print(f"PASS machine/{release}/builds: {len(packages)} packages", flush=True)
        lintian(root)
        print(f"PASS machine/{release}/lintian", flush=True)
    return packages


def told(machine, packages, suite):
    """Return: how many cases failed."""
    with only_machine(), machine.lab as lab, Server("vsftpd", lab) as server:
        test_streams.serve_files(server)
        try:
            machine.boot()
            return MachineStory(machine, packages).tell(suite)
        finally:
            machine.end()


def tell(release, base):
    """Return: how many cases failed."""
    packages = built(release, base)
    machine = Guest(Cables("masquerade"), base.parent / f"{release}-{os.getpid()}.disk", kernel_for(release))
    try:
        machine.make_disk(base, packages)
        return told(machine, packages, f"machine/{release}")
    finally:
        machine.image.unlink(missing_ok=True)


def main():
    failed, releases = 0, chosen(sys.argv[1:])
    why = "it needs root" if os.geteuid() != 0 else why_not()
    if why:
        print(f"SKIP machine: {why}")
        return 0
    for release in releases:
        try:
            failed += tell(release, fresh_system(release))
        except (Failure, LabError, OSError, subprocess.SubprocessError) as why:
            print(f"FAIL machine/{release}: {' '.join(str(why).split())}", flush=True)
            failed += 1
        except Skip as why:
            print(f"SKIP machine/{release}: {why}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
