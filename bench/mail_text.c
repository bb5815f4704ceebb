#include "bench/mail_text.h"

#include "base/base64.h"

enum
{
    RECEIVED_FIELDS = 6,
};

void mail_text_header(struct buffer *text, unsigned domain, unsigned number)
{
    for (unsigned i = 0; i < RECEIVED_FIELDS; i++)
        buffer_printf(text,
                      "Received: from relay%u.d%u.example (relay%u.d%u.example [192.0.2.%u])\r\n"
                      "\tby mx%u.d%u.example (Mailer 3.14) with ESMTPS id %08x%08x\r\n"
                      "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
                      "\tfor <ada@receiver.example>; Mon, 26 Oct 2026 00:00:%02u +0000 (UTC)\r\n",
                      i, domain, i, domain, i + 1, i, domain, number, i * 7919, i);
    buffer_printf(text,
                  "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                  "From: Sender <sender@d%u.example>\r\n"
                  "To: Ada <ada@receiver.example>\r\n"
                  "Subject: Your order %u has left our house today\r\n"
                  "Message-ID: <%u.%u@d%u.example>\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/html; charset=utf-8\r\n"
                  "List-Unsubscribe: <https://d%u.example/unsubscribe?id=%u>\r\n"
                  "X-Mailer: made by a benchmark\r\n\r\n",
                  domain, number, number, domain, domain, domain, number);
}

bool mail_text_public(const struct private_key *key, char out[MAIL_TEXT_PUBLIC_MAX])
{
    struct buffer bytes;
    buffer_init(&bytes, MAIL_TEXT_PUBLIC_MAX);
    bool good = private_key_public(key, &bytes) && !bytes.failed &&
                BASE64_ENCODED_LENGTH(bytes.n) < MAIL_TEXT_PUBLIC_MAX;
    if (good) {
        base64_encode(buffer_span(&bytes), out);
        out[BASE64_ENCODED_LENGTH(bytes.n)] = '\0';
    }
    buffer_fini(&bytes);
    return good;
}
