#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the module know the kernel's interface for conntrack helpers? kmod/probe, kmod/compat.h and kmod/dkms.conf, on small headers of
each generation (tests/kmod/generations), so that one is still tested when no distribution has it any more.

One line a case, `PASS name' or `FAIL name: why'. Arguments: parts of names.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
HERE = TREE / "tests/kmod"
KMOD = TREE / "kmod"
HEADER = "include/net/netfilter/nf_conntrack_helper.h"
# What the probe has to say, and the port that helpers have there.
GENERATIONS = {
    "6.1": ("-DCOMPAT_HELPERS_HAVE_PORTS", "0xffff"),
    "7.2": ("-DCOMPAT_HELPERS_HAVE_PORTS -DCOMPAT_HELPERS_ARE_COPIED", "0xffff"),
    "7.3": ("-DCOMPAT_HELPERS_ARE_COPIED", "0"),
}
# Headers that nobody has written yet: a change of all generations' (a pattern, and what stands there then), and what is to be named.
UNKNOWN = {
    "init-takes-more": (r"(struct module \*module)\);", r"\1, unsigned int flags);", "nf_ct_helper_init()"),
    "init-takes-less": (r"\bu32 expect_class_max,", "", "nf_ct_helper_init()"),
    "init-takes-another": (r"const char \*name", "const struct name *name", "nf_ct_helper_init()"),
    "init-returns": ("void nf_ct_helper_init", "int nf_ct_helper_init", "nf_ct_helper_init()"),
    "init-is-gone": ("nf_ct_helper_init", "nf_ct_helper_make", "nf_ct_helper_init()"),
    "register-takes-more": (r"(int nf_conntrack_helpers_register\([^)]*)\)", r"\1, struct net *)", "nf_conntrack_helpers_register()"),
    "register-returns-nothing": ("int nf_conntrack_helpers_register", "void nf_conntrack_helpers_register",
                                 "nf_conntrack_helpers_register()"),
    "unregister-takes-others": (r"(void nf_conntrack_helpers_unregister\(struct nf_conntrack_helper \*)(\*?)",
                                lambda found: found[1] + ("" if found[2] else "*"), "nf_conntrack_helpers_unregister()"),
    "help-takes-more": (r"(\(\*help\)\(struct sk_buff \*skb)(, unsigned int protoff, struct nf_conn \*ct,\s+enum ip_conntrack_info conntrackinfo\))",
                        r"\1, int hook\2", "struct nf_conntrack_helper's help"),
    "to-nlattr-takes-more": (r"(\(\*to_nlattr\)\([^)]*)\)", r"\1, bool destroy)", "struct nf_conntrack_helper's to_nlattr"),
    "helper-is-elsewhere": (r"struct nf_conntrack_helper __rcu \*helper;", "", "struct nf_conn_help's helper"),
    "data-is-small": (r"data\[32\]", "data[24]", "struct nf_conn_help's data"),
}
# What may be written in another way, and is the same to the compiler.
SPELLINGS = {
    "in-one-line": (r"\s+", " "),
    "a-word-a-line": (r" ", "\n"),
    "without-names": (r"\b(skb|protoff|ct|conntrackinfo|ctinfo|helper|name|l3num|protonum|default_port|spec_port|exp_pol|expect_class_max|module)\b"
                      r"(?=[,)])", ""),
    "other-types": (r"\bu32\b", "unsigned int"),
    "more-data": (r"data\[32\]", "data[64]"),
    "comments": (r"\*(?=(skb|ct|helper|name|exp_pol|attr|module|me)\b)", "/* a comment, with ( and ** in it\n * and /more/ **/*"),
}


class Failure(Exception):
    pass


def check(condition, complaint):
    if not condition:
        raise Failure(complaint)


def run(*command, **kwargs):
    return subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, **kwargs)


def probe(kdir):
    return run("sh", KMOD / "probe", kdir)


def changed(folder, generation, pattern, replacement):
    """Headers as @generation's, with a change."""
    text = (HERE / "generations" / generation / HEADER).read_text(encoding="utf-8")
    begin, end = text.index("struct nf_conntrack_expect_policy {"), text.rindex("#endif")
    after = re.sub(pattern, replacement, text[begin:end])
    check(after != text[begin:end], f"the test is none: {pattern!r} is not in generation {generation}")
    path = Path(folder) / HEADER
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text[:begin] + after + text[end:], encoding="utf-8")
    return folder


def known(generation):
    done = probe(HERE / "generations" / generation)
    check(done.returncode == 0 and not done.stderr, f"exit {done.returncode}: {done.stderr}")
    check(done.stdout.strip() == GENERATIONS[generation][0], f"it says {done.stdout!r}")


def spelt(spelling):
    for generation, (flags, _) in GENERATIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            done = probe(changed(folder, generation, *SPELLINGS[spelling]))
            check(done.stdout.strip() == flags, f"of {generation} it says {done.stdout!r} {done.stderr!r}")


def unknown(change):
    """A kernel is left out and what is not known is named."""
    pattern, replacement, named = UNKNOWN[change]
    for generation in GENERATIONS:
        with tempfile.TemporaryDirectory() as folder:
            done = probe(changed(folder, generation, pattern, replacement))
            check(done.returncode == 1 and not done.stdout, f"of {generation} it says {done.stdout!r}, exit {done.returncode}")
            check(f"{HEADER}: {named}" in done.stderr and done.stderr.count("\n") == 1, f"of {generation} it says {done.stderr!r}")


def built_elsewhere():
    """Debian's KDIR, and that of make O=, includes the Makefile of the sources."""
    for line in ("include {}/Makefile", "KBUILD_OUTPUT=here\ninclude  {}/Makefile\n"):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Makefile").write_text(line.format(HERE / "generations/7.2"), encoding="utf-8")
            (Path(folder) / "include/generated").mkdir(parents=True)
            done = probe(folder)
            check(done.stdout.strip() == GENERATIONS["7.2"][0], f"it says {done.stdout!r} {done.stderr!r}")


def no_headers():
    with tempfile.TemporaryDirectory() as folder:
        done = probe(folder)
        check(done.returncode == 1 and f"{folder} has no kernel headers" in done.stderr, f"it says {done.stdout!r} {done.stderr!r}")


def works(generation):
    """compat.h, as Kbuild has it compiled, with a kernel in small."""
    flags = probe(HERE / "generations" / generation).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "module"
        done = run(os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", *flags, f"-I{KMOD}",
                   f"-I{HERE}", f"-I{HERE / 'include'}", f"-I{HERE / 'generations' / generation / 'include'}", "-include", "linux/module.h",
                   "-o", program, HERE / "module.c", HERE / "generations" / generation / "kernel.c")
        check(done.returncode == 0, done.stderr)
        done = run(program, GENERATIONS[generation][1])
        check(done.returncode == 0, done.stdout + done.stderr)


def kbuild(generation_folder, version, patchlevel, asked="ccflags-y", *config):
    """A variable as the kernel's make sees it."""
    with tempfile.TemporaryDirectory() as folder:
        makefile = Path(folder) / "Makefile"
        makefile.write_text(f"include {KMOD}/Kbuild\nall:\n\t@echo $({asked})\n", encoding="utf-8")
        return run("make", "-s", "-f", makefile, f"src={KMOD}", f"srctree={generation_folder}", f"VERSION={version}", f"PATCHLEVEL={patchlevel}",
                   *config)


def kbuild_asks():
    for generation, (flags, _) in GENERATIONS.items():
        done = kbuild(HERE / "generations" / generation, "6", "1")
        check(done.stdout.strip() == flags and not done.stderr, f"of {generation} it says {done.stdout!r} {done.stderr!r}")
    with tempfile.TemporaryDirectory() as folder:
        done = kbuild(changed(folder, "7.3", *UNKNOWN["init-takes-more"][:2]), "6", "1")
        check(done.returncode and not done.stdout and done.stderr.count("probe: ") == 1 and "none that the module was written for" in done.stderr,
              f"of an unknown one it says {done.stdout!r} {done.stderr!r}")


def tried_kernels():
    found = re.search(r"^TRIED := (.*)$", (KMOD / "Kbuild").read_text(encoding="utf-8"), re.MULTILINE)
    check(found, "Kbuild has no line TRIED")
    return found[1].split()


def kbuild_tells_untried():
    for version in tried_kernels():
        check("NFQFTP_UNTRIED" not in kbuild(HERE / "generations/7.3", *version.split(".")).stdout, f"{version} is untried")
    for version in ("6.11", "7.99", "61.0"):
        check("-DNFQFTP_UNTRIED" in kbuild(HERE / "generations/7.3", *version.split(".")).stdout, f"{version} has been tried")


