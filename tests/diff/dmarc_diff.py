#!/usr/bin/python3
"""Random DMARC records on random levels, judged by assay and by a slow reading of RFC 9989.

There is no other verifier of RFC 9989 in Debian, so the reference stands here, written from the
procedures of sections 4.7 to 4.10.2 alone. Where the DNS fails the reference tries all that the failed
names might hold: assay may say temperror, or what all of them lead to, and never anything else.

usage: dmarc_diff.py DIFF_DMARC SEED COUNT
"""

import itertools
import random
import re
import subprocess
import sys

from peers import Differences, quoted

POLICIES = ("none", "quarantine", "reject")
FAILED = object()


def parse(text):
    """Tags of a record (4.8), or None. Of a tag that stands twice the first counts."""
    if not re.match(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|\Z)", text):
        return None
    tags = {}
    for spec in text.split(";"):
        m = re.fullmatch(r"[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*?)[ \t]*", spec)
        if m and re.fullmatch(r"[\x20-\x7e\t]*", m[2]) and m[1].lower() not in tags:
            tags[m[1].lower()] = m[2]
    return tags


def psd(tags):
    value = tags.get("psd", "u").lower()
    return value if value in "yn" and value else "u"


def record_at(zone, name):
    texts = zone.get("_dmarc." + name)
    if texts is FAILED:
        return FAILED
    records = [r for r in (parse(t) for t in texts or []) if r is not None]
    return records[0] if len(records) == 1 else None


def levels(start):
    """4.10: the start, then one label less each; of more than eight labels go on with seven."""
    labels = start.split(".")
    n = len(labels)
    yield start
    for left in range(n - 1 if n <= 8 else 7, 0, -1):
        yield ".".join(labels[n - left :])


def walk(zone, start):
    found = []
    for name in levels(start):
        tags = record_at(zone, name)
        if tags is not None:
            found.append((name, tags))
            if psd(tags) != "u":
                break
    return found


def org(zone, start):
    """4.10.2."""
    found = walk(zone, start)
    for name, tags in found:
        if psd(tags) == "n":
            return name
        if psd(tags) == "y" and name != start:
            labels = start.split(".")
            return ".".join(labels[len(labels) - name.count(".") - 2 :])
    return found[-1][0] if found else start


def usable_rua(tags):
    for uri in tags.get("rua", "").split(","):
        if re.fullmatch(r"mailto:[^@!,;\s]+@[A-Za-z0-9._-]+(!\d+[kmgt]?)?", uri.strip(), re.I):
            return True
    return False


def policy(zone, exists, author):
    """(policy domain, policy) or None; 4.10.1."""
    found = dict(walk(zone, author))
    own = author in found
    where = author if own else org(zone, author)
    if where not in found:
        last = list(found)[-1] if found else None
        if last is None or psd(found[last]) != "y":
            return None
        where = last
    tags = found[where]
    p, sp, np = (tags.get(t, "").lower() if t in tags else None for t in ("p", "sp", "np"))
    if p not in POLICIES or any(t is not None and t not in POLICIES for t in (sp, np)):
        return (where, "none") if usable_rua(tags) else None
    wanted = p if own else (sp or p if exists else np or sp or p)
    if tags.get("t", "n").lower() == "y":
        wanted = {"reject": "quarantine"}.get(wanted, "none")
    return where, wanted


def judge(zone, exists, author, identifiers):
    found = policy(zone, exists, author)
    if found is None:
        return ("none",)
    strict = dict(walk(zone, author)).get(found[0], {}).get("adkim", "r").lower() == "s"
    aligned = any(d == author or (not strict and org(zone, d) == org(zone, author)) for d in identifiers)
    return "pass" if aligned else "fail", found[1], found[0]


def possible(zone, exists, author, identifiers):
    """What all that the failed names may hold leads to."""
    failed = [name for name in zone if zone[name] is FAILED]
    fillings = [None, ["v=DMARC1; p=none"], ["v=DMARC1; p=reject; psd=y"], ["v=DMARC1; p=reject; psd=n"]]
    results = set()
    for chosen in itertools.product(fillings, repeat=len(failed)):
        filled = {**zone, **dict(zip(failed, chosen))}
        results.add(judge(filled, exists, author, identifiers))
    return results


