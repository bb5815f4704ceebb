#!/usr/bin/python3
"""ARC chains of one to three sets, sealed by dkimpy and by assay in turn, changed on the way, damaged, and
judged by assay, dkimpy, Mail::DKIM and the reference.

usage: arc_diff.py ASSAY SIGNER FOLDER SEED COUNT
"""

import os
import random
import re
import sys

from types import SimpleNamespace

import dkim

import mail
import reference
from dkim_diff import features_of
from peers import DOMAIN, NOW, Differences, Key, MailDkim, Signer, judge, quoted

dkim.time = SimpleNamespace(time=lambda: NOW)  # dkimpy's clock
ARC = (b"arc-seal", b"arc-message-signature", b"arc-authentication-results")


def seal_by_dkimpy(r, text, key, instance, cv):
    results = b"relay.example; spf=pass smtp.mailfrom=" + DOMAIN.encode()
    if instance > 1 or cv != "none":
        results += b"; arc=" + cv.encode()
    names = r.choice([None, [b"from", b"to", b"subject"], [b"from", b"from", b"x-a"]])
    try:
        fields = dkim.arc_sign(b"Authentication-Results: " + results + b"\r\n" + text, key.selector.encode(), DOMAIN.encode(),
                               key.pem, b"relay.example", include_headers=names)
    except (dkim.DKIMException, AttributeError, IndexError, AssertionError, UnicodeDecodeError):
        return None
    return b"".join(fields) + text if fields else None


def seal_by_us(r, text, key, instance, cv):
    canon = r.choice(["relaxed", "simple"]) + "/" + r.choice(["relaxed", "simple"])
    fields = signer.field(text, "arc", DOMAIN, key.selector, "-", key.path, canon, cv,
                          "relay.example; spf=pass smtp.mailfrom=" + DOMAIN)
    return fields + text if fields else None


def forwarded(r, text):
    """What a list does before it seals anew; the older message signatures break."""
    if r.random() < 0.5:
        return text
    if r.random() < 0.5 and b"\r\n\r\n" in text:
        return text + b"-- \r\nlist footer\r\n"
    return b"List-Id: <l.example>\r\n" + text


def disturb(r, text):
    """Damage to the structure of the chain itself."""
    head = mail.signed_part(text)
    fields, body = [f[2] for f in reference.split_message(text)[0]], text[head:]
    arc = [i for i, f in enumerate(fields) if f.lower().startswith(b"arc-")]
    if not arc:
        return text, "nothing"
    i, how = r.choice(arc), r.choice(["drop", "double", "move", "instance", "cv", "tag_h", "b_space", "name_case"])
    if how == "drop":
        del fields[i]
    elif how == "double":
        fields.insert(r.randint(0, len(fields)), fields[i])
    elif how == "move":
        fields.insert(r.randint(0, len(fields) - 1), fields.pop(i))
    elif how == "instance":
        fields[i] = re.sub(rb"i=\d+", b"i=" + r.choice([b"0", b"1", b"2", b"3", b"4", b"51", b"01", b"+1", b"x"]), fields[i], 1)
    elif how == "cv":
        fields[i] = re.sub(rb"cv=\w+", b"cv=" + r.choice([b"none", b"pass", b"fail", b"x", b"Pass"]), fields[i], 1)
    elif how == "tag_h":
        fields[i] = fields[i][:-2] + b"; h=from\r\n"
    elif how == "b_space":
        fields[i] = fields[i].replace(b"b=", b"b= ", 1)
    elif how == "name_case":
        fields[i] = mail.case(r, fields[i].split(b":")[0]) + b":" + fields[i].split(b":", 1)[1]
    return b"".join(fields) + body, how


