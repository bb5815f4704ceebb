build-clang/engine/mail/octets.o: engine/mail/octets.c \
  engine/mail/octets.h engine/base/span.h engine/mail/anomaly.h \
  engine/base/word.h

engine/mail/octets.h:

engine/base/span.h:

engine/mail/anomaly.h:

engine/base/word.h:
