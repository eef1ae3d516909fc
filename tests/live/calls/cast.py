"""The services and agents of the one engine on which all stories of this folder happen."""

from tests.live.calls.centre import agent, service

CALLED_ONCE = ("unconfirmed", "no_answer", "hung_up", "machine", "fax")
"""What of all numbers is not tried again."""
SERVICES = [
    service(
        "numbers",
        attempts={
            "max": 2,
            "interval_seconds": 3,
            "by_outcome": {outcome: {"max": 1} for outcome in CALLED_ONCE},
        },
    ),
    service("solo"),
    service("rona"),
    service("rejecting", attempts={"max": 1}),
    service("leaving"),
    service("nobody", hold_limit_seconds=6, attempts={"max": 2, "interval_seconds": 4, "fault_interval_seconds": 2}),
    service("withdrawn"),
    # With a long whisper the call is dropped in it, with a short one in the conversation.
    service("dropping", name="The callback desk of the customer service department"),
    service("breaking", name="Go"),
    service("first", connect="agent_first"),
    service("first_rings_out", connect="agent_first"),
    service("first_busy", connect="agent_first", wrap_up_seconds=600, attempts={"max": 1}),
    service("first_leaves", connect="agent_first", ring_timeout_seconds=20),
    service("previewed", connect="preview", preview_seconds=20),
    service("comforted", comfort_seconds=8, hold_limit_seconds=26, attempts={"max": 1}),
    service("recorded", recording={"announce": True}),
    *(
        service(name, attempts={"max": 1}, screening=screening)
        for name, screening in {
            "leaves_message": {"machine": "leave_message"},
            "ignores": {"machine": "ignore"},
            "unscreened": {"mode": "off"},
            "amd": {"mode": "asterisk"},
            "taken_for_machine": {},
        }.items()
    ),
]
NUMBERS_AGENTS = range(1101, 1121)
AGENTS = [
    *(agent(number, "numbers") for number in NUMBERS_AGENTS),
    agent(1121, "solo"),
    agent(1901, "rona"),
    agent(1131, "rona"),
    agent(1902, "rejecting"),
    agent(1141, "rejecting"),
    agent(1903, "leaving"),
    agent(1151, "leaving"),
    agent(1161, "nobody"),
    agent(1171, "withdrawn"),
    agent(1181, "first"),
    {**agent(1901, "first_rings_out"), "id": "a1901-first"},
    agent(1191, "first_rings_out"),
    agent(1201, "first_busy"),
    agent(1904, "first_leaves"),
    {**agent(1904, "dropping"), "id": "a1904-drops"},
    agent(1211, "dropping"),
    {**agent(1904, "breaking"), "id": "a1904-breaks"},
    *(agent(number, "leaves_message") for number in (1221, 1222)),
    agent(1231, "ignores"),
    agent(1241, "unscreened"),
    *(agent(number, "amd") for number in (1251, 1252, 1253)),
    agent(1261, "taken_for_machine"),
    {**agent(1271, "previewed"), "username": "first-adviser"},
    {**agent(1272, "previewed"), "username": "second-adviser"},
    {**agent(1903, "comforted"), "id": "a1903-comforted"},
    agent(1281, "recorded"),
    agent(1291, "on_the_phone_only"),
]
