"""stagentctl as an operator uses it: what it says of an empty store, of none and of a runner that is down; and how it changes the
configuration file: one line and nothing else, in one step, several at once, on a full disk, and that the programs take it on.
"""
import os, re, resource, shutil, signal, sqlite3, stat, struct, subprocess, tempfile, threading
from pathlib import Path

from stack import TOP, Stack, build_dir, main

DEFAULTS = (TOP / "conf" / "stagent.conf").read_bytes()
ACL = "system.posix_acl_access"


class Ctl:
    """stagentctl with a configuration file and a store in a scratch folder of its own."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="stg-ctl-"))
        self.etc, self.data = self.root / "etc", self.root / "data"
        self.etc.mkdir()
        self.file = self.etc / "stagent.conf"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.root), "ASAN_OPTIONS": "exitcode=99"}

    def argv(self, *words, file=None):
        return [str(build_dir() / "stagentctl"), "-c", str(file or self.file), "-o", f"data.dir={self.data}", *words]

    def __call__(self, *words, file=None, env=(), **more):
        """(exit status, standard output, standard error)"""
        p = subprocess.run(self.argv(*words, file=file), capture_output=True, timeout=60, env={**self.env, **dict(env)}, **more)
        return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")

    def set(self, name, value, **more):
        return self("config", "set", name, value, **more)

    def is_clean(self, folder=None):
        """Whether nothing is left beside the files."""
        return not list((folder or self.etc).glob(".*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)


def options(ctl):
    """{name: the lines that config NAME says, as a dictionary of their first words}, in the table's order."""
    out = {}
    for name in re.findall(r"(?m)^([a-z._]+) = ", ctl("config")[1]):
        code, text, _ = ctl("config", name)
        assert code == 0, text
        out[name] = {"": text.split("\n")[0], **dict(re.findall(r"(?m)^    ([a-z]+(?: it)?) +(.*)$", text))}
    return out


def without_store(check):
    with Ctl() as ctl:
        ctl.file.write_text("")
        for words in (["status"], ["jobs"], ["approvals"], ["audit"]):
            code, out, err = ctl(*words)
            check(f"{words[0]} without a store", code == 1 and not out and "no database yet" in err and "migrate" in err, (code, err))
        code, out, err = ctl("doctor")
        check("doctor without a store", code == 1 and "no database yet" in out, out)
        check("doctor: what ships is looked for", all(f"FAIL  no {w} in " in ctl("doctor", env={"STAGENT_SHARE_DIR": "/nowhere"})[1] for w in ("profiles", "blueprints")), out)
        code, out, err = ctl("doctor", env={"STAGENT_SHARE_DIR": str(TOP / "share")})
        check("doctor: and found", "ok    built-in profiles\nok    built-in blueprints\n" in out, out)
        check("none of them made one", not ctl.data.exists(), os.listdir(ctl.root))
        check.equal("migrate", ctl("migrate"), (0, "the database is up to date\n", ""))
        for words, said in ((["jobs"], "no jobs"), (["jobs", "all"], "no jobs"), (["approvals"], "nothing waits"), (["audit"], "no entries"),
                            (["audit", "x"], "no entries")):
            code, out, err = ctl(*words)
            check(f"{' '.join(words)}: empty, and says so aside", (code, out) == (0, "") and said in err, (code, out, err))
        code, out, err = ctl("status")
        check("status of an empty store", code == 0 and re.search(r"(?m)^runner +down: .*start.*\ntasks +none\njobs +none\ntoday ", out), out)
        check.equal("a denial of nothing", ctl("approvals", "deny", "nope"), (1, "", "stagentctl: Notification not found\n"))
        for words in (["jobs", "some"], ["status", "x"], ["migrate", "x"], ["audit", "a", "b"], ["approvals", "allow"], ["approvals", "maybe", "x"],
                      ["approvals", "allow", "x", "sometimes"], ["approvals", "deny", "x", "two", "words"], ["config", "a", "b"],
                      ["config", "set", "runs.max"], ["config", "set", "runs.max", "1", "2"], ["config", "unset"], ["config", "unset", "a", "b"]):
            code, out, err = ctl(*words)
            check(f"{' '.join(words)}: usage", code == 2 and not out and err.startswith(f"usage: stagentctl {words[0]}"), (code, out, err))
        for words in ([], ["no-such"], ["-x"]):
            code, out, err = ctl(*words)
            check(f"{words}: usage", code == 2 and not out and "usage: stagentctl" in err, (code, err))
        for words in ("-h", "--help", "help"):
            p = subprocess.run([str(build_dir() / "stagentctl"), words], capture_output=True, text=True, env=ctl.env, timeout=60)
            check(f"{words}: help", p.returncode == 0 and "config [NAME | set NAME VALUE | unset NAME]" in p.stdout, p)
        said = subprocess.run([str(build_dir() / "stagentctl"), "--version"], capture_output=True, text=True, env=ctl.env, timeout=60).stdout
        check("--version", re.fullmatch(r"stagentctl \d\S*\n", said), said)


def other_stores(check):
    """A database of another version, one of another user, and a folder that cannot be made."""
    with Ctl() as ctl:
        ctl.file.write_text("")
        ctl.data.mkdir(mode=0o700)
        with sqlite3.connect(ctl.data / "stagent.db") as db:
            db.execute("CREATE TABLE x (y)")
        for words in (["status"], ["jobs"], ["approvals"], ["audit"]):
            code, out, err = ctl(*words)
            check(f"{words[0]}: not its schema", code == 1 and not out and 'run "stagentctl migrate"' in err, (code, out, err))
        check("doctor: not its schema", "FAIL  the database's schema is not current" in ctl("doctor")[1])
        check.equal("migrate mends that", (ctl("migrate")[0], ctl("status")[0]), (0, 0))
        with sqlite3.connect(ctl.data / "stagent.db") as db:
            db.execute("INSERT INTO settings VALUES ('openai.authApiKey', 'a:b:c', 1)")
        code, out, err = ctl("doctor", env={"ANTHROPIC_API_KEY": "sk-ant-x", "OPENAI_API_KEY": "sk-x"})
        check("doctor: where keys come from", code == 1 and "ok    Anthropic key, from the environment\n" in out and
              "FAIL  the stored OpenAI key cannot be decrypted\n" in out, out)
        with Ctl() as no:
            no.data = no.file
            no.file.write_text("")
            code, out, err = no("migrate")
            check("a folder that cannot be made", code == 1 and not out and str(no.data) in err and "failed\n" not in err, (code, err))
        if os.geteuid() != 0:
            return
        for path, mode in ((ctl.root, 0o711), (ctl.etc, 0o755), (ctl.file, 0o644)):
            path.chmod(mode)
        for words in (["status"], ["jobs"], ["approvals", "deny", "x"]):
            code, out, err = ctl(*words, user="nobody")
            check(f"{words[0]}: not the owner", code == 1 and not out and "run it as the user that owns" in err, (code, out, err))
        (ctl.etc / "keys").write_text('# of the services\nrubbish\n=\nANTHROPIC_API_KEY = "sk-ant-y"\n')
        code, out, err = ctl("doctor")
        check("doctor: what the services are given", "ok    Anthropic key, from the environment\n" in out, out)
        (ctl.etc / "keys").chmod(0o600)
        code, out, err = ctl("doctor", user="nobody")
        check("doctor: what they are given cannot be seen", "keys: Permission denied" in out and "as root" in out, out)
        (ctl.etc / "keys").unlink()
        code, out, err = ctl("doctor", user="nobody")
        check("doctor: not the owner", code == 1 and all(w in out for w in ("FAIL  data folder", "FAIL  key file: Perm", "stagent.db: Perm",
            "its lock cannot be read")) and "no database yet" not in out and "does not run" not in out, out)
        os.chown(ctl.data / "stagent.db", 65534, -1)
        check("doctor: a database of somebody else", "does not belong" in ctl("doctor")[1], ctl("doctor")[1])


def shows(check):
    with Ctl() as ctl:
        ctl.file.write_text("runs.max = 3\nhttp.hosts = a b\nanthropic.key = sk-ant-fake-0123456789\n")
        code, out, _ = ctl("config")
        check("config has every option", code == 0 and out.count("\n# ") > 25 and "\nruns.max = 3\n" in out and "\nanthropic.key = ***\n" in out, out)
        (ctl.etc / "again").write_text(out)
        check.equal("and can serve as a file", ctl("config", file=ctl.etc / "again")[1], out)
        for words, env, name, want in (([], {}, "runs.max", f"the file {ctl.file}"), ([], {}, "queue.max", "the default"),
                (["-o", "runs.max=5"], {}, "runs.max", "the command line, -o"), ([], {"STAGENT_HOSTS": "c"}, "http.hosts", "the environment, STAGENT_HOSTS")):
            code, out, _ = ctl(*words, "config", name, env=env)
            check(f"{name} comes from {want}", code == 0 and re.search(r"(?m)^    from +(.*)$", out)[1] == want, out)
        got = options(ctl)
        check.equal("bounds", got["runs.max"]["bounds"], "1 to 1024")
        check.equal("default", got["runs.max"]["default"], "16")
        check.equal("words", got["log.level"]["words"], "debug info warn error")
        check("a restart", got["runs.max"]["effect"].startswith("restart stagent-jobrunner"), got["runs.max"])
        check("a reload", got["http.hosts"]["effect"].startswith("reload stagent-fcgi"), got["http.hosts"])
        check("a secret", got["anthropic.key"][""] == "anthropic.key = ***" and "/stagent/keys" in got["anthropic.key"]["set it"], got["anthropic.key"])
        for name, near in (("run.max", "runs.max"), ("runs_max", "runs.max"), ("http.host", "http.hosts"), ("level", "log.level")):
            for words in (["config", name], ["config", "set", name, "1"], ["config", "unset", name]):
                code, out, err = ctl(*words)
                check(f"{' '.join(words)}: meant is {near}", code == 2 and f"unknown option {name}; did you mean" in err and f" {near}" in err, (code, err))
        check("nothing near", '"stagentctl config" lists them' in ctl("config", "xyzzy")[2])


def other_value(o, name):
    if "bounds" in o:
        low, high = map(int, re.findall(r"\d+", o["bounds"]))
        return str(low if o["default"] != str(low) else high)
    if "words" in o:
        return o["words"].split()[-1] if o["words"].split()[-1] != o["default"] else o["words"].split()[0]
    return "/some where/#1 'x' \"y\" = z"


def every_option(check):
    """In the file that ships, each option: one line more below its comment, or another one in its place; then as it was."""
    with Ctl() as ctl:
        ctl.file.write_bytes(DEFAULTS)
        before, bad = DEFAULTS.decode().split("\n"), []
        for name, o in options(ctl).items():
            if "set it" in o:
                continue
            ctl.file.write_bytes(DEFAULTS)
            value = other_value(o, name)
            code, out, err = ctl.set(name, value)
            line, lines = f"{name} = {value}", ctl.file.read_text().split("\n")
            at = next((i for i, text in enumerate(before) if text.startswith(f"#{name} =")), None)
            own = next((i for i, text in enumerate(before) if text.startswith(f"{name} =")), None)
            want = ([*before[:own], line, *before[own + 1:]] if own is not None else
                    [*before[:at + 1], line, *before[at + 1:]] if at is not None else [*before[:-1], line, ""])
            shown = ctl("config", name)[1].split("\n")[0] if name != "data.dir" else line  # -o has another
            if code or err or lines != want or shown != line or f"{name} = {value}\n" not in out or "    effect   " not in out:
                bad.append((name, code, out, err, shown))
            code, out, err = ctl("config", "unset", name)
            if code or err or ctl.file.read_text().split("\n") != ([*before[:own], *before[own + 1:]] if own is not None else before):
                bad.append((name, "unset", code, out, err))
        check("every option can be set and unset in the file that ships", not bad, bad)


