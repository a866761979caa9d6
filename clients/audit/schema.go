// SPDX-License-Identifier: Apache-2.0

// The messages of timebank.proto that stand in a ledger.
package main

func u32(number int, name string) field { return field{number: number, name: name, kind: isUint32} }
func u64(number int, name string) field { return field{number: number, name: name, kind: isUint64} }
func s64(number int, name string) field { return field{number: number, name: name, kind: isSint64} }
func flag(number int, name string) field {
	return field{number: number, name: name, kind: isBool}
}
func blob(number int, name string) field {
	return field{number: number, name: name, kind: isBytes}
}
func text(number int, name string) field {
	return field{number: number, name: name, kind: isString}
}
func enum(number int, name string, most uint64) field {
	return field{number: number, name: name, kind: isEnum, most: most}
}
func list(f field) field {
	f.repeated = true
	return f
}
func choice(oneof string, f field) field {
	f.oneof = oneof
	return f
}

var genesisSchema = &schema{"Genesis", []field{
	u32(1, "format"), text(2, "origin"), blob(3, "ledger_key"), list(blob(4, "steward_keys")),
	list(text(5, "policy_names")), list(text(6, "policy_values")), u64(7, "created_ms"),
	text(8, "old_origin"), u64(9, "old_size"), blob(10, "old_root"),
}}

var eventSchema = &schema{"Event", []field{
	u64(1, "ledger_time_ms"), enum(2, "kind", 9), blob(3, "follows"), u64(4, "minutes"),
}}

// Numbers of the kinds of orders.
const (
	kindExchange       = 32
	kindEarn           = 33
	kindLog            = 34
	kindGift           = 35
	kindDonate         = 36
	kindGrant          = 37
	kindIssue          = 38
	kindRedeem         = 39
	kindReverse        = 40
	kindSession        = 41
	kindConfirm        = 42
	kindDecline        = 43
	kindWithdraw       = 44
	kindDispute        = 45
	kindDecide         = 46
	kindApprove        = 47
	kindHold           = 48
	kindCapture        = 49
	kindRelease        = 50
	kindMintVouchers   = 51
	kindRedeemVoucher  = 52
	kindVoidVouchers   = 53
	kindReissueVoucher = 54
	kindAdvance        = 55
	kindPledge         = 56
	kindExpire         = 57
	kindSettle         = 58
	kindMerge          = 59
	kindUnmerge        = 60
	kindTransfer       = 61
	kindVenueReturn    = 62
	kindRetire         = 63
	kindOpenAccount    = 64
	kindFreeze         = 65
	kindThaw           = 66
	kindClose          = 67
	kindSetLimit       = 68
	kindSetPolicy      = 69
	kindSetActivity    = 70
	kindSetOffer       = 71
	kindSetFunder      = 72
	kindGrantKey       = 73
	kindRevokeKey      = 74
	kindSetPerson      = 75
	kindSetMandate     = 76
	kindSetTrust       = 77
	kindSafeguard      = 78
	kindClosePeriod    = 79
	kindSetProgramme   = 80
	kindSetVoucherKey  = 81
	kindSetChoice      = 82
	kindLeave          = 83
	kindErase          = 84
	kindRotateKey      = 85
	kindReleaseReport  = 86
)

var target = blob(1, "target")

