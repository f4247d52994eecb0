#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `nfq-ftp-helper replay`, over captures of real sessions and over small ones made here.

One line a case: `PASS name`, `FAIL name: why` or `SKIP name: why`; exit 1 if any failed. Arguments select cases by a part of
their names; --exceptions prints what belongs into exceptions.tsv instead. NFQ_FTP_HELPER names the program under test
(default: build/nfq-ftp-helper). NFQ_FTP_CAPTURES names folders of captures from elsewhere, with colons between (default: none). NFQ_FTP_GOLDEN=write
writes what explain says of our own captures anew.
"""

import sys

import cases_captures
import cases_checksums
import cases_damage
import cases_explain
import cases_live
import cases_rewrite
import cases_top
from harness import CASES, Failure, Skip

CASES_OF = (cases_captures, cases_checksums, cases_damage, cases_explain, cases_live, cases_rewrite, cases_top)  # each adds its own to CASES when it is imported


def main():
    if sys.argv[1:] == ['--exceptions']:
        cases_captures.print_exceptions()
        return 0
    cases_captures.add_own_captures()
    cases_captures.add_captures_from_elsewhere()
    cases_explain.add_cases()
    chosen = [(name, function) for name, function in CASES
              if len(sys.argv) < 2 or any(part in name for part in sys.argv[1:])]
    failed = 0
    for name, function in chosen:
        try:
            function()
            print(f'PASS {name}')
        except Skip as why:
            print(f'SKIP {name}: {why}')
        except Exception as why:
            kind = '' if isinstance(why, Failure) else f'{type(why).__name__}: '
            print(f'FAIL {name}: {kind}{why}'.replace('\n', ' | '))
            failed += 1
        sys.stdout.flush()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
