#!/bin/sh
# Prints the Python that will make the virtual environment: $PYTHON if it is set, else the first
# suitable one on the path. Suitable: 3.11 to 3.13 (pyproject.toml's requires-python), able to make
# a virtual environment. Each candidate is run, for a name on the path may be an empty shim.

check='import sys; v = sys.version_info[:2]
if not (3, 11) <= v < (3, 14): sys.exit("is Python %d.%d" % v)
try: import ensurepip, venv
except ImportError: sys.exit("cannot make virtual environments (Debian, Ubuntu: apt install python%d.%d-venv)" % v)'

seen=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    command -v "$candidate" >/dev/null 2>&1 || { seen="$seen
  $candidate: not found"; continue; }
    reason=$("$candidate" -c "$check" 2>&1) && { echo "$candidate"; exit 0; }
    seen="$seen
  $candidate: $(printf '%s\n' "$reason" | tail -n 1)"
done

cat >&2 <<END
cnnmem needs Python 3.11, 3.12 or 3.13 (TensorFlow has no wheel for 3.14 yet). Tried:$seen
Install one of them, or name the one to use:  make lab PYTHON=/path/to/python3.12
END
exit 1
