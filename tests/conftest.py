"""How hypothesis runs in every test: nothing is timed, and nothing is left behind."""

from hypothesis import settings

settings.register_profile("knothole", deadline=None, database=None)
settings.load_profile("knothole")
