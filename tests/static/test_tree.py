#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every file of the tree keeps to, and no compiler looks at. One line a case: `PASS name` or `FAIL name: why`."""

import re
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"

# How the line with the licence begins and ends; the kernel's own form (Documentation/process/license-rules.rst).
FORMS = {".c": f"// {LICENCE}", ".h": f"/* {LICENCE} */", ".8": f'.\\" {LICENCE}', ".5": f'.\\" {LICENCE}', ".1": f'.\\" {LICENCE}', None: f"# {LICENCE}"}
# Prose, data, and what git and the tools read.
WITHOUT = re.compile(r"(^|/)(\.[^/]*|LICENSE|README|seeds|adversary-lost|core)$|(^|/)corpus/|^tests/replay/explain/.*\.txt$|^debian/|\.(md|json|pcap|tsv|patch|nft|iptables|conf|golden)$")


# Stands beside the programs of its suite, and is a part of each.
HELPS = ("tests/fuzz/noted.c", "tests/fuzz/replay.c")


# Static functions that several files of a room have, each its own of the same: explain's writers have them in struct writer.
OF_EACH = {"explain": ("put_row", "put_end", "put_head", "put_text", "put_notes", "put_dialogue", "put_content", "put_line")}


def files(*patterns):
    """Also those that git does not know yet."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns], cwd=TREE,
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (TREE / name).is_file())


def first_lines(name):
    with open(TREE / name, encoding="utf-8") as file:
        lines = [file.readline().rstrip("\n"), file.readline().rstrip("\n")]
    return lines[1:] if lines[0].startswith("#!") else lines[:1]


def licences():
    """In its first line, or the second where a program's interpreter stands in the first."""
    for name in files():
        if WITHOUT.search(name) and not first_lines_are_a_program(name):
            continue
        wanted = FORMS.get(Path(name).suffix, FORMS[None])
        if first_lines(name) != [wanted]:
            yield f"{name} does not begin with `{wanted}'"


def first_lines_are_a_program(name):
    with open(TREE / name, "rb") as file:
        return file.read(2) == b"#!"


def test_names():
    """What is run by itself, in any suite, is called test_NAME; what helps it is not."""
    for name in files("tests/unit/*.c", "tests/fuzz/*.c"):
        if not Path(name).name.startswith("test_") and name not in HELPS:
            yield f"{name} is a program of its suite: its name has to begin with test_"
    for name in files("tests/*/test_*"):
        text = (TREE / name).read_text(encoding="utf-8")
        if not re.search(r"^int (main|LLVMFuzzerTestOneInput)\(|^if __name__ == .__main__.:", text, re.MULTILINE):
            yield f"{name} is called a test, and cannot be run"


def common_headers():
    """A header in tests/common has a file of its own name beside it."""
    for name in files("tests/common/*.h"):
        if not (TREE / name).with_suffix(".c").exists():
            yield f"{name} has no .c beside it"


def messages():
    """Whatever subcommand speaks, it does so by output/say, which puts the program's name before it and lets no byte of others through; or by the log."""
    for name in files("nfq-ftp-helper/*.c"):
        if name in ("nfq-ftp-helper/output/say.c", "nfq-ftp-helper/daemon/log.c"):
            continue
        text = (TREE / name).read_text(encoding="utf-8")
        for found in re.finditer(r'\bv?fprintf\((?:stderr|err|errors\()|\bfputs\([^;]*"nfq-ftp-helper: |\bperror\(|\bwarnx?\("', text):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: `{found.group(0)}' says something: that is for say_sentence() to do (output/say.h)"
        for found in re.finditer(r'"nfq-ftp-helper: ', text):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: the program's name before what is said is SAY_PREFIX (output/say.h)"
        for found in re.finditer(r'\bsay_(?:sentence|to)\((?:[a-z()]+,\s*)?"(nfq-ftp-helper: |[^"]*\\n")', text):
            yield f"{name}: `{found.group(1)}': say_sentence() puts the program's name before a sentence, and the end of the line behind it"


def log_lines():
    """One of the log's is an event, and has its name first; what is put together elsewhere begins with a %s."""
    for name in files("nfq-ftp-helper/*.c"):
        text = (TREE / name).read_text(encoding="utf-8")
        for found in re.finditer(r'\blog_line\([^;"]*"(?!event=[a-z-]+[ "]|event=%s|%s)([^"]*)', text):
            yield f"{name}: the log's line `{found.group(1)}' does not begin with event=WHAT"
        for found in re.finditer(r'\blog_why\([^;"]*"(?![a-z-]+",)([^"]*)', text):
            yield f"{name}: `{found.group(1)}' is no event's name"


