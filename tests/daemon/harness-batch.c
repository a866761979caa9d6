/* SPDX-License-Identifier: Apache-2.0 */
/* Orders, batches as their author signs them, and the proof that comes back. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

/* ---- orders */

char *text_copy(const char *text) {
    size_t n = strlen(text) + 1;

    return memcpy(arena_alloc(&story.arena, n), text, n);
}

static ProtobufCBinaryData binary(const void *data, size_t n) {
    return (ProtobufCBinaryData){n, memcpy(arena_alloc(&story.arena, n), data, n)};
}

Timebank__Order *order_new(Timebank__Order__KindCase kind) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&timebank__order__descriptor, (unsigned)kind);
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    Timebank__Order *order = arena_alloc(&story.arena, sizeof(*order));
    void *body = arena_alloc(&story.arena, descriptor->sizeof_message);
    uint8_t id[ORDER_ID_BYTES];

    timebank__order__init(order);
    descriptor->message_init(body);
    order->kind_case = kind;
    memcpy((uint8_t *)order + field->offset, &body, sizeof(body));
    be64_put(id, story.author_ms << 16 | 0x7000);
    be64_put(id + 8, ++story.n_ids);
    order->id = binary(id, sizeof(id));
    return order;
}

Timebank__Order *order_move(Timebank__Order__KindCase kind, const char *from, const char *to,
                            uint64_t minutes) {
    Timebank__Order *order = order_new(kind);

    order->service_day = (uint32_t)(story.author_ms / DAY_MS) - 1;
    order->from = text_copy(from);
    order->to = text_copy(to);
    order->minutes = minutes;
    if (kind == TIMEBANK__ORDER__KIND_EXCHANGE || kind == TIMEBANK__ORDER__KIND_EARN ||
        kind == TIMEBANK__ORDER__KIND_LOG)
        order->activity = text_copy("gardening");
    return order;
}

Timebank__Order *order_helps(const char *giver, const char *receiver, uint64_t minutes) {
    return order_move(TIMEBANK__ORDER__KIND_EXCHANGE, receiver, giver, minutes);
}

Timebank__Order *order_redeem(const char *member, const char *offer, uint32_t adults,
                              uint64_t minutes) {
    Timebank__Order *order = order_move(TIMEBANK__ORDER__KIND_REDEEM, member, "pool", minutes);

    order->redeem->offer = text_copy(offer);
    order->redeem->adults = adults;
    return order;
}

Timebank__Order *order_reverse(const Timebank__Order *target, uint64_t minutes) {
    Timebank__Order *order = order_new(TIMEBANK__ORDER__KIND_REVERSE);

    order->reverse->target = binary(target->id.data, target->id.len);
    order->minutes = minutes;
    return order;
}

Timebank__Order *order_open(const char *code, Timebank__AccountKind kind) {
    Timebank__Order *order = order_new(TIMEBANK__ORDER__KIND_OPEN_ACCOUNT);

    order->to = text_copy(code);
    order->open_account->kind = kind;
    return order;
}

Timebank__Order *order_grant_key(const uint8_t key[32], Timebank__Role role, const char *account) {
    Timebank__Order *order = order_new(TIMEBANK__ORDER__KIND_GRANT_KEY);

    order->to = text_copy(account);
    order->grant_key->key = binary(key, SSHSIG_PUBLIC_BYTES);
    order->grant_key->role = role;
    return order;
}

Timebank__Order *order_revoke_key(const uint8_t key[32]) {
    Timebank__Order *order = order_new(TIMEBANK__ORDER__KIND_REVOKE_KEY);

    order->revoke_key->key = binary(key, SSHSIG_PUBLIC_BYTES);
    return order;
}

Timebank__Order *order_set_policy(const char *name, const char *value) {
    Timebank__Order *order = order_new(TIMEBANK__ORDER__KIND_SET_POLICY);

    order->set_policy->name = text_copy(name);
    order->set_policy->value = text_copy(value);
    return order;
}

/* ---- batches */

struct parcel *parcel_new(enum actor author) {
    struct parcel *parcel = arena_alloc(&story.arena, sizeof(*parcel));

    memset(parcel, 0, sizeof(*parcel));
    timebank__submit__init(&parcel->submit);
    parcel->author = author;
    parcel->header.ledger_id = *log_ledger_id(story.bank->log);
    memcpy(parcel->header.author, actor_key(author), SSHSIG_PUBLIC_BYTES);
    be64_put(parcel->header.batch_id, story.author_ms << 16 | 0x7000);
    be64_put(parcel->header.batch_id + 8, ++story.n_ids);
    parcel->header.created_ms = story.author_ms;
    parcel->header.not_after_ms = story.author_ms + 15 * MINUTE_MS;
    parcel->header.pin_size = story.head.size;
    if (story.head.size > 0)
        parcel->header.pin_root = story.head.root;
    return parcel;
}

