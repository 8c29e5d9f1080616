"""Text of others in a line of Markdown is read as it is written, by a reader that is not ours."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from benchmark.common.text import markdown, plain

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(st.text() | st.text(alphabet="_*a <>&#`[]()!~|\\\\\n1."))
def test_markdown_is_read_as_the_plain_text(text: str) -> None:
    assert READER.render(f"- x{markdown(text)}x") == (
        f"<ul>\n<li>x{html.escape(plain(text), quote=False).replace(chr(34), '&quot;')}x</li>\n</ul>\n"
    )


@given(st.text(alphabet="|a\\\\`*"))
def test_a_cell_of_a_table_stays_one_cell(text: str) -> None:
    table = READER.render(f"| a | b |\n| --- | --- |\n| x{markdown(text)}x | y |\n")
    assert f"<td>x{html.escape(text)}x</td>\n<td>y</td>" in table
