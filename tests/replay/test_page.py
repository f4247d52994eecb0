#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the page that `nfq-ftp-helper explain --format html' makes, in Chromium: from a telephone to a large screen, light and dark.

One line a case, as test_replay.py. Without Chromium all of it is skipped. NFQ_FTP_AXE names axe.min.js of axe-core, which looks for what keeps
people from reading a page; without it that part is skipped. NFQ_FTP_PICTURES names a folder for pictures of what was seen.
"""

import os
import sys
from pathlib import Path

import browser
from cases_captures import read_manifest
from cases_explain import explain, options_of
from harness import OWN, Failure, capture, check, equal, scratch
from pcaplib import Conversation

AXE = os.environ.get('NFQ_FTP_AXE')
PICTURES = os.environ.get('NFQ_FTP_PICTURES')
WIDTHS = (320, 360, 800, 1400, 3000, 3840)
LONG = 'x' * 300


def long_lines():
    """What would push a page out of its width."""
    packets = []
    control = Conversation(packets, ('10.0.0.2', 40000), ('203.0.113.5', 21)).open()
    control.reply('220 ' + LONG)
    control.command('USER ' + LONG)
    control.reply('331 ' + 'フ' * 200)
    return capture('long', packets)


def pages():
    """(name, path, rows) of what there is to look at."""
    rows = {row['name']: row for row in read_manifest()}
    for name in ('masquerade-vsftpd-port-ipv4-grow', 'dnat-proftpd-pasv-ipv4-grow', 'masquerade-proftpd-eprt-ipv6-grow'):
        path = scratch(name + '.html')
        explain('--format', 'html', '-o', path, *options_of(rows[name]), OWN / f'{name}.inside.pcap')
        yield name, path
    path = scratch('long.html')
    explain('--format', 'html', '-o', path, '--nat', '10.0.0.2=198.51.100.254', long_lines())
    yield 'long', path


def fits(page, name, path, width, dark):
    page.show(path, width, dark=dark)
    equal(page.complaints(), [], 'what the browser complains about')
    wide = page.run('[document.documentElement.scrollWidth,document.documentElement.clientWidth]')
    check(wide[0] <= wide[1] == width, f'it is {wide[0]} pixels wide in {wide[1]}')
    outside = page.run('''[...document.querySelectorAll("body *:not(.unseen)")].filter(node => { const box = node.getBoundingClientRect();
        return box.width && !node.closest(".unseen") && (box.right > innerWidth + 1 || box.left < -1) }).map(node => node.className).slice(0, 5)''')
    equal(outside, [], 'elements beyond an edge')
    if PICTURES:
        page.picture(Path(PICTURES) / f'{name}-{width}{"-dark" if dark else ""}.png')


def accessible(page, path, width, dark):
    page.call('Page.setBypassCSP', enabled=True)
    page.show(path, width, dark=dark)
    page.run('document.querySelectorAll("details").forEach((node, i) => node.open = i < 3)')
    page.run(Path(AXE).read_text() + ';0')
    found = page.run('axe.run().then(found => found.violations.map(one => one.id + ": " + one.nodes.length + ", " + one.nodes[0].html'
                     ' + (one.nodes[0].any[0] || {message: ""}).message))')
    page.call('Page.setBypassCSP', enabled=False)
    equal(found, [], 'what axe-core found')


def searched(page, path):
    """By keyboard alone."""
    page.show(path, 1400)
    rows = page.run('document.querySelectorAll(".row").length')
    page.key('Tab', 9)
    equal(page.run('document.activeElement.id'), 'query', 'where the first Tab leads')
    page.type('port 10,0')
    shown = page.run('[...document.querySelectorAll(".row:not([hidden])")].map(row => row.querySelector(".said code").textContent)')
    equal(len(shown), 2, f'rows of {rows}')
    check(all(text.startswith('PORT 10,0') for text in shown), f'rows found: {shown}')
    equal(page.run('document.getElementById("found").textContent'), f'2 of {rows} rows', 'what is said')
    page.key('Tab', 9)
    equal(page.run('document.activeElement.tagName'), 'SUMMARY', 'where the second Tab leads')
    page.key('Enter', 13)
    check(page.run('document.activeElement.parentNode.open'), 'packets do not unfold')
    check('packet' in page.run('document.activeElement.parentNode.innerText'), 'no packets')


def unscripted(page, path):
    """Whoever lets no script run has all rows, and no search that does nothing."""
    page.call('Emulation.setScriptExecutionDisabled', value=True)
    page.show(path, 1400)
    page.call('Emulation.setScriptExecutionDisabled', value=False)
    equal(page.run('document.querySelectorAll(".row:not([hidden])").length > 10 && document.getElementById("find").hidden'), True,
          'rows, and no form')


def cases(page):
    made = list(pages())
    for name, path in made:
        for width in WIDTHS:
            for dark in (False, True) if width == 1400 else (False,):
                shade = 'dark' if dark else 'light'
                yield f'page-{name}-{width}-{shade}', lambda a=(name, path, width, dark): fits(page, *a)
                if AXE and width in (360, 1400, 3000):
                    yield f'page-accessible-{name}-{width}-{shade}', lambda a=(path, width, dark): accessible(page, *a)
    yield 'page-search', lambda: searched(page, made[0][1])
    yield 'page-without-script', lambda: unscripted(page, made[0][1])


def main():
    if not browser.find():
        print('SKIP page: there is no chromium here')
        return 0
    if not AXE:
        print('SKIP page-accessible: NFQ_FTP_AXE names no axe.min.js')
    failed = 0
    with browser.Browser() as page:
        for name, function in cases(page):
            try:
                function()
                print(f'PASS {name}')
            except Exception as why:
                kind = '' if isinstance(why, Failure) else f'{type(why).__name__}: '
                print(f'FAIL {name}: {kind}{why}'.replace('\n', ' | '))
                failed += 1
            sys.stdout.flush()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
