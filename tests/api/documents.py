#!/usr/bin/env python3
"""Documents and uploads on the whole stack: documents.py [nginx|lighttpd]. The largest upload and one byte more, in small
processes; downloads byte by byte; thumbnails; PDF, slides and archives that unpack to too much; links in the place of
stored files; extraction that is taken up again after its runner was killed; an agent's tools."""
import hashlib, http.client, io, json, os, struct, sys, time, zipfile, zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main, memory

LIMIT = 52428800
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c
        self.uploads = os.path.join(s.data, "uploads")

    def send(self, method, path, body=None, headers=()):
        """(status, headers, bytes)."""
        conn = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=60)
        conn.request(method, path, body, dict(headers))
        r = conn.getresponse()
        out = r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        conn.close()
        return out

    def upload(self, data, name="file.bin", kind="application/octet-stream", task=None):
        """(status, answer) of a multipart upload."""
        mark = b"----mark"
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        body = b"--" + mark + b"\r\n" + head + data + b"\r\n"
        if task:
            body += b"--" + mark + b'\r\nContent-Disposition: form-data; name="taskId"\r\n\r\n' + task.encode() + b"\r\n"
        status, _, got = self.send("POST", "/api/uploads", body + b"--" + mark + b"--\r\n",
                                   {"Content-Type": "multipart/form-data; boundary=----mark"})
        return status, json.loads(got)

    def document(self, id):
        return self.s.ok("GET", f"/api/documents/{id}")

    def settled(self, id, timeout=30):
        return self.s.until(lambda: self.document(id), lambda d: d["status"] in ("ready", "error"), timeout)

    def extracted(self, data, kind, name="x"):
        status, got = self.upload(data, name, kind)
        assert status == 201, got
        return self.settled(got["id"])


def pack(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            z.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def png(width, height):
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + bytes((x * 7 + y) % 256 for x in range(width * 3)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def pdf(*pages):
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    for text in pages:
        stream = zlib.compress(b"BT /F1 12 Tf 72 700 Td (" + text.encode() + b") Tj ET" if text else b"")
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
                       % (len(objects) + 2))
        objects.append(b"<</Filter/FlateDecode/Length %d>>\nstream\n" % len(stream) + stream + b"\nendstream")
    kids = b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages)))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))
    out, offsets = b"%PDF-1.5\n", []
    for i, o in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % i + o + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % o for o in offsets)
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + \
        b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))


def largest(p):
    data = os.urandom(1 << 16) * (LIMIT >> 16)
    status, got = p.upload(data, "large.bin")
    p.c.equal("an upload of exactly the limit", (status, got.get("size")), (201, LIMIT))
    for path in (f"/api/uploads/{got['id']}", f"/api/documents/{got['id']}/file"):
        status, head, body = p.send("GET", path)
        p.c.equal(f"{path.split('/')[2]}: it comes back as it was",
                  (status, head["content-length"], hashlib.sha256(body).digest() == hashlib.sha256(data).digest()),
                  (200, str(LIMIT), True))
        status, head, body = p.send("HEAD", path)
        p.c.equal("HEAD has the headers only", (status, head["content-length"], body), (200, str(LIMIT), b""))
        status, head, body = p.send("GET", path, headers={"Range": "bytes=0-9", "If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT"})
        p.c.equal("Range and conditions are ignored", (status, len(body)), (200, LIMIT))
    before = sorted(os.listdir(p.uploads))
    status, body = p.upload(data + b"x")
    p.c.equal("one byte more", (status, body), (400, {"error": "File too large (max 50MB)"}))
    status, body = p.upload(b"x", task="none")
    p.c.equal("an unknown task", (status, body), (404, {"error": "Task not found"}))
    p.c.equal("what is refused leaves nothing", sorted(os.listdir(p.uploads)), before)
    used = max(memory(pid, "Rss") for pid in p.s.pids()["workers"])
    p.c("workers stay small", 0 < used < 30 << 10, f"{used} KiB")


