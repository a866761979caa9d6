/* SPDX-License-Identifier: Apache-2.0 */
/* The bank of a story, its clock, and asking. Orders and batches: harness-batch.c. */
#include "harness.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "daemon/job.h"
#include "daemon/policy.h"

#define ORIGIN "ely.example/timebank"
#define REQUEST_ARENA_BYTES (64u << 20)
#define STORY_ARENA_BYTES (512u << 20)

struct story story;

/* ---- actors */

static const char *const names[N_ACTORS] = {
    [STEWARD] = "steward",     [BROKER] = "broker",   [BROKER_M30] = "broker with account",
    [GARDEN] = "organisation", [POOL] = "venue",      [M12] = "member",
    [EVALUATOR] = "evaluator", [AUDITOR] = "auditor", [REVOKED] = "revoked key",
    [STRANGER] = "unknown key"};

const char *actor_name(enum actor actor) {
    return names[actor];
}

static const uint8_t *secret_of(enum actor actor) {
    static uint8_t secrets[N_ACTORS][SSHSIG_SECRET_BYTES];
    static bool is_made[N_ACTORS];
    uint8_t public[SSHSIG_PUBLIC_BYTES];

    if (!is_made[actor]) {
        struct hash seed = hash_of(names[actor], strlen(names[actor]));
        cr_assert(sodium_init() >= 0);
        cr_assert(crypto_sign_seed_keypair(public, secrets[actor], seed.b) == 0);
        is_made[actor] = true;
    }
    return secrets[actor];
}

const uint8_t *actor_key(enum actor actor) {
    return secret_of(actor) + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES;
}

void actor_sign(enum actor actor, const char *name_space, const void *message, size_t n,
                uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    cr_assert(sshsig_sign(name_space, message, n, secret_of(actor), ret) == 0);
}

/* ---- the bank */

void story_settings(void) {
    story = (struct story){.monotonic_ms = 1000};
    arena_init(&story.arena, STORY_ARENA_BYTES);
    for (int i = 0; i < N_ACTORS; i++)
        memcpy(story.clients[i].key, actor_key((enum actor)i), SSHSIG_PUBLIC_BYTES);
    story.settings = (struct bank_settings){
        .log = {.map_bytes = 64u << 20,
                .reserve_bytes = 1u << 20,
                .step_records = 8,
                .publish_ms = 1000,
                .inline_commits = true},
        .people_map_bytes = 16u << 20,
        .batch_orders = PARCEL_ORDERS_MAX,
        .page_entries = 100,
        .dry_run_orders = 1000,
        .report_rows = 100000,
        .reports = 2,
    };
}

static void path_in(char ret[128], const char *name) {
    snprintf(ret, 128, "%s/%s", story.directory, name);
}

static void genesis_fill(Timebank__Genesis *genesis, const char *const *policies_given,
                         const struct keyring *keyring) {
    static char *policy_names[64], *values[64];
    static ProtobufCBinaryData stewards[1];
    size_t n = 0;

    for (; policies[n].name; n++) {
        policy_names[n] = (char *)(uintptr_t)policies[n].name;
        values[n] = (char *)(uintptr_t)policies[n].otherwise;
        for (size_t i = 0; policies_given && policies_given[i]; i += 2)
            if (strcmp(policies_given[i], policies[n].name) == 0)
                values[n] = (char *)(uintptr_t)policies_given[i + 1];
    }
    stewards[0] = (ProtobufCBinaryData){SSHSIG_PUBLIC_BYTES, (uint8_t *)actor_key(STEWARD)};
    genesis->format = 1;
    genesis->origin = (char *)(uintptr_t)ORIGIN;
    genesis->ledger_key =
        (ProtobufCBinaryData){NOTE_KEY_BYTES, (uint8_t *)(uintptr_t)keyring_verifier(keyring)->key};
    genesis->steward_keys = stewards;
    genesis->n_steward_keys = 1;
    genesis->policy_names = policy_names;
    genesis->policy_values = values;
    genesis->n_policy_names = genesis->n_policy_values = n;
    genesis->created_ms = story.wall_ms;
}

