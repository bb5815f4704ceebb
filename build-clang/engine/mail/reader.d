build-clang/engine/mail/reader.o: engine/mail/reader.c \
  engine/mail/header.h engine/base/arena.h engine/base/attributes.h \
  engine/base/span.h engine/base/limit.h engine/mail/octets.h \
  engine/mail/anomaly.h engine/mail/header_index.h

engine/mail/header.h:

engine/base/arena.h:

engine/base/attributes.h:

engine/base/span.h:

engine/base/limit.h:

engine/mail/octets.h:

engine/mail/anomaly.h:

engine/mail/header_index.h:
