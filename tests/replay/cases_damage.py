# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of every kind and in every condition, and command lines that are wrong."""

import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pcaplib
from harness import (CASES, CLIENT, NAT, PROGRAM, SCRATCH, SERVER, Run, Skip, active, capture, case, check, equal, good,
                     replay, sample, scratch, tcp_of)
from pcaplib import Conversation


# --- (c) link layers and damage


@case
def link_layers_make_no_difference():
    wanted = None
    for how, (linktype, encapsulate) in pcaplib.ENCAPSULATIONS.items():
        out = scratch(f'{how}.out.pcap')
        run = good('--nat', NAT, '-w', out, capture(how, sample(), how))
        written_type, records = pcaplib.read(out)
        equal(written_type, linktype, f'{how}: link type written')
        ips = [pcaplib.ip_of(written_type, record.frame) for record in records]
        equal([record.frame for record in records], [encapsulate(ip) for ip in ips], f'{how}: link headers')
        wanted = wanted or (run.events, ips)
        equal(run.events, wanted[0], f'{how}: events')
        equal(ips, wanted[1], f'{how}: packets')


@case
def what_is_written_can_be_read_by_others():
    """Whole, behind every link layer: length fields and what fills them up are right, too."""
    if not shutil.which('tcpdump'):
        raise Skip('no tcpdump')
    for how in pcaplib.ENCAPSULATIONS:
        out = scratch(f'{how}.others.pcap')
        good('--nat', NAT, '-w', out, capture(how, sample(), how))
        done = subprocess.run(['tcpdump', '-nnvvr', out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
        wrong = [line for line in done.stdout.splitlines() if re.search(r'trunc|missing|invalid|bad|incorrect', line)]
        equal((done.returncode, wrong), (0, []), f'{how}: what tcpdump finds wrong')
        check('PORT 198,51,100,254,195,81' in done.stdout, f'{how}: tcpdump does not find the text')


@case
def link_layers_ipv6():
    packets = []
    active(packets, client=('fd00::2', 40000), server=('2001:db8::5', 21), announce='EPRT |2|fd00::2|50001|')
    for how in pcaplib.ENCAPSULATIONS:
        run = good('--nat', 'fd00::2=2001:db8:100::254', capture(how, packets, how))
        equal((run.summary['rewrites'], run.summary['data_expected']), (1, 1), f'{how}: rewrites, data connections')


@case
def closed_standard_streams():
    """What is said must not go to a file that has taken a closed stream's place: not to the daemon's table, nor to OUT."""
    path = capture('closed', sample())
    wanted, out = scratch('closed.wanted.pcap'), scratch('closed.out.pcap')
    good('--nat', NAT, '-w', wanted, path)
    for closed in ('2>&-', '1>&- 2>&-', '0<&- 1>&- 2>&-'):
        subprocess.run(['sh', '-c', f'exec "$@" {closed}', 'sh', PROGRAM, 'replay', '--nat', NAT, '-w', out, path],
                       stdout=subprocess.DEVNULL, check=False, timeout=60)
        check(Path(out).read_bytes() == Path(wanted).read_bytes(), f'{closed}: something else than the capture was written')


@case
def raw_of_one_family():
    for linktype in (pcaplib.LINKTYPE_IPV4, pcaplib.LINKTYPE_RAW):
        path = scratch('raw.pcap')
        pcaplib.write(path, linktype, pcaplib.records(sample(), lambda ip: ip))
        equal(good(path).summary['data_expected'], 2, f'link type {linktype}: expected')


@case
def pcapng():
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    path, out = scratch('sample.pcapng'), scratch('pcapng.out.pcap')
    pcaplib.write_pcapng(path, linktype, pcaplib.records(sample(), encapsulate))
    run = good('--nat', NAT, '-w', out, path)
    equal(run.events, good('--nat', NAT, capture('pcap', sample())).events, 'events')
    check(tcp_of(out), 'nothing written')


@case
def pcapng_of_many_interfaces():
    """Sections of both byte orders, each interface with its own link type and clock: the events are those of one interface."""
    made, hows = pcaplib.Pcapng(), ['ethernet', 'pppoe', 'ppp-hdlc', 'sll', 'raw', 'null-linux', 'radiotap']
    units = {None: 10**6, 9: 10**9, 3: 10**3, 0x80 | 20: 2**20}
    packets = sample()
    for number, record in enumerate(pcaplib.records(packets, lambda ip: ip, step=250000)):
        if number % 10 == 0:
            made.section('><'[number // 10 % 2])
            for how, resolution in zip(hows, [*units, *units]):
                made.interface(pcaplib.ENCAPSULATIONS[how][0], resolution)
        which = number % len(hows)
        unit = units[[*units, *units][which]]
        frame = pcaplib.ENCAPSULATIONS[hows[which]][1](record.frame)
        made.packet(which, record.seconds * unit + record.micros * unit // 10**6, frame, len(frame))
    path, out = scratch('interfaces.pcapng'), scratch('interfaces.out.pcap')
    made.write(path)
    run = good('--nat', NAT, '-w', out, path)
    equal(run.events, good('--nat', NAT, capture('one-interface', packets, step=250000)).events, 'events')
    linktype, records = pcaplib.read(out)
    equal((linktype, len(records)), (pcaplib.LINKTYPE_RAW, len(packets)), 'link type and packets written')
    check(all(pcaplib.checksum_ok(pcaplib.decode(record.frame)) for record in records), 'a checksum is wrong')
    with open(path, 'rb') as file:
        done = subprocess.run([PROGRAM, 'replay', '--json', '--nat', NAT, '/dev/stdin'], input=file.read(),
                              stdout=subprocess.PIPE, timeout=60)
    equal([json.loads(line) for line in done.stdout.splitlines()], run.events, 'events, through a pipe')


@case
def interface_that_is_not_understood():
    made = pcaplib.Pcapng()
    made.section()
    made.interface(189)
    made.interface(pcaplib.LINKTYPE_ETHERNET)
    made.packet(0, 0, b'usb' * 20, 60)
    path = scratch('usb.pcapng')
    made.write(path)
    run = replay(path)
    equal(run.code, 1, 'exit code where there is nothing else')
    run.one_sentence(path, 'link type 189 (USB_LINUX)')
    for record in pcaplib.records(sample(), pcaplib.ENCAPSULATIONS['ethernet'][1]):
        made.packet(1, record.seconds * 1000000 + record.micros, record.frame, record.length)
    made.write(path)
    run = replay(path)
    equal((run.code, run.summary['data_expected']), (0, 2), 'exit code, data connections expected')
    run.one_sentence(path, '1 of its packets', '189 (USB_LINUX)')


@case
def link_type_unknown():
    path = scratch('usb.pcap')
    pcaplib.write(path, 189, [])
    run = Run(path)
    equal(run.code, 1, 'exit code')
    run.one_sentence(path, 'USB_LINUX')


def record_starts(data):
    starts, at = [], 24
    while at < len(data):
        starts.append(at)
        at += 16 + int.from_bytes(data[at + 8:at + 12], 'little')
    return starts + [at]


@case
def truncated_file():
    """Cut at every byte of the first records, then at many: what came before is still reported, the place is named."""
    data = Path(capture('whole', sample())).read_bytes()
    starts = record_starts(data)
    path = scratch('cut-file.pcap')
    for size in [*range(0, 24 + 110), *range(140, len(data), 61), len(data)]:
        Path(path).write_bytes(data[:size])
        run = replay(path)
        if size < 24:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, 'empty' if size == 0 else 'not a capture')
            continue
        packets = sum(start <= size for start in starts) - 1
        equal(run.summary['packets'], packets, f'packets at byte {size}')
        if size in starts and packets > 0:
            equal((run.code, run.err), (0, ''), f'exit code and stderr at byte {size}')
        elif size in starts:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, 'no FTP control connection')
        else:
            equal(run.code, 1, f'exit code at byte {size}')
            run.one_sentence(path, f'packet {packets + 1}', f'byte {starts[packets]}', 'damaged')


@case
def truncated_pcapng():
    linktype, encapsulate = pcaplib.ENCAPSULATIONS['ethernet']
    path = scratch('cut.pcapng')
    pcaplib.write_pcapng(path, linktype, pcaplib.records(sample(), encapsulate))
    data = Path(path).read_bytes()
    for size in range(28 + 20 + 5, len(data), 83):
        Path(path).write_bytes(data[:size])
        run = replay(path)
        check(run.code in (0, 1), f'exit code {run.code} at byte {size}')
        if run.code:
            run.one_sentence(path)


@case
def garbage():
    path = scratch('garbage.pcap')
    for content in (b'GET / HTTP/1.0\r\n\r\n' * 100, os.urandom(4096), b'\xd4\xc3\xb2\xa1', b'\0' * 1000):
        Path(path).write_bytes(content)
        run = Run(path)
        equal(run.code, 1, 'exit code')
        run.one_sentence(path, 'not a capture')


@case
def flipped_bytes():
    """Damage anywhere, in records and packets: an answer, never a crash (run with sanitizers)."""
    whole = Path(capture('whole', sample())).read_bytes()
    path = scratch('flipped.pcap')
    chance = random.Random(1)
    for number in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30, 300))):
            data[chance.randrange(24 if number % 2 else 0, len(data))] = chance.randrange(256)
        Path(path).write_bytes(data)
        run = replay('--nat', NAT, '-w', scratch('flipped.out.pcap'), path)
        check(run.code in (0, 1), f'exit code {run.code}')
        check(run.code == 0 or run.err, f'exit code {run.code} without a word')


