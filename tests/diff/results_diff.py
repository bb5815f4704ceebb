#!/usr/bin/python3
"""Hostile values in mail and envelope; Authentication-Results as python3-authres reads it must say what
the JSON says: the same methods, the same results, nothing more.

usage: results_diff.py ASSAY FOLDER SEED COUNT
"""

import json
import os
import random
import subprocess
import sys

import authres
import authres.arc
import authres.dmarc
from authres import AuthenticationResultsHeader

from peers import NOW, Differences

OCTETS = b"ab.@<>\"\\()[];: \t=-_%,/*'`\x01\xc3\xa9pass"
BODY_HASH = b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
EACH = 25  # messages to one envelope


def junk(r, most):
    words = [b"; spf=pass", b"dkim=pass", b"\r\n ", b"(", b'"']
    return b"".join(r.choice(words) if r.random() < 0.05 else bytes([r.choice(OCTETS)]) for _ in range(r.randint(0, most)))


def message(r):
    mail = b"From: " + r.choice([b"a@x.test", junk(r, 40)]) + b"\r\n"
    for _ in range(r.randint(0, 3)):
        tags = (r.choice([b"rsa-sha256", junk(r, 10)]), r.choice([b"x.test", junk(r, 20)]), r.choice([b"s", junk(r, 20)]),
                r.choice([b"@x.test", junk(r, 20) + b"@x.test"]), BODY_HASH, r.choice([b"AAAA", junk(r, 20)]))
        mail = b"DKIM-Signature: v=1; a=%s; d=%s; s=%s; i=%s; h=from; bh=%s; b=%s\r\n" % tags + mail
    return mail + b"\r\nx\r\n"


def expected(verdict):
    words = [("spf", verdict["spf"]["result"]), ("arc", verdict["arc"]["result"]), ("dmarc", verdict["dmarc"]["result"])]
    return sorted(words + [("dkim", d["result"]) for d in verdict["dkim"] or [{"result": "none"}]])


def read(text):
    try:
        header = AuthenticationResultsHeader.parse("Authentication-Results: " + text)
    except authres.core.SyntaxError as error:
        return "no syntax: %s" % error
    return sorted((result.method, result.result) for result in header.results)


def main():
    assay, folder, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    os.makedirs(folder, exist_ok=True)
    r = random.Random(seed)
    table = Differences("results")
    for _ in range(0, count, EACH):
        paths = []
        for i in range(EACH):
            paths.append(os.path.join(folder, "%02d.eml" % i))
            with open(paths[-1], "wb") as out:
                out.write(message(r))
        sender = r.choice([junk(r, 30) + b"@x.test", junk(r, 30)])
        command = [assay, "check", "--json", "--dns", "/dev/null", "--now", str(NOW), "--authserv-id", "mx.example.net", "--ip", "192.0.2.1",
                   "--helo", junk(r, 20), "--mail-from", sender]
        run = subprocess.run(command + paths, stdout=subprocess.PIPE, check=True)
        for line in run.stdout.splitlines():
            verdict = json.loads(line)
            text = verdict["authentication_results"]
            want, got = expected(verdict), read(text)
            if verdict["arc"]["result"] == "none" and got != want:
                want = [word for word in want if word[0] != "arc"]
            table.compare("authres", got == want, [], str(got), str(want), text[:300])
    return table.report()


if __name__ == "__main__":
    sys.exit(main())
