# SPDX-License-Identifier: GPL-2.0-or-later
"""Dialogues as text: what two ends say, and which data connections must be expected. README.md here says how they are written.

Read by the replay of the field (test_field.py), by the lab, where two scripted ends say it over real TCP, and made by
tests/dialogue as well.
"""

import dataclasses
import os
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ELSEWHERE = [Path(folder) for folder in os.environ.get("NFQ_FTP_CAPTURES", "").split(":") if folder]

CLIENT, SERVER = ("10.0.0.2", 40000), ("203.0.113.5", 21)
ENDS = {4: (CLIENT, SERVER), 6: (("fd00::2", 40000), ("2001:db8:100:200::10", 21))}

HEADER = re.compile(r"(Options|Ends|Capture|Live|Expected): (.*?)\.(?: |$)")
STEP = re.compile(r"    ([CSDXTLPA]): ?(.*)$")


class Malformed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Say:
    side: int  # 0: the client, 1: the server
    data: bytes


@dataclasses.dataclass(frozen=True)
class Data:
    """A connection that somebody tries to open: source and destination (address, port). `must`: it has to be let in; None: not said."""

    source: tuple
    destination: tuple
    must: object = None


@dataclasses.dataclass(frozen=True)
class Silence:
    seconds: float


@dataclasses.dataclass
class Case:
    name: str
    about: str
    options: list
    ends: tuple
    expected: int
    steps: list
    capture: str = ""  # how the capture is made: a link layer, or what is wrong with it
    live: bool = True
    path: object = None  # of a capture that others have made

    @property
    def kind(self):
        return self.name[:2]

    @property
    def family(self):
        return 6 if ":" in self.ends[0][0] else 4

    @property
    def connections(self):
        return [step for step in self.steps if isinstance(step, Data)]

    @property
    def silence(self):
        return sum(step.seconds for step in self.steps if isinstance(step, Silence))


# ---------------------------------------------------------------------------------------------------------------------
# What stands for several lines

def login():
    return [Say(1, b"220 ready\r\n"), Say(0, b"USER u\r\n"), Say(1, b"331 pw\r\n"), Say(0, b"PASS p\r\n"), Say(1, b"230 in\r\n")]


def passive(port, ends):
    """A download as by the book, by the way that the family has."""
    (client, _), (server, _) = ends
    if ":" in server:
        asked, answer = b"EPSV\r\n", f"229 Entering Extended Passive Mode (|||{port}|)\r\n"
    else:
        numbers = ",".join([*server.split("."), str(port >> 8), str(port & 255)])
        asked, answer = b"PASV\r\n", f"227 Entering Passive Mode ({numbers}).\r\n"
    return [Say(0, asked), Say(1, answer.encode()), Data((client, 41000 + port % 1000), (server, port), True), Say(0, b"LIST\r\n"),
            Say(1, b"150 here\r\n"), Say(1, b"226 done\r\n")]


def active(port, ends):
    (client, _), (server, _) = ends
    if ":" in client:
        said = f"EPRT |2|{client}|{port}|\r\n"
    else:
        said = "PORT " + ",".join([*client.split("."), str(port >> 8), str(port & 255)]) + "\r\n"
    return [Say(0, said.encode()), Say(1, b"200 ok\r\n"), Say(0, b"LIST\r\n"), Say(1, b"150 here\r\n"),
            Data((server, 20), (client, port), True), Say(1, b"226 done\r\n")]


# ---------------------------------------------------------------------------------------------------------------------
# Reading

def endpoint(text):
    address, _, port = text.strip().rpartition(":")
    return address.strip("[]"), int(port)


def quoted(text):
    if not re.fullmatch(r'"(?:[^"\\]|\\.)*"', text):
        raise Malformed(f"not quoted: {text!r}")
    return text[1:-1].encode("ascii").decode("unicode_escape").encode("latin-1")


def steps_of(letter, text, ends):
    if letter in "CS":
        return [Say("CS".index(letter), quoted(text))]
    if letter in "DX":
        source, _, destination = text.partition(">")
        return [Data(endpoint(source), endpoint(destination), letter == "D")]
    if letter == "T":
        return [Silence(float(text.split()[0]))]
    if letter == "L":
        return login()
    return {"P": passive, "A": active}[letter](int(text), ends)


def ends_of(header, lines):
    """Said, or known by the first data connection: where a server is translated, it is the inside of --nat, and its client the other."""
    if "Ends" in header:
        client, _, server = header["Ends"].partition(" > ")
        return (client, 40000), (server, 21)
    inside = re.search(r"--nat (\S+?)=", header["Options"])
    if inside and inside[1] != CLIENT[0]:
        for letter, text in lines:
            if letter in "DX":
                other = [end for end in map(endpoint, text.split(">")) if end[0] != inside[1]]
                return (other[0][0], 40000), (inside[1], 21)
        raise Malformed("a server that is translated, and no data connection that says who its client is")
    return ENDS[4]


def case_of(name, text):
    header = dict(found.groups() for line in text for found in HEADER.finditer(line) if not line.startswith("    "))
    about = " ".join(line for line in text if line.strip() and not line.startswith("    ") and not HEADER.match(line))
    lines = [found.groups() for found in map(STEP.match, text) if found]
    unknown = [line for line in text if line.startswith("    ") and not STEP.match(line)]
    if unknown or not {"Options", "Expected"} <= set(header):
        raise Malformed(f"{name}: {unknown or 'no Options and Expected'}")
    ends = ends_of(header, lines)
    options = [] if header["Options"] == "none" else header["Options"].split()
    steps = [step for letter, rest in lines for step in steps_of(letter, rest, ends)]
    return Case(name, about, options, ends, int(header["Expected"]), steps, header.get("Capture", ""),
                header.get("Live", "yes") != "no")


def read(path):
    """All cases of a file, in order. `X` counts: where a file has none, only how many of its D lines are expected is known."""
    cases = []
    for part in re.split(r"(?m)^## ", Path(path).read_text())[1:]:
        name, *text = part.splitlines()
        cases.append(case_of(name.strip(), text))
    return cases


def own():
    return [case for path in sorted(HERE.glob("[0-9]*.md")) for case in read(path)]


def elsewhere():
    """Those of folders that NFQ_FTP_CAPTURES names and that describe their captures so, with the captures beside them."""
    cases = []
    for folder in ELSEWHERE:
        readme = folder / "README.md"
        if readme.exists() and "\n    C: \"" in readme.read_text():
            for case in read(readme):
                case.path = folder / f"{case.name}.pcap"
                case.steps = [dataclasses.replace(step, must=None) if isinstance(step, Data) else step for step in case.steps]
                cases.append(case)
    return cases
