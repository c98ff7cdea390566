"""A self-contained HTML page: text, tables and pictures in one file."""

import base64
import html

from experiments import files

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem;
  margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem;
  border-top: 1px solid #ddd; padding-top: 1rem; }
h3 { font-size: 1.05rem; margin-top: 1.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #222; }
tr.paper td { color: #666; border-bottom: 1px solid #ddd; font-size: .9em; }
img { max-width: 100%; height: auto; }
code { overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figcaption, .notes { color: #444; font-size: .92em; }
@media (max-width: 40rem) { body { margin: 1rem auto; font-size: 15px; } }
"""


class HtmlPage:
    """Collects sections and writes them as one file.

    All texts are escaped here.

    Args:
        title: the page's title.
    """

    def __init__(self, title):
        self._title = html.escape(title)
        self._parts = []

    def heading(self, text, level=2):
        """Adds a heading, of level 2 or 3."""
        self._parts.append(f"<h{level}>{html.escape(text)}</h{level}>")

    def notes(self, sentences):
        """Adds paragraphs."""
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in sentences)
        self._parts.append(f'<div class="notes">{lines}</div>')

    def table(self, heading, rows, caption=None):
        """Adds a table.

        Args:
            heading: list of texts.
            rows: list of lists of texts; those that begin with "paper" stand
                back.
            caption: a sentence above it, or None.
        """
        cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in heading)
        lines = []
        for row in rows:
            kind = ' class="paper"' if row[0].startswith("paper") else ""
            texts = "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
            lines.append(f"<tr{kind}>{texts}</tr>")
        if caption:
            self.notes([caption])
        self._parts.append(
            f'<div class="wide"><table><thead><tr>{cells}</tr></thead>'
            f"<tbody>{''.join(lines)}</tbody></table></div>"
        )

    def figure(self, png, caption):
        """Adds a picture.

        Args:
            png: bytes of a PNG.
            caption: what to see in it.
        """
        text = html.escape(caption)
        encoded = base64.b64encode(png).decode()
        self._parts.append(
            f'<figure><img alt="{text}" src="data:image/png;base64,{encoded}">'
            f"<figcaption>{text}</figcaption></figure>"
        )

    def facts(self, facts):
        """Adds lines of a name and a value, a dictionary of texts."""
        self._parts.extend(
            f"<p>{html.escape(name)}: <code>{html.escape(value)}</code></p>"
            for name, value in facts.items()
        )

    def write(self, path):
        """Writes the page, in one step as seen from outside."""
        files.write_text(
            path,
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, '
            f'initial-scale=1"><title>{self._title}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{self._title}</h1>"
            f"{''.join(self._parts)}</body></html>\n",
        )