// kindFields are the messages of Order's oneof.
var kindFields = []struct {
	number int
	name   string
	fields []field
}{
	{kindExchange, "exchange", nil},
	{kindEarn, "earn", nil},
	{kindLog, "log", nil},
	{kindGift, "gift", nil},
	{kindDonate, "donate", nil},
	{kindGrant, "grant", nil},
	{kindIssue, "issue", []field{text(1, "funder"), text(2, "programme"), text(3, "reference")}},
	{kindRedeem, "redeem", []field{text(1, "offer"), u32(2, "adults"), u32(3, "under16")}},
	{kindReverse, "reverse", []field{target}},
	{kindSession, "session", []field{
		list(text(1, "givers")), list(u64(2, "giver_minutes")), list(text(3, "giver_persons")),
		list(text(4, "receivers")), list(u64(5, "receiver_minutes")), list(text(6, "receiver_persons")),
		enum(7, "rest", 2), u32(8, "heads"), u64(9, "head_minutes"),
	}},
	{kindConfirm, "confirm", []field{target, blob(2, "quote")}},
	{kindDecline, "decline", []field{target}},
	{kindWithdraw, "withdraw", []field{target}},
	{kindDispute, "dispute", []field{target}},
	{kindDecide, "decide", []field{target}},
	{kindApprove, "approve", []field{target, blob(2, "quote")}},
	{kindHold, "hold", []field{text(1, "offer"), u32(2, "adults"), u32(3, "under16"), u64(4, "until_ms")}},
	{kindCapture, "capture", []field{target, flag(2, "release_rest")}},
	{kindRelease, "release", []field{target}},
	{kindMintVouchers, "mint_vouchers", []field{
		u64(1, "first_serial"), u32(2, "count"), u64(3, "each_minutes"), u32(4, "from_day"),
		u32(5, "expires_day"), text(6, "venue"),
	}},
	{kindRedeemVoucher, "redeem_voucher", []field{
		blob(1, "claims"), blob(2, "signature"), flag(3, "offline"), text(4, "offer"),
		u32(5, "adults"), u32(6, "under16"),
	}},
	{kindVoidVouchers, "void_vouchers", []field{u64(1, "first_serial"), u32(2, "count")}},
	{kindReissueVoucher, "reissue_voucher", []field{u64(1, "serial"), u64(2, "new_serial")}},
	{kindAdvance, "advance", nil},
	{kindPledge, "pledge", []field{u32(1, "due_day")}},
	{kindExpire, "expire", []field{u32(1, "as_of_day")}},
	{kindSettle, "settle", []field{enum(1, "as", 3), s64(2, "balance")}},
	{kindMerge, "merge", []field{s64(1, "balance")}},
	{kindUnmerge, "unmerge", []field{target}},
	{kindTransfer, "transfer", []field{blob(1, "transfer_id")}},
	{kindVenueReturn, "venue_return", []field{
		u32(1, "from_day"), u32(2, "to_day"), list(text(3, "offers")), list(u64(4, "heads")),
		list(u64(5, "minutes")),
	}},
	{kindRetire, "retire", nil},
	{kindOpenAccount, "open_account", []field{enum(1, "kind", 12)}},
	{kindFreeze, "freeze", nil},
	{kindThaw, "thaw", nil},
	{kindClose, "close", nil},
	{kindSetLimit, "set_limit", []field{
		choice("has_floor", s64(1, "floor")), choice("has_ceiling", s64(2, "ceiling")),
		choice("has_soft_floor", s64(3, "soft_floor")),
		choice("has_soft_ceiling", s64(4, "soft_ceiling")),
		list(u32(5, "spans")), list(u64(6, "most")),
	}},
	{kindSetPolicy, "set_policy", []field{text(1, "name"), text(2, "value")}},
	{kindSetActivity, "set_activity", []field{text(1, "name"), list(text(2, "tags"))}},
	{kindSetOffer, "set_offer", []field{
		text(1, "name"), u64(2, "price_minutes"), u32(3, "weekdays"), u32(4, "from_minute"),
		u32(5, "to_minute"), u32(6, "from_day"), u32(7, "to_day"), enum(8, "ages", 3),
		u32(9, "party_max"), u32(10, "heads_a_day"), u32(11, "times_a_month"),
		u64(12, "minutes_a_month"), flag(13, "withdrawn"),
	}},
	{kindSetFunder, "set_funder", []field{text(1, "name")}},
	{kindGrantKey, "grant_key", []field{blob(1, "key"), enum(2, "role", 7), enum(3, "report_class", 3)}},
	{kindRevokeKey, "revoke_key", []field{blob(1, "key")}},
	{kindSetPerson, "set_person", []field{text(1, "person"), flag(2, "minor"), flag(3, "gone")}},
	{kindSetMandate, "set_mandate", []field{
		text(1, "holder"), enum(2, "kind", 3), u32(3, "from_day"), u32(4, "to_day"),
	}},
	{kindSetTrust, "set_trust", []field{text(1, "giver"), flag(2, "ended")}},
	{kindSafeguard, "safeguard", []field{text(1, "other"), flag(2, "lifted")}},
	{kindClosePeriod, "close_period", []field{u32(1, "to_day")}},
	{kindSetProgramme, "set_programme", []field{text(1, "name"), text(2, "funder")}},
	{kindSetVoucherKey, "set_voucher_key", []field{blob(1, "key")}},
	{kindSetChoice, "set_choice", []field{text(1, "heir")}},
	{kindLeave, "leave", []field{u32(1, "until_day"), flag(2, "stays")}},
	{kindErase, "erase", nil},
	{kindRotateKey, "rotate_key", []field{
		blob(1, "key"), blob(2, "by_old"), blob(3, "by_new"), u32(4, "overlap_days"),
	}},
	{kindReleaseReport, "release_report", []field{
		text(1, "definition"), enum(2, "report_class", 3), u32(3, "from_day"), u32(4, "to_day"),
		u32(5, "known_day"), flag(6, "as_recorded"), u64(7, "size"), blob(8, "root"),
		blob(9, "checksum"), blob(10, "register_checksum"),
	}},
}

var kindNames = map[int]string{}

var orderSchema = newOrderSchema()

func newOrderSchema() *schema {
	s := &schema{"Order", []field{
		blob(1, "id"), u32(2, "service_day"), text(3, "from"), text(4, "from_person"), text(5, "to"),
		text(6, "to_person"), u64(7, "minutes"), u64(8, "typed_minutes"), enum(9, "authority", 6),
		text(10, "activity"), text(11, "sheet"), u32(12, "line"), u32(13, "claimed_day"),
		blob(14, "note"), u32(15, "override"), blob(16, "corrects"), enum(17, "source", 3),
		flag(18, "proposal"),
	}}
	for _, k := range kindFields {
		kindNames[k.number] = k.name
		s.fields = append(s.fields, field{number: k.number, name: k.name, kind: isMessage, oneof: "kind",
			message: &schema{k.name, k.fields}})
	}
	return s
}
