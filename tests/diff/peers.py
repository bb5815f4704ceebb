"""What the differential tests share: keys, the zone, the peers behind pipes, the table of differences."""

import base64
import csv
import hashlib
import json
import os
import random
import subprocess
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "sig.example"
NOW = 1792972800  # all of the tests happen then: the same seed gives the same octets
RAW = serialization.Encoding.Raw


def quoted(text):
    """A TXT record of a zone file."""
    data = text.encode("latin-1")
    strings = [data[i : i + 200] for i in range(0, len(data), 200)] or [b""]
    out = []
    for string in strings:
        out.append('"' + "".join(chr(c) if 0x20 <= c < 0x7F and c not in b'"\\' else "\\%03d" % c for c in string) + '"')
    return " ".join(out)


def prime(r, bits):
    """The next prime of a random number; the two top bits are set. For tests: anybody can make it again."""
    small = [p for p in range(3, 2000) if all(p % q for q in range(2, int(p**0.5) + 1))]
    n = r.getrandbits(bits) | 3 << bits - 2 | 1
    while any(n % p == 0 for p in small) or pow(3, n - 1, n) != 1 or (n - 1) % 65537 == 0:
        n += 2
    return n


def rsa_key(r, bits):
    p, q = prime(r, bits // 2), prime(r, bits // 2)
    d = pow(65537, -1, (p - 1) * (q - 1))
    parts = (p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return rsa.RSAPrivateNumbers(*parts, rsa.RSAPublicNumbers(65537, p * q)).private_key()


class Key:
    """A private key with what each signer wants of it; made from the selector, so always the same."""

    def __init__(self, folder, selector, kind, bits=0, note=""):
        self.selector, self.kind = selector, kind
        if kind == "rsa":
            self.key = rsa_key(random.Random(selector), bits)
            public = self.key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            style = serialization.PrivateFormat.TraditionalOpenSSL
        else:
            self.key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(selector.encode()).digest())
            public = self.key.public_key().public_bytes(RAW, serialization.PublicFormat.Raw)
            style = serialization.PrivateFormat.PKCS8
            seed = self.key.private_bytes(RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption())
            self.seed = base64.b64encode(seed)
        self.pem = self.key.private_bytes(serialization.Encoding.PEM, style, serialization.NoEncryption())
        self.path = os.path.join(folder, selector + ".pem")
        with open(self.path, "wb") as out:
            out.write(self.pem)
        self.record = "v=DKIM1; k=%s; %sp=%s" % (kind, note, base64.b64encode(public).decode())
        self.algorithm = "rsa-sha256" if kind == "rsa" else "ed25519-sha256"


class MailDkim:
    """Mail::DKIM, see mail_dkim.pl."""

    def __init__(self, zone):
        self.pipe = subprocess.Popen(
            ["perl", os.path.join(HERE, "mail_dkim.pl")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.ask({"zone": zone, "now": NOW})

    def ask(self, question):
        self.pipe.stdin.write(json.dumps(question).encode() + b"\n")
        self.pipe.stdin.flush()
        return json.loads(self.pipe.stdout.readline().decode("latin-1"))

    def verify(self, mail):
        return self.ask({"verify": base64.b64encode(mail).decode()})

    def arc(self, mail):
        return self.ask({"arc": base64.b64encode(mail).decode()})

    def sign(self, mail, key, domain, method, headers):
        answer = self.ask({"sign": base64.b64encode(mail).decode(), "domain": domain, "selector": key.selector,
                           "method": method, "key": key.path, "headers": headers})
        return base64.b64decode(answer["field"]) if "field" in answer else None

    def close(self):
        self.pipe.stdin.close()
        self.pipe.wait()


class Signer:
    """The engine's signer, see signer.c."""

    def __init__(self, path):
        self.pipe = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def field(self, mail, *words):
        line = "\t".join(list(words) + [str(len(mail))]) + "\n"
        self.pipe.stdin.write(line.encode() + mail)
        self.pipe.stdin.flush()
        return self.pipe.stdout.read(int(self.pipe.stdout.readline()))

    def close(self):
        self.pipe.stdin.close()
        self.pipe.wait()


def judge(assay, zone, files, options=()):
    """`assay check --json` over files; the objects by file."""
    verdicts = {}
    for at in range(0, len(files), 200):
        some = files[at : at + 200]
        run = subprocess.run(
            [assay, "check", "--json", "--dns", zone, "--now", str(NOW), "--authserv-id", "mx.example.net", *options, *some],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if run.returncode not in (0, 65):
            sys.exit("assay check ended with %d: %s" % (run.returncode, run.stderr.decode("utf-8", "replace")))
        for line in run.stdout.splitlines():
            verdict = json.loads(line)
            verdicts[verdict["file"]] = verdict
    return verdicts


class Differences:
    """differences.tsv: suite, peer, features (joined by +), peer says, we say, why. "*" stands for anything."""

    def __init__(self, suite):
        self.suite, self.cases, self.agreed, self.listed, self.open = suite, {}, {}, {}, []
        with open(os.path.join(HERE, "differences.tsv"), newline="") as table:
            rows = csv.reader((l for l in table if not l.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
            self.rows = [row for row in rows if row and row[0] == suite]

    def explained(self, peer, features, says, we):
        for row in self.rows:
            fits = set(row[2].split("+")) <= features
            if row[1] == peer and fits and row[3] in (says, "*") and row[4] in (we, "*"):
                return row
        return None

    def compare(self, peer, same, features, says, we, note):
        """`same`: both agree. `features`: words of this case; `note` is printed where nothing explains it."""
        self.cases[peer] = self.cases.get(peer, 0) + 1
        if same:
            self.agreed[peer] = self.agreed.get(peer, 0) + 1
            return
        row = self.explained(peer, set(features) | {"*"}, says, we)
        if row:
            self.listed.setdefault(peer, {}).setdefault(tuple(row), 0)
            self.listed[peer][tuple(row)] += 1
            return
        self.open.append((peer, sorted(features), says, we, note))

    def report(self):
        for peer in sorted(self.cases):
            listed = sum(self.listed.get(peer, {}).values())
            print("suite diff-%s/%s: %d compared, %d agree, %d differ (listed)"
                  % (self.suite, peer, self.cases[peer], self.agreed.get(peer, 0), listed))
        if os.environ.get("DIFF_VERBOSE"):
            for peer in self.listed:
                for row, n in sorted(self.listed[peer].items(), key=lambda item: -item[1]):
                    print("  %6d  %s" % (n, "  ".join(row[1:])))
        for peer, features, says, we, note in self.open[:int(os.environ.get("DIFF_SHOW", "40"))]:
            print("NOT LISTED %s: %s says %s, we say %s [%s] %s" % (self.suite, peer, says, we, " ".join(features), note))
        if len(self.open) > 40 and not os.environ.get("DIFF_SHOW"):
            print("... and %d more" % (len(self.open) - 40))
        return 1 if self.open else 0
