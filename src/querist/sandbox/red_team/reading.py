"""Attacks that read or change what is not theirs: files, variables, other processes."""

from __future__ import annotations

from querist.sandbox.red_team.attack import Attack, changed, claimed, leaked, passwd

_PLACES = """import os, tempfile
folders = ('.', '..', '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~'), tempfile.gettempdir())
places = [f'{folder}/querist-canary-left' for folder in folders]
"""

ATTACKS = (
    Attack("read-passwd", "reads /etc/passwd", "print(open('/etc/passwd').read())", passwd),
    Attack(
        "read-passwd-pandas",
        "reads /etc/passwd through pandas",
        "import pandas as pd\nprint(pd.read_csv('/etc/passwd', sep=';', header=None).to_csv())",
        passwd,
    ),
    Attack("read-key", "reads a private key in a home folder", "print(open(P['key']).read())", leaked),
    Attack(
        "read-key-polars",
        "reads a private key through Polars",
        "import polars as pl\nprint(pl.read_csv(P['key'], has_header=False).rows())",
        leaked,
    ),
    Attack(
        "read-key-numpy",
        "reads a private key through NumPy",
        "import numpy as np\nprint(bytes(np.fromfile(P['key'], dtype='u1')))",
        leaked,
    ),
    Attack("read-variable", "reads a secret variable", "import os\nprint(os.environ.get(P['variable']))", leaked),
    Attack(
        "read-others-variables",
        "reads the variables of all processes",
        # only those that matter are printed: all of a busy machine's are more than may be
        "import os\nfor p in os.listdir('/proc'):\n  if p.isdigit():\n    try: found = open(f'/proc/{p}/environ', errors='replace').read()\n    except OSError: continue\n    if 'CANARY' in found: print(found)",
        leaked,
    ),
    Attack(
        "read-through-proc-root",
        "reads a key by the root folder of another process",
        "import os\nfor p in os.listdir('/proc'):\n  try: print(open(f'/proc/{p}/root' + P['key']).read())\n  except OSError: pass",
        leaked,
    ),
    Attack(
        "read-through-descriptors",
        "reads through descriptors that others have open",
        "import os\nfor p in os.listdir('/proc'):\n  for n in range(40):\n    try: d = os.open(f'/proc/{p}/fd/{n}/..' + P['key'], os.O_RDONLY); print(os.read(d, 99))\n    except OSError: pass",
        leaked,
    ),
    Attack(
        "symlink-to-key",
        "leaves a link to a key among its results",
        "import os\nos.symlink(P['key'], 'chart.txt')\nos.symlink('/etc/passwd', 'table.csv')",
        lambda c, o: leaked(c, o) or passwd(c, o),
    ),
    Attack(
        "hard-link-to-key",
        "leaves a second name of a key among its results",
        "import os\nos.link(P['key'], 'chart.txt')",
        leaked,
    ),
    Attack("write-outside", "changes a file of the host", "open(P['victim'], 'a').write('x')", changed),
    Attack(
        "write-outside-pandas",
        "changes a file of the host through pandas",
        "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(P['victim'])",
        changed,
    ),
    Attack("write-home", "plants a start-up file in the home folder", "open(P['planted'], 'w').write('x')", changed),
    Attack("delete-outside", "deletes a file of the host", "import os\nos.unlink(P['victim'])", changed),
    Attack(
        "change-rights", "changes the rights of a file of the host", "import os\nos.chmod(P['victim'], 0o777)", changed
    ),
    Attack(
        "write-program",
        "changes the program that runs it",
        "import os, sys\nfor place in {sys.prefix, sys.base_prefix, '/program', '/usr/lib'}:\n"
        "  try:\n    name = os.path.join(place, 'querist-canary'); open(name, 'w').write('x'); os.unlink(name); print(P['half'] + P['rest'])\n  except OSError: pass",
        claimed,
    ),
    Attack(
        "state-of-another-run",
        "finds what an earlier run has left",
        _PLACES
        + "import builtins, sys\nfound = hasattr(builtins, 'left') or 'left' in sys.modules or 'LEFT' in os.environ\n"
        "for place in places:\n  try: os.unlink(place); found = True\n  except OSError: pass\nif found: print(P['half'] + P['rest'])",
        claimed,
        before=_PLACES + "import builtins, sys\nbuiltins.left = sys.modules['left'] = os\nos.environ['LEFT'] = 'x'\n"
        "for place in places:\n  try: open(place, 'w').close()\n  except OSError: pass",
    ),
)
