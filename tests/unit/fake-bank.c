/* SPDX-License-Identifier: Apache-2.0 */
/* One connection at a time, blocking: the library under test asks one thing at a time. */
#include "fake-bank.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "helpers.h"
#include "proto/dates.h"
#include "proto/frame.h"
#include "proto/record.h"
#include "proto/refusal.h"
#include "proto/report-text.h"
#include "proto/text64.h"

static int tree_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct fake_bank *bank = user;
    *ret = merkle_root(bank->leaves + (index << level), (size_t)1 << level);
    return 0;
}

static void key_make(struct fake_bank *bank) {
    uint8_t public[32];
    crypto_sign_keypair(public, bank->secret);
    cr_assert(note_verifier_init(&bank->verifier, "fake.example/bank", public) == 0);
    bank->ledger_id = note_ledger_id("fake.example/bank", public);
    crypto_sign_keypair(public, bank->other_secret);
}

/* The form is right and the signature another key's. */
static void checkpoint_forge(struct fake_bank *bank, const struct note_head *head,
                             struct bytes *to) {
    uint8_t signature[4 + 64];
    note_head_text(head, to);
    memcpy(signature, bank->verifier.key_id, 4);
    crypto_sign_detached(signature + 4, NULL, to->data, to->n, bank->other_secret);
    bytes_printf(to, "\n\u2014 %s ", bank->verifier.name);
    text64_encode(to, signature, sizeof(signature));
    bytes_put_u8(to, '\n');
}

static void checkpoint_make(struct fake_bank *bank, uint64_t size, struct bytes *to) {
    struct note_head head = {.size = size, .root = merkle_root(bank->leaves, size)};
    strcpy(head.origin, bank->verifier.name);
    if (bank->lie == FAKE_SAME_SIZE)
        head.root.b[0] ^= 1;
    if (bank->lie == FAKE_HEAD)
        checkpoint_forge(bank, &head, to);
    else
        cr_assert(note_checkpoint_sign(&head, &bank->verifier, bank->secret, to) == 0);
}

static bool bytes_send(int fd, const void *data, size_t n) {
    const uint8_t *at = data;
    while (n > 0) {
        ssize_t n_sent = send(fd, at, n, MSG_NOSIGNAL);
        if (n_sent <= 0)
            return false;
        at += n_sent;
        n -= (size_t)n_sent;
    }
    return true;
}

static bool frame_send(int fd, const Timebank__Response *response) {
    _cleanup_bytes_ struct bytes payload = {};
    _cleanup_bytes_ struct bytes frame = {};
    size_t n = timebank__response__get_packed_size(response);
    timebank__response__pack(response, bytes_reserve(&payload, n));
    frame_put(&frame, payload.data, n);
    return bytes_send(fd, frame.data, frame.n);
}

/* In parts where it is long. */
static bool response_send(int fd, const Timebank__Response *response) {
    _cleanup_bytes_ struct bytes whole = {};
    size_t n = timebank__response__get_packed_size(response);
    if (n <= FRAME_PART_BYTES)
        return frame_send(fd, response);
    timebank__response__pack(response, bytes_reserve(&whole, n));
    for (size_t at = 0; at < n; at += FRAME_PART_BYTES) {
        Timebank__Response part = TIMEBANK__RESPONSE__INIT;
        part.tag = response->tag;
        part.part.len = MIN_OF(n - at, (size_t)FRAME_PART_BYTES);
        part.part.data = whole.data + at;
        part.more = at + part.part.len < n;
        if (!frame_send(fd, &part))
            return false;
    }
    return true;
}

static bool bytes_receive(struct fake_bank *bank, int fd, void *data, size_t n) {
    uint8_t *at = data;
    while (n > 0) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        if (bank->stop)
            return false;
        if (poll(&pollfd, 1, 20) == 0)
            continue;
        ssize_t n_received = recv(fd, at, n, 0);
        if (n_received <= 0)
            return false;
        at += n_received;
        n -= (size_t)n_received;
    }
    return true;
}

static Timebank__Request *request_receive(struct fake_bank *bank, int fd) {
    uint8_t head[4];
    _cleanup_bytes_ struct bytes payload = {};
    if (!bytes_receive(bank, fd, head, sizeof(head)))
        return NULL;
    size_t n = be32_get(head);
    if (n == 0 || n > FRAME_MAX || !bytes_receive(bank, fd, bytes_reserve(&payload, n), n))
        return NULL;
    return timebank__request__unpack(NULL, n, payload.data);
}

