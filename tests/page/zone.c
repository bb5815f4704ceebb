#include "zone.h"

#include <stdio.h>
#include <stdlib.h>

char *file_text(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "cannot open %s", path);
    char *text = calloc(1, 1 << 20);
    *n = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

const char *page_zone_with(const char *more)
{
    size_t n;
    char *samples = file_text(SAMPLES "zone.txt", &n), *all = NULL;
    cr_assert(asprintf(&all, "%s\n%s", samples, more) > 0);
    const char *path = temporary_file("zone.txt", span_from_string(all));
    free(samples);
    free(all);
    return path;
}

const char *page_zone(void)
{
    return page_zone_with(
        "10.2.0.192.in-addr.arpa. PTR mx.shop.example.\n"
        "90.2.0.192.in-addr.arpa. PTR relay.example.\n"
        "relay.example. A 192.0.2.90\n"
        "60.2.0.192.in-addr.arpa. PTR plain.example.\n"
        "61.2.0.192.in-addr.arpa. PTR plain.example.\n"
        "62.2.0.192.in-addr.arpa. PTR !servfail\n"
        "63.2.0.192.in-addr.arpa. PTR slow.mail.example.\n"
        "slow.mail.example. A !timeout\n"
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
        " PTR six.example.\n"
        "six.example. AAAA 2001:db8::1\n");
}

char *sample_with(const char *name, const char *find, const char *put)
{
    size_t n;
    char path[128], *out = NULL;
    snprintf(path, sizeof path, SAMPLES "%s", name);
    char *text = file_text(path, &n), *at = strstr(text, find);
    cr_assert(at != NULL, "%s: no \"%s\"", name, find);
    cr_assert(asprintf(&out, "%.*s%s%s", (int)(at - text), text, put, at + strlen(find)) > 0);
    free(text);
    return out;
}
