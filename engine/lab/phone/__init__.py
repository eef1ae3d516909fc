"""SIP telephones in Python for a lab: they place calls, hold and transfer, and tell what they hear.

Real SIP and RTP over UDP on loopback. They know nothing of callbacks or of ARI.
"""
