#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The part of nft-offload that sets up and explains: enable, disable, check, probe
and explain, as text and as JSON, with and without the module, beside the admin's
tables, and with input that makes no sense.
"""
import json
import os
import re
import subprocess
import sys

from netlink import Echo, begin, poll, shell, tap

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get(
    "NFTO_TOOL", f"{HERE}/../../build/user/userspace/cli/nft-offload")
KEPT = "/etc/nft-offload/nft_offload.conf"
OK, FAILED, USAGE, NO_MODULE, NOT_PERMITTED, NO_SUCH = 0, 1, 2, 3, 4, 6
WARNINGS, WILL_NOT_WORK = 10, 11


class Run:
    """The tool, in a network namespace or as somebody else."""

    def __init__(self, *words, netns="r", prefix=()):
        netns = ["-n", netns] if netns else []
        got = subprocess.run([*prefix, TOOL, *netns, *words], text=True,
                             check=False, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.status, self.out, self.err = got.returncode, got.stdout, got.stderr

    def all(self):
        return f"status {self.status}\n{self.out}{self.err}"


def run(text, status, *words, says="", **where):
    """Runs it; status and a pattern of its output must be as they should."""
    got = Run(*words, **where)
    problems = []
    if got.status != status:
        problems.append(f"wanted status {status}")
    if not re.search(says, got.out + got.err):
        problems.append(f"wanted {says!r}")
    tap.result(f"{text}: {' '.join(words)}",
               [*problems, got.all()] if problems else [])
    return got


keys = set()


def note_keys(answer):
    """The keys of objects in objects."""
    if isinstance(answer, dict):
        keys.update(answer)
        answer = list(answer.values())
    for one in answer if isinstance(answer, list) else ():
        note_keys(one)


def test_keys():
    print("# nft-offload-json(5)")
    with open(f"{HERE}/../../userspace/man/nft-offload-json.5",
              encoding="utf-8") as file:
        described = set(re.findall(r"\w+", file.read()))
    tap.equal("has every key that was met", sorted(keys - described), [])


def run_json(text, status, *words, **where):
    """The same with -j: what it prints, parsed, with no word on stderr."""
    got = Run("-j", *words, **where)
    problems = []
    answer = {}
    try:
        answer = json.loads(got.out)
    except ValueError as error:
        problems.append(str(error))
    note_keys(answer)
    if got.status != status:
        problems.append(f"wanted status {status}")
    if got.err:
        problems.append("stderr is not empty")
    tap.result(f"{text}, JSON: {' '.join(words)}",
               [*problems, got.all()] if problems else [])
    return answer


def ruleset(netns="r"):
    return shell(f"in_ns {netns} nft list ruleset" if netns else
                 "nft list ruleset")


def flush():
    shell("in_ns r nft flush ruleset")


def results(checks, name):
    return {(one.get("subject", ""), one["result"]) for one in checks["checks"]
            if one["check"] == name}


# --- without the module ---

def test_without_module():
    print("# without the module")
    run("enable says what is missing", NO_MODULE, "enable", "lan", "wan",
        says="modprobe nft_offload")
    answer = run_json("enable says it", NO_MODULE, "enable", "lan", "wan")
    tap.equal("errno and exit are in it",
              (answer["error"]["errno_name"], answer["error"]["exit"]),
              ("ENOPROTOOPT", NO_MODULE))
    tap.equal("nothing was made", ruleset(), "")
    checks = run_json("check works", WILL_NOT_WORK, "check", "lan")
    tap.equal("it finds the module missing", results(checks, "module"),
              {("", "problem")})
    config = f"/boot/config-{os.uname().release}"
    for content, result in ((None, "unknown"), ("CONFIG_NF_TABLES=m", "problem"),
                            ("CONFIG_NF_TABLES=m\nCONFIG_NF_TABLES_INET=y\n"
                             "CONFIG_NF_CONNTRACK=m\n"
                             "CONFIG_NETFILTER_INGRESS=y\nCONFIG_IPV6=y\n",
                             "ok")):
        if content:
            with open(config, "w", encoding="utf-8") as file:
                file.write(content)
        checks = run_json("the kernel", WILL_NOT_WORK, "check")
        tap.equal("what it was built with", results(checks, "kernel-config"),
                  {("", result)})
    run("probe", NO_MODULE, "probe", "lan", says="modprobe")
    run("explain", NO_MODULE, "explain", "udp", "10.1.0.2:1", "10.2.0.2:2")
    run("disable has nothing to remove", NO_SUCH, "disable")
    run("dry-run needs no module", OK, "enable", "lan", "--dry-run",
        says="flow add @ft")
    tap.equal("still nothing was made", ruleset(), "")


# --- enable and disable ---

def listed_from_text(*words):
    """What nft lists after it has loaded the dry run's text, twice."""
    text = Run("enable", *words, "--dry-run").out
    for _ in range(2):
        subprocess.run(["nsenter", "--net=/run/netns/r", "nft", "-f", "-"],
                       input=text, text=True, check=True)
    return ruleset()


