"""Escaping of text for markdown."""

import pytest
from markdown_it import MarkdownIt

from albedo_pipeline.reporting.model_card.markdown import escaped


@pytest.mark.parametrize("text", ["- a", "1. a", "12) a", "+ a", "---", "===", "# a", "> a", "~~~"])
def test_the_start_of_a_line_is_not_a_list_or_heading(text: str) -> None:
    shown = text.replace(">", "&gt;")
    assert MarkdownIt().render(f"before\n\n{escaped(text)}\n") == (
        f"<p>before</p>\n<p>{shown}</p>\n"
    )


def test_numbers_are_not_changed() -> None:
    assert escaped("13.74") == "13.74"
