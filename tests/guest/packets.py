# SPDX-License-Identifier: GPL-2.0
"""
What the Python tests share: results in TAP, frames built from their fields,
network namespaces, and sockets that send and read whole frames.
"""
import ctypes
import functools
import ipaddress
import os
import select
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Optional

SIM = "/sys/kernel/debug/nft_offload_sim"
# Where tests/build put them.
MODULES = os.environ.get("NFTO_MODULES") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../build",
    os.uname().release)

ETH_IP, ETH_IP6, ETH_PPPOE = 0x0800, 0x86dd, 0x8864
VLAN, QINQ = 0x8100, 0x88a8
ICMP, TCP, UDP, ICMP6, GRE, SCTP = 1, 6, 17, 58, 47, 132
HOP_BY_HOP, ROUTING, FRAGMENT, DEST_OPTIONS = 0, 43, 44, 60
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))
DF, MF = 0x4000, 0x2000


# --- results ---

class Tap:
    """Prints results as lib.sh does."""

    def __init__(self):
        self.n = 0
        self.failed = False

    def result(self, text, problems=()):
        self.n += 1
        print(f"{'not ok' if problems else 'ok'} {self.n} - {text}")
        for problem in problems:
            self.failed = True
            for line in str(problem).splitlines():
                print(f"# {line}")
        sys.stdout.flush()

    def finish(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)


tap = Tap()


# --- frames, built from their fields ---

def checksum(data):
    """RFC 1071, of all the data at once."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


@functools.cache
def packed(address):
    return ipaddress.ip_address(address).packed


@functools.cache
def mac(text):
    return bytes.fromhex(text.replace(":", ""))


@dataclass(frozen=True)
class Packet:
    """A frame's fields; bytes() gives the frame."""
    dst: str = "02:00:00:00:00:01"
    src: str = "02:00:00:00:00:02"
    tags: tuple = ()			# (TPID, TCI), outermost first
    pppoe: Optional[int] = None		# session id
    pppoe_head: int = 0x1100		# version, type, code
    pppoe_length: Optional[int] = None	# instead of the right one
    ppp: Optional[int] = None		# likewise
    saddr: str = "10.1.0.2"
    daddr: str = "10.2.0.2"
    tos: int = 0
    ttl: int = 64
    ident: int = 0x1234
    frag: int = DF			# flags and offset
    label: int = 0xbeef			# IPv6's flow label
    options: bytes = b""		# IPv4
    ext: tuple = ()			# IPv6: (type, header with its first byte missing)
    proto: int = TCP
    sport: int = 1000
    dport: int = 2000
    flags: int = ACK
    seq: int = 0x01020304
    ack: int = 0x05060708
    reserved: int = 0			# the bits beside the data offset
    urgent: int = 0
    gre: bytes = b""			# its header
    tcp_options: bytes = b""
    icmp: tuple = (8, 0)		# type and code
    data: bytes = b"The quick brown fox jumps over."
    pad: bytes = b""			# behind the IP packet
    no_l4: bool = False			# data stands behind the IP header
    l4_check: Optional[int] = None	# instead of the right one
    ip_check: Optional[int] = None	# likewise
    udp_length: Optional[int] = None
    version: Optional[int] = None
    ihl: Optional[int] = None
    doff: Optional[int] = None
    length: Optional[int] = None

    def but(self, **fields):
        """As dataclasses.replace(), which takes most of a long test's time."""
        result = object.__new__(Packet)
        result.__dict__.update(self.__dict__, **fields)
        return result

    @property
    def is_v6(self):
        return ":" in self.saddr

    def addresses(self):
        return packed(self.saddr) + packed(self.daddr)

    def l4_header(self, check):
        if self.proto == TCP:
            doff = 5 + len(self.tcp_options) // 4
            if self.doff is not None:
                doff = self.doff
            return struct.pack("!HHIIBBHHH", self.sport, self.dport,
                               self.seq, self.ack, doff << 4 | self.reserved,
                               self.flags, 0x1000, check,
                               self.urgent) + self.tcp_options
        if self.proto == UDP:
            length = self.udp_length
            if length is None:
                length = 8 + len(self.data)
            return struct.pack("!HHHH", self.sport, self.dport, length, check)
        if self.proto == GRE:
            return self.gre
        if self.proto in (ICMP, ICMP6):
            return struct.pack("!BBHHH", *self.icmp, check, 7, 1)
        return b""

    def l4(self):
        if self.no_l4:
            return self.data
        check = self.l4_check
        if check is None:
            segment = self.l4_header(0) + self.data
            pseudo = b""
            if self.proto != ICMP:
                pseudo = self.addresses() + struct.pack("!II", len(segment),
                                                        self.proto)
            check = checksum(pseudo + segment)
            if self.proto == UDP and not check:
                check = 0xffff
        return self.l4_header(check) + self.data

    def ip4(self):
        l4 = self.l4()
        ihl = self.ihl if self.ihl is not None else 5 + len(self.options) // 4
        length = self.length
        if length is None:
            length = 20 + len(self.options) + len(l4)

        def header(check):
            version = 4 if self.version is None else self.version
            return struct.pack("!BBHHHBBH", version << 4 | ihl,
                               self.tos, length, self.ident, self.frag,
                               self.ttl, self.proto,
                               check) + self.addresses() + self.options

        check = self.ip_check
        if check is None:
            check = checksum(header(0))
        return header(check) + l4

    def ip6(self):
        payload, proto = self.l4(), self.proto
        for kind, header in reversed(self.ext):
            payload = bytes([proto]) + header + payload
            proto = kind
        length = self.length if self.length is not None else len(payload)
        version = 6 if self.version is None else self.version
        return struct.pack("!IHBB", version << 28 | self.tos << 20 | self.label,
                           length, proto,
                           self.ttl) + self.addresses() + payload

    def __bytes__(self):
        kind = ETH_IP6 if self.is_v6 else ETH_IP
        body = self.ip6() if self.is_v6 else self.ip4()
        if self.pppoe is not None:
            ppp = self.ppp
            if ppp is None:
                ppp = 0x57 if self.is_v6 else 0x21
            length = self.pppoe_length
            if length is None:
                length = 2 + len(body)
            body = struct.pack("!HHHH", self.pppoe_head, self.pppoe, length,
                               ppp) + body
            kind = ETH_PPPOE
        for tpid, tci in reversed(self.tags):
            body = struct.pack("!HH", tci, kind) + body
            kind = tpid
        return (mac(self.dst) + mac(self.src) + struct.pack("!H", kind) + body +
                self.pad)


