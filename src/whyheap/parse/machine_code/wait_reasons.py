"""The texts for why a goroutine waits, from an executable: an array of Go strings (runtime2.go waitReasonStrings)."""

from __future__ import annotations

from typing import Final

from whyheap.parse.machine_code.elf_image import ElfImage
from whyheap.parse.struct_layout import StructLayout

VARIABLE: Final = "runtime.waitReasonStrings"
_STRING_BYTES: Final = 16
_MOST_REASONS: Final = 256
_LONGEST_REASON: Final = 200


def read_wait_reasons(image: ElfImage, layout: StructLayout) -> tuple[str, ...]:
    """Return the texts by number, empty when the variable's address is unknown; a text that is not there is ""."""
    variable = layout.variables.get(VARIABLE)
    count = min(variable.size // _STRING_BYTES, _MOST_REASONS) if variable is not None else 0
    words = image.words(variable.address, 2 * count) if variable is not None and count else None
    texts = []
    for address, size in zip(words[::2], words[1::2], strict=True) if words else ():
        data = image.read(address, size) if size <= _LONGEST_REASON else None
        texts.append(bytes(data).decode("utf-8", "replace") if data is not None else "")
    return tuple(texts)
