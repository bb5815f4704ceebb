build-clang/engine/mail/canon_field.o: engine/mail/canon_field.c \
  engine/base/chars.h engine/mail/canon.h engine/base/buffer.h \
  engine/base/attributes.h engine/base/span.h engine/mail/header.h \
  engine/base/arena.h engine/base/limit.h engine/mail/octets.h \
  engine/mail/anomaly.h

engine/base/chars.h:

engine/mail/canon.h:

engine/base/buffer.h:

engine/base/attributes.h:

engine/base/span.h:

engine/mail/header.h:

engine/base/arena.h:

engine/base/limit.h:

engine/mail/octets.h:

engine/mail/anomaly.h:
