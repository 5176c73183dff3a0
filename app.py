"""The web studio: ``python app.py``, then http://127.0.0.1:7860. The same as ``brandbot serve``."""

from __future__ import annotations

import sys

from brandbot.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["serve"]
    main()
