# SPDX-License-Identifier: GPL-2.0
"""A client of the netlink family nfto, for tests.

Numbers come from the module's own header, kmod/include/uapi/linux/nfto.h;
what kind of value an attribute has is in KINDS. An answer is a dict by the
names that netlink/nfto.yaml gives.
"""
import ctypes
import os
import re
import socket
import struct

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../kmod/include/uapi/linux/nfto.h")

NETLINK_GENERIC = 16
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK, STRICT_CHK = 270, 10, 11, 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK = 1, 2, 4
NLM_F_DUMP_INTR, NLM_F_DUMP = 0x10, 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3fff
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS = 1, 2
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def read_header():
    """Enumerators by name, and (set, number) -> name of attributes."""
    with open(HEADER, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    numbers = {}
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", text, re.S):
        value = -1
        for item in filter(None, (part.strip() for part in body.split(","))):
            name, _, number = (word.strip() for word in item.partition("="))
            if "(" not in number:
                value = int(number) if number else value + 1
                numbers[name] = value
    for name, number in re.findall(r"#define\s+(NFTO_\w+)\s+(\d+)\s*$", text, re.M):
        numbers[name] = int(number)
    return numbers


NUMBERS = read_header()

# Kinds of values: u8..u64, s32, str, flag, ip, mac, (set,) for a nest, [kind]
# for one that comes several times, an enum's name.
KINDS = {
    "info": {"version": "str", "abi-version": "u32"},
    "port": {
        "ifindex": "u32", "name": "str", "state": "port-state",
        "kind": "port-kind", "errno": "u32", "why": "str", "users": "u32",
        "in-hardware": "u32", "full-at": "u32", "queued": "u32",
        "workers": "u32", "accepted": "u64", "refused": "u64", "removed": "u64",
        "stuck": "u64", "queries": "u64", "lost": "u64", "packets": "u64",
        "bytes": "u64", "driver": "str", "block": "block",
        "reason": "reason", "harm": "str"},
    "reason-count": {"reason": "reason", "count": "u64"},
    "flowtable": {
        "id": "u32", "name": "str", "table": "str", "family": "u32",
        "priority": "s32", "offload": "flag", "counter": "flag",
        "devices": ["u32"],
        "flows": "u32", "packets": "u64", "bytes": "u64",
        "reasons": [("reason-count",)], "follow-ruleset": "u8"},
    "tuple": {"l4proto": "u8", "src": "ip", "dst": "ip", "sport": "u16",
              "dport": "u16"},
    "encap": {"proto": "u16", "id": "u16"},
    "dir": {
        "in-ifindex": "u32", "out-ifindex": "u32", "route-ifindex": "u32",
        "mac": "mac", "next-hop": "ip", "encap": [("encap",)], "mtu": "u32", "hw": "hw",
        "reason": "reason", "errno": "u32", "why": "str", "tries": "u32",
        "cookie": "u64", "hw-packets": "u64", "hw-bytes": "u64",
        "sw-packets": "u64", "sw-bytes": "u64"},
    "filter": {
        "flowtable": "u32", "ifindex": "u32", "in-ifindex": "u32", "hw": "hw",
        "reason": "reason", "address": "ip", "prefix-len": "u32", "port": "u16",
        "l4proto": "u8", "mark": "u32", "mark-mask": "u32", "zone": "u16",
        "state": "flow-state", "src": "ip", "src-len": "u32", "dst": "ip",
        "dst-len": "u32", "sport": "u16", "dport": "u16"},
    "flow": {
        "id": "u64", "filter": ("filter",), "flowtable": "u32", "zone": "u32",
        "mark": "u32", "ct-id": "u32", "nat": "u32", "orig": ("tuple",),
        "reply": ("tuple",), "idle-ms": "u32", "expires-ms": "u32",
        "dir-orig": ("dir",), "dir-reply": ("dir",),
        "end-reason": "reason"},
    "count": {
        "filter": ("filter",), "id": "u64", "flows": "u32", "hardware": "u32",
        "half": "u32", "waiting": "u32", "software": "u32", "ended": "u32",
        "offered": "u32"},
    "probe": {
        "ifindex": "u32", "out-ifindex": "u32", "feature": "feature",
        "count": "u32", "accepted": "u32", "left": "u32", "state": "port-state",
        "kind": "port-kind", "errno": "u32", "why": "str", "reason": "reason",
        "counts": "flag"},
    "stats": {
        "flowtables": "u32", "ports": "u32", "flows": "u32", "in-hardware": "u32",
        "packets": "u64", "bytes": "u64", "hw-packets": "u64",
        "hw-bytes": "u64", "reasons": [("reason-count",)],
        "recent-ms": "u32", "recent-packets": "u64", "recent-bytes": "u64",
        "recent-hw-packets": "u64", "recent-hw-bytes": "u64"},
    "refusal": {"when-ns": "u64", "count": "u32", "reason": "reason",
                "orig": ("tuple",), "zone": "u32", "ifindex": "u32",
                "cpu": "u32"},
}
# Operations whose attribute set has another name.
SPACES = {"flow-count": "count", "flow-del": "count",
          "flow-revalidate": "count", "port-probe": "probe"}
ENUMS = ("reason", "port-state", "port-kind", "hw", "flow-state", "feature",
         "block")
FORMATS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s32": "i"}


def c_name(*words):
    return "_".join(("NFTO",) + words).upper().replace("-", "_")


def attr_number(space, name):
    return NUMBERS[c_name("a", space, name)]


def space_of(command):
    return SPACES.get(command) or command.rsplit("-", 1)[0]


def enum_names(enum):
    """Number -> name, as the YAML has them."""
    prefix = c_name(enum) + "_"
    return {number: name[len(prefix):].lower().replace("_", "-")
            for name, number in NUMBERS.items()
            if name.startswith(prefix) and not name.endswith("_MAX")}


ENUM_NAMES = {enum: enum_names(enum) for enum in ENUMS}
ATTR_NAMES = {space: {attr_number(space, name): name for name in kinds}
              for space, kinds in KINDS.items()}


class Error(Exception):
    """What the kernel answered: errno, its sentence, where in the request."""

    def __init__(self, errno, text, offset=None):
        super().__init__(errno, text)
        self.errno, self.text, self.offset = errno, text, offset


# --- values ---

def attr(number, payload):
    size = 4 + len(payload)
    return struct.pack("=HH", size, number) + payload + b"\0" * (-size % 4)


def encode_value(kind, value):
    if isinstance(kind, tuple):
        return encode(kind[0], value)
    if kind in ENUMS:
        names = {name: number for number, name in ENUM_NAMES[kind].items()}
        return struct.pack("=I", names.get(value, value))
    if kind in FORMATS:
        return struct.pack("=" + FORMATS[kind], value)
    if kind == "ip":
        return socket.inet_pton(
            socket.AF_INET6 if ":" in value else socket.AF_INET, value)
    raise ValueError(kind)


def encode(space, values):
    """Attributes from a dict."""
    out = b""
    for name, value in values.items():
        kind = KINDS[space][name]
        number = attr_number(space, name)
        if isinstance(kind, tuple):
            number |= NLA_F_NESTED
        out += attr(number, encode_value(kind, value))
    return out


def attrs_of(data):
    """(number, payload) of each attribute."""
    at = 0
    while at + 4 <= len(data):
        size, number = struct.unpack_from("=HH", data, at)
        if size < 4 or at + size > len(data):
            raise ValueError(f"bad attribute of {size} bytes")
        yield number & NLA_TYPE_MASK, data[at + 4:at + size]
        at += size + -size % 4


def decode_value(kind, data):
    if isinstance(kind, tuple):
        return decode(kind[0], data)
    if kind in ENUMS:
        return ENUM_NAMES[kind][struct.unpack("=I", data)[0]]
    if kind in FORMATS:
        return struct.unpack("=" + FORMATS[kind], data)[0]
    return {
        "str": lambda: data.rstrip(b"\0").decode(),
        "flag": lambda: True,
        "mac": lambda: data.hex(":"),
        "ip": lambda: socket.inet_ntop(
            socket.AF_INET if len(data) == 4 else socket.AF_INET6, data),
    }[kind]()


def decode(space, data):
    pad = NUMBERS.get(c_name("a", space, "pad"))
    values = {}
    for number, payload in attrs_of(data):
        if number == pad:
            continue
        name = ATTR_NAMES[space][number]
        kind = KINDS[space][name]
        if isinstance(kind, list):
            values.setdefault(name, []).append(decode_value(kind[0], payload))
        else:
            if name in values:
                raise ValueError(f"{space}: {name} is there twice")
            values[name] = decode_value(kind, payload)
    return values


# --- the socket ---

class Netns:
    """Everything within is in that netns; None: where we are."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        if self.name:
            self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
            with open(f"/run/netns/{self.name}", "rb") as file:
                self.move(file.fileno())

    def __exit__(self, *_):
        if self.name:
            self.move(self.home)
            os.close(self.home)

    @staticmethod
    def move(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Genl:
    """A socket in a netns that speaks to the family nfto."""

    def __init__(self, netns=None, room=65536):
        with Netns(netns):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                      NETLINK_GENERIC)
        for option in NETLINK_CAP_ACK, NETLINK_EXT_ACK:
            self.sock.setsockopt(SOL_NETLINK, option, 1)
        self.sock.bind((0, 0))
        self.sock.settimeout(60)
        self.room = room
        self.seq = 0
        self.interrupted = False
        self.messages = 0
        self.family = self.find_family()

    def close(self):
        self.sock.close()

    def find_family(self):
        self.send_raw(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK,
                      struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) +
                      attr(CTRL_ATTR_FAMILY_NAME, b"nfto\0"))
        for payload in self.receive():
            return struct.unpack("=H", dict(attrs_of(payload[4:]))
                                 [CTRL_ATTR_FAMILY_ID])[0]
        raise RuntimeError("no answer of the controller")

    def send_raw(self, kind, flags, payload, length=None):
        self.seq += 1
        size = 16 + len(payload)
        self.sock.send(struct.pack("=IHHII", size if length is None else length,
                                   kind, flags, self.seq, 0) + payload)

    def send(self, command, attrs, flags=NLM_F_ACK):
        number = NUMBERS[c_name("cmd", command)]
        self.send_raw(self.family, NLM_F_REQUEST | flags,
                      struct.pack("=BBH", number, 1, 0) + attrs)

    def datagram(self):
        """(kind, flags, payload) of each message of one datagram."""
        data = self.sock.recv(self.room)
        self.messages += 1
        at = 0
        while at + 16 <= len(data):
            size, kind, flags, seq, _ = struct.unpack_from("=IHHII", data, at)
            if seq == self.seq:
                yield kind, flags, data[at + 16:at + size]
            at += size + -size % 4

    def receive(self):
        """Payloads up to the acknowledgement or the dump's end."""
        self.interrupted = False
        while True:
            for kind, flags, payload in self.datagram():
                if flags & NLM_F_DUMP_INTR:
                    self.interrupted = True
                if kind == NLMSG_ERROR:
                    skip = 20
                    if not flags & NLM_F_CAPPED:
                        skip = 4 + struct.unpack_from("=I", payload, 4)[0]
                    self.check(flags, payload, skip)
                    return
                if kind == NLMSG_DONE:
                    self.check(flags, payload, 4)
                    return
                yield payload

    @staticmethod
    def check(flags, payload, skip):
        errno = struct.unpack_from("=i", payload)[0]
        if not errno:
            return
        said = dict(attrs_of(payload[skip:])) if flags & NLM_F_ACK_TLVS else {}
        offset = said.get(NLMSGERR_ATTR_OFFS)
        raise Error(-errno,
                    said.get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(),
                    offset and struct.unpack("=I", offset)[0])

    def objects(self, command):
        space = space_of(command)
        for payload in self.receive():
            yield decode(space, payload[4:])

    def do(self, command, **values):
        """The one object, or Error. Names have _ for -."""
        self.send(command, self.attrs(command, values))
        found = list(self.objects(command))
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} answers")
        return found[0]

    def dump(self, command, **values):
        """All objects; self.interrupted says whether it was disturbed."""
        self.send(command, self.attrs(command, values), NLM_F_DUMP)
        return list(self.objects(command))

    def flows(self, **values):
        """The flows that a filter lets through."""
        if not values:
            return self.dump("flow-get")
        return self.dump("flow-get", filter={
            name.replace("_", "-"): value for name, value in values.items()})

    @staticmethod
    def attrs(command, values):
        return encode(space_of(command), {
            name.replace("_", "-"): value for name, value in values.items()})
