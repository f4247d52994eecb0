# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels as the suites of its archive hold them, and what a package needs, from the suites' own indices (Packages).

Read here and not asked of apt, whose answers also depend on what this machine has installed: of a package that is there in another
version it wants just that one. Nothing here touches the network; tests/vm/kernels does.
"""

import functools
import re
import subprocess

ARCHITECTURE = "amd64"

# A release's suites, the first one whole by itself; the others add to it, or replace packages.
RELEASES = {
    "bookworm": ("bookworm", "bookworm-security", "bookworm-backports"),
    "trixie": ("trixie", "trixie-security", "trixie-backports"),
    "sid": ("sid",),
}
# The kernels that people run, and the releases that have them: of all there, the newest is taken. The oldest first.
GENERATIONS = {
    "6.1": ("bookworm",),
    "6.12": ("trixie", "bookworm"),
    "7.2": ("sid", "trixie"),
    "7.3": ("trixie",),
}

IMAGE = re.compile(r"linux-image-(\d+\.\d+\.\d+[^-]*(?:-\d+)?-" + ARCHITECTURE + ")")  # a kernel itself: not for clouds, no metapackage
NOT_KERNELS = re.compile(r"linux-(image|binary|modules|initramfs-tool)\b")


class Missing(Exception):
    """What the suites do not hold; the message says it."""


def field(stanza, name):
    """The value of a field of one line; empty where there is none."""
    found = re.search(rf"^{name}: *(.*)$", stanza, re.MULTILINE)
    return found.group(1) if found else ""


class Suite:
    """One suite's index: packages by name, unread until asked for."""

    def __init__(self, name, packages, uri=""):
        self.name, self.uri, self.stanzas, self.virtual = name, uri, {}, None
        for stanza in packages.split("\n\n"):
            package = field(stanza, "Package")
            if package:
                self.stanzas.setdefault(package, []).append(stanza)

    def newest(self, package):
        """Its stanza, of whatever provides it where no package has the name; None where nothing does."""
        stanzas = self.stanzas.get(package) or self.providers().get(package)
        return stanzas and max(stanzas, key=lambda stanza: version_key(field(stanza, "Version")))

    def providers(self):
        if self.virtual is None:
            self.virtual = {}
            for stanzas in self.stanzas.values():
                for stanza in stanzas:
                    for name, _ in relations(field(stanza, "Provides")):
                        self.virtual.setdefault(name, []).append(stanza)
        return self.virtual


def compare(one, other):
    """As dpkg has it."""
    if one == other:
        return 0
    return -1 if subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False).returncode == 0 else 1


version_key = functools.cmp_to_key(compare)


def relations(text):
    """(Name, the alternatives after it) of each package in a field like Depends, without versions and architectures."""
    for clause in filter(None, (part.strip() for part in text.split(","))):
        names = [re.match(r"[^\s(\[:]+", alternative.strip()).group() for alternative in clause.split("|")]
        yield names[0], names[1:]


def generation(kernel):
    """Of the beginning of a version, as 6.1 or 6.1.176."""
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", kernel) or (found := ".".join(kernel.split(".")[:2])) not in GENERATIONS:
        raise Missing(f"`{kernel}' is no kernel of these: {', '.join(GENERATIONS)}, or one of their versions, as 6.1.176")
    return found


def is_of(kernel, version):
    """Whether a package's version begins with these numbers."""
    return re.match(rf"{re.escape(kernel)}(?![\d])", version) is not None


def kernels(suite):
    """(Version, release as uname -r says it) of each kernel in a suite."""
    for package, stanzas in suite.stanzas.items():
        found = IMAGE.fullmatch(package)
        if found:
            for stanza in stanzas:
                yield field(stanza, "Version"), found.group(1)


def newest_kernel(kernel, suites):
    """(Suite, release) of the newest whose version begins so; Missing where no suite has any."""
    found = [(version, release, suite) for suite in suites for version, release in kernels(suite) if is_of(kernel, version)]
    if not found:
        raise Missing(f"no kernel {kernel} is in {', '.join(suite.name for suite in suites)} any more; GENERATIONS in tests/vm/archive.py "
                      "says where to look")
    _, release, suite = max(found, key=lambda one: version_key(one[0]))
    return suite, release


def in_order(suite, suites):
    """A kernel's own suite first, for what is built with it; then those that are whole, for all else."""
    return [suite, *(other for other in suites if other is not suite)]


def first_that_has(package, suites):
    for suite in suites:
        stanza = suite.newest(package)
        if stanza:
            return suite, stanza
    raise Missing(f"there is no package {package} in {', '.join(suite.name for suite in suites)}")


def needs(stanza):
    return [*relations(field(stanza, "Pre-Depends")), *relations(field(stanza, "Depends"))]


def parts_of_kernel(release, suites):
    """The packages, as (suite, stanza), that the kernel and its modules are in: those of its name that linux-image-RELEASE needs."""
    image = first_that_has(f"linux-image-{release}", suites)
    return [image, *(first_that_has(name, suites) for name, _ in needs(image[1]) if name.endswith(f"-{release}"))]


def choose(name, alternatives, suites):
    """(Suite, stanza) of the first alternative that there is."""
    for candidate in (name, *alternatives):
        try:
            return first_that_has(candidate, suites)
        except Missing:
            pass
    return first_that_has(name, suites)


def closure(packages, suites):
    """All that these need, directly or not, but kernels, as (suite, stanza)."""
    todo, seen, found = [(name, []) for name in packages], set(), {}
    while todo:
        name, alternatives = todo.pop()
        if name in seen or NOT_KERNELS.match(name):
            continue
        seen.add(name)
        suite, stanza = choose(name, alternatives, suites)
        if field(stanza, "Package") not in found:
            found[field(stanza, "Package")] = (suite, stanza)
            todo += needs(stanza)
    return list(found.values())
