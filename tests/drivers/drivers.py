#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
What is known of each driver, and what has to come out for each case.

An outcome is "hw" (both directions are in hardware, and right), "no" (neither is:
the driver or the module refuses), or "may" (one of these). Whatever is in
hardware has to be right. A driver without any "hw" may not be offered anything.

    drivers.py kernels                       those there are drivers for
    drivers.py choose KERNEL [DRIVER...]     NAME MODULE of each of these, or of all
    drivers.py page FOLDER                   docs/drivers.md, of KERNEL.tap in it
"""
import sys
from dataclasses import dataclass

V4 = ("v4-udp", "v4-tcp", "snat", "snat-tcp", "snat-port", "dnat", "dnat-port",
      "both", "both-port")
V6_NAT = "v6-snat", "v6-dnat-port", "v6-both-port"
V6 = ("v6-udp", "v6-tcp", *V6_NAT)
ONE_TAG = "vlan-in", "vlan-out", "vlan-both", "v6-vlan-out"
TWO_TAGS = "qinq", "ad-q"
PPPOE = "pppoe", "pppoe-vlan"
ALL = (*V4, *V6, *ONE_TAG, *TWO_TAGS, "ad", *PPPOE, "gre")


@dataclass(frozen=True)
class Driver:
    """
    module: the glue's; args: its parameters
    name: of the bus driver; info: what ethtool -i says
    hw, may: cases; all others are "no"
    wild: words of a match that this hardware does not look at; "untagged": a rule
        without tags is for packets with any, too
    ttl: what becomes of it
    counts: whether it counts packets
    full: errno of a full table; 0: it has none
    """
    module: str
    name: str
    info: str
    text: str
    hw: tuple = ()
    may: tuple = ()
    wild: tuple = ()
    ttl: str = "-1"
    counts: bool = True
    full: int = 0
    args: tuple = ()
    kernels: tuple = ("6.1",)


ENGINE = {"wild": ("port", "tags", "pppoe"), "counts": False}

DRIVERS = {
    "mtk": Driver(
        "mtk", "mtk_soc_eth", "mtk_soc_eth", "MediaTek PPE, NETSYS 1",
        hw=(*V4, "v6-udp", "v6-tcp", *ONE_TAG, "qinq", *PPPOE), **ENGINE),
    "mtk-v2": Driver(
        "mtk", "mtk_soc_eth", "mtk_soc_eth", "MediaTek PPE, NETSYS 2",
        args=("v2=1",), kernels=("7.x",),
        hw=(*V4, "v6-udp", "v6-tcp", *ONE_TAG, "qinq", *PPPOE), **ENGINE),
    "airoha": Driver(
        "airoha", "airoha_eth", "airoha_eth", "Airoha EN7581 PPE",
        kernels=("7.x",),
        hw=(*V4, "v6-udp", "v6-tcp", *ONE_TAG, "qinq", *PPPOE), **ENGINE),
    "mlx5": Driver(
        "mlx5", "mlx5_core", "mlx5e_rep", "NVIDIA mlx5, representors",
        kernels=("6.1", "7.x"),
        hw=(*V4, *V6, *ONE_TAG, *TWO_TAGS, "ad", "gre"), full=28),
    "mlx5-block": Driver(
        "mlx5", "mlx5_core", "mlx5e_rep",
        "NVIDIA mlx5, representors, TC_SETUP_BLOCK", args=("block=1",),
        hw=(*V4, *V6, *ONE_TAG, *TWO_TAGS, "ad", "gre"), full=28),
    # Two tags only where its firmware knows them; the TTL by setting it, where the
    # packet's own is matched.
    "nfp": Driver(
        "nfp", "nfp", "nfp", "Netronome nfp, flower firmware",
        hw=(*V4, *V6, *ONE_TAG), may=(*TWO_TAGS, "ad", "gre"), wild=("untagged",),
        full=2),
    # Nothing in a filter touches the TTL: the admin has to say that this will do.
    "cxgb4": Driver(
        "cxgb4", "cxgb4", "cxgb4", "Chelsio T6",
        hw=(*V4, *V6, *ONE_TAG), wild=("untagged",), ttl="kept", full=12),
    # Accepts and does something else: nothing may be offered.
    "bnxt": Driver(
        "bnxt", "bnxt_en", "bnxt_en", "Broadcom bnxt", wild=("untagged",)),
    "stmmac": Driver(
        "stmmac", "dwmac-generic", "st_gmac", "Synopsys DWMAC 5.10",
        wild=("untagged",), counts=False),
}

# What is wrong today: not "what we expect", but what is still to be mended. Whoever
# mends it takes the line out; a case that is right and listed here fails.
# (drivers, cases, reason)
KNOWN = (
    (("nfp",), (*V4, *V6, *ONE_TAG), "there is no dialect for it yet"),
    (("cxgb4",), (*V4, *V6, *ONE_TAG), "there is no dialect for it yet"),
)


def known(driver, case):
    """Why this case of this driver fails, or None."""
    for drivers, cases, reason in KNOWN:
        if driver in drivers and case in cases:
            return reason
    return None


# --- for the scripts ---

def kernels():
    return sorted({kernel for driver in DRIVERS.values()
                   for kernel in driver.kernels})


def choose(kernel, *specs):
    for spec in specs or DRIVERS:
        name = spec.split(",")[0]
        if name not in DRIVERS:
            sys.exit(f"drivers: '{name}' is none of {', '.join(DRIVERS)}")
        if kernel in DRIVERS[name].kernels:
            yield f"{spec} {DRIVERS[name].module}"
        elif specs:
            sys.exit(f"drivers: {name} is not for {kernel}")


class Notes:
    """Sentences that many cells have."""

    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def either_way(text):
    """What is said of both directions alike, once."""
    parts = text.split("; ")
    found = []
    for part in parts:
        way, _, what = part.partition(": ")
        other = {"orig": "reply", "reply": "orig"}.get(way)
        said = what if other and f"{other}: {what}" in parts else part
        if said not in found:
            found.append(said)
    return "; ".join(found)


def cells(tap, notes):
    """(driver, case) -> what stands there, of lines "# matrix DRIVER CASE VERDICT
    [WHY]"."""
    found = {}
    for line in tap.splitlines():
        if line.startswith("# matrix "):
            driver, case, verdict, *why = line[9:].split(" ", 3)
            text = (why[0] if why else "").strip()
            if verdict in ("right", "none") or not text:
                found[driver, case] = verdict
            else:
                found[driver, case] = f"{verdict} ({notes.number(either_way(text))})"
    return found


