// SPDX-License-Identifier: Apache-2.0

// What every order has to keep to, whatever its kind: timebank-ledger(5), ORDERS.
package main

import (
	"bytes"
	"fmt"
)

// act is an order, or an event, taking effect under a record.
type act struct {
	bank   *bank
	index  int64
	leaf   [32]byte
	nowMs  uint64
	author *right // nil: it fell due
	key    key    // of the author
	order  *order // whose rules hold: of a proposal that takes effect, its own
	entry  *entry // of that order
	isTold bool   // it takes effect by another's word

	problems []string
}

func (x *act) problem(format string, a ...interface{}) {
	x.problems = append(x.problems, fmt.Sprintf(format, a...))
}

func (x *act) today() uint32 { return uint32(x.nowMs / dayMs) }

func (x *act) isBroker() bool { return x.author != nil && x.author.isBroker() }

// actsFor says whether the author speaks for an account.
func (x *act) actsFor(code string) bool {
	if code == "" || x.author == nil {
		return false
	}
	if x.order.authority != byGuardian {
		return x.author.account == code
	}
	m := x.bank.mandates[x.author.account+" "+code]
	return m != nil && x.author.role == roleMember && m.fromDay <= x.today() &&
		(m.toDay == 0 || m.toDay >= x.today())
}

// Authorities.
const (
	bySelf         = 1
	byBroker       = 2
	byVenue        = 3
	byOrganisation = 4
	byGuardian     = 5
	bySheet        = 6
)

func (x *act) checkFields(k *kind) {
	o := x.order
	unused := []struct {
		takes uint32
		is    bool
		name  string
	}{
		{takesDay, o.serviceDay != 0, "service_day"}, {takesFrom, o.from != "", "from"},
		{takesTo, o.to != "", "to"}, {takesPersons, o.fromPerson != "", "from_person"},
		{takesPersons | takesToPerson, o.toPerson != "", "to_person"},
		{takesMinutes, o.minutes != 0, "minutes"}, {takesMinutes, o.typed != 0, "typed_minutes"},
		{takesActivity, o.activity != "", "activity"}, {takesSheet, o.sheet != "" || o.line != 0, "sheet"},
	}
	for _, f := range unused {
		if f.is && k.takes&f.takes == 0 {
			x.problem("it has the field %s, which its kind does not take", f.name)
		}
	}
	if o.kind >= kindOpenAccount && o.override != 0 || o.override > 63 {
		x.problem("it has an override that its kind does not take")
	}
	if o.override&^overrideLooks != 0 && len(o.note) == 0 {
		x.problem("it insists without saying why")
	}
	if o.proposal && k.is&proposable == 0 {
		x.problem("its kind cannot be proposed")
	}
	if len(o.corrects) != 0 && (k.takes&takesDay == 0 || k.is&counts == 0) {
		x.problem("its kind corrects nothing")
	}
}

func (x *act) checkRight(k *kind) {
	o, r := x.order, x.author
	if !k.roles.has(r.role) {
		x.problem("its author's key had no right to record it")
		return
	}
	if !r.isBroker() {
		x.checkOwnSide(k)
		if o.override&^overrideLooks != 0 || o.source != sourceHand || o.sheet != "" || o.line != 0 {
			x.problem("only a broker may insist, import or enter from a sheet")
		}
	} else if k.is&counts != 0 && r.account != "" && o.to == r.account && !o.proposal {
		x.problem("it is a broker's own")
	}
	if !x.authorityFits() {
		x.problem("its authority is not its author's")
	}
	if o.source == sourceHistory && r.role != steward {
		x.problem("only a steward records history")
	}
}

func (x *act) authorityFits() bool {
	a := x.order.authority
	if x.order.kind >= kindOpenAccount {
		return a == 0
	}
	switch x.author.role {
	case steward, broker:
		return a == byBroker || a == bySheet
	case roleOrganisation:
		return a == byOrganisation
	case roleVenue:
		return a == byVenue
	case roleMember:
		return a == bySelf || a == byGuardian
	}
	return false
}

// checkOwnSide looks that who is no broker acts for the side that is theirs.
func (x *act) checkOwnSide(k *kind) {
	o := x.order
	side := ""
	switch {
	case k.is&claimable != 0 && !x.actsFor(o.from) && x.bank.policies["claims"] == "on":
		side = o.to
	case k.is&ownFrom != 0 && k.is&ownTo != 0 && x.author.role == roleVenue:
		side = o.to
	case k.is&ownFrom != 0:
		side = o.from
	case k.is&ownTo != 0:
		side = o.to
	default:
		return
	}
	if !x.actsFor(side) {
		x.problem("its author does not act for %q", side)
	}
	if o.authority == byGuardian && o.from == side && o.to == x.author.account {
		x.problem("its author takes credits from whom they act for")
	}
}

func (x *act) checkDates(k *kind) {
	o := x.order
	if o.claimedDay > x.today() || o.claimedDay != 0 && !o.isHistory() {
		x.problem("it claims a date of entry that it cannot have")
	}
	if k.takes&takesDay == 0 || k.is&counts == 0 {
		return
	}
	if o.serviceDay == 0 || o.serviceDay > x.today()+1 {
		x.problem("its date of service is missing, or had not come")
	}
	if o.claimedDay != 0 && o.serviceDay > o.claimedDay {
		x.problem("its date of service is after its date of entry")
	}
	oldest := x.bank.policyNumber("age-of-service", 1<<40)
	if !o.isHistory() && int64(x.today())-int64(o.serviceDay) > oldest {
		x.problem("its date of service is further back than the policy age-of-service allows")
	}
}

// checkSides is nil where both sides are accounts that the order can be about.
func (x *act) checkSides(k *kind) error {
	o := x.order
	if o.from != "" || k.is&fromOptional == 0 {
		if err := x.checkSide(k, o.from, k.from); err != nil {
			return err
		}
	}
	if err := x.checkSide(k, o.to, k.to); err != nil {
		return err
	}
	if o.from != "" && o.from == o.to {
		return fmt.Errorf("both sides are %s", o.from)
	}
	return nil
}

func (x *act) checkSide(k *kind, code string, fits set) error {
	if fits == 0 {
		return nil
	}
	a := x.bank.account(code)
	if a == nil {
		return fmt.Errorf("there was no account %q", code)
	}
	if !fits.has(a.kind) {
		return fmt.Errorf("%s is of another kind than it takes", code)
	}
	if a.mergedInto != nil {
		x.problem("%s was merged into another", code)
	} else if a.standing != isOpen && !x.order.isHistory() && k.is&(counts|spends) != 0 && k.is&bare == 0 {
		x.problem("%s was frozen or closed", code)
	}
	return nil
}

func (x *act) checkMinutes(k *kind) {
	o := x.order
	if k.takes&takesMinutes == 0 {
		return
	}
	quantum := uint64(x.bank.policyNumber("quantum", 1))
	if o.minutes == 0 && (k.is&zeroMinutes == 0 || o.typed != 0) || o.minutes > minutesMax || o.typed > minutesMax {
		x.problem("%d minutes", o.minutes)
	}
	if o.typed != 0 && !roundsTo(x.bank.policies["rounding"], o.typed, quantum, o.minutes) {
		x.problem("%d minutes were typed, and not rounded as the policy rounding says", o.typed)
	}
	if k.is&anyMinutes == 0 && o.minutes%quantum != 0 && !o.isHistory() {
		x.problem("%d minutes are not a multiple of the policy quantum", o.minutes)
	}
}

func roundsTo(rounding string, typed, quantum, minutes uint64) bool {
	down := typed / quantum * quantum
	up := down
	if typed > down {
		up += quantum
	}
	switch rounding {
	case "up":
		return minutes == up
	case "down":
		return minutes == down
	case "nearest":
		if typed-down < quantum-(typed-down) {
			return minutes == down
		}
		return minutes == up
	}
	return false
}

func (x *act) checkCorrects() {
	if len(x.order.corrects) == 0 {
		return
	}
	var id orderID
	copy(id[:], x.order.corrects)
	e := x.bank.entries[id]
	if e == nil || kinds[e.order.kind].is&reversible == 0 || e.reversed < x.bank.minutesOf(e) {
		x.problem("what it corrects was not taken back in full")
	}
}

// checkCommon is an error where the order cannot take effect at all.
func (x *act) checkCommon() error {
	k := kinds[x.order.kind]
	if k == nil {
		return fmt.Errorf("kind %d is not known", x.order.kind)
	}
	x.checkFields(k)
	x.checkRight(k)
	x.checkDates(k)
	if err := x.checkSides(k); err != nil {
		return err
	}
	x.checkMinutes(k)
	if k.takes&takesActivity != 0 && !x.bank.activities[x.order.activity] {
		x.problem("there was no activity %q", x.order.activity)
	}
	x.checkCorrects()
	return nil
}

// onlyWarns says whether a balance may pass its limits.
func (x *act) onlyWarns(isReversal bool) bool {
	return x.order.isHistory() || x.order.overrides(overrideLimits) || isReversal && x.isBroker()
}

// checkLimits looks at balances after, before they are moved.
func (x *act) checkLimits(l legs, isReversal bool) {
	if x.onlyWarns(isReversal) {
		return
	}
	for _, y := range l {
		after := y.account.balance + y.minutes
		if low, is := x.bank.floor(y.account); is && y.minutes < 0 && after < low && !x.mayBeShort(y.account) {
			x.problem("%s stands at %d minutes after it, below its limit of %d", y.account.code, after, low)
		}
		if high, is := x.bank.ceiling(y.account); is && y.minutes > 0 && after > high {
			x.problem("%s stands at %d minutes after it, above its limit of %d", y.account.code, after, high)
		}
	}
}

// mayBeShort says whether an organisation may give out more than it has.
func (x *act) mayBeShort(a *account) bool {
	return a.kind == organisation && (x.order.kind == kindEarn || x.order.kind == kindSession) &&
		x.bank.policies["short-allotment"] != "refuse"
}

func (x *act) checkQuote(e *entry, quote []byte) {
	if !bytes.Equal(quote, e.order.leaf[:]) {
		x.problem("it quotes another record than that of its target")
	}
}
