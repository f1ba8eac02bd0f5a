"""From HTML to Markdown: what a reader of the page sees, without scripts, styles and navigation."""
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING, Any, NamedTuple

from synth.seed.values import RowError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_UNREAD = ("script", "style", "nav", "noscript", "template", "head", "title", "iframe", "svg")
_XML = pattern(r"\A\s*<\?xml[^>]*>")
_LONG_BLANK = pattern(r"[ \t\r\n]{100,}")
_BLANK_LINES = pattern(r"\n{3,}")
_LABEL = pattern(r"[\w+#.-]{1,20}")
_LANGUAGE = pattern(r"(?:language|lang|hljs|brush)-([\w+#.-]+)")


_BLOCKS = (
    *("address", "aside", "center", "details", "fieldset", "figure", "footer", "form", "header"),
    *("hgroup", "legend", "main", "menu", "option", "search", "summary", "textarea"),
)
"""Blocks of which the converter knows nothing: their words would run together."""
_ENDS_P = ("div", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul")
_ENDS = {
    **dict.fromkeys(_ENDS_P, ("p",)),
    "li": ("p", "li"),
    **dict.fromkeys(("dd", "dt"), ("p", "dd", "dt")),
    "option": ("option",),
    **dict.fromkeys(("td", "th"), ("p", "td", "th")),
    "tr": ("p", "td", "th", "tr"),
    **dict.fromkeys(("tbody", "tfoot"), ("p", "td", "th", "tr", "thead", "tbody")),
}
"""Tag to those that need no end tag where it begins."""


class Page(NamedTuple):
    """What an HTML document says."""

    text: str
    """Its body as Markdown; empty if nothing in it can be read."""
    title: str
    """Its `<title>`, else its first heading, else empty."""


def page(html: str) -> Page:
    """Return text and title of an HTML document or of a piece of one.

    Raises RowError `broken_html` for what no parser takes, or tags nested too deeply.
    """
    from bs4.exceptions import ParserRejectedMarkup

    try:
        return _page(_parsed(html))
    except (ParserRejectedMarkup, RecursionError) as error:
        said = "its tags are nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RowError("broken_html", f"the HTML cannot be read: {said}") from error


def _page(soup: BeautifulSoup) -> Page:
    title = _title(soup)
    for tag in soup.find_all(_UNREAD):
        # A tag inside one that is gone already has nothing left to take away.
        if not tag.decomposed:
            tag.decompose()
    for block in soup.find_all(_BLOCKS):
        block.name = "div"
    return Page(_markdown(soup), title)


def _parsed(html: str) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    class Soup(BeautifulSoup):
        def handle_starttag(self, name: str, *given: Any, **more: Any) -> Tag | None:
            while self.currentTag is not None and self.currentTag.name in _ENDS.get(name, ()):
                self.handle_endtag(self.currentTag.name)
            return super().handle_starttag(name, *given, **more)

    # XHTML announces itself as XML, at which the parser would warn. After the last `>` no tag ends:
    # for each that begins there the parser would read all the rest in vain.
    before, end, rest = _XML.sub("", html).rpartition(">")
    soup = Soup(before + end + rest.replace("<", "&lt;"), "html.parser")
    for block in soup.find_all("pre"):
        if block.find_parent("pre") is None:
            _keep_only_code(block)
    _shorten_blanks(soup)
    return soup


def _shorten_blanks(soup: BeautifulSoup) -> None:
    """Leave one space of long white space where it says nothing: it costs its length squared."""
    for text in soup.find_all(string=_LONG_BLANK):
        if text.find_parent("pre") is None:
            text.replace_with(_LONG_BLANK.sub(" ", text))


def _keep_only_code(block: Tag) -> None:
    """Take the label and the buttons that pages put beside the code out of a block of it."""
    code = block.find("code")
    if code is None:
        return
    code.extract()
    label = block.get_text(" ").replace("Copy code", "").strip().lower()
    if _LABEL.fullmatch(label) and not _language(code):
        code["class"] = f"language-{label}"
    block.clear()
    block.append(code)


def _title(soup: BeautifulSoup) -> str:
    for names in (("title",), ("h1", "h2", "h3")):
        found = soup.find(names)
        if found is not None and (text := " ".join(found.get_text().split())):
            return text
    return ""


def _markdown(soup: BeautifulSoup) -> str:
    from markdownify import MarkdownConverter

    written = MarkdownConverter(
        heading_style="atx",
        bullets="-",
        code_language_callback=_language,
        escape_underscores=False,
        escape_asterisks=False,
    ).convert_soup(soup)
    return _BLANK_LINES.sub("\n\n", written).strip()


def _language(block: Tag) -> str:
    """Return the language that a `<pre>` or the `<code>` inside tells by its class."""
    inner = block.find("code")
    tags = (block, inner) if inner is not None else (block,)
    classes = (name for tag in tags for name in tag.get_attribute_list("class") if name)
    found = _LANGUAGE.search(" ".join(classes))
    return found[1] if found else ""
