#!/usr/bin/python3
"""Signs random messages in four ways, damages a part of them, and has four verifiers judge each signature.

usage: dkim_diff.py ASSAY SIGNER FOLDER SEED COUNT
"""

import base64
import os
import random
import re
import sys

from types import SimpleNamespace

import dkim

import mail
import reference
from peers import DOMAIN, NOW, Differences, Key, MailDkim, Signer, judge, quoted


dkim.time = SimpleNamespace(time=lambda: NOW)  # dkimpy's clock


def make_keys(folder):
    keys = [Key(folder, "r1", "rsa", 1024), Key(folder, "r2", "rsa", 2048), Key(folder, "e1", "ed25519"),
            Key(folder, "strict", "rsa", 1024, "t=s; "), Key(folder, "a.b-c_d", "rsa", 1024, "h=sha256; s=email; n=x; ")]
    return {key.selector: key for key in keys}


def make_zone(keys, path):
    zone = {"%s._domainkey.%s" % (key.selector, DOMAIN): key.record for key in keys.values()}
    zone["revoked._domainkey." + DOMAIN] = "v=DKIM1; p="
    zone["late._domainkey." + DOMAIN] = "k=rsa; v=DKIM1; " + keys["r1"].record.split("; ")[-1]
    zone["bare._domainkey." + DOMAIN] = keys["r1"].record.split("; ")[-1]
    zone["twice._domainkey." + DOMAIN] = keys["r1"].record + "; k=rsa"
    zone["spf._domainkey." + DOMAIN] = "v=spf1 -all"
    with open(path, "w") as out:
        for name, text in zone.items():
            out.write("%s. TXT %s\n" % (name, quoted(text)))
        out.write("broken._domainkey.%s. TXT !servfail\n" % DOMAIN)
    zone["broken._domainkey." + DOMAIN] = None
    return zone


def names_to_sign(r, text):
    fields, _ = reference.split_message(text)
    there = [f[0] for f in fields if f[0] and f[0].lower() != b"dkim-signature" and re.fullmatch(rb"[!-9<-~]+", f[0])]
    names = r.sample(there, r.randint(0, len(there))) if there else []
    if r.random() < 0.4:
        names += r.choices(there + mail.NAMES, k=r.randint(1, 4))
    if r.random() < 0.1:
        names.append(b"dkim-signature")
    names += [b"From"] * r.choice([1, 1, 1, 2])
    r.shuffle(names)
    return [mail.case(r, n) if r.random() < 0.2 else n for n in names]


BLANK = [b"", b"", b" ", b" ", b"\r\n\t", b"  ", b"\r\n ", b"\t"]


