#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages on fresh systems of Debian 12 and 13: built, judged by lintian, installed, used, installed over themselves, removed
and purged. Each in an overlay over a system that debootstrap has made, which is kept below $NFQ_FTP_ROOTS (default:
/var/cache/nfq-ftp-helper/roots) and never written to. It needs root and Debian's archive. One line a case, `PASS name' or `FAIL name: why'.

Arguments: names of releases (bookworm, trixie); none: both.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from package import TREE, Failure, Skip, check, output

ROOTS = Path(os.environ.get("NFQ_FTP_ROOTS", "/var/cache/nfq-ftp-helper/roots"))
RELEASES = ("bookworm", "trixie")
NAME = "nfq-ftp-helper"

# In a namespace of mounts that ends with the command; /run is empty there, as at a start of the machine.
ENTER = r"""
root=$1; shift
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs run "$root/run" && mount -t tmpfs tmp "$root/tmp"
mkdir -p "$root/run/lock"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -euc "$1"
"""


def archive():
    """Where this machine has its own packages from."""
    places = [line for line in output("apt-get", "indextargets", "--format", "$(REPO_URI)").splitlines() if "security" not in line]
    if not places:
        raise Skip("apt knows no archive: `apt-get update' first")
    return places[0]


def fresh_system(release):
    root = ROOTS / release
    if (root / "etc/debian_version").exists():
        return root
    if not shutil.which("debootstrap"):
        raise Skip("there is no debootstrap")
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = root.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    scripts = Path("/usr/share/debootstrap/scripts")
    script = [] if (scripts / release).exists() else [scripts / "sid"]
    output("debootstrap", "--variant=minbase", release, unfinished, archive(), *script, timeout=1800)
    unfinished.rename(root)
    return root


@contextlib.contextmanager
def overlay(base):
    """A system that is as @base at first, and goes at the end."""
    with tempfile.TemporaryDirectory(prefix="nfq-ftp-helper-root.", dir=base.parent) as folder:
        upper, work, root = [Path(folder) / name for name in ("upper", "work", "root")]
        for path in (upper, work, root):
            path.mkdir()
        output("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={upper},workdir={work}", root)
        try:
            for name in ("resolv.conf", "hosts"):
                shutil.copy(f"/etc/{name}", root / "etc" / name)
            (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
            (root / "usr/sbin/policy-rc.d").chmod(0o755)
            yield root
        finally:
            output("umount", root)


def inside(root, script):
    return output("unshare", "--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh", root, script, timeout=3600)


def copy_tree(folder):
    for path in output("git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if path and os.path.lexists(TREE / path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / path, folder / path, follow_symlinks=False)


APT = "apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root"


def build(root):
    copy_tree(root / "build" / NAME)
    inside(root, f"{APT} update; {APT} install -y --no-install-recommends build-essential lintian >/dev/null; cd /build/{NAME}; "
                 f"{APT} build-dep -y --no-install-recommends ./ >/dev/null; dpkg-buildpackage -us -uc -j2 >/build/log 2>&1 || "
                 "{ tail -n 20 /build/log >&2; exit 1; }")
    return sorted((root / "build").glob("*.deb"))


def lintian(root):
    done = inside(root, f"cd /build; lintian --allow-root --fail-on none {NAME}_*.changes")
    faults = [line for line in done.splitlines() if line.startswith(("E:", "W:"))]
    check(not faults, "; ".join(faults))


def snapshot(root):
    """What a package may leave behind, but for dpkg's own books and logs."""
    skip = ("/var/lib/dpkg", "/var/log", "/var/cache", "/var/lib/apt", "/var/lib/systemd", "/packages", "/proc", "/dev", "/run", "/tmp",
            "/etc/ld.so.cache", "/sys")
    listed = output("find", root, "-xdev", "-printf", "%P %l\n").splitlines()
    return {f"/{line}".rstrip() for line in listed if not f"/{line}".startswith(skip)}


def users(root):
    return {(name, line) for name in ("passwd", "group", "shadow", "gshadow")
            for line in (root / "etc" / name).read_text(encoding="utf-8").splitlines()}


def use(root):
    """The programs run, and replay is the tools' or says what to install."""
    capture = "pcaps/masquerade-vsftpd-port-ipv4-grow.inside.pcap"
    shutil.copy(TREE / capture, root / "packages")
    said = inside(root, f"{NAME} --version; {NAME} replay /packages/*.pcap; {NAME} run --help >/dev/null; getent passwd nfq-ftp; "
                        f"ldd /usr/sbin/{NAME}; test -s /usr/share/man/man8/{NAME}.8.gz -o -e /etc/dpkg/dpkg.cfg.d/docker")
    check("2 expected" in said and "nfq-ftp:x:" in said, f"it says {said}")
    check("libpcap" not in said and "libsystemd" not in said and "libmnl" in said, f"the daemon's program loads {said}")


def module_is_known(root):
    said = inside(root, "dkms status")
    check(said.startswith(f"{NAME}"), f"dkms status: {said!r}")


def install_use_purge(base, packages):
    with overlay(base) as root:
        (root / "packages").mkdir()
        inside(root, f"{APT} update; {APT} install -y --no-install-recommends passwd systemd dkms libnetfilter-queue1 libmnl0 libnfnetlink0 "
                     "libinih1 libjansson4 libpcap0.8* libseccomp2 libncursesw6 nftables >/dev/null")
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
    done = inside(root, f"dpkg -r {NAME}-tools >/dev/null; {NAME} replay /packages/*.pcap 2>&1 || :")
    check(f"install the package {NAME}-tools" in done, f"replay says {done!r}")


def purge(root, before):
    inside(root, f"dpkg -P {NAME}-dkms {NAME}-tools {NAME} >/dev/null 2>&1")
    (root / "packages/x").touch()
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
    failed = 0
    if os.geteuid() != 0:
        print("SKIP debian: it needs root")
        return 0
    for release in sys.argv[1:] or RELEASES:
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