/* The head from known_size on, and what is wrong with it. */
struct position {
    Timebank__Position message;
    struct bytes checkpoint;
    struct hash proof[MERKLE_PATH_MAX + 1];
    ProtobufCBinaryData proof_data[MERKLE_PATH_MAX + 1];
};

static void position_fill(struct fake_bank *bank, uint64_t known_size, struct position *position) {
    Timebank__Position *message = &position->message;
    uint64_t size = bank->n_leaves;
    if (bank->lie == FAKE_ROLLBACK)
        size = known_size - 1;
    timebank__position__init(message);
    message->size = size;
    if (size == known_size && bank->lie != FAKE_SAME_SIZE)
        return;
    checkpoint_make(bank, size, &position->checkpoint);
    message->checkpoint.data = position->checkpoint.data;
    message->checkpoint.len = position->checkpoint.n;
    size_t n = 0;
    if (known_size > 0 && known_size < size && bank->lie != FAKE_NO_PROOF)
        cr_assert(merkle_prove_consistency(tree_lookup, bank, known_size, size, position->proof,
                                           &n) == 0);
    for (size_t i = 0; i < n; i++)
        position->proof_data[i] = (ProtobufCBinaryData){.len = 32, .data = position->proof[i].b};
    message->n_consistency = n;
    message->consistency = position->proof_data;
}

static bool reply(struct fake_bank *bank, int fd, const Timebank__Request *request,
                  Timebank__Response *response) {
    struct position position = {};
    response->tag = request->tag;
    position_fill(bank, request->known_size, &position);
    if (bank->lie != FAKE_NO_HEAD)
        response->position = &position.message;
    bool sent = response_send(fd, response);
    bytes_fini(&position.checkpoint);
    return sent;
}

static bool refuse(struct fake_bank *bank, int fd, const Timebank__Request *request, int number,
                   uint32_t place) {
    Timebank__Refusal refusal = TIMEBANK__REFUSAL__INIT;
    Timebank__Refusal *list[] = {&refusal};
    Timebank__Refused refused = TIMEBANK__REFUSED__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    refusal.refusal = (uint32_t)number;
    refusal.place = place;
    refusal.message = "So said the \x1b[31m"
                      "fake.";
    refusal.field = "to";
    refused.n_refusals = 1;
    refused.refusals = list;
    response.body_case = TIMEBANK__RESPONSE__BODY_REFUSED;
    response.refused = &refused;
    return reply(bank, fd, request, &response);
}

/* ------------------------------------------------------------------ batches */

static const struct fake_batch *batch_find(const struct fake_bank *bank, const uint8_t *header) {
    for (size_t i = 0; i < bank->n_batches; i++) {
        if (memcmp(bank->batches[i].header, header, BATCH_HEADER_BYTES) == 0)
            return &bank->batches[i];
    }
    return NULL;
}

/* Cuts the orders, hashes them; the place of one to "nobody", or -1. */
static int orders_read(struct fake_bank *bank, const Timebank__Submit *submit, struct hash *leaves,
                       size_t n) {
    struct arena arena;
    struct cursor cursor = cursor_make(submit->orders.data, submit->orders.len);
    int nobody = -1;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        size_t n_order = 0;
        for (unsigned shift = 0;; shift += 7) {
            uint8_t byte = cursor_u8(&cursor);
            n_order |= (size_t)(byte & 0x7f) << shift;
            if (!(byte & 0x80))
                break;
        }
        const uint8_t *order = cursor_bytes(&cursor, n_order);
        cr_assert(order);
        Timebank__Order *message = NULL;
        arena_reset(&arena);
        cr_assert(record_order_decode(order, n_order, &arena, &message) == 0, "order %zu", i);
        if (strcmp(message->to, "nobody") == 0 && nobody < 0)
            nobody = (int)i;
        leaves[i] = merkle_leaf_of_kind(RECORD_ORDER, order, n_order);
        bytes_clear(&bank->last_order);
        bytes_put(&bank->last_order, order, n_order);
        if (i < FAKE_ORDERS_MAX) {
            bytes_clear(&bank->orders[i]);
            bytes_put_u8(&bank->orders[i], RECORD_ORDER);
            bytes_put(&bank->orders[i], order, n_order);
        }
    }
    bank->n_orders = n;
    cr_assert(cursor_end(&cursor) == 0);
    arena_fini(&arena);
    return nobody;
}

