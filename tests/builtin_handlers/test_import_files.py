"""Files as people bring them: read as rows of text, or refused as a whole with the reason."""

from __future__ import annotations

import csv
import io
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.workbooks import PARTS, SHEET, bomb, sheet_of, workbook
from jobcore_handlers.files.cells import neutral_cell
from jobcore_handlers.imports.errors import EncodingRefusedError, FileRefusedError
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.imports.separated import LINE_CHARS
from jobcore_handlers.imports.table import open_table

LIMITS = ImportLimits()
MIB = 1 << 20


def read(content: bytes | io.BytesIO, limits: ImportLimits = LIMITS) -> list[list[str]]:
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    table = open_table(file, limits)
    rows = [list(row.cells) for row in table.rows()]
    assert table.count() == len(rows)
    return [list(table.header()), *rows]


def refusal(content: bytes | io.BytesIO, limits: ImportLimits = LIMITS) -> str:
    with pytest.raises(FileRefusedError) as caught:
        read(content, limits)
    return str(caught.value)


def with_rows(rows: str) -> list[str]:
    return ["".join(sheet_of([])).replace("<sheetData>", f"<sheetData>{rows}")]


# -- separated values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_every_separator_and_encoding_is_found(separator: str, encoding: str) -> None:
    text = separator.join(["name", "serial"]) + "\r\n" + separator.join(["Drucker Köln", "S 1"]) + "\r\n"
    match encoding:
        case "utf-16-le-bom":
            content = b"\xff\xfe" + text.encode("utf-16-le")
        case "utf-16-be-bom":
            content = b"\xfe\xff" + text.encode("utf-16-be")
        case _:
            content = text.encode(encoding)
    assert read(content) == [["name", "serial"], ["Drucker Köln", "S 1"]]


def test_a_quoted_field_holds_lines_quotes_and_separators() -> None:
    content = b'"name";"note"\n"Printer, 2nd floor";"line 1\nline 2; ""quoted"""\nplain;x\n'
    assert read(content) == [["name", "note"], ["Printer, 2nd floor", 'line 1\nline 2; "quoted"'], ["plain", "x"]]


def test_rows_have_the_numbers_of_a_spreadsheet_and_empty_ones_are_left_out() -> None:
    table = open_table(io.BytesIO(b"name,serial\na,1\n\n , \nb,2"), LIMITS)
    assert [(row.number, row.cells[0]) for row in table.rows()] == [(2, "a"), (5, "b")]


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-7", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_what_looks_like_a_formula_is_text(cell: str) -> None:
    assert read(f'name\n"{cell}"\n'.encode())[1] == [cell]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2,
                         max_size=4), min_size=1, max_size=5))  # fmt: skip
def test_what_csv_writes_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["name", "a", "b", "c", "d"], *rows])
    expected = [row for row in rows if any(cell.strip() for cell in row)]
    assert read(text.getvalue().encode())[1:] == expected


