/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report that was verified, asked of the bank a second time: same period, class, cut-off and
 * position must give the same bytes. Only what rests on the register of people may have changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/files.h"
#include "client.h"
#include "verify.h"

#define FILE_MAX (32u * 1024 * 1024)

static const char *text_of(const json_t *report, const char *key) {
    const char *text = json_string_value(json_object_get(report, key));
    return text ? text : "";
}

static int ask_read(struct client *client, const json_t *report, struct tb_report_ask *ask) {
    json_t *size = json_object_get(json_object_get(report, "position"), "size");
    int r = client_date(client, text_of(report, "from"), &ask->from_day);
    if (r == CLIENT_DONE)
        r = client_date(client, text_of(report, "to"), &ask->to_day);
    if (r == CLIENT_DONE)
        r = client_date(client, text_of(report, "as_known_at"), &ask->known_day);
    ask->at_size = (uint64_t)json_integer_value(size);
    ask->as_recorded = json_is_true(json_object_get(report, "as_recorded"));
    ask->report_class = (enum tb_report_class)tb_report_class_from_name(text_of(report, "class"));
    return r;
}

static bool member_is_same(const json_t *one, const json_t *other, const char *key) {
    return json_equal(json_object_get(one, key), json_object_get(other, key)) != 0;
}

/* The figures from the log alone are promised for ever. */
static int figures_compare(struct client *client, const json_t *report, const char *again,
                           const char **ret_said) {
    json_t *now = json_loads(again, JSON_REJECT_DUPLICATES, NULL);
    bool is_same = now && member_is_same(report, now, "measures") &&
                   member_is_same(report, now, "further_measures");
    json_decref(now);
    if (!is_same)
        return client_refuse(client, TB_NOT_VERIFIED,
                             "The bank signed this report, and now gives other figures for the "
                             "same question: keep both, see timebank report --compare, and ask an "
                             "auditor.");
    *ret_said = "The bank reckoned it again at this position: the same, but for the figures that "
                "rest on the register of people, which has changed since.";
    return CLIENT_DONE;
}

static int report_compare(struct client *client, const struct bytes *file, const char **ret_said) {
    json_t *report = json_loadb((const char *)file->data, file->n, JSON_REJECT_DUPLICATES, NULL);
    struct tb_report_ask ask = {0};
    char *again = NULL;
    int status = report ? ask_read(client, report, &ask) : client_outcome(client, -EBADMSG);
    if (status == CLIENT_DONE)
        status = client_open(client);
    if (status == CLIENT_DONE)
        status = client_outcome(client, tb_report_get(client->bank, &ask, &again));
    if (status == CLIENT_DONE) {
        if (strlen(again) + 1 == file->n && memcmp(again, file->data, file->n - 1) == 0)
            *ret_said = "The bank reckoned it again at this position: the same, byte for byte.";
        else
            status = figures_compare(client, report, again, ret_said);
    }
    free(again);
    json_decref(report);
    return status;
}

int verify_again(struct client *client, const char *path, const char **ret_said) {
    _cleanup_bytes_ struct bytes file = {0};
    int r = file_read(path, FILE_MAX, &file);
    return r < 0 ? client_outcome(client, r) : report_compare(client, &file, ret_said);
}
