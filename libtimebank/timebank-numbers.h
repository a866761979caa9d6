/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libtimebank's numbers: refusals, warnings, kinds and what else is one of a few. They are those of
 * the wire and the ledger, are never used again for something else, and only more are added: a
 * program may meet one that it does not know.
 *
 * Part of timebank.h, which is the header to include.
 */
#ifndef TIMEBANK_NUMBERS_H
#define TIMEBANK_NUMBERS_H

/* In the order of their numbers, as many to a line as it holds. */
/* clang-format off */
enum tb_refusal {
    TB_BAD_REQUEST = 1, TB_NO_AUTHORITY = 2, TB_REVOKED_KEY = 3, TB_UNKNOWN_KEY = 4,
    TB_TRY_LATER = 5, TB_LEDGER_FULL = 6, TB_CLOCK = 7, TB_TOO_LARGE = 8, TB_SHUTTING_DOWN = 9,
    TB_BAD_HEADER = 20, TB_OTHER_LEDGER = 21, TB_BAD_SIGNATURE = 22, TB_BATCH_ID_USED = 23,
    TB_TOO_LATE = 24, TB_OTHER_HISTORY = 25, TB_BATCH_SIZE = 26, TB_BAD_NOT_AFTER = 27,
    TB_NOT_CANONICAL = 40, TB_ALREADY = 41, TB_ID_DIFFERS = 42, TB_NO_SUCH_ACCOUNT = 43,
    TB_FROZEN = 44, TB_CLOSED = 45, TB_WRONG_KIND = 46, TB_SAME_ACCOUNT = 47, TB_ZERO = 48,
    TB_NEGATIVE = 49, TB_TOO_LONG = 50, TB_NOT_IN_QUANTUM = 51, TB_FUTURE_DATE = 52,
    TB_BAD_DATE = 53, TB_BELOW_FLOOR = 54, TB_ABOVE_CEILING = 55, TB_LOOKS_LIKE = 56,
    TB_UNKNOWN_ACTIVITY = 57, TB_UNKNOWN_OFFER = 58, TB_UNKNOWN_FUNDER = 59, TB_NOT_THE_PRICE = 60,
    TB_NO_HEADS = 61, TB_ALREADY_REVERSED = 62, TB_MORE_THAN_REMAINS = 63, TB_NO_SUCH_ENTRY = 64,
    TB_NOT_REVERSIBLE = 65, TB_OWN_HOURS = 66, TB_CODE_TAKEN = 67, TB_BAD_CODE = 68,
    TB_NOT_A_MEMBER_CODE = 69, TB_BAD_TEXT = 70, TB_NOT_EMPTY = 71, TB_NOT_FROZEN = 72,
    TB_BANK_ACCOUNT = 73, TB_UNKNOWN_POLICY = 74, TB_BAD_POLICY_VALUE = 75, TB_BAD_KEY = 76,
    TB_KEY_GRANTED = 77, TB_NO_SUCH_KEY = 78, TB_LAST_STEWARD = 79, TB_BAD_ROLE = 80,
    TB_BAD_LIMIT = 81, TB_HISTORY_ONLY = 82, TB_HISTORY_STEWARD = 83, TB_CAP = 85,
    TB_SEE_COORDINATOR = 86, TB_TOO_LATE_TO_UNDO = 87, TB_CHEST_EMPTY = 88, TB_ALREADY_FROZEN = 89,
    TB_ALREADY_CLOSED = 90, TB_WRONG_AUTHORITY = 92, TB_BAD_CORRECTION = 93, TB_NEEDS_WHY = 94,
    TB_NO_SUCH_POSITION = 100, TB_BAD_PERIOD = 101, TB_NOT_FOR_EVALUATORS_YET = 102,
    TB_BRIDGE = 103, TB_TOO_MANY_ROWS = 104, TB_CLASS_NOT_YOURS = 105, TB_TOO_CLOSE = 106,
    TB_NOT_AS_RELEASED = 107, TB_REPORT_FAILED = 108, TB_NO_BANK = 120, TB_NO_KEY = 121,
    TB_WRONG_LEDGER = 122, TB_NOT_VERIFIED = 123, TB_BAD_TIME = 124, TB_AMBIGUOUS_TIME = 125,
    TB_AMBIGUOUS_DATE = 126, TB_MISSING_COLUMN = 127, TB_CONTROL_TOTAL = 128, TB_BAD_FILE = 129,
    TB_OUTBOX_FULL = 130, TB_OTHER_KEY = 131, TB_BAD_NUMBER = 132, TB_DUPLICATE_ROW = 133,
    TB_VOUCHER_MISTYPED = 134,
    TB_NEEDS_SECOND_PERSON = 140, TB_NEEDS_CONFIRMATION = 141, TB_NOT_A_PROPOSAL = 142,
    TB_NOT_WAITING = 143, TB_STILL_WAITING = 144, TB_NOT_THE_OTHER_SIDE = 145,
    TB_OTHER_PROPOSAL = 146, TB_ALREADY_CONFIRMED = 147, TB_DISPUTED = 148, TB_NOT_DISPUTED = 149,
    TB_PARTY = 150, TB_TOO_LATE_TO_DISPUTE = 151, TB_DAILY_AMOUNT = 152, TB_WEEKLY_AMOUNT = 153,
    TB_MONTHLY_AMOUNT = 154, TB_YEARLY_AMOUNT = 155, TB_DAILY_COUNT = 156, TB_WEEKLY_COUNT = 157,
    TB_MONTHLY_COUNT = 158, TB_YEARLY_COUNT = 159, TB_PERIOD_CLOSED = 160, TB_OFFER_NOT_TODAY = 161,
    TB_OFFER_NOT_NOW = 162, TB_OFFER_NOT_AT_THIS_AGE = 163, TB_OFFER_FULL = 164,
    TB_PARTY_TOO_LARGE = 165, TB_PER_PERSON_USED_UP = 166, TB_OFFER_BUDGET = 167,
    TB_OFFER_WITHDRAWN = 168, TB_HOLD_LAPSED = 169, TB_HOLD_ENDED = 170, TB_VOUCHER_EXPIRED = 171,
    TB_VOUCHER_VOID = 172, TB_VOUCHER_USED = 173, TB_VOUCHER_OTHER_PLACE = 174,
    TB_VOUCHER_NOT_YET = 175, TB_VOUCHER_UNKNOWN = 176, TB_VOUCHER_NOT_GENUINE = 177,
    TB_VOUCHER_SERIAL = 178, TB_NO_VOUCHER_KEY = 179, TB_BALANCE_MOVED = 180,
    TB_NOTHING_TO_EXPIRE = 181, TB_EXPIRY_CAP = 182, TB_NOT_LEAVING = 183, TB_SPEND_DOWN = 184,
    TB_OTHER_CHOICE = 185, TB_MANDATE_OVER = 186, TB_NEEDS_GUARDIAN = 187, TB_NAME_THE_PERSON = 188,
    TB_UNKNOWN_PERSON = 189, TB_MERGED = 190, TB_NOT_MERGED = 191, TB_SESSION_LINES = 192,
    TB_SESSION_SHORT = 193, TB_RETURN_DIFFERS = 194, TB_UNKNOWN_PROGRAMME = 195,
    TB_TRANSFER_USED = 196, TB_TRANSFER_CAP = 197, TB_ADVANCE_CAP = 198, TB_ERASED = 199,
    TB_REASON_NOT_KEPT = 200, TB_NO_QUORUM = 201, TB_BAD_ROTATION = 202,
    TB_BACKUP_NAME = 203, TB_BACKUP_EXISTS = 204, TB_BACKUP_FAILED = 205, TB_BAD_RELEASE = 206,
    TB_POLICY_FIXED = 207, TB_NO_SUCH_MEASURE = 208
};

