"""What holds for every test."""

from hypothesis import HealthCheck, settings

# A loaded machine is slow; that is no finding. The table of characters, made once in a new checkout, takes a second.
settings.register_profile("ringback", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ringback")
