"""The command-line agents that tests run, installed from npm at pinned versions.

	paths = programs.installed()        # {"claude": path, "codex": path}

They go to build-npm/ beside the sources, which git ignores and later runs use again; a lock lets one stage install while the
others wait. Without a registry, and without an earlier installation, `installed` raises Missing with npm's words.
"""
import contextlib, fcntl, json, os, shutil, subprocess, sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "build-npm"
PACKAGES = {  # program: package, version
    "claude": ("@anthropic-ai/claude-code", "2.1.197"),
    "codex": ("@openai/codex", "0.169.0"),
}
INSTALL_S, VERSION_S = 300, 60


class Missing(Exception):
    pass


def path_of(name):
    return FOLDER / "node_modules" / ".bin" / name


def version_of(name):
    """The version of what is installed, '' where there is nothing."""
    package, _ = PACKAGES[name]
    try:
        return json.loads((FOLDER / "node_modules" / package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return ""


def complete():
    return all(version_of(n) == v and path_of(n).exists() for n, (_, v) in PACKAGES.items())


def runs(name):
    """Why the program does not run, '' if it does. A home of its own keeps it from the user's files."""
    home = FOLDER / "home"
    home.mkdir(exist_ok=True)
    p = subprocess.run([path_of(name), "--version"], capture_output=True, text=True, timeout=VERSION_S, stdin=subprocess.DEVNULL,
                       env={"PATH": os.environ["PATH"], "HOME": str(home), "DISABLE_AUTOUPDATER": "1"})
    if p.returncode or PACKAGES[name][1] not in p.stdout:
        return f"{name} --version: exit status {p.returncode}, {(p.stdout + p.stderr)[-500:]}"
    return ""


@contextlib.contextmanager
def locked():
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / "lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def install():
    if not shutil.which("npm"):
        raise Missing("npm not found")
    if not (FOLDER / "package.json").exists():
        (FOLDER / "package.json").write_text('{"private": true}\n')
    wanted = [f"{package}@{version}" for package, version in PACKAGES.values()]
    p = subprocess.run(["npm", "i", "--prefix", FOLDER, "--no-audit", "--no-fund", "--save-exact", *wanted], capture_output=True,
                       text=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)
    if p.returncode or not complete():
        raise Missing(f"npm i: exit status {p.returncode}\n{(p.stdout + p.stderr)[-2000:]}")
    for name in PACKAGES:
        if why := runs(name):
            raise Missing(why)


def installed():
    """{"claude": path, "codex": path} as texts, installing what is not there."""
    with locked():
        if not complete():
            install()
    return {n: str(path_of(n)) for n in PACKAGES}


if __name__ == "__main__":
    try:
        print(json.dumps(installed()))
    except (Missing, subprocess.TimeoutExpired) as e:
        sys.exit(f"programs.py: {e}")
