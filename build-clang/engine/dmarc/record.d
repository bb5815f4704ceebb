build-clang/engine/dmarc/record.o: engine/dmarc/record.c \
  engine/dmarc/record.h engine/base/arena.h engine/base/attributes.h \
  engine/base/span.h engine/base/limit.h engine/base/taglist.h \
  engine/base/chars.h engine/dmarc/uri.h

engine/dmarc/record.h:

engine/base/arena.h:

engine/base/attributes.h:

engine/base/span.h:

engine/base/limit.h:

engine/base/taglist.h:

engine/base/chars.h:

engine/dmarc/uri.h:
