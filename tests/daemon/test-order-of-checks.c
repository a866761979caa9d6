/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a batch and its orders are checked, as timebank-ledger(5) gives it: each test
 * breaks two neighbours at once, and the first must be the one that is told. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "harness.h"
#include "proto/evidence-file.h"

TestSuite(order_of_checks, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static struct parcel *good_batch(enum actor author) {
    struct parcel *parcel = parcel_new(author);

    parcel_put(parcel, order_helps("m7", "m12", 30));
    parcel_sign(parcel);
    return parcel;
}

Test(order_of_checks, takes_a_good_batch) {
    parcel_send(good_batch(BROKER));
    expect_recorded();
    expect_balance("m7", 30);
    expect_balance("m12", -30);
}

/* ---- the batch */

Test(order_of_checks, looks_at_lengths_before_the_header) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);
    Timebank__Request *request;

    parcel->header_bytes[0] = 'X';
    request = parcel_request(parcel);
    request->submit->signature.len--;
    ask(BROKER, request);
    expect_refused(BAD_HEADER);
    cr_assert(strstr(response_refused()->refusals[0]->message, "length"));
    request->submit->signature.len++;
    request->submit->header.len--;
    ask(BROKER, request);
    expect_refused(BAD_HEADER);
    cr_assert(strstr(response_refused()->refusals[0]->message, "length"));
    expect_nothing_written(before);
}

Test(order_of_checks, looks_at_the_header_before_the_signature) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    parcel->header_bytes[0] ^= 1;
    parcel_send(parcel);
    expect_refused(BAD_HEADER);
    parcel = good_batch(BROKER);
    parcel->header_bytes[8] ^= 1; /* the ledger's id; the signature is broken, too */
    parcel_send(parcel);
    expect_refused(OTHER_LEDGER);
    parcel = good_batch(BROKER);
    be32_put(parcel->header_bytes + 4, PARCEL_ORDERS_MAX + 1);
    parcel_send(parcel);
    expect_refused(BATCH_SIZE);
    expect_nothing_written(before);
}

Test(order_of_checks, looks_at_the_signature_before_the_batch_id) {
    struct parcel *first = good_batch(BROKER), *second = good_batch(BROKER);
    struct hash before;

    parcel_send(first);
    before = bank_print();
    memcpy(second->header.batch_id, first->header.batch_id, BATCH_ID_BYTES);
    parcel_sign(second);
    second->signature[5] ^= 1;
    parcel_send(second);
    expect_refused(BAD_SIGNATURE);
    first->signature[5] ^= 1;
    parcel_send(first);
    expect_refused(BAD_SIGNATURE);
    expect_nothing_written(before);
}

Test(order_of_checks, refuses_orders_that_were_not_signed) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    parcel->orders[parcel->n_orders - 5] ^= 1;
    parcel_send(parcel);
    expect_refused(BAD_SIGNATURE);
    parcel = good_batch(BROKER);
    parcel->n_orders--;
    parcel_send(parcel);
    expect_refused(BAD_HEADER);
    parcel = good_batch(BROKER);
    parcel->orders[parcel->n_orders++] = 0;
    parcel_send(parcel);
    expect_refused(BAD_HEADER);
    expect_nothing_written(before);
}

Test(order_of_checks, refuses_a_batch_whose_author_is_not_on_this_line) {
    struct hash before = bank_print();

    ask(M12, parcel_request(good_batch(BROKER)));
    expect_refused(BAD_SIGNATURE);
    expect_nothing_written(before);
}

Test(order_of_checks, refuses_a_signature_of_another_namespace) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    actor_sign(BROKER, SSHSIG_HELLO, parcel->header_bytes, BATCH_HEADER_BYTES, parcel->signature);
    parcel_send(parcel);
    expect_refused(BAD_SIGNATURE);
    expect_nothing_written(before);
}

Test(order_of_checks, looks_at_the_batch_id_before_rights) {
    struct parcel *first = good_batch(BROKER), *second = good_batch(BROKER);
    struct hash before;

    parcel_send(first);
    expect_recorded();
    recorded(STEWARD, order_revoke_key(actor_key(BROKER)));
    before = bank_print();
    memcpy(second->header.batch_id, first->header.batch_id, BATCH_ID_BYTES);
    parcel_sign(second);
    parcel_send(second);
    expect_refused(BATCH_ID_USED);
    parcel_send(good_batch(BROKER));
    expect_refused(REVOKED_KEY);
    expect_nothing_written(before);
}

/* Numbers, time and balances of the first answer; only the head is a later one. */
static void expect_first_answer(const Timebank__Answer *first) {
    const Timebank__Answer *again = response_answer();

    cr_assert(again && again->already, "%s", response_words());
    cr_assert(again->seal == first->seal && again->received_at_ms == first->received_at_ms);
    cr_assert(again->n_entries == first->n_entries);
    for (size_t i = 0; i < first->n_entries; i++)
        cr_assert(again->entries[i] == first->entries[i] &&
                  again->readable.data[i] == first->readable.data[i] &&
                  again->from_after[i] == first->from_after[i] &&
                  again->to_after[i] == first->to_after[i]);
}

Test(order_of_checks, answers_the_same_header_again_after_its_time_limit) {
    struct parcel *parcel = good_batch(BROKER);
    const Timebank__Answer *first;
    struct hash before;

    parcel_send(parcel);
    first = response_answer();
    m7_helps("m30", 60); /* the balances move on */
    time_passes(2 * DAY_MS);
    before = bank_print();
    parcel_send(parcel);
    expect_first_answer(first);
    cr_assert(first->to_after[0] == 30);
    bank_restart();
    parcel_send(parcel);
    expect_first_answer(first);
    expect_nothing_written(before);
}

Test(order_of_checks, answers_the_same_header_again_after_the_key_was_revoked) {
    struct parcel *parcel = good_batch(BROKER);
    const Timebank__Answer *first;
    const Timebank__Answer *again;

    parcel_send(parcel);
    first = response_answer();
    recorded(STEWARD, order_revoke_key(actor_key(BROKER)));
    parcel_send(parcel);
    again = response_answer();
    cr_assert(again && again->already && again->seal == first->seal &&
              again->received_at_ms == first->received_at_ms &&
              again->entries[0] == first->entries[0]);
    /* The key reads nothing any more: what it could see then is not shown again. */
    cr_assert(again->readable.data[0] == 0 && again->to_after[0] == 0);
}

Test(order_of_checks, answers_the_same_header_while_the_first_is_in_flight) {
    struct parcel *parcel = good_batch(BROKER);
    struct reply *first = ask_later(BROKER, parcel_request(parcel));
    struct reply *again = ask_later(BROKER, parcel_request(parcel));
    const Timebank__Answer *answer;
    uint64_t seal;

    cr_assert(!log_is_durable(story.bank->log, again->ticket));
    hand_over();
    seal = reply_take(first)->answer->seal;
    expect_recorded();
    answer = reply_take(again)->answer;
    cr_assert(answer && answer->already && answer->seal == seal && answer->to_after[0] == 30);
    expect_balance("m7", 30);
}

Test(order_of_checks, lets_two_authors_use_one_batch_id) {
    struct parcel *first = good_batch(BROKER), *second = parcel_new(STEWARD);

    parcel_send(first);
    memcpy(second->header.batch_id, first->header.batch_id, BATCH_ID_BYTES);
    parcel_put(second, order_helps("m7", "m30", 45));
    parcel_send(second);
    expect_recorded();
}

