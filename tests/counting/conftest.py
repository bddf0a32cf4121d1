from hypothesis import settings

# A busy machine is slow, not wrong: no test fails for the time an example takes.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
