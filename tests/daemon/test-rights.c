/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what, walked whole: every request and every kind of order with every role, against
 * what is written here. A request or kind that is not in these tables fails the walk.
 */
#include <ctype.h>
#include <string.h>

#include "daemon/rules.h"
#include "harness.h"

static struct parcel *accepted; /* by the venue, its last */
static struct parcel *earned, *helped, *between_others;

static void bank_with_entries(void) {
    Timebank__Order *freeze;

    bank_start();
    recorded(BROKER, order_open("m50", TIMEBANK__ACCOUNT_KIND__MEMBER));
    freeze = order_new(TIMEBANK__ORDER__KIND_FREEZE);
    freeze->to = text_copy("m50");
    recorded(BROKER, freeze);
    recorded(BROKER, order_open("m51", TIMEBANK__ACCOUNT_KIND__MEMBER));
    earned = submit(BROKER, order_move(TIMEBANK__ORDER__KIND_EARN, "garden", "m30", 60));
    expect_recorded();
    helped = submit(BROKER, order_helps("m7", "m12", 30));
    expect_recorded();
    between_others = submit(BROKER, order_helps("m7", "m30", 45));
    expect_recorded();
    accepted = submit(POOL, order_redeem("m30", "swim", 1, 60));
    expect_recorded();
}

TestSuite(rights, .timeout = STORY_TIMEOUT, .init = bank_with_entries, .fini = bank_end);

/* ---- requests */

#define BODY(name) TIMEBANK__REQUEST__BODY_##name
#define MONTH_BEGINS 19814u /* April 2024: what leaves the bank is of whole months */
#define MONTH_ENDS 19843u

/* y may, o of its own account only, n may not; an unknown key is told so, and so is a revoked one.
 * Columns: steward, broker, broker with an account, organisation, venue, member, evaluator,
 * auditor, revoked, unknown. */
static const struct {
    Timebank__Request__BodyCase body;
    const char *who;
} requests[] = {
    {BODY(SUBMIT), "yyyyyynnru"},        {BODY(END_DRY_RUN), "yyyyyynnru"},
    {BODY(STATUS), "yyyyyyyyyy"},        {BODY(BALANCE), "yyyononnru"},
    {BODY(ACCOUNTS), "yyynnnnnru"},      {BODY(ACCOUNT), "yyyononnru"},
    {BODY(STATEMENT), "yyyononnru"},     {BODY(ENTRY), "yyyooonyru"},
    {BODY(ORDER), "yyyooonyru"},         {BODY(ACTIVITIES), "yyyyyyyyru"},
    {BODY(OFFERS), "yyyyyyyyru"},        {BODY(POLICIES), "yyyyyyyyru"},
    {BODY(FUNDERS), "yyyynnyyru"},       {BODY(KEYS), "yyynnnnyru"},
    {BODY(REPORT), "yyynnnyyru"},        {BODY(NEXT_CODE), "yyynnnnnru"},
    {BODY(INCLUSION), "yyyyyyyyyy"},     {BODY(REGISTER), "yyyooonnru"},
    {BODY(RECEIPT), "yyyooonyru"},       {BODY(NEXT_KEY), "ynnnnnnnru"},
    {BODY(ACCOUNT_STATE), "yyyononnru"}, {BODY(RANGES), "yyyyyyyyyy"},
    {BODY(PUBLISHED), "yyyyyyyyyy"},     {BODY(TILES), "yyyyyyyyyy"},
    {BODY(RECORDS), "ynnnnnnyru"},       {BODY(BACKUP), "ynnnnnnnru"},
    {BODY(JOURNAL), "yyynnnnyru"},
};

static const char *own_account(enum actor actor) {
    return actor == GARDEN ? "garden" : actor == POOL ? "pool" : "m12";
}

static const struct parcel *own_entry(enum actor actor) {
    return actor == GARDEN ? earned : actor == POOL ? accepted : helped;
}

/* What this actor may submit. */
static Timebank__Order *own_order(enum actor actor) {
    if (actor == GARDEN)
        return order_move(TIMEBANK__ORDER__KIND_EARN, "garden", "m12", 30);
    if (actor == POOL)
        return order_redeem("m12", "swim", 1, 60);
    return order_helps("m7", "m12", 75);
}

static ProtobufCBinaryData id_of_entry(uint64_t entry) {
    struct bytes record = {0};
    Timebank__Order *order = NULL;

    cr_assert(log_record(story.bank->log, entry, &record) == 1);
    cr_assert(record_order_decode(record.data + 1, record.n - 1, &story.arena, &order) == 0);
    bytes_fini(&record);
    return order->id;
}