def of_page(text):
    """A driver's answer, without the name of what stands for the driver here."""
    return text.replace("rig_", "").replace("|", "\\|")


def page(folder):
    from world import CASES		# needs what a guest needs
    rows = [(case.name, case.text) for case in CASES]
    rows += [("counters", "counters"), ("delete", "delete"),
             ("unknown", "delete of what it has lost"), ("full", "full"),
             ("rtnl", "its lock is held")]
    notes = Notes()
    yield from """# Drivers

Written by `tests/drivers/matrix` from what it has run; not by hand.

The drivers' own code, compiled from Debian's source of the kernel, was given the
rules of real connections, with registers that are memory and firmware that says
yes. No real hardware was there. What the driver wrote to it was read and compared
with the packets that the connection has: addresses, ports, MACs, tags, session, TTL,
port.

- right: both directions are in hardware, and what they do there is right
- refused: both stay in software, because the driver or the module said so
- half: one direction is in hardware
- wrong: it is in hardware and does something else; `KNOWN` in
  `tests/drivers/drivers.py` has why that is so today
- none: it does not count
- a dash: it was never asked
""".splitlines()
    for kernel in kernels():
        with open(f"{folder}/{kernel}.tap", encoding="utf-8") as file:
            tap = file.read()
        info = dict(line[16:].split("=", 1) for line in tap.splitlines()
                    if line.startswith("# matrix-kernel "))
        found = cells(tap, notes)
        names = [name for name, driver in DRIVERS.items()
                 if kernel in driver.kernels]
        yield ""
        yield f"## Linux {info['release']} ({info['version']})"
        yield ""
        for name in names:
            yield f"- {name}: {DRIVERS[name].text}"
        yield ""
        yield "| |" + "".join(f" {name} |" for name in names)
        yield "|---|" + "---|" * len(names)
        for case, text in rows:
            yield f"| {text} |" + "".join(
                f" {found.get((name, case), '-')} |" for name in names)
    yield ""
    yield "## What was said, or is wrong"
    yield ""
    for number, text in enumerate(notes.texts, 1):
        yield f"{number}. {of_page(text)}"


def main():
    command, *args = sys.argv[1:]
    for line in {"kernels": kernels, "choose": choose, "page": page}[command](*args):
        print(line)


if __name__ == "__main__":
    main()
