# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/demo shows: real transfers through a NAT router in network namespaces, and what was done for each.

Four transfers that break behind NAT, one for each message that announces a data connection. Each is tried twice: without a
helper, when it must fail, and with the daemon. Then the daemon's own log says what it rewrote and expected. At the end one more
transfer of the first kind, captured at the router's inside, is drawn by `nfq-ftp-helper explain`.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "tests" / "lab"))

from clients import CLIENTS, Get  # noqa: E402
from lab import Lab, LabError  # noqa: E402
from servers import Server  # noqa: E402

SIZE = 10 * 1024 * 1024
SMALL = 100 * 1000  # bytes of what is drawn
DRAWN = TREE / "build" / "demo"


@dataclasses.dataclass(frozen=True)
class Scene:
    topology: str
    mode: str
    family: int
    server: str
    client: str
    addresses: str
    story: str


SCENES = (
    Scene("masquerade", "PORT", 4, "vsftpd", "curl", "grow", "active FTP, the client behind masquerade; the text grows"),
    Scene("masquerade", "EPRT", 6, "pure-ftpd", "tnftp", "shrink", "active FTP over IPv6, likewise; the text shrinks"),
    Scene("dnat", "PASV", 4, "proftpd", "lftp", "grow", "passive FTP, the server behind DNAT"),
    Scene("dnat", "EPSV", 6, "vsftpd", "ftplib", "grow", "passive FTP over IPv6, likewise; a port only, no text changes"),
)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(lab, scene, timeout, name="file"):
    """Fetch it from pub: (why not or None, seconds, digest)."""
    target = lab.directory / "arrived"
    result = CLIENTS[scene.client].transfer(lab, scene.mode, scene.family, [Get(f"pub/{name}", str(target))], timeout=timeout)
    if not result.ok or not target.exists():
        return result.why(), result.seconds, None
    arrived = digest(target)
    target.unlink()
    return None, result.seconds, arrived


def what_it_did(log):
    """What the daemon's log says was rewritten and expected: pairs of a word and the rest."""
    for line in log.splitlines():
        match = re.match(r"nfq-ftp-helper: event=(expect|rewrite) (.*?)(?: client=.*)?$", line)
        if match:
            yield match.groups()


def draw(scene):
    """One more transfer, as a ladder: on the screen, and as files to open."""
    DRAWN.mkdir(parents=True, exist_ok=True)
    with Lab(scene.topology, addresses=scene.addresses, engine="daemon") as lab, Server(scene.server, lab) as server:
        (server.pub / "small").write_bytes(os.urandom(SMALL))
        capture = lab.capture("router", "inside", DRAWN / "transfer.pcap")
        why, _, _ = download(lab, scene, 15, "small")
        capture.stop()
        if why:
            raise LabError(f"the transfer that was to be drawn: {why}\n{lab.daemon_log.read_text()}")
        explain = [lab.binary, "explain", *(f"--nat={inside}={outside}" for inside, outside in lab.translations(scene.family))]
    print(f"\nOne more like {SCENES.index(scene) + 1}, of {SMALL} bytes, captured at the router's inside, as `nfq-ftp-helper explain' "
          "draws it:\n", flush=True)
    for how in ([], ["--format", "svg", "-o", "transfer.svg"], ["--format", "html", "-o", "transfer.html"]):
        subprocess.run([*explain, *how, "transfer.pcap"], cwd=DRAWN, check=True)
    print(f"\nThe same to open: {DRAWN.relative_to(TREE)}/transfer.html (a page) and transfer.svg (a picture), of transfer.pcap.")


def show(scene, number):
    print(f"\n{number}. {scene.mode}, IPv{scene.family}: {scene.story}")
    with Lab(scene.topology, addresses=scene.addresses) as lab, Server(scene.server, lab) as server:
        (server.pub / "file").write_bytes(os.urandom(1000))
        why, seconds, _ = download(lab, scene, 4)
        if not why:
            raise LabError("the transfer worked without a helper: this lab shows nothing")
        print(f"   without helper    {scene.client} gives up after {seconds:.3f} s")
    with Lab(scene.topology, addresses=scene.addresses, engine="daemon", daemon_args=["-v"]) as lab, \
            Server(scene.server, lab) as server:
        content = os.urandom(SIZE)
        (server.pub / "file").write_bytes(content)
        why, seconds, arrived = download(lab, scene, 15)
        lab.daemon_stop()
        if why:
            raise LabError(f"{scene.mode} with nfq-ftp-helper: {why}\n{lab.daemon_log.read_text()}")
        same = arrived == hashlib.sha256(content).hexdigest()
        print(f"   nfq-ftp-helper    {scene.client} fetches 10 MiB from {scene.server} {server.version} in {seconds:.3f} s")
        for word, rest in what_it_did(lab.daemon_log.read_text()):
            print(f"     {word:<15} {rest}")
        print(f"   sha256            {arrived[:32]}..., {'the same on both sides' if same else 'NOT what was sent'}")
        if not same:
            raise LabError(f"{scene.mode}: other bytes arrived")


def main():
    print("client -- router (NAT, forwards only what was asked for) -- server, each a network namespace")
    try:
        for number, scene in enumerate(SCENES, 1):
            show(scene, number)
        draw(SCENES[0])
    except (LabError, subprocess.CalledProcessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"\n{len(SCENES)} of {len(SCENES)} transfers that fail without a helper worked with nfq-ftp-helper.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
