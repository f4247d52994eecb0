# SPDX-License-Identifier: GPL-2.0-or-later
"""Fresh systems of Debian, to build and install packages in: overlays over what debootstrap has made, which is kept below $NFQ_FTP_ROOTS
(default: /var/cache/nfq-ftp-helper/roots) and never written to. It needs root, and the archive that this machine has its own packages from."""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from package import TREE, Failure, Skip, output

ROOTS = Path(os.environ.get("NFQ_FTP_ROOTS", "/var/cache/nfq-ftp-helper/roots"))
RELEASES = ("bookworm", "trixie")
NAME = "nfq-ftp-helper"

# In a namespace of mounts that ends with the command; /run is empty there, as at a start of the machine.
ENTER = r"""
root=$1; shift
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" && mount -t tmpfs run "$root/run" && mount -t tmpfs tmp "$root/tmp"
mkdir -p "$root/run/lock"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -euc "$1"
"""


def chosen(arguments):
    """The releases that a test's arguments name; none: all. Ends the program where one is unknown."""
    for argument in arguments:
        if argument not in RELEASES:
            sys.exit(f"{Path(sys.argv[0]).name}: `{argument}' is no release that there are packages for: name {' or '.join(RELEASES)}, or nothing for all")
    return arguments or RELEASES


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
    try:
        output("debootstrap", "--variant=minbase", release, unfinished, archive(), *script, timeout=1800)
    except Failure as why:
        raise Skip(f"no system of {release} without Debian's archive, or one in {root}: {' '.join(str(why).split())}") from why
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


def entering(root, script):
    """The command that runs a script in a system."""
    return "unshare", "--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh", root, script


def inside(root, script):
    return output(*entering(root, script), timeout=3600)


def copy_tree(folder):
    for path in output("git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if path and os.path.lexists(TREE / path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / path, folder / path, follow_symlinks=False)


def keep_packages(base, packages):
    """Where they stay when the system they were built in has gone: beside what was their base."""
    kept = base.parent / f"{base.name}-packages"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    return [Path(shutil.copy(package, kept)) for package in packages]


def packages_given():
    """Those that are built already, in the folder that $NFQ_FTP_PACKAGES names; None where it names none."""
    folder = os.environ.get("NFQ_FTP_PACKAGES")
    if not folder:
        return None
    packages = sorted(Path(folder).glob("*.deb"))
    if not packages:
        raise Failure(f"NFQ_FTP_PACKAGES: there is no package in `{folder}'")
    return packages


APT = "apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root"


def build(root):
    copy_tree(root / "build" / NAME)
    inside(root, f"{APT} update; {APT} install -y --no-install-recommends build-essential lintian >/dev/null; cd /build/{NAME}; "
                 f"{APT} build-dep -y --no-install-recommends ./ >/dev/null; dpkg-buildpackage -us -uc -j2 >/build/log 2>&1 || "
                 "{ tail -n 20 /build/log >&2; exit 1; }")
    return sorted((root / "build").glob("*.deb"))


def snapshot(root, ask=output):
    """What a package may leave behind, but for dpkg's own books and logs. @ask runs a command where @root is."""
    skip = ("/var/lib/dpkg", "/var/log", "/var/cache", "/var/lib/apt", "/var/lib/systemd", "/packages", "/proc", "/dev", "/run", "/tmp",
            "/etc/ld.so.cache", "/sys")
    listed = ask("find", root, "-xdev", "-printf", "%P %l\n").splitlines()
    return {f"/{line}".rstrip() for line in listed if not f"/{line}".startswith(skip)}


def users(root, ask=output):
    return {(name, line) for name in ("passwd", "group", "shadow", "gshadow") for line in ask("cat", f"{root}/etc/{name}").splitlines()}
