"""Imports come and go as a person would write them."""

from __future__ import annotations

import pytest

from whyheap.proof.imports import mended

BODY = "\n\nfunc F() {}\n"


@pytest.mark.parametrize(
    ("head", "needed", "unused", "want"),
    [
        ('import "fmt"', ["strconv"], ["fmt"], 'import "strconv"'),
        ('import "fmt"', ["strconv"], [], 'import (\n\t"fmt"\n\t"strconv"\n)'),
        ('import "fmt"', [], ["fmt"], ""),
        ("", ["strconv"], [], 'import "strconv"'),
        ('import (\n\t"fmt"\n)', ["strconv"], ["fmt"], 'import (\n\t"strconv"\n)'),
        ('import (\n\t"a.test/b"\n)', ["fmt"], [], 'import (\n\t"fmt"\n\n\t"a.test/b"\n)'),
        ('import (\n\t"bytes"\n\t"os"\n)', ["fmt"], ["os"], 'import (\n\t"bytes"\n\t"fmt"\n)'),
        ('import (\n\t"bytes" // why\n)', ["fmt"], [], 'import (\n\t"bytes" // why\n\t"fmt"\n)'),
        ('import f "fmt"', ["bytes"], [], 'import (\n\t"bytes"\n\tf "fmt"\n)'),
        ('import (\n\t"fmt"\n\t"os"\n)', [], ["fmt", "os"], ""),
    ],
)
def test_imports_are_mended(head: str, needed: list[str], unused: list[str], want: str) -> None:
    text = f"package m\n\n{head}{BODY}" if head else f"package m{BODY}"
    expected = f"package m\n\n{want}{BODY}" if want else f"package m{BODY}"
    assert mended(text, needed, unused) == expected
