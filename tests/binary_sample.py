"""A tiny executable, laid out as Go's linker does: two functions, one call of the allocator, one inlined call.

main.outer (main.go, declared in line 10) calls main.inner, inlined from part.go; there, in line 7, is the call
`runtime.newobject(main.T)`. main.inner has no code of its own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

TEXT, DATA = 0x401000, 0x500000
NEWOBJECT, OUTER, TEXT_END = 0, 32, 96
NAMES = b"\0runtime.newobject\0main.outer\0main.inner\0"
PATHS = b"/home/me/app/main.go\0/home/me/app/part.go\0"
LOAD_AT, CALL_AT = 8, {"amd64": 15, "arm64": 16}
_HEADER_BYTES = 72
_MACHINES = {"amd64": 62, "arm64": 183}
_NO_DATA = 0xFFFFFFFF


@dataclass
class Sample:
    """What to vary: the layout of the module data (`release`), section headers, relocations of a PIE."""

    arch: str = "amd64"
    release: int = 27
    pie: bool = False
    version: bytes = b"go1.27.3"

    @property
    def unit(self) -> int:
        """The smallest instruction."""
        return 1 if self.arch == "amd64" else 4

    def build(self) -> bytes:
        """Return the file."""
        text = self._text()
        types = 0x8000
        gofunc = 0x9000
        module = 0xA000
        data = bytearray(0xC000)
        tables = self._line_tables()
        data[0 : len(tables)] = tables
        data[0x7000 : 0x7000 + 40 + len(self.version)] = self._build_info()
        data[types : types + 256] = _type_descriptor()
        data[gofunc : gofunc + 20] = struct.pack("<Iiiii", 0, 0, NAMES.index(b"main.inner"), 4, 6)
        words = self._module_words(DATA + types, DATA + gofunc)
        rela = b""
        if self.pie:
            kind = 8 if self.arch == "amd64" else 1027
            places = [at for at, word in enumerate(words) if word >= TEXT]
            rela = b"".join(struct.pack("<QQQ", DATA + module + 8 * at, kind, words[at]) for at in places)
            words = [0 if word >= TEXT else word for word in words]
        data[module : module + 8 * len(words)] = struct.pack(f"<{len(words)}Q", *words)
        data[0xB000 : 0xB000 + len(rela)] = rela
        dynamic = struct.pack("<6Q", 7, DATA + 0xB000, 8, len(rela), 0, 0)
        data[0xBF00 : 0xBF00 + len(dynamic)] = dynamic
        return self._elf(text, bytes(data))

    def _text(self) -> bytes:
        code = bytearray(b"\xcc" * TEXT_END)
        type_at = DATA + 0x8000 + 64
        call = OUTER + CALL_AT[self.arch]
        if self.arch == "amd64":
            lea = OUTER + LOAD_AT
            code[lea : lea + 7] = b"\x48\x8d\x05" + struct.pack("<i", type_at - (TEXT + lea + 7))
            code[call : call + 5] = b"\xe8" + struct.pack("<i", NEWOBJECT - call - 5)
        else:
            pages = (type_at >> 12) - ((TEXT + OUTER + LOAD_AT) >> 12)
            adrp = 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
            add = 0x91000000 | (type_at & 0xFFF) << 10
            branch = 0x94000000 | ((NEWOBJECT - call) // 4 & 0x03FFFFFF)
            code[OUTER + LOAD_AT : OUTER + LOAD_AT + 12] = struct.pack("<III", adrp, add, branch)
        return bytes(code)

    def _line_tables(self) -> bytes:
        size = TEXT_END - OUTER
        call = CALL_AT[self.arch]
        pctab, at = bytearray(b"\0"), {}
        tables = {
            "stack": [(8, size)],
            "file-0": [(0, size)],
            "line-0": [(3, 32)],
            "file-1": [(0, call), (1, call + 4), (0, size)],
            "line-1": [(10, call), (7, call + 4), (12, size)],
            "inline": [(-1, call), (0, call + 4), (-1, size)],
        }
        for name, steps in tables.items():
            at[name] = len(pctab)
            pctab += values(steps, self.unit)
        units = struct.pack("<II", 0, PATHS.index(b"/home/me/app/part"))
        functions = bytearray(struct.pack("<5I", NEWOBJECT, 24, OUTER, 24 + 44, TEXT_END) + b"\0" * 4)
        functions += struct.pack("<11I", NEWOBJECT, 1, 0, 0, at["stack"], at["file-0"], at["line-0"], 0, 0, 3, 0)
        functions += struct.pack(
            "<11I", OUTER, NAMES.index(b"main.outer"), 0, 0, at["stack"], at["file-1"], at["line-1"], 3, 0, 10, 4 << 24
        )
        functions += struct.pack("<3I", 0, 0, at["inline"])
        functions += struct.pack("<4I", _NO_DATA, _NO_DATA, _NO_DATA, 4)
        places, blob = [], b""
        for part in (NAMES, units, PATHS, bytes(pctab), bytes(functions)):
            blob += b"\0" * (-len(blob) % 8)
            places.append(_HEADER_BYTES + len(blob))
            blob += part
        self.places = places
        return struct.pack("<IBBBB8Q", 0xFFFFFFF1, 0, 0, self.unit, 8, 2, 2, 0, *places) + blob

    def _module_words(self, types: int, gofunc: int) -> list[int]:
        words = [0] * 48
        words[0], words[1], words[22], words[23] = DATA, DATA + self.places[0], TEXT, TEXT + TEXT_END
        newer = (types, 0x100, types + 0x200, 0x180, 0x10, types - 16, gofunc)
        older = (types, types + 0x200, types - 16, gofunc)
        layout = newer if self.release >= 27 else older
        words[37 : 37 + len(layout)] = layout
        return words

    def _build_info(self) -> bytes:
        return b"\xff Go buildinf:\x08\x02" + b"\0" * 16 + bytes([len(self.version)]) + self.version + b"\0" * 7

    def _elf(self, text: bytes, data: bytes) -> bytes:
        note = struct.pack("<III", 4, 8, 4) + b"Go\0\0" + b"build-id"
        segments = [
            (1, 5, 0x1000, TEXT, len(text)),
            (1, 6, 0x2000, DATA, len(data)),
            (4, 4, 0x800, 0, len(note)),
            *([(2, 6, 0x2000 + 0xBF00, DATA + 0xBF00, 48)] if self.pie else []),
        ]
        head = struct.pack(
            "<16sHHIQQQIHHHHHH",
            b"\x7fELF\x02\x01\x01",
            2,
            _MACHINES[self.arch],
            1,
            TEXT,
            64,
            0,
            0,
            64,
            56,
            len(segments),
            0,
            0,
            0,
        )
        for kind, flags, offset, address, size in segments:
            head += struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, size, size, 4096)
        image = bytearray(0x2000 + len(data))
        image[0 : len(head)] = head
        image[0x800 : 0x800 + len(note)] = note
        image[0x1000 : 0x1000 + len(text)] = text
        image[0x2000:] = data
        return bytes(image)


def values(steps: list[tuple[int, int]], unit: int) -> bytes:
    """Encode a table: each step is a value and the distance from the entry that it holds up to."""
    found, value, distance = b"", -1, 0
    for wanted, end in steps:
        change = wanted - value
        found += varint((change << 1) ^ (change >> 63)) + varint((end - distance) // unit)
        value, distance = wanted, end
    return found + b"\0"


def varint(number: int) -> bytes:
    """Encode as Go's linker does: seven bits a byte, low ones first."""
    number &= 0xFFFFFFFF
    found = b""
    while number >= 1 << 7:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def _type_descriptor() -> bytes:
    """Return types: the name "*main.T" at 16, shared with the pointer's type, and the descriptor of main.T at 64."""
    found = bytearray(256)
    found[16:25] = b"\x01\x07*main.T"
    found[64 + 20] = 2
    found[64 + 40 : 64 + 44] = struct.pack("<i", 16)
    return bytes(found)
