/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank activity: what help consists of, as the bank calls it.
 */
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"

/* The tags separated by spaces, as an order holds them; the caller's. NULL on no memory. */
static char *tags_join(const struct options_list *tags) {
    size_t n = 1;
    for (size_t i = 0; i < tags->n; i++)
        n += strlen(tags->items[i]) + 1;
    char *joined = calloc(1, n);
    for (size_t i = 0; joined && i < tags->n; i++) {
        if (i > 0)
            strcat(joined, " ");
        strcat(joined, tags->items[i]);
    }
    return joined;
}

static int add_run(struct client *client, int argc, char **argv) {
    char *name = NULL;
    struct options_list tags = {0};
    const struct options_one options[] = {OPTION_LIST("tag", &tags), OPTION_END};
    int r = options_read(&verb_activity_add, argc, argv, options, 1, 1, &name);
    if (r != CLIENT_DONE)
        return r;
    for (size_t i = 0; i < tags.n; i++)
        if (strchr(tags.items[i], ' ') || !*tags.items[i])
            return client_usage(&verb_activity_add, "A tag is one word: \"%s\" is not.",
                                tags.items[i]);
    _cleanup_(freep) char *joined = tags_join(&tags);
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_SET_ACTIVITY;
    order.name = name;
    order.tags = joined;
    return client_record(client, &order);
}

const struct verb verb_activity_add = {
    .name = "activity add",
    .summary = "add an activity, or set its tags anew",
    .help = "timebank activity add gardening --tag outdoors --tag practical\n"
            "\n"
            "Adds an activity that hours can be recorded for. Of one that is there already it sets "
            "the\n"
            "tags anew.\n"
            "\n"
            "  --tag T   a group that it belongs to, for reports; may be repeated\n",
    .run = add_run,
};

static json_t *tags_split(const char *tags) {
    json_t *list = json_array();
    while (*tags) {
        size_t n = strcspn(tags, " ");
        if (n > 0)
            json_array_append_new(list, json_stringn(tags, n));
        tags += n + (tags[n] == ' ');
    }
    return list;
}

static int activity_keep(void *user, const struct tb_activity *activity) {
    return json_array_append_new(user,
                                 json_pack("{s:o, s:o}", "name", client_json_text(activity->name),
                                           "tags", tags_split(activity->tags)));
}

static void activity_tell(const json_t *row) {
    char tags[400] = "";
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(row, "tags"), i, tag) {
        size_t n = strlen(tags);
        snprintf(tags + n, sizeof(tags) - n, "%s%s", i > 0 ? ", " : "", json_string_value(tag));
    }
    client_line(stdout, "%-30s%s%s", json_string_value(json_object_get(row, "name")),
                *tags ? " " : "", tags);
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_activity_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_activity_list(client->bank, activity_keep, rows);
    return client_list_outcome(client, r, rows, activity_tell);
}

const struct verb verb_activity_list = {
    .name = "activity list",
    .summary = "every activity with its tags",
    .help = "timebank activity list\n"
            "\n"
            "Every activity that hours can be recorded for, with its tags.\n",
    .run = list_run,
};
