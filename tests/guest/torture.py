#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What torture.sh needs and no tool has.

torture.py blast SEED FLOWS RATE HOLD NS:DEV:ROUTER_NS:ROUTER_DEV...
    UDP flows that come and go: raw packets on pairs of wires, both directions of
    FLOWS connections at a time, IPv4 and IPv6, RATE packets a second. Goes on
    when a device vanishes or changes; sends nothing while the file HOLD exists.

torture.py soak TCP_ADDRESS TCP_PORT UDP_ADDRESS UDP_PORT COUNT
    COUNT connections of each kind to an echo server, which never rest; what
    comes back is compared. For each line "check SECONDS" on standard input,
    prints "ok" when every connection had new data echoed within that time, or
    "bad REASON".

torture.py dump SEED HOLD RUN
    Reads all that the netlink family "nfto" has to say, and /proc, as long as
    the file RUN exists, but not while HOLD does; now and then it leaves a dump
    unfinished.

torture.py made NETNS
    Prints how many flows the module has made, at least: they are numbered.
"""
import collections
import ctypes
import fcntl
import os
import random
import select
import socket
import struct
import sys
import time
import zlib

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SIOCGIFHWADDR = 0x8927


def enter(netns=None):
    """Without a name, the one of init: who stays in a netns keeps it alive."""
    path = f"/run/netns/{netns}" if netns else "/proc/1/ns/net"
    with open(path, encoding="ascii") as file:
        if LIBC.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


# --- blast ---

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_packet(version, saddr, daddr, sport, dport):
    payload = b"torture " * 4
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    if version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64,
                           17, 0) + saddr + daddr
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return head + udp
    pseudo = saddr + daddr + struct.pack("!II", len(udp), 17)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xffff) + udp[8:]
    return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + saddr + daddr + udp


class Wire:
    """A raw socket on a device that may not be there."""

    def __init__(self, text):
        self.netns, self.dev, self.r_netns, self.r_dev = text.split(":")
        self.sock = None
        self.again = 0

    def open(self):
        if time.monotonic() < self.again:
            return
        self.again = time.monotonic() + 0.2
        try:
            enter(self.r_netns)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                request = self.r_dev.encode().ljust(40, b"\0")
                router = fcntl.ioctl(sock, SIOCGIFHWADDR, request)[18:24]
            enter(self.netns)
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sock.bind((self.dev, 0))
            own = sock.getsockname()[4]
            self.head = {4: router + own + b"\x08\x00",
                         6: router + own + b"\x86\xdd"}
            self.sock = sock
        except OSError:
            pass
        finally:
            enter()

    def send(self, version, packet):
        if not self.sock:
            self.open()
        if not self.sock:
            return
        try:
            self.sock.send(self.head[version] + packet)
        except OSError:
            self.sock.close()
            self.sock = None


class Flow:
    """Addresses behind both ends, which nobody has, so nobody answers."""

    def __init__(self, rng):
        self.version = 6 if rng.random() < 0.25 else 4
        if self.version == 4:
            ends = [bytes((10, net)) + rng.randbytes(2) for net in (11, 12)]
        else:
            ends = [bytes((0xfd, net)) + bytes(6) + rng.randbytes(8)
                    for net in (0x11, 0x12)]
        ports = [rng.randrange(1024, 65536) for _ in range(2)]
        self.packets = (udp_packet(self.version, *ends, *ports),
                        udp_packet(self.version, *ends[::-1], *ports[::-1]))


def peace(hold):
    """Waits until there is none; returns whether there was."""
    was = False
    while os.path.exists(hold):
        was = True
        time.sleep(0.1)
    return was


def blast(seed, flows, rate, hold, *texts):
    rng = random.Random(int(seed))
    wires = [Wire(text) for text in texts]
    windows = [collections.deque() for _ in range(len(wires) // 2)]
    count, began = 0, time.monotonic()
    while True:
        for number, window in enumerate(windows):
            for _ in range(10):
                # New ones until there are enough; then half of the time.
                times = 1
                if len(window) < int(flows) or rng.random() < 0.5:
                    window.append(Flow(rng))
                    times = 2
                if len(window) > int(flows):
                    window.popleft()
                flow = window[-1] if times == 2 else rng.choice(window)
                for _ in range(times):
                    for way in range(2):
                        wires[2 * number + way].send(flow.version,
                                                     flow.packets[way])
                        count += 1
        late = peace(hold)
        ahead = count / int(rate) - (time.monotonic() - began)
        if ahead > 0:
            time.sleep(ahead)
        elif late or ahead < -1:
            began = time.monotonic() - count / int(rate)


# --- soak ---

class Stream:
    """A TCP connection: what comes back is what was sent, byte by byte."""

    def __init__(self, address, port, rng):
        self.rng = rng
        self.sock = socket.create_connection((address, port), timeout=60)
        self.sock.setblocking(False)
        self.pending = b""
        self.done = 0

    def tick(self):
        if not self.pending:
            self.pending = self.rng.randbytes(2000)
            self.got = b""
            self.left = self.pending
        try:
            if self.left:
                self.left = self.left[self.sock.send(self.left):]
            part = self.sock.recv(65536)
            if not part:
                return "TCP: closed by the other side"
        except BlockingIOError:
            return None
        except OSError as error:
            return f"TCP: {error}"
        self.got += part
        if not self.pending.startswith(self.got):
            return "TCP: the echo differs"
        if len(self.got) == len(self.pending):
            self.pending = b""
            self.done += 1
        return None


class Datagrams:
    """UDP: some may be lost, but what comes is what was sent."""

    def __init__(self, address, port, rng):
        self.rng = rng
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect((address, port))
        self.done = 0

    def tick(self):
        data = self.rng.randbytes(200)
        try:
            self.sock.send(data + struct.pack("!I", zlib.crc32(data)))
        except OSError:
            pass    # no route, no device: for a moment
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return None
            if struct.unpack("!I", data[-4:])[0] != zlib.crc32(data[:-4]):
                return "UDP: the echo differs"
            self.done += 1


def soak(tcp_address, tcp_port, udp_address, udp_port, count):
    rng = random.Random(1)
    all_of_them = [Stream(tcp_address, int(tcp_port), rng)
                   for _ in range(int(count))]
    all_of_them += [Datagrams(udp_address, int(udp_port), rng)
                    for _ in range(int(count))]
    print("ready", flush=True)
    deadline, wanted, bad = None, [], None
    while True:
        for number, one in enumerate(all_of_them):
            reason = one.tick()
            bad = bad or (reason and f"{reason}, number {number}")
        if deadline:
            late = [number for number, one in enumerate(all_of_them)
                    if one.done < wanted[number]]
            if not late or bad or time.monotonic() > deadline:
                print(f"bad {bad}" if bad else
                      f"bad nothing new on {late}" if late else "ok", flush=True)
                deadline = None
        if select.select([sys.stdin], [], [], 0.1)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            deadline = time.monotonic() + int(line.split()[1])
            # The packet that is on its way already is not new.
            wanted = [one.done + 3 for one in all_of_them]


# --- dump ---

NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
GENL_ID_CTRL = 16
NFTO_CMD_FLOW_GET, NFTO_A_FLOW_ID = 4, 2


def request(sock, kind, command, flags, attrs=b""):
    sock.send(struct.pack("=IHHIIBBH", 20 + len(attrs), kind,
                          NLM_F_REQUEST | flags, 1, 0, command, 1, 0) + attrs)


def family_id(sock, name):
    data = name.encode() + b"\0"
    attr = struct.pack("=HH", 4 + len(data), 2) + data
    request(sock, GENL_ID_CTRL, 3, 0, attr + bytes(-len(attr) % 4))
    answer = sock.recv(65536)
    if struct.unpack("=H", answer[4:6])[0] == NLMSG_ERROR:
        return None
    at = 20
    while at < len(answer):
        size, kind = struct.unpack("=HH", answer[at:at + 4])
        if kind == 1:
            return struct.unpack("=H", answer[at + 4:at + 6])[0]
        at += (size + 3) & ~3
    return None


def largest_id(answer):
    """Of the flows in a message."""
    found, at = 0, 0
    while at + 20 <= len(answer):
        size, kind = struct.unpack_from("=IH", answer, at)
        end, attr = at + size, at + 20
        while kind > GENL_ID_CTRL and attr + 4 <= end:
            length, name = struct.unpack_from("=HH", answer, attr)
            if name == NFTO_A_FLOW_ID:
                found = max(found, *struct.unpack_from("=Q", answer, attr + 4))
            attr += (length + 3) & ~3
        at += (size + 3) & ~3
    return found


def dump_once(rng):
    """Returns the largest number of a flow."""
    largest = 0
    with open("/proc/net/nft_offload", encoding="ascii") as file:
        file.read()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as sock:
        sock.settimeout(60)
        family = family_id(sock, "nfto")
        if not family:
            return 0
        for command, flags in ((1, 0), (5, 0), (2, NLM_F_DUMP), (3, NLM_F_DUMP),
                               (6, NLM_F_DUMP), (NFTO_CMD_FLOW_GET, NLM_F_DUMP)):
            request(sock, family, command, flags)
            while True:
                answer = sock.recv(65536)
                kind = struct.unpack("=H", answer[4:6])[0]
                if command == NFTO_CMD_FLOW_GET:
                    largest = max(largest, largest_id(answer))
                if not flags or kind in (NLMSG_DONE, NLMSG_ERROR):
                    break
                # The module must not be held by a dump that nobody reads.
                if command == NFTO_CMD_FLOW_GET and rng and rng.random() < 0.1:
                    return largest
    return largest


def dump(seed, hold, run):
    rng = random.Random(int(seed))
    while os.path.exists(run):
        for netns in ("r", "x"):
            try:
                enter(netns)
            except OSError:
                continue    # it is not there, or not yet
            try:
                dump_once(rng)
            except FileNotFoundError:
                pass    # nor is the module
            finally:
                enter()
        peace(hold)
        time.sleep(0.1)


def made(netns):
    enter(netns)
    print(dump_once(None))


if __name__ == "__main__":
    {"blast": blast, "soak": soak, "dump": dump, "made": made}[sys.argv[1]](*sys.argv[2:])
