# SPDX-License-Identifier: GPL-2.0
"""
A router with flows in hardware, traffic through them, and what becomes of each
packet while something happens: for scripts that compare the kernel's path with
nft_offload.ko.

    a --lanw|lan  r  wan|wanw-- b   gateway 10.2.0.2
                     |          \\-- g   gateway 10.2.0.3, on the same wire
                     |          VLAN 5    gateway 10.4.0.2, in b, called v
                     wan2|wan2w-- c   gateway 10.3.0.2

The hosts are beyond the gateways and do not exist: their packets are made here,
and taken from the wires. So many flows are affected by what happens, the others
must not be.
"""
import array
import multiprocessing
import os
import re
import socket
import struct
import subprocess
import time

from genl import Netns
from netlink import SIM, mac_of, poll, read, shell, tap
from packets import ACK, PSH, SYN, TCP, UDP, Packet

IN_R = ("nsenter", "--net=/run/netns/r")
MAGIC = b"nfto"
MARK = len(MAGIC) + 12
SO_RCVBUFFORCE = 33
WIRES = {"lanw": "a", "wanw": "b", "wan2w": "c"}
GATEWAYS = {"b": ("10.2.0.2", "fd02::2"), "g": ("10.2.0.3", "fd02::3"),
            "c": ("10.3.0.2", "fd03::2"), "v": ("10.4.0.2", None)}

RULES = """
table inet t {
	flowtable ft {
		hook ingress priority 0
		devices = { lan, wan, wan2 }
		flags offload
		counter
	}
	chain forward {
		type filter hook forward priority 0; policy accept
		%s
		meta l4proto { tcp, udp } flow add @ft
	}
}
"""


class Flow:
    """A connection: to a host of 10.8.0.0/16 if it is affected, or of
    10.9.0.0/16; of fd08::/32 or fd09::/32."""

    def __init__(self, index, affected, v6, proto):
        self.index = index
        self.affected = affected
        self.proto = proto
        self.initial = {True: 1000, False: 2000}	# TCP: by client, server
        self.sport = 6000 + index % 50000
        if v6:
            self.saddr = "fd01::2"
            self.daddr = f"fd0{8 if affected else 9}::{index:x}"
        else:
            self.saddr = "10.1.0.2"
            # More flows than addresses: the source port tells them apart.
            host = index % 65536
            self.daddr = f"10.{8 if affected else 9}.{host >> 8}.{host & 255}"

    def frame(self, client, dst, src, flags=None, size=16, to=None):
        """Of the client, or of the server to this address. With flags: TCP
        without data."""
        mark = MAGIC + struct.pack("!III", self.index, 0, 0xffffffff)
        if self.proto == UDP and ":" not in self.daddr:
            return self.datagram(client, dst, src, b"." * size + mark, to)
        packet = Packet(
            dst=dst, src=src, saddr=self.saddr, daddr=self.daddr,
            proto=self.proto, sport=self.sport, dport=5000,
            seq=self.initial[client] + (flags is None or not flags & SYN),
            ack=self.initial[not client] + 1, flags=flags or PSH | ACK,
            data=b"" if flags else b"." * size + mark)
        if not client:
            packet = packet.but(saddr=packet.daddr, daddr=to,
                                sport=packet.dport, dport=packet.sport)
        return bytearray(bytes(packet))

    def datagram(self, client, dst, src, data, to):
        """The same for UDP and IPv4, in a hundredth of the time."""
        saddr, daddr, sport, dport = self.saddr, self.daddr, self.sport, 5000
        if not client:
            saddr, daddr, sport, dport = daddr, to, dport, sport
        addresses = socket.inet_aton(saddr) + socket.inet_aton(daddr)
        size = 8 + len(data)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, UDP, 0)
        ports = struct.pack("!HHH", sport, dport, size)
        pseudo = addresses + struct.pack("!HH", UDP, size) + ports + data
        return bytearray(
            bytes.fromhex((dst + src).replace(":", "")) + b"\x08\0" + ip[:10] +
            checksum(ip + addresses) + addresses + ports +
            (checksum(pseudo) if checksum(pseudo) != b"\0\0" else b"\xff\xff") +
            data)


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", total ^ 0xffff)


