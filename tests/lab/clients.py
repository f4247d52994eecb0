# SPDX-License-Identifier: GPL-2.0-or-later
"""Real FTP clients for the lab: curl, lftp, tnftp, and Python's ftplib.

Each client says which modes it speaks to whom; a mode is the message that announces the data connection. All are told to
use the address they are given in 227 (most would by default replace it by the server's own, and so hide a missing
translation), to read no configuration of this machine's, and not to try a second mode when the first fails.

    result = CLIENTS["curl"].transfer(lab, "PASV", 4, [Put("/tmp/a", "pub/a"), Get("pub/b", "/tmp/b")])

All steps of one transfer() happen in one control connection. Run as a program, this file is the ftplib client.
"""

import argparse
import dataclasses
import ftplib
import os
import sys
import time

FTP_MODES = ("PORT", "EPRT", "PASV", "EPSV")
ACTIVE_MODES = ("PORT", "EPRT")
USER = "ftp"
PASSWORD = "lab"


@dataclasses.dataclass(frozen=True)
class Put:
    """Upload a local file."""

    local: str
    remote: str


@dataclasses.dataclass(frozen=True)
class Get:
    """Download to a local file."""

    remote: str
    local: str


@dataclasses.dataclass(frozen=True)
class Result:
    """How a transfer went. stderr holds all that the client said, whichever way."""

    ok: bool
    seconds: float
    stderr: str
    status: int = None  # the exit status; None: it took too long and was killed

    def why(self):
        """The client's last words, in one line."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        end = "took too long" if self.status is None else f"exit status {self.status}"
        return f"{end}; {lines[-1] if lines else 'said nothing'}"


def bracketed(address):
    """An address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


class Client:
    """What clients have in common: a name, their modes, and how to run them."""

    name = ""
    modes = {4: FTP_MODES, 6: ("EPRT", "EPSV")}

    def argv_and_input(self, host, mode, family, steps, timeout):
        """The command and what it reads on standard input (or None)."""
        raise NotImplementedError

    def transfer(self, lab, mode, family, steps, *, host=None, role=None, timeout=10):
        """Carries the steps out from `role` (default: where the topology has its client); a Result.

        host is the address to connect to (default: the topology's server). Nothing takes longer than `timeout` seconds.
        """
        if mode not in self.modes[family]:
            raise ValueError(f"{self.name} does not speak {mode} over IPv{family}")
        argv, text = self.argv_and_input(host or lab.dial(family=family), mode, family, steps, timeout)
        environment = dict(os.environ, HOME=str(lab.directory), LC_ALL="C")
        start = time.monotonic()
        done = lab.run(role or lab.client, argv, input=text, timeout=timeout, env=environment, cwd=lab.directory)
        said = done.stdout + done.stderr
        ok = done.returncode == 0 and self.says_ok(said, steps)
        return Result(ok, time.monotonic() - start, said, done.returncode)

    def says_ok(self, _said, _steps):
        """For clients whose exit status does not tell."""
        return True

    def upload(self, lab, mode, family, local, remote, **options):
        return self.transfer(lab, mode, family, [Put(local, remote)], **options)

    def download(self, lab, mode, family, remote, local, **options):
        return self.transfer(lab, mode, family, [Get(remote, local)], **options)


class Curl(Client):
    name = "curl"

    MODE_OPTIONS = {
        "PORT": ["--ftp-port", "-", "--disable-eprt"],
        "EPRT": ["--ftp-port", "-"],
        "PASV": ["--disable-epsv", "--no-ftp-skip-pasv-ip"],
        "EPSV": [],
    }

    def argv_and_input(self, host, mode, family, steps, timeout):
        argv = ["curl", "--disable"]
        for number, step in enumerate(steps):
            argv += ["--next"] * (number > 0) + ["--silent", "--show-error", "--max-time", str(timeout),
                                                 "--user", f"{USER}:{PASSWORD}", *self.MODE_OPTIONS[mode]]
            url = f"ftp://{bracketed(host)}/{step.remote}"
            argv += ["--upload-file", step.local, url] if isinstance(step, Put) else ["--output", step.local, url]
        return argv, None

    def says_ok(self, said, _steps):
        """After --next the exit status is the last transfer's only."""
        return "curl: (" not in said


class Lftp(Client):
    """Speaks EPRT over IPv6 only."""

    name = "lftp"
    modes = {4: ("PORT", "PASV", "EPSV"), 6: ("EPRT", "EPSV")}

    def argv_and_input(self, host, mode, family, steps, timeout):
        settings = {
            "cmd:fail-exit": "yes", "net:timeout": timeout, "net:max-retries": 1, "net:persist-retries": 0,
            "ftp:passive-mode": "no" if mode in ACTIVE_MODES else "yes", "ftp:auto-passive-mode": "no",
            "ftp:prefer-epsv": "yes" if mode == "EPSV" else "no", "ftp:fix-pasv-address": "no",
            "ftp:ssl-allow": "no", "xfer:clobber": "yes",
        }
        script = [f"set {name} {value}" for name, value in settings.items()]
        script += [f"open -u {USER},{PASSWORD} ftp://{bracketed(host)}"]
        script += [f"put {step.local} -o {step.remote}" if isinstance(step, Put) else f"get {step.remote} -o {step.local}"
                   for step in steps]
        return ["lftp", "--norc", "-c", "; ".join(script)], None


class Tnftp(Client):
    """Its switch epsv4 stands for EPRT as well; its exit status says nothing."""

    name = "tnftp"

    def argv_and_input(self, host, mode, family, steps, timeout):
        script = [f"epsv4 {'on' if mode in ('EPRT', 'EPSV') else 'off'}", f"open {host}", f"user {USER} {PASSWORD}"]
        script += [f"put {step.local} {step.remote}" if isinstance(step, Put) else f"get {step.remote} {step.local}"
                   for step in steps]
        argv = ["tnftp", "-n", "-v", "-A" if mode in ACTIVE_MODES else "-p", "-q", str(timeout)]
        return argv, "\n".join([*script, "quit", ""])

    def says_ok(self, said, steps):
        """It says "N bytes sent in ..." or "received" for each file."""
        return sum(" bytes " in line and " in " in line for line in said.splitlines()) == len(steps)


class Ftplib(Client):
    """Python's, in a process of its own."""

    name = "ftplib"

    def argv_and_input(self, host, mode, family, steps, timeout):
        argv = [sys.executable, __file__, "--timeout", str(timeout), host, mode]
        for step in steps:
            argv += ["put", step.local, step.remote] if isinstance(step, Put) else ["get", step.remote, step.local]
        return argv, None


CLIENTS = {client.name: client for client in (Curl(), Lftp(), Tnftp(), Ftplib())}


# ---------------------------------------------------------------------------------------------------------------------

class ModalFtp(ftplib.FTP):
    """ftplib chooses by the family: PORT and PASV for IPv4, EPRT and EPSV for IPv6. Here the mode is chosen."""

    trust_server_pasv_ipv4_address = True

    def __init__(self, mode, **options):
        super().__init__(**options)
        self.mode = mode
        self.set_pasv(mode not in ACTIVE_MODES)

    def sendport(self, host, port):
        return self.sendeprt(host, port) if self.mode == "EPRT" else super().sendport(host, port)

    def makepasv(self):
        if self.mode == "PASV":
            return super().makepasv()
        return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())


def ftplib_main():
    parser = argparse.ArgumentParser(description="Transfers files by Python's ftplib, in one control connection.")
    parser.add_argument("--timeout", type=float, default=10)
    parser.add_argument("host")
    parser.add_argument("mode", choices=FTP_MODES)
    parser.add_argument("steps", nargs="+", metavar="put LOCAL REMOTE | get REMOTE LOCAL")
    options = parser.parse_args()
    steps = options.steps
    if len(steps) % 3 or {"put", "get"}.issuperset(steps[::3]) is False:
        parser.error(f"steps are neither put LOCAL REMOTE nor get REMOTE LOCAL: {' '.join(steps)}")
    try:
        with ModalFtp(options.mode, timeout=options.timeout) as ftp:
            ftp.connect(options.host)
            ftp.login(USER, PASSWORD)
            for how, source, target in zip(steps[::3], steps[1::3], steps[2::3]):
                if how == "put":
                    with open(source, "rb") as file:
                        ftp.storbinary(f"STOR {target}", file, blocksize=65536)
                else:
                    with open(target, "wb") as file:
                        ftp.retrbinary(f"RETR {source}", file.write, blocksize=65536)
            ftp.quit()
    except (ftplib.Error, EOFError, OSError) as error:
        sys.exit(f"ftplib: {options.mode} with {options.host}: {error or type(error).__name__}")


if __name__ == "__main__":
    ftplib_main()