static Timebank__Request *request_of(Timebank__Request__BodyCase body, enum actor actor, bool own) {
    Timebank__Request *request = request_new(body);
    char *code = text_copy(own ? own_account(actor) : "m7");
    const struct parcel *entry = own ? own_entry(actor) : between_others;
    struct parcel *parcel;

    switch (body) {
    case BODY(SUBMIT):
        parcel = parcel_new(actor);
        parcel->is_dry_run = actor != POOL;
        parcel_put(parcel, own_order(actor));
        return parcel_request(parcel);
    case BODY(BALANCE):
        request->balance->code = code;
        break;
    case BODY(ACCOUNT):
        request->account->code = code;
        break;
    case BODY(STATEMENT):
        request->statement->code = code;
        break;
    case BODY(ACCOUNT_STATE):
        request->account_state->code = code;
        break;
    case BODY(ENTRY):
        request->entry->number = entry->entries[0];
        break;
    case BODY(RECEIPT):
        request->receipt->number = entry->entries[0];
        break;
    case BODY(ORDER):
        request->order->id = id_of_entry(entry->entries[0]);
        break;
    case BODY(REGISTER):
        request->register_->table = TIMEBANK__REGISTER_TABLE__PENDING;
        request->register_->code = code;
        break;
    case BODY(TILES):
        request->tiles->n = 1;
        break;
    case BODY(BACKUP):
        request->backup->name = text_copy("one");
        break;
    case BODY(REPORT):
        request->report->from_day = MONTH_BEGINS;
        request->report->to_day = MONTH_ENDS;
        break;
    default:
        break;
    }
    return request;
}

static void walk_one(Timebank__Request__BodyCase body, enum actor actor, char right) {
    int wanted = right == 'n'   ? REFUSAL_NO_AUTHORITY
                 : right == 'r' ? REFUSAL_REVOKED_KEY
                 : right == 'u' ? REFUSAL_UNKNOWN_KEY
                                : 0;

    struct hash before = bank_print();

    ask(actor, request_of(body, actor, true));
    if (actor != POOL || body != BODY(SUBMIT))
        expect_nothing_written(before);
    if (wanted == 0)
        cr_assert(!response_refused(), "request %d by %s: %s", (int)body, actor_name(actor),
                  response_words());
    else
        cr_assert(response_refused() && (int)response_refused()->refusals[0]->refusal == wanted,
                  "request %d by %s: %s", (int)body, actor_name(actor), response_words());
    if (right != 'o')
        return;
    ask(actor, request_of(body, actor, false));
    cr_assert(
        response_refused() && response_refused()->refusals[0]->refusal == REFUSAL_NO_AUTHORITY,
        "request %d for another account by %s: %s", (int)body, actor_name(actor), response_words());
}

Test(rights, hold_for_every_request_and_role) {
    const ProtobufCMessageDescriptor *descriptor = &timebank__request__descriptor;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        Timebank__Request__BodyCase body = (Timebank__Request__BodyCase)descriptor->fields[i].id;
        const char *who = NULL;
        if (body < BODY(SUBMIT))
            continue; /* tag, known_size, and hello, which is the session's */
        for (size_t j = 0; j < N_ELEMENTS(requests); j++)
            if (requests[j].body == body)
                who = requests[j].who;
        cr_assert(who && strlen(who) == N_ACTORS, "who may ask %s?", descriptor->fields[i].name);
        for (int actor = 0; actor < N_ACTORS; actor++)
            walk_one(body, (enum actor)actor, who[actor]);
    }
}

Test(rights, know_no_hello_and_no_request_without_tag_or_body) {
    Timebank__Request *request = request_new(BODY(HELLO));

    ask(STEWARD, request);
    expect_refused(BAD_REQUEST);
    ask(STEWARD, request_new(BODY(_NOT_SET)));
    expect_refused(BAD_REQUEST);
}

/* ---- kinds */

#define KIND(name) TIMEBANK__ORDER__KIND_##name