@case
def record_larger_than_any():
    data = bytearray(Path(capture('whole', sample())).read_bytes())
    third = record_starts(data)[2]
    data[third + 8:third + 16] = b'\xff\xff\xff\x7f' * 2
    path = scratch('large.pcap')
    Path(path).write_bytes(data)
    run = replay(path)
    equal((run.code, run.summary['packets']), (1, 2), 'exit code, packets')
    run.one_sentence(path, 'packet 3', f'byte {third}')


@case
def no_ftp():
    packets = []
    Conversation(packets, (CLIENT, 5555), (SERVER, 80)).open()
    path = capture('no-ftp', packets)
    run = replay(path)
    equal((run.code, run.summary['packets'], run.summary['sessions']), (1, 3, 0), 'exit code, packets, sessions')
    run.one_sentence(path, 'no FTP control connection', '(TCP port 21)')
    run = replay('--port', '1,21,2121,65528,65535', path)
    run.one_sentence(path, 'no FTP control connection', '(TCP port 1, 21, 2121, 65528, 65535)')


@case
def nothing_to_read():
    for path, word in ((scratch('absent.pcap'), 'No such file'), (SCRATCH.name, 'directory')):
        run = Run(path)
        equal(run.code, 1, 'exit code')
        run.one_sentence(path, word)


# --- (d) the command line


def refuses(name, code, *arguments, names=()):
    def run_it():
        run = Run(*[capture('usage', sample()) if argument == 'IN' else argument for argument in arguments])
        equal(run.code, code, 'exit code')
        run.one_sentence(*names)
        equal(run.out, '', 'output')
    CASES.append((f'usage-{name}', run_it))


refuses('no-capture', 2)
refuses('two-captures', 2, 'IN', 'second.pcap', names=['second.pcap'])
refuses('unknown-option', 2, '--frob', 'IN', names=['frob'])
refuses('nat-without-equals', 2, '--nat', '10.0.0.2', 'IN', names=['--nat', '10.0.0.2'])
refuses('nat-no-address', 2, '--nat', '10.0.0.2=router', 'IN', names=['router'])
refuses('nat-nothing-inside', 2, '--nat', '=10.0.0.2', 'IN', names=['=10.0.0.2'])
refuses('nat-long', 2, '--nat', '1' * 300 + '=1.2.3.4', 'IN', names=['--nat'])
refuses('nat-two-families', 2, '--nat', '10.0.0.2=2001:db8::1', 'IN', names=['2001:db8::1'])
refuses('nat-twice', 2, '--nat', '10.0.0.2=192.0.2.1', '--nat', '10.0.0.2=192.0.2.2', 'IN', names=['192.0.2.2'])
refuses('nat-no-argument', 2, 'IN', '--nat', names=['nat'])
refuses('seqadj', 2, '--seqadj', 'kernel', 'IN', names=['kernel'])
for bad in ('0', '65536', 'ftp', '21,', ',21', '-1', '21;22', '99999999999999999999', ''):
    refuses(f'port-{bad}', 2, '--port', bad, 'IN', names=['--port', f"`{bad}'"])
