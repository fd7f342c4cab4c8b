"""Attacks on processes and on the kernel: starting them, ending them, looking into them, becoming more than one is."""

from __future__ import annotations

from querist.sandbox.red_team.attack import FRAME, Attack, claimed, killed, left_behind

_NAME = "open('/proc/self/comm', 'w').write((P['half'] + P['rest'])[:12])"
_CALL = """import ctypes, os, struct
libc, on_x86 = ctypes.CDLL(None, use_errno=True), os.uname().machine == 'x86_64'
if {test}: print(P['half'] + P['rest'])
"""
"""Newer calls have the same number on all architectures; older ones have others where the machine is no x86."""


def _kernel(name: str, tries: str, test: str) -> Attack:
    return Attack(name, tries, _CALL.format(test=test), claimed)


ATTACKS = (
    Attack(
        "shell",
        "runs a shell",
        "import subprocess\nprint(subprocess.check_output(['/bin/sh', '-c', f\"echo {P['half']}{P['rest']}\"]).decode())",
        claimed,
    ),
    Attack(
        "python-again",
        "starts another Python",
        "import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', f\"print('{P['half']}' + '{P['rest']}')\"]).decode())",
        claimed,
    ),
    Attack(
        "raw-exec",
        "replaces itself by a shell, through ctypes",
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.execl(b'/bin/sh', b'sh', b'-c', f\"echo {P['half']}{P['rest']}\".encode(), None)",
        claimed,
    ),
    Attack(
        "fork-bomb",
        "starts 150 processes",
        "import os, time\nn = 0\nfor _ in range(150):\n  try:\n    if os.fork() == 0: time.sleep(2); os._exit(0)\n    n += 1\n  except OSError: break\nif n > 100: print(P['half'] + P['rest'])",
        claimed,
    ),
    Attack(
        "orphan",
        "leaves a process behind",
        f"import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    {_NAME}\n    for n in range(9):\n      try: os.close(n)\n      except OSError: pass\n    time.sleep(20)\n  os._exit(0)\ntime.sleep(.5)",
        left_behind,
    ),
    Attack(
        "thread-bomb",
        "starts 2000 threads",
        "import threading, time\nfor n in range(2000): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()\nprint(P['half'] + P['rest'])",
        claimed,
    ),
    Attack("kill-process", "kills a process of the host", "import os\nos.kill(P['process'], 9)", killed),
    Attack(
        "signal-parent",
        "signals its parent",
        "import os\nos.kill(os.getppid(), 0)\nprint(P['half'] + P['rest'])",
        claimed,
    ),
    _kernel("ptrace-parent", "traces its parent", "libc.ptrace(0x4206, os.getppid(), 0, 0) == 0"),
    Attack(
        "parent-memory",
        "opens the memory of its parent",
        "import os\nopen(f'/proc/{os.getppid()}/mem', 'rb', 0)\nprint(P['half'] + P['rest'])",
        claimed,
    ),
    _kernel(
        "process-memory",
        "copies memory of its parent",
        "libc.syscall(310 if on_x86 else 270, os.getppid(), (v := (ctypes.c_size_t * 2)(ctypes.addressof(b := ctypes.create_string_buffer(8)), 8)), 1, v, 1, 0) > 0 or ctypes.get_errno() == 14",
    ),
    _kernel(
        "descriptors-of-parent",
        "takes a descriptor of its parent",
        "(p := libc.syscall(434, os.getppid(), 0)) >= 0 and libc.syscall(438, p, 0, 0) >= 0",
    ),
    Attack(
        "signal-by-descriptor",
        "lets the kernel kill a process of the host when a pipe is written to",
        "import fcntl, os, time\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, P['process']); fcntl.fcntl(r, 10, 9)\n"
        "fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC); os.write(w, b'x'); time.sleep(.1)",
        killed,
    ),
    Attack(
        "end-and-stay",
        "says that it has ended, and stays",
        f"import ctypes, json, os, time\nctypes.CDLL(None).prctl(15, (P['half'] + P['rest'])[:12].encode())\n{FRAME}frame('end', b'null')\ntime.sleep(20)",
        left_behind,
    ),
    _kernel(
        "shared-segment",
        "makes memory that all processes share",
        "(s := libc.shmget(0, 4096, 0o600)) >= 0 and libc.shmctl(s, 0, None) == 0",
    ),
    _kernel("user-namespace", "makes a user namespace", "libc.unshare(0x10000000) == 0"),
    _kernel(
        "mount",
        "mounts a file system",
        "libc.unshare(0x10020000) == 0 and libc.mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0 or libc.mount(b'none', os.getcwd().encode(), b'tmpfs', 0, None) == 0 == libc.umount(os.getcwd().encode())",
    ),
    _kernel("io-uring", "opens io_uring", "libc.syscall(425, 4, ctypes.create_string_buffer(256)) >= 0"),
    _kernel("keyring", "reads the kernel's keyring", "libc.syscall(250 if on_x86 else 219, 0, -3, 1) >= 0"),
    _kernel(
        "bpf",
        "loads a program into the kernel",
        "libc.syscall(321 if on_x86 else 280, 5, struct.pack('IIQQ', 1, 2, ctypes.addressof(code := ctypes.create_string_buffer(bytes.fromhex('b7' + 7 * '00' + '95' + 7 * '00'))), "
        "ctypes.addressof(free := ctypes.create_string_buffer(b'GPL'))).ljust(128, bytes(1)), 128) >= 0 or libc.syscall(323 if on_x86 else 282, 1) >= 0",
    ),
    _kernel("memory-file", "makes executable files in memory", "libc.syscall(319 if on_x86 else 279, b'x', 0) >= 0"),
    Attack(
        "dunder-walk",
        "finds os.system by way of the classes that are loaded",
        "c = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0]\n"
        "s = c.__init__.__globals__['system']\nif s('exit 7') >> 8 == 7: print(P['half'] + P['rest'])",
        claimed,
    ),
    Attack(
        "library-walk",
        "finds os.system by way of pandas",
        "import pandas as pd\nif pd.io.common.os.system('exit 7') >> 8 == 7: print(P['half'] + P['rest'])",
        claimed,
    ),
)
