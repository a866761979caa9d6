/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests, the checks common to all, and the position that every reply carries. */
#include "dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "answer.h"
#include "handlers.h"
#include "job.h"
#include "proto/balance-plain.h"

#define FINISH_ARENA_BYTES (64u * 1024 * 1024)
#define FINISH_ROOM_BYTES 4096u /* what the answer to a small batch takes */
#define AT_ONCE_BYTES (1024u * 1024)
#define CASE(name) TIMEBANK__REQUEST__BODY_##name

static const struct request {
    Timebank__Request__BodyCase body;
    int (*handle)(struct call *call);
    bool is_write;
    bool checks_rights; /* itself, in the order that timebank-ledger(5) gives */
} requests[] = {
    {.body = CASE(SUBMIT), .handle = handle_submit, .is_write = true, .checks_rights = true},
    {.body = CASE(END_DRY_RUN), .handle = handle_submit_end_dry_run},
    {.body = CASE(STATUS), .handle = handle_status},
    {.body = CASE(BALANCE), .handle = handle_account_balance},
    {.body = CASE(ACCOUNTS), .handle = handle_account_list},
    {.body = CASE(ACCOUNT), .handle = handle_account},
    {.body = CASE(ENTRY), .handle = handle_entry},
    {.body = CASE(ORDER), .handle = handle_entry_by_id},
    {.body = CASE(ACTIVITIES), .handle = handle_list_activities},
    {.body = CASE(OFFERS), .handle = handle_list_offers},
    {.body = CASE(POLICIES), .handle = handle_list_policies},
    {.body = CASE(FUNDERS), .handle = handle_list_funders},
    {.body = CASE(KEYS), .handle = handle_list_keys},
    {.body = CASE(STATEMENT), .handle = handle_statement},
    {.body = CASE(REPORT), .handle = handle_report},
    {.body = CASE(NEXT_CODE), .handle = handle_account_next_code},
    {.body = CASE(INCLUSION), .handle = handle_status_inclusion},
    {.body = CASE(REGISTER), .handle = handle_register},
    {.body = CASE(BACKUP), .handle = handle_backup},
    {.body = CASE(NEXT_KEY), .handle = handle_key_next},
    {.body = CASE(RECEIPT), .handle = handle_receipt},
    {.body = CASE(ACCOUNT_STATE), .handle = handle_state},
    {.body = CASE(RANGES), .handle = handle_state_ranges},
    {.body = CASE(PUBLISHED), .handle = handle_state_published},
    {.body = CASE(TILES), .handle = handle_tiles},
    {.body = CASE(RECORDS), .handle = handle_tiles_records},
    {.body = CASE(JOURNAL), .handle = handle_journal},
};

static const struct request *find(const Timebank__Request *request) {
    for (size_t i = 0; i < N_ELEMENTS(requests); i++)
        if (requests[i].body == request->body_case)
            return &requests[i];
    return NULL;
}

bool dispatch_is_write(const Timebank__Request *request) {
    const struct request *entry = find(request);

    return entry && entry->is_write && !request->submit->dry_run;
}

static int check_rights(struct call *call) {
    if (access_right(call->who.role, call->request->body_case) != ACCESS_NO)
        return 0;
    if (call->who.is_revoked)
        return REFUSAL_REVOKED_KEY;
    return call->who.role == TIMEBANK__ROLE__ROLE_NONE ? REFUSAL_UNKNOWN_KEY : REFUSAL_NO_AUTHORITY;
}

static int handle(struct call *call) {
    const struct request *entry = find(call->request);
    int r;

    if (!entry || call->request->tag == 0)
        return call_refuse(call, REFUSAL_BAD_REQUEST, NULL);
    if (!entry->checks_rights) {
        r = check_rights(call);
        if (r != 0)
            return call_refuse(call, r, NULL);
    }
    r = entry->handle(call);
    if (r == -ENOMEM && call->arena->r < 0 && call->reply->seal == 0) {
        /* More than one request may take is the asker's affair: the others are served on. The
         * request lies in the arena, and is not looked at again. */
        arena_reset(call->arena);
        return call_refuse(call, REFUSAL_TOO_LARGE, NULL);
    }
    return r;
}

static int pack(struct bytes *to, const Timebank__Response *response) {
    size_t n = timebank__response__get_packed_size(response);
    uint8_t *at = bytes_reserve(to, n);

    if (!at)
        return -ENOMEM;
    timebank__response__pack(response, at);
    return 0;
}

