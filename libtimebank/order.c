/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders on their way in and out. Which fields a kind may have is the daemon's to judge; here the
 * fields are carried over, and what a kind leaves no choice about is filled in.
 */
#include "order.h"

#include <errno.h>
#include <string.h>

#define TAGS_MAX 64

/* All that an Order points to while it is packed. */
struct message {
    Timebank__Order order;
    Timebank__Exchange exchange;
    Timebank__Earn earn;
    Timebank__Log log;
    Timebank__Gift gift;
    Timebank__Donate donate;
    Timebank__Grant grant;
    Timebank__Issue issue;
    Timebank__Redeem redeem;
    Timebank__Reverse reverse;
    Timebank__OpenAccount open_account;
    Timebank__Freeze freeze;
    Timebank__Thaw thaw;
    Timebank__Close close;
    Timebank__SetLimit set_limit;
    Timebank__SetPolicy set_policy;
    Timebank__SetActivity set_activity;
    Timebank__SetOffer set_offer;
    Timebank__SetFunder set_funder;
    Timebank__GrantKey grant_key;
    Timebank__RevokeKey revoke_key;
    char *tags_text;
    char *tags[TAGS_MAX];
};

/* protobuf-c only reads through these when it packs. */
static char *text(const char *borrowed) {
    return (char *)(borrowed ? borrowed : protobuf_c_empty_string);
}

static ProtobufCBinaryData binary(const uint8_t *data, size_t n) {
    return (ProtobufCBinaryData){.len = n, .data = (uint8_t *)data};
}

/* An id of zeros is none. */
static ProtobufCBinaryData id_optional(const uint8_t id[TB_ORDER_ID_BYTES]) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    return binary(id, memcmp(id, none, sizeof(none)) == 0 ? 0 : TB_ORDER_ID_BYTES);
}

/* Chooses the member of the oneof; 0 where the kind is one. */
static int kind_choose(struct message *message, enum tb_kind kind) {
#define KIND_CHOOSE(NAME, field)                                                                   \
    case TB_##NAME:                                                                                \
        timebank__##field##__init(&message->field);                                                \
        message->order.field = &message->field;                                                    \
        break;
    switch (kind) {
        KIND_CHOOSE(EXCHANGE, exchange)
        KIND_CHOOSE(EARN, earn)
        KIND_CHOOSE(LOG, log)
        KIND_CHOOSE(GIFT, gift)
        KIND_CHOOSE(DONATE, donate)
        KIND_CHOOSE(GRANT, grant)
        KIND_CHOOSE(ISSUE, issue)
        KIND_CHOOSE(REDEEM, redeem)
        KIND_CHOOSE(REVERSE, reverse)
        KIND_CHOOSE(OPEN_ACCOUNT, open_account)
        KIND_CHOOSE(FREEZE, freeze)
        KIND_CHOOSE(THAW, thaw)
        KIND_CHOOSE(CLOSE, close)
        KIND_CHOOSE(SET_LIMIT, set_limit)
        KIND_CHOOSE(SET_POLICY, set_policy)
        KIND_CHOOSE(SET_ACTIVITY, set_activity)
        KIND_CHOOSE(SET_OFFER, set_offer)
        KIND_CHOOSE(SET_FUNDER, set_funder)
        KIND_CHOOSE(GRANT_KEY, grant_key)
        KIND_CHOOSE(REVOKE_KEY, revoke_key)
    default:
        return -EINVAL;
    }
#undef KIND_CHOOSE
    message->order.kind_case = (Timebank__Order__KindCase)kind;
    return 0;
}

static int tags_fill(struct message *message, const char *tags) {
    if (!tags)
        return 0;
    message->tags_text = strdup(tags);
    if (!message->tags_text)
        return -ENOMEM;
    size_t n = 0;
    char *state = NULL;
    for (char *tag = strtok_r(message->tags_text, " ", &state); tag;
         tag = strtok_r(NULL, " ", &state)) {
        if (n == TAGS_MAX)
            return -EINVAL;
        message->tags[n++] = tag;
    }
    message->set_activity.n_tags = n;
    message->set_activity.tags = message->tags;
    return 0;
}

static int hours_kind_fill(struct message *message, const struct tb_order *order) {
    switch (order->kind) {
    case TB_ISSUE:
        message->issue.funder = text(order->funder);
        message->issue.programme = text(order->programme);
        message->issue.reference = text(order->reference);
        return 0;
    case TB_REDEEM:
        message->redeem.offer = text(order->offer);
        message->redeem.adults = order->adults;
        message->redeem.under16 = order->under16;
        return 0;
    case TB_REVERSE:
        message->reverse.target = binary(order->target, TB_ORDER_ID_BYTES);
        return 0;
    default:
        return 0;
    }
}

static void limit_fill(Timebank__SetLimit *limit, const struct tb_order *order) {
    if (order->floor_minutes) {
        limit->has_floor_case = TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
        limit->floor = *order->floor_minutes;
    }
    if (order->ceiling_minutes) {
        limit->has_ceiling_case = TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;
        limit->ceiling = *order->ceiling_minutes;
    }
}

static int register_kind_fill(struct message *message, const struct tb_order *order) {
    switch (order->kind) {
    case TB_OPEN_ACCOUNT:
        message->open_account.kind = (Timebank__AccountKind)order->account_kind;
        return 0;
    case TB_SET_LIMIT:
        limit_fill(&message->set_limit, order);
        return 0;
    case TB_SET_POLICY:
        message->set_policy.name = text(order->name);
        message->set_policy.value = text(order->value);
        return 0;
    case TB_SET_ACTIVITY:
        message->set_activity.name = text(order->name);
        return tags_fill(message, order->tags);
    case TB_SET_OFFER:
        message->set_offer.name = text(order->offer ? order->offer : order->name);
        message->set_offer.price_minutes = order->price_minutes;
        return 0;
    case TB_SET_FUNDER:
        message->set_funder.name = text(order->name ? order->name : order->funder);
        return 0;
    case TB_GRANT_KEY:
        message->grant_key.key = binary(order->key, sizeof(order->key));
        message->grant_key.role = (Timebank__Role)order->role;
        return 0;
    case TB_REVOKE_KEY:
        message->revoke_key.key = binary(order->key, sizeof(order->key));
        return 0;
    default:
        return 0;
    }
}

static Timebank__Authority authority_of_role(int role) {
    switch (role) {
    case TB_ROLE_STEWARD:
    case TB_ROLE_BROKER:
        return TIMEBANK__AUTHORITY__BY_BROKER;
    case TB_ROLE_ORGANISATION:
        return TIMEBANK__AUTHORITY__BY_ORGANISATION;
    case TB_ROLE_VENUE:
        return TIMEBANK__AUTHORITY__BY_VENUE;
    case TB_ROLE_MEMBER:
        return TIMEBANK__AUTHORITY__BY_SELF;
    default:
        return TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    }
}

static bool is_empty(const char *string) {
    return !string || string[0] == '\0';
}

static void sides_fill(Timebank__Order *message, const struct tb_order *order) {
    message->from = text(order->from);
    message->from_person = text(order->from_person);
    message->to = text(order->to);
    message->to_person = text(order->to_person);
    if (is_empty(order->from) && (order->kind == TB_ISSUE || order->kind == TB_GRANT))
        message->from = text("issued");
    if (is_empty(order->to) && order->kind == TB_DONATE)
        message->to = text("chest");
}

static void order_fill(Timebank__Order *message, const struct tb_order *order, int role,
                       const uint8_t *note) {
    message->id = binary(order->id, TB_ORDER_ID_BYTES);
    message->service_day = order->service_day;
    sides_fill(message, order);
    message->minutes = order->minutes;
    message->typed_minutes = order->typed_minutes;
    message->authority = (Timebank__Authority)order->authority;
    if (order->authority == TB_BY_ROLE &&
        record_kind_counts((Timebank__Order__KindCase)order->kind))
        message->authority = authority_of_role(role);
    message->activity = text(order->activity);
    message->sheet = text(order->sheet);
    message->line = order->line;
    message->claimed_day = order->claimed_day;
    message->note = binary(note, note ? 32 : 0);
    message->override = order->override;
    message->corrects = id_optional(order->corrects);
    message->source = (Timebank__Source)order->source;
}

int order_encode(const struct tb_order *order, int role, const uint8_t *note, struct bytes *to) {
    struct message message = {.order = TIMEBANK__ORDER__INIT};
    int r = kind_choose(&message, order->kind);
    if (r < 0)
        return r;
    order_fill(&message.order, order, role, note);
    r = hours_kind_fill(&message, order);
    if (r == 0)
        r = register_kind_fill(&message, order);
    if (r == 0) {
        record_order_encode(&message.order, to);
        r = to->r;
    }
    free(message.tags_text);
    return r;
}

int order_copy(const struct tb_order *order, struct tb_order *ret) {
    size_t n = order->struct_bytes;
    if (n < offsetof(struct tb_order, kind) + sizeof(order->kind) || n > 4096)
        return -EINVAL;
    struct tb_order copy = TB_ORDER_INIT;
    memcpy(&copy, order, MIN_OF(n, sizeof(copy)));
    copy.struct_bytes = sizeof(copy);
    *ret = copy;
    return 0;
}

static void id_take(uint8_t ret[TB_ORDER_ID_BYTES], const ProtobufCBinaryData *data) {
    if (data->len == TB_ORDER_ID_BYTES)
        memcpy(ret, data->data, TB_ORDER_ID_BYTES);
}

static void key_take(struct tb_order *order, const ProtobufCBinaryData *data) {
    if (data->len == sizeof(order->key))
        memcpy(order->key, data->data, sizeof(order->key));
}

static const char *tags_join(const Timebank__SetActivity *activity, struct arena *arena) {
    size_t n = 1;
    for (size_t i = 0; i < activity->n_tags; i++)
        n += strlen(activity->tags[i]) + 1;
    char *joined = arena_alloc(arena, n);
    if (!joined)
        return NULL;
    char *at = joined;
    for (size_t i = 0; i < activity->n_tags; i++) {
        at = i > 0 ? stpcpy(at, " ") : at;
        at = stpcpy(at, activity->tags[i]);
    }
    *at = '\0';
    return joined;
}

static void hours_kind_take(const Timebank__Order *message, struct tb_order *order) {
    switch (message->kind_case) {
    case TIMEBANK__ORDER__KIND_ISSUE:
        order->funder = message->issue->funder;
        order->programme = message->issue->programme;
        order->reference = message->issue->reference;
        return;
    case TIMEBANK__ORDER__KIND_REDEEM:
        order->offer = message->redeem->offer;
        order->adults = message->redeem->adults;
        order->under16 = message->redeem->under16;
        return;
    case TIMEBANK__ORDER__KIND_REVERSE:
        id_take(order->target, &message->reverse->target);
        return;
    default:
        return;
    }
}

static void register_kind_take(const Timebank__Order *message, struct tb_order *order) {
    switch (message->kind_case) {
    case TIMEBANK__ORDER__KIND_OPEN_ACCOUNT:
        order->account_kind = (enum tb_account_kind)message->open_account->kind;
        return;
    case TIMEBANK__ORDER__KIND_SET_LIMIT:
        if (message->set_limit->has_floor_case != TIMEBANK__SET_LIMIT__HAS_FLOOR__NOT_SET)
            order->floor_minutes = &message->set_limit->floor;
        if (message->set_limit->has_ceiling_case != TIMEBANK__SET_LIMIT__HAS_CEILING__NOT_SET)
            order->ceiling_minutes = &message->set_limit->ceiling;
        return;
    case TIMEBANK__ORDER__KIND_SET_POLICY:
        order->name = message->set_policy->name;
        order->value = message->set_policy->value;
        return;
    case TIMEBANK__ORDER__KIND_SET_OFFER:
        order->offer = message->set_offer->name;
        order->name = message->set_offer->name;
        order->price_minutes = message->set_offer->price_minutes;
        return;
    case TIMEBANK__ORDER__KIND_SET_FUNDER:
        order->name = message->set_funder->name;
        return;
    case TIMEBANK__ORDER__KIND_GRANT_KEY:
        key_take(order, &message->grant_key->key);
        order->role = (enum tb_role)message->grant_key->role;
        return;
    case TIMEBANK__ORDER__KIND_REVOKE_KEY:
        key_take(order, &message->revoke_key->key);
        return;
    default:
        return;
    }
}

static void order_take(const Timebank__Order *message, struct tb_order *order) {
    order->kind = (enum tb_kind)message->kind_case;
    id_take(order->id, &message->id);
    order->service_day = message->service_day;
    order->from = message->from;
    order->from_person = message->from_person;
    order->to = message->to;
    order->to_person = message->to_person;
    order->minutes = message->minutes;
    order->typed_minutes = message->typed_minutes;
    order->authority = (enum tb_authority)message->authority;
    order->activity = message->activity;
    order->sheet = message->sheet;
    order->line = message->line;
    order->claimed_day = message->claimed_day;
    order->override = message->override;
    id_take(order->corrects, &message->corrects);
    order->source = (enum tb_source)message->source;
}

int order_decode(const Timebank__Order *message, struct arena *arena, struct tb_order *ret) {
    /* What the kind does not have is empty, so that a reader may print without asking. */
    struct tb_order order = {
        .struct_bytes = sizeof(order),
        .why = "",
        .funder = "",
        .programme = "",
        .reference = "",
        .offer = "",
        .ward = "",
        .age_band = "",
        .name = "",
        .value = "",
        .tags = "",
    };
    order_take(message, &order);
    hours_kind_take(message, &order);
    register_kind_take(message, &order);
    if (message->kind_case == TIMEBANK__ORDER__KIND_SET_ACTIVITY) {
        order.name = message->set_activity->name;
        order.tags = tags_join(message->set_activity, arena);
        if (!order.tags)
            return -ENOMEM;
    }
    *ret = order;
    return 0;
}

int tb_order_id(const struct tb_bank *bank, const char *source, const char *key,
                uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    if (!bank || !source || !key || !ret_id || !bank->ledger_is_known)
        return -EINVAL;
    batch_order_id(&bank->ledger_id, source, key, ret_id);
    return 0;
}