def test_another_encoding_is_refused_and_says_which_were_tried() -> None:
    rows = "".join(f"asset {n}\n" for n in range(50_000))
    message = refusal(f"name\n{rows}Köln\n".encode("latin-1"))
    assert "UTF-8, with or without a byte-order mark, and UTF-16 by its byte-order mark" in message
    assert "after line" in message
    assert "UTF-32" in refusal("name\na\n".encode("utf-32"))
    with pytest.raises(EncodingRefusedError):
        read("name\nKöln".encode("latin-1"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name\na\0b\n", "Line 2 holds a NUL byte"),
        ("name\na\n".encode("utf-16-le"), "NUL byte"),
        (b'name\n"a"b\n', "Line 2 is not well formed"),
        (b'name\n"never closed\n', "unexpected end of data"),
        (b'name\n"' + b"line\n" * 40_000, "field larger than field limit"),
        (b"name\n" + b"a," * (LINE_CHARS // 2) + b",\n", f"more than {LINE_CHARS} characters"),
        (b"", "first row is empty"),
        (b"\n\nname\n", "first row is empty"),
    ],
)
def test_damaged_text_is_refused_with_the_line(content: bytes, words: str) -> None:
    assert words in refusal(content)


@pytest.mark.parametrize("make", [lambda rows: "\n".join(map(",".join, rows)).encode(),
                                  lambda rows: workbook(sheet_of(rows))])  # fmt: skip
def test_rows_columns_and_cells_are_bounded(make: Callable[[list[list[str]]], bytes | io.BytesIO]) -> None:
    limits = ImportLimits(rows=2, columns=2, cell_chars=5)
    assert len(read(make([["a", "b"], ["1", "2"], ["3", "4"]]), limits)) == 3
    assert refusal(make([["a"], ["1"], ["2"], ["3"]]), limits) == "The file has more than 2 rows. Split it."
    assert refusal(make([["a"], ["1", "2", "3"]]), limits) == "Row 2 has 3 columns; up to 2 are read."
    assert refusal(make([["a"], ["123456"]]), limits) == "A cell of row 2 has more than 5 characters."


# -- workbooks ---------------------------------------------------------------------------------------------------------


def saved(book: openpyxl.Workbook) -> io.BytesIO:
    file = io.BytesIO()
    book.save(file)
    return file


def test_a_workbooks_first_sheet_is_read_as_text() -> None:
    book = openpyxl.Workbook()
    book.active.append(["name", "number", "half", "bought", "seen", "active"])
    book.active.append(["Köln", 12345, 1.5, date(2025, 11, 30), datetime(2025, 11, 30, 12, 30), True])
    book.active["H9"].font = openpyxl.styles.Font(bold=True)
    book.active["A5"] = "after a gap"
    book.create_sheet("second").append(["not read"])
    file = saved(book)
    assert read(file) == [
        ["name", "number", "half", "bought", "seen", "active"],
        ["Köln", "12345", "1.5", "2025-11-30", "2025-11-30T12:30:00", "true"],
        ["after a gap"],
    ]
    assert [row.number for row in open_table(file, LIMITS).rows()] == [2, 5]


def test_a_formula_is_never_evaluated_its_saved_value_is_read() -> None:
    cells = "<row><c t='inlineStr'><is><t>name</t></is></c></row><row><c><f>1+1</f><v>41</v></c></row>"
    assert read(workbook(with_rows(cells))) == [["name"], ["41"]]
    text = workbook(sheet_of([["name"], ["=HYPERLINK(1)"]]))
    assert read(text) == [["name"], ["=HYPERLINK(1)"]]


def test_a_workbook_that_inflates_to_a_gigabyte_is_refused_with_memory_flat() -> None:
    file = bomb()
    assert len(file.getvalue()) < 2 * MIB
    tracemalloc.start()
    try:
        message = refusal(file)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
    assert message == "The workbook unpacks to more than 201326592 bytes. Split it."


def test_a_member_that_grows_as_no_table_does_is_refused_long_before_the_limit() -> None:
    assert "grows more than 200 times when it is unpacked" in refusal(bomb(64 * MIB))


def test_a_workbook_that_says_that_it_is_small_is_not_believed() -> None:
    content = bytearray(bomb(64 * MIB).getvalue())
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, directory + 24, 1000)
    assert "damaged" in refusal(bytes(content))


def test_all_members_together_are_bounded() -> None:
    noise = {f"xl/media/{n}.bin": bytes(range(256)) * 2048 for n in range(4)}
    limits = ImportLimits(inflated_bytes=MIB, inflation=10_000)
    assert "unpacks to more than 1048576 bytes" in refusal(workbook(sheet_of([["a"]]), **noise), limits)


def test_more_tags_than_a_table_has_are_refused() -> None:
    limits = ImportLimits(xml_tags=1000)
    assert "more than 1000 tags" in refusal(workbook(sheet_of([["a"]] * 200)), limits)


def directory_of_many() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(20_000):
            archive.writestr(f"{n:030}", b"")
    return file.getvalue()


LINKS = "xl/_rels/workbook.xml.rels"


def twice(tag: str, document: str) -> str:
    """The document with its element of this tag, which has no content, there two times."""
    before, _, rest = document.partition(tag)
    attributes, end, after = rest.partition("/>")
    return before + (tag + attributes + end) * 2 + after


LEVELS = "".join(f'<!ENTITY {name} "{f"&{less};" * 10}">' for less, name in pairwise("abcdefg"))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a "ha">{LEVELS}]><worksheet>&g;</worksheet>'
DIGITS = "".join(map(str, range(200_000)))
OUTSIDE = '<!DOCTYPE x [<!ENTITY o SYSTEM "file:///etc/passwd">]><worksheet>&o;</worksheet>'
REMOTE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><worksheet/>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: workbook([LAUGHS]), "declares a document type"),
        (lambda: workbook([OUTSIDE]), "declares a document type"),
        (lambda: workbook([REMOTE]), "declares a document type"),
        (lambda: workbook(sheet_of([["a"]]), **{"xl/styles.xml": LAUGHS}), "declares a document type"),
        (lambda: workbook(sheet_of([["a"]]), **{"xl/sheet.bin": LAUGHS.encode("utf-16")}), "document type"),
        (lambda: workbook(["<worksheet>"]), "XML is damaged"),
        (lambda: workbook(["<a><!-- ", DIGITS, DIGITS]), "a tag or a comment of more than 1048576 bytes"),
        (lambda: workbook(["<a b='", DIGITS, DIGITS]), "a tag or a comment of more than 1048576 bytes"),
        (lambda: workbook(sheet_of([["a"]]), **{"xl/embeddings/a.bin": workbook().getvalue()}), "another archive"),
        (lambda: workbook(sheet_of([["a"]]), **{"xl/embeddings/a.gz": b"\x1f\x8b\x08 more"}), "another archive"),
        (lambda: workbook(sheet_of([["a"]]), **{"../../etc/passwd": b"x"}), "leads out of it"),
        (lambda: workbook(sheet_of([["a"]]), **{"/etc/passwd": b"x"}), "leads out of it"),
        (lambda: workbook(sheet_of([["a"]]), **{"C:\\x": b"x"}), "leads out of it"),
        (lambda: workbook(sheet_of([["a"]]), **{f"xl/{n}": b"" for n in range(1000)}), "members; up to 1000"),
        (directory_of_many, "far more members"),
        (lambda: b"PK\x03\x04 and nothing more", "has no end"),
        (lambda: workbook(sheet_of([["a"]])).getvalue()[:-30] + b"PK\x05\x06" + bytes(18), "damaged|no workbook"),
        (lambda: workbook(sheet_of([["a"]]), **{"[Content_Types].xml": "<Types/>"}), "no workbook"),
        (lambda: workbook(with_rows("<row><c t='s'><v>7</v></c></row>")), "damaged"),
        (lambda: workbook(**{"xl/styles.xml": f"<styleSheet>{'<xf/>' * 50_000}</styleSheet>"}), "50000 formats"),
        (lambda: workbook(with_rows("</sheetData>" + "<mergeCell/>" * 50_000 + "<sheetData>")), "merged cells"),
        (lambda: workbook(with_rows(f"<row>{'<c/>' * 65_537}</row>")), "65536 parts of one row"),
        (lambda: workbook(**{"xl/workbook.xml": twice("<sheet ", PARTS["xl/workbook.xml"])}), "one sheet twice"),
        (lambda: workbook(**{LINKS: twice("<Relationship ", PARTS[LINKS])}), "one sheet twice"),
    ],
)  # fmt: skip
def test_hostile_and_damaged_workbooks_are_refused(content: Callable[[], bytes | io.BytesIO], words: str) -> None:
    assert re.search(words, refusal(content()))


