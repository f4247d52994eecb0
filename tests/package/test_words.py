#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every option of the table in help, manual pages, both completions and the example of a configuration file, and no other; every refusal in
the guide. tests/unit/test_option.c shows that the help is the table. One line a case: `PASS name` or `FAIL name: why`.

Arguments: parts of names; none: all.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from package import PROGRAM, TREE, Skip, check, output, run

MANUAL = TREE / "doc" / "nfq-ftp-helper.8"
# Where a command's options are explained, if not in the section of its name of the manual above.
REPLAY = TREE / "doc" / "nfq-ftp-helper-replay.1"
MANUALS = {"replay": (REPLAY, "OPTIONS"), "explain": (REPLAY, "EXPLAIN")}

OPTION = re.compile(r"(?<![-\w])(--[a-z][-a-z0-9]*|-[a-zA-Z](?![-\w]))")
OF_ALL = {"--help", "-h"}


def commands():
    """{name: description} of the usage."""
    return dict(re.findall(r"^  ([a-z]\S*) +(\S.*)$", output(PROGRAM, "--help"), re.MULTILINE))


def help_of(command):
    """The options that its help has, from the columns where these stand."""
    found = set()
    for line in output(PROGRAM, command, "--help").splitlines():
        option = re.match(r"  (?:(-[a-zA-Z]), |    )(--[-a-z0-9]+)", line)
        found |= set(filter(None, option.groups())) if option else set()
    return found


def compare(what, found, wanted):
    check(found == wanted, "; ".join(f"{what} {verb} {' '.join(sorted(names))}"
                                     for verb, names in (("has not", wanted - found), ("has besides", found - wanted)) if names))


# ---- configuration ----

# What is no key's fault alone, and what each says.
UNFIT = {"interface = lo:nosuch0\nuser = nfq-ftp-nobody\n": "there is no interface `nosuch0' now", "\nuser = nfq-ftp-nobody\n": ":2: user: nfq-ftp-nobody: this is not possible: there is no such user", "user = 0\n": "not root's", "group = 123\n": ":1: group: 123: this is not possible; it takes the name of a group", "user = root\n": ":1: user: root: this is not possible", "queue = 65535\nmode = queue\nrules = yes\n":
         "leaves no numbers behind it", "mode = cthelper\nqueue = 1:3\n": "a conntrack helper has one queue", "mode = kmod\nlabel = yes\n": "--label"}


def a_tested_configuration_is_one_that_run_takes():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conf"
        for text, words in UNFIT.items():
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
            told = [subprocess.run([PROGRAM, "run", "-c", path, *more, "--state-dir", f"{folder}/state"], text=True, capture_output=True,
                                   check=False, timeout=60) for more in (["--test-config"], [])]
            check(told[0].returncode == 2 and words in told[0].stderr, f"{text!r}: --test-config ends with {told[0].returncode}: {told[0]}")
            check(told[1].returncode and told[1].stderr == told[0].stderr, f"{text!r}: run says {told[1].stderr}")
        path.write_text("\n\ngroup = nfq-ftp-nobody\n", encoding="utf-8")
        told = subprocess.run([PROGRAM, "run", "-c", path, "--test-config"], text=True, capture_output=True, check=False, timeout=60)
        check(told.returncode == 2 and ":3: group: nfq-ftp-nobody: this is not possible: there is no such group" in told.stderr, f"a group that is not there: {told}")
        path.write_text("queue = 65535\nmode = queue\n", encoding="utf-8")
        check("is good" in output(PROGRAM, "run", "-c", path, "--test-config"), "a good one is not")
        path.write_text("interface = nosuch0:\n", encoding="utf-8")
        told = subprocess.run([PROGRAM, "run", "-c", path, "--test-config"], text=True, capture_output=True, check=False, timeout=60)
        check(told.returncode == 0 and "is good" in told.stdout and "no interface `nosuch0' now" in told.stderr, f"an interface that may come: {told}")


# ---- completion ----

def complete_in_bash(script, *words):
    """What the function offers behind these words, the last being the one that is completed."""
    drive = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nfq_ftp_helper; printf "%s\\n" "${COMPREPLY[@]}"'
    return set(output("bash", "--norc", "-c", drive, "bash", script, "nfq-ftp-helper", *words, cwd=TREE).split())


def written(folder, shell):
    path = Path(folder) / f"completion.{shell}"
    path.write_text(output(PROGRAM, "completion", shell), encoding="utf-8")
    return path


def bash_offers_each_option():
    with tempfile.TemporaryDirectory() as folder:
        script = written(folder, "bash")
        compare("bash", complete_in_bash(script, ""), set(commands()) | {"--help", "--version"})
        for command in commands():
            compare(f"bash behind {command}", complete_in_bash(script, command, "-"), help_of(command))


def bash_offers_values():
    with tempfile.TemporaryDirectory() as folder:
        script = written(folder, "bash")
        modes = {"auto", "cthelper", "queue", "kmod"}
        compare("--mode", complete_in_bash(script, "run", "--mode", ""), modes)
        compare("--mode=", complete_in_bash(script, "run", "--mode", "="), modes)
        compare("--mode=c", complete_in_bash(script, "run", "--mode", "=", "c"), {"cthelper"})
        compare("--rules", complete_in_bash(script, "run", "--rules", ""), {"yes", "no"})
        compare("--queue", complete_in_bash(script, "run", "--queue", ""), set())
        compare("-c doc/exa", complete_in_bash(script, "run", "-c", "doc/exa"), {"doc/examples"})
        compare("--state-dir ki", complete_in_bash(script, "run", "--state-dir", "km"), {"kmod"})
        compare("replay READ", complete_in_bash(script, "replay", "--json", "READ"), {"README.md"})
        compare("another command", complete_in_bash(script, "nonsense", "-"), set())


