#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The netlink family nfto, /proc/net/nft_offload and the tracepoints of
nft_offload.ko: each operation, each error's sentence, who may ask, dumps of
many flows and of flows that come and go, and input that makes no sense.

Flows are made through the topology of lib.sh.
"""
import ctypes
import errno
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import time

from genl import (CLONE_NEWNET, FORMATS, KINDS, NLM_F_ACK, NLM_F_DUMP, NUMBERS,
                  Error, Genl, Netns, attr, attr_number, c_name, encode, libc,
                  space_of)

HERE = os.path.dirname(os.path.abspath(__file__))
SIM = "/sys/kernel/debug/nft_offload_sim/sim0"
TRACING = "/sys/kernel/tracing"
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
PATIENCE = 30		# seconds until what must happen has not happened
MANY = 2000
FUZZ = int(os.environ.get("NFTO_FUZZ", "4000"))


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
            for line in str(problem).splitlines() or [""]:
                print(f"# {line}")
        sys.stdout.flush()

    def ok(self, text, good, *detail):
        self.result(text, [] if good else ["it is not so", *detail])

    def equal(self, text, got, wanted):
        self.result(text, [] if got == wanted else
                    [f"got:    {got!r}", f"wanted: {wanted!r}"])

    def error(self, text, number, sentence, function, *args, **kwargs):
        """The call fails with an errno and a sentence that matches."""
        try:
            got = function(*args, **kwargs)
        except Error as error:
            problems = []
            if error.errno != number:
                problems.append(f"errno {errno.errorcode.get(error.errno)}, "
                                f"wanted {errno.errorcode[number]}")
            if not re.search(sentence, error.text):
                problems.append(f"says {error.text!r}, wanted {sentence!r}")
            self.result(f"{text}: {error.text or error.errno}", problems)
        else:
            self.result(text, [f"no error, but {got!r}"])

    def finish(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)


tap = Tap()


def poll(function, *args):
    """What it returns once that is true, or last."""
    end = time.monotonic() + PATIENCE
    while True:
        value = function(*args)
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


def settled(function, *args):
    """The problems that it returns, once there are none, or last. It is not
    asked again: a packet of the network's own may come at any moment."""
    problems = []

    def there_are_none():
        problems[:] = function(*args)
        return not problems

    poll(there_are_none)
    return problems


# --- the world ---