static Timebank__Authority authority_of(enum actor author) {
    switch (author) {
    case GARDEN:
        return TIMEBANK__AUTHORITY__BY_ORGANISATION;
    case POOL:
        return TIMEBANK__AUTHORITY__BY_VENUE;
    case M12:
    case REVOKED:
        return TIMEBANK__AUTHORITY__BY_SELF;
    default:
        return TIMEBANK__AUTHORITY__BY_BROKER;
    }
}

void parcel_put_bytes(struct parcel *parcel, const void *body, size_t n) {
    uint8_t *at = parcel->orders + parcel->n_orders;
    size_t rest = n;

    cr_assert(parcel->n < PARCEL_ORDERS_MAX && parcel->n_orders + n + 5 <= PARCEL_BYTES_MAX);
    for (; rest >= 0x80; rest >>= 7)
        *at++ = (uint8_t)(rest | 0x80);
    *at++ = (uint8_t)rest;
    memcpy(at, body, n);
    parcel->n_orders = (size_t)(at + n - parcel->orders);
    parcel->leaves[parcel->n++] =
        hash_of_pieces((struct iovec[]){{"\0\2", 2}, {(void *)(uintptr_t)body, n}}, 2);
}

void parcel_put(struct parcel *parcel, Timebank__Order *order) {
    _cleanup_bytes_ struct bytes record = {0};

    if (order->kind_case < TIMEBANK__ORDER__KIND_OPEN_ACCOUNT && !order->authority)
        order->authority = authority_of(parcel->author);
    record_order_encode(order, &record);
    cr_assert(record.r == 0);
    parcel_put_bytes(parcel, record.data + 1, record.n - 1);
}

/* Lists of up to eight, in the arena. */
static void *list_of(void *list, size_t n, size_t n_element) {
    cr_assert(n < 8);
    return list ? list : arena_alloc(&story.arena, 8 * n_element);
}

void parcel_put_why(struct parcel *parcel, Timebank__Order *order, const char *why) {
    Timebank__Submit *submit = &parcel->submit;
    size_t i = submit->n_note_place++;
    uint8_t salt[32] = {9, 8, 7}, note[32];

    submit->n_note_salt = submit->n_note_text = submit->n_note_place;
    submit->note_place = i ? submit->note_place : list_of(NULL, i, sizeof(uint32_t));
    submit->note_salt = i ? submit->note_salt : list_of(NULL, i, sizeof(ProtobufCBinaryData));
    submit->note_text = i ? submit->note_text : list_of(NULL, i, sizeof(char *));
    submit->note_place[i] = (uint32_t)parcel->n;
    submit->note_salt[i] = binary(salt, sizeof(salt));
    submit->note_text[i] = text_copy(why);
    batch_note(why, salt, note);
    order->note = binary(note, sizeof(note));
    parcel_put(parcel, order);
}

void parcel_put_person(struct parcel *parcel, Timebank__Order *order, const char *ward,
                       const char *age_band) {
    Timebank__Submit *submit = &parcel->submit;
    size_t i = submit->n_person_place++;

    submit->n_person_ward = submit->n_person_age_band = submit->n_person_place;
    submit->person_place = i ? submit->person_place : list_of(NULL, i, sizeof(uint32_t));
    submit->person_ward = i ? submit->person_ward : list_of(NULL, i, sizeof(char *));
    submit->person_age_band = i ? submit->person_age_band : list_of(NULL, i, sizeof(char *));
    submit->person_place[i] = (uint32_t)parcel->n;
    submit->person_ward[i] = text_copy(ward);
    submit->person_age_band[i] = text_copy(age_band);
    parcel_put(parcel, order);
}

void parcel_sign_header(struct parcel *parcel) {
    batch_header_pack(&parcel->header, parcel->header_bytes);
    actor_sign(parcel->author, SSHSIG_BATCH, parcel->header_bytes, BATCH_HEADER_BYTES,
               parcel->signature);
    parcel->is_signed = true;
}

void parcel_sign(struct parcel *parcel) {
    parcel->header.n_orders = (uint32_t)parcel->n;
    parcel->header.orders_root = naive_root(parcel->leaves, parcel->n);
    parcel_sign_header(parcel);
}

Timebank__Request *parcel_request(struct parcel *parcel) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_SUBMIT);

    if (!parcel->is_signed)
        parcel_sign(parcel);
    parcel->submit.header = (ProtobufCBinaryData){BATCH_HEADER_BYTES, parcel->header_bytes};
    parcel->submit.signature = (ProtobufCBinaryData){SSHSIG_SIGNATURE_BYTES, parcel->signature};
    parcel->submit.orders = (ProtobufCBinaryData){parcel->n_orders, parcel->orders};
    parcel->submit.dry_run = parcel->is_dry_run;
    request->submit = &parcel->submit;
    return request;
}