static const struct fake_batch *batch_record(struct fake_bank *bank, const Timebank__Submit *submit,
                                             struct hash *leaves, size_t n) {
    struct fake_batch *batch = &bank->batches[bank->n_batches++];
    struct record_seal seal = {.received_at_ms = 1700000000000 + bank->n_leaves};
    uint8_t record[RECORD_SEAL_BYTES];
    cr_assert(bank->n_batches < FAKE_BATCHES_MAX && bank->n_leaves + n + 2 < FAKE_LEAVES_MAX);
    memcpy(seal.header, submit->header.data, BATCH_HEADER_BYTES);
    memcpy(batch->header, submit->header.data, BATCH_HEADER_BYTES);
    memcpy(seal.signature, submit->signature.data, 64);
    record_seal_pack(&seal, record);
    memcpy(bank->seal_record, record, sizeof(record));
    batch->seal = bank->seal = bank->n_leaves;
    batch->received_at_ms = seal.received_at_ms;
    if (bank->lie == FAKE_OMIT)
        leaves[n - 1].b[0] ^= 1;
    if (bank->lie == FAKE_REORDER) {
        struct hash first = leaves[0];
        leaves[0] = leaves[n - 1];
        leaves[n - 1] = first;
    }
    bank->leaves[bank->n_leaves++] = merkle_leaf(record, sizeof(record));
    for (size_t i = 0; i < n; i++)
        bank->leaves[bank->n_leaves++] = leaves[i];
    bank->leaves[bank->n_leaves++] = hash_of("state", 5);
    if (bank->lie == FAKE_FORK)
        bank->leaves[0].b[0] ^= 1;
    return batch;
}

struct answer {
    Timebank__Answer message;
    uint64_t entries[FAKE_LEAVES_MAX];
    int64_t after[FAKE_LEAVES_MAX];
    uint8_t readable[FAKE_LEAVES_MAX];
    uint32_t other_place[2];
    char *other_code[2];
    int64_t other_after[2];
    struct merkle_range left, right;
    ProtobufCBinaryData left_data[MERKLE_RANGE_MAX], right_data[MERKLE_RANGE_MAX];
};

static void range_fill(struct fake_bank *bank, uint64_t begin, uint64_t end,
                       struct merkle_range *range, ProtobufCBinaryData *data, size_t *ret_n) {
    range->n_hashes = 0;
    if (begin < end)
        cr_assert(merkle_prove_range(tree_lookup, bank, begin, end, range) == 0);
    for (size_t i = 0; i < range->n_hashes; i++)
        data[i] = (ProtobufCBinaryData){.len = 32, .data = range->hashes[i].b};
    *ret_n = range->n_hashes;
}

static void proof_fill(struct fake_bank *bank, struct answer *answer, size_t n) {
    Timebank__Answer *message = &answer->message;
    range_fill(bank, 0, message->seal, &answer->left, answer->left_data, &message->n_left);
    range_fill(bank, message->seal + 1 + n, bank->n_leaves, &answer->right, answer->right_data,
               &message->n_right);
    message->left = answer->left_data;
    message->right = answer->right_data;
    if (bank->lie == FAKE_RANGE)
        answer->left.hashes[0].b[31] ^= 1;
    if (bank->lie == FAKE_SHORT)
        message->n_right--;
}

/* Of "chest" after the first order and of "m9" after the last. */
static void others_fill(struct fake_bank *bank, size_t n, struct answer *answer) {
    Timebank__Answer *message = &answer->message;
    answer->other_place[1] = (uint32_t)n - 1 + (bank->lie == FAKE_OTHERS);
    answer->other_code[0] = "chest";
    answer->other_code[1] = "m9";
    answer->other_after[0] = 30;
    answer->other_after[1] = -45;
    message->n_other_place = message->n_other_code = message->n_other_after = 2;
    message->n_other_after -= bank->lie == FAKE_UNEVEN;
    message->other_place = answer->other_place;
    message->other_code = answer->other_code;
    message->other_after = answer->other_after;
}

