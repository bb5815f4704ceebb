build-clang/engine/dmarc/uri.o: engine/dmarc/uri.c engine/dmarc/uri.h \
  engine/base/attributes.h engine/base/span.h engine/base/chars.h

engine/dmarc/uri.h:

engine/base/attributes.h:

engine/base/span.h:

engine/base/chars.h:
