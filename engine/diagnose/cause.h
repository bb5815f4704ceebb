/*
 * Why a signature fails: the table of causes. Words are stable.
 *
 * A cause is proven where undoing it makes the hash match or the signature verify; otherwise it is
 * an observation that fits. Sentence and advice are for people; "%f" in them stands for the field's
 * name.
 */
#ifndef DIAGNOSE_CAUSE_H
#define DIAGNOSE_CAUSE_H

/* clang-format off */
#define DIAGNOSE_CAUSE_TABLE(X) \
    /* --- body --- */ \
    X(FOOTER,            "footer_appended",        BODY, \
      "Text was appended to the body after it was signed.", \
      "Whoever forwards this mail (often a mailing list) should append nothing, or rewrite From and sign itself.") \
    X(BANNER,            "banner_prepended",       BODY, \
      "Text was put in front of the body after it was signed.", \
      "Gateways should verify before they add a banner; later hops cannot verify what it changed.") \
    X(PART_ADDED,        "part_added",             BODY, \
      "A MIME part was added after the message was signed.", \
      "A list or gateway that adds parts should rewrite From and sign the message itself.") \
    X(WRAPPED,           "wrapped_in_multipart",   BODY, \
      "The signed body was wrapped into a MIME part of a new multipart body.", \
      "A list or gateway that wraps messages should rewrite From and sign the message itself.") \
    X(TRANSFER_ENCODING, "transfer_encoding",      BODY, \
      "The body was encoded anew on the way (Content-Transfer-Encoding).", \
      "The sender should sign a body that needs no conversion: quoted-printable or base64, lines below 998 octets.") \
    X(TRAILING_BLANKS,   "trailing_blanks",        BODY, \
      "Blanks at the ends of lines were added or removed.", \
      "The sender should sign with c=relaxed/relaxed, which does not mind blanks at line ends.") \
    X(BLANK_LINES,       "blank_lines",            BODY, \
      "Empty or blank lines were added to or removed from the body.", \
      "The sender should sign with c=relaxed/relaxed, and nobody should touch empty lines in front of the text.") \
    X(BARE_LF,           "bare_line_ends",         BODY, \
      "Bare LF or CR octets of the body were turned into line ends, or the other way round.", \
      "The sender's program should write CRLF before it signs.") \
    X(FROM_QUOTED,       "from_lines_quoted",      BODY, \
      "Lines beginning with \"From \" got a \">\" in front of them, as mailboxes in mbox form do.", \
      "Take the message from the server, not from an mbox file; or sign quoted-printable bodies with =46rom.") \
    X(DOTS,              "dots_doubled",           BODY, \
      "Lines that begin with a dot have one dot more than was signed: dot-stuffing was not undone.", \
      "The hop that hands the message on should undo dot-stuffing (RFC 5321 4.5.2).") \
    X(LINES_WRAPPED,     "long_lines_broken",      BODY, \
      "Long lines were broken on the way.", \
      "The sender should encode lines longer than 998 octets (quoted-printable) before signing.") \
    X(BODY_CANON,        "body_canonicalization",  BODY, \
      "The body was signed in another canonical form than c= says.", \
      "The signing program is at fault: it should hash the body as c= says.") \
    X(LENGTH_WRONG,      "length_wrong",           BODY, \
      "The body hash is right for another length than l= says.", \
      "The sender should sign without l=.") \
    X(BODY_SHORT,        "body_shorter_than_signed", BODY, \
      "The body has fewer octets than l= says: its end is missing.", \
      "Look for a hop that cuts messages or takes attachments away; the sender should sign without l=.") \
    X(UNSIGNED_TAIL,     "text_behind_length",     BODY, \
      "Text stands behind the part of the body that l= covers: nobody has signed it.", \
      "The sender should sign without l=, which lets anybody append to the message.") \
    X(BODY_MISSING,      "body_missing",           BODY, \
      "There is no body: it was lost on the way, or the header alone was handed over.", \
      "Give the whole message, as the mail program saves or downloads it: a header alone cannot tell whether the body was changed.") \
    X(BODY_UNEXPLAINED,  "body_changed",           BODY, \
      "The body is not the one that was signed, and no change that was tried brings it back.", \
      "Compare it with a copy from a hop further up; the sender can send one straight to you.") \
    /* --- header --- */ \
    X(SUBJECT_PREFIX,    "subject_prefix",         HEADER, \
      "A tag was put into the Subject after it was signed.", \
      "Lists and gateways should leave the Subject alone, or rewrite From and sign themselves.") \
    X(FROM_REWRITTEN,    "from_rewritten",         HEADER, \
      "From was rewritten after it was signed.", \
      "That is what lists do for DMARC; the list's own signature is the one that should pass.") \
    X(FIELD_ADDED,       "field_added",            HEADER, \
      "A %f field was added after the message was signed.", \
      "The signature covers %f, present or absent: the hop that adds one should sign the message itself.") \
    X(FIELD_REMOVED,     "field_removed",          HEADER, \
      "A %f field was removed after the message was signed.", \
      "The hop that removes %f should leave it alone.") \
    X(FIELD_CHANGED,     "field_changed",          HEADER, \
      "The %f field was changed after it was signed.", \
      "The hop that changes %f should leave it alone, or sign the message itself.") \
    X(ENCODING_FIELD,    "transfer_encoding_field", HEADER, \
      "The Content-Transfer-Encoding field was changed: the body was encoded anew on the way.", \
      "The sender should sign a body that needs no conversion: quoted-printable or base64.") \
    X(REFOLDED,          "header_refolded",        HEADER, \
      "The %f field was folded anew.", \
      "The sender should sign with c=relaxed/relaxed, which does not mind folding.") \
    X(HEADER_BLANKS,     "header_blanks",          HEADER, \
      "Blanks in the %f field were changed.", \
      "The sender should sign with c=relaxed/relaxed; the hop that changes blanks should leave them alone.") \
    X(NAME_CASE,         "field_name_case",        HEADER, \
      "The name of the %f field is spelled another way.", \
      "The sender should sign with c=relaxed/relaxed, which does not mind the case of names.") \
    X(HEADER_ORDER,      "header_order",           HEADER, \
      "Fields of one name stand in another order than when they were signed.", \
      "The hop that sorts fields should leave their order alone; or the signing program takes repeated fields from the top.") \
    X(HEADER_CANON,      "header_canonicalization", HEADER, \
      "The header was signed in another canonical form than c= says.", \
      "The signing program is at fault: it should hash the header as c= says.") \
    X(BH_DAMAGED,        "body_hash_replaced",     HEADER, \
      "The bh= of the signature field was changed: with the hash of this very body it verifies.", \
      "The signature field itself was damaged on the way.") \
    X(HEADER_UNEXPLAINED, "header_changed",        HEADER, \
      "The signed header fields are not what was signed, and no change that was tried brings them back.", \
      "Compare the signed fields with a copy from a hop further up.") \
    /* --- key and signature --- */ \
    X(OTHER_KEY,         "other_key",              KEY, \
      "The signature verifies with the key of another selector.", \
      "The sender's program names the wrong selector or domain, or two keys were swapped.") \
    X(WRONG_KEY,         "wrong_key",              KEY, \
      "The published key is not the one that signed, or b= is damaged: no signature comes out of it.", \
      "The domain's owner should compare the published key with the private one (assay testkey): it may have been replaced too early.") \
    X(KEY_SIZE,          "signature_length",       KEY, \
      "The signature has another length than the published key makes.", \
      "Either the published key is not the one that signed, or b= was cut; the domain's owner should run assay testkey.") \
    X(OTHER_DIGEST,      "other_digest",           SIGNATURE, \
      "The signature was made over another kind of digest than a= says.", \
      "The signing program should sign the SHA-256 that a= names.") \
    X(B_DAMAGED,         "signature_damaged",      SIGNATURE, \
      "The b= of the signature field was damaged on the way.", \
      "Look for a hop that changes signature fields; plus signs that became blanks are typical.") \
    X(SIGNATURE_UNEXPLAINED, "signature_wrong",    SIGNATURE, \
      "The signature does not fit the header; an Ed25519 signature does not tell whether key or header is to blame.", \
      "The domain's owner should compare the published key with the private one (assay testkey).")
/* clang-format on */

enum diagnose_cause
{
#define DIAGNOSE_CAUSE_ID(name, word, part, sentence, advice) CAUSE_##name,
    DIAGNOSE_CAUSE_TABLE(DIAGNOSE_CAUSE_ID)
#undef DIAGNOSE_CAUSE_ID
        CAUSE_COUNT
};

enum diagnose_part
{
    PART_BODY,
    PART_HEADER,
    PART_KEY,
    PART_SIGNATURE,
};

struct diagnose_cause_row
{
    const char *word; /* static, as all of it */
    enum diagnose_part part;
    const char *sentence;
    const char *advice;
};

const struct diagnose_cause_row *diagnose_cause(enum diagnose_cause cause);
/* "body", "header", "key", "signature". Static. */
const char *diagnose_part_word(enum diagnose_part part);

#endif