Test(order_of_checks, looks_at_rights_before_the_time_limit) {
    struct hash before = bank_print();
    struct parcel *unknown = good_batch(STRANGER), *revoked = good_batch(REVOKED),
                  *auditor = good_batch(AUDITOR);

    time_passes(HOUR_MS);
    parcel_send(unknown);
    expect_refused(UNKNOWN_KEY);
    parcel_send(revoked);
    expect_refused(REVOKED_KEY);
    parcel_send(auditor);
    expect_refused(NO_AUTHORITY);
    expect_nothing_written(before);
}

Test(order_of_checks, looks_at_the_time_limit_before_the_pin) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    parcel->header.pin_root.b[0] ^= 1;
    parcel_sign(parcel);
    time_passes(15 * MINUTE_MS + 1);
    parcel_send(parcel);
    expect_refused(TOO_LATE);
    expect_nothing_written(before);
}

Test(order_of_checks, takes_a_batch_in_its_last_millisecond) {
    struct parcel *parcel = good_batch(BROKER);

    time_passes(15 * MINUTE_MS);
    parcel_send(parcel);
    expect_recorded();
}

Test(order_of_checks, refuses_a_time_limit_further_ahead_than_the_policy) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    parcel->header.not_after_ms++;
    parcel_sign(parcel);
    parcel_send(parcel);
    expect_refused(BAD_NOT_AFTER);
    expect_nothing_written(before);
}

Test(order_of_checks, refuses_a_batch_made_by_a_clock_a_year_ahead) {
    struct hash before = bank_print();
    struct parcel *parcel = good_batch(BROKER);

    parcel->header.created_ms += 365ull * 24 * 60 * MINUTE_MS;
    parcel->header.not_after_ms += 365ull * 24 * 60 * MINUTE_MS;
    parcel_sign(parcel);
    parcel_send(parcel);
    expect_refused(BAD_NOT_AFTER);
    expect_nothing_written(before);
}

Test(order_of_checks, leaves_the_time_limit_open_to_imports_only) {
    struct hash before = bank_print();
    struct parcel *typed = good_batch(BROKER), *imported = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m7", "m12", 30);

    typed->header.not_after_ms = 0;
    parcel_sign(typed);
    parcel_send(typed);
    expect_refused(BAD_NOT_AFTER);
    expect_nothing_written(before);
    order->source = TIMEBANK__SOURCE__IMPORT;
    imported->header.not_after_ms = 0;
    parcel_put(imported, order);
    parcel_send(imported);
    expect_recorded();
}

static size_t n_evidence(char ret_name[256]) {
    char path[80];
    DIR *directory;
    struct dirent *entry;
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/evidence", story.directory);
    directory = opendir(path);
    while (directory && (entry = readdir(directory)))
        if (entry->d_name[0] != '.') {
            snprintf(ret_name, 256, "%s/%.120s", path, entry->d_name);
            n++;
        }
    if (directory)
        closedir(directory);
    return n;
}

/* The header as signed, and this ledger's own head: what timebank verify asks for. */
static void expect_evidence(const char *name, const struct parcel *parcel) {
    _cleanup_bytes_ struct bytes text = {0}, header = {0};
    uint8_t sent[BATCH_HEADER_BYTES];
    struct evidence_file file;
    struct evidence_piece own;

    cr_assert(file_read(name, EVIDENCE_FILE_MAX, &text) == 0);
    cr_assert(evidence_file_parse(&file, text.data, text.n) == 0);
    cr_assert(evidence_file_decode(&file, EVIDENCE_HEADER, &header) == 0);
    batch_header_pack(&parcel->header, sent);
    cr_assert(header.n == sizeof(sent) && memcmp(header.data, sent, sizeof(sent)) == 0);
    own = evidence_file_find(&file, EVIDENCE_HEAD_OWN);
    cr_assert(note_checkpoint_open(own.text, own.n, &story.verifier, &(struct note_head){0}) == 0);
}

Test(order_of_checks, looks_at_the_pin_before_the_orders_and_keeps_evidence) {
    struct hash before = bank_print();
    struct parcel *parcel = parcel_new(BROKER);
    char name[256] = "";
    struct stat st;

    parcel_put(parcel, order_helps("m7", "nobody", 30));
    parcel->header.pin_root.b[31] ^= 1;
    parcel_send(parcel);
    expect_refused(OTHER_HISTORY);
    expect_nothing_written(before);
    cr_assert(n_evidence(name) == 1);
    cr_assert(stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
    expect_evidence(name, parcel);
}

static void send_false_pin(enum actor author, uint8_t twist) {
    struct parcel *parcel = good_batch(author);

    parcel->header.pin_root.b[31] ^= twist;
    parcel_sign(parcel);
    parcel_send(parcel);
    expect_refused(OTHER_HISTORY);
}

Test(order_of_checks, keeps_the_first_false_pin_of_an_authors_day) {
    char name[256] = "";

    send_false_pin(BROKER, 1);
    send_false_pin(BROKER, 1);
    send_false_pin(BROKER, 2);
    cr_assert(n_evidence(name) == 1);
    send_false_pin(STEWARD, 1);
    cr_assert(n_evidence(name) == 2);
}

Test(order_of_checks, keeps_no_evidence_beyond_a_hundred_files) {
    char path[160], name[256] = "";

    snprintf(path, sizeof(path), "%s/evidence", story.directory);
    cr_assert(mkdir(path, 0700) == 0);
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "%s/evidence/other-history-%d", story.directory, i);
        cr_assert(file_create(path, 0600, "", 0) == 0);
    }
    send_false_pin(BROKER, 1);
    cr_assert(n_evidence(name) == 100);
}

Test(order_of_checks, takes_any_true_pin_and_no_pin_and_none_beyond_the_log) {
    struct hash *leaves = stored_leaves(story.head.size);
    uint64_t size = story.head.size;

    for (uint64_t pin = 0; pin <= size; pin++) {
        struct parcel *parcel = parcel_new(BROKER);
        Timebank__Order *order = order_helps("m7", "m12", 15 * (pin + 1));
        parcel_put(parcel, order);
        parcel->header.pin_size = pin;
        parcel->header.pin_root = pin ? naive_root(leaves, pin) : (struct hash){0};
        parcel->is_dry_run = true;
        parcel_send(parcel);
        expect_dry();
        end_dry_run(BROKER);
    }
    struct parcel *beyond = good_batch(BROKER);
    beyond->header.pin_size = size + 1;
    parcel_sign(beyond);
    parcel_send(beyond);
    expect_refused(OTHER_HISTORY);
}

/* ---- each order */

static void put_padded(struct parcel *parcel, const Timebank__Order *order) {
    _cleanup_bytes_ struct bytes record = {0};

    record_order_encode(order, &record);
    bytes_put(&record, "\x80\x08\x01", 3); /* field 128, which nobody knows */
    parcel_put_bytes(parcel, record.data + 1, record.n - 1);
}

Test(order_of_checks, looks_at_canonical_form_before_the_id) {
    Timebank__Order *order = m7_helps("m12", 30);
    struct parcel *parcel = parcel_new(BROKER);
    struct hash before = bank_print();

    put_padded(parcel, order); /* an id that is known, in other bytes */
    parcel_send(parcel);
    expect_refused(NOT_CANONICAL);
    expect_nothing_written(before);
}

Test(order_of_checks, looks_at_the_id_before_the_rules) {
    Timebank__Order *order = m7_helps("m12", 30);
    struct hash before = bank_print();

    order->to = text_copy("nobody");
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "to");
    expect_nothing_written(before);
}

Test(order_of_checks, names_the_entry_of_an_order_that_is_in) {
    struct parcel *first, *again;
    Timebank__Order *order = order_helps("m7", "m12", 30);
    struct hash before;

    first = submit(BROKER, order);
    before = bank_print();
    again = parcel_new(BROKER);
    parcel_put(again, order);
    parcel_put(again, order_helps("m7", "m12", 45));
    parcel_send(again);
    expect_refused(ALREADY);
    cr_assert(response_refused()->refusals[0]->entry == first->entries[0]);
    expect_nothing_written(before);
}

Test(order_of_checks, answers_where_all_orders_are_in_and_writes_nothing) {
    Timebank__Order *one = m7_helps("m12", 30), *two = m7_helps("m30", 45);
    struct parcel *again = parcel_new(BROKER);
    const Timebank__Answer *answer;
    struct hash before = bank_print();

    parcel_put(again, two);
    parcel_put(again, one);
    parcel_send(again);
    answer = response_answer();
    cr_assert(answer && answer->already && answer->seal == 0 && !answer->dry_run, "%s",
              response_words());
    cr_assert(answer->n_entries == 2 && answer->entries[0] > answer->entries[1]);
    expect_nothing_written(before);
    /* It was not kept: its id stays free for something else. */
    struct parcel *other = parcel_new(BROKER);
    memcpy(other->header.batch_id, again->header.batch_id, BATCH_ID_BYTES);
    parcel_put(other, order_helps("m7", "m12", 60));
    parcel_send(other);
    expect_recorded();
}

Test(order_of_checks, knows_an_order_twice_in_one_batch) {
    Timebank__Order *order = order_helps("m7", "m12", 30);
    struct parcel *parcel = parcel_new(BROKER);
    struct hash before = bank_print();

    parcel_put(parcel, order);
    parcel_put(parcel, order);
    order->minutes = 45;
    parcel_put(parcel, order);
    parcel_send(parcel);
    expect_n_refusals(2);
    expect_refusal(0, 1, ALREADY);
    expect_refusal(1, 2, ID_DIFFERS);
    cr_assert_str_eq(response_refused()->refusals[1]->field, "minutes");
    expect_nothing_written(before);
}

/* One change for each field of an Order, in the order of their numbers. */
static void change(Timebank__Order *order, const char *field) {
    static uint8_t other[ORDER_ID_BYTES] = {1}, note[32] = {2};

    if (strcmp(field, "service_day") == 0)
        order->service_day--;
    else if (strcmp(field, "from") == 0)
        order->from = text_copy("m30");
    else if (strcmp(field, "from_person") == 0)
        order->from_person = text_copy("p1");
    else if (strcmp(field, "to") == 0)
        order->to = text_copy("m30");
    else if (strcmp(field, "to_person") == 0)
        order->to_person = text_copy("p1");
    else if (strcmp(field, "minutes") == 0)
        order->minutes = 75;
    else if (strcmp(field, "typed_minutes") == 0)
        order->typed_minutes = 74;
    else if (strcmp(field, "authority") == 0)
        order->authority = TIMEBANK__AUTHORITY__BY_SHEET;
    else if (strcmp(field, "activity") == 0)
        order->activity = text_copy("cooking");
    else if (strcmp(field, "sheet") == 0)
        order->sheet = text_copy("s1");
    else if (strcmp(field, "line") == 0)
        order->line = 4;
    else if (strcmp(field, "claimed_day") == 0)
        order->claimed_day = TODAY;
    else if (strcmp(field, "note") == 0)
        order->note = (ProtobufCBinaryData){sizeof(note), note};
    else if (strcmp(field, "override") == 0)
        order->override = 4;
    else if (strcmp(field, "corrects") == 0)
        order->corrects = (ProtobufCBinaryData){sizeof(other), other};
    else if (strcmp(field, "source") == 0)
        order->source = TIMEBANK__SOURCE__SHEET;
    else if (strcmp(field, "proposal") == 0)
        order->proposal = true;
    else
        cr_assert_fail("no change for field %s", field);
}