def test_enable():
    print("# enable and disable")
    for words in ([], ["--software"], ["--no-counter"], ["--proto", "gre"],
                  ["--proto", "udp,gre,tcp"], ["--table", "other.t-1"]):
        run("enable", OK, "enable", "lan", "wan", *words)
        made = ruleset()
        flush()
        tap.equal("its text makes the same",
                  listed_from_text("lan", "wan", *words), made)
        flush()
    run("enable one device", OK, "enable", "lan")
    run("and others in place of it", OK, "ena", "lan", "wan",
        says="lan, wan; tcp, udp; hardware, counter")
    made = ruleset()
    tap.equal("one table is there", made.count("table inet"), 1)
    tap.ok("which says whose it is", 'comment "made by nft-offload"' in made)
    answer = run_json("again", OK, "enable", "lan", "wan")
    tap.equal("with all of it", answer,
              {"version": 1, "family": "inet", "table": "nft_offload",
               "devices": ["lan", "wan"], "protocols": ["tcp", "udp"],
               "offload": True, "counter": True})
    tap.equal("nothing else has changed", ruleset(), made)
    answer = run_json("dry-run", OK, "enable", "wan", "--dry-run")
    tap.ok("has the text", "delete table inet nft_offload" in answer["nft"])
    tap.equal("and changes nothing", ruleset(), made)
    run("disable", OK, "disable", says="was removed")
    tap.equal("nothing is left", ruleset(), "")
    run("disable again", NO_SUCH, "disable", says="no table of this name")
    answer = run_json("disable again", NO_SUCH, "disable")
    tap.equal("says so", answer["error"]["errno_name"], "ENOENT")


ADMIN = """table inet admin {
	flowtable f { hook ingress priority 5; devices = { lan }; }
	chain forward {
		type filter hook forward priority 10; policy accept
		udp dport 9 drop
	}
}
"""


def test_beside_others():
    print("# beside the admin's tables")
    shell(f"in_ns r nft -f - <<'END'\n{ADMIN}END")
    before = ruleset()
    for words in (["enable", "lan", "--table", "admin"],
                  ["disable", "--table", "admin"]):
        run("a table of others is left alone", FAILED, *words,
            says="has not made")
        answer = run_json("likewise", FAILED, *words)
        tap.equal("it is EEXIST", answer["error"]["errno_name"], "EEXIST")
    tap.equal("nothing has changed", ruleset(), before)
    run("ours beside it", OK, "enable", "lan", "wan")
    tap.ok("the admin's is as it was", ruleset().startswith(before))
    run("two of ours", OK, "enable", "wan", "--table", "second")
    run("one goes", OK, "disable")
    run("and the other one", OK, "disable", "--table", "second")
    tap.equal("what was there is there", ruleset(), before)
    flush()