def images(p):
    d = p.extracted(png(1000, 4), "image/png", "wide.png")
    p.c.equal("a wide image", (d["status"], d["extractedText"]), ("ready", "Image: 1000x4\nFormat: png"))
    p.c.equal("has a thumbnail", d["processedPath"], os.path.join(p.s.data, "documents", "thumbs", d["id"] + ".png"))
    status, head, body = p.send("GET", f"/api/documents/{d['id']}/file?thumb=1&inline=1")
    p.c.equal("which is a PNG of 800 pixels", (status, head["content-type"], struct.unpack(">II", body[16:24])),
              (200, "image/png", (800, 3)))
    p.c.equal("shown inline", head["content-disposition"], 'inline; filename="wide.png"')
    status, _, body = p.send("GET", f"/api/documents/{d['id']}/file?inline=1")
    p.c.equal("the original is as it was", body, png(1000, 4))
    p.c.equal("deleted", p.send("DELETE", f"/api/documents/{d['id']}")[0], 204)
    p.c("the thumbnail goes with it", not os.path.exists(d["processedPath"]))
    d = p.extracted(png(800, 2), "image/png")
    p.c.equal("one that is not wider has none", d["processedPath"], None)
    d = p.extracted(png(900, 2)[:24], "image/png")
    p.c.equal("no thumbnail is no error", (d["status"], d["extractedText"], d["processedPath"]),
              ("ready", "Image: 900x2\nFormat: png", None))
    d = p.extracted(b"<svg xmlns='x'/>", "image/svg+xml", "a.svg")
    _, head, _ = p.send("GET", f"/api/documents/{d['id']}/file?inline=1")
    p.c.equal("SVG is never shown", head["content-disposition"], 'attachment; filename="a.svg"')


def texts(p):
    d = p.extracted(pdf("Page one", "", "Page three"), "application/pdf")
    p.c.equal("a PDF, page by page", d["extractedText"],
              "Page one\n\n-- 1 of 3 --\n\n\n\n-- 2 of 3 --\n\nPage three\n\n-- 3 of 3 --\n\n")
    d = p.extracted(b"no PDF", "application/pdf")
    p.c.equal("what is none", (d["status"], d["extractedText"], d["processingError"]), ("error", None, "Invalid PDF structure."))
    slide = '<p:sld xmlns:p="p" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:t>%s</a:t></a:p></p:sld>'
    d = p.extracted(pack(**{f"ppt__slides__slide{n}.xml": slide % n for n in (10, 9, 2)}), SLIDES)
    p.c.equal("slides in the order of their numbers", d["extractedText"], "2\n\n9\n\n10")
    d = p.extracted("a".encode() + b"\xff\0z", "Text/Plain; charset=latin1")
    p.c.equal("parameters do not matter", (d["mimeType"], d["extractedText"]), ("text/plain; charset=latin1", "a\ufffd\ufffdz"))
    d = p.extracted(b"x" * 5000001, "text/plain")
    p.c.equal("a text is cut at 5,000,000 characters", (d["status"], len(d["extractedText"])), ("ready", 5000000))


def bombs(p):
    began = time.time()
    blanks = b" " * (101 << 20)
    for kind, name in ((WORD, "word__document.xml"), (SLIDES, "ppt__slides__slide1.xml"), (SHEET, "xl__workbook.xml")):
        d = p.extracted(pack(**{name: b"<x>" + blanks + b"</x>"}), kind)
        p.c.equal(f"{name}: too much to unpack", (d["status"], d["processingError"]),
                  ("error", "The archive is too large when unpacked"))
    d = p.extracted(pack(**{"word__document.xml": b"<a>" * 100000}), WORD)
    p.c.equal("elements that are too deep", d["status"], "error")
    lol = b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 1000 + b'">' + \
        b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c + 1, c, c, c, c) for c in range(97, 110)) + b"]><w>&n;</w>"
    p.c.equal("entities", p.extracted(pack(**{"word__document.xml": lol}), WORD)["status"], "error")
    p.c("all of that takes seconds", time.time() - began < 30, f"{time.time() - began:.1f} s")


