/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain way against the general one: random batches, near every line that an exchange can
 * cross, are judged in place, where plain orders go the short way, and on a state above another
 * one, where none does. Refusals, warnings, effects and rows are the same. PLAIN_BOOKS=n goes on
 * for n books (40 else).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "daemon/state-private.h"

#define DAY_MS 86400000ull
#define TODAY 20178u
#define N_BATCH 24
#define N_BATCH_LARGE 200 /* more than is looked ahead at once */
#define N_MEMBERS 6
#define N_IDS_KEPT 512

TestSuite(plain, .timeout = 120);

static struct state *here, *there;
static uint64_t seed, n_ids, n_ids_kept;
static uint8_t ids_kept[N_IDS_KEPT][ORDER_ID_BYTES];
static struct bytes bodies[N_BATCH_LARGE + 1];
static size_t n_orders;
static bool begun;
static size_t barred; /* an order that the daemon stands against, if it is there */
static const uint8_t *author_key;

/* What was recorded, at the numbers of its records. */
static struct bytes *records;
static size_t n_records;

static int read_order(void *user, uint64_t index, struct arena *arena, Timebank__Order **ret,
                      uint64_t *ret_received_at_ms) {
    (void)user;
    if (index >= n_records || records[index].n == 0)
        return 0;
    cr_assert(record_order_decode(records[index].data + 1, records[index].n - 1, arena, ret) == 0);
    *ret_received_at_ms = TODAY * DAY_MS;
    return 1;
}

static void keep_orders(uint64_t first) {
    size_t n = (size_t)first + n_orders;

    records = realloc(records, n * sizeof(*records));
    cr_assert(records);
    memset(records + n_records, 0, (n - n_records) * sizeof(*records));
    n_records = n;
    for (size_t i = 0; i < n_orders; i++) {
        records[first + i] = bodies[i];
        bodies[i] = (struct bytes){0};
    }
}

static void forget_orders(void) {
    for (size_t i = 0; i < n_records; i++)
        bytes_fini(&records[i]);
    free(records);
    records = NULL;
    n_records = 0;
}