def raw_socket(netns, device):
    with Netns(netns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(0x0003))
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        sock.bind((device, 0x0003))
    return sock


def send_loop(frames, sent, stop, result, gap):
    """One frame after the other, each with its number, and for the checksum's
    sake its complement."""
    sock = raw_socket("a", "lanw")
    times = array.array("d")
    while not stop.is_set():
        number = len(times)
        frame = frames[number % len(frames)]
        struct.pack_into("!II", frame, len(frame) - 8, number,
                         number ^ 0xffffffff)
        times.append(time.monotonic())
        sock.send(frame)
        sent.value = number + 1
        time.sleep(gap)
    result.send(times)


def watch_loop(wire, ready, stop, result):
    """What came: number, index of the flow, and what World.place() has."""
    sock = raw_socket(WIRES[wire], wire)
    sock.settimeout(0.2)
    ready.set()
    seen, errors, quiet = [], [], False
    while not (stop.is_set() and quiet):
        try:
            frame, where = sock.recvfrom(2048)
        except TimeoutError:
            quiet = True
            continue
        quiet = False
        if where[2] == socket.PACKET_OUTGOING:
            continue
        if frame[12:14] == b"\x08\0" and frame[23] == 1:
            # An ICMP error contains the packet.
            if frame[34] == 3:
                errors.append(frame[35])
        elif frame[-MARK:-12] == MAGIC:
            index, number, _ = struct.unpack("!III", frame[-12:])
            v6 = frame[12:14] == b"\x86\xdd"
            seen.append((number, index, frame[:6].hex(":"),
                         frame[6:12].hex(":"), socket.inet_ntop(
                             socket.AF_INET6 if v6 else socket.AF_INET,
                             frame[22:38] if v6 else frame[26:30])))
    result.send((seen, errors))