def sign_by_reference(r, text, keys, odd):
    key = r.choice(list(keys.values()))
    names = names_to_sign(r, text)
    canon = [r.choice(["simple", "relaxed"]), r.choice(["simple", "relaxed"])]
    c = "/".join(canon).encode()
    if canon[1] == "simple" and r.random() < 0.3:
        c = canon[0].encode()
    sp = lambda: r.choice(BLANK)
    tags = [b"v=1", b"a=" + key.algorithm.encode(), b"d=" + mail.case(r, DOMAIN.encode()), b"s=" + key.selector.encode(),
            b"h=" + (sp() + b":" + sp()).join(names)]
    if c != b"simple" or r.random() < 0.5:
        tags.append(b"c=" + c)
    if r.random() < 0.4:
        local = r.choice([b"", b"a", b"a=40b", b"a=2E=20", b"x.y"])
        below = b"sub." if r.random() < 0.5 and key.selector != "strict" else b""
        tags.append(b"i=" + local + b"@" + below + mail.case(r, DOMAIN.encode()))
    limit = None
    if r.random() < 0.25:
        body = reference.canon_body(canon[1], reference.split_message(text)[1])
        limit = r.choice([len(body), len(body), r.randint(0, len(body)), 0])
        tags.append(b"l=%d" % limit)
    extras = [b"q=dns/txt", b"t=%d" % (NOW - 100), b"x=%d" % (NOW + 100000), b"z=From:a=20b|To:c", b"foo=bar baz", b"B=x", b"bb=" + b"A" * 8]
    tags += r.sample(extras, r.choice([0, 0, 1, 2, 4]))
    order = tags[:1] + r.sample(tags[1:], len(tags) - 1) if r.random() < 0.8 else r.sample(tags, len(tags))
    if order[0] != b"v=1":
        odd.add("v_not_first")
    spaced = []
    for tag in order:
        name, _, value = tag.partition(b"=")
        if r.random() < 0.2:
            tag = name + sp() + b"=" + sp() + value
        spaced.append(sp() + tag + (sp() if r.random() < 0.2 else b""))
    start = mail.case(r, b"DKIM-Signature") if r.random() < 0.2 else b"DKIM-Signature"
    prefix = start + b":" + b";".join(spaced) + b";" + r.choice([b" ", b"\r\n\t", b""])
    tail = r.choice([b"", b"", b";", b" ", b"; ", b";\r\n\tzz=1", b"; t=%d" % NOW if not any(t.startswith(b"t=") for t in order) else b""])
    return reference.sign(text, prefix, key.key, canon[0], canon[1], names, limit, tail)


def sign_by_dkimpy(r, text, keys, odd):
    key = r.choice(list(keys.values()))
    if key.kind != "rsa" and r.random() < 0.5:
        return None
    canon = (r.choice([b"simple", b"relaxed"]), r.choice([b"simple", b"relaxed"]))
    length = r.random() < 0.2
    try:
        field = dkim.sign(text, key.selector.encode(), DOMAIN.encode(), key.pem if key.kind == "rsa" else key.seed,
                          canonicalize=canon, signature_algorithm=key.algorithm.encode(), length=length,
                          include_headers=[b"from", b"to", b"subject", b"x-a", b"from"] if r.random() < 0.5 else None)
    except (dkim.DKIMException, AttributeError, IndexError, AssertionError):
        return None
    odd.add("signer_dkimpy")
    return field + text


def sign_by_mail_dkim(r, text, keys, odd):
    key = keys[r.choice(["r1", "r2", "a.b-c_d"])]
    method = r.choice(["simple", "relaxed", "relaxed/relaxed", "simple/relaxed", "relaxed/simple"])
    headers = r.choice([None, "x-a:subject:to", "x-a:x-a"])
    field = peer.sign(text, key, DOMAIN, method, headers)
    if field is None:
        return None
    odd.add("signer_mail_dkim")
    return field + b"\r\n" + text


def sign_by_us(r, text, keys, odd):
    key = r.choice(list(keys.values()))
    names = names_to_sign(r, text)
    identity = r.choice(["", "", "@" + DOMAIN, "x@" + DOMAIN])
    canon = r.choice(["simple", "relaxed"]) + "/" + r.choice(["simple", "relaxed"])
    h = ":".join(n.decode("latin-1") for n in names) if r.random() < 0.5 else ""
    field = signer.field(text, "dkim", DOMAIN, key.selector, identity, key.path, canon, "", h)
    if field:
        odd.add("signer_assay")
    return field + text if field else None


SIGNERS = [sign_by_reference, sign_by_reference, sign_by_reference, sign_by_dkimpy, sign_by_mail_dkim, sign_by_us]
SWAPS = [b"revoked", b"late", b"bare", b"twice", b"spf", b"broken", b"absent"]


def first_line_end_is_crlf(text):
    at = text.find(b"\n")
    return at < 0 or text[at - 1 : at] == b"\r"


