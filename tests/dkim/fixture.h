/* What the tests of the judge share: keys in a zone, messages signed with them, judging. */
#ifndef DKIM_FIXTURE_H
#define DKIM_FIXTURE_H

#include "dkim/judging.h"
#include "dkim/signing.h"

#define HEADER                                                                                     \
    "From: A <a@example.com>\r\nTo: b@example.net\r\nSubject: hello\r\n"                           \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
#define MESSAGE HEADER "\r\nFirst line\r\nsecond  line \r\n\r\n"
#define TAGS                                                                                       \
    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=ed;\r\n h=from:to:subject:date; "
#define BLANKS "bh=@;\r\n b=@"
#define NOW 1700000000

/* A zone with all keys and a growing message, for one test. */
extern struct buffer zone;
extern struct buffer text;
extern const struct dkim_options strict;

void fixture_setup(void);
void fixture_teardown(void);

/* Signs `message` with the Ed25519 key into `text`. */
struct span sign(const char *tags, const char *message);
/* The message with its first `from` replaced; good until the next call. */
struct span changed(struct span message, const char *from, const char *to);

/* Storage for a judging; done() releases it. */
struct judging *make(void);
struct judging *judge(struct span message, const struct dkim_options *options);
void done(struct judging *j);

void expect_word(const char *name, const struct judging *j, uint32_t i, const char *want);
void expect_one(const char *name, struct span message, const struct dkim_options *options,
                const char *want);

#endif
