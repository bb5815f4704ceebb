/*
 * The page of --html: its markup is ours whatever the message says, and a real browser shows it in
 * light and dark, narrow and wide.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "browser.h"
#include "support/guard.h"
#include "tools/assay/html.h"
#include "zone.h"

#define SHOP "orders@shop.example"

static char *page_of(struct span message, const char *const *more, char path[160])
{
    const char *argv[32] = {"explain", "--story", "--profile", "gmail", "--html", path};
    size_t n = 6, bytes;
    snprintf(path, 160, "%s/page.html", temporary_folder());
    for (; *more; more++)
        argv[n++] = *more;
    struct outcome o = assay(message, argv);
    cr_assert(o.status == 0, "%d %s", o.status, o.err);
    return file_text(path, &bytes);
}

static char *page_of_sample(const char *sample, const char *ip, const char *mail_from,
                            char path[160])
{
    char file[128];
    snprintf(file, sizeof file, SAMPLES "%s", sample);
    return page_of(SPAN(""),
                   (const char *const[]){"--ip", ip, "--mail-from", mail_from, "--dns", page_zone(),
                                         file, NULL},
                   path);
}

/* --- markup --- */

static bool is_one_of(const char *words, const char *word, size_t n)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, word, n) == 0)
            return true;
        at += length;
    }
    return false;
}

static const char elements[] =
    "html head meta title style body main header footer section article div span p b h1 h2 h3 h4 "
    "ul "
    "ol li dl dt dd table caption thead tbody tr th td pre details summary svg path rect";
static const char attributes[] = "lang charset http-equiv content name class id aria-labelledby "
                                 "aria-hidden scope viewBox d preserveAspectRatio width height";

/* `name="value"` until ">". Returns behind it. */
static const char *read_attributes(const char *at)
{
    for (;;) {
        at += strspn(at, " /");
        if (*at == '>')
            return at + 1;
        size_t n = strcspn(at, "= >");
        cr_assert(is_one_of(attributes, at, n), "an attribute that is not ours: %.60s", at);
        at += n;
        cr_assert(strncmp(at, "=\"", 2) == 0, "%.60s", at);
        at += 2;
        at += strcspn(at, "\"<>");
        cr_assert(*at == '"', "%.60s", at);
        at++;
    }
}

/* Each "<" begins an element of ours with attributes of ours, and elements nest. Returns how many
 * there are; the depth of the stack is bounded by ours. */
static unsigned expect_our_markup(const char *page)
{
    static const char empty[] = "meta path rect";
    char stack[64][16];
    unsigned depth = 0, count = 0;
    const char *at = strstr(page, "<!doctype html>\n");
    cr_assert(at == page);
    at += 15;
    while ((at = strchr(at, '<'))) {
        bool closing = at[1] == '/';
        at += closing ? 2 : 1;
        size_t n = strcspn(at, " />\n");
        cr_assert(is_one_of(elements, at, n), "an element that is not ours: <%.60s", at);
        if (closing) {
            cr_assert(depth > 0 && strlen(stack[depth - 1]) == n &&
                          memcmp(stack[depth - 1], at, n) == 0,
                      "</%.20s> ends <%s>", at, depth ? stack[depth - 1] : "");
            depth--;
            at += n;
            continue;
        }
        bool style = n == 5 && memcmp(at, "style", 5) == 0;
        if (!is_one_of(empty, at, n)) {
            cr_assert(depth < 64);
            snprintf(stack[depth++], sizeof stack[0], "%.*s", (int)n, at);
        }
        count++;
        at = read_attributes(at + n);
        if (style)
            at = strstr(at, "</style>");
    }
    cr_assert(depth == 0);
    return count;
}

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</pre></main><iframe src=https://evil.example>",
    "--><svg onload=alert(1)>",
    "<!--",
    "]]><b>",
    "&lt;script&gt; &#60;i&#62; &amp;",
    "javascript:alert(1)",
    "<base href=https://evil.example/><meta http-equiv=refresh content=0>",
    "\xe2\x80\xae gpj.exe \xe2\x81\xa6 \xef\xbb\xbf \xe2\x80\x8b",
    "\x1b[2J \x7f \x01",
    "\xff\xfe \xc0\xbcSCRIPT\xc0\xbe \xed\xa0\x80 \xf5\x80\x80\x80 \xe2\x82",
    "+ADw-script+AD4-",
};