refuses('write-nowhere', 1, '-w', '/nonexistent/out.pcap', 'IN', names=['/nonexistent/out.pcap'])


@case
def write_over_the_input():
    path = capture('same', sample())
    before = Path(path).read_bytes()
    run = Run('-w', path, path)
    equal((run.code, Path(path).read_bytes() == before), (1, True), 'exit code, the capture is whole')
    run.one_sentence(path)


@case
def write_to_a_full_disk():
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    run = replay('-w', '/dev/full', capture('full', sample()))
    equal(run.code, 1, 'exit code')
    run.one_sentence('/dev/full')


def on_a_small_disk(*words):
    """As with a full disk: no file may grow beyond 512 bytes."""
    return subprocess.run(['sh', '-c', "trap '' XFSZ; ulimit -f 1; exec \"$@\"", 'sh', PROGRAM, *words], capture_output=True, timeout=60, text=True)


@case
def what_was_there_stays():
    """A file that was named for what comes out keeps what it held unless that is whole; and whatever else was named is not replaced."""
    capture_path, folder = capture('stays', sample()), scratch('stays')
    os.mkdir(folder)
    path, link = os.path.join(folder, 'out'), os.path.join(folder, 'link')
    os.symlink('out', link)
    for named in (path, link):
        for words in (['replay', '-w', named, capture_path], ['explain', '--format', 'html', '-o', named, capture_path],
                      ['explain', '--live', '10.0.0.2', '--state-dir', folder, '-o', named]):
            Path(path).write_text('precious')
            os.chmod(path, 0o640)
            done = on_a_small_disk(*words)
            equal((done.returncode, Path(path).read_bytes()), (1, b'precious'), f'{words}: {done.stderr}')
            equal((done.stderr.count('\n'), sorted(os.listdir(folder))), (1, ['link', 'out']), f'{words}: {done.stderr}, what is there')
        for words in (['replay', '-w', named, capture_path], ['explain', '-o', named, capture_path]):
            done = subprocess.run([PROGRAM, *words], capture_output=True, timeout=60, text=True)
            check(done.returncode == 0 and Path(path).read_bytes()[:8] != b'precious', f'{words}: {done.stderr}')
            equal((os.stat(path).st_mode & 0o7777, os.path.islink(link), sorted(os.listdir(folder))), (0o640, True, ['link', 'out']), f'{words}: what is there')


# The rest of /proc is there: a sanitized program finds its options in it, and its threads.
WITHOUT_FILES = """mount --bind /proc "$1" && mount -t tmpfs none /proc && mkdir /proc/$$ && ln -s $$ /proc/self || exit 77
for name in "$1"/$$/*; do [ "${name##*/}" = fd ] || ln -s "$name" /proc/$$/; done
"""