def stream_flags():
    """What a stream's flags are is changed in core/table/state.h alone; a table's own files write what they make, or have found."""
    record = (TREE / "nfq-ftp-helper/core/table/record.h").read_text(encoding="utf-8")
    stream = re.search(r"^struct stream {\n(.*?)^}", record, re.MULTILINE | re.DOTALL)
    flags = re.findall(r"^\tbool (\w+) : 1;", stream.group(1), re.MULTILINE) if stream else []
    if not flags:
        yield "nfq-ftp-helper/core/table/record.h has no flags in struct stream"
        return
    written = re.compile(r"\b(?:stream|mine|theirs|client|server|acked|stream\[\w+\])(?:->|\.)(" + "|".join(flags) + r") [|&^]?= ")
    for name in files("nfq-ftp-helper/*.c", "nfq-ftp-helper/*.h"):
        if re.search(r"core/table/(state\.h|table_place\.c|table_take_up\.c)$", name):
            continue
        for found in written.finditer((TREE / name).read_text(encoding="utf-8")):
            yield f"{name} writes `{found.group(1)}' of a stream, which is for core/table/state.h to do"


FUNCTION = re.compile(r"^(?![#/}\s]|typedef|return|extern const)(static )?(?:inline )?(?:[\w()\"*,-]+[ ]+\**)+(\w+)\(", re.MULTILINE)
TAG = re.compile(r"^(?:typedef )?(struct|enum|union) (\w+) \{", re.MULTILINE)


def house(pattern):
    return {name: (TREE / name).read_text(encoding="utf-8") for name in files(f"nfq-ftp-helper/{pattern}")}


def has_prefix(function, header, types):
    """A function is called after its file (all of that name, or what it begins with), its room, or a type that its header defines."""
    word = function.partition("_")[0]
    homes = [header.stem, header.parent.name, *types]
    return (len(word) > 2 and header.stem.startswith(word)) or any(function == home or function.startswith(f"{home}_") or f"{word}s" == home for home in homes)


def public_names():
    """Which file has this function? Its name says so; and a type that a header defines is the only one of its name."""
    headers, everything = house("*.h"), house("*.[ch]")
    owners = {}
    for name, text in everything.items():
        for found in TAG.finditer(text):
            owners.setdefault(found.group(1) + " " + found.group(2), []).append(name)
    for tag, homes in owners.items():
        if len(homes) > 1 and any(home.endswith(".h") for home in homes):
            yield f"{tag} is defined in {' and '.join(homes)}"
    for name, text in headers.items():
        types = [found.group(2) for found in TAG.finditer(text)]
        for found in FUNCTION.finditer(text):
            if not has_prefix(found.group(2), Path(name), types):
                yield f"{name}: {found.group(2)}() has the prefix of neither file, nor room, nor of a type of this header"


def static_names():
    """
    Of the files of one room one has a static function of this name; but for what is the same of each, in a table of functions. What is
    public anywhere is nobody's static name.
    """
    homes, public = {}, {found.group(2) for text in house("*.h").values() for found in FUNCTION.finditer(text)}
    for name, text in house("*.c").items():
        for found in FUNCTION.finditer(text):
            if found.group(1):
                homes.setdefault((str(Path(name).parent), found.group(2)), set()).add(Path(name).name)
            if found.group(1) and found.group(2) in public:
                yield f"{name}: {found.group(2)}() is a public function elsewhere: say whose it is"
    for (room, function), found in homes.items():
        if len(found) > 1 and function not in OF_EACH.get(Path(room).name, ()):
            yield f"{room}: {function}() stands in {' and '.join(sorted(found))}: say whose it is"



COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# The kernel's, and libraries', of which comments speak.
OF_OTHERS = re.compile(r"(nf_|nfct_|nfq_)\w+|tcp_in_window|strerror_r|clone|help")


def code_functions():
    """What is called or defined in any C file, comments apart."""
    return {word for name in files("*.c", "*.h") for word in
            re.findall(r"\b(\w+) ?\(", COMMENT.sub(" ", (TREE / name).read_text(encoding="utf-8", errors="replace")))}


def cited_functions():
    """A function that a comment of the product or a page names is there."""
    there = code_functions()
    for name, text in {**house("*.[ch]"), **{name: (TREE / name).read_text(encoding="utf-8") for name in files("kmod/*.[ch]")}}.items():
        for comment in COMMENT.findall(text):
            for function in re.findall(r"(?<![\w, ]_)\b([a-z]\w+)\(\)", comment):
                if function not in there and not OF_OTHERS.fullmatch(function):
                    yield f"{name}: there is no {function}()"
    scripts = "".join((TREE / name).read_text(encoding="utf-8") for name in files("*.py", "tests/vm/kernels"))
    for name in files("*.md"):
        text = (TREE / name).read_text(encoding="utf-8")
        for function in re.findall(r"`(\w+)\(\)`", text):
            if function not in there and not OF_OTHERS.fullmatch(function) and f"def {function}(" not in scripts:
                yield f"{name}: there is no {function}()"
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (TREE / name).parent.joinpath(link).exists():
                yield f"{name}: there is no {link}"


# Names of others' that a page speaks of, and of which nothing is in the tree.
NAMES_OF_OTHERS = {"RestartMode", "ForcePassiveIP", "nf_conntrack_tcp_be_liberal", "nf_conntrack_max"}


