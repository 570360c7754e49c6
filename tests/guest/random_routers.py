# SPDX-License-Identifier: GPL-2.0
"""The routers of random_world.py, and connections through them."""
import select
import socket
import struct
import subprocess
import time

from netlink import shell
from packets import (ACK, FIN, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, PSH,
                     RST, SO_RCVBUFFORCE, SOL_PACKET, SYN, TCP, UDP, VLAN,
                     Packet, PortSocket)
from genl import Netns
from seen_world import (MAGIC, address_of, address_text, ip_at, is_error,
                        mac_text, nft, number_of, sysctl, tags_of)

DEVICES = ("lan", "wan", "wan2", "sw", "sw2")
MACS = {dev: f"02:00:00:00:10:0{n}" for n, dev in enumerate(DEVICES)}
MACS["br0"] = "02:00:00:00:10:0b"
CLIENTS = 6
# Those of lan and of the bridge: address, IPv6 address, device, Ethernet address.
HOSTS = [(f"10.{net}.0.{host}", f"fd0{net}::{host}", dev,
          f"02:00:00:00:2{net}:0{host}")
         for net, dev in ((1, "lan"), (5, "br0.7")) for host in (2, 3, 4)]
GATEWAYS = {"b": ("10.2.0.2", "fd02::2", "wan", "02:00:00:00:22:02"),
            "g": ("10.2.0.3", "fd02::3", "wan", "02:00:00:00:22:03"),
            "c": ("10.3.0.2", "fd03::2", "wan2", "02:00:00:00:23:02")}
NETS = 6

RULES = """
table inet t {
	%s
	chain early { type filter hook forward priority -10; policy accept; }
	chain forward {
		type filter hook forward priority 0; policy accept
		meta l4proto { tcp, udp } flow add @ft
	}
	chain late { type filter hook forward priority 10; policy accept; }
	chain pre { type filter hook prerouting priority -150; policy accept; }
	chain post { type filter hook postrouting priority 0; policy accept; }
}
table inet n {
	chain post { type nat hook postrouting priority 100; policy accept; }
	chain pre { type nat hook prerouting priority -100; policy accept; }
}
table inet watch {
	counter slow { }
	chain post {
		type filter hook postrouting priority 300; policy accept
		meta l4proto { tcp, udp } counter name slow
	}
	# What a router says by itself, of packets that it does not forward, would
	# end connections in those only that got such a packet.
	chain own {
		type filter hook output priority -300; policy accept
		tcp flags rst drop
		meta l4proto icmp drop
		icmpv6 type { destination-unreachable, packet-too-big } drop
		icmpv6 type time-exceeded drop
	}
}
"""
FLOWTABLE = """flowtable ft {
		hook ingress priority 0
		devices = { lan, wan, wan2, sw, sw2 }
		counter
		%s
	}"""
TIMEOUTS = ("udp_timeout", "udp_timeout_stream", "tcp_timeout_syn_sent",
            "tcp_timeout_syn_recv", "tcp_timeout_fin_wait",
            "tcp_timeout_close_wait", "tcp_timeout_last_ack",
            "tcp_timeout_time_wait", "tcp_timeout_close")