static void answer_fill(struct fake_bank *bank, const struct fake_batch *batch, size_t n,
                        struct answer *answer) {
    Timebank__Answer *message = &answer->message;
    timebank__answer__init(message);
    message->n_entries = message->n_from_after = message->n_to_after = message->readable.len = n;
    message->entries = answer->entries;
    message->from_after = answer->after;
    message->to_after = answer->after;
    message->readable.data = answer->readable;
    for (size_t i = 0; i < n; i++) {
        answer->readable[i] = 1;
        answer->after[i] = -60 * (int64_t)i;
        answer->entries[i] = batch ? batch->seal + 1 + i + (bank->lie == FAKE_ENTRIES) : 0;
        if (bank->lie == FAKE_OUTSIDE)
            answer->entries[i] = bank->n_leaves + i;
        if (bank->lie == FAKE_ALREADY)
            answer->entries[i] = n - i;
    }
    others_fill(bank, n, answer);
    if (!batch || bank->lie == FAKE_OUTSIDE || bank->lie == FAKE_ALREADY) {
        message->dry_run = !batch;
        return;
    }
    message->seal = batch->seal;
    message->received_at_ms = batch->received_at_ms + (bank->lie == FAKE_RECEIVED);
    message->dry_run = bank->lie == FAKE_DRY;
    proof_fill(bank, answer, n);
}

static bool answer_send(struct fake_bank *bank, int fd, const Timebank__Request *request,
                        const struct fake_batch *batch, size_t n, bool already) {
    struct answer *answer = calloc(1, sizeof(*answer));
    Timebank__Warning warning = TIMEBANK__WARNING__INIT;
    Timebank__Warning *warnings[] = {&warning};
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    cr_assert(answer);
    answer_fill(bank, batch, n, answer);
    warning.warning = WARNING_LONG_DAY;
    answer->message.n_warnings = 1;
    answer->message.warnings = warnings;
    answer->message.already = already;
    response.body_case = TIMEBANK__RESPONSE__BODY_ANSWER;
    response.answer = &answer->message;
    bool sent = reply(bank, fd, request, &response);
    free(answer);
    return sent;
}

static bool submit_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    const Timebank__Submit *submit = request->submit;
    struct batch_header header;
    static struct hash leaves[FAKE_LEAVES_MAX];
    bank->n_submits++;
    bank->n_notes += (int)submit->n_note_text;
    cr_assert(submit->header.len == BATCH_HEADER_BYTES);
    cr_assert(batch_header_unpack(submit->header.data, &header) == 0);
    cr_assert(sshsig_verify(SSHSIG_BATCH, submit->header.data, BATCH_HEADER_BYTES, header.author,
                            submit->signature.data) == 0);
    cr_assert(hash_equal(&header.ledger_id, &bank->ledger_id));
    int cut = bank->cut;
    bank->cut = FAKE_NO_CUT;
    if (cut == FAKE_CUT_BEFORE)
        return false;
    if (bank->refused && cut == FAKE_NO_CUT)
        return refuse(bank, fd, request, bank->refused, 0);
    const struct fake_batch *batch = batch_find(bank, submit->header.data);
    bool already = batch != NULL;
    int nobody = orders_read(bank, submit, leaves, header.n_orders);
    struct hash root = merkle_root(leaves, header.n_orders);
    cr_assert(hash_equal(&root, &header.orders_root));
    if (header.pin_size <= bank->n_leaves && bank->lie == FAKE_HONEST) {
        root = merkle_root(bank->leaves, header.pin_size);
        cr_assert(header.pin_size > 0 && hash_equal(&root, &header.pin_root), "the pin");
    }
    if (nobody >= 0)
        return refuse(bank, fd, request, REFUSAL_NO_SUCH_ACCOUNT, (uint32_t)nobody);
    bank->n_dry_runs += submit->dry_run ? 1 : 0;
    if (submit->dry_run)
        return answer_send(bank, fd, request, NULL, header.n_orders, false);
    if (!batch && bank->lie == FAKE_SPLIT && bank->n_leaves > request->known_size)
        bank->leaves[bank->n_leaves - 1].b[0] ^= 1;
    if (!batch)
        batch = batch_record(bank, submit, leaves, header.n_orders);
    if (cut == FAKE_CUT_AFTER)
        return false;
    return answer_send(bank, fd, request, batch, header.n_orders, already);
}