enum tb_warning_kind {
    TB_WARN_BELOW_FLOOR = 1, TB_WARN_ABOVE_CEILING = 2, TB_WARN_ALLOTMENT_SHORT = 3,
    TB_WARN_LONG_DAY = 4, TB_WARN_VERY_LONG_DAY = 5, TB_WARN_OLD_SERVICE_DATE = 6,
    TB_WARN_LOOKS_LIKE = 7, TB_WARN_ROUNDED = 8, TB_WARN_NOT_IN_QUANTUM = 9,
    TB_WARN_NOT_THE_PRICE = 10, TB_WARN_NEW_NAME = 11, TB_WARN_REVERSAL_PAST_LIMIT = 12,
    TB_WARN_BEFORE_JOINING = 13, TB_WARN_SOFT_FLOOR = 14, TB_WARN_SOFT_CEILING = 15,
    TB_WARN_SPENDING = 16, TB_WARN_LATE_ENTRY = 17, TB_WARN_RETURN_DIFFERS = 18,
    TB_WARN_REPAID = 19, TB_WARN_VOUCHER_CONFLICT = 20, TB_WARN_VENUE_RULE = 21, TB_WARN_WAITS = 22,
    TB_WARN_VOUCHERS_LEFT = 23
};

/* Those from TB_OPEN_ACCOUNT on are the register's: they move nothing, and have no authority. */
enum tb_kind {
    TB_EXCHANGE = 32, TB_EARN = 33, TB_LOG = 34, TB_GIFT = 35, TB_DONATE = 36, TB_GRANT = 37,
    TB_ISSUE = 38, TB_REDEEM = 39, TB_REVERSE = 40, TB_SESSION = 41, TB_CONFIRM = 42,
    TB_DECLINE = 43, TB_WITHDRAW = 44, TB_DISPUTE = 45, TB_DECIDE = 46, TB_APPROVE = 47,
    TB_HOLD = 48, TB_CAPTURE = 49, TB_RELEASE = 50, TB_MINT_VOUCHERS = 51, TB_REDEEM_VOUCHER = 52,
    TB_VOID_VOUCHERS = 53, TB_REISSUE_VOUCHER = 54, TB_ADVANCE = 55, TB_PLEDGE = 56, TB_EXPIRE = 57,
    TB_SETTLE = 58, TB_MERGE = 59, TB_UNMERGE = 60, TB_TRANSFER = 61, TB_VENUE_RETURN = 62,
    TB_RETIRE = 63, TB_OPEN_ACCOUNT = 64, TB_FREEZE = 65, TB_THAW = 66, TB_CLOSE = 67,
    TB_SET_LIMIT = 68, TB_SET_POLICY = 69, TB_SET_ACTIVITY = 70, TB_SET_OFFER = 71,
    TB_SET_FUNDER = 72, TB_GRANT_KEY = 73, TB_REVOKE_KEY = 74, TB_SET_PERSON = 75,
    TB_SET_MANDATE = 76, TB_SET_TRUST = 77, TB_SAFEGUARD = 78, TB_CLOSE_PERIOD = 79,
    TB_SET_PROGRAMME = 80, TB_SET_VOUCHER_KEY = 81, TB_SET_CHOICE = 82, TB_LEAVE = 83, TB_ERASE = 84,
    TB_ROTATE_KEY = 85, TB_RELEASE_REPORT = 86
};

enum tb_account_kind {
    TB_ACCOUNT_MEMBER = 1, TB_ACCOUNT_ORGANISATION = 2, TB_ACCOUNT_VENUE = 3, TB_ACCOUNT_CHEST = 4,
    TB_ACCOUNT_ISSUED = 5, TB_ACCOUNT_RETIRED = 6, TB_ACCOUNT_EXPIRED = 7, TB_ACCOUNT_ADVANCES = 8,
    TB_ACCOUNT_VOUCHERS = 9, TB_ACCOUNT_TRANSIT = 10, TB_ACCOUNT_WRITE_OFFS = 11,
    TB_ACCOUNT_BANK = 12
};
/* clang-format on */

enum tb_standing { TB_STANDING_OPEN = 0, TB_STANDING_FROZEN = 1, TB_STANDING_CLOSED = 2 };

enum tb_role {
    TB_ROLE_NONE = 0,
    TB_ROLE_STEWARD = 1,
    TB_ROLE_BROKER = 2,
    TB_ROLE_ORGANISATION = 3,
    TB_ROLE_VENUE = 4,
    TB_ROLE_MEMBER = 5,
    TB_ROLE_EVALUATOR = 6,
    TB_ROLE_AUDITOR = 7
};

enum tb_authority {
    TB_BY_ROLE = 0, /* what follows from the key's role */
    TB_BY_SELF = 1,
    TB_BY_BROKER = 2,
    TB_BY_VENUE = 3,
    TB_BY_ORGANISATION = 4,
    TB_BY_GUARDIAN = 5,
    TB_BY_SHEET = 6
};

enum tb_source { TB_FROM_HAND = 0, TB_FROM_SHEET = 1, TB_FROM_IMPORT = 2, TB_FROM_HISTORY = 3 };

/* Who bears it where a session's receivers do not pay what its givers gave. */
enum tb_session_rest {
    TB_REST_TO_CHEST = 0, /* what they pay beyond it goes to the chest */
    TB_REST_SHARED = 1,   /* they share what was given, in proportion to their minutes */
    TB_REST_BY_CHEST = 2  /* the chest pays what they do not */
};

/* Why an account is settled. */
enum tb_settle {
    TB_SETTLE_NONE = 0,
    TB_SETTLE_LEFT = 1,
    TB_SETTLE_DIED = 2,
    TB_SETTLE_ENDED = 3 /* an organisation or a venue */
};

enum tb_ages {
    TB_AGES_ANY = 0,
    TB_AGES_ADULTS_ONLY = 1,
    TB_AGES_UNDER16_ONLY = 2,
    TB_AGES_WITH_AN_ADULT = 3 /* under-16s need an adult with them */
};

enum tb_mandate {
    TB_MANDATE_NONE = 0,
    TB_MANDATE_CARER = 1,
    TB_MANDATE_GUARDIAN = 2,
    TB_MANDATE_FOR_BROKER = 3
};

/* What fell due. */
enum tb_event {
    TB_EVENT_NONE = 0,
    TB_EVENT_HOLD_LAPSED = 1,
    TB_EVENT_GIFT_LAPSED = 2,
    TB_EVENT_CLAIM_LAPSED = 3,   /* nobody answered: it falls */
    TB_EVENT_CLAIM_ACCEPTED = 4, /* nobody answered: it stands, by policy */
    TB_EVENT_APPROVAL_LAPSED = 5,
    TB_EVENT_DISPUTE_LAPSED = 6, /* the entry stands */
    TB_EVENT_VOUCHERS_EXPIRED = 7,
    TB_EVENT_PLEDGE_DUE = 8,
    TB_EVENT_LEAVE_DUE = 9
};

/* Tables of tb_register_begin(). */
enum tb_register {
    TB_REGISTER_NONE = 0,
    TB_REGISTER_PENDING = 1, /* what waits for somebody, or for a day */
    TB_REGISTER_PERSONS = 2,
    TB_REGISTER_MANDATES = 3,
    TB_REGISTER_TRUSTS = 4,
    TB_REGISTER_SAFEGUARDS = 5,
    TB_REGISTER_PROGRAMMES = 6,
    TB_REGISTER_PERIODS = 7,
    TB_REGISTER_VOUCHERS_MINTED = 8,
    TB_REGISTER_VOUCHER_KEYS = 9,
    TB_REGISTER_LIMITS = 10,     /* every set_limit of an account, oldest first */
    TB_REGISTER_EXPIRING = 11,   /* what an expire of today would take */
    TB_REGISTER_OFFER_SUMS = 12, /* of one venue, by offer, in a period */
    TB_REGISTER_LEAVING = 13,    /* who leaves, until when, and where their credits go */
    TB_REGISTER_RELEASES = 14    /* reports that left the bank */
};

/* Who a report is for, and so how much it hides. */
enum tb_report_class {
    TB_CLASS_OF_KEY = 0,
    TB_CLASS_INTERNAL = 1,
    TB_CLASS_FUNDER = 2,
    TB_CLASS_PUBLIC = 3
};

/* What is asked of a report. */
enum tb_report_what {
    TB_REPORT_FIGURES = 0,
    TB_REPORT_WHY = 1,     /* what a figure is made of */
    TB_REPORT_CHANGES = 2, /* entries that one knowledge has and another has not */
    TB_REPORT_EDGES = 3    /* who exchanged with whom, under names made up for this reply */
};

/* Sum of what an order insists on. All but TB_OVERRIDE_DUPLICATE need a why. */
#define TB_OVERRIDE_LIMITS 1u
#define TB_OVERRIDE_DAY 2u       /* over 24 hours of one person's time on one day */
#define TB_OVERRIDE_DUPLICATE 4u /* looks like an earlier entry, and is another one */
#define TB_OVERRIDE_PRICE 8u     /* not the offer's price times the heads */
#define TB_OVERRIDE_LATE 16u     /* into a closed period */
#define TB_OVERRIDE_RULES 32u    /* against the venue's rules, or figures that differ */

/* What an account may spend in a span: minutes, or with TB_SPAN_ENTRIES added to it, entries. */
#define TB_SPAN_DAY 1u
#define TB_SPAN_WEEK 2u
#define TB_SPAN_MONTH 3u
#define TB_SPAN_YEAR 4u
#define TB_SPAN_ENTRIES 8u
#define TB_SPAN_NO_LIMIT (UINT64_MAX - 1) /* whatever the policy says */

#endif