def shell(script, check=True):
    """Runs it with lib.sh's functions."""
    got = subprocess.run(
        ["bash", "-c", f". {HERE}/lib.sh\n{script}"], text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if check and got.returncode:
        raise RuntimeError(f"{script}\nstatus {got.returncode}\n{got.stdout}")
    return got.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def mac_of(netns, device):
    return shell(f"ip -n {netns} -br link show {device}").split()[2]


def entries():
    return len(read(f"{SIM}/entries").splitlines())


def proc_of(netns="r"):
    """/proc/net/nft_offload: flowtables, ports, reasons."""
    text = subprocess.run(
        ["nsenter", f"--net=/run/netns/{netns}", "cat", "/proc/net/nft_offload"],
        text=True, check=True, stdout=subprocess.PIPE).stdout
    found = {"flowtable": [], "port": [], "reason": {}}
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "reason":
            found[kind][words[0]] = int(words[1])
        else:
            found[kind].append(dict(word.split("=", 1) for word in words))
    return found


RULES = """table ip n {
	chain post {
		type nat hook postrouting priority 100
		oifname wan udp dport 5001 masquerade
	}
	chain marks {
		type filter hook forward priority -10
		udp dport 5002 ct mark set 42
	}
	chain zones {
		type filter hook prerouting priority raw
		udp dport 5003 ct zone set 7
		udp sport 5003 ct zone set 7
	}
}"""


def ruleset():
    subprocess.run(["bash", "-c", f'. {HERE}/lib.sh; ft_rules "$1"', "-", RULES],
                   check=True, stdin=subprocess.DEVNULL)


class Echo:
    """UDP in netns b that answers."""

    def __init__(self, *ports):
        self.children = [subprocess.Popen(
            ["nsenter", "--net=/run/netns/b", f"{HERE}/flow.py", "serve", "udp",
             address, str(port)], stdout=subprocess.DEVNULL)
            for port in ports for address in ("10.2.0.2", "fd02::2")]
        for port in ports:
            # At both addresses.
            shell(f"""both() {{
                (($(in_ns b ss -Hlnu "sport = :{port}" | wc -l) == 2))
            }}
            poll 20 both""")

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()


def begin(ports, dport=5000, address="10.2.0.2", rounds=3):
    """A UDP connection from each of these ports of netns a, echoed."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    ports = list(ports)
    for start in range(0, len(ports), 50):
        socks = []
        with Netns("a"):
            for port in ports[start:start + 50]:
                sock = socket.socket(family, socket.SOCK_DGRAM)
                sock.bind(("", port))
                sock.connect((address, dport))
                sock.settimeout(PATIENCE)
                socks.append(sock)
        for _ in range(rounds):
            for sock in socks:
                sock.send(b"x")
            for sock in socks:
                sock.recv(16)
        for sock in socks:
            sock.close()


def end_all(nl):
    shell("in_ns r conntrack -F", check=False)
    poll(lambda: not nl.do("stats-get")["flows"] and not entries())


def port_of(flow):
    return flow["orig"]["sport"]


def both_in(flow):
    return flow["dir-orig"]["hw"] == flow["dir-reply"]["hw"] == "in"


# --- what is there without flows ---

def test_info(nl):
    print("# info")
    info = nl.do("info-get")
    version = read("/sys/module/nft_offload/version").strip()
    tap.equal("version and ABI", info, {
        "version": version, "abi-version": NUMBERS["NFTO_ABI_VERSION"]})


def test_ports(nl, lan, wan):
    print("# ports")
    poll(lambda: all(port["state"] == "bound" for port in nl.dump("port-get")))
    ports = nl.dump("port-get")
    tap.equal("both are there, in order", [(port["ifindex"], port["name"])
                                           for port in ports],
              sorted([(lan, "lan"), (wan, "wan")]))
    tap.equal("and bound", {(port["state"], port["kind"], port["users"])
                            for port in ports}, {("bound", "flowtable", 1)})
    tap.ok("an error is absent where there is none",
           all("errno" not in port and "why" not in port for port in ports))
    tap.ok("one by its ifindex is the same",
           nl.do("port-get", ifindex=wan)["name"] == "wan")
    tap.error("a device that is no port", errno.ENODEV, "has this device",
              nl.do, "port-get", ifindex=1)
    tap.error("an ifindex there cannot be", errno.ENODEV, "has this device",
              nl.do, "port-get", ifindex=0xffffffff)
    tap.error("without ifindex", errno.EINVAL, "ifindex is missing",
              nl.do, "port-get")
    tap.error("ifindex 0", errno.ERANGE, "out of range", nl.do, "port-get",
              ifindex=0)
    tap.error("a dump with an attribute", errno.EINVAL, "without NLM_F_DUMP",
              nl.dump, "port-get", ifindex=lan)


def test_tables(nl, lan, wan):
    print("# tables")
    tables = nl.dump("flowtable-get")
    tap.equal("there is one", len(tables), 1)
    table = tables[0]
    tap.equal("its names", (table.get("table"), table.get("name")),
              ("t", "ft"))
    tap.equal("family, priority, flags", (
        table["family"], table["priority"], table.get("offload"),
        table.get("counter")), (1, 0, True, True))
    tap.equal("its devices", sorted(table["devices"]), sorted([lan, wan]))
    tap.equal("by its id", nl.do("flowtable-get", id=table["id"])["name"], "ft")
    tap.error("an unknown id", errno.ENOENT, "no flowtable", nl.do, "flowtable-get",
              id=table["id"] + 1000)
    tap.error("the last id", errno.ENOENT, "no flowtable", nl.do, "flowtable-get",
              id=0xffffffff)
    tap.error("id 0", errno.ERANGE, "out of range", nl.do, "flowtable-get", id=0)
    tap.error("without id", errno.EINVAL, "id is missing", nl.do, "flowtable-get")
    tap.error("a dump with an attribute", errno.EINVAL, "without NLM_F_DUMP",
              nl.dump, "flowtable-get", id=1)
    return table["id"]


def test_large_table(nl):
    print("# a table with as many devices as can be")
    names = [f"d{n}" for n in range(255)]
    batch = "\n".join(f"link add {name} type dummy" for name in names)
    shell(f"modprobe dummy numdummies=0; ip -n r -b - <<<'{batch}'")
    shell("in_ns r nft -f - <<<'table ip large { flowtable f {"
          "hook ingress priority -5; devices = {" + ",".join(names) + "}; }; }'")
    first = Genl("r")
    with Netns("r"):
        wanted = sorted(map(socket.if_nametoindex, names))
    tables = {table["name"]: table for table in first.dump("flowtable-get")}
    tap.equal("dump", sorted(tables["f"]["devices"]), wanted)
    tap.equal("do", nl.do("flowtable-get", id=tables["f"]["id"]), tables["f"])
    tap.equal("priority, family, flags",
              [tables["f"].get(key) for key in
               ("priority", "family", "offload", "counter")], [-5, 2, None, None])
    tap.equal("its devices are no ports", len(nl.dump("port-get")), 2)
    first.close()
    shell("in_ns r nft delete table large; modprobe -r dummy")
    poll(lambda: len(nl.dump("flowtable-get")) == 1)


# --- flows ---

def test_flow(nl, table, lan, wan):
    print("# one flow")
    begin([4000], rounds=20)
    poll(lambda: all(map(both_in, nl.flows())) and nl.flows())
    flows = nl.flows()
    tap.equal("a connection is one flow", len(flows), 1)
    flow = flows[0]
    tap.equal("orig", flow["orig"], {
        "l4proto": 17, "src": "10.1.0.2", "dst": "10.2.0.2", "sport": 4000,
        "dport": 5000})
    tap.equal("reply", flow["reply"], {
        "l4proto": 17, "src": "10.2.0.2", "dst": "10.1.0.2", "sport": 5000,
        "dport": 4000})
    listed = shell("in_ns r conntrack -L -p udp -o id 2>/dev/null")
    ct_id = re.search(r" id=(\d+)", listed)
    tap.equal("conntrack's id", flow["ct-id"], int(ct_id.group(1)))
    tap.equal("its table", flow["flowtable"], table)
    tap.ok("no mark, zone, NAT", not {"mark", "zone", "nat"} & set(flow))
    for name, way, out, mac in (("dir-orig", lan, wan, mac_of("b", "wanw")),
                                ("dir-reply", wan, lan, mac_of("a", "lanw"))):
        got = flow[name]
        tap.equal(f"{name}: devices, next hop, MTU", (
            got["in-ifindex"], got["out-ifindex"], got["route-ifindex"],
            got.get("mac"), got.get("next-hop"), got["mtu"], got.get("encap")),
            (way, out, out, mac, flow["orig" if out == wan else "reply"]["dst"],
             1500, None))
        tap.equal(f"{name}: in hardware", (
            got["hw"], got["reason"], got.get("errno"), got["tries"]),
            ("in", "none", None, 0))
    cookies = re.findall(r"cookie=(?:0x)?([0-9a-f]+)", read(f"{SIM}/entries"))
    tap.equal("the cookies are those of the entries",
              sorted(flow[name]["cookie"] for name in ("dir-orig", "dir-reply")),
              sorted(int(cookie, 16) for cookie in cookies))
    timeout = int(shell(
        "in_ns r sysctl -n net.netfilter.nf_flowtable_udp_timeout")) * 1000
    tap.ok("idle and expires add up to the time-out",
           abs(flow["idle-ms"] + flow["expires-ms"] - timeout) < 100,
           flow["idle-ms"], flow["expires-ms"])
    same = nl.do("flow-get", id=flow["id"])
    tap.equal("by its id", same["orig"], flow["orig"])
    tap.error("an unknown id", errno.ENOENT, "no flow", nl.do, "flow-get",
              id=flow["id"] + 1000)
    tap.error("without id", errno.EINVAL, "id is missing", nl.do, "flow-get")
    tap.error("one flow with a filter", errno.EINVAL, "is for dumps", nl.do,
              "flow-get", id=flow["id"], filter={"port": 4000})
    tap.error("a dump with an id", errno.EINVAL, "leave NLM_F_DUMP out",
              nl.dump, "flow-get", id=flow["id"])
    end_all(nl)


def accounted():
    """(packets, bytes) of each direction, by conntrack."""
    line = shell("in_ns r conntrack -L -p udp --orig-port-src 4001 2>/dev/null")
    found = re.findall(r"packets=(\d+) bytes=(\d+)", line)
    return [tuple(map(int, pair)) for pair in found]


def test_counters(nl):
    print("# counters")
    shell("in_ns r sysctl -qw net.netfilter.nf_conntrack_acct=1")
    begin([4001], rounds=3)
    poll(lambda: all(map(both_in, nl.flows())) and nl.flows())
    begin([4001], rounds=40)

    def counted():
        flow = nl.flows()[0]
        sums = [tuple(flow[name][f"sw-{what}"] + flow[name][f"hw-{what}"]
                      for what in ("packets", "bytes"))
                for name in ("dir-orig", "dir-reply")]
        return flow, sums
    poll(lambda: [one[0] for one in counted()[1]] == [43, 43])
    flow, sums = counted()
    tap.equal("all packets are accounted in time", [one[0] for one in sums],
              [43, 43])
    tap.equal("software and hardware are what conntrack has", sums, accounted())
    tap.ok("most are the hardware's", flow["dir-orig"]["hw-packets"] >= 40, flow)
    stats = nl.do("stats-get")
    tap.equal("totals of the hardware", stats["hw-packets"] >= 80, True)
    end_all(nl)


def test_filters(nl, table, lan, wan):
    print("# filters")
    begin([4100, 4101])
    begin([4110], dport=5001)
    begin([4120], dport=5002)
    begin([4130], dport=5003)
    begin([4140], address="fd02::2")
    every = {4100, 4101, 4110, 4120, 4130, 4140}
    poll(lambda: len(nl.flows()) == 6 and all(map(both_in, nl.flows())))
    flows = {port_of(flow): flow for flow in nl.flows()}
    tap.equal("all are there", set(flows), every)
    if set(flows) != every:
        return
    tap.equal("masqueraded", (flows[4110]["nat"], flows[4110]["reply"]["dst"]),
              (NUMBERS["NFTO_NAT_SOURCE"], "10.2.0.1"))
    tap.equal("a mark", flows[4120].get("mark"), 42)
    tap.equal("a zone", flows[4130].get("zone"), 7)
    tap.equal("IPv6", flows[4140]["orig"]["src"], "fd01::2")
    v4 = every - {4140}
    for text, filters, wanted in (
            ("flowtable", {"flowtable": table}, every),
            ("hw in", {"hw": "in"}, every),
            ("hw out", {"hw": "out"}, set()),
            ("reason none", {"reason": "none"}, every),
            ("reason full", {"reason": "full"}, set()),
            ("ifindex", {"ifindex": wan}, every),
            ("another ifindex", {"ifindex": 1}, set()),
            ("arriving at", {"in_ifindex": lan, "hw": "in"}, every),
            ("port", {"port": 4101}, {4101}),
            ("the other side's port", {"port": 5001}, {4110}),
            ("IPv4 address", {"address": "10.1.0.2"}, v4),
            ("IPv6 address", {"address": "fd01::2"}, {4140}),
            ("address of the NAT", {"address": "10.2.0.1"}, {4110}),
            ("another address", {"address": "10.3.0.1"}, set()),
            ("prefix", {"address": "10.2.77.0", "prefix_len": 16}, v4),
            ("a prefix too far", {"address": "10.2.77.0", "prefix_len": 18}, set()),
            ("IPv6 prefix", {"address": "fd02::", "prefix_len": 64}, {4140}),
            ("prefix of no bits", {"address": "1.2.3.4", "prefix_len": 0}, v4),
            ("UDP", {"l4proto": 17}, every),
            ("TCP", {"l4proto": 6}, set()),
            ("mark", {"mark": 42}, {4120}),
            ("mark 0", {"mark": 0}, every - {4120}),
            ("mask", {"mark": 2, "mark_mask": 2}, {4120}),
            ("zone", {"zone": 7}, {4130}),
            ("zone 0", {"zone": 0}, every - {4130}),
            ("two that agree", {"port": 4100, "l4proto": 17}, {4100}),
            ("two that do not", {"port": 4100, "zone": 7}, set())):
        tap.equal(f"by {text}", {port_of(flow) for flow in nl.flows(**filters)},
                  wanted)
    for text, number, sentence, filters in (
            ("unknown flowtable", errno.ENOENT, "no flowtable",
             {"flowtable": table + 1000}),
            ("flowtable 0", errno.ERANGE, "out of range", {"flowtable": 0}),
            ("unknown hw", errno.ERANGE, "out of range", {"hw": 4}),
            ("unknown reason", errno.ERANGE, "out of range",
             {"reason": 1 + max(number for name, number in NUMBERS.items()
                                if name.startswith("NFTO_REASON_"))}),
            ("a prefix of 33", errno.EINVAL, "longer than the address",
             {"address": "10.0.0.0", "prefix_len": 33}),
            ("a prefix of 129", errno.ERANGE, "out of range",
             {"address": "fd01::", "prefix_len": 129}),
            ("a prefix alone", errno.EINVAL, "needs an address",
             {"prefix_len": 8}),
            ("a mask alone", errno.EINVAL, "needs a mark", {"mark_mask": 1})):
        tap.error(text, number, sentence, nl.flows, **filters)
    tap.error("an address of 5 bytes", errno.EINVAL, "4 bytes, or 16",
              raw_dump, nl, attr(attr_number("filter", "address"), b"12345"))
    end_all(nl)


def raw_dump(nl, inner):
    nl.send("flow-get", attr(attr_number("flow", "filter") | 0x8000, inner),
            NLM_F_DUMP)
    return list(nl.objects("flow-get"))


def test_two_tables(nl, table, lan):
    print("# two tables")
    shell("""in_ns r nft -f - <<-'END'
	table inet u {
		flowtable two {
			hook ingress priority 5
			devices = { lan, wan }
			flags offload
		}
		chain forward {
			type filter hook forward priority -1
			udp dport 5001 flow add @two
			udp sport 5001 flow add @two
		}
	}
	END""")
    begin(range(5100, 5200))
    begin(range(5200, 5300), dport=5001)
    poll(lambda: entries() == 400)
    names = {one["name"]: one["id"] for one in nl.dump("flowtable-get")}
    tap.equal("both are there", names, {"ft": table, "two": names.get("two")})
    small = Genl("r", room=4096)
    found = sorted((port_of(flow), flow["flowtable"]) for flow in small.flows())
    tap.equal("each flow once, in its table", found,
              [(port, table) for port in range(5100, 5200)] +
              [(port, names["two"]) for port in range(5200, 5300)])
    for name, first in ("ft", 5100), ("two", 5200):
        found = sorted(map(port_of, small.flows(flowtable=names[name])))
        tap.equal(f"those of {name}", found, list(range(first, first + 100)))
    small.close()
    flow = nl.flows(flowtable=names["two"])[0]
    tap.ok("no counters without \"counter\"",
           not any(key.endswith("-packets") for key in flow["dir-orig"]))
    tap.equal("by its id", nl.do("flow-get", id=flow["id"])["flowtable"],
              names["two"])
    tap.equal("the port has two users",
              nl.do("port-get", ifindex=lan)["users"], 2)
    tap.result("netlink, /proc and the NIC agree", settled(totals_agree, nl))
    end_all(nl)
    ruleset()
    poll(lambda: len(nl.dump("flowtable-get")) == 1)
    poll(lambda: entries() == 0 and all(
        port["state"] == "bound" for port in nl.dump("port-get")))


def test_refused(nl, lan):
    print("# what a driver refuses")
    write(f"{SIM}/fail_port", "0")
    write(f"{SIM}/fail_replace", "EOPNOTSUPP")
    begin([4200])

    def refused():
        return [flow for flow in nl.flows(reason="refused")
                if flow["dir-reply"]["hw"] == "in"]
    flows = poll(refused)
    write(f"{SIM}/fail_replace", "0")
    write(f"{SIM}/fail_port", "-1")
    tap.equal("one direction", len(flows), 1)
    if not flows:
        return
    way = flows[0]["dir-orig"]
    tap.equal("its errno", (way["hw"], way.get("errno")),
              ("out", errno.EOPNOTSUPP))
    tap.ok(f"and the driver's sentence: {way.get('why')}", way.get("why"))
    tap.ok("an entry that is not there has no cookie", "cookie" not in way)
    tap.equal("the filter wants both of the same direction",
              nl.flows(reason="refused", in_ifindex=lan + 1000), [])
    tap.ok("the port has counted it",
           nl.do("port-get", ifindex=lan)["refused"] > 0)
    end_all(nl)


# --- totals ---

def totals_agree(nl):
    """Problems: netlink, /proc and the NIC, compared while nothing moves."""
    stats, tables, ports = (nl.do("stats-get"), nl.dump("flowtable-get"),
                            nl.dump("port-get"))
    proc, there = proc_of(), entries()
    reasons = {}
    for table in tables:
        for one in table.get("reasons", []):
            reasons[one["reason"]] = reasons.get(one["reason"], 0) + one["count"]
    ours = {one["reason"]: one["count"] for one in stats["reasons"]}
    checks = [
        ("reasons of tables and totals", reasons, ours),
        ("reasons in /proc", proc["reason"], ours),
        ("flows", sum(table["flows"] for table in tables), stats["flows"]),
        ("flows in /proc", sum(int(t["flows"]) for t in proc["flowtable"]),
         stats["flows"]),
        ("packets in /proc", sum(int(t["packets"]) for t in proc["flowtable"]),
         stats["packets"]),
        ("in hardware", sum(port["in-hardware"] for port in ports),
         stats["in-hardware"]),
        ("in hardware, /proc", sum(int(p["in_hardware"]) for p in proc["port"]),
         stats["in-hardware"]),
        ("entries of the NIC", there, stats["in-hardware"]),
        ("dumped directions in hardware",
         sum(flow[way]["hw"] == "in" for flow in nl.flows()
             for way in ("dir-orig", "dir-reply")), there),
        ("ports", (len(ports), len(proc["port"])), (stats["ports"],) * 2),
        ("flowtables", (len(tables), len(proc["flowtable"])), (stats["flowtables"],) * 2),
        ("names", [(p["name"], p["state"], p["kind"]) for p in proc["port"]
                   if int(p["ifindex"]) == ports[0]["ifindex"]],
         [(ports[0]["name"], ports[0]["state"], ports[0]["kind"])]),
    ]
    return [f"{text}: {got} and {wanted}" for text, got, wanted in checks
            if got != wanted]


def test_totals(nl):
    print("# totals")
    begin(range(4300, 4320))
    poll(lambda: entries() == 40)
    tap.result("netlink, /proc and the NIC agree", settled(totals_agree, nl))
    stats = nl.do("stats-get")
    tap.ok("there were packets of each kind", stats["packets"] and
           any(one["reason"] == "no-flow" for one in stats["reasons"]),
           stats)
    end_all(nl)
    tap.result("and after the flows' end", settled(totals_agree, nl))


def test_lost(nl):
    """Without "counter" nobody asks for statistics to count."""
    print("# the hardware loses its table")
    shell("""in_ns r nft -f - <<<'flush ruleset; table inet t {
            flowtable ft { hook ingress priority 0; devices = { lan, wan };
                flags offload; }
            chain forward { type filter hook forward priority 0;
                meta l4proto { tcp, udp } flow add @ft; }
        }'""")
    poll(lambda: len(nl.dump("flowtable-get")) == 1)
    begin(range(4350, 4380))
    tap.ok("flows are in hardware", poll(lambda: entries() == 60))
    before = sum(port["lost"] for port in nl.dump("port-get"))
    write(f"{SIM}/reset", "1")

    def are_back():
        # Only four have packets.
        begin(range(4350, 4354))
        return entries() == 60
    tap.ok("all are put back, also those without packets", poll(are_back))
    tap.equal("all were lost", sum(
        port["lost"] for port in nl.dump("port-get")) - before, 60)
    end_all(nl)
    ruleset()
    poll(lambda: len(nl.dump("flowtable-get")) == 1)