/* ------------------------------------------------------------------ reading */

static bool status_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    Timebank__Status status = TIMEBANK__STATUS__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    status.origin = bank->verifier.name;
    status.version = "0";
    status.entries = bank->n_leaves;
    response.body_case = TIMEBANK__RESPONSE__BODY_STATUS;
    response.status = &status;
    return reply(bank, fd, request, &response);
}

/* a0 ... a6 in pages of two. */
static bool accounts_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    Timebank__Balance items[2] = {TIMEBANK__BALANCE__INIT, TIMEBANK__BALANCE__INIT};
    Timebank__Balance *list[2] = {&items[0], &items[1]};
    Timebank__Balances balances = TIMEBANK__BALANCES__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    char codes[2][4];
    const char *after = request->accounts->after;
    unsigned first = after[0] ? (unsigned)(after[1] - '0') + 1 : 0;
    for (unsigned i = 0; i < 2 && first + i < 7; i++) {
        sprintf(codes[i], "a%u", first + i);
        items[i].code = codes[i];
        items[i].minutes = first + i;
        balances.n_items++;
    }
    balances.items = list;
    balances.more = first + 2 < 7;
    response.body_case = TIMEBANK__RESPONSE__BODY_ACCOUNTS;
    response.accounts = &balances;
    return reply(bank, fd, request, &response);
}

static bool entry_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    Timebank__Entry entry = TIMEBANK__ENTRY__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    uint8_t author[32] = {7};
    entry.number = request->entry->number;
    entry.order.data = bank->last_order.data;
    entry.order.len = bank->last_order.n;
    entry.author.data = author;
    entry.author.len = sizeof(author);
    entry.why = "because";
    entry.state = "waiting";
    response.body_case = TIMEBANK__RESPONSE__BODY_ENTRY;
    response.entry = &entry;
    return reply(bank, fd, request, &response);
}

/* ----------------------------------------------------------------- receipts */

struct path {
    struct hash hashes[MERKLE_PATH_MAX];
    ProtobufCBinaryData data[MERKLE_PATH_MAX];
    size_t n;
};

static int batch_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct fake_bank *bank = user;
    struct hash leaves[FAKE_ORDERS_MAX];
    for (size_t i = 0; i < bank->n_orders; i++)
        leaves[i] = merkle_leaf(bank->orders[i].data, bank->orders[i].n);
    *ret = merkle_root(leaves + (index << level), (size_t)1 << level);
    return 0;
}

static void path_make(merkle_lookup lookup, struct fake_bank *bank, uint64_t index, uint64_t size,
                      struct path *path) {
    cr_assert(merkle_prove_inclusion(lookup, bank, index, size, path->hashes, &path->n) == 0);
    for (size_t i = 0; i < path->n; i++)
        path->data[i] = (ProtobufCBinaryData){.len = 32, .data = path->hashes[i].b};
}

/* Which order of the last batch stands there, or n_orders. */
static size_t order_at(const struct fake_bank *bank, uint64_t number) {
    size_t i = 0;
    for (; i < bank->n_orders && number < bank->n_leaves; i++) {
        struct hash leaf = merkle_leaf(bank->orders[i].data, bank->orders[i].n);
        if (hash_equal(&leaf, &bank->leaves[number]))
            return i;
    }
    return bank->n_orders;
}

static bool receipt_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    const Timebank__AskReceipt *ask = request->receipt;
    Timebank__Receipt receipt = TIMEBANK__RECEIPT__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    _cleanup_bytes_ struct bytes checkpoint = {};
    uint8_t seal[RECORD_SEAL_BYTES], record[512];
    size_t i = order_at(bank, ask->number);
    struct path paths[3] = {};
    if (i == bank->n_orders)
        return refuse(bank, fd, request, REFUSAL_NO_SUCH_ENTRY, 0);
    receipt.size = ask->size ? ask->size : bank->n_leaves;
    receipt.number = ask->number;
    receipt.seal = bank->seal;
    cr_assert(bank->orders[i].n <= sizeof(record));
    memcpy(record, bank->orders[i].data, bank->orders[i].n);
    memcpy(seal, bank->seal_record, sizeof(seal));
    receipt.record = (ProtobufCBinaryData){.len = bank->orders[i].n, .data = record};
    receipt.seal_record = (ProtobufCBinaryData){.len = sizeof(seal), .data = seal};
    path_make(tree_lookup, bank, receipt.number, receipt.size, &paths[0]);
    path_make(tree_lookup, bank, receipt.seal, receipt.size, &paths[1]);
    path_make(batch_lookup, bank, i, bank->n_orders, &paths[2]);
    receipt.n_path = paths[0].n, receipt.path = paths[0].data;
    receipt.n_seal_path = paths[1].n, receipt.seal_path = paths[1].data;
    receipt.n_batch_path = paths[2].n, receipt.batch_path = paths[2].data;
    if (receipt.size == bank->n_leaves)
        checkpoint_make(bank, receipt.size, &checkpoint);
    receipt.checkpoint = (ProtobufCBinaryData){.len = checkpoint.n, .data = checkpoint.data};
    if (bank->spoil)
        bank->spoil(&receipt);
    response.body_case = TIMEBANK__RESPONSE__BODY_RECEIPT;
    response.receipt = &receipt;
    return reply(bank, fd, request, &response);
}

uint64_t fake_bank_replay(struct fake_bank *bank) {
    uint64_t number = bank->n_leaves;
    bank->leaves[number] = merkle_leaf(bank->orders[0].data, bank->orders[0].n);
    bank->n_leaves++;
    return number;
}

/* Vouchers 0 ... 6 in pages of two, marks of one byte; of other tables, of one account, nothing. */
static bool register_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    const Timebank__AskRegister *ask = request->register_;
    Timebank__RegisterRow rows[2] = {TIMEBANK__REGISTER_ROW__INIT, TIMEBANK__REGISTER_ROW__INIT};
    Timebank__RegisterRow *list[2] = {&rows[0], &rows[1]};
    Timebank__Register page = TIMEBANK__REGISTER__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    uint8_t marks[2], key[32] = {9};
    unsigned first = ask->after.len > 0 ? ask->after.data[0] + 1u : 0;
    if (bank->turns && first == 6)
        first = 0;
    bool has_rows =
        ask->table == TIMEBANK__REGISTER_TABLE__VOUCHERS_MINTED && ask->to_day >= ask->from_day;
    for (unsigned i = 0; has_rows && !ask->code[0] && i < 2 && first + i < 7; i++) {
        marks[i] = (uint8_t)(first + i);
        rows[i].mark = (ProtobufCBinaryData){.len = 1, .data = &marks[i]};
        rows[i].what = "unused";
        rows[i].minutes = -60;
        rows[i].count = first + i;
        rows[i].due_ms = UINT64_C(1741132800000);
        rows[i].key = (ProtobufCBinaryData){.len = (first + i) % 2 ? 16 : 32, .data = key};
        rows[i].flag = true;
        page.n_rows++;
    }
    page.rows = list;
    page.more = page.n_rows > 0 && first + 2 < 7;
    response.body_case = TIMEBANK__RESPONSE__BODY_REGISTER;
    response.register_ = &page;
    return reply(bank, fd, request, &response);
}

/* One figure, its checksum, and 300 KB of padding so that it comes in parts. */
static void report_make(struct fake_bank *bank, const Timebank__AskReport *ask, struct bytes *to) {
    static const char measures[] = "{\"givers\":7,\"by_month\":{}}";
    char from[16], until[16], known[16], checksum[2 * HASH_BYTES + 1];
    _cleanup_bytes_ struct bytes root = {};
    uint64_t size = ask->at_size ? ask->at_size : bank->n_leaves;
    struct merkle_range range = {};
    cr_assert(merkle_prove_range(tree_lookup, bank, 0, size, &range) == 0);
    struct hash hash = merkle_range_root(&range);
    text64_encode(&root, hash.b, HASH_BYTES);
    bytes_put_u8(&root, '\0');
    dates_format_iso(ask->from_day, from);
    dates_format_iso(ask->to_day, until);
    dates_format_iso(ask->known_day ? ask->known_day : 20000, known);
    cr_assert(report_text_checksum(lines_make(measures, strlen(measures)), checksum) == 0);
    bytes_printf(to,
                 "{\"definition\":\"timebank-measures/1\",\"bank\":\"%s\",\"from\":\"%s\","
                 "\"to\":\"%s\",\"as_known_at\":\"%s\",%s\"class\":\"internal\",\"position\":"
                 "{\"size\":%llu,\"root\":\"%s\"},\"rule\":{},\"measures\":%s,\"checksum\":\"%s\","
                 "\"padding\":\"",
                 bank->verifier.name, from, until, known,
                 ask->as_recorded ? "\"as_recorded\":true," : "", (unsigned long long)size,
                 (const char *)root.data, measures, checksum);
    memset(bytes_reserve(to, 300 * 1024), 'x', 300 * 1024);
    bytes_put_text(to, "\"}");
}