class Router:
    """One of them: namespaces rN and eN, which has the wires."""

    def __init__(self, n, way):
        self.way = way
        self.name = f"{way} ({n})"
        self.netns, self.ends_ns, self.sim = f"r{n}", f"e{n}", f"sim{n}"
        self.ends, self.got = {}, {}

    def up(self):
        wires = ",".join(f"{dev}w" for dev in DEVICES)
        shell(f"""set -e
            ip netns add {self.netns}; ip netns add {self.ends_ns}
            nsenter --net=/run/netns/{self.netns} bash -c 'echo {self.sim} \\
                profile=mlx5-rep ports={len(DEVICES)} \\
                host={','.join(DEVICES)} wire={wires} >'$SIM/new_adapter""")
        sysctl(self.ends_ns, ipv6__conf__default__disable_ipv6=1,
               ipv6__conf__all__disable_ipv6=1)
        sysctl(self.netns, ipv6__conf__default__accept_dad=0,
               ipv6__conf__all__accept_dad=0, ipv4__conf__all__rp_filter=0,
               ipv4__conf__default__rp_filter=0,
               ipv6__conf__all__keep_addr_on_down=1,
               ipv6__conf__default__keep_addr_on_down=1,
               ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        for dev in DEVICES:
            sysctl(self.netns, **{f"ipv4__conf__{dev}__rp_filter": 0,
                                  f"ipv6__conf__{dev}__keep_addr_on_down": 1})
        self.run("ip", [f"link set {dev}w netns {self.ends_ns}"
                        for dev in DEVICES])
        subprocess.run(["ip", "-n", self.ends_ns, "-b", "-"], check=True,
                       text=True, input="\n".join(
                           f"link set {dev}w arp off up" for dev in DEVICES))
        flags = {"hardware": "flags offload", "software": ""}.get(self.way)
        self.commands_of_nft(RULES % (
            FLOWTABLE % flags if flags is not None else ""))
        sysctl(self.netns, netfilter__nf_conntrack_tcp_be_liberal=1,
               netfilter__nf_flowtable_udp_timeout=5,
               **{f"netfilter__nf_conntrack_{name}": 3600
                  for name in TIMEOUTS})
        with Netns(self.ends_ns):
            self.ends = {dev: End(f"{dev}w") for dev in DEVICES}

    def down(self):
        for end in self.ends.values():
            end.sock.close()
        shell(f"""in_ns {self.netns} nft flush ruleset
            sim_del {self.sim}
            ip netns del {self.netns}; ip netns del {self.ends_ns}""",
              check=False)

    # --- what happens ---

    def do(self, commands):
        """(program, ...) each; those in a row of a program are one process."""
        batch = []
        for command in [*commands, ("",)]:
            if batch and batch[0][0] != command[0]:
                self.perform(batch)
                batch = []
            batch.append(command)

    def perform(self, batch):
        program = batch[0][0]
        if program in ("ip", "ip6", "bridge"):
            self.run(program, [line for _, line in batch])
        elif program == "sysctl":
            for _, name, value in batch:
                sysctl(self.netns, **{name: value})
        elif program == "nft":
            self.commands_of_nft("\n".join(text for _, text in batch))
        elif program == "conntrack":
            for _, line in batch:
                subprocess.run(
                    ["nsenter", f"--net=/run/netns/{self.netns}", "conntrack",
                     *line.split()], check=False, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)

    def run(self, program, lines):
        words = {"ip": ["ip"], "ip6": ["ip", "-6"], "bridge": ["bridge"]}
        subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.netns}", *words[program],
             "-force", "-b", "-"], text=True, input="\n".join(lines) + "\n",
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def commands_of_nft(self, text):
        if self.way == "classic":
            text = "\n".join(line for line in text.splitlines()
                             if "flow add" not in line)
        nft(text, self.netns)

    # --- packets ---

    def send(self, port, frame):
        self.ends[port].sock.send(frame)

    def read(self, port):
        end = self.ends[port]
        while (frame := end.read()) is not None:
            number = number_of(frame)
            at = ip_at(frame)
            if number is None or at is not None and is_error(frame, at):
                continue
            self.got.setdefault(number, []).append((port, frame))

    def fate(self, number):
        return sorted(self.got.get(number, ()))

    def carried(self):
        """(by the slow path, came out)"""
        listed = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.netns}", "nft", "list",
             "counters", "table", "inet", "watch"], text=True, check=False,
            stdout=subprocess.PIPE).stdout.split()
        slow = int(listed[listed.index("packets") + 1]) \
            if "packets" in listed else 0
        return slow, len(self.got)


class End(PortSocket):
    """As that is, in the netns where we are."""

    def __init__(self, name):	# pylint: disable=super-init-not-called
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(0x0003))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.sock.bind((name, 0x0003))
        self.sock.setblocking(False)


def drain(routers, quiet):
    """Until nothing has come for so long."""
    socks = {end.sock: (router, port) for router in routers
             for port, end in router.ends.items()}
    end = time.monotonic() + quiet
    while (left := end - time.monotonic()) > 0:
        for sock in select.select(list(socks), [], [], left)[0]:
            router, port = socks[sock]
            router.read(port)
            end = time.monotonic() + quiet


