# SPDX-License-Identifier: GPL-2.0-or-later
"""What explain draws: golden files of our own captures, and of any capture what a ladder must be."""

import base64
import hashlib
import html.parser
import os
import re
import subprocess
import xml.etree.ElementTree

import pcaplib
from cases_captures import read_manifest
from harness import CASES, ELSEWHERE, HERE, NAT, OWN, PROGRAM, ROOT, Skip, active, capture, case, check, equal, replay, sample
from pcaplib import Conversation

GOLDEN = HERE / 'explain'
WIDTH = 100
NOTE = 23  # columns before a note's name
NAME = 11  # and of that
ANNOUNCES = re.compile(r'(?:-->|<--) (PORT|EPRT|LPRT|22[789] )')
NAMES = ('port', 'rewritten', 'numbers', 'refused', 'expected', 'note', 'to do', 'came')
SUM = re.compile(r'port (?:(\d+)\*256\+(\d+) = (\d+)|(\d+) = (\d+)\*256\+(\d+)): port (\d+) of ')
UNREADABLE = 'port no address and port that could be read'


def explain(*arguments, code=0):
    # From the root, so that what is said of the path is the same everywhere.
    done = subprocess.run([PROGRAM, 'explain', *map(str, arguments)], capture_output=True, timeout=60, cwd=ROOT)
    equal(done.returncode, code, f'exit code ({done.stderr!r})')
    return done.stdout.decode('utf-8')


def notes_of(text):
    """[(row, [note])]: notes are put together again, "name text"."""
    rows = []
    for line in text.splitlines():
        if re.match(r' *\d+(\.\d{6})? +\d+ (-->|<--|==>|<==|- -|<->|<=>)', line):
            rows.append((line, []))
        elif rows and line[:NOTE].strip() == '':
            name, rest = line[NOTE:NOTE + NAME].strip(), line[NOTE + NAME:]
            if name in NAMES:
                rows[-1][1].append(f'{name} {rest}')
            elif rows[-1][1]:
                rows[-1][1][-1] += ' ' + rest
    return rows


def secrets_of(path):
    """What follows PASS in any packet, and stands nowhere else."""
    linktype, records = pcaplib.read(path)
    packets = [pcaplib.decode(pcaplib.ip_of(linktype, record.frame)) for record in records]
    everything = b'\n'.join(tcp.payload for tcp in packets if tcp)
    commands = b'\n'.join(tcp.payload for tcp in packets if tcp and tcp.dport == 21)
    for secret in set(re.findall(rb'PASS ([^\r\n]{3,})', commands)):
        if everything.count(secret) == len(re.findall(rb'PASS ' + re.escape(secret), everything)):
            yield secret.decode('latin-1')


def right_sum(note):
    found = SUM.match(note)
    check(found, f'no arithmetic: {note!r}')
    high, low, total, total_first, high_behind, low_behind, port = found.groups()
    if total is None:
        high, low, total = high_behind, low_behind, total_first
    equal((int(high) * 256 + int(low), int(total)), (int(port), int(port)), f'arithmetic of {note!r}')


def is_ladder(text, path, options=()):
    """What holds for any capture's; and it says what replay says."""
    for line in text.splitlines():
        check(len(line) <= WIDTH, f'a line of {len(line)} columns: {line!r}')
        check(re.fullmatch('[ -~]*', line), f'a control character: {line!r}')
        check(not line.endswith(' '), f'a blank at the end: {line!r}')
    check(not re.search(r'--> PASS (?!\*\*\*)', text), 'a password')
    if path.suffix == '.pcap':
        for secret in secrets_of(path):
            check(secret not in text, 'a password')
    rows = notes_of(text)
    for row, notes in rows:
        if not ANNOUNCES.search(row) or re.search(r'<-- 22[789]-', row):
            continue
        sums = [note for note in notes if note.startswith('port ')]
        equal(len(sums), 1, f'sums of {row!r}')
        if sums[0] != UNREADABLE:
            right_sum(sums[0])
    said = [note for _, notes in rows for note in notes]
    summary = replay(*options, path).summary
    equal(len([note for note in said if note.startswith('expected let in: ')]), summary['expectations'], 'expectations')
    equal(len([note for note in said if re.match(r'rewritten \S+ becomes ', note)]), summary['rewrites'], 'rewrites')
    equal(len([note for note in said if re.match(r'refused nothing is opened for it: (?!this is not taken)', note)]),
          sum(summary['refusals'].values()), 'refusals')
    equal(len(re.findall('^Control connection ', text, re.MULTILINE)), summary['control_connections'], 'dialogues')