class Traffic:
    """Packets of some flows, all the time, and where they arrive. One end of
    it is: with ... as traffic, so that nothing is left running."""

    def __init__(self, world, flows, gap, size=16):
        lan, wire = mac_of("r", "lan"), mac_of("a", "lanw")
        self.flows = flows
        self.sent = multiprocessing.Value("Q", 0, lock=False)
        self.stop_sending = multiprocessing.Event()
        self.stop_watching = multiprocessing.Event()
        self.event = None		# when, and after how many packets
        self.children = []
        self.watchers = {}
        for name in WIRES:
            ready = multiprocessing.Event()
            self.watchers[name] = self.child(watch_loop, name, ready,
                                             self.stop_watching)
            ready.wait()
        self.sender = self.child(
            send_loop, [flow.frame(True, lan, wire,
                                   size=size if flow.affected else 16)
                        for flow in flows],
            self.sent, self.stop_sending, last=gap)
        self.world = world
        self.times = self.where = self.errors = None

    def child(self, function, *args, last=None):
        ours, theirs = multiprocessing.Pipe(False)
        args += (theirs,) if last is None else (theirs, last)
        child = multiprocessing.Process(target=function, args=args)
        child.start()
        self.children.append(child)
        return ours

    def __enter__(self):
        return self

    def more(self, count):
        """Until so many more packets have been sent."""
        until = self.sent.value + count
        while self.sent.value < until:
            time.sleep(0.01)

    def happens(self, *words, text=""):
        """Now: this command is run, which reads the text."""
        self.event = time.monotonic()
        got = subprocess.run(words, text=True, check=False, input=text,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if got.returncode:
            raise RuntimeError(f"{words}: {got.returncode}: {got.stdout}")

    def __exit__(self, *_):
        self.stop_sending.set()
        self.times = self.sender.recv()
        self.stop_watching.set()
        self.where, self.errors = {}, []
        for name, pipe in self.watchers.items():
            seen, errors = pipe.recv()
            self.errors += errors
            for number, _, *how in seen:
                self.where.setdefault(number, []).append((name, *how))
        for child in self.children:
            child.join()

    def judge(self, right):
        """Of each packet: (number, time, flow, where it came). right(flow)
        says where it has to, see World.place(), or None for nowhere."""
        bad = []
        for number, when in enumerate(self.times):
            flow = self.flows[number % len(self.flows)]
            wanted = right(flow)
            got = self.where.get(number, [])
            if got != ([wanted] if wanted else []):
                bad.append((number, when, flow, got))
        return bad


class World:
    """One line of the comparison: topology, flows, what is said of them."""

    def __init__(self, path, line, flows, affected):
        self.path = path
        self.line = line
        self.n, self.k = flows, affected
        self.flows = []
        self.v6 = False
        self.via = self.others = "b"
        self.bridge = self.nat = None

    # --- what is there ---

    def up(self, via="b", others="b", profile="mlx5-rep", v6=False, proto=UDP):
        """The topology; by which gateway affected and other flows go."""
        self.v6, self.via, self.others = v6, via, others
        # nf_conntrack_udp_timeout: while it waits for a file of the host, a guest
        # that counts instructions has its clock run, for minutes even. Between a
        # packet and its answer, 30 s of that turned the connection around.
        shell(f"""set -e
            sysctl -qw net.netfilter.nf_conntrack_max=262144
            for ns in a r b g c; do ip netns add $ns; ip -n $ns link set lo up
                in_ns $ns sysctl -qw net.ipv6.conf.default.accept_dad=0 \\
                    net.ipv6.conf.all.accept_dad=0
            done
            sim_make sim0 profile={profile} ports=3 host=lan,wan,wan2 \\
                wire=lanw,wanw,wan2w
            for dev in lan wan wan2; do ip link set $dev netns r; done
            ip link set lanw netns a; ip link set wanw netns b
            ip link set wan2w netns c
            ip -n b link set wanw up; ip -n c link set wan2w up
            ip -n a link set lanw up
            ip -n b link add gw2 link wanw type macvlan mode bridge
            ip -n b link set gw2 netns g; ip -n g link set gw2 up
            in_ns r sysctl -qw net.ipv4.ip_forward=1 \\
                net.ipv6.conf.all.forwarding=1 \\
                net.ipv4.icmp_ratelimit=0 \\
                net.netfilter.nf_conntrack_udp_timeout=3600 \\
                net.netfilter.nf_flowtable_udp_timeout=600 \\
                net.netfilter.nf_flowtable_tcp_timeout=600
            for dev in lan wan wan2; do ip -n r link set $dev up; done
            n=1; for dev in lan wan wan2; do
                ip -n r addr add 10.$n.0.1/24 dev $dev
                ip -n r addr add fd0$n::1/64 dev $dev nodad; n=$((n + 1))
            done
            ip -n a addr add 10.1.0.2/24 dev lanw
            ip -n a addr add fd01::2/64 dev lanw nodad
            ip -n b addr add 10.2.0.2/24 dev wanw
            ip -n b addr add fd02::2/64 dev wanw nodad
            ip -n g addr add 10.2.0.3/24 dev gw2
            ip -n g addr add fd02::3/64 dev gw2 nodad
            ip -n c addr add 10.3.0.2/24 dev wan2w
            ip -n c addr add fd03::2/64 dev wan2w nodad
            ip -n b link add wanw.5 link wanw type vlan id 5
            ip -n r link add wan.5 link wan type vlan id 5
            ip -n b link set wanw.5 up; ip -n r link set wan.5 up
            ip -n r addr add 10.4.0.1/24 dev wan.5
            ip -n b addr add 10.4.0.2/24 dev wanw.5
            poll 20 in_ns a ping -qc1 -W1 10.1.0.1""")
        if 4 * self.n > 65536:	# mlx5-rep's own
            shell(f"knob capacity {4 * self.n}")
        for prefix, gateway in (("9", others), ("8", via)):
            address = GATEWAYS[gateway][v6]
            net = f"fd0{prefix}::/32" if v6 else f"10.{prefix}.0.0/16"
            shell(f"ip -n r route add {net} via {address} metric 100 && "
                  f"poll 20 in_ns r ping -qc1 -W1 {address}")
        self.flows = [Flow(i, i < self.k, v6, proto) for i in range(self.n)]
        self.rules()

    def rules(self, text=""):
        with open("/run/world.nft", "w", encoding="ascii") as file:
            file.write(RULES % text)
        shell("in_ns r nft flush ruleset; in_ns r nft -f /run/world.nft")
        if self.nat:
            shell(f"""in_ns r nft -f - <<<'table ip nat {{ chain c {{
                type nat hook postrouting priority srcnat;
                oifname wan snat to {self.nat}; }}; }}'""")
        shell("""in_ns r nft -f - <<<'table netdev watch { chain c {
            type filter hook ingress device lan priority -500;
            udp dport 5000 counter; }; }'""")

    def down(self):
        shell("""pids=$(for ns in a r b g c; do ip netns pids $ns; done)
            [[ -z $pids ]] || kill $pids; in_ns r nft flush ruleset
            ip -n g link del gw2; sim_del sim0
            for ns in a r b g c; do ip netns del $ns; done""", check=False)

    def gateway_mac(self, gateway):
        return mac_of(*{"b": ("b", "wanw"), "g": ("g", "gw2"),
                        "c": ("c", "wan2w"), "v": ("b", "wanw.5")}[gateway])

    def place(self, gateway):
        """Where packets by this gateway arrive: wire, Ethernet destination
        and source, IP source."""
        device = self.bridge or {"c": "wan2", "v": "wan.5"}.get(gateway, "wan")
        return ("wan2w" if gateway == "c" else "wanw",
                self.gateway_mac(gateway), mac_of("r", device),
                self.nat or ("fd01::2" if self.v6 else "10.1.0.2"))

    def right(self, gateway):
        """Affected flows by this one (None: nowhere), others as before."""
        others = self.place(self.others)
        ours = self.place(gateway) if gateway else None
        return lambda flow: ours if flow.affected else others

    # --- flows ---

    def establish(self, wanted=None):
        """All flows in hardware, in both directions; or so many entries."""
        wanted = wanted or 2 * self.n
        if self.flows[0].proto == TCP:
            self.exchange(self.flows, [(True, SYN), (False, SYN | ACK),
                                       (True, ACK)])
        for _ in range(20):
            self.exchange(self.flows, [(True, None), (False, None)])
            end = time.monotonic() + 3
            while self.entries() < wanted and time.monotonic() < end:
                time.sleep(0.05)
            if self.entries() == wanted:
                break
        tap.equal(f"{self.line}: flows are in hardware", self.entries(), wanted)

    def burst(self):
        """What sends a packet of each flow, as fast as it goes."""
        sock = raw_socket("a", "lanw")
        lan, lanw = mac_of("r", "lan"), mac_of("a", "lanw")
        frames = [flow.frame(True, lan, lanw) for flow in self.flows]

        def send():
            for frame in frames:
                sock.send(frame)
            sock.close()
        return send

    def exchange(self, flows, packets):
        """Of each flow these packets: (by the client, TCP's flags or None)."""
        ends = {"a": raw_socket("a", "lanw"), "b": raw_socket("b", "wanw"),
                "c": raw_socket("c", "wan2w"), "v": raw_socket("b", "wanw.5")}
        ends["g"] = ends["b"]
        lan, lanw = mac_of("r", "lan"), mac_of("a", "lanw")
        places = {name: self.place(name) for name in GATEWAYS}
        for flow in flows:
            gateway = self.via if flow.affected else self.others
            _, host, router, to = places[gateway]
            for client, flags in packets:
                if client:
                    ends["a"].send(flow.frame(True, lan, lanw, flags))
                else:
                    ends[gateway].send(flow.frame(False, router, host, flags,
                                                  to=to))
        for sock in set(ends.values()):
            sock.close()

    def entries(self, pattern=""):
        """Those that match it."""
        if not pattern:
            return self.n_entries()
        return sum(1 for line in read(f"{SIM}/entries").splitlines()
                   if re.search(pattern, line))

    @staticmethod
    def n_entries():
        """Of all, without looking at each."""
        return int(re.search(r"entries=(\d+)", read(f"{SIM}/adapter")).group(1))

    @staticmethod
    def counter(name):
        """Of the three ports, from ethtool -S."""
        return int(shell("n=0; for dev in lan wan wan2; do "
                         f"n=$((n + $(ctr $dev {name}))); done; echo $n"))

    @staticmethod
    def crossed():
        """Packets of the flows, as they are sent, that the host got."""
        return int(re.search(r"packets (\d+)", shell(
            "in_ns r nft list table netdev watch")).group(1))

    def traffic(self, gap=0.001, size=16):
        """Of all that are affected, and as many others, the last ones. The
        size is that of the affected ones' data."""
        pairs = zip(self.flows[:self.k], self.flows[-self.k:])
        return Traffic(self, [flow for pair in pairs for flow in pair], gap,
                       size)

    def during(self, *event, more=2000, text="", **how):
        """Traffic in which this happens, and its packets from then on."""
        with self.traffic(**how) as traffic:
            traffic.more(300)
            traffic.happens(*event, text=text)
            traffic.more(more)
        return traffic

    # --- what is said ---

    def result(self, question, answer):
        print(f"@result {self.line}|{question}|{answer}")

    def each(self, text, value, kernel, module):
        """What is true of the path that runs: a value, or a function."""
        wanted = kernel if self.path == "kernel" else module
        good = wanted(value) if callable(wanted) else value == wanted
        tap.ok(f"{self.line}: {text}", good, value)

    def follows(self, traffic, right, kernel=False, all_affected=False,
                when=""):
        """What became of the packets after the event. kernel: whether the
        kernel's path follows, too."""
        after = [one for one in traffic.judge(right) if one[1] > traffic.event]
        ours = [one for one in after if one[2].affected or all_affected]
        last = traffic.times[-1]
        tail = last - (last - traffic.event) / 4
        healed = not any(one[1] > tail for one in ours)
        took = max([one[1] - traffic.event for one in ours], default=0)
        lost = sum(1 for one in ours if not one[3])
        nowhere = right(self.flows[0]) is None
        self.result(f"{when}until they stop" if nowhere else
                    f"{when}until traffic flows right again",
                    f"{took * 1000:.0f} ms" if healed else
                    f"never ({(last - traffic.event):.0f} s watched)")
        if not nowhere:
            self.result(f"{when}packets lost", lost)
        self.result(f"{when}packets that got through all the same" if nowhere
                    else f"{when}packets that went to the wrong place",
                    len(ours) - lost)
        self.each(f"{when}traffic flows right", healed, kernel, True)
        self.each(f"{when}what is not affected loses nothing",
                  len(after) - len(ours), 0, 0)

    def left(self, question, pattern, kernel):
        """Entries that should not be there any more, or not like that."""
        if self.path == "module":
            poll(lambda: not self.entries(pattern))
        self.result(question, self.entries(pattern))
        self.each(question, self.entries(pattern), kernel, 0)

    def sound(self):
        """The module's belief and the hardware agree."""
        if os.path.exists("/proc/net/nft_offload"):
            print(shell(f". {os.path.dirname(__file__)}/lib.sh; "
                        "believes || poll 20 believes; "
                        "echo \"# believes: $(in_hardware), is: "
                        "$(sim_count_entries)\""), end="")
            tap.ok(f"{self.line}: the module knows what is in hardware",
                   poll(lambda: shell("believes && echo yes", check=False)))
