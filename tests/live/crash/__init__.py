"""Kills a real engine under load, again and again, and judges by what the telephone network saw."""