def kbuild_needs_nat():
    """What deals with plain sessions is built where there is address translation, as a module or not, and each object has its source."""
    def objects(*config):
        return kbuild(HERE / "generations/7.3", "7", "3", "nf_conntrack_nfqftp-y", *config).stdout.split()

    fast = {"fast.o", "fast_client.o", "fast_expect.o", "core/plain/plain.o"}
    check(not fast & set(objects()), f"without: {objects()}")
    for value in ("y", "m"):
        check(fast <= set(objects(f"CONFIG_NF_NAT={value}")), f"with {value}: {objects(f'CONFIG_NF_NAT={value}')}")
    missing = [name for name in objects("CONFIG_NF_NAT=m") if not (KMOD / name).with_suffix(".c").exists()]
    check(not missing, f"no source: {missing}")


def readme_names_tried():
    readme = (KMOD / "README").read_text(encoding="utf-8")
    for version in tried_kernels():
        check(re.search(rf"\b{re.escape(version)}\.\d", readme), f"README has no kernel {version}, which Kbuild says the module was tried on")


def dkms(folder, kernel_source_dir, variables="kernelver=9.9.9-arch1", source=KMOD):
    """dkms.conf as DKMS reads it, from a copy of the folder: what it says of a kernel."""
    copy = Path(folder) / "nfq-ftp-helper-0"
    if not copy.exists():
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("core"))
    done = run("bash", "-c", f'{variables}; kernel_source_dir=$1; . "$2"; [[ $BUILD_EXCLUSIVE_KERNEL && ! $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]] && '
                             'echo excluded; echo "$AUTOINSTALL"', "bash", kernel_source_dir, copy / "dkms.conf", cwd="/")
    check(done.returncode == 0 and not done.stderr, f"it says {done.stderr!r}")
    return done.stdout.split()


def kdir_of(folder, headers):
    kdir = Path(folder) / "kdir"
    kdir.mkdir()
    (kdir / "Makefile").write_text(f"include {headers}/Makefile\n", encoding="utf-8")
    return kdir


def dkms_builds_known():
    for generation in GENERATIONS:
        with tempfile.TemporaryDirectory() as folder:
            said = dkms(folder, kdir_of(folder, HERE / "generations" / generation))
            check(said == ["yes"], f"of {generation} it says {said}")


def dkms_leaves_out_unknown():
    with tempfile.TemporaryDirectory() as folder:
        headers = changed(Path(folder) / "headers", "7.3", *UNKNOWN["init-takes-more"][:2])
        said = dkms(folder, kdir_of(folder, headers))
        check(said == ["excluded", "yes"], f"it says {said}")


def dkms_without_headers():
    """What DKMS says of it then is better; and it reads the file for other purposes."""
    with tempfile.TemporaryDirectory() as folder:
        for place in (Path(folder) / "none", ""):
            said = dkms(folder, place, "kernelver=")
            check(said == ["yes"], f"of {place!r} it says {said}")


def cases():
    for generation in GENERATIONS:
        yield f"probe/{generation}", lambda generation=generation: known(generation)
    for spelling in SPELLINGS:
        yield f"probe/{spelling}", lambda spelling=spelling: spelt(spelling)
    for change in UNKNOWN:
        yield f"probe/unknown/{change}", lambda change=change: unknown(change)
    yield "probe/built-elsewhere", built_elsewhere
    yield "probe/no-headers", no_headers
    for generation in GENERATIONS:
        yield f"compat/{generation}", lambda generation=generation: works(generation)
    yield "kbuild/asks", kbuild_asks
    yield "kbuild/tells-untried", kbuild_tells_untried
    yield "kbuild/needs-nat", kbuild_needs_nat
    yield "kbuild/readme", readme_names_tried
    yield "dkms/known", dkms_builds_known
    yield "dkms/unknown", dkms_leaves_out_unknown
    yield "dkms/no-headers", dkms_without_headers


def main():
    failed = 0
    for name, case in cases():
        if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
            continue
        try:
            case()
            print(f"PASS kmod/{name}", flush=True)
        except Failure as why:
            print(f"FAIL kmod/{name}: {' '.join(str(why).split())}", flush=True)
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
