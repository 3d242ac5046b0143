"""Plays scenario files against a whole Stagent: play.py [--server nginx|lighttpd] [--again] [--programs] [--waiting FILE] [--answers FILE] [--timed yes|no] PATH...

With --again everything is stopped after the first time, started on the data folder that is now used, and played once more.
The scenarios that change something for everybody (ALONE, from the contract's README) run last, one at a time: all run one
after the other here, so it is enough that nothing else is played at the same moment. Those of TIMED give the server a
second or two for what takes a real agent's program that long on a machine with other work: with --timed yes only they are
played, with no all the others.
"""
import argparse, os, re, subprocess, sys

import programs
from stack import Stack, TESTS

ALONE = ("settings/14-budget-blocking", "tasks/28-budget", "chat/13-budget", "snapshots/07-restore")
TIMED = ("context/05-workflow-batch",)


def files(paths, timed=None):
    """The scenario files below PATHS, those of ALONE last; only those of TIMED, or all but them, where that is said."""
    out = []
    for p in paths:
        if os.path.isfile(p):
            out.append(p)
        else:
            out += sorted(os.path.join(d, f) for d, _, names in os.walk(p) for f in names if f.endswith(".json"))
    out = [f for f in out if timed is None or timed == any(t in f for t in TIMED)]
    return sorted(out, key=lambda f: any(a in f for a in ALONE))


def replay(stack, paths, waiting, answers, verbose):
    """(passed, failed, waiting) of one round."""
    argv = [sys.executable, str(TESTS / "replay"), "check", stack.url, *paths, "--var", f"fake={stack.fake}",
            "--var", f"host=127.0.0.1:{stack.port}", "--var", f"port={stack.port}"]
    argv += ["--waiting", waiting] if waiting else []
    argv += ["--answers", answers] if answers else []
    argv += ["-v"] if verbose else []
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    waits, got = 0, None
    for line in p.stdout:
        if line.startswith("wait "):
            waits += 1
        got = re.match(r"(\d+) passed, (\d+) failed$", line) or got
        if not re.match(r"\d+ (passed|waiting)", line):
            print(line, end="", flush=True)
    p.wait()
    return (int(got[1]), int(got[2]), waits) if got else (0, 1, waits)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("paths", nargs="+")
    ap.add_argument("--server", default="nginx")
    ap.add_argument("--again", action="store_true")
    ap.add_argument("--programs", action="store_true")
    ap.add_argument("--waiting", default="")
    ap.add_argument("--answers", default="")
    ap.add_argument("--timed", choices=("yes", "no"))
    ap.add_argument("-v", action="store_true")
    a = ap.parse_args()
    passed = failed = waits = 0
    paths = files(a.paths, a.timed and a.timed == "yes")
    agents = {}
    if a.programs:
        try:
            agents = programs.installed()
        except (programs.Missing, OSError, subprocess.TimeoutExpired) as e:
            failed += 1
            print(f"FAIL the command-line agents: {e}")
    with Stack(server=a.server, programs=agents) as s:
        for round_ in ("fresh data folder", "used data folder")[:2 if a.again else 1]:
            print(f"== {a.server}, {round_}", flush=True)
            if s.proc.get("master") is None:
                s.start()
            p, f, waits = replay(s, paths, a.waiting, a.answers, a.v)
            passed, failed = passed + p, failed + f
            took = s.stop()
            if s.killed:
                failed += 1
                print(f"FAIL {s.killed} did not stop within 6 s")
            else:
                print(f"== stopped in {took:.1f} s")
        for what, text in (("sanitizer report", s.reports()), ("provider key in clear", s.leaks())):
            if text:
                failed += 1
                print(f"FAIL {what}:\n{text}")
        s.failed = failed > 0
    print(f"{waits} waiting\n{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
