"""Attacks that take too much: time, memory, disk, output. Each is bounded, for where nothing holds it."""

from __future__ import annotations

from querist.sandbox.red_team.attack import Attack, claimed, flooded, went_on

_DONE = "print(P['half'] + P['rest'])"

ATTACKS = (
    Attack(
        "endless-loop",
        "loops without end",
        f"import time\nend = time.time() + 12\nwhile time.time() < end: pass\n{_DONE}",
        went_on,
    ),
    Attack(
        "deaf-loop",
        "loops and ignores signals",
        f"import signal, time\nfor n in (15, 24, 14): signal.signal(n, signal.SIG_IGN)\nend = time.time() + 12\nwhile time.time() < end: pass\n{_DONE}",
        went_on,
    ),
    Attack(
        "loop-in-c",
        "computes for long in C, where no signal is heard",
        f"x = 7 ** 40_000_000\ny = x * x\n{_DONE}",
        went_on,
    ),
    Attack(
        "regex",
        "matches a pattern that takes for ever",
        f"import re\nre.match('(a+)+$', 'a' * 29 + 'b')\n{_DONE}",
        went_on,
    ),
    Attack("sleep", "sleeps", f"import time\ntime.sleep(12)\n{_DONE}", went_on),
    Attack(
        "memory", "takes 1.5 GB of memory", f"x = [bytearray(b'x') * (64 << 20) for n in range(24)]\n{_DONE}", claimed
    ),
    Attack(
        "memory-numpy", "takes 1.5 GB through NumPy", f"import numpy as np\nx = np.ones(200_000_000)\n{_DONE}", claimed
    ),
    Attack(
        "memory-children",
        "takes 1.5 GB in several processes",
        f"import os, time\nfor n in range(3):\n  if os.fork() == 0:\n    x = bytearray(b'x') * (512 << 20); time.sleep(2); os._exit(0)\n{_DONE}",
        claimed,
    ),
    Attack(
        "disk",
        "writes 300 MB into its folder",
        f"for n in range(30):\n  with open(f'big{{n}}', 'wb') as f: f.write(b'x' * (10 << 20))\n  __import__('time').sleep(.02)\n{_DONE}",
        claimed,
    ),
    Attack("sparse-file", "makes a file of 1 TB", f"f = open('sparse', 'wb')\nf.truncate(1 << 40)\n{_DONE}", claimed),
    Attack(
        "many-files",
        "makes 20000 files",
        f"for n in range(20000): open(f'f{{n}}', 'w').close()\n{_DONE}",
        claimed,
    ),
    Attack(
        "hidden-folder",
        "writes 50 MB into a folder that nobody may look into",
        f"import os, time\nos.mkdir('hidden', 0o300)\nfor n in range(10):\n  with open(f'hidden/{{n}}', 'wb') as f: f.write(b'x' * (5 << 20))\n  time.sleep(.05)\n{_DONE}",
        claimed,
    ),
    Attack(
        "nameless-files",
        "writes 150 MB into files that it has deleted",
        f"import os, time\nkept = []\nfor n in range(15):\n  kept.append(open('big', 'wb')); os.unlink('big'); kept[-1].write(b'x' * (10 << 20)); time.sleep(.05)\n{_DONE}",
        claimed,
    ),
    Attack(
        "pipes",
        "keeps 100 MB in pipes",
        f"import fcntl, os\nfor n in range(100):\n  w = os.pipe()[1]; fcntl.fcntl(w, 1031, 1 << 20); os.write(w, bytes(1 << 20))\n{_DONE}",
        claimed,
    ),
    Attack(
        "shared-memory",
        "fills folders that lie in memory",
        "import os\nn = 0\nfor place in ('/dev/shm', '/tmp', '/run', '/var/tmp'):\n  for k in range(4):\n    try:\n      with open(name := f'{place}/querist-canary-{k}', 'wb') as f: n += f.write(b'x' * (8 << 20))\n      os.unlink(name)\n    except OSError: pass\n"
        f"if n: {_DONE}",
        claimed,
    ),
    Attack("output", "prints 50 MB", f"for n in range(800): print('A' * 65536)\n{_DONE}", flooded),
    Attack(
        "output-raw",
        "writes 50 MB past the interpreter",
        f"import os\nfor n in range(800): os.write(2, b'A' * 65536)\n{_DONE}",
        flooded,
    ),
)