class Conn:
    """UDP, or what looks like TCP."""

    ports = iter(range(6000, 60000))

    def __init__(self, rng, n):
        self.n = n
        self.begin(rng)

    def __str__(self):
        return f"{('UDP', 'TCP')[self.proto == TCP]} {self.saddr}:" \
            f"{self.sport} -> {self.daddr}:5000"

    def begin(self, rng, same=False):
        if not same:
            self.sport = next(self.ports)
            self.v6 = rng.random() < 0.4
            self.proto = rng.choice((UDP, TCP))
            self.host = rng.randrange(CLIENTS)
            self.saddr = HOSTS[self.host][self.v6]
            net, last = rng.randrange(NETS), rng.randrange(1, 9)
            self.daddr = f"fd08:{net}::{last}" if self.v6 else \
                f"10.8.{net}.{last}"
        self.peer = None	# port, source's Ethernet address, address, port
        self.stage = 0		# TCP: of SYN, SYN ACK, ACK; then it is open
        self.seq = {orig: rng.randrange(1 << 31) for orig in (True, False)}
        self.over = False
        self.pending = None
        self.last = None

    def renew(self, rng):
        """Now and then a connection ends and another one begins."""
        if self.over or rng.random() < 0.06:
            self.begin(rng, self.over and rng.random() < 0.3)

    def next(self, rng, number, world):
        """What is sent next: port, frame, what it is; None if it is nothing."""
        if self.over:
            self.begin(rng, rng.random() < 0.3)
        flags, size = PSH | ACK, 1350 if rng.random() < 0.07 else 16
        orig = self.peer is None or rng.random() < 0.5
        if self.proto == TCP:
            if self.stage < 3:
                orig, flags = ((True, SYN), (False, SYN | ACK),
                               (True, ACK))[self.stage]
            elif rng.random() < 0.03:
                flags = rng.choice((RST | ACK, FIN | ACK))
        if not orig and not self.peer:
            return None
        data = MAGIC + struct.pack("!I", number) + b"." * size
        packet = Packet(
            proto=self.proto, seq=self.seq[orig] & 0xffffffff,
            ack=0 if flags == SYN else self.seq[not orig] & 0xffffffff,
            flags=flags, data=data, ttl=rng.choice((64, 64, 64, 9)),
            tos=0)
        if orig:
            port = world.where[self.host]
            tags = ((VLAN, 7),) if port != "lan" and \
                rng.random() < world.tagged else ()
            packet = packet.but(
                dst=world.macs["lan" if port == "lan" else "br0"],
                src=HOSTS[self.host][3], tags=tags, saddr=self.saddr,
                daddr=self.daddr, sport=self.sport, dport=5000)
        else:
            port, source, address, sport, daddr, dport = self.peer
            packet = packet.but(
                dst=world.macs[port], src=source, saddr=daddr, daddr=address,
                sport=dport, dport=sport)
        self.pending = number, orig, flags, len(data)
        return port, bytes(packet), ("answer", "packet")[orig] + \
            (f", TCP flags {flags:#x}" if self.proto == TCP else "")

    def learn(self, number, arrivals):
        """What became of a packet where no flowtable is."""
        if not self.pending or self.pending[0] != number or not arrivals:
            return
        _, orig, flags, size = self.pending
        self.pending = None
        if orig:
            port, frame = arrivals[0]
            at = ip_at(frame)
            if at is None or tags_of(frame) or port not in ("wan", "wan2"):
                return
            l4 = at + (40 if self.v6 else 20)
            self.peer = (port, mac_text(frame[:6]),
                         address_text(address_of(frame, at, "src")),
                         int.from_bytes(frame[l4:l4 + 2], "big"),
                         address_text(address_of(frame, at, "dst")),
                         int.from_bytes(frame[l4 + 2:l4 + 4], "big"))
        if self.proto == TCP:
            self.seq[orig] += size + bool(flags & (SYN | FIN))
            if self.stage < 3:
                self.stage += 1
            elif flags & (RST | FIN):
                self.over = True
