"""Places and values: what a stranger typed is text, wherever it lands."""

from __future__ import annotations

import html.parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import BadEdition
from relay.sealer.pages import Page, shown

FORM = (
    '<p id="a"><!--text--></p><input value="<!--text-->" checked="<!--on-->">'
    "<textarea>\n<!--text--></textarea>"
    '<!--begin each--><b title="<!--text-->"><!--one--></b><!--end each-->'
)


class _Read(html.parser.HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1))
def test_a_value_is_text_in_every_place(text: str) -> None:
    page = _Read(Page(FORM).fill({"text": text, "each": [{"one": text}, {"one": "2"}]}))
    assert [tag for tag, _ in page.tags] == ["p", "input", "textarea", "b", "b"]
    assert page.tags[1][1] == {"value": text}
    assert page.tags[3][1] == {"title": text}
    assert page.text == f"{text}\n{text}{text}2"


def test_without_a_value_there_is_nothing_and_no_attribute() -> None:
    assert Page(FORM).fill({}) == b'<p id="a"></p><input><textarea>\n</textarea>'
    assert b' checked="checked"' in Page(FORM).fill({"on": "checked"})


def test_sections_nest_and_come_as_often_as_their_values() -> None:
    page = Page("<!--begin a-->[<!--begin b--><!--x--><!--y--><!--end b-->]<!--end a-->")
    assert page.fill({"y": "!", "a": [{"b": [{"x": "1"}, {"x": "2"}]}, {"b": shown(False)}]}) == b"[1!2!][]"
    assert page.fill({"a": shown(True)}) == b"[]"


def test_a_value_is_not_looked_through_for_places() -> None:
    assert Page("<!--a-->").fill({"a": "<!--b-->", "b": "secret"}) == b"&lt;!--b--&gt;"


@pytest.mark.parametrize(
    "text", ["<!--begin a-->", "<!--end a-->", "<!--begin a--><!--begin b--><!--end a--><!--end b-->"]
)
def test_a_page_whose_sections_do_not_close_is_refused(text: str) -> None:
    with pytest.raises(BadEdition):
        Page(text)
