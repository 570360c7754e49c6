#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""How long the processor was busy while something went on.

meter.py [--send NETNS...] [--flush NETNS] [--since N] [--until N] [--every MS]
         [--least SECONDS] [--tail SECONDS]

Lets the packet generators of the network namespaces send, one after the other,
or flushes the connections of one; then waits until sim0 has N entries, until
SECONDS have passed since the beginning, and for the tail. Where there is a
--since, the beginning is when sim0 has so many. Prints "BUSY ELAPSED CALLBACKS"
in nanoseconds, the last being what sim0's callbacks took. Fails when the entries
do not come in time. It starts no program, for that costs as much as the
forwarding of a thousand packets.

Busy is what was not idle: time that has passed less /proc/timer_list's
idle_sleeptime, which the kernel adds up by the nanosecond whenever it leaves
idle, for an interrupt too. So it has interrupts, softirqs and kernel threads in
it, where /proc/stat counts in steps of 10 ms, and a task's run time knows of
tasks only. What the waiting itself runs is subtracted. The two readings cost
2 ms, which every figure has alike and the subtraction of one from another takes
away. While instructions are counted (tests/vm/run -i) the rest is exact.
"""
import argparse
import ctypes
import os
import socket
import struct
import sys
import time

ADAPTER = "/sys/kernel/debug/nft_offload_sim/sim0/adapter"
TIMEOUT = 600
NANO = 1000000000


def clocks():
    """The time and all processors' idle time, at the same moment."""
    now = idle = 0
    with open("/proc/timer_list", encoding="ascii") as file:
        for line in file:
            if line.startswith("now at "):
                now = int(line.split()[2])
            elif line.startswith("  .idle_sleeptime"):
                idle += int(line.split()[2])
    return now, idle


def enter(netns):
    with open(f"/run/netns/{netns}", encoding="ascii") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            sys.exit(f"meter: setns: {os.strerror(ctypes.get_errno())}")


def send(netns):
    enter(netns)
    with open("/proc/net/pktgen/pgctrl", "w", encoding="ascii") as file:
        file.write("start\n")


def flush(netns):
    """IPCTNL_MSG_CT_DELETE of no connection in particular, with an answer."""
    enter(netns)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:
        sock.send(struct.pack("=LHHLLBBH", 20, 0x102, 5, 1, 0, 0, 0, 0))
        error = struct.unpack_from("=i", sock.recv(4096), 16)[0]
        if error:
            sys.exit(f"meter: flush: {os.strerror(-error)}")


def adapter(fd, name):
    return int(os.pread(fd, 4096, 0).split(b"\n%s=" % name)[1].split()[0])


def wait_entries(fd, wanted, pause):
    end = time.monotonic() + TIMEOUT
    while adapter(fd, b"entries") != wanted:
        if time.monotonic() > end:
            sys.exit(f"meter: not {wanted} entries within {TIMEOUT} s")
        time.sleep(pause)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--send", nargs="+", default=[])
    parser.add_argument("--flush")
    parser.add_argument("--since", type=int)
    parser.add_argument("--until", type=int)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--tail", type=float, default=0)
    args = parser.parse_args()

    fd = os.open(ADAPTER, os.O_RDONLY)
    callbacks = adapter(fd, b"callback_ns")
    began, idle_before = clocks()
    for netns in args.send:
        send(netns)
    if args.flush:
        flush(args.flush)
    if args.since is not None:
        wait_entries(fd, args.since, args.every / 1000)
        callbacks = adapter(fd, b"callback_ns")
        began, idle_before = clocks()
    own = time.thread_time_ns()
    if args.until is not None:
        wait_entries(fd, args.until, args.every / 1000)
    time.sleep(max(0, args.least - (time.monotonic_ns() - began) / NANO))
    time.sleep(args.tail)
    own = time.thread_time_ns() - own
    ended, idle = clocks()
    elapsed = ended - began
    callbacks = adapter(fd, b"callback_ns") - callbacks
    print(elapsed - (idle - idle_before) - own, elapsed, callbacks)


if __name__ == "__main__":
    main()