TCP4 = Packet()
UDP4 = Packet(proto=UDP)
ICMP4 = Packet(proto=ICMP)
TCP6 = Packet(saddr="fd01::2", daddr="fd02::2")
UDP6 = TCP6.but(proto=UDP)
PING6 = TCP6.but(proto=ICMP6, icmp=(128, 0))


# --- network namespaces, netdevs, sockets ---

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE, SOL_PACKET, PACKET_AUXDATA = 33, 263, 8
PACKET_IGNORE_OUTGOING = 23
STATUS_VLAN_VALID, STATUS_TPID_VALID = 1 << 4, 1 << 6


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def enter(netns):
    with open(f"/run/netns/{netns}", encoding="ascii") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def ask_sim(name, text):
    """Writes to a file of the module; what it says on refusal is raised."""
    try:
        write(f"{SIM}/{name}", text)
    except OSError as e:
        with open(f"{SIM}/error", encoding="ascii") as f:
            raise RuntimeError(f"{name}: {text}: {e}: {f.read()}") from e


class PortSocket:
    """Sends to and reads from a netdev."""

    def __init__(self, netns, name):
        enter(netns)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(0x0003))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        # Otherwise a clone is sent, which the kernel treats differently.
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.sock.bind((name, 0x0003))
        self.sock.setblocking(False)
        enter("r")

    def send(self, frame):
        self.sock.send(frame)

    def read(self):
        """The next frame that came in, None when there is none."""
        try:
            frame, aux, _, _ = self.sock.recvmsg(65536, 256)
        except BlockingIOError:
            return None
        return self.with_tag(frame, aux)

    @staticmethod
    def with_tag(frame, aux):
        """The kernel takes the outer tag out of the frame: put it back."""
        for level, kind, data in aux:
            if level != SOL_PACKET or kind != PACKET_AUXDATA:
                continue
            status, tci, tpid = struct.unpack_from("=I12xHH", data)
            if status & STATUS_VLAN_VALID:
                if not status & STATUS_TPID_VALID:
                    tpid = VLAN
                return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        return frame

    def wait(self, deadline):
        select.select([self.sock], [], [], max(0, deadline - time.monotonic()))
