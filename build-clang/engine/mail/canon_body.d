build-clang/engine/mail/canon_body.o: engine/mail/canon_body.c \
  engine/base/attributes.h engine/base/chars.h engine/base/word.h \
  engine/mail/canon.h engine/base/buffer.h engine/base/span.h \
  engine/mail/header.h engine/base/arena.h engine/base/limit.h \
  engine/mail/octets.h engine/mail/anomaly.h

engine/base/attributes.h:

engine/base/chars.h:

engine/base/word.h:

engine/mail/canon.h:

engine/base/buffer.h:

engine/base/span.h:

engine/mail/header.h:

engine/base/arena.h:

engine/base/limit.h:

engine/mail/octets.h:

engine/mail/anomaly.h:
