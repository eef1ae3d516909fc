"""What holds for every test."""

import signal

from hypothesis import HealthCheck, settings

# A loaded machine is slow; that is no finding. The table of characters, made once in a new checkout, takes a second.
settings.register_profile("ringback", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ringback")

# Behind an & or nohup these are ignored, by all whom tests start as well; a signal that is handled is theirs anew.
for each in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(each) is signal.SIG_IGN:
        signal.signal(each, lambda *_: None)
