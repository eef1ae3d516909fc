"""The demonstration: a small call centre on a lab, whose customers' numbers decide how each call ends."""
