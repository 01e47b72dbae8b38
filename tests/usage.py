#!/usr/bin/env python3
"""Runs a command and writes what it used into a file, as one line: seconds, seconds of CPU in the
program and in the system, and the peak of its memory in KiB. Exits as the command does.

    tests/usage.py FILE COMMAND ...

The peak is never less than what this program has, about 10 MiB: the kernel counts from before the
command took its place.
"""

import os
import sys
import time

begun = time.monotonic()
child = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    print(f"{time.monotonic() - begun:.3f} {used.ru_utime:.3f} {used.ru_stime:.3f} {used.ru_maxrss}", file=file)
sys.exit(os.waitstatus_to_exitcode(status))
