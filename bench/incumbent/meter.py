"""Runs a script and writes its processor time and peak memory to descriptor 3 as JSON: `meter.py SCRIPT ARGUMENT`."""

import atexit
import json
import os
import re
import resource
import runpy
import sys


def account():
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss starts at the peak of the parent process; VmHWM in /proc/self/status does not.
    kibibytes = used.ru_maxrss
    if sys.platform == "linux":
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            kibibytes = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
    cpu_ms = (used.ru_utime + used.ru_stime) * 1000
    os.write(3, json.dumps({"cpuMs": cpu_ms, "rssMb": kibibytes * 1.024e-3}).encode())


atexit.register(account)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
