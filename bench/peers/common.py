"""What the peers' drivers share: the set that assay-bench wrote, a name server with its zone, CPU times, the one line of
JSON that comes out.

A driver is called as  PEER FOLDER SECONDS.  FOLDER holds NNNN.eml, zone.txt, and index.tsv with one line a message:
file, MAIL FROM, result of DKIM that is right. It prints one JSON object; where the peer is not installed or cannot run here,
{"skipped": "why"}.
"""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CLIENT, HELO, RECIPIENT = "192.0.2.25", "mail.sender.example", "ada@receiver.example"
PR_SET_PDEATHSIG = 1


def skip(why):
    print(json.dumps({"skipped": why}))
    sys.exit(0)


def need(program, package):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return path or skip(f"{program} is not installed (Debian package {package})")


class Message:
    def __init__(self, folder, line):
        name, self.mail_from, self.dkim = line.rstrip("\n").split("\t")
        with open(os.path.join(folder, name), "rb") as file:
            self.text = file.read()
        header, self.body = self.text.split(b"\r\n\r\n", 1)
        self.fields = [f.split(b":", 1) for f in re.split(rb"\r\n(?![ \t])", header)]


def read_set(folder):
    with open(os.path.join(folder, "index.tsv"), encoding="ascii") as file:
        return [Message(folder, line) for line in file]


def read_zone(folder):
    """{(name, type): [rdata text]}; TXT strings joined."""
    zone = {}
    with open(os.path.join(folder, "zone.txt"), encoding="ascii") as file:
        for line in file:
            name, _ttl, _class, kind, rdata = line.rstrip("\n").split(None, 4)
            if kind == "TXT":
                rdata = "".join(re.findall(r'"([^"]*)"', rdata))
            zone.setdefault((name.rstrip(".").lower(), kind), []).append(rdata)
    return zone


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def temporary():
    folder = tempfile.mkdtemp(prefix="assay-bench-")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, True)
    return folder


def die_with_parent():
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(argv, log, env=None):
    """A server of ours: it ends when we do."""
    child = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, preexec_fn=die_with_parent
    )

    def stop():
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()

    atexit.register(stop)
    return child


def wait_for(port, child, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child.poll() is not None:
            skip(f"{what} ended with status {child.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    skip(f"{what} does not answer")


def start_nsd(folder, set_folder):
    """nsd with the zone at a free port of loopback; no rate limit, which would be measured instead."""
    program, port = need("nsd", "nsd"), free_port()
    with open(os.path.join(set_folder, "zone.txt"), encoding="ascii") as file:
        zone = file.read()
    with open(os.path.join(folder, "zone"), "w", encoding="ascii") as file:
        file.write("example. 3600 IN SOA ns.example. admin.example. 1 3600 600 86400 3600\nexample. 3600 IN NS ns.example.\n")
        file.write("ns.example. 3600 IN A 127.0.0.1\n" + zone)
    with open(os.path.join(folder, "nsd.conf"), "w", encoding="ascii") as file:
        file.write(
            f"""server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example
  zonefile: zone
"""
        )
    log = open(os.path.join(folder, "nsd.log"), "wb")
    child = start([program, "-d", "-c", os.path.join(folder, "nsd.conf")], log)
    wait_for(port, child, 10, "nsd")
    return port


def cpu_of(pids):
    """Seconds of CPU that these processes have used, all their threads."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            parts = file.read().rsplit(")", 1)[1].split()
        total += int(parts[11]) + int(parts[12])
    return total / os.sysconf("SC_CLK_TCK")


def run(name, version, messages, judge, seconds, cpu):
    """Judges in turn for that long, the first pass over a few not counted; `cpu()` gives the peer's seconds."""
    for message in messages[:8]:
        judge(message)
    wrong = judged = 0
    begin_cpu, begin = cpu(), time.monotonic()
    while time.monotonic() - begin < seconds:
        message = messages[judged % len(messages)]
        wrong += judge(message) != (message.dkim == "pass")
        judged += 1
    used, took = cpu() - begin_cpu, time.monotonic() - begin
    print(
        json.dumps(
            {
                "name": name,
                "version": version,
                "messages": judged,
                "wrong": wrong,
                "cpu_us_per_message": round(1e6 * used / judged, 1),
                "messages_per_s": round(judged / took, 1),
            }
        )
    )