def refusals(check):
    with Ctl() as ctl:
        ctl.file.write_bytes(DEFAULTS)
        state = lambda: (ctl.file.stat().st_ino, ctl.file.stat().st_mtime_ns, ctl.file.read_bytes())
        was = state()
        for name, value, words in (("runs.max", "0", "from 1 to 1024"), ("runs.max", "1025", "from 1 to 1024"), ("runs.max", "", "empty"),
                ("runs.max", "4 ", "blanks"), ("runs.max", "0x4", "whole number"), ("log.level", "loud", "debug info warn error"),
                ("http.hosts", "", "empty"), ("http.hosts", "a\nruns.max = 1", "one line"), ("http.hosts", "a\rb", "one line"),
                ("http.hosts", "a\x1b[2J", "control"), ("ollama.url", " http://a", "blanks"), ("ollama.url", "http://a\t", "blanks"),
                ("ollama.url", "x" * 4096, "too long")):
            code, out, err = ctl.set(name, value)
            check(f"{name} = {value[:20]!r} is refused", code == 2 and not out and words in err, (code, out, err[:300]))
        for name in ("anthropic.key", "openai.key"):
            code, out, err = ctl.set(name, "sk-QqZq")
            check(f"{name} is refused in words", code == 2 and "secret" in err and "/stagent/keys" in err and "QqZq" not in out + err, err)
        for path, words in (("/dev/null", "not a file"), (str(ctl.etc), "not a file"), (f"{ctl.root}/none/x.conf", "folder"), (f"{ctl.root}/none/", "not the name")):
            code, out, err = ctl.set("runs.max", "4", file=path)
            check(f"{path} is refused", code == 1 and not out and words in err, (code, err))
        check("nothing was written", state() == was and was[2] == DEFAULTS and not (ctl.root / "none").exists() and ctl.is_clean())
        code, out, err = ctl("config", "unset", "runs.max")
        check("what is not set needs no unset", (code, err) == (0, "") and "not set there" in out and state() == was, (code, out, err))
        ctl.set("ollama.url", "h" * 4000)
        check.equal("a long line is read back", ctl("config", "ollama.url")[1].split("\n")[0], "ollama.url = " + "h" * 4000)
        ctl.file.write_bytes(b"a\0b")
        check("bytes that are no text", "not a text" in ctl.set("runs.max", "4")[2] and ctl.file.read_bytes() == b"a\0b")
        ctl.file.write_bytes(b"#" * (1 << 20) + b"\n")
        code, _, err = ctl.set("runs.max", "4")
        check("a file that is too large", code == 1 and "larger than" in err and ctl.file.stat().st_size == (1 << 20) + 1, err)


