"""Texts, Markdown, pages of HTML and PDFs become seeds, one a document."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from synth import seed
from synth.errors import SeedError
from synth.record import Record
from tests.running import not_for_ever


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def records_of(folder: Path, *names: str) -> list[Record]:
    return list(seed.records(seed.resolve(names, folder)))


def reasons_of(records: list[Record]) -> list[str]:
    return [record.dropped.reason for record in records if record.dropped]


def pdf_of(*pages: str, title: str = "", key: str = "") -> bytes:
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(300, 300)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        drawn = DecodedStreamObject()
        drawn.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = drawn
    if title:
        writer.add_metadata({"/Title": title})
    if key:
        writer.encrypt(key, algorithm="RC4-128")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def test_each_format_gives_its_text_its_title_and_its_name(tmp_path: Path):
    write(tmp_path / "plain.txt", "\ufeffOne.\r\n# no heading\n")
    write(tmp_path / "notes.md", "intro\n```\n# code\n```\n## The *second* ##\nend")
    write(tmp_path / "page.HTML", "<title> A\n page </title><p>Hello <b>you</b>")
    write(tmp_path / "paper.pdf", pdf_of("First page", "", "Third page", title="On pages"))

    made = records_of(tmp_path, "plain.txt", "notes.md", "page.HTML", "paper.pdf")

    assert [record.fields["text"] for record in made] == [
        "One.\n# no heading\n",
        "intro\n```\n# code\n```\n## The *second* ##\nend",
        "Hello **you**",
        "First page\n\nThird page",
    ]
    titles = [record.fields["title"] for record in made]
    assert titles == ["plain", "The *second*", "A page", "On pages"]
    assert [record.fields["document"] for record in made] == [
        "plain.txt",
        "notes.md",
        "page.HTML",
        "paper.pdf",
    ]
    assert {record.messages for record in made} == {()}


def test_a_document_without_a_title_is_called_by_its_first_heading_or_its_file(tmp_path: Path):
    write(tmp_path / "a.htm", "<h2>Below <i>all</i></h2><p>x")
    write(tmp_path / "b.pdf", pdf_of("x"))
    write(tmp_path / "c.md", "no heading #\n#also none")

    made = records_of(tmp_path, "a.htm", "b.pdf", "c.md")

    assert [record.fields["title"] for record in made] == ["Below all", "b", "c"]


def test_html_becomes_markdown_without_what_nobody_reads(tmp_path: Path):
    html = """<?xml version="1.0"?><html><head><style>p {}</style></head><body>
    <nav><ul><li>Home</li></ul></nav><script>run()</script><h1>Dose</h1>
    <ol><li>first<ul><li>inner</li></ul></li><li>second</li></ol>
    <table><tr><th>drug</th><th>mg</th></tr><tr><td>a_b</td><td>5 * 2</td></tr></table>
    <pre><code class="hljs language-python">def f():
    return 1</code></pre></body></html>"""
    write(tmp_path / "page.html", html)

    (record,) = records_of(tmp_path, "page.html")

    assert record.fields["text"] == (
        "# Dose\n\n1. first\n   - inner\n2. second\n\n"
        "| drug | mg |\n| --- | --- |\n| a_b | 5 * 2 |\n\n"
        "```python\ndef f():\n    return 1\n```"
    )


def test_a_folder_gives_all_documents_in_it_and_below_by_name(tmp_path: Path):
    write(tmp_path / "docs" / "b.md", "b")
    write(tmp_path / "docs" / "a" / "z.txt", "z")
    write(tmp_path / "docs" / "a" / "table.csv", "n\n1")
    write(tmp_path / "docs" / "picture.png", b"\x89")
    write(tmp_path / "docs" / ".git" / "hidden.md", "hidden")

    made = records_of(tmp_path, "docs/")

    assert [record.fields["document"] for record in made] == ["a/z.txt", "b.md"]


def test_a_document_that_cannot_be_read_is_dropped_with_its_place_and_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    write(tmp_path / "docs" / "1_broken.pdf", b"%PDF-1.7\nnothing of one")
    write(tmp_path / "docs" / "2_cut.pdf", pdf_of("whole")[:150])
    write(tmp_path / "docs" / "3_locked.pdf", pdf_of("secret", key="p"))
    write(tmp_path / "docs" / "4_scan.pdf", pdf_of("", ""))
    write(tmp_path / "docs" / "5_latin.txt", "Fuß".encode("latin-1"))
    write(tmp_path / "docs" / "6_empty.html", "<p> </p><script>x</script>")
    write(tmp_path / "docs" / "7_good.txt", "good")

    *bad, good = records_of(tmp_path, "docs")

    assert good.fields["text"] == "good"
    told = reasons_of(bad)
    assert [reason.split(": ")[:2] for reason in told] == [
        ["broken_pdf", "docs/1_broken.pdf"],
        ["broken_pdf", "docs/2_cut.pdf"],
        ["encrypted", "docs/3_locked.pdf"],
        ["no_text", "docs/4_scan.pdf"],
        ["not_utf8", "docs/5_latin.txt"],
        ["no_text", "docs/6_empty.html"],
    ]
    assert told[3].endswith("no text on its 2 pages, as in a scan; run OCR on it")
    assert told[4].endswith("byte 3 is not UTF-8; convert it")
    assert bad[0].fields == {"raw": "", "file": "docs/1_broken.pdf"}
    assert caplog.text == ""


def test_bytes_of_a_pdf_in_disorder_never_end_the_run(tmp_path: Path):
    whole = pdf_of("some text on a page", title="t")
    for at in range(0, len(whole), 7):
        mixed = whole[:at] + bytes(255 - byte for byte in whole[at : at + 5]) + whole[at + 5 :]
        write(tmp_path / "docs" / f"{at:04}.pdf", mixed)
    write(tmp_path / "docs" / "good.txt", "good")

    made = records_of(tmp_path, "docs")

    assert len(made) == len(range(0, len(whole), 7)) + 1
    assert {"broken_pdf", "no_text"} >= {reason.split(":")[0] for reason in reasons_of(made)}
    assert reasons_of(made)


def test_a_pdf_that_only_its_owner_may_change_is_read(tmp_path: Path):
    writer = PdfWriter(PdfReader(BytesIO(pdf_of("open to all"))))
    writer.encrypt("", "owner", algorithm="RC4-128")
    written = BytesIO()
    writer.write(written)
    write(tmp_path / "a.pdf", written.getvalue())

    (record,) = records_of(tmp_path, "a.pdf")

    assert record.fields["text"] == "open to all"


def test_documents_of_which_none_can_be_read_are_refused_before_anything_runs(tmp_path: Path):
    write(tmp_path / "docs" / "a.txt", " \n")
    write(tmp_path / "docs" / "b.pdf", b"")

    with pytest.raises(SeedError, match=r"'docs', found no good one: no_text: docs/a\.txt"):
        seed.resolve(["docs"], tmp_path)
    with pytest.raises(SeedError, match=r"'docs/b\.pdf', found no good one: broken_pdf"):
        seed.resolve(["docs/b.pdf"], tmp_path)


def test_rows_and_documents_in_one_folder_are_refused_unless_a_readme_explains(tmp_path: Path):
    write(tmp_path / "data" / "rows.jsonl", '{"n": 1}')
    write(tmp_path / "data" / "README.md", "what the rows are")

    assert [record.fields for record in records_of(tmp_path, "data")] == [{"n": 1}]

    write(tmp_path / "data" / "paper.md", "text")
    with pytest.raises(SeedError, match=r"found both: 'rows\.jsonl' and 'paper\.md'; name the"):
        seed.resolve(["data"], tmp_path)


def test_the_fingerprint_tells_bytes_and_names_of_all_documents(tmp_path: Path):
    def fingerprint(folder: str) -> str:
        return seed.resolve(["docs"], tmp_path / folder)[0].fingerprint()

    for folder, name, text in (
        ("a", "1.md", "x"),
        ("b", "1.md", "x"),
        ("c", "1.md", "y"),
        ("d", "2.md", "x"),
    ):
        write(tmp_path / folder / "docs" / "sub" / name, text)
        write(tmp_path / folder / "docs" / "same.md", "same")

    assert fingerprint("a") == fingerprint("b")
    assert len({fingerprint(folder) for folder in "acd"}) == 3


def test_a_document_named_absolutely_never_tells_where_it_lies(tmp_path: Path):
    write(tmp_path / "docs" / "a.md", "a")
    write(tmp_path / "docs" / "b.txt", b"\xff")

    good, bad = records_of(Path("elsewhere"), str(tmp_path / "docs"))

    assert good.fields["document"] == "a.md"
    assert str(tmp_path) not in f"{bad.fields} {reasons_of([bad])}"


@pytest.mark.parametrize(
    "html",
    [
        "<a " * 30_000,
        "<!--" * 30_000,
        "<?xml " * 30_000 + ">",
        "<pre>" * 6_000 + "x",
        f"<p>a{' ' * 60_000}b</p>",
        f"a{' ' * 60_000}b",
    ],
)
def test_degenerate_html_takes_no_longer_than_its_length(tmp_path: Path, html: str):
    write(tmp_path / "docs" / "a.html", html.encode())
    write(tmp_path / "docs" / "b.md", b"good")

    with not_for_ever():
        made = records_of(tmp_path, "docs")

    assert len(made) == 2


def test_long_white_space_is_one_space_but_for_code(tmp_path: Path):
    blank = " " * 200
    html = f"<p>a{blank}b 1 < 2</p><pre><code>c{blank}d</code></pre>e < f <g"
    write(tmp_path / "a.html", html.encode())

    (record,) = records_of(tmp_path, "a.html")

    assert record.fields["text"].startswith("a b 1 < 2\n")
    assert f"c{blank}d" in record.fields["text"]
    assert record.fields["text"].endswith("e < f <g")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ol><li>a<li>b<ul><li>c<li>d</ul><li>e</ol>", "1. a\n2. b\n   - c\n   - d\n3. e"),
        ("<p>a<p>b<ul><li><p>c<li>d</ul>", "a\n\nb\n\n- c\n- d"),
        (
            "<table><thead><tr><th>A<th>B<tbody><tr><td>1<td>2<tr><td>3<td>4</table>",
            "| A | B |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |",
        ),
        ("<header>a</header><main>b</main><footer>c</footer>", "a\n\nb\n\nc"),
        ("<select><option>a<option>b</select>", "a\n\nb"),
    ],
)
def test_tags_that_html_lets_end_by_themselves_do(tmp_path: Path, html: str, text: str):
    write(tmp_path / "a.html", html.encode())

    (record,) = records_of(tmp_path, "a.html")

    assert record.fields["text"] == text


def test_a_text_of_two_bytes_a_character_is_no_text(tmp_path: Path):
    write(tmp_path / "docs" / "a.md", "hello".encode("utf-16-le"))
    write(tmp_path / "docs" / "b.txt", b"one\rtwo\r\nthree")

    bad, good = records_of(tmp_path, "docs")

    assert reasons_of([bad])[0].startswith("not_text: docs/a.md: character 2 is NUL")
    assert good.fields["text"] == "one\ntwo\nthree"