static uint64_t any(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

static bool one_in(uint64_t n) {
    return any(n) == 0;
}

static struct state *genesis_state(void) {
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    ProtobufCBinaryData keys[1] = {{SSHSIG_PUBLIC_BYTES, (uint8_t *)(uintptr_t)key_of("steward")}};
    struct state_source source = {.order = read_order};
    struct state *state = state_new(&source), *above = state_new_above(state);

    genesis.format = 1;
    genesis.origin = "b.example/timebank";
    genesis.created_ms = TODAY * DAY_MS;
    genesis.n_steward_keys = 1;
    genesis.steward_keys = keys;
    cr_assert(ledger_genesis(above, &genesis) == 0);
    cr_assert(state_merge(above) == 0);
    return state;
}

static void put(Timebank__Order *order) {
    uint8_t id[ORDER_ID_BYTES] = {0};

    be64_put(id, ++n_ids);
    if (begun && one_in(60) && n_ids_kept > 0)
        memcpy(id, ids_kept[any(n_ids_kept)], sizeof(id));
    else
        memcpy(ids_kept[n_ids_kept < N_IDS_KEPT ? n_ids_kept++ : any(N_IDS_KEPT)], id, sizeof(id));
    order->id = (ProtobufCBinaryData){sizeof(id), id};
    if (order->kind_case >= 64)
        order->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    else if (!order->authority)
        order->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    record_order_encode(order, &bodies[n_orders++]);
}

/* ---- what a batch is of */

static char *member(void) {
    static char codes[2][24];
    static size_t next;
    char *code = codes[next++ % 2];

    snprintf(code, 24, one_in(5) ? "mem12345678%llu" : "m%llu",
             (unsigned long long)any(N_MEMBERS + (one_in(20) ? 1 : 0)));
    return code;
}

static void spoil(Timebank__Order *order) {
    static uint8_t id[ORDER_ID_BYTES] = {9}, note[32] = {5};
    static Timebank__Gift gift = TIMEBANK__GIFT__INIT;
    static Timebank__Earn earn = TIMEBANK__EARN__INIT;

    switch (any(18)) {
    case 0:
        order->source = one_in(2) ? TIMEBANK__SOURCE__HISTORY : (Timebank__Source)any(4);
        break;
    case 1:
        order->override = (uint32_t)any(64);
        break;
    case 2:
        order->activity = one_in(2) ? "cooking" : "unheard-of";
        break;
    case 3:
        order->from_person = "2";
        break;
    case 4:
        order->sheet = one_in(3) ? "a\nb" : "march";
        break;
    case 5:
        order->claimed_day = TODAY - 1;
        break;
    case 6:
        order->typed_minutes = order->minutes + 1;
        break;
    case 7:
        order->corrects = (ProtobufCBinaryData){sizeof(id), id};
        break;
    case 8:
        order->proposal = 1;
        break;
    case 9:
        order->service_day = (uint32_t[]){0, TODAY + 1, TODAY + 2, TODAY - 400}[any(4)];
        break;
    case 10:
        order->minutes = (uint64_t[]){0, 7, 100000001, 6000}[any(4)];
        break;
    case 11:
        order->authority = (Timebank__Authority)any(4);
        break;
    case 12:
        order->to = one_in(2) ? order->from : "food-bank";
        break;
    case 13:
        order->to_person = "2";
        break;
    case 14:
        order->line = 3;
        break;
    case 15:
        order->note = (ProtobufCBinaryData){one_in(8) ? 31 : sizeof(note), note};
        break;
    case 16:
        if (one_in(2)) {
            order->kind_case = TIMEBANK__ORDER__KIND_GIFT;
            order->gift = &gift;
        } else {
            order->kind_case = TIMEBANK__ORDER__KIND_EARN;
            order->earn = &earn;
        }
        break;
    default:
        order->claimed_day = order->service_day;
        break;
    }
}

static void put_exchange(void) {
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    order.from = member();
    order.to = member();
    order.minutes = 15 * (1 + any(one_in(8) ? 40 : 6));
    order.service_day = TODAY - (uint32_t)any(40);
    order.activity = one_in(3) ? "cooking" : "gardening";
    if (one_in(12))
        spoil(&order);
    put(&order);
}

static void put_policy(void) {
    static const char *const policies[][2] = {
        {"quantum", "15"},
        {"quantum", "30"},
        {"day-warn", "240"},
        {"day-warn", "none"},
        {"day-refuse", "600"},
        {"day-refuse", "none"},
        {"floor-member", "-600"},
        {"floor-member", "none"},
        {"ceiling-member", "900"},
        {"ceiling-member", "none"},
        {"soft-floor-member", "-60"},
        {"soft-floor-member", "none"},
        {"soft-ceiling-member", "60"},
        {"soft-ceiling-member", "none"},
        {"age-of-service", "30"},
        {"age-of-service", "any"},
        {"service-warn-days", "20"},
        {"second-person-above", "80"},
        {"second-person-above", "off"},
        {"spend-day", "600"},
        {"spend-day", "none"},
        {"service-warn-days", "any"},
    };
    Timebank__SetPolicy policy = TIMEBANK__SET_POLICY__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    size_t i = any(N_ELEMENTS(policies));

    order.kind_case = TIMEBANK__ORDER__KIND_SET_POLICY;
    order.set_policy = &policy;
    policy.name = (char *)policies[i][0];
    policy.value = (char *)policies[i][1];
    put(&order);
}

static void put_limit(void) {
    Timebank__SetLimit limit = TIMEBANK__SET_LIMIT__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    uint32_t spans[1] = {1};
    uint64_t most[1] = {120};

    order.kind_case = TIMEBANK__ORDER__KIND_SET_LIMIT;
    order.set_limit = &limit;
    order.to = member();
    if (one_in(2)) {
        limit.has_floor_case = TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
        limit.floor = -(int64_t)any(900);
    } else {
        limit.has_ceiling_case = TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;
        limit.ceiling = (int64_t)any(900);
    }
    if (one_in(4)) {
        limit.n_spans = limit.n_most = 1;
        limit.spans = spans;
        limit.most = most;
    }
    put(&order);
}

static void put_standing(void) {
    Timebank__Freeze freeze = TIMEBANK__FREEZE__INIT;
    Timebank__Thaw thaw = TIMEBANK__THAW__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.to = member();
    if (one_in(3)) {
        order.kind_case = TIMEBANK__ORDER__KIND_FREEZE;
        order.freeze = &freeze;
    } else {
        order.kind_case = TIMEBANK__ORDER__KIND_THAW;
        order.thaw = &thaw;
    }
    put(&order);
}

/* The second author: now a member, now a broker, now nobody. */
static void put_author(void) {
    static const Timebank__Role roles[] = {TIMEBANK__ROLE__ROLE_MEMBER, TIMEBANK__ROLE__BROKER};
    Timebank__GrantKey grant = TIMEBANK__GRANT_KEY__INIT;
    Timebank__RevokeKey revoke = TIMEBANK__REVOKE_KEY__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    ProtobufCBinaryData key = {SSHSIG_PUBLIC_BYTES, (uint8_t *)(uintptr_t)key_of("second")};

    if (one_in(40)) {
        order.kind_case = TIMEBANK__ORDER__KIND_REVOKE_KEY;
        order.revoke_key = &revoke;
        revoke.key = key;
    } else {
        order.kind_case = TIMEBANK__ORDER__KIND_GRANT_KEY;
        order.grant_key = &grant;
        grant.key = key;
        grant.role = roles[any(2)];
        order.to = grant.role == TIMEBANK__ROLE__ROLE_MEMBER || one_in(2) ? "m1" : "";
    }
    put(&order);
}

static void put_reverse(void) {
    Timebank__Reverse reverse = TIMEBANK__REVERSE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    if (n_ids_kept == 0)
        return;
    order.kind_case = TIMEBANK__ORDER__KIND_REVERSE;
    order.reverse = &reverse;
    reverse.target = (ProtobufCBinaryData){ORDER_ID_BYTES, ids_kept[any(n_ids_kept)]};
    put(&order);
}

static void put_account(const char *code, Timebank__AccountKind kind, uint32_t day) {
    Timebank__OpenAccount open = TIMEBANK__OPEN_ACCOUNT__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_OPEN_ACCOUNT;
    order.open_account = &open;
    open.kind = kind;
    order.to = (char *)code;
    order.service_day = day;
    put(&order);
}

static void put_activity(const char *name) {
    Timebank__SetActivity activity = TIMEBANK__SET_ACTIVITY__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_SET_ACTIVITY;
    order.set_activity = &activity;
    activity.name = (char *)name;
    put(&order);
}

static void put_advance(void) {
    Timebank__Advance advance = TIMEBANK__ADVANCE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_ADVANCE;
    order.advance = &advance;
    order.from = "advances";
    order.to = member();
    order.service_day = TODAY;
    order.minutes = 15 * (1 + any(6));
    put(&order);
}

/* Who is not there yet is, an order later. */
static void put_newcomer(void) {
    char code[24];

    snprintf(code, sizeof(code), "m%llu", (unsigned long long)any(N_MEMBERS + 1));
    put_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER, TODAY - (uint32_t)any(40));
    if (one_in(2))
        put_activity("unheard-of");
}