static int set_position(struct bank *bank, uint64_t known_size, struct arena *arena,
                        Timebank__Position *ret) {
    const struct note_head *head = log_head(bank->log);
    struct hash path[MERKLE_PATH_MAX + 1];
    struct nodes_source source = {.nodes = &bank->nodes};
    size_t n = 0;
    int r;

    ret->size = head->size;
    if (known_size == head->size)
        return 0;
    ret->checkpoint.data = (uint8_t *)(uintptr_t)log_checkpoint(bank->log, &n);
    ret->checkpoint.len = n;
    if (known_size == 0 || known_size > head->size)
        return 0;
    r = log_read(bank->log, &source.read);
    if (r == 0)
        r = merkle_prove_consistency(nodes_lookup, &source, known_size, head->size, path, &n);
    return r < 0 ? r : answer_hashes(arena, path, n, &ret->consistency, &ret->n_consistency);
}

/* Every change of a key's rights is a record. */
static int find_author(struct bank *bank, struct call_client *client, struct ledger_author *ret) {
    uint64_t size = bank_state(bank)->sums.size;
    int r = 0;

    if (client->who_size != size)
        r = ledger_author(bank_state(bank), client->key, &client->who);
    if (r < 0)
        return r;
    client->who_size = size;
    *ret = client->who;
    return 0;
}

/* What may be large, or is filled in under a later head, is left to dispatch_finish(). */
static bool is_ready(struct bank *bank, const struct reply *reply, const struct arena *arena) {
    return reply->seal == 0 && !reply->job && !reply->complete && arena->n_used <= AT_ONCE_BYTES &&
           log_is_durable(bank->log, reply->ticket);
}

static int put_now(struct call *call, struct bytes *to) {
    Timebank__Position position = TIMEBANK__POSITION__INIT;
    int r = set_position(call->bank, call->reply->known_size, call->arena, &position);

    call->response->position = &position;
    if (r < 0 || balance_plain_put_response(call->response, to))
        return r < 0 ? r : to->r;
    return pack(to, call->response);
}

static int put_off(struct reply *made, const Timebank__Response *response,
                   struct reply **ret_reply) {
    _cleanup_(reply_freep) struct reply *reply = malloc(sizeof(*reply));
    int r = 0;

    if (!reply)
        return -ENOMEM;
    *reply = *made;
    *made = (struct reply){0};
    if (reply->seal == 0 && !reply->job && !reply->complete)
        r = pack(&reply->body, response);
    if (r < 0)
        return r;
    *ret_reply = TAKE(reply);
    return 0;
}

int dispatch(struct bank *bank, struct call_client *client, const Timebank__Request *request,
             struct arena *arena, struct bytes *now, struct reply **ret_reply) {
    _cleanup_(reply_fini) struct reply made = {.tag = request->tag,
                                               .known_size = request->known_size};
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    struct call call = {.bank = bank,
                        .client = client,
                        .request = request,
                        .arena = arena,
                        .response = &response,
                        .reply = &made};
    int r;

    response.tag = request->tag;
    r = find_author(bank, client, &call.who);
    if (r == 0)
        r = handle(&call);
    if (r < 0)
        return r;
    made.ticket = made.seal == 0 ? log_ticket(bank->log) : log_write_ticket(bank->log);
    if (now && is_ready(bank, &made, arena)) {
        *ret_reply = NULL;
        return put_now(&call, now);
    }
    made.who = call.who;
    return put_off(&made, &response, ret_reply);
}

/* A message laid behind another is merged into it: the body was packed when the request was
 * handled. */
static int finish(struct bank *bank, struct reply *reply, struct arena *arena, struct bytes *to) {
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    Timebank__Position position = TIMEBANK__POSITION__INIT;
    Timebank__Answer answer = TIMEBANK__ANSWER__INIT;
    int r = set_position(bank, reply->known_size, arena, &position);

    response.position = &position;
    if (r == 0 && reply->seal != 0) {
        r = answer_make(bank, reply, arena, &answer);
        response.answer = &answer;
        response.body_case = TIMEBANK__RESPONSE__BODY_ANSWER;
    }
    if (r == 0 && reply->job)
        r = job_respond(reply->job,
                        &(struct call){.bank = bank, .arena = arena, .response = &response});
    if (r == 0 && reply->complete)
        r = reply->complete(bank, reply, arena, &response);
    if (reply->body.n == 0)
        response.tag = reply->tag;
    bytes_put(to, reply->body.data, reply->body.n);
    return r < 0 ? r : pack(to, &response);
}

int dispatch_finish(struct bank *bank, struct reply *reply, struct bytes *to) {
    alignas(16) uint8_t room[FINISH_ROOM_BYTES];
    struct arena arena;
    int r;

    assert(log_is_durable(bank->log, reply->ticket));
    arena_init_in(&arena, FINISH_ARENA_BYTES, room, sizeof(room));
    r = finish(bank, reply, &arena, to);
    arena_fini(&arena);
    return r;
}