# --- refusals ---

def test_refusals(nl, lan):
    print("# refusals")
    tap.equal("none at first", nl.dump("refusal-get"), [])
    tap.error("nor a last one", errno.ENOENT, "No connection was refused", nl.do,
              "refusal-get")
    shell("in_ns r nft add rule inet t forward meta l4proto icmp flow add @ft")
    before = time.time_ns()
    shell("in_ns a ping -qc3 -i0.2 10.2.0.2")
    found = nl.dump("refusal-get")
    tap.ok("refused pings are there", found)
    tap.equal("for their protocol", {one["reason"] for one in found},
              {"protocol"})
    last = nl.do("refusal-get")
    tap.equal("the last one's tuple", (
        last["orig"]["l4proto"], last["orig"]["src"], last["orig"]["dst"],
        last["orig"].get("sport")), (1, "10.1.0.2", "10.2.0.2", None))
    tap.ok("when", abs(last["when-ns"] - before) < 60e9, last["when-ns"], before)
    tap.equal("of a reason", nl.do("refusal-get", reason="protocol"), last)
    tap.equal("of another one", nl.dump("refusal-get", reason="helper"), [])
    tap.error("the last of another one", errno.ENOENT, "was refused for this",
              nl.do, "refusal-get", reason="helper")
    tap.error("of an unknown one", errno.ERANGE, "out of range", nl.dump,
              "refusal-get", reason=255)
    tap.ok("the device", all(one["ifindex"] for one in found) and
           lan in {one["ifindex"] for one in found}, found)

    # More refusals than a ring holds, in several messages.
    tap.equal("the rings are bounded", flood_refusals(nl), [])