/* Columns: steward, broker, organisation, venue, member. o: from or into its own account only. */
static const struct {
    Timebank__Order__KindCase kind;
    const char *who;
} kinds[] = {
    {KIND(EXCHANGE), "yynno"},     {KIND(EARN), "yyonn"},       {KIND(LOG), "yynnn"},
    {KIND(GIFT), "yynno"},         {KIND(DONATE), "yynno"},     {KIND(GRANT), "yynnn"},
    {KIND(ISSUE), "yynnn"},        {KIND(REDEEM), "yynon"},     {KIND(REVERSE), "yynon"},
    {KIND(OPEN_ACCOUNT), "yynnn"}, {KIND(FREEZE), "yynnn"},     {KIND(THAW), "yynnn"},
    {KIND(CLOSE), "yynnn"},        {KIND(SET_LIMIT), "yynnn"},  {KIND(SET_POLICY), "ynnnn"},
    {KIND(SET_ACTIVITY), "yynnn"}, {KIND(SET_OFFER), "yynnn"},  {KIND(SET_FUNDER), "yynnn"},
    {KIND(GRANT_KEY), "ynnnn"},    {KIND(REVOKE_KEY), "ynnnn"},
};
/* These are only tried as far as who may: what they need besides is their own tests'. */
static const struct {
    Timebank__Order__KindCase kind;
    const char *who;
} more_kinds[] = {
    {KIND(MINT_VOUCHERS), "yynnn"},
    {KIND(REDEEM_VOUCHER), "yynon"},
    {KIND(VOID_VOUCHERS), "yynnn"},
    {KIND(REISSUE_VOUCHER), "yynnn"},
    {KIND(HOLD), "yynoo"},
    {KIND(CAPTURE), "yynyn"},
    {KIND(RELEASE), "yynyy"},
    {KIND(VENUE_RETURN), "yynon"},
    {KIND(RETIRE), "yynnn"},
    {KIND(EXPIRE), "yynnn"},
    {KIND(CLOSE_PERIOD), "yynnn"},
    {KIND(SET_PROGRAMME), "yynnn"},
    {KIND(SET_VOUCHER_KEY), "ynnnn"},
    {KIND(CONFIRM), "yyyny"},
    {KIND(DECLINE), "yyyny"},
    {KIND(WITHDRAW), "yyyny"},
    {KIND(APPROVE), "yynnn"},
    {KIND(DISPUTE), "yyyny"},
    {KIND(DECIDE), "yynnn"},
    {KIND(SET_TRUST), "yyono"},
    {KIND(SESSION), "yyonn"},
    {KIND(ADVANCE), "yynnn"},
    {KIND(PLEDGE), "yynnn"},
    {KIND(SETTLE), "yynno"},
    {KIND(MERGE), "yynnn"},
    {KIND(UNMERGE), "yynnn"},
    {KIND(TRANSFER), "yynnn"},
    {KIND(SET_PERSON), "yynnn"},
    {KIND(SET_MANDATE), "yynnn"},
    {KIND(SAFEGUARD), "yynnn"},
    {KIND(SET_CHOICE), "yynno"},
    {KIND(LEAVE), "yynno"},
    {KIND(ERASE), "ynnnn"},
    {KIND(ROTATE_KEY), "ynnnn"},
    {KIND(RELEASE_REPORT), "yynnn"},
};
static const enum actor kind_actors[] = {STEWARD, BROKER, GARDEN, POOL, M12};

static Timebank__Order *reverse_of(const struct parcel *parcel) {
    Timebank__Order target = TIMEBANK__ORDER__INIT;

    target.id = id_of_entry(parcel->entries[0]);
    return order_reverse(&target, 0);
}

static Timebank__Order *moving_order(Timebank__Order__KindCase kind, bool own) {
    switch (kind) {
    case KIND(EXCHANGE):
        return order_helps("m7", own ? "m12" : "m30", 75);
    case KIND(EARN):
        return order_move(kind, own ? "garden" : "garden2", "m12", 30);
    case KIND(LOG):
        return order_move(kind, "", "m12", 30);
    case KIND(GIFT):
        return order_move(kind, own ? "m12" : "m30", "m7", 30);
    case KIND(DONATE):
        return order_move(kind, own ? "m12" : "m30", "chest", 30);
    case KIND(GRANT):
        return order_move(kind, "issued", "m12", 60);
    case KIND(ISSUE):
        return order_move(kind, "issued", "garden", 60);
    default:
        return NULL;
    }
}

