# SPDX-License-Identifier: GPL-2.0-or-later
"""Real FTP servers for the lab: vsftpd, ProFTPD, Pure-FTPd.

All are run as root in a namespace, in the foreground, from a configuration in the lab's own directory; nothing in /etc is
read or written. All know one user (the clients'; to vsftpd it is its anonymous one), who is put into a directory of which
he may write the subdirectory "pub". Names are not looked up, so a login takes no time.

    with Lab("dnat", engine="kernel") as lab, Server("vsftpd", lab) as server:
        (server.pub / "file").write_bytes(b"...")
"""

import os
import pathlib
import tempfile

from clients import USER
from lab import FTP_PORT, LabError, end_process, is_listening, wait_until

PASSWORD_HASH = "$1$nfqftp$IrLi6hD5TyjmU7gGLaP34/"  # of clients.PASSWORD
OWNER = 65534  # nobody and nogroup, on every Debian


def packages_directory():
    """Where scripts/deps unpacks the servers, which as packages conflict with one another."""
    cache = os.environ.get("XDG_CACHE_HOME") or "/var/cache"
    return pathlib.Path(os.environ.get("NFQ_FTP_SERVERS") or f"{cache}/nfq-ftp-helper/servers")


def vsftpd(server):
    """Listening for IPv6 serves IPv4 too. Its isolation would make a namespace a session: slow, and not what is tested.

    The anonymous user must have a home directory that exists, and of those without rights only daemon has one everywhere.
    """
    empty = server.directory / "empty"
    empty.mkdir()
    public = [f"pasv_address={server.public_address}"] if server.public_address else []
    config = server.write("vsftpd.conf", [
        "background=NO", "listen=NO", "listen_ipv6=YES", f"listen_port={FTP_PORT}",
        "anonymous_enable=YES", "no_anon_password=YES", "ftp_username=daemon", f"anon_root={server.root}",
        "write_enable=YES", "anon_upload_enable=YES", "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
        "anon_umask=022", "anon_world_readable_only=NO", "nopriv_user=nobody", f"secure_chroot_dir={empty}",
        "connect_from_port_20=YES", "pasv_enable=YES", "port_enable=YES", "max_clients=0", "max_per_ip=0",
        "isolate=NO", "isolate_network=NO", "seccomp_sandbox=NO",
        f"vsftpd_log_file={server.directory}/vsftpd.log", "xferlog_enable=YES", "log_ftp_protocol=YES", *public])
    return [server.program("usr/sbin/vsftpd"), config]


def proftpd(server):
    """ProFTPD looks its own host name up unless it is given an address to serve.

    Its modules for transfers and listings are built in (Debian 12) or files to be loaded (Debian 13); the one that delays
    log-ins is built in or is left out.

    When a session has ended it rests for 0.4 s before it accepts the next (its main loop does, after SIGCHLD; no option).
    """
    users = server.write("passwd", [f"{USER}:{PASSWORD_HASH}:{OWNER}:{OWNER}::{server.root}:/bin/false"])
    users.chmod(0o600)
    groups = server.write("group", [f"{USER}:x:{OWNER}:"])
    public = [f"MasqueradeAddress {server.public_address}"] if server.public_address else []
    modules = server.program("usr/sbin/proftpd").parents[1] / "lib/proftpd"
    loaded = [line for module in ("mod_xfer.c", "mod_ls.c") for line in (
        f"<IfModule !{module}>", f"ModulePath {modules}", f"LoadModule {module}", "</IfModule>")]
    config = server.write("proftpd.conf", [
        *loaded,
        "ServerName lab", "ServerType standalone", "UseIPv6 on", "DefaultAddress ::", f"Port {FTP_PORT}",
        "UseReverseDNS off", "DefaultServer on", "User nobody", "Group nogroup", "AuthPAM off",
        "AuthOrder mod_auth_file.c", f"AuthUserFile {users}", f"AuthGroupFile {groups}", "RequireValidShell off",
        "<IfModule mod_delay.c>", "DelayEngine off", "</IfModule>", "DefaultRoot ~", "AllowOverwrite on",
        "MaxInstances 500", "WtmpLog off", "TransferLog none",
        f"PidFile {server.directory}/pid", f"ScoreboardFile {server.directory}/scoreboard",
        f"SystemLog {server.directory}/proftpd.log", *public])
    return [server.program("usr/sbin/proftpd"), "--nodaemon", "--config", config]


