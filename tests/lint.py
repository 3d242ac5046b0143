"""Rules of the sources that no compiler holds (design.md, Style), for the files that git knows or would add.

C: files of at most 1,000 lines, functions of at most 80, none of the forbidden calls, no declaration of a variable-length array is left
to the compiler (-Wvla). Everything: no blanks at the end of a line, a line end at the end. Scripts parse (sh -n, compile).
"""
import ast, re, subprocess

from stack import TOP, main

FORBIDDEN = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|strtok|gets)\s*\(")
TEXT = (".c", ".h", ".py", ".sh", ".am", ".ac", ".in", ".sql", ".awk", ".md", ".yaml", ".json", ".txt", ".1", ".5", ".8",
    ".service", ".socket", ".conf")


def files():
    out = subprocess.run(["git", "-C", str(TOP), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True)
    if out.returncode == 0:
        names = out.stdout.decode().split("\0")
    else:  # a release tarball has no git
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*") if p.is_file() and not str(p.relative_to(TOP)).startswith("build")]
    return sorted(n for n in names if n and (TOP / n).is_file())


def bare(text):
    """C without comments and the contents of strings; lines stay where they are."""
    keep = lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0][0] * 2
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", keep, text, flags=re.S)


def functions(code):
    """(first line, number of lines) of each function: a block that opens in column 0 and closes there."""
    start, lines = None, code.split("\n")
    for i, line in enumerate(lines, 1):
        if line == "{" and not re.match(r".*[=]\s*$", lines[i - 2]):
            start = i - 1
            while start > 1 and lines[start - 2].strip() and not lines[start - 2].startswith(("}", "#")):
                start -= 1
        elif line.startswith("}") and start:
            yield start, i - start + 1
            start = None


def script(name, first):
    if name.endswith(".py") or "python" in first:
        try:
            ast.parse((TOP / name).read_text(encoding="utf-8"))
        except SyntaxError as e:
            return f"{name}:{e.lineno}: {e.msg}"
    elif name.endswith(".sh") or re.match(r"#!.*\b(sh|bash)\b", first):
        shell = "bash" if "bash" in first else "sh"
        p = subprocess.run([shell, "-n", str(TOP / name)], capture_output=True, text=True)
        if p.returncode:
            return p.stderr.strip()
    return ""


def test(check):
    problems = {k: [] for k in ("files of at most 1,000 lines", "functions of at most 80 lines", "no forbidden calls",
            "no blanks at line ends", "files end with a line end", "scripts parse")}
    add = lambda k, v: problems[k].append(v)
    names, code_files = files(), 0
    for name in names:
        raw = (TOP / name).read_bytes()
        if b"\0" in raw or name.startswith("tests/contract/") or name.startswith("tests/fuzz/corpus"):
            continue
        text = raw.decode("utf-8", "replace")
        if not (name.endswith(TEXT) or text.startswith("#!")):
            continue
        blank = re.search(r"[ \t]+$", text, re.M)
        if blank and not name.endswith(".md"):
            add("no blanks at line ends", f"{name}:{text.count(chr(10), 0, blank.start()) + 1}")
        if text and not text.endswith("\n"):
            add("files end with a line end", name)
        bad = script(name, text.split("\n", 1)[0]) if text.startswith("#!") or name.endswith((".py", ".sh")) else ""
        if bad:
            add("scripts parse", bad)
        if name.endswith((".c", ".h")):
            code_files += 1
            code = bare(text)
            if code.count("\n") > 1000:
                add("files of at most 1,000 lines", f"{name}: {code.count(chr(10))}")
            for line, n in functions(code):
                if n > 80:
                    add("functions of at most 80 lines", f"{name}:{line}: {n} lines")
            for i, line in enumerate(code.split("\n"), 1):
                m = FORBIDDEN.search(line)
                if m:
                    add("no forbidden calls", f"{name}:{i}: {m[1]}")
    check(f"{len(names)} files, {code_files} of C", code_files > 0)
    for what, found in problems.items():
        check(what, not found, "\n     ".join(["", *found[:30]]))


main(test)
