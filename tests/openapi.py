"""The OpenAPI document: valid, complete, and true of every answer that was recorded.

	openapi.py [--answers FILE]...

Fetches /api/openapi.json from a Stack of its own and checks: structure (OpenAPI 3.1, references, parameters, unique operation ids), the routes of
the contract, a public linter (npx @redocly/cli, where npm is installed; STAGENT_OFFLINE=1 leaves it out and says so), and, with the
answers that replay recorded (--answers), that each has a declared status, type and shape, and that every operation was seen to succeed and to refuse.
"""
import argparse, json, os, re, shutil, subprocess, tempfile
from pathlib import Path

from stack import Stack, main

REDOCLY = "@redocly/cli@1.34.5"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = {"null", "boolean", "object", "array", "number", "integer", "string"}
EXPECTED = {  # the operations of the domains that exist
    "/api/projects": "get post", "/api/projects/{id}": "get patch delete", "/api/projects/{id}/documents": "get put",
    "/api/documents": "get post", "/api/documents/{id}": "get patch delete", "/api/documents/{id}/file": "get",
    "/api/documents/{id}/versions": "get", "/api/uploads": "post", "/api/uploads/{id}": "get delete", "/api/uploads/cleanup": "post",
    "/api/tasks": "get post", "/api/tasks/{id}": "get patch delete",
    "/api/tasks/assist": "post", "/api/tasks/{id}/execute": "post", "/api/tasks/{id}/resume": "post",
    "/api/tasks/{id}/cancel": "post", "/api/tasks/{id}/respond": "post", "/api/tasks/{id}/output": "get",
    "/api/tasks/{id}/logs": "get", "/api/tasks/{id}/provenance": "get", "/api/tasks/{id}/siblings": "get",
    "/api/logs/stream": "get", "/api/notifications": "get", "/api/notifications/{id}": "patch delete",
    "/api/notifications/mark-all-read": "patch", "/api/notifications/pending-approvals": "get",
    "/api/notifications/pending-approvals/stream": "get", "/api/permissions": "get post delete",
    "/api/permissions/presets": "get post delete", "/api/openapi.json": "get", "/api/memory": "get post patch delete",
    "/api/handoffs": "get post", "/api/handoffs/{id}": "get patch",
    "/api/workflows": "get post", "/api/workflows/from-assist": "post", "/api/workflows/{id}": "patch delete",
    "/api/workflows/{id}/execute": "post", "/api/workflows/{id}/status": "get",
    "/api/workflows/{id}/documents": "get post delete", "/api/workflows/{id}/steps/{id}/retry": "post",
    "/api/schedules": "get post", "/api/schedules/parse": "post", "/api/schedules/{id}": "get patch delete",
    "/api/schedules/{id}/heartbeat-history": "get",
    "/api/blueprints": "get post", "/api/blueprints/import": "post", "/api/blueprints/{id}": "get delete",
    "/api/blueprints/{id}/instantiate": "post",
    "/api/profiles": "get post", "/api/profiles/{id}": "get put delete", "/api/profiles/{id}/test": "post",
    "/api/profiles/{id}/test-single": "post", "/api/profiles/{id}/test-results": "get",
    "/api/profiles/{id}/context": "get post patch", "/api/profiles/assist": "post", "/api/profiles/import": "post",
    "/api/profiles/import-repo": "get", "/api/profiles/import-repo/scan": "post",
    "/api/profiles/import-repo/preview": "post", "/api/profiles/import-repo/confirm": "post",
    "/api/profiles/import-repo/check-updates": "post", "/api/profiles/import-repo/apply-updates": "post",
    "/api/tables": "get post", "/api/tables/templates": "get post", "/api/tables/{id}": "get patch delete",
    "/api/tables/{id}/columns": "post patch", "/api/tables/{id}/rows": "get post",
    "/api/tables/{id}/rows/{id}": "patch delete", "/api/tables/{id}/rows/{id}/history": "get post",
    "/api/tables/{id}/history": "get", "/api/tables/{id}/import": "post", "/api/tables/{id}/export": "get",
    "/api/tables/{id}/triggers": "get post patch", "/api/tables/{id}/triggers/{id}": "patch delete",
    "/api/tables/{id}/charts": "get post", "/api/tables/{id}/charts/{id}": "patch delete",
    "/api/tables/{id}/charts/{id}/data": "get"}