def pure_ftpd(server):
    """The user database is compiled from a text file; its hash is a cheap one, as a slow login would test nothing."""
    users = server.write("passwd", [f"{USER}:{PASSWORD_HASH}:{OWNER}:{OWNER}::{server.root}/./::::::::::::"])
    users.chmod(0o600)
    database = server.directory / "users.pdb"
    server.lab.run(server.role, [server.program("usr/bin/pure-pw"), "mkdb", database, "-f", users], check=True)
    public = ["--forcepassiveip", server.public_address] if server.public_address else []
    return [server.program("usr/sbin/pure-ftpd"), "--noanonymous", "--login", f"puredb:{database}", "--dontresolve",
            "--bind", f",{FTP_PORT}", "--pidfile", server.directory / "pid", "--maxclientsnumber", "500",
            "--maxclientsperip", "500", "--syslogfacility", "none", "--umask", "022:022", *public]


# Name -> (Debian package, function that writes the configuration and returns the command)
SERVERS = {
    "vsftpd": ("vsftpd", vsftpd),
    "proftpd": ("proftpd-core", proftpd),
    "pure-ftpd": ("pure-ftpd", pure_ftpd),
}


class Server:
    """One server, running in a namespace while the with block lasts.

    role            the namespace (default: where the topology has its server)
    public_address  the address it is configured to announce in 227, as people behind DNAT do
    root, pub       the directories it shows; files in pub are up- and downloaded
    """

    def __init__(self, name, lab, *, role=None, public_address=None):
        if name not in SERVERS:
            raise LabError(f"server is none of {', '.join(SERVERS)}: `{name}'")
        self.name = name
        self.package, self._configure = SERVERS[name]
        self.lab = lab
        self.role = role or lab.server
        self.public_address = public_address
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=lab.directory))
        self.root = self.directory / "root"
        self.pub = self.root / "pub"
        self.process = None
        self._argv = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.stop()

    @property
    def version(self):
        return (packages_directory() / self.package / "version").read_text().strip()

    @property
    def log(self):
        return self.directory / "output.log"

    def program(self, path):
        program = packages_directory() / self.package / path
        if not os.access(program, os.X_OK):
            raise LabError(f"server {self.name}: {program} is missing (scripts/deps lab)")
        return program

    def write(self, name, lines):
        path = self.directory / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self):
        """Starts it and returns when it listens for both families."""
        self.stop()
        if not self._argv:
            self.directory.chmod(0o755)
            self.pub.mkdir(parents=True)
            self.pub.chmod(0o777)
            self._argv = self._configure(self)
        with open(self.log, "a+b") as log:  # vsftpd complains on its standard input
            self.process = self.lab.popen(self.role, self._argv, stdin=log, stdout=log, stderr=log)
        wait_until(self._is_up, 10, f"{self.name} to listen on port {FTP_PORT} in {self.role}")
        return self

    def _is_up(self):
        """An IPv6 socket serves both families, unless there is an IPv4 one beside it."""
        if self.process.poll() is not None:
            raise LabError(f"{self.name} ended with status {self.process.returncode}: {self.log.read_text().strip()}")
        return is_listening(self.process.pid, FTP_PORT, 6)

    def stop(self):
        """Ends it by its pid. Its sessions end with their clients, or with the lab."""
        if self.process:
            end_process(self.process)
            self.process = None
