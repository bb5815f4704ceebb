build-clang/engine/mail/anomaly.o: engine/mail/anomaly.c \
  engine/mail/anomaly.h engine/base/attributes.h

engine/mail/anomaly.h:

engine/base/attributes.h:
