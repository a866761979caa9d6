/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table leads both ways between the flat struct tb_order and the messages of the kinds; what
 * type a field has, timebank.proto says. A kind whose fields are named here needs nothing more.
 */
#include "order-fields.h"

#include <string.h>

#define AT(member) offsetof(struct tb_order, member)
#define SAME(member)                                                                               \
    { .name = #member, .at = AT(member) }
#define OTHER(message_, name_, member)                                                             \
    { .message = message_, .name = name_, .at = AT(member) }
#define LIST(name_, member, count)                                                                 \
    { .name = name_, .at = AT(member), .n_at = AT(count) }
#define LIST_OF(message_, name_, member, count)                                                    \
    { .message = message_, .name = name_, .at = AT(member), .n_at = AT(count) }
#define LIST_OR_NONE(name_, member, count)                                                         \
    { .name = name_, .at = AT(member), .n_at = AT(count), .may_lack = true }

static const struct order_field fields[] = {
    OTHER("ReissueVoucher", "serial", first_serial),
    OTHER("Settle", "as", settle_as),
    OTHER("Settle", "balance", balance_minutes),
    OTHER("Merge", "balance", balance_minutes),
    LIST_OF("VenueReturn", "offers", line_offers, n_lines),
    LIST_OF("VenueReturn", "heads", line_heads, n_lines),
    LIST_OF("VenueReturn", "minutes", line_minutes, n_lines),
    OTHER("OpenAccount", "kind", account_kind),
    OTHER("SetLimit", "floor", floor_minutes),
    OTHER("SetLimit", "ceiling", ceiling_minutes),
    OTHER("SetLimit", "soft_floor", soft_floor_minutes),
    OTHER("SetLimit", "soft_ceiling", soft_ceiling_minutes),
    OTHER("SetOffer", "name", offer),
    OTHER("SetMandate", "kind", mandate_kind),

    SAME(target),
    SAME(quote),
    SAME(offer),
    SAME(adults),
    SAME(under16),
    SAME(funder),
    SAME(programme),
    SAME(reference),
    LIST("givers", givers, n_givers),
    LIST("giver_minutes", giver_minutes, n_givers),
    LIST_OR_NONE("giver_persons", giver_persons, n_givers),
    LIST("receivers", receivers, n_receivers),
    LIST("receiver_minutes", receiver_minutes, n_receivers),
    LIST_OR_NONE("receiver_persons", receiver_persons, n_receivers),
    SAME(rest),
    SAME(heads),
    SAME(head_minutes),
    SAME(until_ms),
    SAME(release_rest),
    SAME(first_serial),
    SAME(new_serial),
    SAME(count),
    SAME(each_minutes),
    SAME(venue),
    SAME(claims),
    SAME(signature),
    SAME(offline),
    SAME(from_day),
    SAME(to_day),
    SAME(expires_day),
    SAME(due_day),
    SAME(as_of_day),
    SAME(until_day),
    SAME(transfer_id),
    LIST("spans", spans, n_spans),
    LIST("most", most, n_spans),
    SAME(name),
    SAME(value),
    SAME(tags),
    SAME(price_minutes),
    SAME(weekdays),
    SAME(from_minute),
    SAME(to_minute),
    SAME(ages),
    SAME(party_max),
    SAME(heads_a_day),
    SAME(times_a_month),
    SAME(minutes_a_month),
    SAME(withdrawn),
    SAME(key),
    SAME(role),
    SAME(person),
    SAME(minor),
    SAME(gone),
    SAME(holder),
    SAME(giver),
    SAME(ended),
    SAME(other),
    SAME(lifted),
    SAME(heir),
    SAME(stays),
    SAME(by_old),
    SAME(by_new),
    SAME(overlap_days),
    SAME(report_class),
    SAME(definition),
    SAME(known_day),
    SAME(as_recorded),
    SAME(size),
    SAME(root),
    SAME(checksum),
    SAME(register_checksum),
};

const struct order_field *order_field_find(const ProtobufCMessageDescriptor *message,
                                           const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(fields); i++)
        if (strcmp(fields[i].name, name) == 0 &&
            (!fields[i].message || strcmp(fields[i].message, message->short_name) == 0))
            return &fields[i];
    return NULL;
}

bool order_field_is_tags(const struct order_field *field) {
    return field->at == AT(tags);
}