static Timebank__Order *order_of(Timebank__Order__KindCase kind, bool own) {
    Timebank__Order *order = moving_order(kind, own);

    if (order)
        return order;
    if (kind == KIND(REVERSE))
        return reverse_of(own ? accepted : helped);
    order = kind == KIND(REDEEM) ? order_redeem("m12", "swim", 1, 60) : order_new(kind);
    if (kind == KIND(REDEEM) && !own)
        order->to = text_copy("pool2");
    else if (kind == KIND(OPEN_ACCOUNT))
        order = order_open("m99", TIMEBANK__ACCOUNT_KIND__MEMBER);
    else if (kind == KIND(FREEZE) || kind == KIND(SET_LIMIT))
        order->to = text_copy("m7");
    else if (kind == KIND(CLOSE))
        order->to = text_copy("m51");
    else if (kind == KIND(THAW))
        order->to = text_copy("m50");
    else if (kind == KIND(SET_POLICY))
        order = order_set_policy("quantum", "5");
    else if (kind == KIND(SET_ACTIVITY))
        order->set_activity->name = text_copy("cooking");
    else if (kind == KIND(SET_FUNDER))
        order->set_funder->name = text_copy("lottery");
    else if (kind == KIND(GRANT_KEY))
        order = order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__AUDITOR, "");
    else if (kind == KIND(REVOKE_KEY))
        order = order_revoke_key(actor_key(AUDITOR));
    if (kind != KIND(SET_OFFER))
        return order;
    order->to = text_copy("pool");
    order->set_offer->name = text_copy("sauna");
    order->set_offer->price_minutes = 30;
    return order;
}

/* A venue may not try: what it may do is done. */
static void attempt(enum actor actor, Timebank__Order *order) {
    if (actor == POOL) {
        struct parcel *parcel = submit(actor, order);
        if (!response_refused() && order->kind_case == KIND(REDEEM))
            accepted = parcel;
        return;
    }
    dry_run(actor, order);
}

static void walk_kind(Timebank__Order__KindCase kind, enum actor actor, char right,
                      const char *name) {
    struct hash before = bank_print();

    attempt(actor, order_of(kind, true));
    if (right == 'n')
        expect_refused(NO_AUTHORITY);
    else
        cr_assert(!response_refused(), "%s by %s: %s", name, actor_name(actor), response_words());
    if (right == 'o') {
        attempt(actor, order_of(kind, false));
        expect_refused(NO_AUTHORITY);
    }
    end_dry_run(actor);
    if (actor != POOL || right == 'n')
        expect_nothing_written(before);
}

/* Sides as far as the kind has any: the actor's own account where it fits. */
static Timebank__Order *bare_order(const struct kind *kind, enum actor actor, bool own) {
    Timebank__Order *order = order_new(kind->number);

    if (kind->fields & USES_FROM)
        order->from =
            text_copy(kind->traits & OWN_FROM ? (own ? own_account(actor) : "m30") : "vouchers");
    if (kind->fields & USES_TO)
        order->to = text_copy(kind->traits & OWN_TO ? (own ? own_account(actor) : "pool2") : "m7");
    return order;
}

static bool is_refused_for_who(void) {
    const Timebank__Refused *refused = response_refused();

    return refused && refused->refusals[0]->refusal == REFUSAL_NO_AUTHORITY;
}

static void walk_more(const struct kind *kind, enum actor actor, char right, const char *name) {
    submit(actor, bare_order(kind, actor, true));
    cr_assert(is_refused_for_who() == (right == 'n'), "%s by %s: %s", name, actor_name(actor),
              response_words());
    if (right != 'o')
        return;
    submit(actor, bare_order(kind, actor, false));
    cr_assert(is_refused_for_who(), "%s by %s: %s", name, actor_name(actor), response_words());
}

Test(rights, hold_for_every_kind_and_role) {
    const ProtobufCMessageDescriptor *descriptor = &timebank__order__descriptor;

    recorded(BROKER, order_open("garden2", TIMEBANK__ACCOUNT_KIND__ORGANISATION));
    recorded(BROKER, order_open("pool2", TIMEBANK__ACCOUNT_KIND__VENUE));
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        Timebank__Order__KindCase kind = (Timebank__Order__KindCase)descriptor->fields[i].id;
        const struct kind *known = kind_find(kind);
        const char *who = NULL, *more = NULL;
        if (kind < KIND(EXCHANGE))
            continue;
        for (size_t j = 0; j < N_ELEMENTS(kinds); j++)
            if (kinds[j].kind == kind)
                who = kinds[j].who;
        for (size_t j = 0; j < N_ELEMENTS(more_kinds); j++)
            if (more_kinds[j].kind == kind)
                more = more_kinds[j].who;
        cr_assert(known && (who || more), "who may record %s?", descriptor->fields[i].name);
        for (size_t a = 0; a < N_ELEMENTS(kind_actors); a++) {
            if (who)
                walk_kind(kind, kind_actors[a], who[a], descriptor->fields[i].name);
            else
                walk_more(known, kind_actors[a], more[a], descriptor->fields[i].name);
        }
    }
}

