"""Recording for replay: every event the dispatcher was told, with its time, and what it decided, as a digest.

`serve --record` makes such a file; a replay must take the same decisions. Nothing is decided here, and of the engine
only the core and the services document are known. A record holds personal data as the database does.
"""

from engine.recording.lines import Decided, Started, read_lines
from engine.recording.recorder import Recorder
from engine.recording.replay import Difference, Replayed, Step, replay, steps

__all__ = ["Decided", "Difference", "Recorder", "Replayed", "Started", "Step", "read_lines", "replay", "steps"]
