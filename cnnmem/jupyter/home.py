"""`python -m cnnmem.jupyter.home`: can JupyterLab write where it keeps its settings?

It ends with a traceback if it cannot, so `make lab` asks first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir


def trouble() -> str:
    """Return a sentence about the first folder that cannot be written, "" if there is none."""
    for folder in (jupyter_config_dir(), jupyter_data_dir(), jupyter_runtime_dir()):
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return (
                f"JupyterLab cannot write its settings to {folder} ({error.strerror}): name a home "
                "that can be written, as in: HOME=/tmp/home make lab"
            )
    return ""


if __name__ == "__main__":
    sys.exit(trouble())