def links(p):
    d = p.extracted(b"secret", "text/plain", "x.txt")
    os.unlink(d["storagePath"])
    os.symlink("/etc/hostname", d["storagePath"])
    for path in (f"/api/documents/{d['id']}/file", f"/api/uploads/{d['id']}", f"/api/uploads/{d['filename']}"):
        p.c.equal("a link is no stored file", p.send("GET", path)[0], 404)
    got = p.s.ok("PATCH", f"/api/documents/{d['id']}", {"reprocess": True})
    p.c.equal("processing begins anew", (got["status"], got["extractedText"]), ("processing", None))
    p.c.equal("and is not led away", p.settled(d["id"])["status"], "error")
    status, got = p.s.api("POST", "/api/documents", {"file_path": str(p.s.db_path)})
    p.c.equal("the database cannot be copied", (status, got),
              (403, {"error": "Access denied: path points to a restricted system directory"}))


def lost(p):
    """Whatever is pending when the runner dies is extracted by the next one."""
    ids = [p.upload(b"text %d" % i, f"{i}.txt", "text/plain")[1]["id"] for i in range(20)]
    p.s.stop(["supervisor"], sig=9)
    p.s.write([("UPDATE documents SET status = 'processing', extracted_text = NULL WHERE id = ?", (i,)) for i in ids[:10]] +
              [("UPDATE documents SET status = 'uploaded', extracted_text = NULL WHERE id = ?", (i,)) for i in ids[10:]] +
              [("DELETE FROM jobs WHERE kind = 'extract'", ())])
    p.s.start_runner()
    got = [p.settled(i)["extractedText"] for i in ids]
    p.c.equal("pending documents are taken up", got, [f"text {i}" for i in range(20)])


def deadly(p):
    """A document at which one process after the other dies is given up; the others of its lane are not."""
    ids = [p.upload(b"x%d" % i, f"{i}.txt", "text/plain")[1]["id"] for i in range(6)]
    for i in ids:
        p.settled(i)
    p.s.stop(["supervisor"])
    lane = [i for i in ids if ord(i[0]) % 2 == ord(ids[0][0]) % 2]
    n = ord(ids[0][0]) % 2
    p.s.write([("UPDATE documents SET status = 'processing', extracted_text = NULL, updated_at = ? WHERE id = ?", (k, i))
               for k, i in enumerate(lane)] +
              [("INSERT INTO jobs (kind, subject, slot, state, run_at_ms, attempts, payload, created_at_ms) "
                "VALUES ('extract', ?, ?, 'ready', 0, 2, ?, 0)", (str(n), f"extract-{n}", lane[0]))])
    p.s.start_runner()
    got = [p.settled(i) for i in lane]
    p.c.equal("the one that kills", (got[0]["status"], got[0]["processingError"]), ("error", "Its extraction was broken off"))
    p.c("the others", all(d["status"] == "ready" for d in got[1:]), [d["status"] for d in got])


def awaited(p):
    """A run that begins a moment after its document has come gets the text, not the news that there is none yet."""
    d = p.upload(pdf("The secret word is heron"), "word.pdf", "application/pdf")[1]["id"]
    task = p.s.ok("POST", "/api/tasks", {"title": "Read", "description": "[[say done]]", "assignedAgent": "anthropic-direct",
                                         "documentIds": [d]})["id"]
    p.s.ok("PATCH", f"/api/tasks/{task}", {"status": "queued"})
    p.s.ok("POST", f"/api/tasks/{task}/execute")
    p.c.equal("a run with a new document", p.s.wait_task(task)["status"], "completed")
    seen = [e for e in p.s.provider_log() if "word.pdf" in json.dumps(e["json"])]
    p.c("has its text", seen and all("heron" in json.dumps(e["json"]) for e in seen), len(seen))


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx") as s:
        p = Play(s, c)
        for part in (largest, images, texts, bombs, links, lost, deadly, awaited):
            part(p)


main(test)
