"""What kubectl says when it fails, as an error that names the way out.

Source: k8s.io/apimachinery pkg/api/errors, which kubectl's pkg/cmd/util/helpers.go prints as
"Error from server (REASON): MESSAGE"; client-go's connection errors.
"""

from __future__ import annotations

import re
from enum import StrEnum

from whyheap.errors import TargetError

_MOST_CHARACTERS = 300
_USER = re.compile(r"User \"([^\"]{1,200})\" cannot (\w{1,20}) resource \"([^\"]{1,100})\"")
_NOT_FOUND = re.compile(r"Error from server \(NotFound\):")
_UNREACHABLE = re.compile(
    r"Unable to connect to the server|The connection to the server|couldn't get current server API group list|"
    r"no configuration has been provided|current-context is not set|context \"[^\"]{1,200}\" does not exist|"
    r"dial tcp|i/o timeout|no such host"
)


class Problem(StrEnum):
    """What kind of failure it is."""

    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    OTHER = "other"


def problem(stderr: str) -> Problem:
    """Return what kind of failure kubectl's words are."""
    if _NOT_FOUND.search(stderr):
        return Problem.NOT_FOUND
    if "(Forbidden)" in stderr or " is forbidden: " in stderr:
        return Problem.FORBIDDEN
    if "(Unauthorized)" in stderr or "must be logged in to the server" in stderr:
        return Problem.UNAUTHORIZED
    return Problem.UNREACHABLE if _UNREACHABLE.search(stderr) else Problem.OTHER


def failure(stderr: str, what: str, namespace: str) -> TargetError:
    """Return the error for a command that failed; `what` is what was asked for ("prod/shop")."""
    kind = problem(stderr)
    if kind is Problem.FORBIDDEN:
        match = _USER.search(stderr)
        if match is None:
            return TargetError(f"{what} may not be read with these credentials.", _rights("get pods", namespace))
        user, verb, resource = match.groups()
        return TargetError(
            f'{what} may not be read: "{user}" may not {verb} {resource} in namespace {namespace}.',
            _rights(f"{verb} {resource}", namespace),
        )
    if kind is Problem.UNAUTHORIZED:
        return TargetError(
            f"{what} cannot be read: the cluster refuses these credentials.", "Log in anew, then try:  kubectl get pods"
        )
    if kind is Problem.UNREACHABLE:
        return TargetError(
            f"{what} cannot be read: the cluster cannot be reached ({said(stderr)}).",
            "Is the right context chosen?  kubectl config get-contexts",
        )
    return TargetError(f"{what} cannot be read: {said(stderr)}.", "Does kubectl work by hand?")


def said(stderr: str) -> str:
    """Return kubectl's last words as one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else "kubectl says nothing")[:_MOST_CHARACTERS].rstrip(".")


def _rights(right: str, namespace: str) -> str:
    return f"Ask for it (get pods, list events, create pods/portforward):  kubectl auth can-i {right} -n {namespace}"
