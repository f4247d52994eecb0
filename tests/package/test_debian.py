#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages on fresh systems of Debian 12 and 13: built, judged by lintian, installed, used, installed over themselves, removed
and purged. In systems.py's overlays. One line a case, `PASS name' or `FAIL name: why'.

Arguments: names of releases (bookworm, trixie); none: both.
"""

import os
import shutil
import subprocess
import sys

from package import TREE, Failure, Skip, check
from systems import APT, NAME, build, chosen, fresh_system, inside, overlay, snapshot, users

def lintian(root):
    done = inside(root, f"cd /build; lintian --allow-root --fail-on none {NAME}_*.changes")
    faults = [line for line in done.splitlines() if line.startswith(("E:", "W:"))]
    check(not faults, "; ".join(faults))


def use(root):
    """The programs run, and replay is the tools' or says what to install."""
    capture = "pcaps/masquerade-vsftpd-port-ipv4-grow.inside.pcap"
    shutil.copy(TREE / capture, root / "packages")
    said = inside(root, f"{NAME} --version; {NAME} replay /packages/*.pcap; {NAME} run --help >/dev/null; getent passwd nfq-ftp; "
                        f"ldd /usr/sbin/{NAME}; test -s /usr/share/man/man8/{NAME}.8.gz -o -e /etc/dpkg/dpkg.cfg.d/docker")
    check("2 expected" in said and "nfq-ftp:x:" in said, f"it says {said}")
    check("libpcap" not in said and "libsystemd" not in said and "ncurses" not in said and "libmnl" in said, f"the daemon's program loads {said}")


def module_is_known(root):
    said = inside(root, "dkms status")
    check(said.startswith(f"{NAME}"), f"dkms status: {said!r}")


def install_use_purge(base, packages):
    with overlay(base) as root:
        (root / "packages").mkdir()
        inside(root, f"{APT} update; {APT} install -y --no-install-recommends passwd systemd dkms libnetfilter-queue1 libmnl0 libnfnetlink0 "
                     "libinih1 libjansson4 libpcap0.8* libseccomp2 libncurses6 libncursesw6 nftables >/dev/null")
        for package in packages:
            shutil.copy(package, root / "packages")
        before = snapshot(root), users(root)
        debs = " ".join(f"/packages/{package.name}" for package in packages if "dbgsym" not in package.name)
        inside(root, f"dpkg -i {debs} >/dev/null")
        yield "installs", lambda: use(root)
        yield "dkms-knows-the-module", lambda: module_is_known(root)
        yield "installs-over-itself", lambda: inside(root, f"dpkg -i {debs} >/dev/null; {NAME} --version")
        yield "tools-alone-go", lambda: tools_go(root)
        yield "purge-leaves-nothing", lambda: purge(root, before)


def tools_go(root):
    done = inside(root, f"dpkg -r {NAME}-tools >/dev/null; {NAME} replay /packages/*.pcap 2>&1 || :; {NAME} top 2>&1 || :")
    check(done.count(f"install the package {NAME}-tools") == 2, f"replay and top say {done!r}")


def purge(root, before):
    inside(root, f"dpkg -P {NAME}-dkms {NAME}-tools {NAME} >/dev/null 2>&1")
    left = snapshot(root) - before[0], users(root) - before[1]
    check(not left[0] and not left[1], f"left are {sorted(left[0])[:10]} {sorted(left[1])}")


def cases(release):
    base = fresh_system(release)
    with overlay(base) as root:
        packages = []
        yield "builds", lambda: packages.extend(build(root))
        yield "lintian", lambda: lintian(root)
        if packages:
            yield from install_use_purge(base, packages)


def main():
    failed, releases = 0, chosen(sys.argv[1:])
    if os.geteuid() != 0:
        print("SKIP debian: it needs root")
        return 0
    for release in releases:
        try:
            for name, case in cases(release):
                try:
                    case()
                    print(f"PASS debian/{release}/{name}", flush=True)
                except Failure as why:
                    print(f"FAIL debian/{release}/{name}: {' '.join(str(why).split())}", flush=True)
                    failed += 1
        except (Failure, subprocess.TimeoutExpired) as why:
            print(f"FAIL debian/{release}: {' '.join(str(why).split())}", flush=True)
            failed += 1
        except Skip as why:
            print(f"SKIP debian/{release}: {why}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