SVG = '{http://www.w3.org/2000/svg}'


def is_picture(svg, text):
    """Well-formed; with every row of the text, and nothing that a text could have brought in."""
    root = xml.etree.ElementTree.fromstring(svg)
    equal({element.tag for element in root.iter()} - {SVG + name for name in ('svg', 'title', 'style', 'rect', 'text', 'path', 'circle')},
          set(), 'elements')
    rows = notes_of(text)
    arrows = [element for element in root.iter(SVG + 'path') if element.get('class').startswith('arrow')]
    dots = list(root.iter(SVG + 'circle'))
    equal(len(arrows) - len(dots), len(rows), 'arrows')
    names = [element.text for element in root.iter(SVG + 'text') if (element.get('class') or '').startswith('name')]
    equal(sorted(name for name in names if name in NAMES),
          sorted(next(name for name in NAMES if note.startswith(name + ' ')) for _, notes in rows for note in notes), 'notes')
    check(not re.search(r'PASS (?!\*\*\*)[^<]*</text>', svg) or 'PASS PASV' in svg, 'a password')


VOID = ('meta', 'input')
PAGE_TAGS = set('html head meta title style body header h1 h2 code p nav ol li a form label input output main section dl dt dd div span '
                'details summary script'.split())
INLINE = ('span', 'code', 'a', 'label', 'output', 'summary', 'h1', 'h2', 'p', 'dt', 'title')  # holds no block
BLOCKS = ('div', 'section', 'ol', 'ul', 'dl', 'p', 'h1', 'h2', 'li', 'details', 'form', 'main', 'header', 'nav')
CHILDREN = {'ol': ('li',), 'dl': ('dt', 'dd')}  # nothing else may stand in these


class Page(html.parser.HTMLParser):
    """A page, read more strictly than browsers do: every tag is closed in turn, stands where it may, and each id is there once."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.rows, self.links, self.words, self.said = [], [], [], [], '', []
        self.feed(text)
        self.close()
        equal(self.open, [], 'tags left open')
        equal(len(self.ids), len(set(self.ids)), 'ids')
        check(set(self.links) <= {'#' + name for name in self.ids}, f'a link that leads elsewhere: {self.links}')

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        check(tag in PAGE_TAGS, f'a tag <{tag}>')
        check(not any(name.startswith('on') or name in ('src', 'style') for name in given), f'an attribute of <{tag}>: {given}')
        if self.open:
            check(tag in CHILDREN.get(self.open[-1], (tag,)), f'<{tag}> in <{self.open[-1]}>')
            check(not (tag in BLOCKS and any(outer in INLINE for outer in self.open)), f'<{tag}> in {self.open}')
        if tag == 'li':
            check(self.open[-1] == 'ol', f'<li> in {self.open}')
        self.ids += [given['id']] if 'id' in given else []
        self.links += [given['href']] if 'href' in given else []
        if tag == 'li' and 'row' in (given.get('class') or '').split():
            self.rows.append('')
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        equal(self.open.pop() if self.open else None, tag, 'the tag that is closed')

    def handle_data(self, data):
        if self.open and self.open[-1] in ('script', 'style'):
            return
        check(not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', data), f'a control character: {data!r}')
        self.words += data
        if self.rows:
            self.rows[-1] += data
        if 'code' in self.open:
            self.said.append(data)


def is_page(text, ladder):
    """A valid page that needs nothing else, with all that the text says."""
    check(text.startswith('<!DOCTYPE html>\n<html lang="en">'), 'its beginning')
    page = Page(text)
    rows = notes_of(ladder)
    equal(len(page.rows), len(rows), 'rows')
    squeezed = [re.sub(r'\s+', '', row) for row in page.rows]
    for (line, notes), row in zip(rows, squeezed):
        for note in notes:
            check(re.sub(r'\s+', '', note) in row or '\\x' in note, f'a note is missing: {note!r} in {row!r}')
    policy = re.search(r"script-src 'sha256-([^']+)'", text).group(1)
    script = re.search(r'<script>(.*?)</script>', text, re.DOTALL).group(1)
    equal(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(), policy, "the script's hash")
    check("default-src 'none'" in text and not re.search(r'(?:https?:)?//\w', re.sub(r'<code>.*?</code>', '', text)), 'an address')
    return page


def options_of(row):
    return [option for mapping in row['nat'].split(',') if '=' in mapping for option in ('--nat', mapping)]


def own(row):
    path = OWN / f"{row['name']}.inside.pcap"
    text = explain(*options_of(row), path.relative_to(ROOT))
    is_ladder(text, path, options_of(row))
    is_picture(explain('--format', 'svg', *options_of(row), path), text)
    is_page(explain('--format', 'html', *options_of(row), path), text)
    golden = GOLDEN / f"{row['name']}.txt"
    if os.environ.get('NFQ_FTP_GOLDEN') == 'write':
        golden.write_text(text)
    check(golden.exists(), f'there is no {golden.name}: NFQ_FTP_GOLDEN=write makes it, to be read before it is believed')
    for number, (line, wanted) in enumerate(zip(text.splitlines(), golden.read_text().splitlines()), 1):
        equal(line, wanted, f'{golden.name}:{number}')
    equal(text, golden.read_text(), golden.name)


def foreign(path):
    if replay(path).code == 0:
        text = explain(path)
        is_ladder(text, path)
        is_picture(explain('--format', 'svg', path), text)
        is_page(explain('--format', 'html', path), text)
    else:
        explain(path, code=1)


def add_cases():
    rows = read_manifest() if (OWN / 'manifest.tsv').exists() else []
    for row in rows:
        CASES.append((f"explain-own-{row['name']}", lambda row=row: own(row)))
        CASES.append((f"explain-outside-{row['name']}", lambda row=row: foreign(OWN / f"{row['name']}.outside.pcap")))

    def golden_known():
        equal(sorted({path.stem for path in GOLDEN.glob('*.txt')} - {row['name'] for row in rows}), [],
              'golden files of captures that are not there')
    CASES.append(('explain-golden-files-are-of-captures-that-exist', golden_known))
    paths = [path for folder in ELSEWHERE for path in sorted(folder.glob('*')) if path.suffix in ('.pcap', '.pcapng')]
    for path in paths:
        CASES.append((f'explain-elsewhere-{path.parent.name}/{path.stem}', lambda path=path: foreign(path)))

    def none_elsewhere():
        raise Skip('NFQ_FTP_CAPTURES names no folder')
    if not paths:
        CASES.append(('explain-elsewhere', none_elsewhere))


@case
def explain_seen_from_both_sides():
    text = explain('--nat', NAT, capture('both-sides', sample()))
    line, notes = next((line, notes) for line, notes in notes_of(text) if 'PORT ' in line)
    check(re.search(r'40000 --> PORT 10,0,0,2,195,81 +\*  PORT 198,51,100,254,195,81 +--> +21$', line), line)
    equal([note.split()[0] for note in notes], ['port', 'rewritten', 'rewritten', 'numbers', 'expected', 'came'], 'notes')
    check('203.0.113.5:20 to 10.0.0.2:50001, upload: 100 bytes' not in text, 'the way of the data')
    check('203.0.113.5:20 to 10.0.0.2:50001, download: 100 bytes' in text, 'what came of it')


@case
def explain_hides_what_is_secret():
    packets = []
    control = Conversation(packets, ('10.0.0.2', 40000), ('203.0.113.5', 21)).open()
    control.reply('220 Hello')
    for secret in ('PASS hunter2', 'pass hunter2', 'ACCT hunter2', '\0PASS hunter2', 'SITE PSWD old hunter2', 'ADAT hunter2',
                   'PaSs\thunter2'):
        control.command(secret)
        control.reply('202 fine')
    control.command('SITE ADDUSER tom hunter2 *@*')
    control.reply("500 'SITE ADDUSER tom hunter2 *@*': command not understood.")
    control.say(0, b'PAS')
    control.say(0, b'S hunter2')  # and never an end
    text = explain(capture('secret', packets))
    check('hunter2' not in text, f'a password: {text}')
    equal(text.count(' ***'), 10, 'what is hidden')


@case
def explain_escapes_what_a_terminal_would_obey():
    packets = []
    control = Conversation(packets, ('10.0.0.2', 40000), ('203.0.113.5', 21)).open()
    control.reply('220 \x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202e')
    control.command('RETR ' + 'x' * 3000)
    path = capture('terminal', packets)
    text = explain(path)
    is_ladder(text, OWN.parent / path)
    check(r'\x1b]0;owned\x07\x1b[2J' in text, 'escaped')
    said = [note for _, notes in notes_of(text) for note in notes]
    equal(said, ['note the line is of 3006 bytes'], 'notes')


@case
def explain_shows_a_bounded_part_of_what_no_announcement_is():
    packets = []
    control = Conversation(packets, ('10.0.0.2', 40000), ('203.0.113.5', 21)).open()
    control.reply('220 Hello')
    control.command('USER tom')
    control.reply('230 fine')
    control.command('PORT \x1b[2J' + 'x' * 3000)
    control.reply('501 what?')
    control.command('PORT \x1b[2Jhunter2')
    control.reply('501 what?')
    path = capture('no-announcement', packets)
    for text in (explain(path), explain('--format', 'html', path), explain('--format', 'svg', path)):
        check('\x1b' not in text and r'\x1b[2Jhunter2' in text, f'escaped: {text}')
        check(text.count('x' * 10) <= 51, f'whole: {text}')
    check('the line is of 3010 bytes' in explain(path), 'how long it is')


@case
def explain_is_no_markup():
    packets = []
    control = Conversation(packets, ('10.0.0.2', 40000), ('203.0.113.5', 21)).open()
    hostile = '</text><script>alert(1)</script><!-- &amp; ]]> "\'onload=x'
    control.reply('220 ' + hostile)
    control.say(1, '220 フ'.encode() + b'\xff\xfe\x00\x0b\xef\xbf\xbf\r\n')
    path = capture('markup', packets)
    svg = explain('--format', 'svg', path)
    is_picture(svg, explain(path))
    page = is_page(explain('--format', 'html', path), explain(path))
    check('220 ' + hostile in page.said, f'what was said: {page.said!r}')
    check(r'220 フ\xff\xfe\x00\x0b\xef\xbf\xbf' in page.said, f'what was said: {page.said!r}')
    said = ''.join(element.text or '' for element in xml.etree.ElementTree.fromstring(svg).iter(SVG + 'text'))
    check('220 ' + hostile in said, f'what was said: {said!r}')
    check(r'220 フ\xff\xfe\x00\x0b\xef\xbf\xbf' in said, f'what was said: {said!r}')


@case
def explain_says_what_is_missing():
    packets = []
    active(packets)
    packets.remove(next(packet for packet in packets if b'PORT' in packet))
    text = explain(capture('missing', packets))
    check('( 22 bytes are not in the capture )' in text, text)


@case
def explain_refuses_to_overwrite():
    path = capture('itself', sample())
    before = open(path, 'rb').read()
    explain('-o', path, path, code=1)
    equal(open(path, 'rb').read(), before, 'the capture')
