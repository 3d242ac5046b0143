"""Refreshing the prices: what the pages say is taken, what fails says why, a page that is slow holds nobody up, one refresh at a time.

The pages come from a small server here; the job runner alone asks for them.
"""
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

PAGES = {"/anthropic": (200, "<script>Claude Opus 4.6 $1 / 1M $1 / 1M</script><h2>Claude <b>Opus 4.6</b></h2> in $6 / 1M out $30 / 1M <p>Claude Haiku 4.5 $5000 / 1M, $4 / 1M</p> Max 5x from $90"),
         "/openai": (500, "no")}
asked = []


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append((self.path, self.headers.get("authorization")))
        status, text = PAGES[self.path]
        if callable(text):
            text = text()
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text.encode())
        except OSError:
            pass

    def log_message(self, *args):
        pass


def slow():
    time.sleep(4)
    return "GPT-4o $3 / 1M $12 / 1M"


def row(snapshot, provider, key):
    return next(r for r in snapshot["providers"][provider]["rows"] if r["key"] == key)


def test(check):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    with Stack(options={"anthropic.prices": at + "/anthropic", "openai.prices": at + "/openai"}) as s:
        before = s.ok("GET", "/api/settings/pricing")
        status, got = s.api("POST", "/api/settings/pricing")
        check.equal("a refresh answers though one page fails", status, 200)
        check.equal("and with what is then in force", s.ok("GET", "/api/settings/pricing"), got)
        part = got["providers"]["anthropic"]
        check.equal("the page is the source", (part["sourceType"], part["sourceLabel"], part["refreshError"]), ("official_pricing_page", "Anthropic pricing page", None))
        check("with a version of its own", part["version"].startswith("anthropic-registry-") and len(part["version"]) == 29, part["version"])
        opus, haiku = row(got, "anthropic", "anthropic-claude-opus"), row(got, "anthropic", "anthropic-claude-haiku")
        check.equal("the price of a model, not that of a script", (opus["inputCostPerMillionMicros"], opus["outputCostPerMillionMicros"]), (6000000, 30000000))
        check.equal("no price beyond all bounds", (haiku["inputCostPerMillionMicros"], haiku["outputCostPerMillionMicros"]), (1000000, 4000000))
        check.equal("the price of a plan", row(got, "anthropic", "anthropic-plan-max-5x")["monthlyPriceUsd"], 90)
        check.equal("what failed only says so", got["providers"]["openai"], {**before["providers"]["openai"], "refreshError": "OpenAI pricing fetch failed (500)"})
        PAGES["/openai"] = (302, "")
        check.equal("no redirect is followed", s.ok("POST", "/api/settings/pricing")["providers"]["openai"]["refreshError"], "OpenAI pricing fetch failed (302)")
        PAGES["/openai"] = (200, "x" * (3 << 20))
        check("a page has a limit", "2 MiB" in s.ok("POST", "/api/settings/pricing")["providers"]["openai"]["refreshError"])
        PAGES["/openai"] = (200, slow)
        asked.clear()
        answers, began = [], time.time()
        threads = [threading.Thread(target=lambda: answers.append(s.api("POST", "/api/settings/pricing"))) for _ in range(12)]
        [t.start() for t in threads]
        time.sleep(0.3)
        quick = time.time()
        s.ok("GET", "/api/settings/pricing")
        check("nobody waits for a slow page", time.time() - quick < 2, time.time() - quick)
        [t.join() for t in threads]
        check("all who asked are answered", [a[0] for a in answers] == [200] * 12 and time.time() - began < 20, (answers[:1], time.time() - began))
        check.equal("by one refresh", [p for p, _ in asked].count("/openai"), 1)
        check("no key goes to a page", all(k is None for _, k in asked))
        check.equal("the slow page counts", row(s.ok("GET", "/api/settings/pricing"), "openai", "openai-gpt-4o")["inputCostPerMillionMicros"], 3000000)
        s.failed = check.failed > 0
    server.shutdown()


main(test)