def test_wrong_input():
    print("# wrong input")
    for words, says in (
            (["enable"], "needs DEV"),
            (["enable", "lan", "lan"], "twice"),
            (["enable", "a/b"], "no name of a device"),
            (["enable", "lan", "--table", "1x"], "no name for a table"),
            (["enable", "lan", "--table", "a b"], "no name for a table"),
            (["enable", "lan", "--table"], "needs NAME"),
            (["enable", "lan", "--proto", "sctp"], "no protocol"),
            (["enable", "lan", "--proto", "tcp,,udp"], "no protocol"),
            (["enable", "lan", "--proto", "tcp,tcp"], "twice"),
            (["enable", "lan", "--counter", "--no-counter"], "exclude"),
            (["enable", "lan", "--dry-run", "--persist"], "leave out"),
            (["enable", "lan", "--hard"], "no '--hard'"),
            (["enable", "lan", "--persist"], "other network namespaces"),
            (["disable", "lan"], "one word too many"),
            (["disable", "--table", "../x"], "no name for a table"),
            (["probe"], "needs DEV"),
            (["probe", "lan", "capacity", "0"], "at least 1"),
            (["probe", "lan", "capacity", "x"], "capacity"),
            (["explain", "udp", "10.1.0.2:1"], "DST:PORT"),
            (["explain", "icmp", "10.1.0.2:1", "10.2.0.2:1"], "not tcp"),
            (["explain", "udp", "10.1.0.2", "10.2.0.2:1"], "ADDRESS:PORT"),
            (["explain", "udp", "10.1.0.2:65536", "10.2.0.2:1"],
             "ADDRESS:PORT"),
            (["explain", "udp", "fd01::2:1", "[fd02::2]:1"], "ADDRESS:PORT"),
            (["explain", "udp", "[fd01::2]:1", "10.2.0.2:1"], "the other"),
            (["explain", "gre", "10.1.0.2:1", "10.2.0.2"], "no ports"),
            (["explain", "udp", "10.1.0.2:1", "10.2.0.2:1", "--zone", "65536"],
             "zone")):
        run("usage", USAGE, *words, says=says)
        answer = run_json("usage", USAGE, *words)
        tap.ok("the error is in it", answer.get("error", {}).get("why"), answer)
    for words in (["enable", "nosuch"], ["probe", "nosuch"],
                  ["probe", "lan", "to", "nosuch"]):
        run("no such device", NO_SUCH, *words, says="no network device 'nosuch'")
    tap.equal("nothing was made", ruleset(), "")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    run("without privileges", NOT_PERMITTED, "enable", "lo", netns=None,
        prefix=nobody, says="root")
    run("check without privileges", WILL_NOT_WORK, "check", netns=None,
        prefix=nobody, says="Only root")


# --- what is kept ---

def test_persist():
    print("# persist")
    shell("modprobe dummy numdummies=0; ip link add d0 type dummy")
    run("keep", OK, "enable", "d0", "--persist", "--proto", "udp", netns=None,
        says="systemctl enable nft-offload.service")
    made = ruleset(None)
    with open(KEPT, encoding="utf-8") as file:
        text = file.read()
    tap.ok("the file has it", "devices = d0\nprotocols = udp\nhardware = yes\n"
           "counter = yes\n" in text, text)
    tap.equal("readable by all", os.stat(KEPT).st_mode & 0o777, 0o644)
    tap.equal("no temporary file is left", os.listdir("/etc/nft-offload"),
              ["nft_offload.conf"])
    shell("nft flush ruleset")
    run("as at boot", OK, "enable", "--persisted", netns=None)
    tap.equal("it is as it was", ruleset(None), made)
    run("once more", OK, "enable", "--persisted", netns=None,
        says="existed already")

    with open(KEPT, "w", encoding="utf-8") as file:
        file.write(text.replace("= d0", "= d0 later0"))
    shell("nft flush ruleset")
    run("a device is not there yet", OK, "enable", "--persisted", netns=None,
        says="do not exist yet: later0")
    tap.equal("the others are", ruleset(None), made)
    shell("ip link add later0 type dummy")
    answer = run_json("it has come", OK, "enable", "--persisted", netns=None)
    tap.equal("and is in", answer["tables"][0]["devices"], ["d0", "later0"])
    shell("ip link del later0; ip link del d0; nft flush ruleset")
    run("no device is there", OK, "enable", "--persisted", netns=None,
        says="do not exist yet: d0, later0")
    tap.equal("nothing was made", ruleset(None), "")

    for wrong in ("speed = 5", "devices = d0", "hardware = maybe", "devices d0",
                  "protocols ="):
        with open(KEPT, "w", encoding="utf-8") as file:
            file.write(f"{text}{wrong}\n")
        run(f"not understood, {wrong!r}", FAILED, "enable", "--persisted",
            netns=None, says="not understood")
    with open(KEPT, "w", encoding="utf-8") as file:
        file.write(text)
    run("disable leaves it", NO_SUCH, "disable", netns=None)
    run("disable --persist does not", OK, "disable", "--persist", netns=None)
    tap.ok("it is gone", not os.path.exists(KEPT))
    with open(KEPT, "w", encoding="utf-8") as file:
        file.write("mine\n")
    shell("ip link add d0 type dummy")
    for words in (["enable", "d0", "--persist"], ["disable", "--persist"]):
        run("a file of others is left alone", FAILED, *words, netns=None,
            says="has not written")
        tap.equal("and nothing was made", ruleset(None), "")
    with open(KEPT, encoding="utf-8") as file:
        tap.equal("as it was", file.read(), "mine\n")
    os.unlink(KEPT)
    shell("nft flush ruleset; ip link del d0")