def cited_names():
    """What a page calls by a name of code, in backticks, is somewhere in the tree: what has gone, or is called otherwise, is found by this."""
    known = set()
    for name in files():
        if not re.search(r"\.(md|pcap|png)$|^tests/fuzz/corpus/", name):
            known.update(re.findall(r"\w+", (TREE / name).read_text(encoding="utf-8", errors="replace")), re.findall(r"\w+", name))
    for name in files("*.md"):
        if name == "CHANGELOG.md":
            continue
        for number, line in enumerate((TREE / name).read_text(encoding="utf-8").splitlines(), 1):
            for cited in re.findall(r"`([^`]+)`", line):
                for word in re.findall(r"\b(?:[a-z]\w*_\w+|[A-Z]+_[A-Z0-9_]+|[A-Z]\w*[a-z][A-Z]\w*)\b", cited):
                    if word not in known and word not in NAMES_OF_OTHERS:
                        yield f"{name}:{number}: there is no {word}"


def helper_name():
    """The helper has one name, whether the daemon registers it or the module, which cannot include the daemon's header."""
    names = {name: re.findall(rf'^#define {macro}\s+"([^"]+)"', (TREE / name).read_text(encoding="utf-8"), re.MULTILINE)
             for name, macro in (("nfq-ftp-helper/kernel/cthelper.h", "CTHELPER_NAME"), ("kmod/fast.h", "NFQFTP_NAME"))}
    if len({tuple(found) for found in names.values()}) != 1 or not all(names.values()):
        yield f"the helper's name differs: {names}"


def states():
    """The picture in state.h, a row a state and a column an event, is state.c's table."""
    room = TREE / "nfq-ftp-helper/core/table"
    picture, code = {}, {}
    rows = [line[2:].split() for line in (room / "state.h").read_text(encoding="utf-8").splitlines() if line.startswith(" *")]
    events = next((row for row in rows if row[:2] == ["SHAKEN", "MET"]), [])
    for row in rows:
        if len(row) == len(events) + 1 and row[0].isupper() and (row[1] == "." or row[1].isupper()):
            picture.update({(row[0], event): to for event, to in zip(events, row[1:]) if to != "."})
    table = COMMENT.sub("", (room / "state.c").read_text(encoding="utf-8"))
    for state, cells in re.findall(r"\[SESSION_(\w+)\] = \{(.*?)\}", table, re.DOTALL):
        code.update({(state, event): to for event, to in re.findall(r"\[EVENT_(\w+)\] = SESSION_(\w+)", cells)})
    if not code:
        yield "core/table/state.c has no table"
    for state, event in sorted({*picture, *code}):
        if picture.get((state, event)) != code.get((state, event)):
            yield f"core/table/state.h says {state}, {event}: {picture.get((state, event), '.')}, state.c {code.get((state, event), '.')}"



def table_rows(name, heading):
    """The rows of the table under this heading."""
    text = (TREE / name).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("|---")]


def cited_files(row):
    """{what the row calls it: the files that it means}, of whatever looks like one; a bare name is one in any folder."""
    cited = {}
    for path in re.findall(r"`([a-z_]+(?:/[\w*./\[\]-]*)?(?:\.(?:c|h|\[ch\]|8|md|py))?)`", row):
        if "/" not in path and not re.search(r"\.[ch8\[]|\.(md|py)$", path):
            continue
        folder = "nfq-ftp-helper/" if (TREE / "nfq-ftp-helper" / path.partition("/")[0]).is_dir() else ""
        cited[path] = files(f"{folder}{path}" if "/" in path else f"*/{path}")
    return cited


def stranger():
    """Where to look, and how to add: each file is there, and each function that a row names in one of the files that it names."""
    for name, heading in (("doc/architecture.md", "Where to look"), ("CONTRIBUTING.md", "How to add")):
        rows = table_rows(name, heading)
        if len(rows) < 9:
            yield f"{name} has no table `{heading}'"
        for row in rows:
            cited = cited_files(row)
            yield from (f"{name}: there is no `{path}'" for path, found in cited.items() if not found)
            text = "".join((TREE / found).read_text(encoding="utf-8") for founds in cited.values() for found in founds)
            for function in re.findall(r"`([a-z_0-9]+)\(\)`", row):
                if text and not re.search(rf"\b{function}\(", text):
                    yield f"{name}: `{function}()' is in none of the files that its row names"


def manuals():
    """A line of alternating fonts sets its words without the blanks between them, but for those in quotes: prose is no such line."""
    for name in files("doc/*.8", "doc/*.5", "doc/*.1"):
        for number, line in enumerate((TREE / name).read_text(encoding="utf-8").splitlines(), 1):
            words = re.sub(r'"[^"]*"', '"', line).split()
            if re.match(r"\.(BR|RB|IR|RI|BI|IB)$", words[0] if words else "") and re.search(r"(\w[^ \"]* ){3}\w", " ".join(words[1:])):
                yield f"{name}:{number}: words run into each other in `{line}'"


CASES = [licences, test_names, common_headers, messages, log_lines, stream_flags, public_names, static_names,
         cited_functions, cited_names, helper_name, states, manuals, stranger]


def main():
    failed = 0
    for case in CASES:
        found = list(case())
        print(f"FAIL tree/{case.__name__}: {'; '.join(found)}" if found else f"PASS tree/{case.__name__}")
        failed += bool(found)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
