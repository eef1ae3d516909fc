"""The reference page of error codes, made from the table of codes."""

from __future__ import annotations

from engine.api.codes import MEANINGS, Code

_HEAD = """\
# Error codes

<!-- Made by `make docs` from engine/api/codes.py; do not edit. -->

Every error of the HTTP interface is `application/problem+json` (RFC 9457):

```json
{
  "type": "urn:ringback:error:invalid-phone",
  "title": "This is no valid phone number",
  "status": 422,
  "detail": "phone: no such number can exist; check the digits and the country code",
  "code": "invalid-phone",
  "errors": [{"field": "phone", "message": "no such number can exist; check the digits and the country code"}]
}
```

`code` is one of the words below and never changes its meaning; `detail` is for people and may be worded differently in
another version. `errors` names each field that has to be corrected. After a refusal nothing is stored and nobody is
called.

| code | status | what it means | what to do |
| --- | --- | --- | --- |
"""


def errors_page() -> str:
    """One row for each code, by status."""
    codes = sorted(Code, key=lambda code: (MEANINGS[code].status, code))
    rows = (
        f"| `{code}` | {MEANINGS[code].status} | {MEANINGS[code].title} | {MEANINGS[code].mend} |" for code in codes
    )
    return _HEAD + "\n".join(rows) + "\n"
