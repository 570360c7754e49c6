#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nfqueue.py: accepts all packets of netfilter's queue 0 in this netns, so that
they go on in a process and not in a softirq. Prints "ready" when it does."""
import socket
import struct

NETLINK_NETFILTER = 12
SUBSYSTEM = 3 << 8		# NFNL_SUBSYS_QUEUE
MSG_PACKET, MSG_VERDICT, MSG_CONFIG = (SUBSYSTEM | kind for kind in (0, 1, 2))
NFQA_PACKET_HDR, NFQA_VERDICT_HDR = 1, 2
NFQA_CFG_CMD, NFQA_CFG_PARAMS = 1, 2
BIND, COPY_META, NF_ACCEPT = 1, 1, 1


def send(sock, kind, attr, payload, flags=1):
    size = 4 + len(payload)
    body = struct.pack("=BBH", 0, 0, 0) + struct.pack("=HH", size, attr) + \
        payload + bytes(-size % 4)
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body)


def ask(sock, attr, payload):
    send(sock, MSG_CONFIG, attr, payload, 1 | 4)
    error = struct.unpack_from("=i", sock.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "nfqueue")


def packet_id(message):
    at = 20
    while at < len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        if kind & 0x3fff == NFQA_PACKET_HDR:
            return message[at + 4:at + 8]
        at += size + -size % 4
    raise ValueError("a packet without a number")


def main():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                       NETLINK_NETFILTER) as sock:
        ask(sock, NFQA_CFG_CMD, struct.pack("!BxH", BIND, 0))
        ask(sock, NFQA_CFG_PARAMS, struct.pack("!IB", 0, COPY_META))
        print("ready", flush=True)
        while True:
            message = sock.recv(65536)
            if struct.unpack_from("=H", message, 4)[0] == MSG_PACKET:
                send(sock, MSG_VERDICT, NFQA_VERDICT_HDR,
                     struct.pack("!I", NF_ACCEPT) + packet_id(message))


if __name__ == "__main__":
    main()
