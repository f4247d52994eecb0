#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever units, maintainers' scripts, lists of packages and OpenWrt's files name of ours is there: it is installed, or the program makes it.

One line a case: `PASS name` or `FAIL name: why`.
"""

import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
NAMING = ["debian/*.preinst", "debian/*.postinst", "debian/*.prerm", "debian/*.postrm", "debian/*.install", "debian/*.links", "debian/*.docs",
          "systemd/*", "openwrt/Makefile", "openwrt/files/*", "kmod/dkms.conf"]
WORD = re.compile(r"[\w./@:$()-]*nf(?:q[-_]ftp|_conntrack_nfqftp)[\w./@:()-]*")


def text_of(name):
    return (TREE / name).read_text(encoding="utf-8")


def found(pattern, *names):
    """What the one group of @pattern is, wherever it is found in files; never nothing."""
    values = {one for name in names for one in re.findall(pattern, text_of(name), re.MULTILINE)}
    if not values:
        sys.exit(f"test_names: nothing in {', '.join(names)} is as {pattern!r} says")
    return values


def make_variables():
    """Of Makefile, as Debian's packages set them."""
    variables = dict(re.findall(r"^(\w+) \?= (\S+)", text_of("Makefile"), re.MULTILINE))
    variables.update(prefix="/usr", libexecdir="/usr/libexec", zshcompletiondir="/usr/share/zsh/vendor-completions")
    return variables


def expand(text, variables):
    while "$(" in text:
        text = re.sub(r"\$\((\w+)\)", lambda name: variables[name.group(1)], text)
    return text


def installed():
    """The paths of Makefile's table, and the configuration."""
    table = re.search(r"^define INSTALLED\n(.*?)^endef", text_of("Makefile"), re.MULTILINE | re.DOTALL).group(1)
    places = [line.split()[2] for line in table.splitlines()]
    return {expand(place, make_variables()) for place in places} | {"/etc/nfq-ftp-helper.conf"}


def installed_by_openwrt():
    """What its Makefile puts at $(1)/..., the folders among them; and the option of uci that its scripts make."""
    places = set()
    for line in text_of("openwrt/Makefile").splitlines():
        if re.match(r"\t\$\(INSTALL_", line):
            *sources, target = line.split()[1:]
            targets = [one[len("$(1)"):] for one in [*sources, target] if one.startswith("$(1)")]
            for place in targets:
                places |= {place, place + sources[0].rsplit("/", 1)[-1]} if place.endswith("/") else {place}
    return places


def module_files():
    module = found(r"^obj-m := (\w+)\.o", "kmod/Kbuild").pop()
    parameters = set().union(*(re.findall(r"^module_param(?:_cb)?\((\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
                               for path in (TREE / "kmod").glob("*.c")))
    folder = f"/sys/module/{module}/parameters"
    return {module, folder} | {f"{folder}/{parameter}" for parameter in parameters}


def there():
    """All names that something makes."""
    program = found(r"^\$\(BUILD\)/(nfq-ftp-helper(?:-tools)?):", "Makefile")
    units = {path.name.removesuffix(".in") for path in (TREE / "systemd").glob("*.service.in")}
    packages = found(r"^Package: (\S+)", "debian/control") | found(r"^define Package/([\w-]+)$", "openwrt/Makefile")
    user = found(r"^u (\S+)", "systemd/sysusers.conf").pop()
    names = program | units | packages | {user, f"{user}:{user}", *(f"@sbindir@/{name}" for name in program)}
    names |= found(r'#define OPTIONS_STATE_DIRECTORY "(.*)"', "nfq-ftp-helper/daemon/options.h") | module_files()
    names |= {f"man:{path.stem}({path.suffix[1:]})" for path in (TREE / "doc").glob("*.[1-8]")}
    return names


def words(name):
    """Without comments."""
    text = re.sub(r"^\s*#.*", "", text_of(name), flags=re.MULTILINE)
    text = text.replace(r"nfq-ftp-helper(-rules)?\\.service", "nfq-ftp-helper.service nfq-ftp-helper-rules.service")  # grep's
    found_words = {word.strip("-:").rstrip(".") for word in WORD.findall(text)}
    return {re.sub(r"\)+$", "", word) if word.count(")") > word.count("(") else word for word in found_words}


def debian():
    """And what it packs is what `make install' makes; a link leads there, too."""
    names = there() | installed() | {place.lstrip("/") for place in installed()}
    for name in files("debian/", "systemd/", "kmod/"):
        made = {line.split()[1] for line in text_of(name).splitlines()} if name.endswith(".links") else set()
        for word in sorted(words(name) - names - made):
            yield f"{name} names {word}, which nothing makes"
    for path in (path for docs in TREE.glob("debian/*.docs") for path in docs.read_text(encoding="utf-8").split()):
        if not (TREE / path).exists():
            yield f"debian/*.docs name {path}, which is not there"


def openwrt():
    places = installed_by_openwrt()
    build = {f"$(PKG_BUILD_DIR)/build/{name}" for name in found(r"^\$\(BUILD\)/(nfq-ftp-helper(?:-tools)?):", "Makefile")}
    targets = {f"$(1){place}" for place in places}
    sections = found(r"^\tset (firewall\.\w+)=", "openwrt/files/nfq-ftp-helper.defaults")
    for name in files("openwrt/"):
        for word in sorted(words(name) - there() - places - targets - build - sections):
            if word.startswith("./files/") and (TREE / "openwrt" / word).exists():
                continue
            if word.startswith("Package/") or any(word.startswith(f"{section}.") for section in sections) or word.endswith("@nfq-ftp-helper.example"):
                continue
            yield f"{name} names {word}, which nothing makes"


def files(*beginnings):
    names = sorted(path.relative_to(TREE).as_posix() for pattern in NAMING for path in TREE.glob(pattern))
    return [name for name in names if name.startswith(beginnings)]


def main():
    failed = False
    for case in (debian, openwrt):
        faults = sorted(set(case()))
        print(f"FAIL names/{case.__name__}: {'; '.join(faults)}" if faults else f"PASS names/{case.__name__}")
        failed |= bool(faults)
    return failed


if __name__ == "__main__":
    sys.exit(main())