void bank_make(uint64_t wall_ms, const char *const *policies_given) {
    _cleanup_(keyring_closep) struct keyring *keyring = NULL;
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    char path[128], why[512] = "";

    story.wall_ms = story.author_ms = wall_ms;
    strcpy(story.directory, "/tmp/tb-story-XXXXXX");
    cr_assert(mkdtemp(story.directory));
    path_in(path, "ledger.key");
    cr_assert(keyring_create(path, ORIGIN) == 0);
    cr_assert(keyring_open(&keyring, path, ORIGIN) == 0);
    story.verifier = *keyring_verifier(keyring);
    path_in(path, "people");
    cr_assert(mkdir(path, 0700) == 0);
    cr_assert(people_create(path, story.settings.people_map_bytes) == 0);
    genesis_fill(&genesis, policies_given, keyring);
    cr_assert(log_create(story.directory, &story.settings.log, &genesis, keyring, wall_ms) == 0);
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
}

static void set_activity(void) {
    Timebank__Order *activity = order_new(TIMEBANK__ORDER__KIND_SET_ACTIVITY);
    Timebank__Order *offer = order_new(TIMEBANK__ORDER__KIND_SET_OFFER);
    Timebank__Order *funder = order_new(TIMEBANK__ORDER__KIND_SET_FUNDER);
    Timebank__Order *issue = order_move(TIMEBANK__ORDER__KIND_ISSUE, "issued", "garden", 6000);
    struct parcel *parcel = parcel_new(STEWARD);

    activity->set_activity->name = text_copy("gardening");
    offer->to = text_copy("pool");
    offer->set_offer->name = text_copy("swim");
    offer->set_offer->price_minutes = 60;
    funder->set_funder->name = text_copy("council");
    issue->issue->funder = text_copy("council");
    parcel_put(parcel, activity);
    parcel_put(parcel, offer);
    parcel_put(parcel, funder);
    parcel_put(parcel, issue);
    parcel_send(parcel);
    expect_recorded();
}

static void grant_keys(void) {
    static const struct {
        enum actor actor;
        Timebank__Role role;
        const char *account;
    } granted[] = {{BROKER, TIMEBANK__ROLE__BROKER, ""},
                   {BROKER_M30, TIMEBANK__ROLE__BROKER, "m30"},
                   {GARDEN, TIMEBANK__ROLE__ROLE_ORGANISATION, "garden"},
                   {POOL, TIMEBANK__ROLE__ROLE_VENUE, "pool"},
                   {M12, TIMEBANK__ROLE__ROLE_MEMBER, "m12"},
                   {EVALUATOR, TIMEBANK__ROLE__EVALUATOR, ""},
                   {AUDITOR, TIMEBANK__ROLE__AUDITOR, ""},
                   {REVOKED, TIMEBANK__ROLE__ROLE_MEMBER, "m7"}};
    struct parcel *parcel = parcel_new(STEWARD);

    for (size_t i = 0; i < N_ELEMENTS(granted); i++)
        parcel_put(parcel, order_grant_key(actor_key(granted[i].actor), granted[i].role,
                                           granted[i].account));
    parcel_put(parcel, order_revoke_key(actor_key(REVOKED)));
    parcel_send(parcel);
    expect_recorded();
}