def make_case(r, keys):
    odd = set()
    text = mail.message(r, odd, b"a@" + DOMAIN.encode())
    for instance in range(1, r.choice([1, 2, 2, 3, 3]) + 1):
        cv = "none" if instance == 1 else "pass"
        if r.random() < 0.03:
            cv = r.choice(["none", "pass", "fail"])
        key = r.choice(keys)
        by = r.choice([seal_by_dkimpy, seal_by_us])
        sealed = by(r, forwarded(r, text), key, instance, cv)
        if sealed is None:
            break
        odd.add("sealer_dkimpy" if by == seal_by_dkimpy else "sealer_assay")
        text = sealed
    if r.random() < 0.3:
        text, how = mail.damage(r, text)
        odd.add("damaged_" + how)
    elif r.random() < 0.4:
        text, how = disturb(r, text)
        odd.add("disturbed_" + how)
    at = text.find(b"\n")
    return (text, odd) if text[at - 1 : at] == b"\r" else make_case(r, keys)


def by_dkimpy(text, zone):
    def get_txt(name, timeout=5):
        record = zone.get(name.decode("latin-1").rstrip(".").lower())
        return record.encode() if record else None

    try:
        cv, _, reason = dkim.arc_verify(text, dnsfunc=get_txt)
    except Exception as error:  # whatever it raises is its way to say no
        return "fail", "%s: %s" % (type(error).__name__, str(error)[:90])
    return (cv.decode() if cv else "fail"), reason


def arc_features(text, odd):
    found = features_of(text, odd)
    fields = reference.split_message(text)[0]
    for name, value, raw in fields:
        if name is None or name.lower() not in ARC:
            continue
        tags = reference.parse_tags(value) if name.lower() != ARC[2] else {}
        if tags is None:
            found.add("tag_list_broken")
            continue
        if b"cv" in tags and tags[b"cv"][0] == b"fail":
            found.add("cv_fail")
        if name.lower() == ARC[1] and b" i=" not in raw:
            found.add("i_without_space")
        for tag in (b"b", b"bh"):
            if tag in tags and reference.strict_base64(tags[tag][0]) is None:
                found.add("base64_broken")
        if re.search(rb"[ \t]\Z", value):
            found.add("signature_ends_in_blank")
        if name.lower() == ARC[2] and b"h" in tags:
            found.add("seal_with_h")
    return found


def main():
    assay, signer_path, folder, seed, count = sys.argv[1:6]
    global signer
    os.makedirs(folder, exist_ok=True)
    keys = [Key(folder, "a1", "rsa", 1024), Key(folder, "a2", "rsa", 2048)]
    zone = {"%s._domainkey.%s" % (key.selector, DOMAIN): key.record for key in keys}
    zone_path = os.path.join(folder, "zone.txt")
    with open(zone_path, "w") as out:
        for name, text in zone.items():
            out.write("%s. TXT %s\n" % (name, quoted(text)))
    public = {name.encode(): reference.load_key(text.encode()) for name, text in zone.items()}
    peer, signer = MailDkim(zone), Signer(signer_path)
    cases = []
    for i in range(int(count)):
        r = random.Random("%s %d" % (seed, i))  # one case does not move the others
        text, odd = make_case(r, keys)
        path = os.path.join(folder, "%05d.eml" % i)
        with open(path, "wb") as out:
            out.write(text)
        cases.append((path, text, odd))
    verdicts = judge(assay, zone_path, [c[0] for c in cases])
    table = Differences("arc")
    for path, text, odd in cases:
        if path not in verdicts:
            continue
        mine = verdicts[path]["arc"]
        we = mine["result"] + ("/" + mine["reason"] if mine["reason"] else "")
        reference_says = reference.verify_arc(text, public)
        answer = peer.arc(text)
        perl = ("fail", "died " + answer["died"][:80]) if "died" in answer else (answer["result"], answer["detail"])
        if perl[0] not in ("pass", "none"):
            perl = ("fail", perl[1])
        words = arc_features(text, odd) | {"ref_agrees" if reference_says == mine["result"] else "ref_differs"}
        for name, (says, note) in (("reference", (reference_says, "")), ("dkimpy", by_dkimpy(text, zone)), ("mail-dkim", perl)):
            table.compare(name, mine["result"] == says, words, says, we, "%s %s (reference: %s)" % (path, note, reference_says))
    peer.close()
    signer.close()
    return table.report()


if __name__ == "__main__":
    sys.exit(main())
