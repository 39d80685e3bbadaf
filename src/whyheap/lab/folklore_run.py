"""Measures popular claims on one Go version, and keeps what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from whyheap.errors import FormatError, TargetError, ToolError
from whyheap.host.cache import locked, private_folder
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.lab.claims import Claim
from whyheap.lab.probes import measure
from whyheap.lab.recording import today

FILE = "folklore.json"
_MODE = 0o644
Progress = Callable[[str], None]


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values of one claim by name; `gap` says why it could not be measured."""

    values: dict[str, float] = {}
    gap: str = ""


class FolkloreRecording(msgspec.Struct, frozen=True):
    """All claims on one Go version, by slug. `platform` is GOOS/GOARCH, `date` the day of measuring."""

    go: str
    platform: str
    date: str
    claims: dict[str, Measured]


def measure_claims(go: GoTool, claims: Sequence[Claim], progress: Progress) -> FolkloreRecording:
    """Measure claims with one go command; one that cannot be measured here is a gap."""
    environment = go.environment(Path.cwd())
    name = environment.release
    measured = {}
    with locked("lab", name, "folklore"):
        for number, claim in enumerate(claims, 1):
            progress(f"Go {name}: {claim.slug} ({number} of {len(claims)})")
            try:
                measured[claim.slug] = Measured(measure(go, private_folder("lab", name, "folklore", claim.slug), claim))
            except ToolError as error:
                measured[claim.slug] = Measured(gap=error.message)
    return FolkloreRecording(name, environment.platform, today(), measured)


def save(folder: Path, recording: FolkloreRecording) -> None:
    """Write the recording; claims that were measured before and not now are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    known = load(folder).claims if path.is_file() else {}
    claims = dict(sorted({**known, **recording.claims}.items()))
    whole = msgspec.structs.replace(recording, claims=claims)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n", _MODE)


def load(folder: Path) -> FolkloreRecording:
    """Read a recording. Raises TargetError when it is missing, FormatError when it is none."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=FolkloreRecording)
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}", "Record it:  whyheap lab folklore --record DIR") from error
    except msgspec.DecodeError as error:
        raise FormatError(f"{path} is no recording: {error}") from error
