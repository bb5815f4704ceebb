#!/usr/bin/python3
"""Random SPF records in random zones, judged by assay, pyspf and Mail::SPF.

usage: spf_diff.py DIFF_SPF SEED COUNT

A zone is a dict name -> {type: [data] or "!servfail"/"!timeout"}. Names that macros lead to are
found by a first run and then given records by chance.
"""

import json
import os
import random
import re
import subprocess
import sys

import spf

from peers import HERE, Differences, quoted

V4, V6 = "192.0.2.7", "2001:db8::7"
LOCALS = ["a", "a.b", "a.b.c", "A-b+c", "x_y=z", "strong-bad", "postmaster", "a/b", "q" * 64, "1", "..".join("ab").replace("..", ".-.")]
MACROS = ["%{s}", "%{l}", "%{o}", "%{d}", "%{i}", "%{p}", "%{v}", "%{h}", "%{d2}", "%{d1r}", "%{dr}", "%{ir}", "%{l-}", "%{l1r-}",
          "%{lr.-+}", "%{o1}", "%{i3r}", "%{S}", "%{L}", "%{D}", "%{H}", "%{d99}", "%{s1r+,/_=}", "%%", "%_", "%-", "%{P}", "%{I}", "%{V}"]
BAD_MACROS = ["%{x}", "%{d0}", "%(d)", "%", "%{d", "%{c}", "%{r}", "%{t}", "%{}", "%{dd}", "%{d-a}", "%a", "%{d1-r}"]