@case
def where_a_new_file_needs_a_name_that_goes_with_it():
    """As where /proc, by which a file without one is given its name, has none of them: who is ended by a signal amid it leaves nothing."""
    folder, captured, proc = scratch('named'), capture('named', sample()), scratch('named-proc')
    os.mkdir(folder)
    os.mkdir(proc)
    path = os.path.join(folder, 'out')

    def run_it(limit):
        script = f'{WITHOUT_FILES}ulimit -f {limit}; shift; exec "$@"'
        return subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', proc, f'{PROGRAM}-tools', 'explain', '-o', path, captured], capture_output=True, timeout=60, text=True)

    done = run_it(1)
    if done.returncode == 77 or 'unshare:' in done.stderr:
        raise Skip('nothing can be mounted here')
    equal((done.returncode, os.listdir(folder)), (-signal.SIGXFSZ, []), done.stderr)
    done = run_it('unlimited')
    equal((done.returncode, os.listdir(folder)), (0, ['out']), done.stderr)
    subprocess.run([PROGRAM, 'explain', '-o', f'{path}.wanted', captured], check=True, timeout=60)
    equal(Path(path).read_bytes(), Path(f'{path}.wanted').read_bytes(), 'what is in it')


@case
def a_new_file_is_as_any():
    """Its rights are what umask leaves; a link to nowhere makes what it names."""
    folder = scratch('new')
    os.mkdir(folder)
    os.symlink('named', os.path.join(folder, 'nowhere'))
    for name, made in (('new', 'new'), ('nowhere', 'named')):
        subprocess.run(['sh', '-c', 'umask 027; exec "$@"', 'sh', PROGRAM, 'explain', '-o', os.path.join(folder, name), capture('new', sample())],
                       check=True, timeout=60)
        equal(os.stat(os.path.join(folder, made)).st_mode & 0o7777, 0o640, f'rights of {made}')
    equal(sorted(os.listdir(folder)), ['named', 'new', 'nowhere'], 'what is there')


@case
def no_device_or_pipe_is_replaced():
    captured = capture('piped', sample())
    folder = scratch('piped')
    os.mkdir(folder)
    pipe, wanted, out = (os.path.join(folder, name) for name in ('pipe', 'wanted', 'out'))
    os.mkfifo(pipe)
    for words in (['explain', '-o'], ['replay', '--json', '-w']):
        subprocess.run([PROGRAM, *words, wanted, captured], check=True, stdout=subprocess.DEVNULL, timeout=60)
        subprocess.run(['sh', '-c', 'cat "$1" >"$2" & shift 2; "$@" >/dev/null; wait', 'sh', pipe, out, PROGRAM, *words, pipe, captured], check=True, timeout=60)
        equal(Path(out).read_bytes(), Path(wanted).read_bytes(), f'{words}: what came through the pipe')
        with open(out, 'r+b') as file:  # which stays the one that is open here, and is not replaced
            subprocess.run([PROGRAM, *words, '/dev/stderr', captured], check=True, stdout=subprocess.DEVNULL, stderr=file, timeout=60)
            equal((os.fstat(file.fileno()).st_ino, Path(out).read_bytes()), (os.stat(out).st_ino, Path(wanted).read_bytes()), f'{words}: /dev/stderr')
    equal(sorted(os.listdir(folder)), ['out', 'pipe', 'wanted'], 'what is there')
    null = os.path.join(folder, 'null')  # as /dev/null is: a character device, of no harm
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        open(null, 'w').close()
    except OSError:
        raise Skip('no device can be made here') from None
    for words in (['explain', '-o'], ['replay', '-w']):
        subprocess.run([PROGRAM, *words, null, captured], check=True, stdout=subprocess.DEVNULL, timeout=60)
        check(stat.S_ISCHR(os.stat(null).st_mode), f'{words}: the device is gone')


@case
def a_name_may_be_as_long_as_any():
    folder = scratch('long')
    os.mkdir(folder)
    path = os.path.join(folder, 'o' * 255)
    for words in (['explain', '-o'], ['replay', '-w']):
        for _there in range(2):
            done = subprocess.run([PROGRAM, *words, path, capture('long', sample())], capture_output=True, timeout=60, text=True)
            equal((done.returncode, os.listdir(folder)), (0, ['o' * 255]), f'{words}: {done.stderr}')
        os.unlink(path)


