"""What schemathesis finds wrongly, each with its reason, and a list of what was answered (see schemathesis.toml).

Loaded by schemathesis. Lines of $KEYVIGIL_ANSWERS: "status OPERATION STATUS" and "excused OPERATION REASON".
"""
import dataclasses
import json
import os
import typing

import schemathesis

ANSWERS = os.environ["KEYVIGIL_ANSWERS"]


@dataclasses.dataclass(frozen=True)
class Excuse:
    """One check of one operation, where the case is of a kind that the check cannot judge."""
    operations: tuple
    failure: str  # schemathesis's class of it
    is_of_the_kind: typing.Callable
    reason: str


def refused(response, beginning):
    """Refused for this, and not for anything else."""
    if response.status_code != 400:
        return False
    return json.loads(response.content)["error"]["message"].startswith(beginning)


EXCUSES = [
    Excuse(("listAlerts", "getTimeline", "listGraphAlerts"), "RejectedPositiveData",
           lambda case, response: refused(response, "expected the token of a page as the page before gave it"),
           "a page's token is known to the service only: a schema cannot say which texts are one"),
    Excuse(("listGraphAlerts",), "RejectedPositiveData",
           lambda case, response: refused(response, "$filter: expected conditions joined by 'and'"),
           "$filter is a language, and a schema knows texts"),
    Excuse(("getTimeline",), "RejectedPositiveData",
           lambda case, response: refused(response, "Expected one of the query parameters alert, caller, vault.")
           and not any((case.query or {}).get(name) for name in ("caller", "vault")),
           "OpenAPI 3.1 cannot say that one of three parameters is needed"),
    Excuse(("getEntity",), "RejectedPositiveData",
           lambda case, response: refused(response, "key: expected an IP address.")
           and case.path_parameters["kind"] == "address",
           "OpenAPI 3.1 cannot say that the form of one parameter depends on another"),
    Excuse(("sendLogs",), "RejectedPositiveData",
           lambda case, response: response.status_code == 400
           and json.loads(response.content)["error"]["code"] == "InvalidRequestContent",
           "what is a record is said by docs/inputs.md: the forms are too many for a schema"),
]


def note(kind, operation, what):
    with open(ANSWERS, "a", encoding="utf-8") as answers:
        answers.write(f"{kind} {operation} {what}\n")


def name_of(case):
    return case.operation.definition.raw["operationId"]


@schemathesis.hook
def after_call(context, case, response):
    note("status", name_of(case), response.status_code)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    for excuse in EXCUSES:
        if (type(failure).__name__ == excuse.failure and name_of(case) in excuse.operations
                and excuse.is_of_the_kind(case, response)):
            note("excused", name_of(case), excuse.reason)
            return False
    return True