# --- check ---

def test_check():
    print("# check")
    checks = run_json("nothing is set up", WARNINGS, "check", "lan", "wan")
    tap.equal("there is no flowtable", results(checks, "ruleset"),
              {("", "warning")})
    tap.equal("the devices are good", results(checks, "device"),
              {("lan", "ok"), ("wan", "ok")})
    tap.equal("no finding without a sentence",
              [one for one in checks["checks"] if not one["text"]], [])
    shell("mkdir -p /etc/modprobe.d; echo 'softdep nf_flow_table_inet pre: "
          "nft_offload' > /etc/modprobe.d/nft-offload.conf")
    Run("enable", "lan", "wan")
    poll(lambda: shell("port_get lan state; port_get wan state").split() ==
         ["bound"] * 2)
    run("all is well", OK, "check", says="Hardware offload works here")
    checks = run_json("all is well", OK, "check")
    tap.equal("both devices of the flowtable", results(checks, "device"),
              {("lan", "ok"), ("wan", "ok")})
    run("no such device", WILL_NOT_WORK, "check", "nosuch",
        says="nosuch: There is no such device")

    shell("in_ns r ethtool -K lan hw-tc-offload off")
    run("switched off", WILL_NOT_WORK, "check", says="ethtool -K lan")
    shell("in_ns r ethtool -K lan hw-tc-offload on")
    shell("in_ns r sysctl -qw net.ipv4.ip_forward=0 "
          "net.ipv6.conf.all.forwarding=0")
    run("no forwarding", WILL_NOT_WORK, "check", says="sysctl -w")
    shell("in_ns r sysctl -qw net.ipv4.ip_forward=1 "
          "net.ipv6.conf.all.forwarding=1")
    Run("enable", "lan", "wan", "--software", "--no-counter")
    run("software, no counter", WARNINGS, "check",
        says=r'(?s)no "flags offload".*no "counter"')
    flush()
    shell(f"in_ns r nft -f - <<'END'\n{ADMIN}END")
    run("no rule", WILL_NOT_WORK, "check", says='No rule has "flow add @f"')
    flush()

    shell("ip -n r link add link lan name lan.5 type vlan id 5; "
          "ip -n r link add br0 type bridge; ip -n r link set wan master br0; "
          "ip -n r link add tun0 type ipip local 10.1.0.1 remote 10.1.0.9")
    run("a VLAN", WARNINGS, "check", "lan.5", says="instead: lan\n")
    run("a bridge", WARNINGS, "check", "br0", says="instead: wan\n")
    run("a tunnel", WARNINGS, "check", "tun0", says="no Ethernet")
    shell("ip -n r link del lan.5; ip -n r link del br0; ip -n r link del tun0; "
          "ip -n r addr add 10.2.0.1/24 dev wan; "
          "ip -n r addr add fd02::1/64 dev wan nodad", check=False)


def test_kernels_own():
    print("# the kernel's own flowtable")
    shell("path_drop nft_offload; path_use kernel && ft_flags= ft_rules && "
          "insmod $NFTO_MODULES/nft_offload.ko")
    run("the kernel was first", WILL_NOT_WORK, "check",
        says="(?s)loaded first.*kernel's own path provides")
    checks = run_json("the same", WILL_NOT_WORK, "check")
    tap.equal("whose it is is said of the flowtable",
              ("inet t ft", "problem") in results(checks, "flowtable"), True)
    flush()
    shell("path_use kernel; path_use module")