def make_case(r, keys):
    odd = set()
    text = mail.message(r, odd, b"a@" + DOMAIN.encode())
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        signed = r.choice(SIGNERS)(r, text, keys, odd)
        if signed:
            text = signed
    if r.random() < 0.04:
        text = re.sub(rb"(\bs=)r1\b", lambda m: m[1] + r.choice(SWAPS), text, count=1)
        odd.add("selector_swapped")
    if r.random() < 0.5:
        for _ in range(r.choice([1, 1, 2])):
            damaged, how = mail.damage(r, text)
            if first_line_end_is_crlf(damaged):
                text = damaged
                odd.add("damaged_" + how)
    return text, odd


def features_of(text, odd):
    """What the table of differences goes by, seen in the text itself."""
    head, blank, body = text.partition(b"\r\n\r\n")
    found = set(odd)
    if re.search(rb"\r(?!\n)", head) or re.search(rb"(?<!\r)\n", head):
        found.add("header_bare")
    if b"\0" in head:
        found.add("header_nul")
    if re.search(rb"\r(?!\n)", body) or re.search(rb"(?<!\r)\n", body):
        found.add("body_bare")
    if not blank:
        found.add("no_blank_line")
    if blank and not body.endswith(b"\r\n"):
        found.add("no_final_crlf")
    if re.search(rb"[ \t]\Z", body):
        found.add("blank_at_end")
    if re.search(rb"(?:\A|\r\n)[^:\r\n]*[ \t]:", head):
        found.add("space_before_colon")
    if re.search(rb"(?:\A|\r\n)(?![ \t])[^:]*(?:\r\n|\Z)", head):
        found.add("line_without_colon")
    if any(f[0] is not None and not re.fullmatch(rb"[!-9;-~]+", f[0]) for f in reference.split_message(text)[0]):
        found.add("odd_name")
    if re.search(rb"[\x0b\x0c\x85\xa0\x1c-\x1f]", head):
        found.add("odd_space")
    if re.search(rb"\r\n[ \t]+\r\n", head) or re.search(rb"\r\n[ \t]+\Z", head):
        found.add("blank_fold")
    if len(re.findall(rb"(?im)^from[ \t]*:", head)) > 1:
        found.add("multi_from")
    return found


def dkimpy_results(text, count, zone):
    def get_txt(name, timeout=5):
        record = zone.get(name.decode("latin-1").rstrip(".").lower())
        return record.encode() if record else None

    results = []
    for i in range(count):
        try:
            d = dkim.DKIM(text, minkey=1024)
            results.append(("pass" if d.verify(idx=i, dnsfunc=get_txt) else "fail", ""))
        except Exception as error:  # whatever it raises is its way to say no
            results.append(("fail", "%s: %s" % (type(error).__name__, str(error)[:90])))
    return results


def mail_dkim_results(text, count, fields):
    answer = peer.verify(text)
    if "died" in answer:
        return [("fail", "died: " + answer["died"][:80])] * count
    left, results = list(answer["signatures"]), []
    for field in fields:  # those whose tag list it cannot read are missing from its list
        b = re.search(rb"(?:\A|;)[ \t\r\n]*b[ \t\r\n]*=([^;]*)", field[1])
        b = re.sub(rb"[ \t\r\n]+", b"", b[1]).decode("latin-1") if b else ""
        got = next((g for g in left if re.sub(r"[ \t\r\n]+", "", g[2]) == b), None)
        if got:
            left.remove(got)
        results.append(("pass" if got[0] == "pass" else "fail", "%s %s" % tuple(got[:2])) if got else ("fail", "left out"))
    return results


def signature_features(field, text):
    """Words about one signature field."""
    value = field[1]
    found = set()
    tags = reference.parse_tags(value)
    if tags is None:
        found.add("tag_list_broken")
        return found
    for name in (b"b", b"bh"):
        decoded = reference.strict_base64(tags[name][0]) if name in tags else None
        if decoded is None:
            found.add("base64_broken")
        elif base64.b64encode(decoded) != re.sub(rb"[ \t\r\n]+", b"", tags[name][0]):
            found.add("base64_pad_bits")
    a = reference.plain(tags, b"a", b"").lower()
    if a.startswith(b"ed25519"):
        found.add("ed25519")
    if b"l" in tags:
        limit = reference.plain(tags, b"l")
        canon = (reference.plain(tags, b"c", b"simple").decode("latin-1").lower() + "/simple").split("/")[1]
        body = reference.canon_body(canon, reference.split_message(text)[1])
        if limit.isdigit() and int(limit) < len(body):
            found.add("l_partial")
        if limit.isdigit() and int(limit) > len(body):
            found.add("l_beyond_body")
    h = reference.plain(tags, b"h", b"").lower().split(b":")
    if b"dkim-signature" in h:
        found.add("h_dkim_signature")
    if len(set(h)) != len(h):
        found.add("h_repeats")
    for name in (b"a", b"c", b"q", b"v"):
        if reference.plain(tags, name, b"").lower() != reference.plain(tags, name, b""):
            found.add("upper_case_value")
    if re.search(rb"[^\x20-\x7e\t\r\n]", value):
        found.add("signature_8bit")
    if re.search(rb"[ \t]\Z", value):
        found.add("signature_ends_in_blank")
    if re.search(rb"\bb[ \t\r\n]*=", value.replace(value[tags[b"b"][1] - 3 : tags[b"b"][2]], b"") if b"b" in tags else b""):
        found.add("b_elsewhere")
    if b"\r\n" in value and re.search(rb"\r\n[ \t]*(\r\n|\Z)", value):
        found.add("blank_fold")
    return found


def main():
    assay, signer_path, folder, seed, count = sys.argv[1:6]
    global peer, signer
    os.makedirs(folder, exist_ok=True)
    keys = make_keys(folder)
    zone_path = os.path.join(folder, "zone.txt")
    zone = make_zone(keys, zone_path)
    peer, signer = MailDkim(zone), Signer(signer_path)
    public = {name.encode().lower(): reference.load_key(text.encode()) for name, text in zone.items()
              if text and name.split(".")[0] not in ("late", "twice")}
    cases = []
    for i in range(int(count)):
        r = random.Random("%s %d" % (seed, i))  # one case does not move the others
        text, odd = make_case(r, keys)
        path = os.path.join(folder, "%05d.eml" % i)
        with open(path, "wb") as out:
            out.write(text)
        cases.append((path, text, odd))
    verdicts = judge(assay, zone_path, [c[0] for c in cases])
    table = Differences("dkim")
    for path, text, odd in cases:
        if path not in verdicts:
            continue
        ours = verdicts[path]["dkim"]
        fields = [f for f in reference.split_message(text)[0] if f[0] is not None and f[0].lower() == b"dkim-signature"]
        by_reference = reference.verify(text, public)
        by_dkimpy = dkimpy_results(text, len(fields), zone)
        by_perl = mail_dkim_results(text, len(fields), fields)
        features = features_of(text, odd)
        if len(ours) != len(fields):
            table.compare("reference", False, features, "%d signatures" % len(fields), "%d" % len(ours), path)
            continue
        for i, mine in enumerate(ours):
            we = mine["result"] + ("/" + mine["reason"] if mine["reason"] else "")
            mine_passes = mine["result"] == "pass"
            words = features | signature_features(fields[i], text)
            for name, (says, note) in (("reference", ("pass" if by_reference[i] == "pass" else "fail", by_reference[i])),
                                       ("dkimpy", by_dkimpy[i]), ("mail-dkim", by_perl[i])):
                third = "ref_agrees" if (by_reference[i] == "pass") == mine_passes else "ref_differs"
                table.compare(name, mine_passes == (says == "pass"), words | {third}, says, we,
                              "%s#%d %s (reference: %s)" % (path, i, note, by_reference[i]))
    peer.close()
    signer.close()
    return table.report()


if __name__ == "__main__":
    sys.exit(main())