class Making:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def record(self):
        r = self.r
        tags = ["v=DMARC1"] if r.random() < 0.93 else [r.choice(["v=DMARC2", "V = DMARC1", "v=dmarc1", "v=DMARC1x", "p=none", "v=spf1"])]
        for name, values in (("p", ["none", "quarantine", "reject", "Reject", "rejectx", ""]), ("sp", list(POLICIES) + ["x"]), ("np", list(POLICIES)),
                             ("psd", ["y", "n", "u", "Y", "x"]), ("t", ["y", "n", "x"]), ("adkim", ["s", "r", "x"]), ("rua", ["mailto:a@b.example", "x", "mailto:a@b.example!10m", ""]),
                             ("pct", ["50"]), ("foo", ["bar baz"])):
            if r.random() < {"p": 0.9, "rua": 0.3, "psd": 0.25}.get(name, 0.2):
                weights = [6] * 3 + [1] * (len(values) - 3) if name in ("p", "sp") else None
                tags.append(r.choice(["%s=%s", "%s = %s ", "%s=%s"]) % (name, r.choices(values, weights)[0]))
        if r.random() < 0.05:
            tags.append(r.choice(["p=none", "psd=n", "novalue", "=x", "1a=b", ""]))
        head, tail = tags[:1], tags[1:]
        r.shuffle(tail)
        return r.choice([";", "; ", " ; "]).join(head + tail) + r.choice(["", ";", "; "])

    def name(self, suffix):
        return ".".join([self.r.choice("abc") for _ in range(self.r.choice([0, 1, 1, 2, 3, 6, 8]))] + suffix)

    def case(self):
        r = self.r
        suffix = [r.choice("de"), "test"] if r.random() < 0.8 else ["test"]
        author = self.name(suffix)
        identifiers = []
        for _ in range(r.choice([0, 1, 1, 2])):
            labels = author.split(".")
            cut = r.randint(0, len(labels) - 1)
            identifiers.append(r.choice([author, ".".join(labels[cut:]), self.name(labels[cut:]), self.name(["f", "test"])]))
        zone = {}
        for start in [author] + identifiers:
            for name in levels(start):
                if r.random() < 0.3:
                    zone["_dmarc." + name] = [self.record() for _ in range(r.choice([1, 1, 1, 1, 2]))]
                    if r.random() < 0.1:
                        zone["_dmarc." + name].append("v=spf1 -all")
        failing = [n for n in zone] + ["_dmarc." + n for n in levels(author)]
        for name in r.sample(sorted(set(failing)), 1 if r.random() < 0.15 else 0):
            zone[name] = FAILED
        return author, identifiers, zone, r.random() < 0.6


def zone_text(zone, author, exists):
    lines = []
    for name, texts in zone.items():
        lines += ["%s. TXT !servfail" % name] if texts is FAILED else ["%s. TXT %s" % (name, quoted(t)) for t in texts]
    # A name below which others stand exists: to be absent it must say so itself.
    lines.append("%s. A %s" % (author, "192.0.2.1" if exists else "!nxdomain"))
    return "\n".join(lines) + "\n"


def main():
    tool, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pipe = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    table = Differences("dmarc")
    for i in range(count):
        number = seed * 1000000 + i
        author, identifiers, zone, exists = Making(number).case()
        text = zone_text(zone, author, exists).encode()
        pipe.stdin.write(("%s\t%s\t%d\n" % (author, ",".join(identifiers) or "-", len(text))).encode() + text)
        pipe.stdin.flush()
        result, got_policy, where, got_org, aligned = pipe.stdout.readline().decode().rstrip("\n").split("\t")
        mine = (result,) if result in ("none", "temperror", "permerror") else (result, got_policy, where)
        failed = any(v is FAILED for v in zone.values())
        wants = possible(zone, exists, author, identifiers)
        same = mine in wants if len(wants) == 1 else mine == ("temperror",)
        same = same or (failed and mine == ("temperror",))
        if same and not failed and got_org != "-":
            same = got_org == org(zone, author)
        note = "case %d: %s %s exists=%s org=%s %s" % (number, author, identifiers, exists, got_org, zone)
        table.compare("reference", same, ["dns_failure"] if failed else [], str(sorted(wants)[:2]), str(mine), note[:600])
    pipe.stdin.close()
    pipe.wait()
    return table.report()


if __name__ == "__main__":
    sys.exit(main())