# --- probe ---

def test_probe():
    print("# probe")
    run("probe", OK, "probe", "lan", says="ipv4-tcp +yes +yes")
    answer = run_json("probe", OK, "probe", "lan", "capacity", "500")
    taken = {one["feature"]: one["accepted"] == 1 for one in answer["features"]}
    tap.equal("as the profile has it",
              (taken["ipv4-tcp"], taken["ipv6-nat"], taken["pppoe-out"]),
              (True, True, False))
    tap.equal("it says why not", [one["errno_name"] for one in answer["features"]
                                  if one["feature"] == "pppoe-out"],
              ["EOPNOTSUPP"])
    tap.equal("the other port was found", answer["out"], "wan")
    tap.equal("all were taken", (answer["capacity"]["count"],
                                 answer["capacity"]["accepted"]), (500, 500))
    tap.equal("nothing is left", shell("sim_count_entries").strip(), "0")
    shell("knob capacity 100")
    run("a small table", OK, "probe", "lan", "to", "wan", "capacity", "1000",
        says="accepted 100 rules, then it said ENOSPC")
    shell("knob capacity 65536")
    tap.equal("nothing is left", shell("sim_count_entries").strip(), "0")
    shell("ip -n r link add dum0 type dummy")
    run("a device that cannot", WILL_NOT_WORK, "probe", "dum0",
        says="takes no flows")
    answer = run_json("a device that cannot", WILL_NOT_WORK, "probe", "dum0")
    tap.equal("says so", (answer["state"], answer["features"]), ("unbound", []))
    shell("ip -n r link del dum0")


# --- explain ---

RULES = """table ip n {
	chain post {
		type nat hook postrouting priority 100
		oifname wan udp dport 5001 masquerade
	}
	chain zones {
		type filter hook prerouting priority raw
		udp dport 5003 ct zone set 7
		udp sport 5003 ct zone set 7
	}
}"""


def explained(*words, status=OK):
    return run_json("explain", status, "explain", *words)


def test_explain():
    print("# explain")
    echo = Echo(5000, 5001, 5003)
    shell("in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600")
    Run("enable", "lan", "wan")
    shell(f"in_ns r nft -f - <<'END'\n{RULES}\nEND")
    poll(lambda: shell("port_get lan state; port_get wan state").split() ==
         ["bound"] * 2)
    begin([4000])
    poll(lambda: explain_state("udp", "10.1.0.2:4000", "10.2.0.2:5000") ==
         "hardware")
    for words in (("10.1.0.2:4000", "10.2.0.2:5000"),
                  ("10.2.0.2:5000", "10.1.0.2:4000")):
        answer = explained("udp", *words)
        tap.equal("both directions are in",
                  (answer["state"], answer.get("advice"),
                   answer.get("flow", answer).get("ct_id") is not None),
                  ("hardware", [], True))
    run("as text", OK, "explain", "udp", "10.1.0.2:4000", "10.2.0.2:5000",
        says="Both directions are in hardware")

    begin([4001], 5001)
    port = Run("-j", "explain", "udp", "10.1.0.2:4001", "10.2.0.2:5001").out
    port = json.loads(port)["flow"]["reply"]["dport"]
    for words in (("10.2.0.1:%d" % port, "10.2.0.2:5001"),
                  ("10.2.0.2:5001", "10.2.0.1:%d" % port),
                  ("10.2.0.2:5001", "10.1.0.2:4001")):
        tap.equal("before and after NAT",
                  explained("udp", *words)["flow"]["orig"]["sport"], 4001)
    begin([4002], address="fd02::2")
    answer = explained("udp", "[fd01::2]:4002", "[fd02::2]:5000")
    tap.equal("IPv6", answer["flow"]["orig"]["src"], "fd01::2")
    begin([4003], 5003)
    explained("udp", "10.1.0.2:4003", "10.2.0.2:5003", status=NO_SUCH)
    answer = explained("udp", "10.1.0.2:4003", "10.2.0.2:5003", "--zone", "7")
    tap.equal("in a zone", answer["flow"]["zone"], 7)

    shell("knob fail_replace EINVAL")
    begin([4004])
    poll(lambda: "refused" in
         Run("explain", "udp", "10.1.0.2:4004", "10.2.0.2:5000").out)
    run("what the driver said", OK, "explain", "udp", "10.1.0.2:4004",
        "10.2.0.2:5000", says="(?s)driver said: EINVAL.*nft-offload probe")
    answer = explained("udp", "10.1.0.2:4004", "10.2.0.2:5000")
    tap.equal("for each direction, with advice",
              [(one["direction"], one["reason"], bool(one["todo"]))
               for one in answer["advice"]],
              [("orig", "refused", True), ("reply", "refused", True)])
    shell("knob fail_replace 0")
    echo.stop()
    test_explain_without_flow()