static bool report_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    Timebank__Report report = TIMEBANK__REPORT__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    _cleanup_bytes_ struct bytes json = {};
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    report_make(bank, request->report, &json);
    if (bank->spoil_json)
        bank->spoil_json(bank, &json);
    bytes_put_u8(&json, '\n');
    cr_assert(sshsig_sign(SSHSIG_REPORT, json.data, json.n, bank->secret, signature) == 0);
    report.json = (ProtobufCBinaryData){.len = json.n - 1, .data = json.data};
    report.signature = (ProtobufCBinaryData){.len = sizeof(signature), .data = signature};
    report.key = (ProtobufCBinaryData){.len = NOTE_KEY_BYTES, .data = bank->verifier.key};
    response.body_case = TIMEBANK__RESPONSE__BODY_REPORT;
    response.report = &report;
    if (bank->spoil_report)
        bank->spoil_report(bank, &report);
    return reply(bank, fd, request, &response);
}

/* What lies between leaves that the asker holds. */
static bool ranges_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    const Timebank__AskRanges *ask = request->ranges;
    Timebank__Hashes hashes = TIMEBANK__HASHES__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    _cleanup_bytes_ struct bytes bytes = {};
    uint64_t begin = ask->begin;
    for (size_t i = 0; i <= ask->n_leaves; i++) {
        struct merkle_range range = {};
        uint64_t end = i < ask->n_leaves ? ask->leaves[i] : ask->end;
        cr_assert(begin <= end && end <= bank->n_leaves);
        if (begin < end)
            cr_assert(merkle_prove_range(tree_lookup, bank, begin, end, &range) == 0);
        bytes_put(&bytes, range.hashes, range.n_hashes * HASH_BYTES);
        begin = end + 1;
    }
    hashes.hashes = (ProtobufCBinaryData){.len = bytes.n, .data = bytes.data};
    response.body_case = TIMEBANK__RESPONSE__BODY_RANGES;
    response.ranges = &hashes;
    return reply(bank, fd, request, &response);
}

static bool end_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    bank->n_dry_runs = 0;
    return reply(bank, fd, request, &response);
}

static bool request_handle(struct fake_bank *bank, int fd, const Timebank__Request *request) {
    bank->n_requests++;
    if (bank->mute > 0) {
        bank->mute--;
        return true;
    }
    if (bank->busy > 0) {
        bank->busy--;
        return refuse(bank, fd, request, REFUSAL_TRY_LATER, 0);
    }
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    if (bank->answer && bank->answer(bank, request, &response))
        return reply(bank, fd, request, &response);
    switch (request->body_case) {
    case TIMEBANK__REQUEST__BODY_SUBMIT:
        return submit_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_END_DRY_RUN:
        return end_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_ACCOUNTS:
        return accounts_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_ENTRY:
        return entry_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_REGISTER:
        return register_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_RECEIPT:
        return receipt_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_RANGES:
        return ranges_handle(bank, fd, request);
    case TIMEBANK__REQUEST__BODY_REPORT:
        return report_handle(bank, fd, request);
    default:
        return status_handle(bank, fd, request);
    }
}

/* --------------------------------------------------------------- connection */

