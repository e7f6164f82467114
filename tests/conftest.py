"""How hypothesis runs in every test: nothing is timed, and nothing is left behind. How processes begin."""

import signal

from hypothesis import settings

# Whoever was started in the background of a script ignores what interrupts, and so do all its processes.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("knothole", deadline=None, database=None)
settings.load_profile("knothole")
