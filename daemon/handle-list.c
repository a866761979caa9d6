/* SPDX-License-Identifier: Apache-2.0 */
/* The register's lists: activities, offers, policies, funders, keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "page.h"
#include "policy.h"

static ProtobufCBinaryData binary(const uint8_t *data, size_t n) {
    return (ProtobufCBinaryData){.len = n, .data = (uint8_t *)(uintptr_t)data};
}

static void *allocate(struct call *call, size_t n, size_t n_element) {
    return arena_alloc(call->arena, (n + 1) * n_element);
}

static int page_of(struct call *call, enum state_table table, const Timebank__Page *ask,
                   struct page *ret) {
    return page_make(ret, bank_state(call->bank), table, ask, call->bank->settings.page_entries,
                     call->arena);
}

int handle_list_activities(struct call *call) {
    Timebank__Activities *list = arena_alloc(call->arena, sizeof(*list));
    struct page page;
    int r = page_of(call, STATE_ACTIVITIES, call->request->activities, &page);

    if (r < 0 || !list)
        return r < 0 ? r : -ENOMEM;
    timebank__activities__init(list);
    list->names = allocate(call, page.n, sizeof(char *));
    list->tags = allocate(call, page.n, sizeof(char *));
    list->set_by = allocate(call, page.n, sizeof(*list->set_by));
    if (!list->names || !list->tags || !list->set_by)
        return -ENOMEM;
    for (size_t i = 0; i < page.n; i++) {
        const struct state_activity *activity = page.items[i].value;
        list->names[i] = (char *)(uintptr_t)page.items[i].name;
        list->tags[i] = call_copy(call, activity->tags);
        list->set_by[i] = binary(activity->set_by, ORDER_ID_BYTES);
        if (!list->tags[i])
            return -ENOMEM;
    }
    list->n_names = list->n_tags = list->n_set_by = page.n;
    list->more = page.more;
    call->response->activities = list;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ACTIVITIES;
    return 0;
}

/* As it was last set, but for the name. */
static Timebank__SetOffer *rules_of(struct call *call, const struct state_offer *offer) {
    Timebank__SetOffer *rules = arena_alloc(call->arena, sizeof(*rules));

    if (!rules)
        return NULL;
    timebank__set_offer__init(rules);
    rules->price_minutes = offer->price_minutes;
    rules->weekdays = offer->weekdays;
    rules->from_minute = offer->from_minute;
    rules->to_minute = offer->to_minute;
    rules->from_day = offer->from_day;
    rules->to_day = offer->to_day;
    rules->ages = (Timebank__OfferAges)offer->ages;
    rules->party_max = offer->party_max;
    rules->heads_a_day = offer->heads_a_day;
    rules->times_a_month = offer->times_a_month;
    rules->minutes_a_month = offer->minutes_a_month;
    rules->withdrawn = offer->is_withdrawn;
    return rules;
}

int handle_list_offers(struct call *call) {
    Timebank__Offers *list = arena_alloc(call->arena, sizeof(*list));
    struct page page;
    int r = page_of(call, STATE_OFFERS, call->request->offers, &page);

    if (r < 0 || !list)
        return r < 0 ? r : -ENOMEM;
    timebank__offers__init(list);
    list->venues = allocate(call, page.n, sizeof(char *));
    list->names = allocate(call, page.n, sizeof(char *));
    list->price_minutes = allocate(call, page.n, sizeof(*list->price_minutes));
    list->set_by = allocate(call, page.n, sizeof(*list->set_by));
    list->rules = allocate(call, page.n, sizeof(*list->rules));
    if (!list->venues || !list->names || !list->price_minutes || !list->set_by || !list->rules)
        return -ENOMEM;
    for (size_t i = 0; i < page.n; i++) {
        const struct state_offer *offer = page.items[i].value;
        char *venue = call_copy(call, page.items[i].name),
             *slash = venue ? strchr(venue, '/') : NULL;
        if (!slash)
            return venue ? -EUCLEAN : -ENOMEM;
        *slash = '\0';
        list->venues[i] = venue;
        list->names[i] = slash + 1;
        list->price_minutes[i] = offer->price_minutes;
        list->set_by[i] = binary(offer->set_by, ORDER_ID_BYTES);
        list->rules[i] = rules_of(call, offer);
        if (!list->rules[i])
            return -ENOMEM;
    }
    list->n_venues = list->n_names = list->n_price_minutes = list->n_set_by = page.n;
    list->n_rules = page.n;
    list->more = page.more;
    call->response->offers = list;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_OFFERS;
    return 0;
}