/* ---- the proof: the tree of `size` leaves by its definition, given the leaves [begin, end) and
 * the roots of the perfect subtrees beside them */

struct proof {
    uint64_t begin;
    uint64_t end;
    const struct hash *leaves;
    const ProtobufCBinaryData *beside;
    size_t n_beside;
    size_t n_taken;
};

static struct hash proven_root(struct proof *proof, uint64_t low, uint64_t high) {
    uint64_t n = high - low, k = 1;
    struct hash left, right;
    uint8_t prefix = 1;

    if ((high <= proof->begin || low >= proof->end) && (n & (n - 1)) == 0) {
        cr_assert(proof->n_taken < proof->n_beside, "the proof is too short");
        cr_assert(proof->beside[proof->n_taken].len == HASH_BYTES);
        memcpy(left.b, proof->beside[proof->n_taken++].data, HASH_BYTES);
        return left;
    }
    if (n == 1)
        return proof->leaves[low - proof->begin];
    while (2 * k < n)
        k *= 2;
    left = proven_root(proof, low, low + k);
    right = proven_root(proof, low + k, high);
    return hash_of_pieces(
        (struct iovec[]){{&prefix, 1}, {left.b, HASH_BYTES}, {right.b, HASH_BYTES}}, 3);
}

/* Seal and orders are records [seal, seal + n] under the head of this response. */
static void verify_proof(struct parcel *parcel, const Timebank__Answer *answer) {
    ProtobufCBinaryData beside[MERKLE_RANGE_MAX];
    struct hash leaves[1 + PARCEL_ORDERS_MAX], root;
    uint8_t seal[2 + BATCH_HEADER_BYTES + SSHSIG_SIGNATURE_BYTES + 8] = {0, 1};
    struct proof proof = {answer->seal, answer->seal + 1 + parcel->n, leaves, beside, 0, 0};

    memcpy(seal + 2, parcel->header_bytes, BATCH_HEADER_BYTES);
    memcpy(seal + 2 + BATCH_HEADER_BYTES, parcel->signature, SSHSIG_SIGNATURE_BYTES);
    be64_put(seal + 2 + BATCH_HEADER_BYTES + SSHSIG_SIGNATURE_BYTES, answer->received_at_ms);
    leaves[0] = hash_of(seal, sizeof(seal));
    memcpy(leaves + 1, parcel->leaves, parcel->n * sizeof(leaves[0]));
    for (size_t i = 0; i < answer->n_left; i++)
        beside[proof.n_beside++] = answer->left[i];
    for (size_t i = 0; i < answer->n_right; i++)
        beside[proof.n_beside++] = answer->right[i];
    root = proven_root(&proof, 0, story.head.size);
    cr_assert(proof.n_taken == proof.n_beside, "the proof is too long");
    cr_assert(hash_equal(&root, &story.head.root), "the range proof does not hold");
}

static void take_answer(struct parcel *parcel) {
    const Timebank__Answer *answer = response_answer();

    if (!answer || answer->seal == 0)
        return;
    cr_assert(answer->n_entries == parcel->n && answer->readable.len == parcel->n &&
              answer->n_from_after == parcel->n && answer->n_to_after == parcel->n);
    for (size_t i = 0; i < parcel->n; i++) {
        cr_assert(answer->entries[i] == answer->seal + 1 + i);
        parcel->entries[i] = answer->entries[i];
    }
    verify_proof(parcel, answer);
}

void parcel_send(struct parcel *parcel) {
    ask(parcel->author, parcel_request(parcel));
    take_answer(parcel);
}

struct parcel *submit(enum actor author, Timebank__Order *order) {
    struct parcel *parcel = parcel_new(author);

    parcel_put(parcel, order);
    parcel_send(parcel);
    return parcel;
}

struct parcel *dry_run(enum actor author, Timebank__Order *order) {
    struct parcel *parcel = parcel_new(author);

    parcel->is_dry_run = true;
    parcel_put(parcel, order);
    parcel_send(parcel);
    return parcel;
}

void end_dry_run(enum actor actor) {
    ask(actor, request_new(TIMEBANK__REQUEST__BODY_END_DRY_RUN));
    expect_dry();
}

void recorded(enum actor author, Timebank__Order *order) {
    submit(author, order);
    expect_recorded();
}

Timebank__Order *m7_helps(const char *receiver, uint64_t minutes) {
    Timebank__Order *order = order_helps("m7", receiver, minutes);

    recorded(BROKER, order);
    return order;
}
