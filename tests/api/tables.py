#!/usr/bin/env python3
"""Users' tables on the whole stack: tables.py [nginx|lighttpd]. What the recorded scenarios do not show: files in and out
byte by byte (quotes, UTF-16, spreadsheets), cells with any JSON, filters and sorting against a reference in Python, formulas
that need each other, two writers at once, imports that die or lose what they import, built-in templates after a restart."""
import fcntl, io, json, os, random, sys, threading, time, uuid, zipfile
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main, request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def workbook(rows, styles="", more=""):
    """A spreadsheet whose only sheet has these rows (XML)."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{styles}</styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>{more}</worksheet>'}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in parts.items():
            z.writestr(name, text)
    return out.getvalue()


def cells_of(data):
    """The cells of an exported sheet as (kind, text), and the sheet's name."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        book = ElementTree.fromstring(z.read("xl/workbook.xml"))
        sheet = ElementTree.fromstring(z.read("xl/worksheets/sheet1.xml"))
        strings = []
        if "xl/sharedStrings.xml" in z.namelist():
            strings = ["".join(t.text or "" for t in s.iter(SHEET + "t")) for s in ElementTree.fromstring(z.read("xl/sharedStrings.xml"))]
    rows = []
    for row in sheet.iter(SHEET + "row"):
        line = {}
        for c in row.iter(SHEET + "c"):
            kind, v = c.get("t", "n"), c.find(SHEET + "v")
            text = "".join(t.text or "" for t in c.iter(SHEET + "t")) if kind == "inlineStr" else v.text if v is not None else ""
            line[c.get("r")[0]] = ("s", strings[int(text)]) if kind == "s" else ("s" if kind == "inlineStr" else kind, text)
        rows.append(line)
    return book.find(f".//{SHEET}sheet").get("name"), rows


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c

    def table(self, *columns, name="T"):
        """A table of columns given as name, or as (name, type) or (name, formula with a blank)."""
        made = []
        for i, col in enumerate(columns):
            name_, kind = col if isinstance(col, tuple) else (col, "text")
            made.append({"name": name_, "displayName": name_.upper(), "dataType": kind, "position": i} if kind.isalpha() else
                        {"name": name_, "displayName": name_.upper(), "dataType": "computed", "position": i, "config": {"formula": kind}})
        return self.s.ok("POST", "/api/tables", {"name": name, "columns": made})["id"]

    def add(self, table, *data):
        return self.s.ok("POST", f"/api/tables/{table}/rows", {"rows": [{"data": d} for d in data]})

    def raw(self, method, path, body=None):
        status, head, got = request(self.s.port, method, path, body)
        return status, head, got

    def rows(self, table, **query):
        query = {k: v if isinstance(v, (str, int)) else json.dumps(v) for k, v in query.items()}
        return self.s.api("GET", f"/api/tables/{table}/rows?{urlencode(query)}")

    def upload(self, data, kind="text/csv", name="f.csv"):
        mark = uuid.uuid4().hex
        body = (f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n').encode() + (
            data if isinstance(data, bytes) else data.encode()) + f"\r\n--{mark}--\r\n".encode()
        status, _, got = request(self.s.port, "POST", "/api/uploads", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
        assert status == 201, got
        return json.loads(got)["id"]

    def bring(self, data, kind="text/csv", name="f.csv", table=None, **more):
        table = table or self.table()
        return table, self.s.api("POST", f"/api/tables/{table}/import", {"documentId": self.upload(data, kind, name), **more})

    def preview(self, data, kind="text/csv", name="f.csv", **more):
        return self.bring(data, kind, name, preview=True, **more)[1][1]

    def export(self, table, form, **query):
        return self.raw("GET", f"/api/tables/{table}/export?{urlencode({'format': form, **query})}")


def cells(p):
    """Any JSON in a cell comes back as JSON.stringify has it."""
    t = p.table("a")
    path = f"/api/tables/{t}/rows"
    body = (b'{"rows":[{"data":{"z":1.0,"10":1e400,"9":-0.0,"z2":"a\\u0000b\\u001f\\/\\u2028","01":[],"z":2.50,"n":12345678901234567,'
            b'"m":123456789012345678901234567890,"k":1E-7,"o":{"b":{},"1":0}},"createdBy":""}]}')
    status, _, got = p.raw("POST", path + "?return=rows", body)
    row = json.loads(got)[0]
    p.c.equal("status", status, 201)
    p.c.equal("data", row["data"], '{"9":0,"10":null,"z":2.5,"z2":"a\\u0000b\\u001f/\u2028","01":[],"n":12345678901234568,'
              '"m":1.2345678901234568e+29,"k":1e-7,"o":{"1":0,"b":{}}}')
    p.c.equal("an empty creator is kept", row["createdBy"], "")
    p.c.equal("parsed", p.rows(t, parsed="true")[1][0]["data"]["n"], 12345678901234568)
    p.c.equal("a zero byte in a text column", p.raw("POST", path, b'{"rows":[{"data":{},"createdBy":"\\u0000"}]}')[0], 400)
    p.c.equal("a broken number", p.raw("POST", path, b'{"rows":[{"data":{"a":01e400}}]}')[2], b'{"error":"Invalid JSON body"}')
    p.c.equal("merge", p.s.ok("PATCH", f"{path}/{row['id']}", {"data": {"z": None, "5": True, "o": 1}})["data"],
              '{"5":true,"9":0,"10":null,"z":null,"z2":"a\\u0000b\\u001f/\u2028","01":[],"n":12345678901234568,'
              '"m":1.2345678901234568e+29,"k":1e-7,"o":1}')
    p.c.equal("replace", p.s.ok("PATCH", f"{path}/{row['id']}", {"data": {"a": 1}, "replace": True})["data"], '{"a":1}')
    p.c.equal("replace must be true", p.s.ok("PATCH", f"{path}/{row['id']}", {"data": {"b": 1}, "replace": "true"})["data"], '{"a":1,"b":1}')


def order_of(v):
    if v is None:
        return (0,)
    if isinstance(v, (bool, int, float)):
        return (1, float(v))
    return (2, (v if isinstance(v, str) else json.dumps(v, separators=(",", ":"))).encode())


def text_of(v):
    if isinstance(v, bool):
        return str(int(v))
    return v if isinstance(v, str) else json.dumps(v, separators=(",", ":"), ensure_ascii=False)


def lower(s):
    return "".join(c.lower() if c.isascii() else c for c in s)


HOLDS = {
    "eq": lambda v, c: order_of(v) == order_of(c), "neq": lambda v, c: order_of(v) != order_of(c),
    "gt": lambda v, c: order_of(v) > order_of(c), "gte": lambda v, c: order_of(v) >= order_of(c),
    "lt": lambda v, c: order_of(v) < order_of(c), "lte": lambda v, c: order_of(v) <= order_of(c),
    "contains": lambda v, c: lower(text_of(c)) in lower(text_of(v)),
    "starts_with": lambda v, c: lower(text_of(v)).startswith(lower(text_of(c)))}


def queries(p):
    """Filters and sorting of random values, against the rules written down in Python."""
    rng = random.Random(7)
    pool = [None, True, False, 0, 1, -5, 2.5, 10, 1000000, "", "1", "10", "a", "A", "ab", "Äb", "äB", "100%_x", "%", "_", "\\", "é",
            [1, 2], {"k": 1}, [], "true", "\U0001f600", "\ufffd"]
    data = [{k: rng.choice(pool) for k in ("x", "a \"b\"", "y") if rng.random() < 0.9} for _ in range(400)]
    t = p.table("x", ("a \"b\"", "number"), "y")
    ids = p.add(t, *data)
    column = lambda d, k: d.get(k)
    for n in range(120):
        op, key = rng.choice(list(HOLDS)), rng.choice(["x", "a \"b\"", "y"])
        c = rng.choice([v for v in pool if isinstance(v, (str, int, float)) and v is not None])
        want = [i for i, d in zip(ids, data) if d.get(key) is not None and HOLDS[op](d[key], c)]
        status, got = p.rows(t, filters=[{"column": key, "operator": op, "value": c}], limit=1000)
        if status != 200 or [r["id"] for r in got] != want:
            p.c(f"filter {key} {op} {c!r}", False, f"{status}: {len(got)} rows, not {len(want)}")
    for n in range(30):
        sorts = [(rng.choice(["x", "a \"b\"", "y"]), rng.random() < 0.5) for _ in range(rng.randrange(1, 4))]
        want = list(range(len(data)))
        for key, down in reversed(sorts):
            want.sort(key=lambda i: order_of(data[i].get(key)), reverse=down) if not down else None
            if down:  # stable, downwards
                want.sort(key=lambda i: order_of(data[i].get(key)))
                groups, out = [], []
                for i in want:
                    if groups and order_of(data[groups[-1][0]].get(key)) == order_of(data[i].get(key)):
                        groups[-1].append(i)
                    else:
                        groups.append([i])
                for g in reversed(groups):
                    out += g
                want = out
        offset, limit = rng.randrange(0, 420), rng.randrange(1, 200)
        status, got = p.rows(t, sorts=[{"column": k, "direction": "desc" if d else "asc"} for k, d in sorts], offset=offset, limit=limit)
        if status != 200 or [r["id"] for r in got] != [ids[i] for i in want[offset:offset + limit]]:
            p.c(f"sort {sorts} from {offset}, {limit}", False, str(status))
    p.c("queries as the rules say", True)
    for value, want in (([], 0), (["1"], None), ("1", None), (1, None), (["a", "A"], None), (True, None)):
        listed = [text_of(v) if not isinstance(v, bool) else json.dumps(v) for v in (value if isinstance(value, list) else [value])]
        want = [i for i, d in zip(ids, data) if d.get("x") is not None and not isinstance(d["x"], (list, dict)) and (
            json.dumps(d["x"]) if not isinstance(d["x"], str) else d["x"]) in listed]
        p.c.equal(f"in {value!r}", [r["id"] for r in p.rows(t, filters=[{"column": "x", "operator": "in", "value": value}], limit=1000)[1]], want)
    err = lambda **q: p.rows(t, **q)[1].get("error")
    p.c.equal("unknown column", err(filters=[{"column": "X", "operator": "eq", "value": 1}]), "Unknown column: X")
    p.c.equal("no value", err(filters=[{"column": "x", "operator": "in"}]), "Filter value is required for operator in")
    p.c.equal("a list", err(filters=[{"column": "x", "operator": "eq", "value": []}]), "Filter value must not be a list for operator eq")
    p.c.equal("a list of one", p.rows(t, filters=[{"column": "x", "operator": "eq", "value": ["ab"]}], limit=1000)[0], 200)
    p.c.equal("filters before sorts", err(filters=[{"column": "q", "operator": "eq", "value": 1}], sorts=[{"column": "w", "direction": "asc"}]),
              "Unknown column: q")
    p.c.equal("all at once", err(limit="x", offset="-1", filters=[{"column": "", "operator": "like", "value": None}], sorts={}), {
        "formErrors": [], "fieldErrors": {"limit": ["Invalid input: expected number, received NaN"],
            "offset": ["Too small: expected number to be >=0"],
            "filters": ["Too small: expected string to have >=1 characters",
                'Invalid option: expected one of "eq"|"neq"|"gt"|"gte"|"lt"|"lte"|"contains"|"starts_with"|"in"|"is_empty"|"is_not_empty"',
                "Invalid input"], "sorts": ["Invalid input: expected array, received object"]}})
    p.c.equal("infinite", err(limit="1e999")["fieldErrors"]["limit"], ["Invalid input: expected number, received number"])
    p.c.equal("half", err(limit="1.5")["fieldErrors"]["limit"], ["Invalid input: expected int, received number"])
    p.c.equal("numbers in other forms", [len(p.rows(t, limit=v)[1]) for v in (" 2 ", "02", "+1", "1e0", "0x2", "")], [2, 2, 1, 1, 2, 100])


def formulas(p):
    t = p.table(("n", "number"), ("c", "{{b}} + 1"), ("b", "{{a}} * 2"), ("a", "n * 1 + sum('n')"), ("x", "{{y}} "), ("y", "{{x}} + 1"),
                ("z", "{{x}} "), ("self", "count('self') "), ("top", "round(n / max(b) * 100, 1)"), ("dyn", "sum(concat('', 'n'))"),
                ("deep", "avg(top) "), ("bad", "1 +"), ("own", "if({{own2}} == null, 'none', {{own2}})"))
    p.add(t, {"n": 1, "c": "stored", "own2": [1]}, {"n": 2}, {"n": "3"}, {"n": None}, {"n": "x"})
    got = [r["data"] for r in p.rows(t, computed="true", parsed="true")[1]]
    p.c.equal("first row", got[0], {"n": 1, "c": 15, "own2": [1], "b": 14, "a": 7, "x": "#CYCLE", "y": "#CYCLE", "z": "#CYCLE", "self": "#CYCLE",
                                    "top": 5.6, "dyn": 6, "deep": 6.68, "bad": None, "own": [1]})
    p.c.equal("last row", [got[4][k] for k in ("a", "b", "c", "top", "own")], [6, 12, 13, 0, "none"])
    p.c.equal("order of keys", list(got[1]), ["n", "c", "b", "a", "x", "y", "z", "self", "top", "dyn", "deep", "bad", "own"])
    p.c.equal("a page sees the whole table", p.rows(t, computed="true", parsed="true", limit=1, offset=3)[1][0]["data"]["a"], 6)
    p.c.equal("stored values are what is filtered", len(p.rows(t, filters=[{"column": "c", "operator": "is_not_empty"}])[1]), 1)
    csv = p.export(t, "csv")[2].decode().split("\n")
    p.c.equal("csv", csv[1], '1,15,14,7,#CYCLE,#CYCLE,#CYCLE,#CYCLE,5.6,6,6.68,,1')
    p.c.equal("csv without", p.export(t, "csv", computed="false")[2].decode().split("\n")[1], "1,,,,,,,,,,,,")
    p.c.equal("json without", json.loads(p.export(t, "json", computed="false")[2])[0], {"n": 1, "c": "stored", "own2": [1]})


def csv_in(p):
    rows = lambda text, **k: [list(r.values()) for r in p.preview(text, **k)["sampleRows"]]
    p.c.equal("quotes", rows('a,b\n"x ""y""",\'z\'\n5" tall,q"u"o"t"e\n" a , b " , c \n'),
              [['x "y"', "'z'"], ["5 tall,quote", ""], ["a , b", "c"]])
    p.c.equal("a quote of a line ends with it", rows('a,b\nx 5" y,1\nz,2\n'), [["x 5 y,1", ""], ["z", "2"]])
    p.c.equal("line breaks in quotes", rows('a,b\r\n"1\r\n2\n\n3",x\r\n\r\n  \r\ny,z'), [["1\r\n2\n\n3", "x"], ["y", "z"]])
    p.c.equal("a quote that never closes", rows('a,b\n"1,2\n3,4\n5,6'), [["1,2", ""], ["3", "4"], ["5", "6"]])
    p.c.equal("a lone CR is text", rows("a,b\n1\r2,3\r\n"), [["1\r2", "3"]])
    p.c.equal("UTF-16", rows("\ufeffa,b\n\u00e9\U0001f600,2\n".encode("utf-16-le")), [["\u00e9\U0001f600", "2"]])
    p.c.equal("UTF-16, the other way", rows("\ufeffa,b\nx,y\n".encode("utf-16-be")), [["x", "y"]])
    p.c.equal("bytes that are no text", rows(b"a\n\xff\xc3\n"), [["\ufffd\ufffd"]])
    p.c.equal("CSV under another name", rows("a\n1\n", kind="application/vnd.ms-excel"), [["1"]])
    p.c.equal("parameters of the type", rows("a\tb\n1\t2\n", kind="Text/Tab-Separated-Values; charset=utf-8"), [["1", "2"]])
    p.c.equal("headers", p.preview("A b!,A B,,\u00c4,A b!,2024,A b!\n1,2,3,4,5,6,7\n")["inferredColumns"], [
        {"name": n, "displayName": d, "dataType": "number" if i else "boolean"} for i, (n, d) in enumerate([("a_b", "A b!"), ("a_b_2", "A B"),
            ("col_2", "col_2"), ("col_3", "\u00c4"), ("a_b_2_2", "A b! (2)"), ("2024", "2024"), ("a_b_3", "A b! (3)")])])
    for kind, texts in (("email", ["a.b+c@x-y.co", "Q%@a.b.cd"]), ("url", ["http://x", "https://y z"]), ("boolean", ["YES", "0", "true"]),
                        ("date", ["2024-13-45x", "1/2/24", "01.02.2024"]), ("number", ["$ 1,234.50", "12%", "-7", "1e3", "0x1F", "\u20ac5", "Infinity"]),
                        ("text", ["a@b.c", "x"]), ("text", ["http://", "x"]), ("text", ["1/2/3", "x"]), ("text", ["1,5,x"]), ("text", [""])):
        got = p.preview("h\n" + "\n".join('"%s"' % x for x in texts) + "\nz" * (not texts[0]))["inferredColumns"][0]["dataType"]
        p.c.equal(f"type of {texts}", got, kind)
    got = p.preview("h\n" + "b\n\uffff\n\U0001f600\nA\n" * 3)["inferredColumns"][0]
    p.c.equal("a select, options by UTF-16 units", got, {"name": "h", "displayName": "h", "dataType": "select",
                                                        "config": {"options": ["A", "b", "\U0001f600", "\uffff"]}})
    t, (status, got) = p.bring("n,d,b,t\n\"1.234,56\",1/2/24,Yes,x\n\"1,5\",3.4.199,maybe,\n%,2024-01-02T03:04,TRUE,\nabc,zz,1,\n,,,\n\u20ac -5,12.31.2024,0,y",
        columnMapping=[{"name": "n", "dataType": "number", "displayName": "N"}, {"name": "d", "dataType": "date"}, {"displayName": "b", "dataType": "boolean"}])
    p.c.equal("imported", (status, got["rowsImported"], got["rowsSkipped"], got["errors"]), (200, 6, 0, []))
    p.c.equal("values", [json.loads(r["data"]) for r in p.rows(t)[1]], [
        {"n": 1.23456, "d": "2024-01-02", "b": True, "t": "x"}, {"n": 15, "d": "199-04-03", "b": False, "t": None},
        {"n": 0, "d": "2024-01-02T03:04", "b": True, "t": None}, {"n": None, "d": "zz", "b": True, "t": None},
        {"n": None, "d": None, "b": None, "t": None}, {"n": -5, "d": "2024-31-12", "b": False, "t": "y"}])
    p.c.equal("columns", [(c["name"], c["displayName"], c["dataType"], c["position"]) for c in p.s.ok("GET", f"/api/tables/{t}")["columns"]],
              [("n", "N", "number", 0), ("d", "d", "date", 1), ("b", "b", "boolean", 2), ("t", "t", "text", 3)])
    many = "k,v\n" + "".join(f"{i},row {i}\n" for i in range(3000))
    t, (status, got) = p.bring(many, name="many.csv")
    p.c.equal("3,000 rows", (status, got["rowsImported"], p.s.ok("GET", f"/api/tables/{t}")["rowCount"]), (200, 3000, 3000))
    p.c.equal("the last of them", p.rows(t, offset=2999)[1][0]["data"], '{"k":2999,"v":"row 2999"}')
    wrong = lambda data, **k: p.bring(data, **k)[1]
    p.c.equal("empty", wrong("\ufeff \n\t\n"), (400, {"error": "Empty file"}))
    p.c.equal("unsupported", wrong("x", kind="text/markdown", name="x.md")[1]["error"].startswith("Unsupported mime type for import: "), True)
    p.c.equal("no JSON", wrong("[1", format="json"), (400, {"error": "Invalid JSON file"}))
    p.c.equal("JSON of another form", wrong('[{"a":1},[2]]', format="json"), (400, {"error": "JSON import needs an array of objects or an array of arrays"}))
    p.c.equal("JSON", [r for r in p.preview('[{"b":1,"a":[1,{"c":null}]},{"a":true,"z":"t"}]', format="json")["sampleRows"]],
              [{"b": "1", "a": '[1,{"c":null}]', "z": ""}, {"b": "", "a": "true", "z": "t"}])
    for mapping, error in ((5, "columnMapping must be an array of objects"), ([1], "columnMapping must be an array of objects"),
                           ([{"name": "a", "dataType": "Text"}], "Invalid dataType: Text")):
        p.c.equal(f"mapping {mapping}", wrong("a\n1\n", columnMapping=mapping), (400, {"error": error}))


def sheets_in(p):
    styles = ('<numFmts count="1"><numFmt numFmtId="170" formatCode="yyyy\\-mm &quot;h&quot;"/></numFmts><cellXfs count="4"><xf numFmtId="0"/>'
              '<xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="22"/></cellXfs>')
    text = lambda r, s: f'<c r="{r}" t="inlineStr"><is><t xml:space="preserve">{s}</t></is></c>'
    rows = (f'<row r="3">{text("A3", " Name ")}{text("C3", "When")}{text("D3", "N")}</row><row r="4"/>'
            f'<row r="5">{text("A5", " x &amp; y ")}<c r="C5" s="1"><v>45292</v></c><c r="D5"><v>1E3</v></c><c r="E5"><v>9</v></c></row>'
            f'<row r="6"><c r="A6" t="b"><v>1</v></c><c r="C6" s="3"><v>45292.5</v></c><c r="D6" t="e"><v>#N/A</v></c></row>'
            f'<row r="7"><c r="A7" t="str"><f>1</f><v>sum</v></c><c r="C7" s="2"><v>45293</v></c></row>')
    got = p.preview(workbook(rows, styles), XLSX, "b.xlsx")
    p.c.equal("headers", got["headers"], ["Name", "col_1", "When", "N"])
    p.c.equal("rows", got["sampleRows"], [{"Name": " x & y ", "When": "2024-01-01", "N": "1000"}, {"Name": "true", "When": "2024-01-01T12:00:00", "N": "#N/A"},
                                          {"Name": "sum", "When": "2024-01-02"}])
    p.c.equal("types", [c["dataType"] for c in got["inferredColumns"]], ["text", "text", "date", "text"])
    bad = {"error": "Could not read the spreadsheet"}
    p.c.equal("no spreadsheet", p.bring(b"not a zip", XLSX, "b.xlsx")[1], (400, bad))
    p.c.equal("cut", p.bring(workbook(rows)[:-100], XLSX, "b.xlsx")[1], (400, bad))
    p.c.equal("an empty sheet", p.bring(workbook(""), XLSX, "b.xlsx")[1][1]["rowsImported"], 0)


def files_out(p):
    t = p.table("a", "b", name='E/"\u65e5\\ x')
    p.add(t, {"a": 'q"uo,te', "b": "line\nbreak"}, {"a": "=1+1", "b": [1, None, ["x"]]}, {"a": {"k": 1}, "b": " lead\r"}, {"a": 1.50, "b": False}, {})
    status, head, got = p.export(t, "CSV")
    p.c.equal("csv", got.decode(), 'A,B\n"q""uo,te","line\nbreak"\n=1+1,"1,,x"\n"{""k"":1}", lead\r\n1.5,false\n,')
    p.c.equal("type", head["content-type"], "text/csv; charset=utf-8")
    p.c.equal("name", head["content-disposition"], "attachment; filename=\"E____ x.csv\"; filename*=UTF-8''E%2F%22%E6%97%A5%5C%20x.csv")
    empty = p.table(name="plain")
    p.add(empty, {}, {"x": 1})
    p.c.equal("no columns", p.export(empty, "csv")[2], b"\n\n")
    p.c.equal("a plain name", p.export(empty, "json")[1]["content-disposition"], 'attachment; filename="plain.json"')
    p.c.equal("json", p.export(empty, "json")[2], b'[\n  {},\n  {\n    "x": 1\n  }\n]')
    status, head, got = p.export(t, "xlsx")
    name, rows = cells_of(got)
    p.c.equal("sheet", (status, head["content-type"], name), (200, XLSX, 'E_"\u65e5_ x'))
    p.c.equal("cells", [{k: v for k, v in r.items() if v[1]} for r in rows[:5]], [{"A": ("s", "A"), "B": ("s", "B")}, {"A": ("s", 'q"uo,te'), "B": ("s", "line\nbreak")},
        {"A": ("s", "=1+1"), "B": ("s", '[1,null,["x"]]')}, {"A": ("s", '{"k":1}'), "B": ("s", " lead_x000D_")}, {"A": ("n", "1.5"), "B": ("b", "0")}])
    for made, want in (("''a'b''", "a'b"), ("***", "___"), ("''", "Sheet1"), ("x" * 40, "x" * 31), ("\U0001f600" * 20, "\U0001f600" * 15)):
        p.c.equal(f"sheet of {made}", cells_of(p.export(p.table("a", name=made), "xlsx")[2])[0], want)
    again = p.preview(got, XLSX, "again.xlsx")
    p.c.equal("read again", again["sampleRows"][0], {"A": 'q"uo,te', "B": "line\nbreak"})


def writers(p):
    """Inserts at once: no position twice, none lost."""
    t, done = p.table("a"), []
    def work(k):
        for i in range(10):
            done.extend(p.add(t, *({"a": f"{k}-{i}-{j}"} for j in range(7))))
    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    rows = p.rows(t, limit=1000)[1]
    p.c.equal("rows", (len(done), len(set(done)), len(rows)), (420, 420, 420))
    p.c.equal("positions", [r["position"] for r in rows], list(range(420)))
    p.c.equal("count", p.s.ok("GET", f"/api/tables/{t}")["rowCount"], 420)


class Import:
    """An import that goes on while the test looks at it."""

    def __init__(self, p, document):
        self.p, self.table, self.got = p, p.table(), None
        self.thread = threading.Thread(target=self.run, args=(document,))
        self.thread.start()

    def run(self, document):
        self.got = self.p.s.api("POST", f"/api/tables/{self.table}/import", {"documentId": document}, timeout=90)

    def wait_rows(self, n):
        """Until it has stored N rows; the number, which is less where it has ended."""
        count = lambda: self.p.s.one("SELECT row_count FROM user_tables WHERE id = ?", self.table)
        return self.p.s.until(count, lambda k: k is None or k >= n or not self.thread.is_alive(), 60, 0.01)

    def end(self):
        self.thread.join()
        return self.got


def lock_waits(p, going_on):
    """How long a writer waited for the write lock, each time, as long as GOING_ON()."""
    waits = []
    with open(f"{p.s.db_path}-lock", "a") as f:
        while going_on():
            began = time.monotonic()
            fcntl.flock(f, fcntl.LOCK_EX)
            waits.append(time.monotonic() - began)
            fcntl.flock(f, fcntl.LOCK_UN)
            time.sleep(0.005)
    return waits


def lost_import(p):
    """A process that dies in the middle, again and again: the import goes on, its rows are there once, in their order, and
    nobody waits long for the write lock meanwhile."""
    n = 50000
    document, waits = p.upload("k,v\n" + "".join(f"{i},row {i}\n" for i in range(n))), []
    for stops in ((1,), (15000, 35000)):
        i = Import(p, document)
        writer = threading.Thread(target=lambda: waits.extend(lock_waits(p, i.thread.is_alive)))
        writer.start()
        for at in stops:
            seen = i.wait_rows(at)
            lost = [pid for pid in p.s.mine() if os.path.exists(f"/proc/{pid}/comm") and open(f"/proc/{pid}/comm").read().strip() == "stagent-job"]
            for pid in lost:
                p.s.kill(pid)
            p.c(f"killed at {at} rows", seen is not None and at <= seen < n and lost, (seen, lost))
        status, got = i.end()
        writer.join()
        p.c.equal("imported", (status, got.get("rowsImported"), p.s.ok("GET", f"/api/tables/{i.table}")["rowCount"]), (200, n, n))
        rows = p.s.rows("SELECT id, position, json_extract(data, '$.k') k FROM user_table_rows WHERE table_id = ? ORDER BY position", i.table)
        p.c("every row once, in order", [(r["position"], r["k"]) for r in rows] == [(k, k) for k in range(n)], len(rows))
        p.c.equal("its ids", len({r["id"] for r in rows}), n)
        p.c.equal("noted once", [(r["id"], r["row_count"]) for r in p.s.rows("SELECT id, row_count FROM user_table_imports WHERE table_id = ?", i.table)],
                  [(got["importId"], n)])
        p.c.equal("nothing is left", p.s.rows("SELECT * FROM table_imports_open"), [])
    p.c(f"a writer waits less than 2 s ({max(waits) * 1000:.0f} ms at most)", len(waits) > 20 and max(waits) < 2, len(waits))


def vain_import(p):
    """A table or document that is deleted while an import goes on: it ends, and nothing of it is left."""
    document = p.upload("k\n" + "".join(f"{i}\n" for i in range(50000)))
    count = lambda name, i: p.s.one(f"SELECT count(*) FROM {name} WHERE table_id = ?", i.table)
    names = ("user_table_rows", "user_table_columns", "user_table_imports", "table_document_inputs", "table_imports_open")
    for path, error in (("/api/tables/", "Table not found"), ("/api/documents/", "Document not found")):
        i = Import(p, document)
        seen = i.wait_rows(1)
        p.c("in the middle", seen is not None and 0 < seen < 50000, seen)
        status, _, got = p.raw("DELETE", path + (i.table if "tables" in path else document))
        p.c(f"deleted: {path}", status in (200, 204), (status, got))
        p.c.equal(error, i.end(), (404, {"error": error}))
        p.c.equal("rows and all else", [count(name, i) for name in names], [0] * len(names))
        p.c.equal("row_count", p.s.one("SELECT row_count FROM user_tables WHERE id = ?", i.table), None if "tables" in path else 0)
    p.c.equal("no loose ends", p.s.rows("PRAGMA foreign_key_check"), [])


def triggers(p):
    t = p.table("a")
    make = lambda **k: p.s.api("POST", f"/api/tables/{t}/triggers", {"name": "g", "triggerEvent": "row_added", "actionType": "create_task", "actionConfig": {}, **k})
    conditions = [("eq", 5, '"5"', True), ("equals", "", "null", True), ("neq", None, '""', False), ("gt", 1, '"0x2"', True), ("greater_than", 0, "null", False),
                  ("gte", 0, '""', True), ("less_than", 1, "{}", False), ("lte", None, "[]", False), ("contains", "\u00c4B", '"x\u00e4b"', True),
                  ("starts_with", "1", "1.5", True), ("in", ["a", "1"], "1", True), ("in", "a", '"a"', False), ("is_empty", None, "null", True),
                  ("is_not_empty", None, "0", True), ("eq", [1, [2]], '"1,2"', True)]
    made = [make(name=str(i), condition={"column": "a", "operator": o, "value": c})[1]["id"] for i, (o, c, _, _) in enumerate(conditions)]
    for i, (o, c, value, fires) in enumerate(conditions):
        before = {g["id"]: g["fireCount"] for g in p.s.ok("GET", f"/api/tables/{t}/triggers")}
        p.raw("POST", f"/api/tables/{t}/rows", ('{"rows":[{"data":{"a":%s}}]}' % value).encode())
        after = {g["id"]: g["fireCount"] for g in p.s.ok("GET", f"/api/tables/{t}/triggers")}
        p.c.equal(f"{value} {o} {c!r}", after[made[i]] - before[made[i]], int(fires))
    for body, error in (({"name": ""}, "name, triggerEvent, actionType, and actionConfig are required"), ({"name": 5}, "name must be a string"),
                        ({"triggerEvent": "x"}, "Invalid triggerEvent. Must be one of: row_added, row_updated, row_deleted"),
                        ({"actionType": "x"}, "Invalid actionType. Must be one of: run_workflow, create_task"), ({"actionConfig": [1]}, "actionConfig must be an object"),
                        ({"condition": "x"}, "condition must be an object with column, operator and value"),
                        ({"condition": {"column": "a", "operator": "like"}}, "Invalid condition operator: like")):
        p.c.equal(f"create {body}", make(**body), (400, {"error": error}))
    long = p.table("a")
    p.s.ok("POST", f"/api/tables/{long}/triggers", {"name": "l", "triggerEvent": "row_added", "actionType": "create_task",
                                                   "actionConfig": {"title": "\U0001f600" * 150, "projectId": "no-such"}})
    p.add(long, {"a": "y" * 5000})
    task = [x for x in p.s.ok("GET", "/api/tasks") if x["title"].startswith("\U0001f600")][0]
    p.c.equal("long texts are cut", (task["title"], len(task["description"]), task["projectId"], task["priority"]), ("\U0001f600" * 100, 2000, None, 2))


def odd_conditions(p):
    """A zero byte in a condition counts; a condition of an old database that cannot be read never holds."""
    t = p.table("a")
    path = f"/api/tables/{t}/triggers"
    made = p.s.ok("POST", path, {"name": "n", "triggerEvent": "row_added", "actionType": "create_task", "actionConfig": {"title": "x\0y"},
                                 "condition": {"column": "a", "operator": "eq", "value": "x\0y"}})["id"]
    p.add(t, {"a": "x\0y"}, {"a": "x"}, {"a": "x\0z"})
    p.c.equal("a zero byte", p.s.ok("GET", path)[0]["fireCount"], 1)
    p.s.write([("UPDATE user_table_triggers SET condition = '{oops' WHERE id = ?", (made,))])
    p.add(t, {"a": "x\0y"})
    p.c.equal("an unreadable condition", p.s.ok("GET", path)[0]["fireCount"], 1)


def whole(p):
    """Deleting takes everything; templates are there once."""
    t = p.table("a")
    row = p.add(t, {"a": 1})[0]
    p.s.ok("PATCH", f"/api/tables/{t}/rows/{row}", {"data": {"a": 2}})
    p.s.ok("POST", f"/api/tables/{t}/charts", {"type": "bar", "title": "c", "xColumn": "a"})
    p.s.ok("POST", f"/api/tables/{t}/triggers", {"name": "g", "triggerEvent": "row_deleted", "actionType": "create_task", "actionConfig": {"title": "never"}})
    p.bring("a\n1\n", table=t)
    status, _, got = p.raw("DELETE", f"/api/tables/{t}")
    p.c.equal("deleted", (status, got), (204, b""))
    for name in ("rows", "columns", "views", "imports", "triggers", "row_history"):
        p.c.equal(f"no {name}", p.s.rows(f"SELECT * FROM user_table_{name} WHERE table_id = ?", t), [])
    p.c.equal("nothing fired", p.s.rows("SELECT id FROM tasks WHERE title = 'never'"), [])
    names = lambda: [r["name"] for r in p.s.rows("SELECT name FROM user_table_templates WHERE scope = 'system' ORDER BY rowid")]
    p.c.equal("templates", (len(names()), len(set(names()))), (12, 12))
    p.s.rows("SELECT 1")
    p.s.stop()
    p.s.start()
    p.c.equal("after a restart", len(names()), 12)


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx") as s:
        p = Play(s, c)
        for part in (cells, queries, formulas, csv_in, sheets_in, files_out, writers, lost_import, vain_import, triggers, odd_conditions,
                     whole):
            part(p)


if __name__ == "__main__":
    main(test)
