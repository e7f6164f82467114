"""How hypothesis runs in every test: nothing is timed, and nothing is left behind. How processes begin."""

import signal

from hypothesis import settings

# A run that is ended clears away what it started. Whatever begins in the background of a script ignores what
# interrupts, and so do all its processes.
for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(sign, signal.default_int_handler)

settings.register_profile("knothole", deadline=None, database=None)
settings.load_profile("knothole")
