"""Links between the pages lead to what is there, and no page is lost."""

import pathlib
import re

import pytest

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PAGES = [
    path
    for folder in (".", "docs", "docs/api", "results")
    for path in sorted((_ROOT / folder).glob("*.md"))
]


def _prose(path):
    """A page without its code."""
    return re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S)


def _links(path):
    """Pairs of a page's address and of a heading in it, both perhaps ''."""
    text = _prose(path)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    here = [link for link in links if not link.startswith("http")]
    return [link.partition("#")[::2] for link in here]


def _anchors(path):
    """What GitHub calls the headings of a page."""
    text = _prose(path)
    anchors, counts = set(), {}
    for heading in re.findall(r"^#+ +(.+)$", text, re.M):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.strip())
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        count = counts[anchor] = counts.get(anchor, -1) + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


@pytest.mark.parametrize(
    "path", _PAGES, ids=[str(path.relative_to(_ROOT)) for path in _PAGES]
)
def test_links_lead_to_pages_and_headings(path):
    for address, heading in _links(path):
        page = path.parent / address if address else path
        assert page.exists(), address
        if heading:
            assert heading in _anchors(page), f"{address}#{heading}"


def test_the_index_has_every_page():
    pages = {path.name for path in (_ROOT / "docs").glob("*.md")}
    listed = {address for address, _ in _links(_ROOT / "docs" / "README.md")}
    assert pages - {"README.md"} <= listed
