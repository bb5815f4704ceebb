/*
 * Result words of RFC 8601 section 2.7, shared by all methods, and the two answers of a judge.
 *
 * Zero is "no verdict" and pass is a value that neither cleared memory nor a small slip of
 * arithmetic produces (security.md 6.6): no fault turns an error into a pass.
 */
#ifndef BASE_RESULT_H
#define BASE_RESULT_H

enum result
{
    RESULT_UNSET = 0, /* not judged (yet); never printed */
    RESULT_NONE = 0x11,
    RESULT_NEUTRAL = 0x12,
    RESULT_SOFTFAIL = 0x13, /* SPF only */
    RESULT_FAIL = 0x14,
    RESULT_POLICY = 0x15,
    RESULT_TEMPERROR = 0x16,
    RESULT_PERMERROR = 0x17,
    RESULT_PASS = 0x5a,
};

/* "pass", "none", ...; RESULT_UNSET and anything unknown give "temperror": an error, never a pass.
 */
const char *result_word(enum result result);

/* What a judge says when it returns. */
enum judge
{
    JUDGE_WAITING =
        0x21, /* questions were noted; run again from the start when they have answers */
    JUDGE_DONE = 0x22,
};

#endif
