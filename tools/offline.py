"""Run the core tests and one lesson without any network (Linux).

    unshare -rn python tools/offline.py        `make test-offline` does this

The kit promises that nothing uses the network at run time. In its own network namespace a process
sees only a loopback, which Jupyter's kernels need; this is checked before the tests run.
"""

import array
import errno
import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = [
    "cnnmem",
    "tests/model",
    "tests/count",
    "tests/published",
    "tests/lessons",
    "tests/widgets/test_explorers.py",
    "tests/test_facts.py",
    "tests/test_cli.py",
]
LESSON = "notebooks/03-93-or-60-mb.ipynb"
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


def interfaces() -> list[str]:
    """Return the names of this namespace's network interfaces."""
    return [name for _, name in socket.if_nameindex()]


def loopback_up() -> None:
    """Bring up this namespace's loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = array.array("B", struct.pack("16sh22x", b"lo", 0))
        fcntl.ioctl(any_socket, GET_FLAGS, request, True)
        (flags,) = struct.unpack_from("h", request, 16)
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", flags | UP))


def unreachable() -> bool:
    """Return whether an address reserved for documentation (RFC 5737) is unreachable."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.connect(("192.0.2.1", 9))
        except OSError as error:
            return error.errno == errno.ENETUNREACH
    return False


def main() -> int:
    """Check that there is no network, then run the tests."""
    if interfaces() != ["lo"] or not unreachable():
        sys.exit(
            f"There is a network here ({', '.join(interfaces())}), so nothing would be proved: "
            "use `make test-offline`, on Linux with user namespaces or as root."
        )
    loopback_up()
    python = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    lesson = ["-W", "default", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300", LESSON]
    statuses = [subprocess.run([*python, *what], cwd=ROOT).returncode for what in (CORE, lesson)]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
