#!/bin/sh
# Prints the Chromium that drives the browser tests: $CHROMIUM, else the one on this machine. In CI,
# as root on Debian, it is installed; otherwise instructions are printed.

for candidate in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$candidate" && exit 0
done

if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    echo "==> installing Debian's chromium" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >&2 </dev/null
    command -v chromium && exit 0
fi

cat >&2 <<'END'
The browser tests need Chromium or Chrome. Debian, Ubuntu: apt install chromium
macOS: install Google Chrome. Or name the program:  make test-browser CHROMIUM=/path/to/chrome
END
exit 1
