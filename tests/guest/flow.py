#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Connections that do as they are told, for the tests.

flow.py serve PROTO ADDRESS PORT
    Echoes all it gets, until killed. Prints "peer ADDRESS PORT" for each TCP
    connection, and for each UDP peer that is new.

flow.py talk PROTO ADDRESS PORT [COUNT [SOURCE_PORT]]
    Opens COUNT connections (1), exchanges one byte on each, prints "ready".
    Then, for each line on standard input:
      send N      sends N kilobytes of random data on each connection, in
                  datagrams of 1000 bytes with UDP, and compares the echo;
                  prints "sent N ok", or "sent N bad REASON"
      fire N      sends N datagrams on each connection, 20 ms apart, and takes
                  what comes back; prints "fired SENT ANSWERED"
      big N       as send, UDP: one datagram of N bytes
      options on  IPv4: packets have options from now on (off: no more)
      ttl N       and this TTL
      abort       as close, but TCP ends with RST
      close       closes all, prints "closed" and ends

PROTO is tcp or udp.
"""
import os
import select
import socket
import struct
import sys
import threading
import time

TIMEOUT = 30
KILO = 1000


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def kind_of(proto):
    return {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[proto]


def say(*words):
    print(*words, flush=True)


def echo_stream(conn):
    with conn:
        try:
            while data := conn.recv(65536):
                conn.sendall(data)
        except OSError:
            pass


def serve(proto, address, port):
    sock = socket.socket(family_of(address), kind_of(proto))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    if proto == "tcp":
        sock.listen(512)
        while True:
            conn, peer = sock.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            say("peer", peer[0], peer[1])
            threading.Thread(target=echo_stream, args=(conn,),
                             daemon=True).start()
    peers = set()
    while True:
        data, peer = sock.recvfrom(65536)
        if peer not in peers:
            peers.add(peer)
            say("peer", peer[0], peer[1])
        try:
            sock.sendto(data, peer)
        except OSError:
            pass    # no way back for a moment


def exchange_stream(sock, data):
    """Sends and receives at the same time, so that no buffer fills up."""
    sock.setblocking(False)
    sent, got, end = 0, bytearray(), time.monotonic() + TIMEOUT
    while len(got) < len(data):
        if time.monotonic() > end:
            return f"only {len(got)} of {len(data)} bytes came back"
        want_write = [sock] if sent < len(data) else []
        readable, writable, _ = select.select([sock], want_write, [], 1)
        if readable:
            part = sock.recv(65536)
            if not part:
                return "closed by the other side"
            got += part
        if writable:
            sent += sock.send(data[sent:sent + 65536])
    return None if bytes(got) == data else "the echo differs"


def exchange_datagrams(sock, data):
    """One at a time; a lost one is a failure."""
    for start in range(0, len(data), KILO):
        part = data[start:start + KILO]
        sock.send(part)
        try:
            if sock.recv(65536) != part:
                return f"datagram {start // KILO} differs"
        except TimeoutError:
            return f"datagram {start // KILO} got no answer"
    return None


def send(proto, socks, kilobytes):
    exchange = exchange_stream if proto == "tcp" else exchange_datagrams
    for sock in socks:
        reason = exchange(sock, os.urandom(kilobytes * KILO))
        if reason:
            say("sent", kilobytes, "bad", reason)
            return
    say("sent", kilobytes, "ok")


def drain(socks, seconds):
    """Counts what comes in until nothing did for that long."""
    answered = 0
    while readable := select.select(socks, [], [], seconds)[0]:
        for sock in readable:
            sock.recv(65536)
            answered += 1
    return answered


def fire(socks, count):
    answered = 0
    for _ in range(count):
        for sock in socks:
            sock.send(os.urandom(100))
        time.sleep(0.02)
        answered += drain(socks, 0)
    answered += drain(socks, 0.5)
    say("fired", count * len(socks), answered)


def send_big(socks, size):
    for sock in socks:
        data = os.urandom(size)
        sock.send(data)
        try:
            good = sock.recv(65536) == data
        except TimeoutError:
            good = False
        if not good:
            say("sent", size, "bad")
            return
    say("sent", size, "ok")


def set_all(socks, option, value):
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_IP, option, value)
    say("set")


def talk(proto, address, port, count=1, source_port=0):
    socks = []
    for number in range(count):
        sock = socket.socket(family_of(address), kind_of(proto))
        sock.settimeout(TIMEOUT)
        if source_port:
            sock.bind(("", source_port + number))
        sock.connect((address, port))
        if proto == "tcp":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        socks.append(sock)
    send_quietly = exchange_stream if proto == "tcp" else exchange_datagrams
    for sock in socks:
        reason = send_quietly(sock, b"x")
        if reason:
            say("bad", reason)
            return 1
        if proto == "udp":
            # The reply made it "established"; one more takes the fast path.
            send_quietly(sock, b"y")
    say("ready")
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "send":
            send(proto, socks, int(rest[0]))
        elif word == "fire":
            fire(socks, int(rest[0]))
        elif word == "big":
            send_big(socks, int(rest[0]))
        elif word == "options":
            set_all(socks, socket.IP_OPTIONS,
                    b"\x01\x01\x01\x00" if rest[0] == "on" else b"")
        elif word == "ttl":
            set_all(socks, socket.IP_TTL, int(rest[0]))
        elif word == "abort":
            for sock in socks:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
            break
        elif word == "close":
            break
        else:
            say("bad command", word)
    for sock in socks:
        sock.close()
    say("closed")
    return 0


def main():
    verb, proto, address, port, *rest = sys.argv[1:]
    if verb == "serve":
        return serve(proto, address, int(port))
    return talk(proto, address, int(port), *map(int, rest))


if __name__ == "__main__":
    sys.exit(main())
