"""What `go list -e -export -json` prints: a stream of JSON objects, one per package."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from whyheap.errors import FormatError

_SOURCES = [
    "GoFiles",
    "CgoFiles",
    "TestGoFiles",
    "XTestGoFiles",
    "CFiles",
    "CXXFiles",
    "MFiles",
    "HFiles",
    "FFiles",
    "SFiles",
    "SwigFiles",
    "SwigCXXFiles",
    "SysoFiles",
    "EmbedFiles",
]
FIELDS = ",".join(["ImportPath,Dir,Name,BuildID,Export,Error,DepsErrors,Module,ForTest,DepOnly", *_SOURCES])


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
    GoMod: str = ""
    GoVersion: str = ""


class ListedPackage(msgspec.Struct, frozen=True):
    """One package; `BuildID` is "action/content": equal action means equal inputs, flags and compiler.

    `Export` is the archive with the package's export data and machine code, empty when it was not built.
    """

    ImportPath: str
    Dir: str = ""
    Name: str = ""
    BuildID: str = ""
    Export: str = ""
    GoFiles: tuple[str, ...] = ()
    CgoFiles: tuple[str, ...] = ()
    TestGoFiles: tuple[str, ...] = ()
    XTestGoFiles: tuple[str, ...] = ()
    CFiles: tuple[str, ...] = ()
    CXXFiles: tuple[str, ...] = ()
    MFiles: tuple[str, ...] = ()
    HFiles: tuple[str, ...] = ()
    FFiles: tuple[str, ...] = ()
    SFiles: tuple[str, ...] = ()
    SwigFiles: tuple[str, ...] = ()
    SwigCXXFiles: tuple[str, ...] = ()
    SysoFiles: tuple[str, ...] = ()
    EmbedFiles: tuple[str, ...] = ()
    DepOnly: bool = False
    Error: PackageError | None = None
    DepsErrors: tuple[PackageError, ...] = ()
    Module: Module | None = None
    ForTest: str = ""

    def all_files(self) -> Iterator[str]:
        """Yield every file that is compiled or embedded, relative to `Dir`."""
        for name in _SOURCES:
            yield from getattr(self, name)

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
