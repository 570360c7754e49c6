#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One end of a PPPoE session (RFC 2516), without discovery and negotiation.

pppoe.py DEVICE REMOTE_MAC SESSION

Binds a session of the kernel's PPPoE on DEVICE to a new ppp netdev, prints its
name and holds it until killed. Both ends are told MAC and session number, so
nothing has to be found out; the addresses are for the caller to set.
"""
import ctypes
import fcntl
import signal
import socket
import struct
import sys

AF_PPPOX = 24
PX_PROTO_OE = 0
# linux/ppp-ioctl.h
PPPIOCGCHAN = 0x80047437
PPPIOCATTCHAN = 0x40047438
PPPIOCCONNECT = 0x4004743A
PPPIOCNEWUNIT = 0xC004743E


def connect(device, remote, session):
    """A socket bound to the session: struct sockaddr_pppox is packed."""
    sock = socket.socket(AF_PPPOX, socket.SOCK_STREAM, PX_PROTO_OE)
    address = struct.pack("=HI", AF_PPPOX, PX_PROTO_OE)
    address += struct.pack("!H", session)
    address += bytes.fromhex(remote.replace(":", ""))
    address += device.encode().ljust(16, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), "connect to the PPPoE session")
    return sock


def call(fd, request, number):
    value = fcntl.ioctl(fd, request, struct.pack("i", number))
    return struct.unpack("i", value)[0]


def main():
    device, remote, session = sys.argv[1:]
    sock = connect(device, remote, int(session))
    with open("/dev/ppp", "rb+", buffering=0) as channel, \
            open("/dev/ppp", "rb+", buffering=0) as unit:
        call(channel, PPPIOCATTCHAN, call(sock.fileno(), PPPIOCGCHAN, 0))
        number = call(unit, PPPIOCNEWUNIT, -1)
        call(channel, PPPIOCCONNECT, number)
        print(f"ppp{number}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