static bool greet(struct fake_bank *bank, int fd, uint8_t nonce[32]) {
    Timebank__Greeting greeting = TIMEBANK__GREETING__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    _cleanup_bytes_ struct bytes checkpoint = {};
    _cleanup_bytes_ struct bytes line = {};
    note_verifier_format(&bank->verifier, &line);
    bytes_put_u8(&line, '\0');
    checkpoint_make(bank, bank->n_leaves, &checkpoint);
    randombytes_buf(nonce, 32);
    greeting.protocol = 1;
    greeting.version = "0";
    greeting.origin = bank->verifier.name;
    greeting.verifier_key = (char *)line.data;
    greeting.checkpoint = (ProtobufCBinaryData){.len = checkpoint.n, .data = checkpoint.data};
    greeting.nonce = (ProtobufCBinaryData){.len = 32, .data = nonce};
    response.body_case = TIMEBANK__RESPONSE__BODY_GREETING;
    response.greeting = &greeting;
    return frame_send(fd, &response);
}

static bool welcome(struct fake_bank *bank, int fd, const Timebank__Request *request,
                    const uint8_t nonce[32]) {
    Timebank__Welcome message = TIMEBANK__WELCOME__INIT;
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    uint8_t signed_bytes[BATCH_HELLO_BYTES], signature[64];
    const Timebank__Hello *hello = request->hello;
    if (request->body_case != TIMEBANK__REQUEST__BODY_HELLO)
        return false;
    batch_hello_bytes(&bank->ledger_id, nonce, hello->nonce.data, NULL, signed_bytes);
    cr_assert(sshsig_verify(SSHSIG_HELLO, signed_bytes, sizeof(signed_bytes), hello->key.data,
                            hello->signature.data) == 0);
    cr_assert(sshsig_sign(SSHSIG_WELCOME, signed_bytes, sizeof(signed_bytes),
                          bank->lie == FAKE_WELCOME ? bank->other_secret : bank->secret,
                          signature) == 0);
    message.signature = (ProtobufCBinaryData){.len = 64, .data = signature};
    message.role = TIMEBANK__ROLE__BROKER;
    response.tag = request->tag;
    response.body_case = TIMEBANK__RESPONSE__BODY_WELCOME;
    response.welcome = &message;
    return frame_send(fd, &response);
}

static void connection_serve(struct fake_bank *bank, int fd) {
    uint8_t nonce[32];
    bool going = greet(bank, fd, nonce);
    bool first = true;
    while (going) {
        Timebank__Request *request = request_receive(bank, fd);
        going = request &&
                (first ? welcome(bank, fd, request, nonce) : request_handle(bank, fd, request));
        first = false;
        if (request)
            timebank__request__free_unpacked(request, NULL);
    }
    close(fd);
}

static void *thread_run(void *user) {
    struct fake_bank *bank = user;
    while (!bank->stop) {
        struct pollfd pollfd = {.fd = bank->listener, .events = POLLIN};
        if (poll(&pollfd, 1, 20) > 0) {
            int fd = accept(bank->listener, NULL, NULL);
            if (fd >= 0)
                connection_serve(bank, fd);
        }
    }
    return NULL;
}

void fake_bank_serve(struct fake_bank *bank) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", bank->address + 5);
    unlink(name.sun_path);
    bank->stop = false;
    bank->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(bind(bank->listener, (struct sockaddr *)&name, sizeof(name)) == 0);
    cr_assert(listen(bank->listener, 8) == 0);
    cr_assert(pthread_create(&bank->thread, NULL, thread_run, bank) == 0);
}

void fake_bank_stop(struct fake_bank *bank) {
    bank->stop = true;
    pthread_join(bank->thread, NULL);
    close(bank->listener);
    unlink(bank->address + 5);
}

void fake_bank_change_key(struct fake_bank *bank) {
    key_make(bank);
}

void fake_bank_start(struct fake_bank *bank) {
    memset(bank, 0, sizeof(*bank));
    scratch_make(bank->directory);
    snprintf(bank->address, sizeof(bank->address), "unix:%s/socket", bank->directory);
    key_make(bank);
    bank->leaves[bank->n_leaves++] = hash_of("genesis", 7);
    bank->leaves[bank->n_leaves++] = hash_of("state", 5);
    fake_bank_serve(bank);
}

void fake_bank_fini(struct fake_bank *bank) {
    fake_bank_stop(bank);
    bytes_fini(&bank->last_order);
    for (size_t i = 0; i < FAKE_ORDERS_MAX; i++)
        bytes_fini(&bank->orders[i]);
    scratch_remove(bank->directory);
}