int handle_list_policies(struct call *call) {
    struct state *state = bank_state(call->bank);
    Timebank__Policies *list = arena_alloc(call->arena, sizeof(*list));
    size_t n = 0;

    while (policies[n].name)
        n++;
    if (!list)
        return -ENOMEM;
    timebank__policies__init(list);
    list->names = allocate(call, n, sizeof(char *));
    list->values = allocate(call, n, sizeof(char *));
    list->helps = allocate(call, n, sizeof(char *));
    if (!list->names || !list->values || !list->helps)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        list->names[i] = call_copy(call, policies[i].name);
        list->values[i] = call_copy(call, state_policy(state, policies[i].name));
        list->helps[i] = call_copy(call, policies[i].help);
        if (!list->names[i] || !list->values[i] || !list->helps[i])
            return -ENOMEM;
    }
    list->n_names = list->n_values = list->n_helps = n;
    call->response->policies = list;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_POLICIES;
    return 0;
}

int handle_list_funders(struct call *call) {
    Timebank__Names *list = arena_alloc(call->arena, sizeof(*list));
    struct page page;
    int r = page_of(call, STATE_FUNDERS, call->request->funders, &page);

    if (r < 0 || !list)
        return r < 0 ? r : -ENOMEM;
    timebank__names__init(list);
    list->names = allocate(call, page.n, sizeof(char *));
    list->set_by = allocate(call, page.n, sizeof(*list->set_by));
    if (!list->names || !list->set_by)
        return -ENOMEM;
    for (size_t i = 0; i < page.n; i++) {
        const struct state_funder *funder = page.items[i].value;
        list->names[i] = (char *)(uintptr_t)page.items[i].name;
        list->set_by[i] = binary(funder->set_by, ORDER_ID_BYTES);
    }
    list->n_names = list->n_set_by = page.n;
    list->more = page.more;
    call->response->funders = list;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_FUNDERS;
    return 0;
}

static int compare_granted(const void *a, const void *b) {
    const struct row *const *x = a, *const *y = b;
    const struct state_key *k = (const void *)(*x)->value, *l = (const void *)(*y)->value;

    if (k->granted != l->granted)
        return k->granted < l->granted ? -1 : 1;
    return memcmp((*x)->key, (*y)->key, SSHSIG_PUBLIC_BYTES);
}

/* All of them, in the order they were granted: keys are few. */
int handle_list_keys(struct call *call) {
    const struct rows *rows = &bank_state(call->bank)->tables[STATE_KEYS];
    Timebank__Keys *list = arena_alloc(call->arena, sizeof(*list));
    const struct row **sorted = allocate(call, rows->n_rows, sizeof(struct row *));
    size_t n = 0;

    if (!list || !sorted)
        return -ENOMEM;
    for (const struct row *row = rows_next(rows, NULL); row; row = rows_next(rows, row))
        sorted[n++] = row;
    qsort(sorted, n, sizeof(struct row *), compare_granted);
    timebank__keys__init(list);
    list->keys = allocate(call, n, sizeof(*list->keys));
    list->roles = allocate(call, n, sizeof(*list->roles));
    list->accounts = allocate(call, n, sizeof(char *));
    list->granted = allocate(call, n, sizeof(*list->granted));
    list->revoked = allocate(call, n, sizeof(*list->revoked));
    list->report_classes = allocate(call, n, sizeof(*list->report_classes));
    if (!list->keys || !list->roles || !list->accounts || !list->granted || !list->revoked ||
        !list->report_classes)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct state_key *key = (const void *)sorted[i]->value;
        list->keys[i] = binary(sorted[i]->key, SSHSIG_PUBLIC_BYTES);
        list->roles[i] = key->role;
        list->accounts[i] = call_copy(call, key->account);
        list->granted[i] = key->granted;
        list->revoked[i] = key->revoked;
        list->report_classes[i] = (Timebank__ReportClass)key->report_class;
        if (!list->accounts[i])
            return -ENOMEM;
    }
    list->n_keys = list->n_roles = list->n_accounts = list->n_granted = list->n_revoked = n;
    list->n_report_classes = n;
    call->response->keys = list;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_KEYS;
    return 0;
}
