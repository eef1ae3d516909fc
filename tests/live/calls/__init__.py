"""Callbacks from the request to the end, on a real Asterisk, by a real `ringback serve`."""