def test_an_archive_in_the_place_of_the_sheet_is_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(SHEET, workbook().getvalue())
    assert "another archive" in refusal(file)


def test_a_row_far_below_does_not_cost_its_distance() -> None:
    far = with_rows("<row><c><v>1</v></c></row><row r='900000000'><c r='A900000000'><v>1</v></c></row>")
    assert "goes on after row 1048576" in refusal(workbook(far))


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "count", "bound"), [("csv", 50_000, MIB), ("xlsx", 8000, 2 * MIB)])
def test_memory_stays_flat_over_many_rows(kind: str, count: int, bound: int) -> None:
    rows = [["name", "serial"], *([f"asset {n}", f"S-{n}"] for n in range(count))]
    file = io.BytesIO("\n".join(map(",".join, rows)).encode()) if kind == "csv" else workbook(sheet_of(rows))
    del rows
    open_table(io.BytesIO(file.getvalue()), LIMITS).header()
    tracemalloc.start()
    try:
        assert open_table(file, LIMITS).count() == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < bound


# -- and out again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-7", "'-7"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"), ("  =1", "'  =1"), ("＝1", "'＝1"), ("plain", "plain"), ("a=b", "a=b"), ("", ""),
        (-7, "-7"), (-1.5, "-1.5"), (None, ""), (date(2025, 11, 30), "2025-11-30"),
    ],
)  # fmt: skip
def test_exported_text_is_never_a_formula(value: object, cell: str) -> None:
    assert neutral_cell(value) == cell


@given(st.text())
def test_no_exported_text_begins_like_a_formula(text: str) -> None:
    assert not neutral_cell(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