/* "@" stands for the text. */
static const char hostile_form[] =
    "Return-Path: <\"@\"!a.example>\r\n"
    "Authentication-Results: mx.receiver.example; dkim=pass (@) reason=\"@\" header.d=\"@\"; "
    "spf=@\r\n"
    "Authentication-Results: @; dkim=@; dmarc=pass header.from=@\r\n"
    "ARC-Authentication-Results: i=1; @; dkim=@\r\n"
    "Received: from @ (@ [192.0.2.10]) by @ with @ id @ for <@>; Mon, 26 Oct 2026 00:01:00 "
    "+0000\r\n"
    "Received: from @ by @; @\r\n"
    "DKIM-Signature: v=1; a=@; c=@; d=@; s=@; h=from:@; bh=@; b=@\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example; s=s2026; h=from; "
    "bh=QUJD; "
    "b=QUJD; i=@\r\n"
    "From: \"@\" <orders!shop.example>\r\n"
    "To: @\r\nSubject: @\r\nDate: @\r\nMessage-ID: @\r\nList-Unsubscribe: @\r\n@: x\r\n"
    "\r\n@\r\n";

/* A message that says `text` wherever it can. */
static char *hostile_message(const char *text)
{
    char *message = NULL;
    size_t n;
    FILE *out = open_memstream(&message, &n);
    for (const char *c = hostile_form; *c; c++) {
        if (*c == '@')
            fputs(text, out);
        else
            fputc(*c == '!' ? '@' : *c, out);
    }
    fclose(out);
    return message;
}

Test(html, nothing_of_a_message_becomes_markup)
{
    char path[160], zone[128];
    snprintf(zone, sizeof zone, "%s", page_zone());
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char *message = hostile_message(hostile[i]);
        char *page = page_of(span_from_string(message),
                             (const char *const[]){"--ip", CLIENT, "--helo", hostile[i],
                                                   "--mail-from", hostile[i], "--dns", zone, NULL},
                             path);
        cr_expect(expect_our_markup(page) > 100, "%s", hostile[i]);
        cr_expect(strstr(page, "<h1>") && strstr(page, "default-src &#39;none") == NULL);
        for (const char *c = page; *c; c++)
            cr_assert((uint8_t)*c >= ' ' || *c == '\n' || *c == '\t', "%s: byte %d", hostile[i],
                      *c);
        cr_expect(!strstr(page, "\xe2\x80\xae") && !strstr(page, "\xe2\x80\x8b"), "%s", hostile[i]);
        free(message);
        free(page);
    }
}

/* What a reader cannot see is shown by its number, other scripts as they are. */
Test(html, text_of_strangers)
{
    char path[160];
    char *text = sample_with("pass.eml", "Subject: Your order 4711",
                             "Subject: \xe2\x82\xac \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d <b> & "
                             "\"q\" 'a' \xe2\x80\xae"
                             "exe");
    char *page =
        page_of(span_from_string(text), (const char *const[]){"--dns", page_zone(), NULL}, path);
    cr_expect(strstr(page,
                     "<h1>\xe2\x82\xac \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d &lt;b&gt; &amp; "
                     "&quot;q&quot; &#39;a&#39; <span class=\"esc\">\\u{202E}</span>exe</h1>"),
              "%.2000s", strstr(page, "<h1>"));
    cr_expect(strstr(page, "content=\"default-src 'none'; style-src 'sha256-"));
    free(text);
    free(page);
}