void bank_furnish(void) {
    struct parcel *parcel = parcel_new(STEWARD);

    parcel_put(parcel, order_open("m7", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, order_open("m12", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, order_open("m30", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, order_open("garden", TIMEBANK__ACCOUNT_KIND__ORGANISATION));
    parcel_put(parcel, order_open("pool", TIMEBANK__ACCOUNT_KIND__VENUE));
    parcel_send(parcel);
    expect_recorded();
    set_activity();
    grant_keys();
}

void bank_start(void) {
    bank_start_with("quantum", "15", NULL);
}

void bank_start_with(const char *policy, ...) {
    const char *given[16] = {policy};
    va_list arguments;

    va_start(arguments, policy);
    for (size_t i = 1; given[i - 1] && i < N_ELEMENTS(given) - 1; i++)
        given[i] = va_arg(arguments, const char *);
    va_end(arguments);
    story_settings();
    bank_make(NOON, given);
    bank_furnish();
}

int bank_try_open(char *why, size_t n_why) {
    int fd, r = bank_lock(story.directory, &fd);

    cr_assert(r == 0, "locked: %s", strerror(-r));
    return bank_open(&story.bank, story.directory, &story.settings, fd, story.wall_ms,
                     story.monotonic_ms, why, n_why);
}

void bank_stop(void) {
    for (int i = 0; i < N_ACTORS; i++) {
        call_client_fini(&story.clients[i]);
        story.clients[i].n_dry_orders = 0;
    }
    cr_assert(bank_close(story.bank) == 0);
    story.bank = NULL;
}

void bank_restart(void) {
    char why[512] = "";

    if (story.bank)
        bank_stop();
    cr_assert(bank_try_open(why, sizeof(why)) == 0, "%s", why);
}

static void check_at_rest(void) {
    struct check_result result = {0};
    FILE *told = tmpfile();
    char text[2048] = "";
    int r;

    cr_assert(told);
    r = check_ledger(story.directory, &story.settings, true, told, &result);
    rewind(told);
    text[fread(text, 1, sizeof(text) - 1, told)] = '\0';
    fclose(told);
    cr_assert(r == 0, "check --full: %s", text);
}

void bank_check(void) {
    char why[512] = "";

    cr_assert(ledger_check(bank_state(story.bank), why, sizeof(why)) == 0, "%s", why);
    bank_stop();
    check_at_rest();
    bank_restart();
}

void bank_end(void) {
    char command[128], why[512] = "";

    if (story.bank) {
        cr_assert(ledger_check(bank_state(story.bank), why, sizeof(why)) == 0, "%s", why);
        bank_stop();
    }
    check_at_rest();
    arena_fini(&story.arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", story.directory);
    cr_assert(system(command) == 0);
}

/* ---- time */

void time_passes(uint64_t ms) {
    story.wall_ms += ms;
    story.monotonic_ms += ms;
    story.author_ms += ms;
    if (story.bank)
        bank_set_time(story.bank, story.wall_ms, story.monotonic_ms);
}

void wall_clock_jumps(int64_t ms) {
    story.wall_ms += (uint64_t)ms;
    if (story.bank)
        bank_set_time(story.bank, story.wall_ms, story.monotonic_ms);
}

/* ---- asking */

Timebank__Request *request_new(Timebank__Request__BodyCase body) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&timebank__request__descriptor, (unsigned)body);
    Timebank__Request *request = arena_alloc(&story.arena, sizeof(*request));
    const ProtobufCMessageDescriptor *descriptor;
    void *message;

    timebank__request__init(request);
    request->body_case = body;
    if (!field)
        return request; /* none of ours: a request without a body */
    descriptor = field->descriptor;
    message = arena_alloc(&story.arena, descriptor->sizeof_message);
    descriptor->message_init(message);
    memcpy((uint8_t *)request + field->offset, &message, sizeof(message));
    return request;
}

/* The request as it would arrive: packed and unpacked. */
static struct reply *dispatch_packed(enum actor actor, const Timebank__Request *request,
                                     struct arena *arena) {
    size_t n = timebank__request__get_packed_size(request);
    uint8_t *packed = arena_alloc(&story.arena, n + 1);
    const Timebank__Request *unpacked;
    struct reply *reply = NULL;
    int r;

    cr_assert(timebank__request__pack(request, packed) == n);
    unpacked = timebank__request__unpack(&arena->allocator, n, packed);
    cr_assert(unpacked);
    r = dispatch(story.bank, &story.clients[actor], unpacked, arena, NULL, &reply);
    cr_assert(r == 0, "dispatch broke: %s", strerror(-r));
    return reply;
}

struct reply *ask_later(enum actor actor, Timebank__Request *request) {
    struct arena arena;
    struct reply *reply;

    if (request->tag == 0)
        request->tag = ++story.tag;
    request->known_size = story.head.size;
    arena_init(&arena, REQUEST_ARENA_BYTES);
    reply = dispatch_packed(actor, request, &arena);
    arena_fini(&arena);
    return reply;
}

void hand_over(void) {
    cr_assert(log_hand_over(story.bank->log, bank_state_time(story.bank)) == 0);
    cr_assert(log_collect(story.bank->log) == 0);
}

static void verify_position(const Timebank__Position *position, uint64_t known_size) {
    struct hash path[MERKLE_PATH_MAX + 1];
    struct note_head head;

    cr_assert(position);
    if (position->checkpoint.len == 0) {
        cr_assert(position->size == known_size && known_size == story.head.size);
        return;
    }
    cr_assert(note_checkpoint_open(position->checkpoint.data, position->checkpoint.len,
                                   &story.verifier, &head) == 0);
    cr_assert(head.size == position->size && head.size >= story.head.size);
    cr_assert(position->n_consistency <= MERKLE_PATH_MAX);
    for (size_t i = 0; i < position->n_consistency; i++) {
        cr_assert(position->consistency[i].len == HASH_BYTES);
        memcpy(path[i].b, position->consistency[i].data, HASH_BYTES);
    }
    if (known_size != 0 && known_size == story.head.size)
        cr_assert(merkle_verify_consistency(known_size, head.size, &story.head.root, &head.root,
                                            path, position->n_consistency) == 0);
    story.head = head;
}

static void run_job(struct reply *reply) {
    int fd = eventfd(0, EFD_CLOEXEC);

    if (reply->job) {
        job_start(reply->job, fd);
        cr_assert(job_is_done(reply->job));
    }
    close(fd);
}

const Timebank__Response *reply_take(struct reply *reply) {
    _cleanup_bytes_ struct bytes packed = {0};
    uint64_t known_size = reply->known_size;
    uint32_t tag = reply->tag;
    int r;

    cr_assert(log_is_durable(story.bank->log, reply->ticket));
    run_job(reply);
    r = dispatch_finish(story.bank, reply, &packed);
    cr_assert(r == 0, "dispatch_finish broke: %s", strerror(-r));
    reply_free(reply);
    log_release_read(story.bank->log);
    story.response = timebank__response__unpack(&story.arena.allocator, packed.n, packed.data);
    cr_assert(story.response && story.response->tag == tag);
    verify_position(story.response->position, known_size);
    return story.response;
}

const Timebank__Response *ask(enum actor actor, Timebank__Request *request) {
    struct reply *reply = ask_later(actor, request);

    hand_over();
    return reply_take(reply);
}

int tick(void) {
    int r = story.bank->clock_is_ahead ? 0 : bank_run_due(story.bank);

    cr_assert(r >= 0, "%s", strerror(-r));
    hand_over();
    cr_assert(log_publish(story.bank->log, bank_state_time(story.bank)) == 0);
    cr_assert(log_collect(story.bank->log) == 0);
    return r;
}

/* ---- expectations */

const Timebank__Refused *response_refused(void) {
    return story.response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED ? story.response->refused
                                                                         : NULL;
}

const Timebank__Answer *response_answer(void) {
    return story.response->body_case == TIMEBANK__RESPONSE__BODY_ANSWER ? story.response->answer
                                                                        : NULL;
}

const char *response_words(void) {
    const Timebank__Refused *refused = response_refused();
    const Timebank__Answer *answer = response_answer();
    size_t n_max = 4096, n = 0;
    char *words = arena_alloc(&story.arena, n_max);

    n = (size_t)snprintf(words, n_max, "body %d", (int)story.response->body_case);
    if (answer)
        n += (size_t)snprintf(words + n, n_max - n, ", seal %llu, already %d, dry run %d",
                              (unsigned long long)answer->seal, answer->already, answer->dry_run);
    for (size_t i = 0; refused && i < refused->n_refusals && n < n_max - 512; i++) {
        const Timebank__Refusal *refusal = refused->refusals[i];
        n +=
            (size_t)snprintf(words + n, n_max - n, "; %u %s [%s] %.200s", refusal->place,
                             refusal_name((int)refusal->refusal), refusal->field, refusal->message);
    }
    return words;
}

void expect_recorded_(const char *file, int line) {
    const Timebank__Answer *answer = response_answer();

    cr_assert(answer && answer->seal > 0 && !answer->already && !answer->dry_run,
              "%s:%d: not recorded: %s", file, line, response_words());
}

void expect_dry_(const char *file, int line) {
    const Timebank__Answer *answer = response_answer();

    cr_assert(answer && answer->dry_run && answer->seal == 0 && answer->n_left == 0 &&
                  answer->n_right == 0,
              "%s:%d: no good dry run: %s", file, line, response_words());
}

void expect_refusal_(size_t i, uint32_t place, int refusal, const char *file, int line) {
    const Timebank__Refused *refused = response_refused();

    cr_assert(refused && i < refused->n_refusals && refused->refusals[i]->place == place &&
                  (int)refused->refusals[i]->refusal == refusal && *refused->refusals[i]->message,
              "%s:%d: wanted %s at %u: %s", file, line, refusal_name(refusal), place,
              response_words());
}

void expect_refused_(uint32_t place, int refusal, const char *field, const char *file, int line) {
    const Timebank__Refused *refused = response_refused();

    expect_refusal_(0, place, refusal, file, line);
    cr_assert(refused->n_refusals == 1, "%s:%d: %s", file, line, response_words());
    cr_assert(!field || strcmp(refused->refusals[0]->field, field) == 0, "%s:%d: wanted [%s]: %s",
              file, line, field, response_words());
}

bool has_warning(int warning) {
    const Timebank__Answer *answer = response_answer();

    for (size_t i = 0; answer && i < answer->n_warnings; i++)
        if ((int)answer->warnings[i]->warning == warning)
            return true;
    return false;
}

int64_t balance_of(const char *code) {
    const struct state_account *account = state_account(bank_state(story.bank), code);

    cr_assert(account, "no account %s", code);
    return account->balance;
}

void expect_other(const char *code, int64_t minutes) {
    const Timebank__Answer *answer = response_answer();

    cr_assert(answer, "%s", response_words());
    for (size_t i = 0; i < answer->n_other_code; i++)
        if (strcmp(answer->other_code[i], code) == 0) {
            cr_assert_eq(answer->other_after[i], minutes, "%s stands at %lld", code,
                         (long long)answer->other_after[i]);
            return;
        }
    cr_assert_fail("nothing of %s", code);
}

struct hash bank_print(void) {
    struct state *state = bank_state(story.bank);
    const struct note_head *head = log_head(story.bank->log);
    _cleanup_bytes_ struct bytes text = {0};

    bytes_printf(&text, "%llu %llu %llu %llu %llu %llu\n", (unsigned long long)head->size,
                 (unsigned long long)state->sums.size, (unsigned long long)state->sums.n_accounts,
                 (unsigned long long)state->sums.n_entries,
                 (unsigned long long)state->sums.received_at_ms,
                 (unsigned long long)state->sums.ledger_time_ms);
    bytes_put(&text, head->root.b, HASH_BYTES);
    for (uint64_t i = 0; i < state->sums.n_accounts; i++) {
        struct hash leaf = account_tree_leaf(state->accounts[i]);
        bytes_put(&text, leaf.b, HASH_BYTES);
    }
    cr_assert(text.r == 0);
    return hash_of(text.data, text.n);
}

/* ---- the tree */

struct hash naive_root(const struct hash *leaves, size_t n) {
    struct iovec pieces[3];
    struct hash left, right;
    uint8_t prefix = 1;
    size_t k = 1;

    if (n == 0)
        return hash_of("", 0);
    if (n == 1)
        return leaves[0];
    while (2 * k < n)
        k *= 2;
    left = naive_root(leaves, k);
    right = naive_root(leaves + k, n - k);
    pieces[0] = (struct iovec){&prefix, 1};
    pieces[1] = (struct iovec){left.b, HASH_BYTES};
    pieces[2] = (struct iovec){right.b, HASH_BYTES};
    return hash_of_pieces(pieces, 3);
}

struct hash *stored_leaves(uint64_t size) {
    struct hash *leaves = arena_alloc(&story.arena, (size + 1) * sizeof(*leaves));
    _cleanup_bytes_ struct bytes record = {0};
    uint8_t prefix = 0;

    for (uint64_t i = 0; i < size; i++) {
        bytes_clear(&record);
        cr_assert(log_record(story.bank->log, i, &record) == 1);
        leaves[i] = hash_of_pieces((struct iovec[]){{&prefix, 1}, {record.data, record.n}}, 2);
    }
    log_release_read(story.bank->log);
    return leaves;
}
