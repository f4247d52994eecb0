#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet's TCP payload is not empty, as bytecode for iptables' match bpf. (IPv6: where there are no extension headers.)

Run as a program: says nothing where the bytecode is what tcpdump makes of the expressions, else what it should be; with --write,
writes it here.
"""

import re
import subprocess
import sys
from pathlib import Path

EXPRESSION = {
    4: "ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) > 0",
    6: "ip6[4:2] > (ip6[52] & 0xf0) >> 2",
}
BYTECODE = {
    4: "22,48 0 0 0,84 0 0 240,21 0 18 64,40 0 0 2,2 0 0 1,48 0 0 0,84 0 0 15,100 0 0 2,7 0 0 5,96 0 0 1,28 0 0 0,2 0 0 5,177 0 0 0,80 0 0 12,84 0 0 240,116 0 0 2,7 0 0 9,96 0 0 5,28 0 0 0,37 0 1 0,6 0 0 262144,6 0 0 0",
    6: "13,48 0 0 0,84 0 0 240,21 0 9 96,40 0 0 4,2 0 0 1,48 0 0 52,84 0 0 240,116 0 0 2,7 0 0 5,96 0 0 1,45 0 1 0,6 0 0 262144,6 0 0 0",
}


def compiled(expression):
    done = subprocess.run(["tcpdump", "-ddd", "-y", "RAW", expression], check=True, stdout=subprocess.PIPE, text=True)
    return ",".join(done.stdout.split("\n")[:-1])


def main():
    wanted = {family: compiled(expression) for family, expression in EXPRESSION.items()}
    if wanted == BYTECODE:
        return 0
    table = "BYTECODE = {\n" + "".join(f'    {family}: "{text}",\n' for family, text in wanted.items()) + "}\n"
    if sys.argv[1:] == ["--write"]:
        here = Path(__file__)
        here.write_text(re.sub(r"^BYTECODE = \{\n.*?^\}\n", lambda _: table, here.read_text(), flags=re.MULTILINE | re.DOTALL))
        return 0
    print(f"{sys.argv[0]}: tcpdump makes something else of the expressions:\n{table}", end="")
    return 1


if __name__ == "__main__":
    sys.exit(main())
