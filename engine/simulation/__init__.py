"""The dispatcher in virtual time: what would happen if. The same code decides as in a running engine.

Nothing here knows of Asterisk, storage or HTTP, waits, or reads a clock.
"""