class Making:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.odd = set()

    def pick(self, *choices):
        return self.r.choice(choices)

    def chance(self, p):
        return self.r.random() < p

    def domain(self):
        return "d%d.test" % self.r.randint(0, 6)

    def host(self):
        return "h%d.test" % self.r.randint(0, 4)

    def spec(self, wants="domain"):
        p = self.r.random()
        name = self.domain() if wants == "domain" else self.pick(self.host(), self.domain())
        if p < 0.6:
            return name
        if p < 0.66:
            return name + "."
        if p < 0.70:
            return name.upper()
        if p < 0.74:
            return self.pick("%{d}", "%{o}", "%{d2}", "%{h}", "%{p}", "%{s}", "%{l}.%{d}")
        if p < 0.95:
            return ".".join(self.r.choice(MACROS) for _ in range(self.pick(1, 1, 2, 3))) + self.pick(".x.test", "._spf.x.test", ".x.test.", "/y.x.test", "-z.test")
        self.odd.add("bad_spec")
        return self.pick("", "museum", "x.museum..", "a.1", "a..test", ".test", "x.test-", "a.-b", "192.0.2.7", "x.test/", "a b.test",
                         "x." + self.pick(*BAD_MACROS) + ".test", self.pick(*BAD_MACROS), "l" * 64 + ".test", ".".join(["abcdefgh"] * 31) + ".test",
                         "foo:8080.test", "x.test:25", "a.b-", "a.b-c", "a.1b", "a.b1", "_spf.test", "a._b", "x.test%%", "%{d}x", "%{d}.", "%{d}/x.test")

    def prefix(self, six):
        if self.chance(0.6):
            return ""
        if self.chance(0.08):
            self.odd.add("bad_prefix")
            return self.pick("/33", "/024", "/-1", "/", "//", "//129", "/24/64", "//64/24", "/a", "///64", "/00", "//0064", "/24//", "/999", "/ 24")
        v4, v6 = "/%d" % self.pick(0, 1, 8, 24, 31, 32), "//%d" % self.pick(0, 1, 64, 127, 128)
        return self.pick(v4, v6, v4 + v6) if six else v4

    def term(self):
        q = self.pick("", "", "", "+", "-", "~", "?")
        name = self.pick("a", "a", "mx", "mx", "ptr", "ip4", "ip4", "ip6", "exists", "exists", "include", "include", "include", "all")
        shown = name if self.chance(0.9) else name.upper()
        if name in ("a", "mx"):
            return q + shown + (":" + self.spec("host") if self.chance(0.7) else "") + self.prefix(True)
        if name == "ptr":
            return q + shown + (":" + self.spec() if self.chance(0.6) else "")
        if name == "ip4":
            net = self.pick("192.0.2.7", "192.0.2.0", "198.51.100.1", "0.0.0.0", "192.0.2.6")
            if self.chance(0.05):
                self.odd.add("bad_ip")
                net = self.pick("192.0.2", "192.0.2.256", "192.0.2.07", "", "192.0.2.7.1", "::1", "192.0.2.n", "1.2.3.4 ", "01.2.3.4")
            return q + shown + ":" + net + self.prefix(False)
        if name == "ip6":
            net = self.pick("2001:db8::7", "2001:db8::", "::", "2001:DB8:0:0:0:0:0:6", "::ffff:192.0.2.7", "2001:db8::192.0.2.7")
            if self.chance(0.05):
                self.odd.add("bad_ip")
                net = self.pick("2001:db8:::7", "2001::db8::7", "1:2:3:4:5:6:7", "12345::", "", "192.0.2.7", "g::", "[::1]", "::1%eth0", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8")
            p = self.prefix(True).replace("//", "/") if self.chance(0.9) else self.prefix(True)
            return q + shown + ":" + net + p
        if name in ("exists", "include"):
            return q + shown + ":" + self.spec()
        if self.chance(0.03):
            self.odd.add("bad_all")
            return q + shown + self.pick(":x", "/24", "=", ".", "-")
        return q + shown

    def modifier(self):
        p = self.r.random()
        if p < 0.5:
            return self.pick("redirect", "redirect", "Redirect") + "=" + self.spec()
        if p < 0.75:
            return "exp=" + self.pick("e0.test", "e1.test", "e2.test", self.spec())
        return self.pick("foo", "moo-x_y.z", "t1", "op", "default") + "=" + self.pick("", "bar", "%{d}.x", "a=b", self.pick(*BAD_MACROS) if self.chance(0.2) else "x")

    def junk(self):
        self.odd.add("junk")
        return self.pick("foo", "foo:bar", "a:", "mx:", "include", "include:", "exists", "-redirect=d1.test", "1x=y", "=", "-", "++all", "all.", "ipv4:192.0.2.7",
                         "ip4", "ip4:", "ptr:", "ptr/24", "include:d1.test/24", "exists:d1.test/24", "a=b:c", "redirect=", "exp=", "_x=y", "x-=y", "-all:", "\ta", "a,", ":", "redirect:d1.test",
                         "v=spf1", "all/24", "e\u00e9", "\x7f")

    def record(self):
        p = self.r.random()
        if p < 0.04:
            self.odd.add("odd_version")
            return self.pick("v=spf1", "v=spf1 ", "V=SPF1 -all", "v=spf10 -all", "v=spf1-all", "v=spf1\t-all", " v=spf1 -all", "v=spf", "spf2.0/pra -all", "v=spf1  -all")
        parts = [self.term() for _ in range(self.pick(0, 1, 1, 2, 2, 3, 4, 6))]
        if self.chance(0.03):
            parts += [self.term() for _ in range(12)]
        if self.chance(0.25):
            parts.insert(self.r.randint(0, len(parts)), self.modifier())
        if self.chance(0.05):
            parts.append(self.modifier())
        if self.chance(0.04):
            parts.insert(self.r.randint(0, len(parts)), self.junk())
        if self.chance(0.6):
            parts.append(self.pick("-all", "~all", "?all", "all", "-all"))
        return "v=spf1 " + self.pick(" ", " ", " ", "  ").join(parts) + self.pick("", "", "", " ")

    def addresses(self, node):
        if self.chance(0.8):
            node["A"] = self.r.sample(["192.0.2.7", "192.0.2.8", "198.51.100.9", "203.0.113.1"], self.pick(1, 1, 2))
        if self.chance(0.6):
            node["AAAA"] = self.r.sample(["2001:db8::7", "2001:db8::8", "2001:db8:1::1"], self.pick(1, 1, 2))

    def fail(self, node, kind):
        if self.chance(0.04):
            node[kind] = self.pick("!servfail", "!timeout")
            self.odd.add("dns_failure")

    def zone(self):
        zone = {}
        for i in range(7):
            if i and self.chance(0.15):
                continue
            node = zone.setdefault("d%d.test" % i, {})
            texts = [self.record()] if i == 0 or self.chance(0.85) else []
            if self.chance(0.05):
                texts.append(self.pick("v=spf1 -all", "hello", "v=spf10 x", "google-site=1"))
            if texts:
                self.r.shuffle(texts)
                node["TXT"] = texts
            self.addresses(node)
            if self.chance(0.6):
                count = self.pick(1, 1, 2, 3, 3, 10, 11) if self.chance(0.4) else 1
                node["MX"] = ["%d %s" % (10 * j, self.pick(self.host(), self.domain(), "nx%d.test" % j)) for j in range(count)]
            for kind in ("TXT", "A", "MX"):
                self.fail(node, kind)
        for i in range(5):
            if self.chance(0.85):
                self.addresses(zone.setdefault("h%d.test" % i, {}))
        for i, text in enumerate(["%{i} is not one of %{d}'s. %%%_%-%{c} %{r} %{t}", "plain text", "bad %{x} macro"]):
            zone["e%d.test" % i] = {"TXT": [text]}
        if self.chance(0.06):
            zone["d%d.test" % self.r.randint(1, 6)] = {"CNAME": [self.pick("d0.test", "d1.test", "h0.test", "nowhere.test")]}
            self.odd.add("cname")
        if self.chance(0.7):
            names = [self.pick(self.host(), self.domain(), "d0.test", "mail.d0.test", "nx.test") for _ in range(self.pick(1, 1, 2, 3, 10, 11, 12))]
            for reverse in ("7.2.0.192.in-addr.arpa", ".".join("%032x" % int("20010db8000000000000000000000007", 16))[::-1] + ".ip6.arpa"):
                zone[reverse] = {"PTR": list(dict.fromkeys(names))}
                self.fail(zone[reverse], "PTR")
        if self.chance(0.5):
            self.addresses(zone.setdefault("mail.d0.test", {}))
        return zone


def zone_text(zone):
    lines = []
    for name, node in zone.items():
        owner = "".join(c if c.isalnum() or c in "._-" else "\\%03d" % ord(c) for c in name) + "."
        if not node:
            lines.append("%s A !empty" % owner)
        for kind, data in node.items():
            if isinstance(data, str):
                lines.append("%s %s %s" % (owner, kind, data))
                continue
            for one in data:
                if kind == "TXT":
                    one = quoted(one)
                elif kind in ("MX", "PTR", "CNAME"):
                    one += "."
                lines.append("%s %s %s" % (owner, kind, one))
    return "\n".join(lines) + "\n"


def lookup_in(zone, asked):
    def lookup(name, qtype, strict=True, timeout=20):
        name = name.lower().rstrip(".")
        asked.append((name, qtype))
        node = zone.get(name)
        if node is None:
            return []
        data = node.get(qtype, [])
        if isinstance(data, str):
            raise spf.TempError("DNS " + data)
        out = []
        if not data and "CNAME" in node:
            out.append(((name, "CNAME"), node["CNAME"][0]))
            target = node["CNAME"][0]
            return out + lookup(target, qtype)
        for one in data:
            if qtype == "TXT":
                one = (one.encode("latin-1"),)
            elif qtype == "MX":
                preference, host = one.split(" ")
                one = (int(preference), host)
            out.append(((name, qtype), one))
        return out

    return lookup


def by_pyspf(ip, helo, sender, zone, voids=2):
    asked = []
    spf.MAX_VOID_LOOKUPS = voids
    spf.DNSLookup = lookup_in(zone, asked)
    try:
        q = spf.query(i=ip, s=sender, h=helo, receiver="mx.example.net", strict=True)
        result = q.check()
        return result[0], result[2], asked
    except Exception as error:  # a crash of the peer is no result
        return "died", "%s: %s" % (type(error).__name__, error), asked


# What a peer says in its detail, as a word behind its result: the table of differences is then exact.
CAUSES = [("Void lookup limit", "void"), ("void DNS look-ups", "void"), ("trivial recursion", "recursion"), ("No valid SPF record for included", "no_record"),
          ("no applicable sender policy", "no_record"), ("empty label", "empty_label"), ("invalid-macro-char", "macro"), ("macros allowed", "macro"),
          ("RecursionError", "recursion"), ("lookup of '7.2.0.192.in-addr.arpa'", "ptr"), ("ip6.arpa'", "ptr"), ("DNS !", "dns"), ("ip6:", "ip6_term"),
          ("Length of CNAME", "cname"), ("= MUST appear at most once: ", "repeated")]


def with_cause(result, detail):
    for text, word in CAUSES:
        if text in detail:
            return result + ":" + word
    return result


class Pipe:
    def __init__(self, command):
        self.pipe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, data):
        self.pipe.stdin.write(data)
        self.pipe.stdin.flush()
        return json.loads(self.pipe.stdout.readline().decode("latin-1"))

    def close(self):
        self.pipe.stdin.close()
        self.pipe.wait()


