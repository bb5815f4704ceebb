/*
 * libspf2: SPF alone, answers from its own in-memory DNS cache (filled by the first message of each
 * domain from its zone layer), for a client, HELO and MAIL FROM as in the set.
 *
 *   libspf2 FOLDER SECONDS     see common.py
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <spf2/spf.h>
#include <spf2/spf_dns_cache.h>
#include <spf2/spf_dns_zone.h>

enum
{
    LINE = 2048,
    SENDERS = 4096,
    CACHE_BITS = 12,
};

static char *senders[SENDERS];
static unsigned sender_count;

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "libspf2: %s\n", what);
    exit(70);
}

/* One TXT line: its strings joined, the name without its dot. */
static void add_record(SPF_dns_server_t *zone, char *line)
{
    char text[LINE], *name = strtok(line, " ");
    size_t n = 0;
    bool inside = false;
    const char *rest = name ? strstr(name + strlen(name) + 1, " TXT ") : NULL;
    if (!rest)
        return;
    for (const char *p = rest; *p; p++) {
        if (*p == '"')
            inside = !inside;
        else if (inside && n + 1 < sizeof text)
            text[n++] = *p;
    }
    text[n] = '\0';
    if (strncmp(text, "v=spf1", 6) != 0)
        return;
    name[strlen(name) - 1] = '\0';
    if (SPF_dns_zone_add_str(zone, name, ns_t_txt, NETDB_SUCCESS, text) != SPF_E_SUCCESS)
        stop("a record is refused");
}

static void read_lines(const char *folder, const char *name, SPF_dns_server_t *zone)
{
    char path[512], line[LINE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        stop(path);
    while (fgets(line, sizeof line, file)) {
        if (zone) {
            add_record(zone, line);
            continue;
        }
        strtok(line, "\t");
        const char *sender = strtok(NULL, "\t");
        if (sender && sender_count < SENDERS)
            senders[sender_count++] = strdup(sender);
    }
    fclose(file);
}

static bool judge(SPF_server_t *server, const char *sender)
{
    SPF_request_t *request = SPF_request_new(server);
    SPF_response_t *response = NULL;
    if (!request || SPF_request_set_ipv4_str(request, "192.0.2.25") != SPF_E_SUCCESS ||
        SPF_request_set_helo_dom(request, "mail.sender.example") ||
        SPF_request_set_env_from(request, sender))
        stop("a request is refused");
    SPF_request_query_mailfrom(request, &response);
    bool pass = response && SPF_response_result(response) == SPF_RESULT_PASS;
    if (response)
        SPF_response_free(response);
    SPF_request_free(request);
    return pass;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        stop("FOLDER SECONDS");
    SPF_dns_server_t *zone = SPF_dns_zone_new(NULL, "zone", 0);
    SPF_dns_server_t *cache = SPF_dns_cache_new(zone, "cache", 0, CACHE_BITS);
    SPF_server_t *server = SPF_server_new_dns(cache, 0);
    if (!server)
        stop("no memory");
    read_lines(argv[1], "zone.txt", zone);
    read_lines(argv[1], "index.tsv", NULL);
    unsigned long judged = 0, wrong = 0;
    for (unsigned i = 0; i < sender_count; i++)
        judge(server, senders[i]);
    double begin = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    while (sender_count && seconds_of(CLOCK_MONOTONIC) - begin < atof(argv[2]))
        for (unsigned i = 0; i < sender_count; i++, judged++)
            wrong += !judge(server, senders[i]);
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    int major, minor, patch;
    SPF_get_lib_version(&major, &minor, &patch);
    printf(
        "{\"name\":\"libspf2 (SPF alone)\",\"version\":\"%d.%d.%d\",\"messages\":%lu,\"wrong\":%lu,"
        "\"cpu_us_per_message\":%.2f,\"messages_per_s\":%.0f}\n",
        major, minor, patch, judged, wrong, 1e6 * cpu / (double)judged,
        (double)judged / (seconds_of(CLOCK_MONOTONIC) - begin));
    return 0;
}
