"""A real Excel workbook of one sheet, for the sample that must be refused.

As small as Excel opens it, and the same bytes each time.  Nothing else here writes
spreadsheets: the pipeline neither reads nor makes any.
"""

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape  # nosec B406  # nothing is parsed

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPEN = "http://schemas.openxmlformats.org/"
_MAIN = f"{_OPEN}spreadsheetml/2006/main"
_RELATED = f"{_OPEN}officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_OPEN}package/2006/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml"'
        f' ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_OPEN}package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
        '<sheet name="Staff" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_OPEN}package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/worksheet"'
        ' Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook whose only sheet holds `rows` as text."""
    parts = {**_PARTS, "xl/worksheets/sheet1.xml": _sheet(rows)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), _HEAD + text)
    return file.getvalue()


def _sheet(rows: Sequence[Sequence[str]]) -> str:
    filled = "".join(f"<row>{''.join(map(_cell, cells))}</row>" for cells in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{filled}</sheetData></worksheet>'


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'