def features_of(zone, odd, mine):
    found = set(odd)
    records = [t for node in zone.values() for t in (node.get("TXT") if isinstance(node.get("TXT"), list) else [])]
    text = " ".join(records).lower()
    if any(c.isupper() for t in records for c in ("Redirect=" if "Redirect=" in t else "")):
        found.add("redirect_upper")
    for word in ("ptr", "mx", "include:", "redirect=", "exp=", "exists", "%{p", "%%", "%_", "%-"):
        if word in text:
            found.add("has_" + word.strip(":="))
    if "ip6:" in text and "ip4_client" in odd:
        found.add("ip6_in_way")
    if "%{S}" in " ".join(records) or "%{L}" in " ".join(records):
        found.add("upper_s")
    if re.search(r"\b(foo|moo-x_y\.z|t1|op|default)=\S*%\{[crt]", text):
        found.add("crt_in_modifier")
    if "%{l-}" in text:
        found.add("split_by_other")
    if mine["lookups"]["void"]:
        found.add("void")
    return found


def make_case(seed):
    making = Making(seed)
    zone = making.zone()
    ip = making.pick(V4, V4, V4, V6, "::ffff:192.0.2.7")
    if ip != V6:
        making.odd.add("ip4_client")
    helo = making.pick("mail.d0.test", "mail.d0.test", "d1.test", "h0.test", "nx.test")
    sender = making.pick(*LOCALS) + "@" + making.pick("d0.test", "d0.test", "d0.test", "D0.Test", "d1.test")
    if making.chance(0.04):
        sender = ""
    _, _, asked = by_pyspf(ip, helo, sender, zone)
    for name, kind in asked:  # names that only macros lead to
        fits = all(0 < len(l) < 64 and l.isascii() and l.isprintable() for l in name.split(".")) and len(name) < 250
        if name not in zone and fits and making.chance(0.5):
            zone[name] = {} if making.chance(0.2) else {"A": ["127.0.0.2"]}
    return making, zone, ip, helo, sender


def main():
    tool, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ours, perl = Pipe([tool]), Pipe(["perl", os.path.join(HERE, "mail_spf.pl")])
    table = Differences("spf")
    for i in range(count):
        number = seed * 1000000 + i
        making, zone, ip, helo, sender = make_case(number)
        text = zone_text(zone).encode()
        voids = 2 if number % 2 else 1000  # without the limit too: it hides what comes behind it
        mine = ours.ask(("%s\t%s\t<%s>\t%d\t%d\n" % (ip, helo, sender, voids, len(text))).encode() + text)
        python, detail, _ = by_pyspf(ip, helo, sender, zone, voids)
        other = perl.ask(json.dumps({"ip": ip.replace("::ffff:", ""), "helo": helo, "sender": sender, "voids": voids, "zone": zone}).encode() + b"\n")
        we = mine["result"] + ("/" + mine["reason"] if mine["reason"] else "")
        note = "case %d: %s %s <%s> %s" % (number, ip, helo, sender, (mine["path"] or "")[:90])
        words = features_of(zone, making.odd, mine)
        words |= {"peers_agree"} if python == other["result"] else set()
        table.compare("pyspf", python == mine["result"], words, with_cause(python, detail), we, "%s (%s)" % (note, detail[:100]))
        table.compare("mail-spf", other["result"] == mine["result"], words, with_cause(other["result"], other["detail"]), we, "%s (%s)" % (note, other["detail"][:140].strip()))
    ours.close()
    perl.close()
    return table.report()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "show":
        made, the_zone, the_ip, the_helo, the_sender = make_case(int(sys.argv[2]))
        print(zone_text(the_zone), the_ip, the_helo, the_sender, sep="\n")
        sys.exit(0)
    sys.exit(main())
