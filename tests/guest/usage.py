#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
usage.py OUTPUT COMMAND...: runs it with its output in a file, and prints
"STATUS CPU PEAK OWN ELAPSED": CPU time and elapsed time in microseconds; in KiB,
the largest resident set, and what of memory at the end is its own and not of a
file (libraries, which programs share).

Memory is read when it exits: what wait4(2) tells is no less than what the process
had before it became the program.
"""
import ctypes
import os
import re
import signal
import sys
import time

PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS = 0, 7, 0x4200
PTRACE_O_TRACEEXIT, PTRACE_EVENT_EXIT = 0x40, 6

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]


def ptrace(request, pid=0, data=0):
    if libc.ptrace(request, pid, None, data):
        raise OSError(ctypes.get_errno(), "ptrace")


def field(text, name):
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])


def run(output, command):
    """Until it exits, but for the last step; its pid."""
    pid = os.fork()
    if not pid:
        os.dup2(output, 1)
        ptrace(PTRACE_TRACEME)
        os.execvp(command[0], command)
    os.waitpid(pid, 0)
    ptrace(PTRACE_SETOPTIONS, pid, PTRACE_O_TRACEEXIT)
    passed = 0
    while True:
        ptrace(PTRACE_CONT, pid, passed)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            sys.exit(f"it ended unseen: {status}")
        if status >> 8 == signal.SIGTRAP | PTRACE_EVENT_EXIT << 8:
            return pid
        passed = os.WSTOPSIG(status)


began = time.monotonic_ns()
with open(sys.argv[1], "wb") as file:
    pid = run(file.fileno(), sys.argv[2:])
with open(f"/proc/{pid}/status", encoding="utf-8") as file:
    memory = file.read()
ptrace(PTRACE_CONT, pid)
_, status, usage = os.wait4(pid, 0)
elapsed = time.monotonic_ns() - began
print(os.waitstatus_to_exitcode(status),
      round((usage.ru_utime + usage.ru_stime) * 1e6), field(memory, "VmHWM"),
      field(memory, "RssAnon"), elapsed // 1000)