Test(order_of_checks, names_each_field_in_which_a_known_id_differs) {
    Timebank__Order *order = m7_helps("m12", 30);
    const ProtobufCMessageDescriptor *descriptor = &timebank__order__descriptor;
    size_t n_tried = 0;
    struct hash before = bank_print();

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        Timebank__Order *changed;
        if (strcmp(field->name, "id") == 0 || field->id >= TIMEBANK__ORDER__KIND_EXCHANGE)
            continue;
        changed = arena_alloc(&story.arena, sizeof(*changed));
        *changed = *order;
        change(changed, field->name);
        if (changed->note.len > 0) {
            struct parcel *parcel = parcel_new(BROKER);
            parcel_put_why(parcel, changed, "the phone was busy");
            parcel_send(parcel);
        } else {
            submit(BROKER, changed);
        }
        expect_refused_field(ID_DIFFERS, field->name);
        cr_assert(response_refused()->refusals[0]->entry > 0);
        n_tried++;
    }
    cr_assert(n_tried == 17);
    expect_nothing_written(before);
}

Test(order_of_checks, names_the_kind_in_which_a_known_id_differs) {
    Timebank__Order *order = m7_helps("m12", 30);
    Timebank__Order *gift = order_move(TIMEBANK__ORDER__KIND_GIFT, "m12", "m7", 30);
    struct hash before = bank_print();

    gift->id = order->id;
    gift->activity = order->activity;
    submit(BROKER, gift);
    expect_refused(ID_DIFFERS);
    cr_assert(*response_refused()->refusals[0]->field);
    expect_nothing_written(before);
}

Test(order_of_checks, lists_every_refusal_and_judges_on_as_if_the_refused_were_not_there) {
    struct parcel *parcel = parcel_new(BROKER);
    struct hash before = bank_print();

    parcel_put(parcel, order_helps("m7", "nobody", 30));
    parcel_put(parcel, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    put_padded(parcel, order_helps("m7", "m12", 30));
    parcel_put(parcel, order_helps("m40", "m12", 7));
    parcel_put(parcel, order_helps("m40", "m12", 60));
    parcel_put(parcel, order_move(TIMEBANK__ORDER__KIND_GIFT, "m40", "m7", 60 + 1200));
    parcel_put(parcel, order_move(TIMEBANK__ORDER__KIND_GIFT, "m40", "m7", 15));
    parcel_send(parcel);
    expect_n_refusals(4);
    for (size_t i = 0; i < 4; i++) {
        const Timebank__Refusal *refusal = response_refused()->refusals[i];
        uint32_t wanted[] = {REFUSAL_NO_SUCH_ACCOUNT, REFUSAL_NOT_CANONICAL, REFUSAL_NOT_IN_QUANTUM,
                             REFUSAL_BELOW_FLOOR};
        bool found = false;
        for (size_t j = 0; j < 4; j++)
            found |= wanted[j] == refusal->refusal;
        cr_assert(found && refusal->place != 1 && refusal->place != 4 && refusal->place != 5, "%s",
                  response_words());
    }
    expect_nothing_written(before);
}

Test(order_of_checks, forgets_a_refused_batch) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m40", "m12", 30);

    parcel_put(parcel, order);
    parcel_send(parcel);
    expect_refused(NO_SUCH_ACCOUNT);
    recorded(BROKER, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_send(parcel); /* the very same bytes, now that the account is there */
    expect_recorded();
    expect_balance("m40", 30);
}

Test(order_of_checks, a_refused_batch_leaves_its_ids_free) {
    struct parcel *parcel = parcel_new(BROKER), *fixed = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m7", "m12", 31);

    parcel_put(parcel, order);
    parcel_send(parcel);
    expect_refused(NOT_IN_QUANTUM);
    order->minutes = 30;
    memcpy(fixed->header.batch_id, parcel->header.batch_id, BATCH_ID_BYTES);
    parcel_put(fixed, order);
    parcel_send(fixed);
    expect_recorded();
}
