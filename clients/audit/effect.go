// SPDX-License-Identifier: Apache-2.0

// What an entry moves: timebank-ledger(5), WHAT MOVES. Every function returns an error where the
// order could not have had any effect, and notes as a problem what the rules should have refused.
package main

import (
	"errors"
	"fmt"
	"math/bits"
)

// post checks the limits and moves.
func (x *act) post(l legs, isReversal bool) {
	x.checkLimits(l, isReversal)
	x.move(l)
}

// move asks no limits: of what goes back to whom it was.
func (x *act) move(l legs) {
	sum := int64(0)
	for _, y := range l {
		sum += y.minutes
	}
	if sum != 0 {
		x.problem("what it moves does not sum to zero")
	}
	x.bank.books.post(x.index, x.leaf, l)
}

// simple moves the order's minutes from one side to the other.
func (x *act) simple() error {
	o := x.order
	from, to := x.bank.account(o.from), x.bank.account(o.to)
	x.post(legs{{from, -int64(o.minutes), 0}, {to, int64(o.minutes), 0}}, false)
	return nil
}

// earn adds what somebody earns, who repays what was advanced first.
func (x *act) earn(l *legs, a *account, minutes uint64) (repaid uint64) {
	if a.owed > 0 && !x.order.isHistory() {
		switch x.bank.policies["advance-repay"] {
		case "all":
			repaid = minutes
		case "half":
			repaid = minutes / 2
		}
		if repaid > a.owed {
			repaid = a.owed
		}
	}
	l.add(a, int64(minutes-repaid), 0)
	if repaid > 0 {
		l.add(x.bank.own("advances"), int64(repaid), 0)
	}
	return repaid
}

func (x *act) noteRepaid(a *account, repaid uint64) {
	if repaid == 0 {
		return
	}
	if x.entry.repaid == nil {
		x.entry.repaid = map[*account]uint64{}
	}
	x.entry.repaid[a] += repaid
	x.bank.owe(a, -int64(repaid))
}

// give is an exchange or earn.
func (x *act) give() error {
	o := x.order
	giver := x.bank.account(o.to)
	var l legs
	l.add(x.bank.account(o.from), -int64(o.minutes), 0)
	repaid := x.earn(&l, giver, o.minutes)
	x.post(l, false)
	x.noteRepaid(giver, repaid)
	return nil
}

// redeem is a venue's acceptance, and the price of it.
func (x *act) redeem() error {
	x.checkPrice()
	return x.simple()
}

func (x *act) checkPrice() {
	o := x.order
	heads := o.body.number(2) + o.body.number(3)
	f := x.bank.offers[o.to+"/"+o.body.text(1)]
	if f == nil {
		x.problem("%s had no offer %q", o.to, o.body.text(1))
		return
	}
	if heads < 1 || heads > 1000 {
		x.problem("it is for %d heads", heads)
	}
	if o.minutes != heads*f.price && !o.isHistory() && !o.overrides(overridePrice) {
		x.problem("it costs %d minutes, and not the price of %d for each", o.minutes, f.price)
	}
}

func (x *act) issue() error {
	if funder := x.order.body.text(1); funder != "" && !x.bank.funders[funder] {
		x.problem("there was no funder %q", funder)
	}
	return x.simple()
}

func (x *act) transfer() error {
	id := x.order.body.text(1)
	if len(id) != 16 || x.bank.transfers[id] {
		x.problem("its transfer id is not 16 bytes, or was used before")
	}
	x.bank.transfers[id] = true
	if x.bank.account(x.order.from).kind == x.bank.account(x.order.to).kind {
		x.problem("one side of a transfer is a member, the other a bank")
	}
	return x.simple()
}

func (x *act) expire() error {
	day := uint32(x.order.body.number(1))
	if day == 0 || day > x.today() || x.order.serviceDay != day {
		x.problem("it expires as of a day that had not come, or is not its date")
	}
	return x.simple()
}

