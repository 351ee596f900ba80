"""What keeps a run alive: the user that it is logged in as stays an administrator who can log in."""

import schemathesis

OWN_USER = 1
NOBODY = 999_999


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path == "/api/users/{id}" and is_own(case.path_parameters.get("id")):
        case.path_parameters["id"] = NOBODY


def is_own(value):
    try:
        return int(value) == OWN_USER
    except (TypeError, ValueError):
        return False