def zsh_offers_each_option():
    text = output(PROGRAM, "completion", "zsh")
    described = set(re.findall(r"^\t'([a-z]+):", text, re.MULTILINE))
    compare("zsh", described, set(commands()))
    for command in commands():
        part = re.search(rf"^{command}\)\n(.*?)^\t;;$", text, re.MULTILINE | re.DOTALL)
        check(part, f"zsh knows no {command}")
        check(command != "run" or ":yes|no:(yes no)'" in part.group(1), "zsh has no values of --rules")
        compare(f"zsh behind {command}", set(re.findall(r"^\t\t'\*(-[-a-zA-Z0-9]*[a-zA-Z0-9])", part.group(1), re.MULTILINE)), help_of(command))


def shells_read_them():
    with tempfile.TemporaryDirectory() as folder:
        output("bash", "-n", written(folder, "bash"))
        if shutil.which("shellcheck"):
            output("shellcheck", "-s", "bash", written(folder, "bash"))
        if not shutil.which("zsh"):
            raise Skip("there is no zsh")
        output("zsh", "-n", written(folder, "zsh"))


def zsh_completes():
    """In a terminal, as a person would: --backend n, and the tabulator."""
    if not shutil.which("zsh"):
        raise Skip("there is no zsh")
    with tempfile.TemporaryDirectory() as folder:
        written(folder, "zsh").rename(Path(folder) / "_nfq-ftp-helper")
        said = output("zsh", "-f", "-c", ZSH_DRIVE, "zsh", folder, timeout=60)
    check("[nfq-ftp-helper rules --backend nft ]" in said, f"zsh completes to {said!r}")


# Completes one line with the widget itself, and prints the buffer in brackets.
ZSH_DRIVE = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1= ; unsetopt zle_bracketed_paste; fpath=('$1' $fpath); autoload -U compinit; compinit -D -u; stty -echo
show() { print -rn -- "[$BUFFER]"; BUFFER=; zle accept-line }; zle -N show; bindkey "^X" show; print READY'
zpty -r z line '*READY*READY*'
zpty -w -n z $'nfq-ftp-helper rules --backend n\t'
sleep 2
zpty -w -n z $'\x18'
zpty -r -m z line '*\[nfq*\]*'
print -r -- "$line"
zpty -d z
"""


# ---- manuals ----

def tags(path, section):
    """What stands behind each .TP of a section, as it is read."""
    part = re.search(rf"^\.SH {section}\n(.*?)(?=^\.SH |\Z)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    check(part, f"{path.name} has no section {section}")
    return [re.sub(r'[\\"]', "", tag) for tag in re.findall(r"^\.TP\n(.*)$", part.group(1), re.MULTILINE)]


def manuals_have_each_option():
    for command in commands():
        path, section = MANUALS.get(command, (MANUAL, command.upper()))
        found = set(OPTION.findall(" ".join(tags(path, section))))
        compare(f"{path.name} of {command}", found, help_of(command) - OF_ALL)
    compare(f"{MANUAL.name}", OF_ALL, OF_ALL & set(OPTION.findall(" ".join(tags(MANUAL, "DESCRIPTION")))))


def manuals_name_each_command():
    text = MANUAL.read_text(encoding="utf-8")
    synopsis = set(re.findall(r"^\.B nfq-ftp-helper (\S+)$", text[:text.index(".SH DESCRIPTION")], re.MULTILINE))
    compare("the synopsis", synopsis, set(commands()))


# ---- the guide ----

def guide_explains_each_refusal():
    reasons = set(re.findall(r'\[REFUSED_\w+\] = \{ "([a-z-]+)"', (TREE / "nfq-ftp-helper/core/engine/report.c").read_text(encoding="utf-8")))
    check(len(reasons) > 10, "the reasons in core/engine/report.c were not understood")
    text = (TREE / "doc/operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", text[text.index("## What each refusal means"):], re.MULTILINE)
    compare("the guide", {name for name, _, _ in rows}, reasons)


def guide_names_options_that_there_are():
    known = set().union(*map(help_of, commands()))
    others = re.compile(r"conntrack -L|iptables|--sport|firewall-cmd|docker|dkms|network host|cap-add|systemctl enable")
    for line in (TREE / "doc/operating.md").read_text(encoding="utf-8").splitlines():
        if not others.search(line):
            strange = {option for option in OPTION.findall(line) if option.startswith("--")} - known
            check(not strange, f"operating.md names {' '.join(sorted(strange))}, and no command has it")


CASES = [bash_offers_each_option, bash_offers_values, zsh_offers_each_option, shells_read_them, zsh_completes, manuals_have_each_option,
         manuals_name_each_command, guide_explains_each_refusal, guide_names_options_that_there_are,
         a_tested_configuration_is_one_that_run_takes]

if __name__ == "__main__":
    sys.exit(run("words", CASES, sys.argv[1:]))
