# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes an initramfs: busybox, an init, and the modules that it loads."""

import shutil
import subprocess
import tempfile
from pathlib import Path


def modules_for(base, release, wanted):
    """The files of these modules and of what they need, in the order in which to load them; what is built in is no file."""
    found = {}
    for name in wanted:
        argv = ["modprobe", "-d", base, "-S", release, "--show-depends", name]
        for line in subprocess.run(argv, check=True, text=True, capture_output=True).stdout.splitlines():
            if line.startswith("insmod "):
                found.setdefault(line.split()[1])
    return list(map(Path, found))


def content_of(module):
    """Unpacked, as the kernel does not do that."""
    if module.suffix != ".xz":
        return module.read_bytes()
    return subprocess.run(["xz", "-dc", module], check=True, stdout=subprocess.PIPE).stdout


def make(target, init, base, release, modules):
    """@init is its first process's script; the modules, numbered in the order in which it has to load them, are below @base."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch.") as folder:
        tree = Path(folder)
        for name in ("bin", "modules", "dev", "proc", "lower", "layer", "root"):
            (tree / name).mkdir()
        shutil.copy(shutil.which("busybox"), tree / "bin/busybox")
        (tree / "bin/sh").symlink_to("busybox")
        shutil.copy(init, tree / "init")
        (tree / "init").chmod(0o755)
        for number, path in enumerate(modules_for(base, release, modules), 10):
            (tree / "modules" / f"{number}-{path.name.removesuffix('.xz')}").write_bytes(content_of(path))
        with target.open("wb") as file:
            subprocess.run("find . | busybox cpio -o -H newc", shell=True, check=True, cwd=tree, stdout=file, stderr=subprocess.DEVNULL)
