"""The kind of a request to Asterisk, for the figures: never an id, a number or an endpoint in it."""

import pytest

from engine.asterisk.ari.transport import _operation


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/channels", "GET /channels"),
        ("POST", "/channels", "POST /channels"),
        ("DELETE", "/channels/c1-1.customer", "DELETE /channels/{id}"),
        ("POST", "/channels/c1-1.customer/play/c1-1.customer.play.0", "POST /channels/{id}/play/{id}"),
        ("POST", "/bridges/c1-1.bridge.1/addChannel", "POST /bridges/{id}/addChannel"),
        ("DELETE", "/playbacks/c1-1.customer.play.0", "DELETE /playbacks/{id}"),
        ("PUT", "/applications/ringback/eventFilter", "PUT /applications/{id}/eventFilter"),
        ("GET", "/endpoints", "GET /endpoints"),
        ("GET", "/endpoints/PJSIP/12025550100", "GET /endpoints/{id}/{id}"),
        ("GET", "/asterisk/info", "GET /asterisk/info"),
        ("POST", "/events/user/hearing", "POST /events/user/{id}"),
    ],
)
def test_the_kind_of_a_request(method: str, path: str, kind: str) -> None:
    assert _operation(method, path) == kind