def flood_refusals(nl):
    with Netns("a"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    for ident in range(1, 401):
        packet = struct.pack("!BBHHH", 8, 0, 0, ident, 1)
        total = sum(struct.unpack("!4H", packet))
        total = ~((total & 0xffff) + (total >> 16)) & 0xffff
        sock.sendto(packet[:2] + struct.pack("!H", total) + packet[4:],
                    ("10.2.0.2", 0))
    sock.close()
    poll(lambda: len(nl.dump("refusal-get")) >= 64)
    small = Genl("r", room=4096)
    found = small.dump("refusal-get")
    problems = []
    if small.messages < 3:
        problems.append(f"{small.messages} messages")
    small.close()
    per_cpu = {}
    for one in found:
        per_cpu.setdefault(one["cpu"], []).append(one["when-ns"])
    if not found or any(len(whens) > 64 for whens in per_cpu.values()):
        problems.append({cpu: len(whens) for cpu, whens in per_cpu.items()})
    if any(whens != sorted(whens) for whens in per_cpu.values()):
        problems.append("not in the order of time")
    return problems


# --- wrong input ---

def test_wrong_input(nl):
    print("# wrong input")

    def answer(command, attrs, flags=NLM_F_ACK):
        nl.send(command, attrs, flags)
        return list(nl.objects(command))

    ifindex = attr_number("port", "ifindex")
    tap.error("an unknown attribute", errno.EINVAL, "Unknown attribute", answer,
              "port-get", attr(60, b"1234"))
    tap.error("an attribute of answers", errno.EINVAL, "Unknown attribute",
              answer, "port-get", attr(attr_number("port", "users"), b"1234"))
    tap.error("one where none is taken", errno.EINVAL,
              "Unknown attribute|Unsupported attribute", answer, "info-get",
              attr(1, b"1234"))
    tap.error("a short one", errno.EINVAL, "invalid attribute length", answer,
              "port-get", attr(ifindex, b"12"))
    tap.error("a long one", errno.EINVAL, "invalid attribute length", answer,
              "port-get", attr(ifindex, b"12345678"))
    tap.error("an unknown one in a filter", errno.EINVAL, "Unknown attribute",
              raw_dump, nl, attr(60, b"1234"))
    tap.error("a filter without the flag of nests", errno.EINVAL,
              "NLA_F_NESTED is missing", answer, "flow-get",
              attr(attr_number("flow", "filter"), b""), NLM_F_DUMP)
    tap.error("bytes behind the last one", errno.EINVAL, "bytes leftover", answer,
              "port-get", attr(ifindex, struct.pack("=I", 1)) + b"\x03\0\0\0")
    nl.send_raw(nl.family, 1 | NLM_F_ACK, struct.pack("=BBH", 99, 1, 0))
    tap.error("an unknown operation", errno.EOPNOTSUPP, "", list, nl.receive())
    nl.send_raw(nl.family, 1 | NLM_F_ACK, b"")
    tap.error("no operation at all", errno.EINVAL, "", list, nl.receive())


def valid_requests(rng):
    """Bytes and flags of a request that means something."""
    command, names = rng.choice([
        ("info-get", []), ("stats-get", []), ("port-get", ["ifindex"]),
        ("flowtable-get", ["id"]), ("flow-get", ["id"]), ("flow-get", "filter"),
        ("refusal-get", ["reason"]), ("flow-count", "filter"),
        ("flow-revalidate", "filter"), ("flow-revalidate", ["id"]),
        ("flow-del", ["id"]),
        ("port-probe", ["ifindex", "out-ifindex", "feature", "count"])])
    space = space_of(command)
    if names == "filter":
        inner = encode("filter", {
            name: some_value(rng, KINDS["filter"][name])
            for name in rng.sample(sorted(KINDS["filter"]), rng.randrange(6))})
        attrs = attr(attr_number(space, "filter") | 0x8000, inner)
    else:
        attrs = encode(space, {name: some_value(rng, KINDS[space][name])
                               for name in names})
    number = NUMBERS[c_name("cmd", command)]
    dump = command.endswith("-get") and rng.random() < 0.6
    return (struct.pack("=BBH", number, 1, 0) + attrs,
            NLM_F_DUMP if dump else NLM_F_ACK)


def some_value(rng, kind):
    if kind == "ip":
        return rng.choice(["10.1.0.2", "fd01::2", "0.0.0.0"])
    if kind in FORMATS:
        bits = 8 * struct.calcsize("=" + FORMATS[kind])
        return rng.choice([0, 1, 2, 7, 17, rng.getrandbits(bits)]) % (1 << bits)
    return rng.randrange(6)


def mutate(rng, payload):
    data = bytearray(payload)
    for _ in range(rng.randrange(4)):
        how = rng.randrange(6)
        at = rng.randrange(len(data)) if data else 0
        if how == 0 and data:
            data[at] = rng.getrandbits(8)
        elif how == 1 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            del data[at:]
        elif how == 3:
            data += rng.randbytes(rng.randrange(1, 40))
        elif how == 4:
            data[at:at] = data[at:at + rng.randrange(24)]
        else:
            data[at:at + 2] = struct.pack("=H", rng.getrandbits(16))[:len(data) - at]
    return bytes(data)


def test_fuzz():
    print("# fuzz")
    rng = random.Random(20)
    begin(range(4400, 4460))
    nl = Genl("r")
    counts = {}
    for n in range(FUZZ):
        payload, flags = valid_requests(rng)
        payload = mutate(rng, payload)
        length = None
        if rng.random() < 0.05:
            length = rng.randrange(16, 17 + len(payload))
        nl.send_raw(nl.family, 1 | NLM_F_ACK | flags, payload, length)
        try:
            for _ in nl.receive():
                pass
            errno_name = "0"
        except Error as error:
            errno_name = errno.errorcode.get(error.errno, str(error.errno))
        counts[errno_name] = counts.get(errno_name, 0) + 1
        if n % 20 == 0:
            # A client that goes away in the middle of a dump.
            left = Genl("r", room=4096)
            left.send("flow-get", b"", NLM_F_DUMP)
            left.sock.recv(4096)
            left.close()
    print(f"# answers: {counts}")
    tap.ok(f"{FUZZ} requests, well and badly formed, are answered",
           counts.get("0", 0) > FUZZ // 20 and counts.get("EINVAL"), counts)
    tap.equal("a valid one still is", nl.do("info-get")["abi-version"], 1)
    # Other requests have ended some of them.
    begin(range(4400, 4460))
    tap.ok("and so is a dump", nl.flows())
    nl.close()


# --- who may ask ---

def as_child(function, *args):
    """In a child process; what it returns, as text."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            answer = repr(function(*args))
        except BaseException as error:	# everything is an answer
            answer = f"{type(error).__name__}: {error}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return answer


def drop_privileges():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def ask(netns, command, dump):
    Netns(netns).__enter__()
    drop_privileges()
    nl = Genl()
    try:
        (nl.dump if dump else nl.do)(command)
    except Error as error:
        return error.errno, bool(error.text)
    return 0


def read_as_nobody():
    Netns("r").__enter__()
    drop_privileges()
    return "flowtable id=" in read("/proc/net/nft_offload")


def ask_in_own_userns():
    drop_privileges()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        return f"unshare: {os.strerror(ctypes.get_errno())}"
    nl = Genl()
    return (nl.dump("flow-get"), nl.dump("refusal-get"), nl.dump("flowtable-get"),
            nl.do("stats-get")["flows"], "flowtable" in read("/proc/net/nft_offload"))


def test_permissions(nl):
    print("# permissions")
    for command, dump, wanted in (
            ("info-get", False, 0), ("stats-get", False, 0),
            ("port-get", True, 0), ("flowtable-get", True, 0),
            ("flow-get", False, (errno.EPERM, True)),
            ("flow-get", True, (errno.EPERM, True)),
            ("refusal-get", False, (errno.EPERM, True)),
            ("refusal-get", True, (errno.EPERM, True))):
        tap.equal(f"nobody's {command}, {'dump' if dump else 'do'}",
                  as_child(ask, "r", command, dump), repr(wanted))
    tap.equal("nobody reads /proc/net/nft_offload", as_child(read_as_nobody),
              "True")
    tap.equal("root of a user namespace sees its own, which is nothing",
              as_child(ask_in_own_userns), repr(([], [], [], 0, False)))

    flow = nl.flows()[0]
    other = Genl("a")
    tap.equal("another netns has nothing of ours",
              (other.flows(), other.dump("flowtable-get"), other.dump("port-get"),
               other.dump("refusal-get"), other.do("stats-get")["flows"]),
              ([], [], [], [], 0))
    tap.error("not by id either", errno.ENOENT, "no flow", other.do, "flow-get",
              id=flow["id"])
    tap.equal("nor in /proc", proc_of("a"),
              {"flowtable": [], "port": [], "reason": {}})
    other.close()


# --- many flows ---

def test_many(nl):
    print(f"# {MANY} flows")
    end_all(nl)
    begin(range(10000, 10000 + MANY))
    poll(lambda: entries() == 2 * MANY)
    tap.equal("entries of the NIC", entries(), 2 * MANY)
    for room in 4096, 32768:
        small = Genl("r", room=room)
        ports = sorted(map(port_of, small.flows()))
        tap.equal(f"a dump in {small.messages} messages has each once",
                  (ports, small.interrupted),
                  (list(range(10000, 10000 + MANY)), False))
        small.close()
    tap.equal("filtered", len(nl.flows(port=10007)), 1)
    tap.result("netlink, /proc and the NIC agree", settled(totals_agree, nl))


def dump_slowly(changes):
    """A dump, with a change after each of its first messages."""
    small = Genl("r", room=4096)
    small.send("flow-get", b"", NLM_F_DUMP)
    changes = iter(changes)
    ports = []
    for flow in small.objects("flow-get"):
        ports.append(port_of(flow))
        if len(ports) % 40 == 0:
            next(changes, lambda: None)()
    small.close()
    return ports, small.interrupted


def delete(ports):
    """By the kernel's own interface, one by one, is slow: by a few."""
    for port in ports:
        shell(f"in_ns r conntrack -D -p udp --orig-port-src {port}", check=False)


def judge(ports, interrupted, stayed):
    """Problems of a dump: those that stayed are there once, or it says so."""
    missing = len(set(stayed) - set(ports))
    twice = len(ports) - len(set(ports))
    problem = f"{missing} missing, {twice} twice"
    return [problem] if (missing or twice) and not interrupted else []


def test_changes(nl):
    print("# dumps of what changes")
    there = set(range(10000, 10000 + MANY))
    gone = set(range(10000, 10000 + MANY, 100))
    ports, interrupted = dump_slowly(
        [lambda part=part: delete(part) for part in
         (sorted(gone)[:7], sorted(gone)[7:14], sorted(gone)[14:])])
    print(f"# deleting: {len(ports)} flows, interrupted {interrupted}")
    tap.result("while flows end, it is complete or says so",
               judge(ports, interrupted, there - gone))
    more = [range(20000 + 500 * n, 20500 + 500 * n) for n in range(6)]
    ports, interrupted = dump_slowly(
        [lambda part=part: begin(part) for part in more])
    print(f"# adding: {len(ports)} flows, interrupted {interrupted}")
    tap.result("while flows come and the table grows, likewise",
               judge(ports, interrupted, there - gone))
    tap.ok("the growth was noticed", interrupted)
    count = nl.do("stats-get")["flows"]
    ports, interrupted = dump_slowly(
        [lambda: shell("in_ns r conntrack -F", check=False)] * 3)
    print(f"# flushing: {len(ports)} of {count} flows, interrupted {interrupted}")
    tap.ok("while all end, it ends too", len(ports) < count)
    end_all(nl)
    tap.equal("an empty dump", nl.flows(), [])


# --- the table goes ---

def test_going(nl):
    print("# what goes while it is looked at")
    begin(range(4500, 4600))
    reader = Genl("r", room=4096)
    reader.send("flow-get", b"", NLM_F_DUMP)
    reader.sock.recv(4096)
    shell("in_ns r nft flush ruleset")
    poll(lambda: not nl.do("stats-get")["flows"])
    tap.equal("flows go in the middle of a dump", nl.do("stats-get")["flows"], 0)
    poll(lambda: not entries())
    tap.equal("and leave the hardware", entries(), 0)
    tap.ok("a module is not removed below a dump",
           subprocess.run(["rmmod", "nft_offload"], check=False,
                          stderr=subprocess.DEVNULL).returncode)
    rest = list(reader.objects("flow-get"))
    tap.ok("the dump's rest is of flows that were there", all(
        4500 <= port_of(flow) < 4600 for flow in rest), len(rest))
    reader.close()
    poll(lambda: not nl.dump("flowtable-get"))
    tap.equal("the table goes", nl.dump("flowtable-get"), [])
    poll(lambda: not nl.dump("port-get"))
    tap.equal("and the ports", nl.dump("port-get"), [])


# --- tracepoints ---

def test_trace(nl):
    print("# tracepoints")
    events = f"{TRACING}/events/nfto"
    if not os.path.isdir(events):
        print("# this kernel has no tracepoints")
        return
    write(f"{TRACING}/trace", "")
    write(f"{events}/enable", "1")
    shell("in_ns a ping -qc1 10.2.0.2", check=False)
    begin([4700])
    poll(lambda: all(map(both_in, nl.flows())) and nl.flows())
    flow = nl.flows()[0]
    end_all(nl)
    write(f"{events}/enable", "0")
    text = read(f"{TRACING}/trace")
    print("".join(f"# {line}\n" for line in text.splitlines()
                  if not line.startswith("#")), end="")
    for name, pattern in (
            ("a flow's begin", rf"nfto_flow_added: id={flow['id']} flowtable=\d+ "
             r"proto=17 src=10.1.0.2:4700 dst=10.2.0.2:5000 reason=none"),
            ("its entry", rf"nfto_dir: id={flow['id']} dir=orig iif=\d+ "
             r"cookie=[0-9a-f]+ from=out event=add to=adding reason=waiting err=0"),
            ("which was taken", rf"nfto_dir: id={flow['id']} dir=orig .*"
             r"from=adding event=added to=in reason=none"),
            ("its end", rf"nfto_flow_ended: id={flow['id']} .* reason=ct-gone"),
            ("a refusal", r"nfto_refuse: proto=1 src=10.1.0.2:0 "
             r"dst=10.2.0.2:0 reason=protocol")):
        tap.ok(name, re.search(pattern, text), pattern)


def test_unbound():
    print("# a device that cannot")
    shell("topo_down && topo_up none && ft_rules")
    nl = Genl("r")
    ports = poll(lambda: [port for port in nl.dump("port-get")
                          if port.get("errno")])
    tap.equal("it says so", {(port["state"], port["kind"], port["errno"])
                             for port in ports},
              {("unbound", "none", errno.EOPNOTSUPP)})
    echo = Echo(5000)
    begin([4800])
    echo.stop()
    flows = poll(nl.flows)
    tap.equal("and so do its flows",
              [(flow[way]["hw"], flow[way]["reason"]) for flow in flows
               for way in ("dir-orig", "dir-reply")],
              [("out", "port-unbound")] * 2)
    tap.equal("errno in /proc", {port["errno"] for port in proc_of()["port"]},
              {str(errno.EOPNOTSUPP)})
    nl.close()


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    print(shell("sim_load && path_use module && topo_up mlx5-rep && "
                "in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600 "
                "net.netfilter.nf_conntrack_acct=1"), end="")
    ruleset()
    with Netns("r"):
        lan, wan = map(socket.if_nametoindex, ("lan", "wan"))
    echo = Echo(5000, 5001, 5002, 5003)
    nl = Genl("r")
    test_info(nl)
    test_ports(nl, lan, wan)
    table = test_tables(nl, lan, wan)
    test_large_table(nl)
    test_flow(nl, table, lan, wan)
    test_counters(nl)
    test_filters(nl, table, lan, wan)
    test_two_tables(nl, table, lan)
    test_refused(nl, lan)
    test_totals(nl)
    test_lost(nl)
    test_refusals(nl, lan)
    test_trace(nl)
    test_wrong_input(nl)
    test_fuzz()
    test_permissions(nl)
    test_many(nl)
    test_changes(nl)
    test_going(nl)
    nl.close()
    echo.stop()
    test_unbound()
    print(shell("topo_down; rmmod nft_offload_sim; path_drop nft_offload; "
                "path_in_use; grep ^nft_offload /proc/modules", check=False),
          end="")
    tap.ok("the module can be removed",
           not os.path.exists("/sys/module/nft_offload"))
    tap.finish()


if __name__ == "__main__":
    main()
