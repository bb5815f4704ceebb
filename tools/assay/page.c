/* Words, margins, lines. Everything that is put is escaped (security.md J08). */
#include "page.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"
#include "command.h"

enum
{
    WIDTH_DEFAULT = 80,
    WIDTH_MIN = 40,
    WIDTH_MAX = 200,
};

static size_t terminal_width(void)
{
    struct winsize size;
    uint64_t columns = 0;
    const char *text = getenv("COLUMNS");
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    else if (!text || !number_parse(span_from_string(text), 4, &columns))
        columns = WIDTH_DEFAULT;
    if (columns < WIDTH_MIN)
        return WIDTH_MIN;
    return columns > WIDTH_MAX ? WIDTH_MAX : (size_t)columns;
}

void page_end_line(struct page *page)
{
    if (page->column)
        fputc('\n', page->out);
    page->column = 0;
}

void page_blank_line(struct page *page)
{
    page_end_line(page);
    fputc('\n', page->out);
}

void page_indent(struct page *page)
{
    while (page->column < page->margin) {
        fputc(' ', page->out);
        page->column++;
    }
}

/* As print_escaped writes it: 4 columns for what is no printable ASCII. */
static size_t shown_width(struct span text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.n; i++)
        width += text.p[i] >= 0x20 && text.p[i] <= 0x7e ? 1 : 4;
    return width;
}

static void put_word(struct page *page, struct span word)
{
    size_t width = shown_width(word);
    bool begins = page->column <= page->margin;
    if (!begins && page->column + 1 + width > page->width) {
        page_end_line(page);
        begins = true;
    }
    if (begins) {
        page_indent(page);
    } else {
        fputc(' ', page->out);
        page->column++;
    }
    print_escaped(word, page->out);
    page->column += width;
}

void page_put_span(struct page *page, struct span text)
{
    while (text.n) {
        size_t end = span_find(text, ' ');
        if (end)
            put_word(page, span_slice(text, 0, end));
        text = span_skip(text, end < text.n ? end + 1 : end);
    }
}

void page_put(struct page *page, const char *text)
{
    page_put_span(page, span_from_string(text));
}

void page_put_json(struct page *page, const json_t *text)
{
    page_put_span(page, span_of(json_string_value(text), json_string_length(text)));
}

void page_put_number(struct page *page, json_int_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", number);
    page_put(page, text);
}

/* Label in its own column, the text behind it. */
void page_row(struct page *page, size_t margin, const char *label)
{
    page_end_line(page);
    page->margin = margin;
    fprintf(page->out, "  %-*s", (int)margin - 2, label);
    page->column = margin;
}

void page_heading(struct page *page, const char *text)
{
    page_blank_line(page);
    page->margin = 0;
    page_put(page, text);
    page_end_line(page);
}

void page_begin(struct page *page, FILE *out)
{
    *page = (struct page){.out = out, .width = terminal_width()};
}
