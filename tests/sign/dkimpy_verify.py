"""What dkimpy says about a message. usage: dkimpy_verify.py ZONE-FILE MESSAGE

Keys come from a zone file of one record a line. Prints a line for each DKIM-Signature, top first,
and one for the ARC chain.
"""
import re
import sys

import dkim


def read_zone(path):
    zone = {}
    for line in open(path):
        owner, rdata = line.split(None, 1)
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', rdata)
        zone[owner.rstrip(".").lower()] = "".join(strings).encode()
    return zone


zone = read_zone(sys.argv[1])


def txt(name, timeout=5):
    return zone.get(name.decode().rstrip(".").lower())


def word(check):
    try:
        return "pass" if check() else "fail"
    except dkim.DKIMException as error:
        return "error " + str(error)


message = open(sys.argv[2], "rb").read()
names = [name.lower() for name, value in dkim.DKIM(message).headers]
for index in range(names.count(b"dkim-signature")):
    verifier = dkim.DKIM(message)
    result = word(lambda: verifier.verify(idx=index, dnsfunc=txt))
    print("dkim", verifier.signature_fields.get(b"a", b"?").decode(), result)
if b"arc-seal" in names:
    print("arc", dkim.ARC(message).verify(dnsfunc=txt)[0].decode())
