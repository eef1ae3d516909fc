"""Person or machine: labelled calls, played through a real Asterisk to ours and to AMD()."""
