"""Random messages and random damage, from a random.Random. What is odd about one stands in `odd`."""

NAMES = [b"To", b"Cc", b"Date", b"Subject", b"Message-ID", b"X-A", b"X-b", b"x-a", b"List-Id", b"Received",
         b"MIME-Version", b"Content-Type", b"Reply-To", b"X_y", b"X!#$%", b"References"]
WORDS = [b"a", b"bb", b"Ccc", b"=?utf-8?q?x?=", b"(c)", b'"q q"', b"<x@y>", b"b=z", b"; d=e", b"1:2", b"from:",
         b"\xc3\xa9", b"\xff", b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\x7f", b"--", b"q" * 90]
BLANKS = [b" ", b" ", b" ", b"  ", b"\t", b" \t ", b"\r\n ", b"\r\n\t", b" \r\n  ", b"\r\n \r\n\t", b"\t\r\n "]


def value(r):
    parts = [r.choice([b" ", b" ", b" ", b"", b"  ", b"\t", b"\r\n ", b" \r\n\t"])]
    for _ in range(r.choice([0, 1, 1, 2, 3, 5])):
        parts += [r.choice(WORDS), r.choice(BLANKS)]
    if r.random() < 0.7 and len(parts) > 1:
        parts.pop()
    return b"".join(parts)


def case(r, name):
    return bytes(c ^ 0x20 if chr(c).isalpha() and c < 128 and r.random() < 0.2 else c for c in name)


def field(r, name, text, odd):
    if r.random() < 0.05:
        odd.add("space_before_colon")
        name += r.choice([b" ", b"\t", b"  "])
    return name + b":" + text + b"\r\n"


def header(r, odd, address):
    fields = []
    for _ in range(r.randint(0, 9)):
        name = r.choice(NAMES)
        fields.append(field(r, case(r, name) if r.random() < 0.3 else name, value(r), odd))
    who = r.choice([b" %s", b" Somebody <%s>", b"\r\n\t%s", b"  \"x y\" <%s>  ", b"%s"]) % address
    fields.insert(r.randint(0, len(fields)), field(r, case(r, b"From"), who, odd))
    if r.random() < 0.03:
        odd.add("multi_from")
        fields.insert(r.randint(0, len(fields)), b"From: other@else.example\r\n")
    if r.random() < 0.04:
        what = r.choice([b"\r", b"\n", b"\0"])
        odd.add({b"\r": "hdr_bare_cr", b"\n": "hdr_bare_lf", b"\0": "hdr_nul"}[what])
        i = r.randrange(len(fields))
        at = r.randint(fields[i].index(b":") + 1, len(fields[i]) - 2)
        if fields[i][at - 1 : at] != b"\r":
            fields[i] = fields[i][:at] + b"x" + what + b"x" + fields[i][at:]
    if r.random() < 0.02:
        odd.add("hdr_malformed")
        fields.insert(r.randint(0, len(fields)), r.choice([b"no colon here\r\n", b"From x Mon Jan 1\r\n", b"a b: c\r\n"]))
    return fields


PIECES = [b"a", b"line", b"two words", b" ", b"  ", b"\t", b" \t ", b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\r\n \r\n",
          b"\r\n\t\r\n", b".", b"..", b"--", b"\xc3\xa9", b"\xff\xfe", b"x" * 1100, b"\x0b", b"\xa0"]
RARE = [b"\r", b"\n", b"\0", b"\r\r\n", b"\n\r", b" \r", b"\r "]


def body(r, odd):
    out = []
    bare = r.random() < 0.12
    for _ in range(r.choice([0, 0, 1, 2, 4, 8, 16, 40])):
        out.append(r.choice(RARE) if bare and r.random() < 0.2 else r.choice(PIECES))
    text = b"".join(out)
    end = r.random()
    if end < 0.6:
        text += b"\r\n"
    elif end < 0.75:
        text += r.choice([b"\r\n", b" \r\n", b"\t \r\n"]) * r.randint(1, 5)
    if bare:
        odd.add("body_bare")
    return text


def message(r, odd, address):
    fields = header(r, odd, address)
    text = b"".join(fields)
    if r.random() < 0.03:
        odd.add("no_blank_line")
        return text
    return text + b"\r\n" + body(r, odd)


def signed_part(text):
    end = text.find(b"\r\n\r\n")
    return len(text) if end < 0 else end + 2


def damage(r, text):
    """One change that may or may not matter; returns (text, word)."""
    n, head = len(text), signed_part(text)
    how = r.choice(["flip", "flip", "flip_head", "flip_body", "delete", "insert", "blank", "blank_head", "double_blank", "crlf_end",
                    "cut_end", "field_on_top", "double_field", "case", "append", "lf", "signature", "signature"])
    at = r.randrange(n)
    if how == "flip_head":
        at = r.randrange(max(head, 1))
    if how == "flip_body" and head < n:
        at = r.randrange(head, n)
    if how == "signature":
        begin = text.lower().find(b"dkim-signature:")
        at = begin + r.randrange(500) if 0 <= begin < n - 500 else at
    if how.startswith("flip") or how == "signature":
        c = text[at] ^ (1 << r.randrange(8))
        return text[:at] + bytes([c]) + text[at + 1 :], how
    if how == "delete":
        return text[:at] + text[at + 1 :], how
    if how == "insert":
        return text[:at] + bytes([r.randrange(256)]) + text[at:], how
    if how.startswith("blank"):
        at = r.randrange(max(head, 1)) if how == "blank_head" else at
        return text[:at] + r.choice([b" ", b"\t"]) + text[at:], how
    if how == "double_blank":
        spots = [i for i in range(n) if text[i] in b" \t"]
        at = r.choice(spots) if spots else 0
        return text[:at] + r.choice([b" ", b"\t"]) + text[at:], how
    if how == "crlf_end":
        return text + b"\r\n" * r.randint(1, 3), how
    if how == "cut_end":
        return text[: n - r.randint(1, 3)], how
    if how == "field_on_top":
        return r.choice([b"X-New: a\r\n", b"Subject: new\r\n", b"to: new\r\n", b"DKIM-Signature: v=1; x\r\n"]) + text, how
    if how == "double_field":
        fields = text[:head].split(b"\r\n")
        i = r.randrange(len(fields))
        return b"\r\n".join(fields[:i] + fields[i : i + 1] + fields[i:]) + text[head:], how
    if how == "case":
        spots = [i for i in range(head) if chr(text[i]).isalpha() and text[i] < 128]
        at = r.choice(spots)
        return text[:at] + bytes([text[at] ^ 0x20]) + text[at + 1 :], how
    if how == "append":
        return text + b"more\r\n", how
    return text.replace(b"\r\n", b"\n", 1), how
