"""Hosts with networks of their own, joined by a switch from which nothing leads out of this machine.

Each is a network namespace; so is the switch. The test itself stays outside: what it talks to is led to it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from tests.engine.sourcetypes import fenced
from tests.needed import lacking

T = TypeVar("T")

_SUBNET: Final = "10.99.0"
_CLONE_NEWNET: Final = 0x40000000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass(frozen=True)
class Place:
    """One host's network."""

    namespace: str
    address: str
    plug: str
    switch: str

    @property
    def prefix(self) -> list[str]:
        """What is written before a command to have it run there."""
        return ["nsenter", f"--net={self.path}"]

    @property
    def path(self) -> Path:
        return Path("/run/netns", self.namespace)

    def cut(self) -> None:
        """Pull the plug: nothing arrives any more, and nobody is told."""
        ip("-n", self.switch, "link", "set", self.plug, "down")

    def mend(self) -> None:
        ip("-n", self.switch, "link", "set", self.plug, "up")

    def inside(self, action: Callable[[], T]) -> T:
        """What `action` returns, called in a thread that is in this network; sockets made there stay there."""

        def enter() -> T:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                assert _LIBC.setns(descriptor, _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            finally:
                os.close(descriptor)
            return action()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()

    def connect(self, address: str, port: int) -> socket.socket:
        """A connection from this host to another."""
        made = self.inside(lambda: socket.create_connection((address, port), timeout=10))
        made.settimeout(None)
        return made


@dataclass
class Network:
    """The switch, and who is plugged into it."""

    name: str = field(default_factory=lambda: f"so-{uuid4().hex[:6]}")
    places: list[Place] = field(default_factory=list)
    doors: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Network:
        demand_namespaces()
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "add", "switch", "type", "bridge")
        ip("-n", self.name, "link", "set", "switch", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for door in self.doors:
            door.close()
        for namespace in (*(place.namespace for place in self.places), self.name):
            ip("netns", "delete", namespace)

    def add(self) -> Place:
        """One more host."""
        number = len(self.places) + 1
        place = Place(f"{self.name}-{number}", f"{_SUBNET}.{number}", f"plug{number}", self.name)
        self.places.append(place)
        there = ("-n", place.namespace)
        ip("netns", "add", place.namespace)
        ip("-n", self.name, *f"link add {place.plug} type veth peer name eth0 netns {place.namespace}".split())
        ip("-n", self.name, "link", "set", place.plug, "master", "switch", "up")
        ip(*there, "addr", "add", f"{place.address}/24", "dev", "eth0")
        ip(*there, "link", "set", "eth0", "up")
        ip(*there, "link", "set", "lo", "up")
        return place

    def lead_in(self, source: Place, target: Place, port: int) -> int:
        """A port of this machine's loopback from which connections go on from `source` to a port of `target`."""
        door = socket.create_server(("127.0.0.1", 0))
        self._lead(door, lambda: source.connect(target.address, port))
        return int(door.getsockname()[1])

    def lead_out(self, place: Place, local_port: int) -> int:
        """A port of `place` from which connections go on to one of this machine's loopback."""
        door = place.inside(lambda: socket.create_server((place.address, 0)))
        self._lead(door, lambda: socket.create_connection(("127.0.0.1", local_port)))
        return int(door.getsockname()[1])

    def _lead(self, door: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self.doors.append(door)
        threading.Thread(target=fenced.forward, args=(door, connect), daemon=True).start()


def demand_namespaces() -> None:
    """Skip the test, or fail, where there can be none."""
    if os.geteuid() != 0:
        lacking("needs root: each host has a network of its own")
    if shutil.which("ip") is None or shutil.which("nsenter") is None:
        lacking("needs ip and nsenter: apt-get install iproute2 util-linux")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        lacking("needs a machine that allows network namespaces")