static void put_end(void) {
    Timebank__Close close = TIMEBANK__CLOSE__INIT;
    Timebank__Merge merge = TIMEBANK__MERGE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.to = member();
    if (one_in(2)) {
        order.kind_case = TIMEBANK__ORDER__KIND_CLOSE;
        order.close = &close;
    } else {
        const struct state_account *account = state_account(here, order.from = member());
        order.kind_case = TIMEBANK__ORDER__KIND_MERGE;
        order.merge = &merge;
        merge.balance = account ? account->balance : 0;
    }
    put(&order);
}

/* After one of these nothing is quiet any more, in the middle of a batch: a book has one theme. */
static void put_person(void) {
    Timebank__SetPerson person = TIMEBANK__SET_PERSON__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_SET_PERSON;
    order.set_person = &person;
    order.to = member();
    person.person = "2";
    put(&order);
}

static void put_safeguard(void) {
    Timebank__Safeguard safeguard = TIMEBANK__SAFEGUARD__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_SAFEGUARD;
    order.safeguard = &safeguard;
    order.to = member();
    safeguard.other = one_in(2) ? member() : "";
    safeguard.lifted = one_in(3);
    put(&order);
}

static void put_close(void) {
    Timebank__ClosePeriod close = TIMEBANK__CLOSE_PERIOD__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_CLOSE_PERIOD;
    order.close_period = &close;
    close.to_day = TODAY - (uint32_t)any(40);
    put(&order);
}

static void put_expiry(void) {
    Timebank__SetPolicy policy = TIMEBANK__SET_POLICY__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;

    order.kind_case = TIMEBANK__ORDER__KIND_SET_POLICY;
    order.set_policy = &policy;
    policy.name = "expiry-days";
    policy.value = one_in(2) ? "400" : "none";
    put(&order);
}

static void (*const themes[])(void) = {NULL,      put_person, put_safeguard,
                                       put_close, put_expiry, put_end};
static void (*theme)(void);

/* ---- judging it both ways */

static struct judging *judge_on(struct state *state) {
    struct batch_header header = {.n_orders = (uint32_t)n_orders};
    struct judging *judging = NULL;