@case
def what_was_written_before_stays_where_output_goes():
    """/dev/stdout is where standard output is: behind what others wrote to it, and before what they write yet."""
    captured, out = capture('appended', sample()), scratch('appended')
    wanted = subprocess.run([PROGRAM, 'explain', captured], capture_output=True, check=True, timeout=60).stdout
    for redirection in ('>>"$out"', '>"$out"', '9>>"$out" >&9', '2>>"$out"'):
        Path(out).write_bytes(b'before\n' if '>>' in redirection else b'')
        which = '2' if redirection.startswith('2') else '1'
        script = f'{{ echo first >&{which}; "$@"; echo last >&{which}; }} {redirection}'
        subprocess.run(['sh', '-c', script, 'sh', PROGRAM, 'explain', '-o', f'/dev/fd/{which}', captured], check=True, timeout=60, env={**os.environ, 'out': out})
        before = b'before\n' if '>>' in redirection else b''
        equal(Path(out).read_bytes(), before + b'first\n' + wanted + b'last\n', redirection)


@case
def nothing_but_the_content_changes():
    """Names, owner, group and rights are as they were; a file that none could take the place of is written where it is."""
    folder, captured = scratch('like'), capture('like', sample())
    os.mkdir(folder)
    path, other = os.path.join(folder, 'out'), os.path.join(folder, 'other')
    Path(path).write_text('old')
    os.link(path, other)
    subprocess.run([PROGRAM, 'explain', '-o', path, captured], check=True, timeout=60)
    check(os.path.samefile(path, other) and Path(path).read_bytes() != b'old', 'two names of one file')
    os.unlink(other)
    if os.geteuid() != 0:
        raise Skip('only root gives files away')
    os.chown(folder, 0, 33)
    os.chmod(folder, 0o2775)
    os.chown(path, 0, 0)
    os.chmod(path, 0o640)
    subprocess.run([PROGRAM, 'explain', '-o', path, captured], check=True, timeout=60)
    there = os.stat(path)
    equal((there.st_uid, there.st_gid, there.st_mode & 0o7777), (0, 0, 0o640), 'owner, group and rights in a folder of another group')
    os.chmod(path, 0o666)
    os.chmod(folder, 0o777)
    os.chmod(captured, 0o644)
    os.chmod(os.path.dirname(folder), 0o711)  # for the other user
    done = subprocess.run(['setpriv', '--reuid', '65534', '--clear-groups', PROGRAM, 'explain', '-o', path, captured], capture_output=True, timeout=60, text=True)
    if done.returncode:
        raise Skip(f'another user does not come here: {done.stderr}')
    equal((os.stat(path).st_uid, os.listdir(folder)), (0, ['out']), 'owner of what another user may write')


@case
def what_others_put_into_a_folder_of_everybodys_is_not_written():
    if os.geteuid() != 0 or Path('/proc/sys/fs/protected_regular').read_text().strip() == '0':
        raise Skip('fs.protected_regular is 0, or this is not root')
    folder, captured = scratch('everybodys'), capture('everybodys', sample())
    os.mkdir(folder)
    os.chmod(folder, 0o1777)
    path = os.path.join(folder, 'out')
    Path(path).write_text('planted')
    os.chmod(path, 0o666)
    os.chown(path, 65534, 65534)
    for words in (['explain', '-o'], ['replay', '-w']):
        done = subprocess.run([PROGRAM, *words, path, captured], capture_output=True, timeout=60, text=True)
        equal((done.returncode, Path(path).read_text(), os.listdir(folder)), (1, 'planted', ['out']), f'{words}: {done.stderr}')


@case
def what_is_mounted_there_stays():
    folder, captured = scratch('mounted'), capture('mounted', sample())
    os.mkdir(folder)
    path, below = os.path.join(folder, 'out'), os.path.join(folder, 'below')
    Path(path).write_text('')
    Path(below).write_text('old')
    script = 'mount --bind "$1" "$2" || exit 77; shift 2; exec "$@"'
    done = subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', below, path, PROGRAM, 'explain', '-o', path, captured], capture_output=True, timeout=60, text=True)
    if done.returncode == 77 or 'unshare:' in done.stderr:
        raise Skip('nothing can be mounted here')
    equal((done.returncode, Path(path).read_text(), sorted(os.listdir(folder))), (0, '', ['below', 'out']), done.stderr)
    check(Path(below).read_text() not in ('', 'old'), 'the file that is mounted there has the new content')


