"""Source text of the scanned files, read when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from whyheap.model.scan import Scan

_LARGEST_FILE = 8 << 20


class SourceFiles(Mapping[str, str]):
    """Sources by their spelling in Site.file; what cannot be read is not there. `read` holds what was asked for."""

    def __init__(self, scan: Scan) -> None:
        """Only files of the scanned packages can be asked for.

        `scan` must have been made in this run: one from a capture may name any folder and file.
        """
        self._paths = {
            file: Path(package.folder, file.rsplit("/", 1)[-1]) for package in scan.packages for file in package.files
        }
        self.read: dict[str, str] = {}

    def __getitem__(self, file: str) -> str:
        """Return the text. Raises KeyError when it cannot be read."""
        text = self.read.get(file)
        if text is not None:
            return text
        path = self._paths[file]
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise KeyError(file)
            text = self.read[file] = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise KeyError(file) from error
        return text

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, whether they can be read or not."""
        return iter(self._paths)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._paths)
