#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""DKMS builds the module on fresh systems of Debian 12 and 13: for a release's kernel, for the next one that is installed over it, and passes
over one with an interface that the module was not written for. In systems.py's overlays, by the headers alone: nothing is booted.
One line a case, `PASS name', `SKIP name: why' or `FAIL name: why'.

Arguments: names of releases (bookworm, trixie); none: both.
"""

import os
import re
import subprocess
import sys

from package import TREE, Failure, Skip, check, output
from systems import APT, NAME, chosen, fresh_system, inside, overlay

MODULE = "nf_conntrack_nfqftp"
UNKNOWN = "99.9.9-unknown"
HEADER = "include/net/netfilter/nf_conntrack_helper.h"


def version():
    conf = (TREE / "kmod/dkms.conf").read_text(encoding="utf-8")
    return next(line.split('"')[1] for line in conf.splitlines() if line.startswith("PACKAGE_VERSION="))


def kernels(root):
    """Those with headers, by links that lead nowhere from outside of that system."""
    return {path.name for path in (root / "lib/modules").iterdir() if (path / "build").is_symlink()}


def is_installed(root, kernel):
    said = inside(root, f"dkms status {NAME}/{version()} -k {kernel}")
    check(": installed" in said, f"dkms status: {said!r}")
    found = list((root / "lib/modules" / kernel / "updates/dkms").glob(f"{MODULE}.ko*"))
    check(found, f"{kernel} has no {MODULE}")
    made_for = inside(root, f"modinfo -F vermagic /{found[0].relative_to(root)}").split()[0]
    check(made_for == kernel, f"the module of {kernel} is for {made_for}")
    for log in (root / "var/lib/dkms" / NAME / version() / kernel).glob("*/log/make.log"):
        warnings = re.findall(r"^\S+\.[ch]:\d+:.*warning: .*$", log.read_text(encoding="utf-8"), re.MULTILINE)
        check(not warnings, f"{kernel}: {warnings}")


def builds(root):
    """As the package's maintainer script does."""
    output("make", "-s", "-C", TREE, "install-dkms", "prefix=/usr", f"DESTDIR={root}")
    inside(root, f"sh /usr/lib/dkms/common.postinst {NAME} {version()} >/tmp/log 2>&1 || {{ tail -n 20 /tmp/log >&2; exit 1; }}")
    check(kernels(root), "the test is none: there are no headers")
    for kernel in kernels(root):
        is_installed(root, kernel)


def upgrade(root, release):
    """The headers of the release's next kernel, by apt, while the module is known to DKMS."""
    before = kernels(root)
    sources = (root / "etc/apt/sources.list").read_text(encoding="utf-8").split()
    (root / "etc/apt/sources.list.d/backports.list").write_text(f"deb {sources[1]} {release}-backports main\n", encoding="utf-8")
    inside(root, f"{APT} update; {APT} install -y --no-install-recommends -t {release}-backports linux-headers-{machine()} >/tmp/log 2>&1 || "
                 "{ tail -n 20 /tmp/log >&2; exit 1; }")
    new = kernels(root) - before
    check(new, "the test is none: no kernel came")
    for kernel in kernels(root):
        is_installed(root, kernel)


def machine():
    return output("dpkg", "--print-architecture").strip()


def unknown_headers(root):
    """Those of a kernel that is there, but for one name."""
    kernel = sorted(kernels(root))[-1]
    build = root / "lib/modules" / UNKNOWN / "build"
    inside(root, f"mkdir -p /lib/modules/{UNKNOWN}/build/{os.path.dirname(HEADER)}; cp -L /lib/modules/{kernel}/build/.config "
                 f"/lib/modules/{UNKNOWN}/build; : >/lib/modules/{UNKNOWN}/build/Makefile; "
                 f"sed s/nf_ct_helper_init/nf_ct_helper_make/ /lib/modules/{kernel}/source/{HEADER} >/lib/modules/{UNKNOWN}/build/{HEADER}")
    check("nf_ct_helper_make" in (build / HEADER).read_text(encoding="utf-8"), "the test is none: the header has another name")


def unknown_is_passed_over(root, release):
    """As the headers' maintainer script has it, for all that DKMS knows."""
    unknown_headers(root)
    said = inside(root, f"/etc/kernel/header_postinst.d/dkms {UNKNOWN} 2>&1 || echo status $?")
    status = inside(root, f"dkms status {NAME}/{version()} -k {UNKNOWN}")
    check(UNKNOWN not in status, f"dkms status: {status!r}")
    if release == "bookworm" and "BUILD_EXCLUSIVE" in said and "status 11" in said:
        raise Skip("Debian 12's DKMS takes what is passed over for a failure")
    check("status" not in said, f"it says {said!r}")
    check("BUILD_EXCLUSIVE" in said, f"the test is none: it says {said!r}")


def cases(release):
    with overlay(fresh_system(release)) as root:
        # With headers their kernel may come, which nobody boots: it needs no initramfs, and that takes longer than all else.
        inside(root, "dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs; ln -s /bin/true /usr/sbin/update-initramfs; "
                     f"{APT} update; {APT} install -y --no-install-recommends dkms kmod linux-headers-{machine()} >/tmp/log 2>&1 || "
                     "{ tail -n 20 /tmp/log >&2; exit 1; }")
        yield "builds", lambda: builds(root)
        yield "kernel-upgrade", lambda: upgrade(root, release)
        yield "unknown-kernel", lambda: unknown_is_passed_over(root, release)


def main():
    failed, releases = 0, chosen(sys.argv[1:])
    if os.geteuid() != 0:
        print("SKIP dkms: it needs root")
        return 0
    for release in releases:
        name = "dkms"
        try:
            for name, case in cases(release):
                try:
                    case()
                    print(f"PASS dkms/{release}/{name}", flush=True)
                except Skip as why:
                    print(f"SKIP dkms/{release}/{name}: {why}", flush=True)
                except Failure as why:
                    print(f"FAIL dkms/{release}/{name}: {' '.join(str(why).split())}", flush=True)
                    failed += 1
        except (Failure, subprocess.TimeoutExpired) as why:
            print(f"FAIL dkms/{release}: {' '.join(str(why).split())}", flush=True)
            failed += 1
        except Skip as why:
            print(f"SKIP dkms/{release}: {why}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
