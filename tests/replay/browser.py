# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium without a window, spoken to through two pipes (its DevTools protocol): a page at a width, what it says, what it looks like."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = 60  # seconds for an answer


def find():
    return shutil.which('chromium') or shutil.which('chromium-headless-shell')


class Browser:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix='nfq-ftp-helper-chromium.')
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        os.set_blocking(ours_in, False)
        self.incoming, self.outgoing = ours_in, ours_out
        self.process = subprocess.Popen(
            ['sh', '-c', f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', find(), '--headless', '--no-sandbox', '--disable-gpu',
             '--hide-scrollbars', '--no-first-run', '--disable-background-networking', f'--user-data-dir={self.profile.name}',
             '--remote-debugging-pipe', 'about:blank'],
            pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.buffer, self.number, self.session, self.events = b'', 0, None, []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(domain + '.enable')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.outgoing)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.incoming)
        shutil.rmtree(self.profile.name, ignore_errors=True)

    def _message(self, deadline):
        while b'\0' not in self.buffer:
            ready, _, _ = select.select([self.incoming], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError('Chromium does not answer')
            read = os.read(self.incoming, 1 << 20)
            if not read:
                raise EOFError('Chromium has ended')
            self.buffer += read
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        request = {'id': self.number, 'method': method, 'params': parameters}
        if self.session:
            request['sessionId'] = self.session
        data = json.dumps(request).encode() + b'\0'
        while data:
            data = data[os.write(self.outgoing, data):]
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self._message(deadline)
            if answer.get('id') != self.number:
                self.events.append(answer)
            elif 'error' in answer:
                raise RuntimeError(f'{method}: {answer["error"]}')
            else:
                return answer['result']

    def show(self, path, width, height=1000, dark=False):
        """Load it; what it complains about is in complaints()."""
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        self.events = []
        self.call('Page.navigate', url=f'file://{os.path.abspath(path)}')
        deadline = time.monotonic() + LIMIT
        while not any(event.get('method') == 'Page.loadEventFired' for event in self.events):
            self.events.append(self._message(deadline))

    def complaints(self):
        """Console, errors, the policy's violations; and every request but the page's own."""
        wrong = [str(event['params'])[:300] for event in self.events
                 if event.get('method') in ('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded')]
        asked = [event['params']['request']['url'] for event in self.events if event.get('method') == 'Network.requestWillBeSent']
        return wrong + asked[1:]

    def run(self, script):
        """What a script says, which may be a promise."""
        done = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in done:
            raise RuntimeError(str(done['exceptionDetails'])[:500])
        return done['result'].get('value')

    def key(self, name, code):
        for kind in ('rawKeyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=name, code=name, windowsVirtualKeyCode=code)
        if name == 'Enter':
            self.call('Input.dispatchKeyEvent', type='char', key=name, text='\r')

    def type(self, text):
        self.call('Input.insertText', text=text)

    def picture(self, path):
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.call('Page.captureScreenshot')['data']))