func (x *act) advance() error {
	a := x.bank.account(x.order.to)
	after := a.owed + x.order.minutes
	if int64(after) > x.bank.policyNumber("advance-max", 1<<62) && !x.order.isHistory() {
		x.problem("more was advanced than the policy advance-max allows")
	}
	if err := x.simple(); err != nil {
		return err
	}
	x.bank.owe(a, int64(x.order.minutes))
	return nil
}

func (x *act) pledge() error {
	if err := x.advance(); err != nil {
		return err
	}
	w := x.open(waitsPledge, x.order.minutes, (x.order.body.number(1)+1)*dayMs)
	x.entry.pledge = w
	x.bank.pledges = append(x.bank.pledges, w)
	return nil
}

// owe changes what an account owes; who owes nothing has kept every pledge.
func (b *bank) owe(a *account, minutes int64) {
	a.owed += uint64(minutes)
	if a.owed == 0 && minutes < 0 {
		b.endPledges(a)
	}
}

func (b *bank) endPledges(a *account) {
	left := b.pledges[:0]
	for _, w := range b.pledges {
		if w.to == a {
			w.isOver = true
		}
		if !w.isOver {
			left = append(left, w)
		}
	}
	b.pledges = left
}

// sides are those of a session: who gave and who received how much.
func (x *act) sides(o *order, codes, minutes int) ([]*account, []uint64, error) {
	texts, numbers := o.body.texts(codes), o.body.numbers(minutes)
	if len(texts) != len(numbers) {
		return nil, nil, errors.New("the session's lists are of different lengths")
	}
	var accounts []*account
	seen := map[string]bool{}
	for i, code := range texts {
		a := x.bank.account(code)
		if a == nil || a.kind != member || seen[code] {
			return nil, nil, fmt.Errorf("%q of the session is no member, or is named twice", code)
		}
		if numbers[i] == 0 || numbers[i] > minutesMax {
			return nil, nil, fmt.Errorf("%d minutes of %s", numbers[i], code)
		}
		seen[code] = true
		accounts = append(accounts, a)
	}
	return accounts, numbers, nil
}

const (
	restToChest = 0
	restShared  = 1
	restByChest = 2
)

// payers adds who pays for a session, or is paid back where sign is -1.
func (x *act) payers(o *order, l *legs, sign int64) error {
	receivers, parts, err := x.sides(o, 4, 5)
	if err != nil {
		return err
	}
	paid := uint64(0)
	for _, n := range parts {
		paid += n
	}
	rest := o.body.number(7)
	forChest := int64(paid) - int64(o.minutes)
	switch {
	case o.from != "":
		if len(receivers) > 0 || rest != restToChest {
			x.problem("an organisation pays, and receivers too")
		}
		forChest = 0
	case rest == restShared && paid == 0, rest == restToChest && paid < o.minutes,
		rest == restByChest && paid > o.minutes:
		return errors.New("what the session's receivers pay and its givers gave do not fit")
	case rest == restShared:
		parts, forChest = share(o.minutes, parts), 0
	}
	for i, a := range receivers {
		l.add(a, -sign*int64(parts[i]), 0)
	}
	if o.from != "" {
		l.add(x.bank.account(o.from), -sign*int64(o.minutes), 0)
	}
	if forChest != 0 {
		l.add(x.bank.own("chest"), sign*forChest, 0)
	}
	return nil
}

// share splits by weight, by largest remainder; ties go to the earlier.
func share(total uint64, weights []uint64) []uint64 {
	sum := uint64(0)
	for _, w := range weights {
		sum += w
	}
	parts, remainders := make([]uint64, len(weights)), make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		high, low := bits.Mul64(total, w)
		parts[i], remainders[i] = bits.Div64(high, low, sum)
		left -= parts[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range remainders {
			if remainders[i] > remainders[best] {
				best = i
			}
		}
		parts[best]++
		remainders[best] = 0
	}
	return parts
}

func (x *act) session() error {
	o := x.order
	givers, minutes, err := x.sides(o, 1, 2)
	if err != nil {
		return err
	}
	sum := uint64(0)
	for _, n := range minutes {
		sum += n
	}
	if len(givers) == 0 || sum != o.minutes {
		x.problem("the session's minutes are not those of its givers")
	}
	var l legs
	if err := x.payers(o, &l, 1); err != nil {
		return err
	}
	repaid := make([]uint64, len(givers))
	for i, a := range givers {
		if a.standing != isOpen && !o.isHistory() {
			x.problem("%s was frozen or closed", a.code)
		}
		repaid[i] = x.earn(&l, a, minutes[i])
	}
	x.post(l, false)
	for i, a := range givers {
		x.noteRepaid(a, repaid[i])
	}
	return nil
}

// find is the entry that the order is about.
func (x *act) find() (*entry, error) {
	id, ok := x.order.target()
	if e := x.bank.entries[id]; ok && e != nil {
		return e, nil
	}
	return nil, errors.New("there was no order that it could be about")
}

// minutesOf is how much an entry was of, before anything was taken back.
func (b *bank) minutesOf(e *entry) uint64 { return e.minutes }

func (x *act) reverse() error {
	e, err := x.find()
	if err != nil {
		return err
	}
	if kinds[e.order.kind].is&reversible == 0 {
		return fmt.Errorf("an order of kind %s cannot be reversed", kindNames[e.order.kind])
	}
	if err := e.stands(); err != nil {
		return err
	}
	x.checkReverser(e)
	remains := e.minutes - e.reversed
	minutes := x.order.minutes
	if remains == 0 || minutes > remains {
		return fmt.Errorf("it takes back %d minutes, and %d remained", minutes, remains)
	}
	if minutes%uint64(x.bank.policyNumber("quantum", 1)) != 0 && minutes != remains && !x.order.isHistory() {
		x.problem("%d minutes are not a multiple of the policy quantum", minutes)
	}
	if minutes == 0 {
		minutes = remains
	}
	var l legs
	if err := x.takeBack(e, minutes, &l); err != nil {
		return err
	}
	for _, y := range l {
		if y.account.mergedInto != nil || y.account.standing == isClosed && !x.order.isHistory() ||
			y.account.standing == isFrozen && !x.isBroker() {
			x.problem("%s was not open", y.account.code)
		}
	}
	if len(l) > 0 {
		x.post(l, true)
	}
	return nil
}

// checkReverser looks who takes back: a venue only its own last acceptance, for some minutes.
func (x *act) checkReverser(e *entry) {
	if x.isBroker() {
		if x.author.account != "" && e.from == x.author.account {
			x.problem("it gives back what is the broker's own")
		}
		return
	}
	accepted := e.order.kind == kindRedeem || e.order.kind == kindCapture || e.order.kind == kindRedeemVoucher
	own := x.bank.account(x.author.account)
	until := e.order.receivedMs + uint64(x.bank.policyNumber("venue-undo", 0))*60000
	if !accepted || e.to != x.author.account || own == nil || own.lastEntry != uint64(e.order.index) ||
		x.order.minutes != 0 || x.nowMs > until {
		x.problem("a venue may only take back what it accepted last, in full and at once")
	}
}

// takeBack notes that minutes of an entry fall and adds the contrary legs.
func (x *act) takeBack(e *entry, minutes uint64, l *legs) error {
	b := x.bank
	from, to := b.account(e.from), b.account(e.to)
	e.reversed += minutes
	switch e.order.kind {
	case kindLog:
		return nil
	case kindExchange, kindEarn:
		x.unearn(e, l, to, minutes, e.minutes-e.reversed)
		l.add(from, int64(minutes), 0)
		return nil
	case kindSession:
		if minutes != e.minutes {
			return errors.New("a session is taken back whole")
		}
		givers, given, err := x.sides(e.order, 1, 2)
		if err != nil {
			return err
		}
		for i, a := range givers {
			x.unearn(e, l, a, given[i], 0)
		}
		return x.payers(e.order, l, -1)
	case kindAdvance, kindPledge:
		if to.owed < minutes {
			return errors.New("what was advanced was earned by then")
		}
		if w := e.pledge; w != nil && !w.isOver {
			if w.minutes > minutes {
				w.minutes -= minutes
			} else {
				w.minutes, w.isOver = 0, true
			}
		}
		b.owe(to, -int64(minutes))
	case kindCapture:
		e.hold.waits.taken -= minutes
	case kindRedeemVoucher:
		if err := x.takeBackVoucher(e, minutes); err != nil {
			return err
		}
	}
	l.add(to, -int64(minutes), 0)
	l.add(from, int64(minutes), 0)
	return nil
}

// unearn takes from what a giver kept of an entry first, then from what it repaid.
func (x *act) unearn(e *entry, l *legs, a *account, minutes, left uint64) {
	unearned := uint64(0)
	if repaid := e.repaid[a]; repaid > left {
		unearned = repaid - left
		e.repaid[a] = left
		a.owed += unearned
	}
	l.add(a, int64(unearned)-int64(minutes), 0)
	if unearned > 0 {
		l.add(x.bank.own("advances"), -int64(unearned), 0)
	}
}

func (x *act) merge() error {
	from, to := x.bank.account(x.order.from), x.bank.account(x.order.to)
	if from.kind != to.kind || from.standing != isOpen || to.standing != isOpen {
		return errors.New("two open accounts of one kind are merged")
	}
	if x.order.body.signed(1) != from.balance {
		return fmt.Errorf("%s stood at %d minutes", from.code, from.balance)
	}
	x.post(legs{{from, -from.balance, 0}, {to, from.balance, 0}}, false)
	from.standing, from.mergedInto = isClosed, to
	to.owed += from.owed
	x.bank.endWaits(from, to)
	return nil
}

func (x *act) unmerge() error {
	e, err := x.find()
	if err != nil {
		return err
	}
	from, to := x.bank.account(e.from), x.bank.account(e.to)
	if e.order.kind != kindMerge || from.mergedInto != to || to.standing != isOpen {
		return errors.New("its target is no merge that still holds")
	}
	balance := e.order.body.signed(1)
	x.post(legs{{to, -balance, 0}, {from, balance, 0}}, false)
	from.standing, from.mergedInto = isOpen, nil
	if from.owed > to.owed {
		from.owed = to.owed
	}
	to.owed -= from.owed
	return nil
}

func (x *act) settle() error {
	from, to := x.bank.account(x.order.from), x.bank.account(x.order.to)
	if from.standing == isClosed || from.held != 0 {
		return fmt.Errorf("%s was closed, or something of it still waited", from.code)
	}
	if x.order.body.signed(2) != from.balance {
		return fmt.Errorf("%s stood at %d minutes", from.code, from.balance)
	}
	var l legs
	l.add(from, -from.balance, 0)
	l.add(to, from.balance, 0)
	if from.owed > 0 {
		l.add(x.bank.own("write-offs"), -int64(from.owed), 0)
		l.add(x.bank.own("advances"), int64(from.owed), 0)
	}
	x.post(l, false)
	from.owed, from.standing = 0, isClosed
	x.bank.endWaits(from, nil)
	return nil
}

// endWaits ends an account's leaving, and its pledges or whose they now are.
func (b *bank) endWaits(a, goesOn *account) {
	if w := b.leaving[a]; w != nil {
		w.isOver = true
	}
	for _, w := range b.pledges {
		if w.to == a && goesOn != nil {
			w.to = goesOn
		} else if w.to == a {
			w.isOver = true
		}
	}
}