GENERAL = {403, 405, 413, 421, 500, 503, 507}  # statuses that any operation may have


class Document:
    def __init__(self, doc):
        self.doc, self.problems = doc, []

    def bad(self, where, what):
        self.problems.append(f"{where}: {what}")

    def resolve(self, node):
        seen = 0
        while isinstance(node, dict) and "$ref" in node and seen < 20:
            target, seen = self.doc, seen + 1
            for part in node["$ref"][2:].split("/"):
                target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
            node = target
        return node

    # Structure

    def check(self):
        d = self.doc
        if not re.fullmatch(r"3\.1\.\d+", str(d.get("openapi"))):
            self.bad("openapi", d.get("openapi"))
        for k in ("title", "version"):
            if not isinstance((d.get("info") or {}).get(k), str):
                self.bad("info", f"no {k}")
        self.refs(d, "#")
        ids = {}
        for path, item in d.get("paths", {}).items():
            if not path.startswith("/"):
                self.bad(path, "does not start with a slash")
            for method, op in item.items():
                if method in METHODS:
                    self.operation(f"{method.upper()} {path}", path, item, op, ids)
        for name, s in d.get("components", {}).get("schemas", {}).items():
            self.schema(f"#/components/schemas/{name}", s)
        return self.problems

    def refs(self, node, where):
        if isinstance(node, dict):
            if "$ref" in node and (not str(node["$ref"]).startswith("#/") or self.resolve(node) is None):
                self.bad(where, f"{node['$ref']} leads nowhere")
            for k, v in node.items():
                self.refs(v, f"{where}/{k}")
        elif isinstance(node, list):
            for i, v in enumerate(node):
                self.refs(v, f"{where}/{i}")

    def operation(self, where, path, item, op, ids):
        i = op.get("operationId")
        if not i or i in ids:
            self.bad(where, f"operationId {i!r} is missing or that of {ids.get(i)}")
        ids[i] = where
        if not op.get("summary") and not op.get("description"):
            self.bad(where, "says nothing")
        declared, seen = set(), set()
        for p in [*item.get("parameters", []), *op.get("parameters", [])]:
            p = self.resolve(p) or {}
            if p.get("in") not in ("path", "query", "header",
                "cookie") or not p.get("name") or not ("schema" in p or "content" in p):
                self.bad(where, f"parameter {p}")
                continue
            if (p["in"], p["name"]) in seen:
                self.bad(where, f"parameter {p['name']} twice")
            seen.add((p["in"], p["name"]))
            if p["in"] == "path":
                declared.add(p["name"])
                if p.get("required") is not True:
                    self.bad(where, f"path parameter {p['name']} is not required")
            self.schema(f"{where} {p['name']}", p.get("schema", {}))
        if declared != set(re.findall(r"\{(\w+)\}", path)):
            self.bad(where, f"path parameters {declared}")
        if "requestBody" in op:
            self.content(where, self.resolve(op["requestBody"]), True)
        responses = op.get("responses", {})
        if not any(re.fullmatch(r"[23]\d\d|2XX", c) for c in responses):
            self.bad(where, "no success")
        for code, r in responses.items():
            r = self.resolve(r) or {}
            if not re.fullmatch(r"\d\d\d|[1-5]XX|default", code) or not isinstance(r.get("description"), str):
                self.bad(where, f"response {code}")
            self.content(f"{where} {code}", r, False)

    def content(self, where, node, needed):
        content = (node or {}).get("content", {})
        if needed and not content:
            self.bad(where, "body without content")
        for kind, media in content.items():
            if "/" not in kind:
                self.bad(where, f"media type {kind}")
            self.schema(f"{where} {kind}", media.get("schema", {}))

    def schema(self, where, s, depth=0):
        if isinstance(s, bool) or depth > 12:
            return
        if not isinstance(s, dict):
            return self.bad(where, "no schema")
        types = s.get("type", [])
        for t in types if isinstance(types, list) else [types]:
            if t not in TYPES:
                self.bad(where, f"type {t!r}")
        if "nullable" in s:
            self.bad(where, "nullable is OpenAPI 3.0")
        for k in s.get("required", []):
            if s.get("properties") and k not in s["properties"]:
                self.bad(where, f"requires {k}, which it does not have")
        for k, v in s.get("properties", {}).items():
            self.schema(f"{where}.{k}", v, depth + 1)
        for k in ("items", "additionalProperties", "not"):
            if k in s:
                self.schema(f"{where}/{k}", s[k], depth + 1)
        for k in ("anyOf", "oneOf", "allOf"):
            if k in s and not s[k]:
                self.bad(where, f"{k} is empty")
            for v in s.get(k, []):
                self.schema(f"{where}/{k}", v, depth + 1)
        if "enum" in s and (not s["enum"] or len(set(map(repr, s["enum"]))) != len(s["enum"])):
            self.bad(where, "enum is empty or repeats itself")
        if "pattern" in s:
            try:
                re.compile(s["pattern"])
            except re.error as e:
                self.bad(where, f"pattern: {e}")

    # Answers

    def differ(self, s, v, where="$"):
        """Why V does not match schema S, '' where it does."""
        s = self.resolve(s)
        if s is True or s is None or s == {}:
            return ""
        if s is False:
            return f"{where}: not allowed"
        types = s.get("type")
        types = [types] if isinstance(types, str) else types
        if types and not any(is_a(v, t) for t in types):
            return f"{where}: {v!r:.80} is no {types}"
        if "enum" in s and v not in s["enum"]:
            return f"{where}: {v!r:.80} is none of {s['enum']}"
        if "const" in s and v != s["const"]:
            return f"{where}: {v!r:.80} is not {s['const']!r}"
        for k in ("anyOf", "oneOf"):
            if k in s:
                fits = sum(not self.differ(x, v, where) for x in s[k])
                if fits == 0 or k == "oneOf" and fits > 1:
                    return f"{where}: {v!r:.80} fits {fits} of {k}"
        for x in s.get("allOf", []):
            d = self.differ(x, v, where)
            if d:
                return d
        if isinstance(v, str):
            if "pattern" in s and not re.search(s["pattern"], v):
                return f"{where}: {v!r:.80} does not match {s['pattern']}"
            if s.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", v):
                return f"{where}: {v!r:.80} is no time"
            if s.get("format") == "uuid" and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", v):
                return f"{where}: {v!r:.80} is no UUID"
            if len(v) > s.get("maxLength", 1 << 62) or len(v.encode("utf-16-le")) // 2 < s.get("minLength", 0):
                return f"{where}: length {len(v)}"
        if is_a(v, "number") and not s.get("minimum", v) <= v <= s.get("maximum", v):
            return f"{where}: {v} is out of its limits"
        if isinstance(v, list):
            if not s.get("minItems", 0) <= len(v) <= s.get("maxItems", 1 << 62):
                return f"{where}: {len(v)} items"
            for i, x in enumerate(v):
                d = self.differ(s.get("items", True), x, f"{where}[{i}]")
                if d:
                    return d
        if isinstance(v, dict):
            for k in s.get("required", []):
                if k not in v:
                    return f"{where}.{k}: missing"
            for k, x in v.items():
                d = self.differ(s.get("properties", {}).get(k, s.get("additionalProperties", True)), x, f"{where}.{k}")
                if d:
                    return d
        return ""

    def find(self, method, path):
        """(where, operation) for a concrete path; fixed words win over parameters."""
        parts, best = path.split("/"), None
        for template, item in self.doc["paths"].items():
            t = template.split("/")
            if len(t) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(t, parts)):
                rank = [a.startswith("{") for a in t]
                if best is None or rank < best[0]:
                    best = (rank, template, item)
        if best is None or method.lower() not in best[2]:
            return None
        return f"{method} {best[1]}", best[2][method.lower()]


def is_a(v, t):
    return {"null": v is None, "boolean": isinstance(v, bool), "object": isinstance(v, dict), "array": isinstance(v, list),
        "string": isinstance(v, str),
            "number": isinstance(v, (int, float)) and not isinstance(v, bool),
            "integer": isinstance(v, int) and not isinstance(v, bool) or isinstance(v, float) and v.is_integer()}[t]


def answers(d, files, check):
    seen, wrong, n = {"GET /api/openapi.json": {2}}, [], 0
    for file in files:
        for line in open(file, encoding="utf-8"):
            a = json.loads(line)
            got = d.find(a["method"], a["path"])
            if got is None:
                continue
            n += 1
            where, op = got
            seen.setdefault(where, set()).add(a["status"] // 100)
            responses = op["responses"]
            r = d.resolve(responses.get(str(a["status"])) or responses.get(f"{a['status'] // 100}XX") or responses.get("default"))
            if r is None:
                if a["status"] not in GENERAL and a["status"] != 308:
                    wrong.append(f"{where}: status {a['status']} is not declared ({a['step']})")
                continue
            content = r.get("content", {})
            if "*/*" in content:
                continue
            if a["type"] and a["type"] not in content:
                wrong.append(f"{where} {a['status']}: type {a['type']} is not declared")
            elif a["json"] is not None and "schema" in content[a["type"]]:
                why = d.differ(content[a["type"]]["schema"], a["json"])
                if why:
                    wrong.append(f"{where} {a['status']}: {why} ({a['step']})")
    wrong = sorted(set(wrong))
    check(f"{n} recorded answers are as the document says", n > 0 and not wrong, "\n     ".join(["", *wrong[:25]]))
    missing = []
    for path, item in d.doc["paths"].items():
        for method, op in item.items():
            if method not in METHODS:
                continue
            where = f"{method.upper()} {path}"
            kinds = seen.get(where, set())
            if 2 not in kinds:
                missing.append(f"{where}: no 2xx")
            if 4 not in kinds and {"400", "404", "409"} & set(op["responses"]):
                missing.append(f"{where}: no 4xx")
    check("every operation was seen to succeed and to refuse", not missing, missing)


def linter(doc, check):
    if not shutil.which("npx"):
        print("wait openapi.py: npm is not installed, so no public linter has seen the document")
        return
    if os.environ.get("STAGENT_OFFLINE"):
        print("wait openapi.py: STAGENT_OFFLINE is set, so no public linter has seen the document")
        return
    with tempfile.TemporaryDirectory() as tmp:
        f = Path(tmp) / "openapi.json"
        f.write_text(json.dumps(doc, indent=1))
        p = subprocess.run(["npx", "--yes", REDOCLY, "lint", "--extends=recommended", "--format=stylish", str(f)],
            capture_output=True, text=True, cwd=tmp, timeout=600,
                           env={**os.environ, "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"})
        check("npx @redocly/cli lint", p.returncode == 0, (p.stdout + p.stderr)[-3000:])


def test(check):
    ap = argparse.ArgumentParser()
    ap.add_argument("--answers", action="append", default=[])
    a = ap.parse_args()
    with Stack() as s:
        doc = s.ok("GET", "/api/openapi.json")
    d = Document(doc)
    problems = d.check()
    check("the structure is that of OpenAPI 3.1", not problems, "\n     ".join(["", *problems[:30]]))
    have = {p: {m for m in i if m in METHODS} for p, i in doc["paths"].items()}
    norm = lambda p: re.sub(r"\{\w+\}", "{id}", p)
    have = {norm(p): m for p, m in have.items()}
    lack = [f"{m.upper()} {p}" for p, ms in EXPECTED.items() for m in ms.split() if m not in have.get(p, set())]
    check("every operation of the contract is in it", not lack, lack)
    linter(doc, check)
    if a.answers:
        answers(d, a.answers, check)


main(test)