Test(rights, give_an_evaluator_and_an_auditor_no_pen) {
    struct hash before = bank_print();

    submit(EVALUATOR, order_helps("m7", "m12", 60));
    expect_refused(NO_AUTHORITY);
    submit(AUDITOR, order_helps("m7", "m12", 60));
    expect_refused(NO_AUTHORITY);
    dry_run(AUDITOR, order_helps("m7", "m12", 60));
    expect_refused(NO_AUTHORITY);
    dry_run(EVALUATOR, order_new(KIND(RELEASE_REPORT)));
    expect_refused(NO_AUTHORITY);
    expect_nothing_written(before);
}

Test(rights, leave_brokers_own_hours_to_another_broker) {
    submit(BROKER_M30, order_helps("m30", "m12", 60));
    expect_refused_field(OWN_HOURS, "to");
    submit(BROKER_M30, order_move(KIND(EARN), "garden", "m30", 60));
    expect_refused_field(OWN_HOURS, "to");
    submit(BROKER_M30, order_move(KIND(LOG), "", "m30", 60));
    expect_refused_field(OWN_HOURS, "to");
    recorded(BROKER, order_helps("m30", "m12", 60));
    recorded(BROKER_M30, order_helps("m12", "m30", 60)); /* as the one who is helped */
}

Test(rights, make_an_authority_follow_from_the_role) {
    Timebank__Order *order = order_helps("m7", "m12", 75);

    order->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    submit(M12, order);
    expect_refused(WRONG_AUTHORITY);
    order = order_helps("m7", "m12", 75);
    order->authority = TIMEBANK__AUTHORITY__BY_SELF;
    submit(BROKER, order);
    expect_refused(WRONG_AUTHORITY);
    order = order_helps("m7", "m12", 75);
    order->authority = TIMEBANK__AUTHORITY__BY_SHEET;
    recorded(BROKER, order);
}

Test(rights, let_no_member_insist_or_import) {
    struct parcel *parcel = parcel_new(M12);
    Timebank__Order *order = order_move(KIND(GIFT), "m12", "m7", 1800);

    order->override = 1;
    parcel_put_why(parcel, order, "she asked me to");
    parcel_send(parcel);
    expect_refused_field(NO_AUTHORITY, "override");
    order = order_move(KIND(GIFT), "m12", "m7", 30);
    order->source = TIMEBANK__SOURCE__IMPORT;
    submit(M12, order);
    expect_refused(NO_AUTHORITY);
}

Test(rights, keep_history_for_stewards) {
    Timebank__Order *order = order_helps("m7", "m12", 37);

    order->source = TIMEBANK__SOURCE__HISTORY;
    order->claimed_day = TODAY - 1;
    dry_run(BROKER, order);
    expect_refused(HISTORY_STEWARD);
    end_dry_run(BROKER);
    recorded(STEWARD, order);
    cr_assert(has_warning(WARNING_NOT_IN_QUANTUM));
}

Test(rights, keep_the_last_stewards_key) {
    submit(STEWARD, order_revoke_key(actor_key(STEWARD)));
    expect_refused(LAST_STEWARD);
    recorded(STEWARD, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__STEWARD, ""));
    recorded(STRANGER, order_revoke_key(actor_key(STEWARD)));
    submit(STEWARD, order_set_policy("quantum", "5"));
    expect_refused(REVOKED_KEY);
    submit(STRANGER, order_revoke_key(actor_key(STRANGER)));
    expect_refused(LAST_STEWARD);
}

Test(rights, of_the_seal_hold_for_the_whole_batch) {
    struct parcel *parcel = parcel_new(STEWARD);

    recorded(STEWARD, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__STEWARD, ""));
    parcel_put(parcel, order_revoke_key(actor_key(STEWARD)));
    parcel_put(parcel, order_set_policy("quantum", "5"));
    parcel_send(parcel);
    expect_recorded();
    submit(STEWARD, order_set_policy("quantum", "15"));
    expect_refused(REVOKED_KEY);
}

