"""Get a file from the web, and go on where an earlier try stopped."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from benchmark.common.errors import NotPossible
from benchmark.datasets.catalogue.writing import writing

#: Called with the bytes that are here and with those of the whole file, None: not known
Tell = Callable[[int, "int | None"], None]

_CHUNK = 1 << 16
_TRIES = 3
_SECONDS = 30
_RANGE_NOT_SATISFIABLE = 416


def download(url: str, part: Path, tell: Tell, *, pinned: bool) -> None:
    """Get the file at ``url`` into ``part``.

    What an earlier call left in ``part`` is taken over, if the server still has the same file: by its ETag or
    date of change, or, for a file that does not change, in any case. A connection that breaks is tried again.

    Parameters
    ----------
    url : str
        http or https.
    part : Path
        The unfinished file. Beside it stands the server's mark of the file, ``PART.mark``, until it is whole.
    tell : callable
        Told of the progress.
    pinned : bool
        Whether the file is checked by its sha256 later, so that it can be gone on with without a mark.

    Raises
    ------
    NotPossible
        If the file cannot be got. What is here of it stays, and the message says so.
    DataError
        If it cannot be written.
    """
    for left in reversed(range(_TRIES)):
        if _try(url, part, tell, pinned, last=not left):
            _mark_of(part).unlink(missing_ok=True)
            return
    raise NotPossible(f"{url}: the server has another file than the one that was begun; try again")


def _try(url: str, part: Path, tell: Tell, pinned: bool, last: bool) -> bool:
    """Try once. False: it is worth another try."""
    try:
        _go_on(url, part, tell, pinned)
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE:
            raise NotPossible(f"{url}: the server answers {error.code} {error.reason}") from error
        # what is here is longer than the file: it is another file
        part.unlink(missing_ok=True)
    except (http.client.HTTPException, OSError) as error:
        if last:
            size = part.stat().st_size if part.is_file() else 0
            kept = f"; {size:,} bytes are kept, run the command again to go on from there" if size else ""
            reason = getattr(error, "reason", None) or error
            raise NotPossible(f"{url}: cannot be got ({reason}){kept}") from error
    else:
        return True
    return False


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.mark")


def _go_on(url: str, part: Path, tell: Tell, pinned: bool) -> None:
    mark = _mark_of(part)
    known = mark.read_text(encoding="latin-1") if mark.is_file() else ""
    here = part.stat().st_size if part.is_file() and (known or pinned) else 0
    request = urllib.request.Request(url, headers={"User-Agent": "semantic-benchmark"})  # noqa: S310 - the schema
    if here:
        request.add_header("Range", f"bytes={here}-")
        if known:
            request.add_header("If-Range", known)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - allows http(s) alone
        if answer.status != http.client.PARTIAL_CONTENT:
            here = 0
        # a weak ETag may not stand in If-Range
        found = [answer.headers.get("ETag") or "", answer.headers.get("Last-Modified") or ""]
        length = answer.headers.get("Content-Length")
        total = None if length is None else here + int(length)
        with writing(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(next((m for m in found if m and not m.startswith("W/")), ""), encoding="latin-1")
            stream = part.open("ab" if here else "wb")
        with stream:
            got = _copy(answer, stream, part, tell, here, total)
    if total is not None and got < total:
        raise ConnectionError(f"the connection broke after {got:,} of {total:,} bytes")


def _copy(
    answer: http.client.HTTPResponse, stream: BinaryIO, part: Path, tell: Tell, here: int, total: int | None
) -> int:
    while chunk := answer.read(_CHUNK):
        with writing(part):
            stream.write(chunk)
            stream.flush()
        here += len(chunk)
        tell(here, total)
    return here
