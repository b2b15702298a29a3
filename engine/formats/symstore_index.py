"""The transaction files of a symstore server, which list what it holds.

`000Admin/lastid.txt` holds the number of the last transaction, `000Admin/0000000001` and so on hold the transactions
(format: Microsoft's "SymStore Transactions"). A line of an `add` transaction begins with the stored name and id,
`"crash.pdb\\3249D99D0C4049318610F4E4FB0B69361","C:\\build\\crash.pdb"`.
"""

from __future__ import annotations

import re

from engine.formats.bytewise import Data, FormatError, viewed

LAST_ID_PATH = "000Admin/lastid.txt"
MAX_LAST_ID = 10_000
MAX_FILE_BYTES = 32 << 20
_ENTRY = re.compile(rb'^"([^"\\/\r\n]{1,255})\\([^"\\/\r\n]{1,255})"', re.MULTILINE)


def transaction_path(number: int) -> str:
    """Where a server keeps the transaction of this number, relative to its root."""
    return f"000Admin/{number:010d}"


def parse_last_id(data: Data) -> int:
    """The number of the last transaction, 0 to 10000; FormatError for anything else."""
    text = bytes(viewed(data)[:64]).removeprefix(b"\xef\xbb\xbf").strip()
    if not text.isdigit() or len(text) > 20 or int(text) > MAX_LAST_ID:
        raise FormatError("lastid.txt does not hold the number of a transaction")
    return int(text)


def parse_transaction(data: Data) -> frozenset[str]:
    """The paths `name/ID/name` that a transaction lists, as it spells them.

    Lines that list nothing are passed over; FormatError only when the file is too large.
    """
    view = viewed(data)
    if len(view) > MAX_FILE_BYTES:
        raise FormatError("the transaction of the symbol server is too large")
    pairs = ((found[1].decode(errors="replace"), found[2].decode(errors="replace")) for found in _ENTRY.finditer(view))
    return frozenset(f"{name}/{identity}/{name}" for name, identity in pairs)
