build-clang/engine/mail/body.o: engine/mail/body.c engine/mail/body.h \
  engine/crypto/digest.h engine/base/attributes.h engine/base/span.h \
  engine/mail/canon.h engine/base/buffer.h engine/mail/header.h \
  engine/base/arena.h engine/base/limit.h engine/mail/octets.h \
  engine/mail/anomaly.h

engine/mail/body.h:

engine/crypto/digest.h:

engine/base/attributes.h:

engine/base/span.h:

engine/mail/canon.h:

engine/base/buffer.h:

engine/mail/header.h:

engine/base/arena.h:

engine/base/limit.h:

engine/mail/octets.h:

engine/mail/anomaly.h:
