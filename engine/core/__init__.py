"""The part that decides: told what happened, it answers what to write down and what to do. It does no I/O."""