@case
def what_none_can_take_the_place_of_stays_on_a_full_disk():
    """A file of two names is filled where it is, and not emptied before there is room."""
    folder = scratch('filled')
    os.mkdir(folder)
    script = """mount -t tmpfs -o size=64k none "$1" && cd "$1" && echo precious >out && ln out other || exit 77
                head -c $2 /dev/zero >rest || exit 77; shift 2; "$@"; code=$?; ls; head -c 20 out | head -n 1; cmp out other; exit $code"""
    for rest, words, code, left in ((57344, 'html', 1, 'precious'), (57344, 'text', 0, None), (0, 'html', 0, '<!DOCTYPE html>')):
        done = subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', folder, str(rest), PROGRAM, 'explain', '--format', words, '-o', 'out', capture('filled', sample())],
                              capture_output=True, timeout=60, text=True)
        if done.returncode == 77 or 'unshare:' in done.stderr:
            raise Skip(f'nothing can be mounted here: {done.stderr}')
        said = done.stdout.splitlines()
        equal((done.returncode, done.stderr.count('\n'), said[:3]), (code, code, ['other', 'out', 'rest']), f'{words}: {done.stderr}')
        check(said[3] == left if left else said[3] != 'precious', f'{words}: {said[3]}, {done.stderr}')
        check(not code or 'No space left' in done.stderr, done.stderr)


@case
def print_to_a_full_disk():
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    with open('/dev/full', 'w') as full:
        done = subprocess.run([PROGRAM, 'replay', '--json', capture('full', sample())], stdout=full, stderr=subprocess.PIPE,
                              timeout=60)
    equal((done.returncode, done.stderr.count(b'\n')), (1, 1), 'exit code, lines on stderr')


@case
def whatever_prints_to_a_full_disk():
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    for words in (['--help'], ['--version'], ['run', '--help'], ['rules', '--mode', 'queue'], ['completion', 'zsh']):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, timeout=60)
        equal((done.returncode, done.stderr), (1, b'nfq-ftp-helper: standard output cannot be written\n'), ' '.join(words))


@case
def names_tell_a_terminal_nothing():
    """Whatever a file, an option or a command is called: one line, without a control byte, and UTF-8 as it is."""
    name = 'gr\xf6\xdfer\x1b]0;owned\x07\nnfq-ftp-helper: all is well\x9b2J'
    shown = 'gr\xf6\xdfer\\x1b]0;owned\\x07\\x0anfq-ftp-helper: all is well\\xc2\\x9b2J'
    empty = scratch(name)
    pcaplib.write(empty, 1, [])
    for words in ([name], ['status', '--state-dir', f'/nowhere/{name}'], ['status', f'--{name}'], ['status', name], ['rules', '--mode', name],
                  ['rules', '-c', f'/nowhere/{name}'], ['replay', f'/nowhere/{name}'], ['replay', empty],
                  ['replay', '-w', f'/nowhere/{name}', capture('named', sample())], ['explain', empty],
                  ['explain', '-o', f'/nowhere/{name}', capture('named', sample())], ['explain', '--live', '10.0.0.2', '--state-dir', f'/nowhere/{name}'],
                  ['metrics', '--textfile', f'/nowhere/{name}', '--state-dir', '/nowhere'], ['run', '--test-config', '-c', f'/nowhere/{name}']):
        done = subprocess.run([PROGRAM, *words], capture_output=True, timeout=60)
        said = (done.stdout + done.stderr).decode()
        check(done.returncode, f'{words} ends with 0')
        check(shown in said and not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', said) and '\nnfq-ftp-helper: all' not in said, f'{words}: {said!r}')


@case
def help_is_given():
    run = Run('--help')
    equal((run.code, run.err), (0, ''), 'exit code and stderr')
    for option in ('--nat', '--seqadj', '--loose', '--port', '--checksums', '-w', '--json'):
        check(option in run.out, f'{option} is not explained')
