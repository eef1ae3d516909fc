"""What can go wrong with prompts. The message is one line and says what to do; it never holds a whole document.

PromptError
├── SynthesiserMissingError   no speech synthesiser, or not the voice, on this machine
└── SynthesisError            the synthesiser ran and gave nothing usable
"""

from engine.errors import RingbackError


class PromptError(RingbackError):
    """A prompt, its text or its service's description cannot be used; the message says how to mend it."""


class SynthesiserMissingError(PromptError):
    """The program or the voice is not installed; the message names the packages."""


class SynthesisError(PromptError):
    """The synthesiser failed, took too long or produced silence."""
