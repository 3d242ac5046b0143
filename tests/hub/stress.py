#!/usr/bin/env python3
"""Figures of the stream hub alone: memory, fan-out time, processor time with many streams.

	STAGENT_BUILD=build tests/hub/stress.py [streams, default 10000]

Fan-out is the time from the commit to the moment when the last stream has something to read, as epoll reports it; the
measuring process runs on another core than the hub or shares one with it, as the machine has it. Fails where the hub has
more than 32 MiB resident at 10,000 streams, or a stream costs more than 1 KiB.
"""
import os, resource, select, statistics, sys, time
from fcgihub import APPROVALS, Checks, Hub, Stream

N = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
ok = Checks()


def fan_out(streams, act, timeout=30):
    """Milliseconds until each of STREAMS is readable after ACT; None where one was not."""
    ep, left = select.epoll(), len(streams)
    for s in streams:
        ep.register(s.sock, select.EPOLLIN | select.EPOLLET)
    while ep.poll(0, N):  # what is there already
        pass
    began = act()
    seen, end = set(), began + timeout
    while len(seen) < left and time.perf_counter() < end:
        seen.update(fd for fd, _ in ep.poll(0.5, N))
    took = (time.perf_counter() - began) * 1000
    ep.close()
    return took if len(seen) == left else None


def write(h, *args, **kw):
    def act():
        h.log(*args, **kw)
        return time.perf_counter()
    return act


def drain(streams):
    for s in streams:
        try:
            while len(s.sock.recv(1 << 20)) == 1 << 20:
                pass
        except BlockingIOError:
            pass


def many(h, make):
    before, began = h.rss(), time.perf_counter()
    streams = [make(i) for i in range(N)]
    sent = time.perf_counter() - began
    for s in streams:
        if not s.wait(lambda x: b"\r\n\r\n" in x.text, 30):
            ok("every stream opens", False)
            sys.exit(1)
    time.sleep(0.3)
    rss = h.rss()
    print(f"     {N} opened in {time.perf_counter() - began:.2f} s (tickets sent in {sent:.2f} s); resident {rss} KiB, "
          f"{(rss - before) * 1024 / N:.0f} bytes a stream")
    return streams, rss, (rss - before) * 1024 / N


def close(h, streams):
    began, cpu = time.perf_counter(), h.cpu()
    for s in streams:
        s.close()
    while h.cpu() - cpu > 0 and time.perf_counter() - began < 5:
        cpu = h.cpu()
        time.sleep(0.1)
    print(f"     closed; resident {h.rss()} KiB")


def times(name, streams, act, rounds=5):
    got = []
    for _ in range(rounds):
        got.append(fan_out(streams, act))
        drain(streams)
    if not ok(f"{name}: everyone gets it", None not in got):
        return
    print(f"     {name}: median {statistics.median(got):.1f} ms, worst {max(got):.1f} ms")


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Hub({"streams.max": 100000}) as h:
        print(f"hub alone: resident {h.rss()} KiB")
        print(f"--- {N} streams of everything")
        streams, rss, each = many(h, lambda i: Stream(h))
        ok("less than 32 MiB", rss < 32 * 1024, rss)
        ok("less than 1 KiB a stream", each < 1024, each)
        times("one row to all", streams, write(h, "t"))
        times("100 rows in one transaction to all", streams, write(h, "t", n=100), 3)
        cpu = h.cpu()
        time.sleep(16)
        print(f"     idle, with a keep-alive for all: {(h.cpu() - cpu) / 16 * 100:.2f} % of a core")
        drain(streams)
        close(h, streams)
        print(f"--- {N} streams of a task each")
        streams, rss, each = many(h, lambda i: Stream(h, task=f"00000000-0000-4000-8000-{i:012d}"))
        ok("less than 32 MiB", rss < 32 * 1024, rss)
        times("one row to one of them", streams[77:78], write(h, "00000000-0000-4000-8000-000000000077"))
        cpu = h.cpu()
        for i in range(2000):
            h.log(f"00000000-0000-4000-8000-{i * 5 % N:012d}")
        print(f"     2,000 rows, each to one stream: {(h.cpu() - cpu) * 1e6 / 2000:.0f} us of processor time a row")
        drain(streams)
        close(h, streams)
        print(f"--- {N} streams, half of them never read, while 4 MB are written")
        streams, _, _ = many(h, lambda i: Stream(h, after=1 << 40))
        payload, worst, began = "x" * 1000, 0, time.perf_counter()
        for _ in range(40):
            h.log("t", n=100, payload=payload)
            drain(streams[:N // 2])
            worst = max(worst, h.rss())
        while h.cpu() != cpu and time.perf_counter() - began < 60:
            cpu = h.cpu()
            for _ in range(5):
                drain(streams[:N // 2])
                time.sleep(0.05)
            worst = max(worst, h.rss())
        print(f"     worst resident size {worst} KiB, {time.perf_counter() - began:.1f} s")
        ok("less than 32 MiB", worst < 32 * 1024, worst)
        probe = Stream(h, after=1 << 40)
        probe.wait(lambda x: b"\r\n\r\n" in x.text)
        h.log("probe")
        ok("the hub is not held up", probe.wait(lambda x: len(x.ids()) == 1, 2))
        close(h, streams)
        print(f"--- the end of {N} streams")
        streams, _, _ = many(h, lambda i: Stream(h, APPROVALS))
        status, took = h.stop()
        ok("within 2 s", status == 0 and took < 2, (status, took))
        print(f"     {took:.2f} s")
    ok.done()


main()