    memcpy(header.author, author_key, sizeof(header.author));
    be64_put(header.batch_id, n_ids);
    cr_assert(judging_new(&judging, n_orders) == 0);
    for (size_t i = 0; i < n_orders; i++)
        judging_set(judging, i, bodies[i].data + 1, bodies[i].n - 1);
    if (barred < n_orders)
        judging_bar(judging, barred,
                    (struct ledger_bar){.refusal = REFUSAL_BAD_RELEASE, .field = ""});
    cr_assert(judging_run(judging, state, state->sums.size, &header, TODAY * DAY_MS + n_ids) == 0);
    return judging;
}

/* Returns whether the batch was recorded. */
static bool judge_both(void) {
    struct state *above = state_new_above(there);
    struct judging *a = judge_on(here), *b = judge_on(above);
    bool stands = a->batch.n_refusals == 0;

    books_compare_batches(&a->batch, &b->batch);
    if (stands) {
        keep_orders(a->batch.first);
        cr_assert(judging_keep(a) == 0 && judging_keep(b) == 0);
        cr_assert(state_merge(above) == 0);
    } else {
        judging_take_back(a);
        judging_take_back(b);
        state_free(above);
    }
    judging_free(a);
    judging_free(b);
    for (size_t i = 0; i < n_orders; i++)
        bytes_clear(&bodies[i]);
    n_orders = 0;
    return stands;
}

static void begin(uint64_t with) {
    char code[24];

    theme = themes[with % N_ELEMENTS(themes)];
    seed = with * 7919 + 88172645463325252ull;
    author_key = key_of("steward");
    barred = SIZE_MAX;
    here = genesis_state();
    there = genesis_state();
    put_activity("gardening");
    put_activity("cooking");
    put_account("food-bank", TIMEBANK__ACCOUNT_KIND__ORGANISATION, TODAY - 90);
    for (int i = 0; i < N_MEMBERS; i++) {
        snprintf(code, sizeof(code), "m%d", i);
        put_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER, TODAY - (i ? 90 : 10));
        snprintf(code, sizeof(code), "mem12345678%d", i);
        put_account(code, TIMEBANK__ACCOUNT_KIND__MEMBER, TODAY - 90);
    }
    cr_assert(judge_both());
    n_ids_kept = 0;
    begun = true;
}

static void end(void) {
    books_compare(here, there);
    books_compare(there, here);
    here = state_free(here);
    there = state_free(there);
    forget_orders();
    for (size_t i = 0; i < N_ELEMENTS(bodies); i++)
        bytes_fini(&bodies[i]);
    n_ids = 0;
    begun = false;
}

static void put_anything(void) {
    uint64_t what = any(70);

    if (what == 0)
        put_policy();
    else if (what == 1)
        put_limit();
    else if (what == 2)
        put_standing();
    else if (what == 3)
        put_reverse();
    else if (what == 4 || (what == 7 && one_in(2)))
        put_author();
    else if (what == 5)
        put_advance();
    else if (what == 6)
        put_newcomer();
    else if (theme && one_in(300))
        theme();
    else
        put_exchange();
}

/* Nearly all of it stands: many accounts come again and again, some that are new. */
static void put_large(void) {
    uint64_t n = N_BATCH + any(N_BATCH_LARGE - N_BATCH);
    while (n_orders < n) {
        Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
        Timebank__Order order = TIMEBANK__ORDER__INIT;

        order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
        order.exchange = &exchange;
        order.from = member();
        order.to = member();
        order.minutes = 15 * (1 + any(2));
        order.service_day = TODAY - (uint32_t)any(20);
        order.activity = one_in(2) ? "cooking" : "gardening";
        order.override = one_in(2) ? 4 : 0;
        if (one_in(200))
            put_newcomer();
        else if (strcmp(order.from, order.to) != 0)
            put(&order);
    }
}

Test(plain, judges_as_the_general_way_does) {
    size_t n_recorded = 0, n_large = 0;
    const char *books = getenv("PLAIN_BOOKS");
    uint64_t n_books = books ? strtoull(books, NULL, 10) : 40;

    for (uint64_t with = 1; with <= n_books; with++) {
        begin(with);
        for (int i = 0; i < 300; i++) {
            size_t n = 1 + any(one_in(4) ? N_BATCH : 6);
            if (one_in(8))
                put_large();
            while (n_orders < n)
                put_anything();
            author_key = key_of(one_in(6) ? "second" : "steward");
            barred = one_in(20) ? any(n_orders) : SIZE_MAX;
            bool is_large = n_orders > N_BATCH, stands = judge_both();
            n_recorded += stands;
            n_large += stands && is_large;
        }
        end();
    }
    cr_assert_gt(n_recorded, 2000, "%zu", n_recorded);
    cr_assert_gt(n_large, 10, "%zu", n_large);
}
