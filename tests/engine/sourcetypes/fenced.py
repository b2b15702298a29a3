"""Runs a server that listens on every interface inside a network of its own, reachable by a Unix socket only.

Started as `unshare -rn python fenced.py SOCKET PORT COMMAND…`; ends with its standard input.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress

SIOCSIFFLAGS = 0x8914
IFF_UP_AND_RUNNING = 0x41


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_AND_RUNNING))


def pump(source, target):
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def join(left, right):
    threading.Thread(target=pump, args=(left, right), daemon=True).start()
    threading.Thread(target=pump, args=(right, left), daemon=True).start()


def forward(listener, connect):
    """Lead every connection of `listener` to one that `connect` opens."""
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        try:
            join(accepted, connect())
        except OSError:
            accepted.close()


def main():
    path, port, *command = sys.argv[1:]
    raise_loopback()
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    connect = lambda: socket.create_connection(("127.0.0.1", int(port)))  # noqa: E731
    threading.Thread(target=forward, args=(listener, connect), daemon=True).start()
    sys.stdin.read()
    server.kill()
    server.wait()


if __name__ == "__main__":
    main()