Test(rights, let_no_venue_try_in_secret) {
    struct hash before = bank_print();

    dry_run(POOL, order_redeem("m12", "swim", 1, 60));
    expect_refused(NO_AUTHORITY);
    expect_nothing_written(before);
}

/* ---- the venue's undo */

Test(rights, let_a_venue_undo_its_last_acceptance_within_minutes) {
    time_passes(15 * MINUTE_MS);
    recorded(POOL, reverse_of(accepted));
    expect_balance("pool", 0);
    submit(POOL, reverse_of(accepted));
    expect_n_refusals(1);
}

Test(rights, let_no_venue_undo_when_the_minutes_are_over) {
    time_passes(15 * MINUTE_MS + 1);
    submit(POOL, reverse_of(accepted));
    expect_refused(TOO_LATE_TO_UNDO);
    recorded(BROKER, reverse_of(accepted));
}

Test(rights, let_no_venue_undo_another_than_its_last) {
    recorded(POOL, order_redeem("m12", "swim", 1, 60));
    submit(POOL, reverse_of(accepted));
    expect_refused(TOO_LATE_TO_UNDO);
}

Test(rights, let_no_venue_undo_a_part_or_what_others_accepted) {
    Timebank__Order *part = reverse_of(accepted);

    part->minutes = 15;
    submit(POOL, part);
    expect_refused(TOO_LATE_TO_UNDO);
    submit(POOL, reverse_of(helped));
    expect_refused(NO_AUTHORITY);
}

Test(rights, show_a_venue_no_amount) {
    Timebank__Order *offer = order_new(KIND(SET_OFFER));
    const Timebank__Refusal *refusal;

    offer->to = text_copy("pool");
    offer->set_offer->name = text_copy("season");
    offer->set_offer->price_minutes = 3000;
    recorded(BROKER, offer);
    submit(POOL, order_redeem("m12", "season", 1, 3000));
    expect_refused(BELOW_FLOOR);
    refusal = response_refused()->refusals[0];
    for (const char *c = refusal->message; *c; c++)
        cr_assert(!isdigit((unsigned char)*c), "%s", refusal->message);
    submit(POOL, order_redeem("m12", "swim", 1, 60));
    expect_recorded();
    cr_assert(response_answer()->readable.data[0] == 0);
    cr_assert(response_answer()->from_after[0] == 0 && response_answer()->to_after[0] == 0);
}

/* ---- reading one's own */

Test(rights, let_each_read_what_took_its_own_entry_back) {
    struct parcel *reversal = submit(BROKER, reverse_of(helped));
    Timebank__Request *request = request_new(BODY(ENTRY));

    expect_recorded();
    request->entry->number = reversal->entries[0];
    ask(M12, request);
    cr_assert(!response_refused(), "%s", response_words());
    request = request_new(BODY(ENTRY));
    request->entry->number = reversal->entries[0];
    ask(GARDEN, request);
    expect_refused(NO_AUTHORITY);
}

/* Who is held learns that they are to see the coordinator, and not from whom they are kept. */
Test(rights, show_a_safeguarding_hold_to_brokers_only) {
    Timebank__Order *order = order_new(KIND(SAFEGUARD));
    struct parcel *hold;
    Timebank__Request *request;

    order->to = text_copy("m12");
    order->safeguard->other = text_copy("m30");
    hold = submit(BROKER, order);
    expect_recorded();
    request = request_new(BODY(ENTRY));
    request->entry->number = hold->entries[0];
    ask(M12, request);
    expect_refused(NO_AUTHORITY);
    request = request_new(BODY(ENTRY));
    request->entry->number = hold->entries[0];
    ask(BROKER, request);
    cr_assert(!response_refused(), "%s", response_words());
}

Test(rights, tell_wards_to_brokers_only) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Request *request;

    parcel_put_person(parcel, order_open("m60", TIMEBANK__ACCOUNT_KIND__MEMBER), "Ely North",
                      "65-74");
    parcel_send(parcel);
    expect_recorded();
    request = request_new(BODY(ACCOUNT));
    request->account->code = text_copy("m60");
    ask(BROKER, request);
    cr_assert_str_eq(story.response->account->ward, "Ely North");
    cr_assert_str_eq(story.response->account->age_band, "65-74");
    recorded(STEWARD, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__ROLE_MEMBER, "m60"));
    request = request_new(BODY(ACCOUNT));
    request->account->code = text_copy("m60");
    ask(STRANGER, request);
    cr_assert_str_eq(story.response->account->ward, "");
}