/* Every text that ends in the middle of a character, in front of a page that cannot be read. */
Test(html, texts_end_where_they_end)
{
    static const char text[] = "a<\xe2\x80\xae\xf0\x9f\x98\x80\r\n\r\xc3\xa9&";
    for (size_t n = 0; n < sizeof text; n++) {
        struct buffer out;
        buffer_init(&out, 4096);
        html_span(&out, guard_copy(span_of(text, n)));
        cr_expect(!out.failed && (n < 2 || memcmp(out.p, "a&lt;", 5) == 0));
        buffer_fini(&out);
    }
}

/* --- files --- */

Test(html, whole_or_not_at_all)
{
    char path[160], other[192];
    char *page = page_of_sample("pass.eml", CLIENT, SHOP, path);
    cr_expect(strcmp(page + strlen(page) - 8, "</html>\n") == 0);
    struct outcome quiet =
        ASSAY("explain", "--html", path, "--dns", page_zone(), SAMPLES "pass.eml");
    cr_expect(quiet.status == 0 && !*quiet.out && !*quiet.err, "%s%s", quiet.out, quiet.err);
    struct outcome json =
        ASSAY("explain", "--json", "--html", path, "--dns", page_zone(), SAMPLES "pass.eml");
    cr_expect(json.status == 0 && json.out[0] == '{' && count_lines(json.out) == 1);
    struct outcome none =
        ASSAY("explain", "--html", path, "--dns", page_zone(), "/nonexistent/mail");
    cr_expect(none.status == 66 && access(path, R_OK) == 0);
    snprintf(other, sizeof other, "%s/none/page.html", temporary_folder());
    struct outcome nowhere =
        ASSAY("explain", "--html", other, "--dns", page_zone(), SAMPLES "pass.eml");
    cr_expect(nowhere.status == 73 && count_lines(nowhere.err) == 1, "%d %s", nowhere.status,
              nowhere.err);
    struct outcome dash = ASSAY("explain", "--html", "-", SAMPLES "pass.eml");
    cr_expect(dash.status == 64 && strstr(dash.err, "--html"), "%s", dash.err);
    struct outcome two = ASSAY("explain", "--html", path, SAMPLES "pass.eml", SAMPLES "forged.eml");
    cr_expect(two.status == 64 && strstr(two.err, "one message"), "%s", two.err);
    free(page);
}

/* --- a browser --- */

/* A way of five hops, an hour's wait, a clock that is wrong, results of three hosts. */
static const char long_way[] =
    "Return-Path: <orders@shop.example>\r\n"
    "Received: from in.receiver.example (in.receiver.example [10.0.0.7]) by mail.receiver.example "
    "with LMTP id q5; Mon, 26 Oct 2026 01:04:20 +0000\r\n"
    "Authentication-Results: in.receiver.example; spf=pass smtp.mailfrom=shop.example; "
    "dkim=pass header.d=shop.example; dmarc=pass header.from=shop.example\r\n"
    "Received: from mx.shop.example (mx.shop.example [192.0.2.10]) (using TLSv1.3 with cipher "
    "TLS_AES_256_GCM_SHA384) by in.receiver.example (Postfix) with ESMTPS id q4 for "
    "<ada@receiver.example>; Mon, 26 Oct 2026 01:04:10 +0000\r\n"
    "Authentication-Results: mail.receiver.example; dkim=pass header.d=shop.example\r\n"
    "Received: from queue.shop.example (queue.shop.example [192.0.2.11]) by mx.shop.example with "
    "ESMTP id q3; Mon, 26 Oct 2026 01:04:00 +0000\r\n"
    "Received: from web.shop.example (web.shop.example [192.0.2.12]) by queue.shop.example with "
    "ESMTPSA id q2; Mon, 26 Oct 2026 00:00:30 +0000\r\n"
    "Received: by web.shop.example id q1; Mon, 26 Oct 2026 00:02:00 +0000\r\n";

/* Least contrast of a text and the ground it stands on (WCAG 2.1, 1.4.3), times 100. */
static const char contrast[] =
    "(()=>{const lum=c=>{const v=c.slice(0,3).map(x=>{x/=255;return x<=.03928?x/12.92:"
    "Math.pow((x+.055)/1.055,2.4)});return .2126*v[0]+.7152*v[1]+.0722*v[2]};"
    "const rgb=s=>s.match(/[\\d.]+/g).map(Number);"
    "const ground=e=>{for(;e;e=e.parentElement){const c=rgb(getComputedStyle(e).backgroundColor);"
    "if(c.length<4||c[3]>0)return c}return [255,255,255]};let least=2100;"
    "for(const d of document.querySelectorAll('details'))d.open=true;"
    "const w=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT);"
    "for(let n=w.nextNode();n;n=w.nextNode()){if(!n.data.trim())continue;const e=n.parentElement;"
    "const a=lum(rgb(getComputedStyle(e).color)),b=lum(ground(e));"
    "least=Math.min(least,100*(Math.max(a,b)+.05)/(Math.min(a,b)+.05))}return "
    "Math.floor(least)})()";

/* Texts that stick out of the window, with all details open. */
static const char overflow[] =
    "(()=>{for(const d of document.querySelectorAll('details'))d.open=true;"
    "const wide=document.documentElement.clientWidth;let out=0;"
    "for(const e of document.body.querySelectorAll('*')){const r=e.getBoundingClientRect();"
    "if(r.width&&(r.right>wide+.5||r.left<-.5))out++}"
    "return out+Math.max(0,document.documentElement.scrollWidth-wide)})()";

/* Sum of red, green and blue of the first pixel of a PNG. */
static const char pixel[] =
    "(async()=>{const i=new Image();i.src='data:image/png;base64,%s';await i.decode();"
    "const c=document.createElement('canvas');c.width=i.width;c.height=i.height;"
    "const x=c.getContext('2d');x.drawImage(i,0,0);const p=x.getImageData(2,2,1,1).data;"
    "return (p[0]+p[1]+p[2])*10000+Math.min(9999,i.width)})()";

static void keep_shot(const char *name, const char *data)
{
    const char *folder = getenv("ASSAY_SCREENSHOTS");
    char path[256];
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    size_t n = strlen(data);
    uint8_t *png = malloc(n);
    size_t bytes = 0;
    FILE *file = fopen(path, "wb");
    if (file && png && base64_decode(span_of(data, n), png, n, &bytes))
        fwrite(png, 1, bytes, file);
    if (file)
        fclose(file);
    free(png);
}

struct look
{
    const char *name;
    int width;
    bool dark;
};

static const struct look looks[] = {{"narrow-light", 360, false},
                                    {"narrow-dark", 360, true},
                                    {"wide-light", 1400, false},
                                    {"wide-dark", 1400, true}};

/* The pictures are looked at in an empty page, since the policy of ours forbids images. */
static void expect_pixels(struct browser *browser, char *const *shots)
{
    browser_open(browser, "/dev/null");
    for (size_t i = 0; i < 4; i++) {
        char *expression = NULL;
        cr_assert(asprintf(&expression, pixel, shots[i]) > 0);
        int64_t value = browser_number(browser, expression);
        cr_expect_eq(value % 10000, looks[i].width, "%s: %lld wide", looks[i].name,
                     (long long)(value % 10000));
        cr_expect(looks[i].dark ? value / 10000 < 150 : value / 10000 > 650, "%s: brightness %lld",
                  looks[i].name, (long long)(value / 10000));
        free(expression);
    }
}

/* Measures it in all four; with `shoot` looks at the pictures too. */
static void look_at(struct browser *browser, const char *sample, const char *path, bool shoot)
{
    char *shots[4] = {NULL}, name[160];
    browser_open(browser, path);
    cr_expect_eq(browser->requests, 1, "%s: the page asks for %u things", sample,
                 browser->requests);
    cr_expect_eq(browser->complaints, 0, "%s: the browser complains", sample);
    cr_expect_eq(browser_number(browser, "document.scripts.length+document.images.length+"
                                         "document.links.length+document.forms.length"),
                 0, "%s", sample);
    for (size_t i = 0; i < 4; i++) {
        browser_set(browser, looks[i].width, looks[i].dark);
        int64_t out = browser_number(browser, overflow);
        cr_expect_eq(out, 0, "%s, %s: %lld elements stick out", sample, looks[i].name,
                     (long long)out);
        int64_t least = browser_number(browser, contrast);
        cr_expect(least >= 450, "%s, %s: a contrast of %lld.%02lld", sample, looks[i].name,
                  (long long)least / 100, (long long)least % 100);
        if (!shoot && !getenv("ASSAY_SCREENSHOTS"))
            continue;
        shots[i] = browser_shot(browser);
        snprintf(name, sizeof name, "%s-%s", sample, looks[i].name);
        keep_shot(name, shots[i]);
    }
    if (shoot)
        expect_pixels(browser, shots);
    for (size_t i = 0; i < 4; i++)
        free(shots[i]);
}

/* Headings go down one step at a time; every table has a caption and header cells. */
static void expect_outline(struct browser *browser, const char *path)
{
    browser_open(browser, path);
    cr_expect_eq(browser_number(browser, "document.querySelectorAll('h1').length"), 1);
    cr_expect_eq(browser_number(browser, "(()=>{let last=0,bad=0;for(const h of "
                                         "document.querySelectorAll('h1,h2,h3,h4')){const l=+h."
                                         "tagName[1];if(l>last+1)bad++;last=l}return bad})()"),
                 0);
    cr_expect_eq(browser_number(browser, "[...document.querySelectorAll('table')].filter(t=>!t."
                                         "caption||!t.querySelector('thead th[scope=col]'))."
                                         "length"),
                 0);
    cr_expect(browser_number(browser, "document.querySelectorAll('section>h2').length") >= 5);
    cr_expect_eq(browser_number(browser, "[...document.querySelectorAll('section')].filter(s=>!"
                                         "document.getElementById(s.getAttribute("
                                         "'aria-labelledby'))).length"),
                 0);
}

/* One browser for all: its start is what takes time. */
Test(html, in_a_browser)
{
    static struct browser browser; /* outlives a test that fails */
    char path[160];
    browser_start(&browser);
    char *page = page_of_sample("fail-subject.eml", "192.0.2.90", "a@relay.example", path);
    look_at(&browser, "fail", path, true);
    expect_outline(&browser, path);
    free(page);
    free(page_of_sample("list-arc-two-sets.eml", "192.0.2.90", "bounce@lists.example", path));
    look_at(&browser, "list", path, false);
    char *way = sample_with("pass.eml", "DKIM-Signature:", "DKIM-Signature:"), *text = NULL;
    cr_assert(asprintf(&text, "%s%s", long_way, way) > 0);
    free(page_of(span_from_string(text), (const char *const[]){"--dns", page_zone(), NULL}, path));
    look_at(&browser, "way", path, false);
    free(way);
    free(text);
    char *message =
        hostile_message("</pre><script>document.title='owned'</script>"
                        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
    page = page_of(
        span_from_string(message),
        (const char *const[]){"--ip", CLIENT, "--mail-from", SHOP, "--dns", page_zone(), NULL},
        path);
    look_at(&browser, "hostile", path, false);
    browser_open(&browser, path);
    cr_expect_eq(browser_number(&browser, "document.title.startsWith('assay: </pre><script>')?1:0"),
                 1);
    free(message);
    free(page);
    browser_stop(&browser);
}
