// SPDX-License-Identifier: Apache-2.0

// What takes effect by somebody's word, or by nobody's: proposals, disputes, holds, vouchers.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// open notes that the order waits, or something that it began.
func (x *act) open(what int, minutes, dueMs uint64) *waiting {
	w := &waiting{what: what, id: x.order.id, number: x.index, author: x.author, minutes: minutes,
		dueMs: dueMs, about: x.entry, from: x.bank.account(x.order.from), to: x.bank.account(x.order.to)}
	x.bank.byOpener[x.order.id] = append(x.bank.byOpener[x.order.id], w)
	x.bank.dues.add(w)
	return w
}

// dueIn is the end of the day that lies so many days ahead as a policy says.
func (x *act) dueIn(policy string) uint64 {
	return (uint64(x.today()) + uint64(x.bank.policyNumber(policy, 0)) + 1) * dayMs
}

// needs says for what an order has to wait, and for what it may.
func (x *act) needs(k *kind) (must, may int) {
	o := x.order
	approval := false
	if !x.isBroker() {
		approval = x.author.role == roleMember && x.bank.policies["approve-members"] == "on"
	} else {
		approval = x.author.account != "" && x.author.account == o.to ||
			int64(o.minutes) > x.bank.policyNumber("second-person-above", 1<<62)
	}
	switch {
	case approval:
		return waitsApproval, waitsApproval
	case o.kind == kindGift && x.bank.policies["gift"] == "pending":
		return waitsGift, waitsGift
	case o.kind == kindGift:
		return 0, waitsGift
	case k.is&claimable != 0 && !x.isBroker() && !x.actsFor(o.from):
		if x.bank.trusts[o.from+" "+o.to] {
			return 0, waitsClaim
		}
		return waitsClaim, waitsClaim
	case k.is&claimable != 0 && x.isBroker():
		return 0, waitsClaim
	}
	return 0, 0
}

// proposeOrApply lets a proposal wait, and everything else take effect.
func (x *act) proposeOrApply() error {
	k := kinds[x.order.kind]
	if k.is&proposable == 0 || x.order.isHistory() {
		if x.order.proposal {
			x.problem("it cannot be a proposal")
		}
		return x.apply()
	}
	must, may := x.needs(k)
	if !x.order.proposal {
		if must != 0 {
			x.problem("it takes effect at once, and needs somebody's word")
		}
		return x.apply()
	}
	if may == 0 {
		return errors.New("nobody's word is needed for it")
	}
	policy := map[int]string{waitsGift: "gift-days", waitsClaim: "claim-days", waitsApproval: "approval-days"}[may]
	x.entry.waits = x.open(may, x.order.minutes, x.dueIn(policy))
	if may == waitsGift {
		x.setOut()
	}
	return nil
}

// setOut puts a gift on its way.
func (x *act) setOut() {
	m := int64(x.order.minutes)
	x.post(legs{{x.bank.account(x.order.from), -m, m}, {x.bank.own("transit"), m, 0}}, false)
}

// giveBack returns what is held for an account.
func (x *act) giveBack(a *account, minutes uint64) {
	m := int64(minutes)
	x.move(legs{{a, m, -m}, {x.bank.own("transit"), -m, 0}})
}

// settleProposal lets a proposal take effect under this record.
func (x *act) settleProposal(e *entry) error {
	own := *x
	own.order, own.entry, own.isTold = e.order, e, true
	own.problems = nil
	defer func() { x.problems = append(x.problems, own.problems...) }()
	if err := own.checkSides(kinds[e.order.kind]); err != nil {
		return err
	}
	w := e.waits
	if w.what == waitsApproval && x.order.kind == kindApprove && e.order.kind == kindGift &&
		x.bank.policies["gift"] == "pending" {
		w.what, w.dueMs = waitsGift, x.dueIn("gift-days")
		x.bank.dues.add(w)
		own.setOut()
		return nil
	}
	w.isOver = true
	if w.what != waitsGift {
		return own.apply()
	}
	m := int64(e.order.minutes)
	own.post(legs{{x.bank.account(e.from), 0, -m}, {x.bank.own("transit"), -m, 0},
		{x.bank.account(e.to), m, 0}}, false)
	return nil
}

// drop ends a proposal without effect; a gift goes back.
func (x *act) drop(w *waiting) {
	w.isOver, w.fell = true, true
	if w.what == waitsGift {
		x.giveBack(w.from, w.minutes)
	}
}

// answer is a confirm, decline, withdraw or approve.
func (x *act) answer() error {
	e, err := x.find()
	if err != nil {
		return err
	}
	isOpen := e.waits.isProposal() && !e.waits.isOver
	if x.order.kind == kindConfirm || x.order.kind == kindApprove {
		x.checkQuote(e, x.order.body.data(2))
	}
	switch {
	case x.order.kind == kindConfirm && !isOpen:
		return e.stands()
	case !isOpen:
		return errors.New("its target does not wait")
	case x.order.kind == kindDecline || x.order.kind == kindWithdraw:
		x.drop(e.waits)
		return nil
	case (x.order.kind == kindApprove) != (e.waits.what == waitsApproval):
		return errors.New("its target waits for somebody else's word")
	}
	x.checkAnswerer(e)
	return x.settleProposal(e)
}

// checkAnswerer looks that nobody says yes to what is their own.
func (x *act) checkAnswerer(e *entry) {
	own := x.author.account
	switch {
	case x.order.kind == kindApprove:
		if e.author == x.author || own != "" && (own == e.from || own == e.to || own == e.author.account) {
			x.problem("it is approved by who proposed it, or is a side of it")
		}
	case e.order.kind == kindGift:
		if !x.isBroker() && !x.actsFor(e.to) || own != "" && own == e.from {
			x.problem("a gift is for its receiver to accept")
		}
	case !x.isBroker() && !x.actsFor(e.from) || own != "" && own == e.to:
		x.problem("nobody confirms their own hours")
	}
}

// canDispute says of which kinds what was given can be set aside.
func canDispute(kind int) bool {
	return kind == kindExchange || kind == kindEarn || kind == kindGift || kind == kindRedeem
}

func (x *act) dispute() error {
	e, err := x.find()
	if err != nil {
		return err
	}
	if err := e.stands(); err != nil {
		return err
	}
	remains := e.minutes - e.reversed
	if remains == 0 || len(x.order.note) == 0 {
		return errors.New("nothing is left to dispute, or it does not say why")
	}
	to, m := x.bank.account(e.to), int64(remains)
	if to == nil || !canDispute(e.order.kind) {
		return errors.New("its target cannot be disputed")
	}
	x.move(legs{{to, -m, m}, {x.bank.own("transit"), m, 0}})
	w := x.open(waitsDispute, remains, x.dueIn("dispute-days"))
	w.about, w.to = e, to
	e.dispute = w
	return nil
}

func (x *act) decide() error {
	e, err := x.find()
	if err != nil {
		return err
	}
	if e.waits != nil && e.waits.what == waitsConflict && !e.waits.isOver {
		return x.decideConflict(e)
	}
	if e.dispute == nil || e.dispute.isOver {
		return errors.New("its target is not disputed")
	}
	if own := x.author.account; own != "" && (own == e.from || own == e.to) || len(x.order.note) == 0 {
		x.problem("it is decided by a party, or does not say why")
	}
	w := e.dispute
	if x.order.minutes > w.minutes {
		return fmt.Errorf("only %d minutes are disputed", w.minutes)
	}
	w.isOver = true
	m := int64(w.minutes)
	l := legs{{w.to, m, -m}, {x.bank.own("transit"), -m, 0}}
	if x.order.minutes > 0 {
		if err := x.takeBack(e, x.order.minutes, &l); err != nil {
			return err
		}
	}
	x.move(l)
	return nil
}

func (x *act) decideConflict(e *entry) error {
	if x.order.minutes > e.waits.minutes {
		return fmt.Errorf("the voucher was of %d minutes", e.waits.minutes)
	}
	e.waits.isOver = true
	if m := int64(x.order.minutes); m > 0 {
		x.post(legs{{x.bank.own("chest"), -m, 0}, {e.waits.to, m, 0}}, false)
	}
	return nil
}

func (x *act) hold() error {
	x.checkPrice()
	m, until := int64(x.order.minutes), x.order.body.number(4)
	if until <= x.nowMs || until <= uint64(x.order.serviceDay)*dayMs {
		x.problem("the hold lapses before its booking")
	}
	x.post(legs{{x.bank.account(x.order.from), -m, m}, {x.bank.own("transit"), m, 0}}, false)
	x.entry.waits = x.open(waitsHold, x.order.minutes, until)
	return nil
}

func (x *act) findHold() (*entry, error) {
	e, err := x.find()
	if err != nil {
		return nil, err
	}
	if e.waits == nil || e.waits.what != waitsHold || e.waits.isOver {
		return nil, errors.New("its target is no hold, or is over")
	}
	if !x.isBroker() && !x.actsFor(e.from) && !(x.author.role == roleVenue && x.author.account == e.to) {
		x.problem("it is about another's hold")
	}
	return e, nil
}

func (x *act) capture() error {
	e, err := x.findHold()
	if err != nil {
		return err
	}
	w := e.waits
	minutes := x.order.minutes
	if minutes == 0 {
		minutes = w.minutes
	}
	if minutes > w.minutes {
		return fmt.Errorf("only %d minutes are held", w.minutes)
	}
	if e.order.serviceDay > x.today()+1 {
		x.problem("the day booked had not come")
	}
	rest := uint64(0)
	if x.order.body.number(2) == 1 {
		rest = w.minutes - minutes
	}
	m, back := int64(minutes), int64(rest)
	var l legs
	l.add(w.from, 0, -m)
	l.add(x.bank.own("transit"), -m, 0)
	l.add(w.to, m, 0)
	if rest > 0 {
		l.add(w.from, back, -back)
		l.add(x.bank.own("transit"), -back, 0)
	}
	x.checkLimits(legs{{w.to, m, 0}}, false)
	x.move(l)
	x.entry.hold, x.entry.minutes, x.entry.from, x.entry.to = e, minutes, e.from, e.to
	w.taken += minutes
	w.minutes -= minutes + rest
	w.isOver = w.minutes == 0
	return nil
}

func (x *act) release() error {
	e, err := x.findHold()
	if err != nil {
		return err
	}
	e.waits.isOver = true
	x.giveBack(e.waits.from, e.waits.minutes)
	return nil
}

func (x *act) mint() error {
	o := x.order
	first, count, each := o.body.number(1), o.body.number(2), o.body.number(3)
	if count < 1 || count > 1000 || count*each != o.minutes || first != x.bank.nextSerial {
		return errors.New("its vouchers are not the next ones, or do not hold its minutes")
	}
	if err := x.simple(); err != nil {
		return err
	}
	grace := uint64(x.bank.policyNumber("voucher-grace-days", 0))
	w := x.open(waitsVouchers, o.minutes, (o.body.number(5)+grace+1)*dayMs)
	x.addVouchers(w, first, count, each)
	return nil
}

func (x *act) addVouchers(w *waiting, first, count, each uint64) {
	w.serials = [2]uint64{first, first + count}
	for serial := first; serial < first+count; serial++ {
		x.bank.vouchers[serial] = &voucher{minutes: each, mint: w}
	}
	x.bank.nextSerial = first + count
}

// takeOut takes minutes of vouchers out of what waits for their last day.
func (w *waiting) takeOut(minutes uint64) {
	w.minutes -= minutes
	w.isOver = w.minutes == 0
}

func (x *act) redeemVoucher() error {
	claims := x.order.body.data(1)
	if len(claims) != 22 {
		return errors.New("its claims are not 22 bytes")
	}
	serial := binary.BigEndian.Uint64(append([]byte{0, 0}, claims[1:7]...))
	v := x.bank.vouchers[serial]
	if v == nil || v.minutes != x.order.minutes {
		return fmt.Errorf("there was no voucher %d of its minutes", serial)
	}
	if v.standing != voucherOpen {
		if x.order.body.number(3) != 1 || v.standing == voucherExpired {
			return fmt.Errorf("voucher %d was used, void or expired", serial)
		}
		x.entry.waits = x.open(waitsConflict, x.order.minutes, 0)
		return nil
	}
	if err := x.simple(); err != nil {
		return err
	}
	v.standing, v.usedBy = voucherUsed, x.order
	v.mint.takeOut(v.minutes)
	x.entry.voucher = v
	return nil
}

func (x *act) takeBackVoucher(e *entry, minutes uint64) error {
	v := e.voucher
	if v == nil || v.usedBy != e.order || minutes != e.minutes {
		return errors.New("a voucher is taken back whole, by what used it")
	}
	v.standing, v.usedBy = voucherOpen, nil
	v.mint.minutes += minutes
	v.mint.isOver = false
	x.bank.dues.add(v.mint)
	return nil
}

// payer is to whom the credits of vouchers go back.
func (x *act) payer(w *waiting) *account {
	a := w.from
	for a != nil && a.mergedInto != nil {
		a = a.mergedInto
	}
	if a == nil || a.standing == isClosed {
		return x.bank.own("chest")
	}
	return a
}

func (x *act) voidVouchers() error {
	first, count := x.order.body.number(1), x.order.body.number(2)
	w, minutes, err := x.endVouchers(first, count)
	if err != nil {
		return err
	}
	if minutes != x.order.minutes || x.payer(w) != x.bank.account(x.order.to) {
		x.problem("the vouchers hold other minutes, or go back to another account")
	}
	w.takeOut(minutes)
	m := int64(minutes)
	x.move(legs{{x.bank.own("vouchers"), -m, 0}, {x.bank.account(x.order.to), m, 0}})
	return nil
}

// endVouchers makes a range of open ones of one order void.
func (x *act) endVouchers(first, count uint64) (*waiting, uint64, error) {
	var w *waiting
	sum := uint64(0)
	if count < 1 || count > 1000 {
		return nil, 0, fmt.Errorf("%d vouchers", count)
	}
	for i := uint64(0); i < count; i++ {
		v := x.bank.vouchers[first+i]
		if v == nil || v.standing != voucherOpen || w != nil && v.mint != w {
			return nil, 0, fmt.Errorf("voucher %d is not open, or not of the same order", first+i)
		}
		w, v.standing = v.mint, voucherVoid
		sum += v.minutes
	}
	return w, sum, nil
}

func (x *act) reissue() error {
	w, minutes, err := x.endVouchers(x.order.body.number(1), 1)
	if err != nil {
		return err
	}
	if x.order.body.number(2) != x.bank.nextSerial {
		return errors.New("its new number is not the next one")
	}
	w.takeOut(minutes)
	anew := x.open(waitsVouchers, minutes, w.dueMs)
	anew.from = w.from
	x.addVouchers(anew, x.order.body.number(2), 1, minutes)
	return nil
}

// happen lets what was due take effect, and returns the minutes that the event has to name.
func (x *act) happen(kind int, w *waiting) (uint64, error) {
	minutes := w.minutes
	switch w.what {
	case waitsHold:
		w.isOver = true
		x.giveBack(w.from, minutes)
	case waitsGift:
		x.drop(w)
	case waitsApproval:
		x.drop(w)
		return 0, nil
	case waitsClaim:
		return x.lapseClaim(kind, w)
	case waitsDispute:
		w.isOver = true
		x.giveBack(w.to, minutes)
	case waitsVouchers:
		x.expireVouchers(w)
	case waitsPledge:
		w.dueMs = 0
		return 0, nil
	case waitsLeave:
		w.isOver = true
		return 0, nil
	}
	return minutes, nil
}

// lapseClaim lets a claim stand or fall; whether limits let it stand is the bank's to say.
func (x *act) lapseClaim(kind int, w *waiting) (uint64, error) {
	const accepted = 4
	if kind != accepted {
		x.drop(w)
		return 0, nil
	}
	if x.bank.policies["claim-lapse"] != "stands" {
		x.problem("a claim that nobody answered stands against the policy claim-lapse")
	}
	return w.minutes, x.settleProposal(w.about)
}

func (x *act) expireVouchers(w *waiting) {
	to := x.payer(w)
	if x.bank.policies["voucher-lapse"] == "expire" {
		to = x.bank.own("expired")
	}
	m := int64(w.minutes)
	x.move(legs{{x.bank.own("vouchers"), -m, 0}, {to, m, 0}})
	for serial := w.serials[0]; serial < w.serials[1]; serial++ {
		if v := x.bank.vouchers[serial]; v.standing == voucherOpen && v.mint == w {
			v.standing = voucherExpired
		}
	}
	w.minutes, w.isOver = 0, true
}