def files(check):
    with Ctl() as ctl:
        code, out, err = ctl.set("runs.max", "4")
        text = ctl.file.read_text()
        check("a new file", (code, err) == (0, "") and "(new)" in out and text.startswith("# ") and text.endswith("\nruns.max = 4\n"), (code, out, err, text))
        check.equal("its mode", stat.S_IMODE(ctl.file.stat().st_mode), 0o640)
        code, out, _ = ctl.set("runs.max", "4")
        check("the same again writes nothing", code == 0 and "so already" in out and ctl.file.read_text() == text, out)
        for mode in (0o600, 0o664, 0o444):
            ctl.file.chmod(mode)
            owner = (33, 4) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
            os.chown(ctl.file, *owner)
            code, _, err = ctl.set("runs.max", str(mode))
            st = ctl.file.stat()
            check(f"mode {mode:o} and owner stay", code == 0 and (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == (mode, *owner), (code, err, st))
        ctl.file.chmod(0o640)
        entry = lambda tag, perm, who=0xffffffff: struct.pack("<HHI", tag, perm, who)
        acl = struct.pack("<I", 2) + entry(1, 6) + entry(2, 4, 33) + entry(4, 4) + entry(16, 4) + entry(32, 0)
        try:
            os.setxattr(ctl.file, ACL, acl)
        except OSError as e:
            print(f"wait an access list, which this file system does not take: {e}")
        else:
            ctl.set("runs.max", "5")
            check.equal("the access list stays", os.getxattr(ctl.file, ACL), acl)

        other = ctl.root / "elsewhere"
        other.mkdir()
        (other / "real.conf").write_text("runs.max = 1\n")
        link, dangling = ctl.etc / "link.conf", ctl.etc / "dangling.conf"
        link.symlink_to("../elsewhere/real.conf")
        dangling.symlink_to("nowhere.conf")
        code, out, _ = ctl.set("runs.max", "6", file=link)
        check("a link is followed", code == 0 and link.is_symlink() and (other / "real.conf").read_text() == "runs.max = 6\n" and str(other) in out, out)
        code, _, err = ctl.set("runs.max", "6", file=dangling)
        check("a link to nowhere is refused", code == 1 and "link" in err and not (ctl.etc / "nowhere.conf").exists(), err)
        check.equal("a name without a folder", ctl.set("runs.max", "8", file="real.conf", cwd=other)[0], 0)
        check.equal("is in the current one", (other / "real.conf").read_text(), "runs.max = 8\n")
        check("nothing is left beside them", ctl.is_clean() and ctl.is_clean(other), os.listdir(ctl.etc))

        (ctl.etc / ".stagent.conf.new").write_text("left by one that was killed, and much longer than the file" * 100)
        check.equal("what a killed one has left is no hindrance", ctl.set("runs.max", "9")[0], 0)
        check("and gone", ctl.is_clean() and "runs.max = 9\n" in ctl.file.read_text() and "killed" not in ctl.file.read_text())
        victim = ctl.root / "victim"
        victim.write_text("mine")
        (ctl.etc / ".stagent.conf.new").symlink_to(victim)
        code, _, err = ctl.set("runs.max", "10")
        check("a link in its place is not followed", code == 1 and victim.read_text() == "mine" and "runs.max = 9\n" in ctl.file.read_text(), err)


def mends(check):
    with Ctl() as ctl:
        ctl.file.write_text("# mine\nruns.max = 0\nno.such = 1\nruns.max = none\n")
        check.equal("a wrong file", ctl("status")[0], 2)
        code, out, err = ctl.set("runs.max", "4")
        check("is mended step by step", code == 2 and "runs.max = 4" in out and "no.such" in err, (code, out, err))
        check.equal("unset takes away what does not exist", ctl("config", "unset", "no.such"), (0, f"{ctl.file}: no.such is no longer set\n", ""))
        check.equal("and now it is right", (ctl.file.read_text(), ctl("config", "runs.max")[0]), ("# mine\nruns.max = 4\n", 0))
        ctl.file.write_text("anthropic.key = sk-ant-fake-0123456789\n")
        code, out, err = ctl("config", "unset", "anthropic.key")
        check("a key can be taken out", code == 0 and ctl.file.read_text() == "" and "fake" not in out + err, (code, out, err))
        code, out, _ = ctl.set("http.hosts", "a", env={"STAGENT_HOSTS": "b"})
        check("what is stronger is named", code == 0 and "STAGENT_HOSTS" in out and "stronger" in out, out)


def at_once(check):
    """Two dozen at a time: every one's line is there at the end, and whoever reads meanwhile reads a whole file."""
    with Ctl() as ctl:
        ctl.file.write_bytes(DEFAULTS)
        names = [n for n, o in options(ctl).items() if "bounds" in o]
        want = {n: other_value(o, n) for n, o in options(ctl).items() if n in names}
        ends, whole, done = [], [], threading.Event()

        def look():
            while not done.is_set():
                text = ctl.file.read_bytes()
                whole.append(text.startswith(DEFAULTS[:40]) and text.endswith(DEFAULTS[-40:]))
        watcher = threading.Thread(target=look)
        watcher.start()
        for i in range(3):
            ends += [subprocess.Popen(ctl.argv("config", "set", n, want[n] if i == 2 else str(int(want[n]) or 1)), env=ctl.env, stdout=subprocess.DEVNULL) for n in names]
            check.equal(f"{len(names)} at once, round {i}", {p.wait(60) for p in ends}, {0})
        done.set()
        watcher.join()
        check("readers saw whole files", whole and all(whole), (len(whole), whole.count(False)))
        text = ctl.file.read_text()
        check.equal("every value is there, once", {n: re.findall(rf"(?m)^{re.escape(n)} = (.*)$", text) for n in names}, {n: [want[n]] for n in names})
        check.equal("and all else", [line for line in text.split("\n") if line.split(" = ")[0] not in names], DEFAULTS.decode().split("\n"))
        check("nothing is left beside it", ctl.is_clean())


def no_room(check):
    """Writing fails half-way: by a limit of the size of files, and, as root, on a file system that is full."""
    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
    with Ctl() as ctl:
        ctl.file.write_bytes(DEFAULTS)
        code, out, err = ctl.set("runs.max", "4", preexec_fn=small, restore_signals=False)
        check("a write that fails", code == 1 and not out and "is unchanged: File too large" in err, (code, err))
        check("leaves the old file and nothing else", ctl.file.read_bytes() == DEFAULTS and ctl.is_clean())
        mount = ctl.root / "small"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount], capture_output=True).returncode:
            print("wait a full file system, which only root can mount")
            return
        try:
            full = mount / "stagent.conf"
            full.write_bytes(DEFAULTS)
            with open(mount / "ballast", "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 1024)
                except OSError:
                    pass
            code, out, err = ctl.set("runs.max", "4", file=full)
            check("a full disk", code == 1 and "No space left" in err, (code, err))
            check("leaves the old file and nothing else", full.read_bytes() == DEFAULTS and ctl.is_clean(mount), os.listdir(mount))
            os.unlink(mount / "ballast")
            check.equal("with room again", (ctl.set("runs.max", "4", file=full)[0], b"\nruns.max = 4\n" in full.read_bytes()), (0, True))
        finally:
            subprocess.run(["umount", mount])


class Configured(Stack):
    """A stack whose programs read a file, as an installed one."""

    def _options(self):
        file = self.root / "stagent.conf"
        if not file.exists():
            file.write_bytes(re.sub(rb"(?m)^(data|run)\.dir = .*\n", b"", DEFAULTS) + b"runs.max = 5\n")
        return ["-c", str(file), *super()._options()]


def live(check):
    with Configured() as s:
        def ctl(*words):
            p = subprocess.run([str(s.build / "stagentctl"), *s._options(), *words], capture_output=True, text=True, timeout=60, env=s.environment())
            return p.returncode, p.stdout, p.stderr
        post = lambda: s.api("POST", "/api/tasks", {"title": "x", "description": "d" * 1500})[0]
        check.equal("a body of 1.5 kB", post(), 201)
        code, out, err = ctl("config", "set", "http.body_max", "1024")
        check("set", code == 0 and "reload stagent-fcgi" in out, (code, out, err))
        check.equal("not yet in force", post(), 201)
        s.kill(s.proc["master"].pid, signal.SIGHUP)
        check.equal("in force after a reload", s.until(post, lambda x: x == 413, 20), 413)
        ctl("config", "unset", "http.body_max")
        rows = s.rows("SELECT actor, op, subject_type, subject, detail FROM audit WHERE op LIKE 'config.%' ORDER BY id")
        check.equal("the audit has both", [tuple(r.values()) for r in rows],
            [("ctl", "config.set", "option", "http.body_max", "1024"), ("ctl", "config.unset", "option", "http.body_max", None)])
        check("and shows them", "config.set" in ctl("audit", "http.body_max")[1])

        for url, end in (("http://127.0.0.1:1", "failed"), (s.fake, "completed")):
            ctl("config", "set", "ollama.url", url)
            check.equal(f"the next run reads the file: {end}", s.wait_task(s.start_task("o", "[[say hello]]", assignedAgent="ollama"))["status"], end)

        check("status: the runner is at work", re.match(r"runner +at work\n", ctl("status")[1]), ctl("status"))
        s.stop(["supervisor"])
        evil = s.ok("POST", "/api/tasks", {"title": "evil\x1b[2J\u009b2Jend", "assignedAgent": "anthropic-direct", "description": "[[say hello]]"})["id"]
        s.ok("PATCH", f"/api/tasks/{evil}", {"status": "queued"})
        s.ok("POST", f"/api/tasks/{evil}/execute")
        text = ctl("status")[1]
        check("status: the runner is down, and what waits", re.match(r"runner +down: .*\ntasks .* running 1\njobs .* ready 1\n", text), text)
        check("jobs: it waits", evil in ctl("jobs")[1], ctl("jobs"))
        code, out, err = ctl("doctor")
        check("doctor: it is down", code == 1 and "FAIL  the job runner does not run" in out, out)
        ctl("config", "set", "runs.max", "6")
        s.start_runner()
        check("a restart takes the other option on", s.until(lambda: s.log("supervisor"), lambda t: "at most 6 runs" in t, 20))
        check.equal("and the task", s.wait_task(evil)["status"], "completed")

        ask = s.start_task("ask\x1b[31m\u009bred", '[[tool create_task {"title": "a\\u001b[2Jb"}]] [[say done]]')
        n = s.wait_request(ask)
        check("a request waits", n, s.api("GET", "/api/tasks")[1])
        for words in (["approvals"], ["status"], ["jobs", "all"], ["audit"]):
            code, out, err = ctl(*words)
            check(f"{words[0]}: nothing moves the cursor", code == 0 and out and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out), repr(out))
        check("approvals has the request", n and n["notificationId"] in ctl("approvals")[1] and "ask [31m" in ctl("approvals")[1], ctl("approvals"))
        check.equal("and allows it", ctl("approvals", "allow", n["notificationId"])[:2], (0, "allowed\n"))
        check.equal("it goes on", s.wait_task(ask)["status"], "completed")
        note = s.rows("SELECT id FROM notifications WHERE type = 'task_completed'")[0]["id"]
        check.equal("a notification that asks for nothing", ctl("approvals", "allow", note),
            (1, "", f"stagentctl: {note} asks for nothing: it is of the type task_completed\n"))


def test(check):
    for part in (without_store, other_stores, shows, every_option, refusals, files, mends, at_once, no_room, live):
        part(check)


if __name__ == "__main__":
    main(test)
