"""DKIM by the letter of RFC 6376, slow and short: signs and verifies with nothing shared with the engine.

Canonicalization, tag lists and header selection are written from the RFC's text; RSA and Ed25519 come
from python3-cryptography or PyNaCl. Used as the third opinion where two verifiers differ.
"""

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

FWS = rb"(?:[ \t]*(?:\r\n)?[ \t]+)?"
TAG_SPEC = re.compile(
    rb"\A" + FWS + rb"([A-Za-z][A-Za-z0-9_]*)" + FWS + rb"=" + FWS + rb"(.*?)" + FWS + rb"\Z", re.S
)


def split_message(text):
    """Fields as (name, value, raw) with raw ending in CRLF, and the body. Folded lines stay raw."""
    head, blank, body = text.partition(b"\r\n\r\n")
    if text.startswith(b"\r\n"):
        return [], text[2:]
    if not blank:
        head = text[:-2] if text.endswith(b"\r\n") else text
    fields = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        name, colon, value = line.partition(b":")
        fields.append((name.rstrip(b" \t") if colon else None, value, line + b"\r\n"))
    return fields, body


def canon_field(how, raw):
    """One field, CRLF at its end, in canonical form (3.4.1, 3.4.2)."""
    if how == "simple":
        return raw
    name, _, value = raw[:-2].partition(b":")
    value = re.sub(rb"\r\n(?=[ \t])", b"", value)
    value = re.sub(rb"[ \t]+", b" ", value).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def canon_body(how, body):
    """3.4.3, 3.4.4."""
    lines = body.split(b"\r\n")
    if how == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and lines[-1] == b"":
        lines.pop()
    if not lines:
        return b"" if how == "relaxed" else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"


def parse_tags(value):
    """Tag list (3.2) as {name: (value, begin, end)}; None where it is none, or has a duplicate."""
    tags, at = {}, 0
    specs = value.split(b";")
    for i, spec in enumerate(specs):
        begin, at = at, at + len(spec) + 1
        if i == len(specs) - 1 and re.fullmatch(FWS, spec):
            break
        m = TAG_SPEC.match(spec)
        if not m or m[1] in tags or re.search(rb"[^\x21-\x7e \t\r\n]", m[2]):
            return None
        if re.search(rb"\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])", m[2]):
            return None
        tags[m[1]] = (m[2], begin + spec.index(b"=") + 1, begin + len(spec))
    return tags


def plain(tags, name, default=None):
    if name not in tags:
        return default
    return re.sub(rb"[ \t\r\n]+", b"", tags[name][0])


def header_data(fields, own, how, names, field_raw, cut):
    """What is hashed (3.7): the named fields, then the signature field without its b= value."""
    left = {}
    out = b""
    for name in names:
        name = name.lower()
        if name not in left:
            left[name] = [f for i, f in enumerate(fields) if i != own and f[0] is not None and f[0].lower() == name]
        if left[name]:
            out += canon_field(how, left[name].pop()[2])
    begin, end = cut
    return out + canon_field(how, field_raw[:begin] + field_raw[end:])[:-2]


def sign_bytes(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(hashlib.sha256(data).digest())


def verify_bytes(key, data, signature):
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, hashlib.sha256(data).digest())
        return True
    except InvalidSignature:
        return False


def sign(text, prefix, key, header_canon, body_canon, names, limit=None, tail=b""):
    """`prefix` is the field up to bh= (excluded), as it shall stand. Returns field + message."""
    fields, body = split_message(text)
    hashed = canon_body(body_canon, body)
    if limit is not None:
        hashed = hashed[:limit]
    bh = base64.b64encode(hashlib.sha256(hashed).digest())
    head = prefix + b"bh=" + bh + b";" + b"\r\n\tb="
    raw = head + tail + b"\r\n"
    cut = (len(head), len(head))
    signature = base64.b64encode(sign_bytes(key, header_data(fields, None, header_canon, names, raw, cut)))
    folded = b"\r\n\t ".join(signature[i : i + 60] for i in range(0, len(signature), 60))
    return head + folded + tail + b"\r\n" + text


def load_key(record):
    tags = parse_tags(record)
    if tags is None or b"p" not in tags:
        return None
    try:
        der = base64.b64decode(plain(tags, b"p"), validate=True)
        if plain(tags, b"k", b"rsa") == b"ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(der)
        return serialization.load_der_public_key(der)
    except ValueError:
        return None


def strict_base64(text):
    text = re.sub(rb"[ \t\r\n]+", b"", text)
    if not re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text) or len(text) % 4:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def verify_one(fields, body, index, keys, arc=False):
    """"pass", or why not, for the signature field fields[index]. No time rules, no l= policy."""
    value, raw = fields[index][1], fields[index][2]
    tags = parse_tags(value)
    if tags is None or any(t not in tags for t in (b"i" if arc else b"v", b"a", b"b", b"bh", b"d", b"h", b"s")):
        return "syntax"
    if not arc and tags[b"v"][0] != b"1":
        return "version"
    canon = plain(tags, b"c", b"simple/simple").lower().decode("latin-1").split("/")
    if len(canon) == 1:
        canon.append("simple")
    if len(canon) != 2 or any(c not in ("simple", "relaxed") for c in canon):
        return "canonicalization"
    names = [n.strip(b" \t\r\n") for n in tags[b"h"][0].split(b":")]
    if b"from" not in [n.lower() for n in names]:
        return "h without from"
    domain = plain(tags, b"d").lower()
    identity = tags[b"i"][0].lower() if b"i" in tags and not arc else b"@" + domain
    at = identity.rpartition(b"@")
    if not at[1] or not (at[2] == domain or at[2].endswith(b"." + domain)):
        return "identity"
    key = keys.get(plain(tags, b"s").lower() + b"._domainkey." + domain)
    if key is None:
        return "no key"
    wanted = b"rsa-sha256" if isinstance(key, rsa.RSAPublicKey) else b"ed25519-sha256"
    if plain(tags, b"a").lower() != wanted:
        return "algorithm"
    hashed = canon_body(canon[1], body)
    if b"l" in tags:
        if not re.fullmatch(rb"[0-9]{1,76}", tags[b"l"][0]) or int(tags[b"l"][0]) > len(hashed):
            return "l"
        hashed = hashed[: int(tags[b"l"][0])]
    if strict_base64(tags[b"bh"][0]) != hashlib.sha256(hashed).digest():
        return "body hash"
    signature = strict_base64(tags[b"b"][0])
    if signature is None:
        return "base64"
    shift = len(raw) - 2 - len(value)
    cut = (tags[b"b"][1] + shift, tags[b"b"][2] + shift)
    return "pass" if verify_bytes(key, header_data(fields, index, canon[0], names, raw, cut), signature) else "signature"


def verify(text, keys):
    """Results of all DKIM-Signature fields, top first; `keys` maps lower-case names to key objects."""
    fields, body = split_message(text)
    return [
        verify_one(fields, body, i, keys)
        for i, f in enumerate(fields)
        if f[0] is not None and f[0].lower() == b"dkim-signature"
    ]


# ARC, RFC 8617 section 5.2 --------------------------------------------------------------------------

ARC_NAMES = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")


def instance_of(name, value):
    if name == ARC_NAMES[0]:
        m = re.match(FWS + rb"i" + FWS + rb"=" + FWS + rb"([0-9]{1,2})" + FWS + rb";", value)
        return int(m[1]) if m else None
    tags = parse_tags(value)
    if tags is None or b"i" not in tags or not re.fullmatch(rb"[1-9][0-9]?", tags[b"i"][0]):
        return None
    return int(tags[b"i"][0])


def arc_sets(fields):
    """[{name: field index}, ...] by instance, or None where the structure is broken."""
    found = {}
    for i, field in enumerate(fields):
        name = field[0].lower() if field[0] is not None else None
        if name not in ARC_NAMES:
            continue
        instance = instance_of(name, field[1])
        if instance is None or instance > 50 or name in found.setdefault(instance, {}):
            return None
        found[instance][name] = i
    if sorted(found) != list(range(1, len(found) + 1)) or any(len(s) != 3 for s in found.values()):
        return None
    return [found[i] for i in sorted(found)]


def seal_passes(fields, sets, k, keys):
    value, raw = fields[sets[k][ARC_NAMES[2]]][1:]
    tags = parse_tags(value)
    if tags is None or any(t not in tags for t in (b"a", b"b", b"d", b"s", b"cv")) or b"h" in tags:
        return False
    if tags[b"cv"][0].lower() != (b"pass" if k else b"none"):
        return False
    key = keys.get(plain(tags, b"s").lower() + b"._domainkey." + plain(tags, b"d").lower())
    signature = strict_base64(tags[b"b"][0])
    if not isinstance(key, rsa.RSAPublicKey) or signature is None or plain(tags, b"a").lower() != b"rsa-sha256":
        return False
    data = b""
    for j in range(k + 1):
        for name in ARC_NAMES[: 3 if j < k else 2]:
            data += canon_field("relaxed", fields[sets[j][name]][2])
    shift = len(raw) - 2 - len(value)
    data += canon_field("relaxed", raw[: tags[b"b"][1] + shift] + raw[tags[b"b"][2] + shift :])[:-2]
    return verify_bytes(key, data, signature)


def verify_arc(text, keys):
    """"none", "fail" or "pass"."""
    fields, body = split_message(text)
    if not any(f[0] is not None and f[0].lower() in ARC_NAMES for f in fields):
        return "none"
    sets = arc_sets(fields)
    if sets is None:
        return "fail"
    if not message_signature_passes(fields, body, sets[-1][ARC_NAMES[1]], keys):
        return "fail"
    return "pass" if all(seal_passes(fields, sets, k, keys) for k in range(len(sets) - 1, -1, -1)) else "fail"


def message_signature_passes(fields, body, index, keys):
    """DKIM's rules but for i=, which is the instance, and v=, which is not defined (4.1.2)."""
    tags = parse_tags(fields[index][1])
    if tags is None:
        return False
    return verify_one(fields, body, index, keys, arc=True) == "pass"