def explain_state(*words):
    return json.loads(Run("-j", "explain", *words).out).get("state")


def test_explain_without_flow():
    run("nothing is known", NO_SUCH, "explain", "tcp", "10.1.0.2:1",
        "10.2.0.2:2", says="no entry in conntrack")
    shell("in_ns b nft add table inet quiet; in_ns b nft add chain inet quiet in "
          "'{ type filter hook input priority 0; }'; in_ns b nft add rule inet "
          "quiet in udp dport 6000 drop")
    shell("in_ns a bash -c 'echo x > /dev/udp/10.2.0.2/6000'")
    line = shell("in_ns r conntrack -L -p udp --orig-port-dst 6000 2>/dev/null")
    port = re.search(r"sport=(\d+)", line).group(1)
    words = ("udp", f"10.1.0.2:{port}", "10.2.0.2:6000")
    answer = explained(*words)
    tap.equal("no reply yet", (answer["state"], answer["connection"]["seen_reply"],
                               len(answer["rules"])), ("unseen", False, 1))
    run("the same", OK, "explain", *words, says="No packet of the reply")
    shell("in_ns b nft delete table inet quiet")

    echo = Echo(5000)
    flush()
    # conntrack follows connections only where a rule asks for it.
    shell("in_ns r nft -f - <<<'table ip k { chain f { type filter hook forward "
          "priority 0; ct state established accept; }; }'")
    begin([4010])
    run("no rule", OK, "explain", "udp", "10.1.0.2:4010", "10.2.0.2:5000",
        says='No rule has "flow add"')
    Run("enable", "lan", "wan", "--proto", "tcp")
    run("a rule for others", OK, "explain", "udp", "10.1.0.2:4010",
        "10.2.0.2:5000",
        says=r'(?s)reached a rule.*inet nft_offload forward \(handle')
    Run("enable", "lan", "wan")
    shell("in_ns r nft add table ip h; in_ns r nft add ct helper ip h amanda "
          "'{ type \"amanda\" protocol udp; }' ; in_ns r nft add chain ip h pre "
          "'{ type filter hook prerouting priority 0; }'; in_ns r nft add rule "
          "ip h pre udp sport 4011 ct helper set amanda", check=False)
    begin([4011])
    answer = explained("udp", "10.1.0.2:4011", "10.2.0.2:5000")
    tap.equal("a helper", (answer["state"], {one["reason"] for one in
                                             answer.get("refusals", [])}),
              ("refused", {"helper"}))
    run("what to do", OK, "explain", "udp", "10.1.0.2:4011", "10.2.0.2:5000",
        says="remove it from the ruleset")
    echo.stop()
    flush()


CASES = {
    "enable": test_enable,
    "beside": test_beside_others,
    "wrong": test_wrong_input,
    "persist": test_persist,
    "check": test_check,
    "probe": test_probe,
    "explain": test_explain,
    "kernel": test_kernels_own,
}


def main():
    print(shell("sim_load && modprobe -a nf_tables nf_conntrack && "
                "topo_up mlx5-rep"), end="")
    # Flows and connections that wait for the tool in a slow machine.
    shell("in_ns r sysctl -qw net.netfilter.nf_conntrack_udp_timeout=600 "
          "net.netfilter.nf_conntrack_udp_timeout_stream=600")
    names = sys.argv[1:]
    if not names:
        test_without_module()
    shell("path_use module")
    for name in names or CASES:
        CASES[name]()
    test_keys()
    tap.finish()


if __name__ == "__main__":
    main()
