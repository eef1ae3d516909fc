"""Which prompts are needed, by whom, and where each lies below the prompts folder.

What names a service or a key lies with that service. What is the same for all (numbers, days, the phone menu of agents)
lies once for each language in a folder that no language and no service can have, because of its first letter.
"""

from collections.abc import Iterator

from engine.core.terms import Prompt, PromptId
from engine.prompts.services import SpokenService

SHARED_FOLDER = "_shared"
SHARED_FALLBACK = "en"
"""The language of last resort for what is shared; its texts are shipped."""
NUMBERS = range(60)
_DESK_NUMBERS = range(10)

_OF_CALLS_TAKEN = frozenset(
    {
        PromptId.INBOUND_GREETING, PromptId.INBOUND_FULL, PromptId.INBOUND_SORRY, PromptId.INBOUND_CLOSED,
        PromptId.CLOSED_GOODBYE, PromptId.POSITION_IS, PromptId.WAIT_ABOUT, PromptId.WAIT_SHORT, PromptId.KEEP_PLACE,
        PromptId.WILL_CALL, PromptId.CONFIRM_NUMBER, PromptId.ENTER_NUMBER, PromptId.NUMBER_NOT_POSSIBLE,
        PromptId.NOT_POSSIBLE, PromptId.NOT_POSSIBLE_GOODBYE, PromptId.CALLBACK_KEPT, PromptId.SLOT_OFFER,
        PromptId.SLOT_ACCEPT, PromptId.SLOT_KEPT,
    }
)  # fmt: skip
_BETWEEN_NUMBERS = frozenset(
    {
        PromptId.MINUTES, PromptId.AT, PromptId.O_CLOCK, PromptId.TODAY, PromptId.TOMORROW, PromptId.MONDAY,
        PromptId.TUESDAY, PromptId.WEDNESDAY, PromptId.THURSDAY, PromptId.FRIDAY, PromptId.SATURDAY, PromptId.SUNDAY,
    }
)  # fmt: skip
_OF_DESKS = frozenset(
    {
        PromptId.DESK_READY, PromptId.DESK_NOT_READY, PromptId.DESK_LOGGED_OUT, PromptId.DESK_REASON,
        PromptId.REASON_ADMIN_WORK, PromptId.REASON_LUNCH, PromptId.REASON_MEETING, PromptId.REASON_PAUSE,
        PromptId.REASON_TRAINING, PromptId.DESK_UNKNOWN, PromptId.DESK_GOODBYE,
    }
)  # fmt: skip


def of_service(service: SpokenService) -> Iterator[PromptId]:
    """The prompts that lie with the service, in a steady order."""
    not_needed = {
        PromptId.PRESS: not any(service.keys.items()),
        PromptId.RECORDED: not service.records,
        PromptId.KEEP_PLACE: service.callback_key is None,
    }
    for prompt in PromptId:
        if is_shared(prompt) or not_needed.get(prompt, False):
            continue
        if service.takes_calls or prompt not in _OF_CALLS_TAKEN:
            yield prompt


def of_calls_taken() -> Iterator[Prompt]:
    """What is shared by the services that take calls in one language."""
    yield from NUMBERS
    yield from (prompt for prompt in PromptId if prompt in _BETWEEN_NUMBERS)


def of_desks() -> Iterator[Prompt]:
    """What the phone menu of agents says."""
    yield from _DESK_NUMBERS
    yield from (prompt for prompt in PromptId if prompt in _OF_DESKS)


def is_shared(prompt: Prompt) -> bool:
    """Whether it is the same for all services."""
    return not isinstance(prompt, PromptId) or prompt in _BETWEEN_NUMBERS or prompt in _OF_DESKS


def file_of(prompt: Prompt, language: str, service_id: str) -> str:
    """Where the prompt lies below the prompts folder, with `/` and without its ending."""
    name = prompt.value if isinstance(prompt, PromptId) else f"number-{prompt}"
    return f"{SHARED_FOLDER}/{language}/{name}" if is_shared(prompt) else f"{language}/{service_id}/{name}"
