"""What `go list -e -export -json` prints: a stream of JSON objects, one per package."""

from __future__ import annotations

import msgspec

from whyheap.errors import FormatError

FIELDS = "ImportPath,Dir,Name,BuildID,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Error,DepsErrors,Module,ForTest"


class PackageError(msgspec.Struct, frozen=True):
    """Why go could not list or build a package."""

    Err: str = ""
    Pos: str = ""


class Module(msgspec.Struct, frozen=True):
    """The module of a package."""

    Path: str = ""
    Version: str = ""
    Dir: str = ""
    Main: bool = False


class ListedPackage(msgspec.Struct, frozen=True):
    """One package; `BuildID` is "action/content": equal action means equal inputs, flags and compiler."""

    ImportPath: str
    Dir: str = ""
    Name: str = ""
    BuildID: str = ""
    GoFiles: tuple[str, ...] = ()
    CgoFiles: tuple[str, ...] = ()
    TestGoFiles: tuple[str, ...] = ()
    XTestGoFiles: tuple[str, ...] = ()
    Error: PackageError | None = None
    DepsErrors: tuple[PackageError, ...] = ()
    Module: Module | None = None
    ForTest: str = ""

    @property
    def path(self) -> str:
        """The import path without the variant in brackets."""
        return self.ImportPath.partition(" ")[0]

    @property
    def variant(self) -> str:
        """What stands in brackets, as in `p [p.test]`."""
        return self.ImportPath.partition(" [")[2].rstrip("]")


_END_OF_OBJECT = b"\n}\n"


def parse_go_list(data: bytes) -> list[ListedPackage]:
    """Parse the whole output. Raises FormatError when it is not such a stream."""
    objects = data.strip().replace(_END_OF_OBJECT + b"{", b"\n},\n{")
    try:
        return msgspec.json.decode(b"[" + objects + b"]", type=list[ListedPackage])
    except msgspec.DecodeError as error:
        raise FormatError(f"go list printed JSON that cannot be read: {error}") from error
