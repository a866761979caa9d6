// SPDX-License-Identifier: Apache-2.0

// The register: accounts, limits, policies, keys, offers and what else is set.
package main

import (
	"errors"
	"fmt"
)

// apply lets an order take effect, by its kind.
func (x *act) apply() error {
	switch x.order.kind {
	case kindExchange, kindEarn:
		return x.give()
	case kindGift, kindDonate, kindGrant, kindRetire:
		return x.simple()
	case kindIssue:
		return x.issue()
	case kindRedeem:
		return x.redeem()
	case kindReverse:
		return x.reverse()
	case kindSession:
		return x.session()
	case kindConfirm, kindDecline, kindWithdraw, kindApprove:
		return x.answer()
	case kindDispute:
		return x.dispute()
	case kindDecide:
		return x.decide()
	case kindHold:
		return x.hold()
	case kindCapture:
		return x.capture()
	case kindRelease:
		return x.release()
	case kindMintVouchers:
		return x.mint()
	case kindRedeemVoucher:
		return x.redeemVoucher()
	case kindVoidVouchers:
		return x.voidVouchers()
	case kindReissueVoucher:
		return x.reissue()
	case kindAdvance:
		return x.advance()
	case kindPledge:
		return x.pledge()
	case kindExpire:
		return x.expire()
	case kindSettle:
		return x.settle()
	case kindMerge:
		return x.merge()
	case kindUnmerge:
		return x.unmerge()
	case kindTransfer:
		return x.transfer()
	case kindOpenAccount:
		return x.openAccount()
	case kindFreeze, kindThaw, kindClose:
		return x.setStanding()
	}
	return x.register()
}

func (x *act) openAccount() error {
	kind := int(x.order.body.number(1))
	if kind < member || kind > venue && kind != otherBank {
		return errors.New("accounts of its kind are not opened")
	}
	if kind == otherBank && x.author.role != steward {
		x.problem("only a steward opens an account for another bank")
	}
	if err := x.bank.checkCode(x.order.to, kind); err != nil {
		return err
	}
	if x.order.serviceDay > x.today()+1 {
		x.problem("its date of joining had not come")
	}
	x.bank.books.open(x.order.to, kind)
	return nil
}

func (x *act) setStanding() error {
	a := x.bank.account(x.order.to)
	switch {
	case a.standing == isClosed, x.order.kind == kindFreeze && a.standing != isOpen,
		x.order.kind == kindThaw && a.standing != isFrozen:
		return fmt.Errorf("%s did not stand so that it could", a.code)
	case x.order.kind == kindFreeze:
		a.standing = isFrozen
	case x.order.kind == kindThaw:
		a.standing = isOpen
	default:
		if a.balance != 0 || a.held != 0 || a.owed != 0 {
			x.problem("%s was closed with %d minutes", a.code, a.balance)
		}
		a.standing = isClosed
		x.bank.endWaits(a, nil)
	}
	x.bank.books.touch(a)
	return nil
}

func (x *act) setLimit() {
	a, m := x.bank.account(x.order.to), x.order.body
	a.floor, a.ceiling = byPolicy, byPolicy
	if m[1] != nil {
		a.floor = m.signed(1)
	}
	if m[2] != nil {
		a.ceiling = m.signed(2)
	}
	if a.floor > 0 || m[2] != nil && a.ceiling < 0 {
		x.problem("a floor lies above 0, or a ceiling below")
	}
	x.bank.books.touch(a)
}

// register is what only has to be remembered, or not even that.
func (x *act) register() error {
	b, o, m := x.bank, x.order, x.order.body
	switch o.kind {
	case kindSetLimit:
		x.setLimit()
	case kindSetPolicy:
		b.policies[m.text(1)] = m.text(2)
	case kindSetActivity:
		b.activities[m.text(1)] = true
	case kindSetOffer:
		b.offers[o.to+"/"+m.text(1)] = &offer{price: m.number(2), withdrawn: m.number(13) == 1}
	case kindSetFunder:
		b.funders[m.text(1)] = true
	case kindGrantKey:
		return x.grantKey()
	case kindRevokeKey:
		return x.revokeKey()
	case kindSetMandate:
		b.mandates[m.text(1)+" "+o.to] = &mandate{int(m.number(2)), uint32(m.number(3)), uint32(m.number(4))}
	case kindSetTrust:
		b.trusts[o.to+" "+m.text(1)] = m.number(2) == 0
	case kindLeave:
		x.leave()
	case kindSetVoucherKey:
		return x.setVoucherKey()
	case kindRotateKey:
		return x.rotateKey()
	case kindReleaseReport:
		x.releaseReport()
	}
	return nil
}

func (x *act) leave() {
	a, m := x.bank.account(x.order.to), x.order.body
	if w := x.bank.leaving[a]; w != nil {
		w.isOver = true
	}
	if m.number(2) == 1 {
		return
	}
	until := m.number(1)
	if until == 0 {
		until = uint64(x.today()) + uint64(x.bank.policyNumber("leave-days", 0))
	}
	x.bank.leaving[a] = x.open(waitsLeave, 0, (until+1)*dayMs)
}

func readKey(b []byte) (k key, err error) {
	if copy(k[:], b) != len(k) || len(b) != len(k) {
		return k, errors.New("a key is not 32 bytes")
	}
	return k, nil
}

func (x *act) grantKey() error {
	k, err := readKey(x.order.body.data(1))
	if err != nil {
		return err
	}
	role := int(x.order.body.number(2))
	if x.bank.keys[k] != nil || role == 0 {
		return errors.New("the key had a role before, or gets none")
	}
	a := x.bank.account(x.order.to)
	wants := map[int]int{steward: member, broker: member, roleOrganisation: organisation,
		roleVenue: venue, roleMember: member}[role]
	isOptional := brokers.has(role) || wants == 0
	if a == nil && (x.order.to != "" || !isOptional) || a != nil && a.kind != wants {
		x.problem("the role does not fit the account %q", x.order.to)
	}
	class := int(x.order.body.number(3))
	if role == evaluator && class == 0 {
		class = forFunder
	}
	if role != evaluator && class != 0 || role == evaluator && class < forFunder {
		x.problem("the role and its class of reports do not fit")
	}
	x.bank.keys[k] = &right{role: role, class: class, account: x.order.to, granted: x.index}
	return nil
}

// Classes of reports that may leave the bank, the stricter one last.
const (
	forFunder = 2
	forPublic = 3
)

// releaseReport is a report that left the bank. Its root is looked at with the seal's pin.
func (x *act) releaseReport() {
	m := x.order.body
	class := int(m.number(2))
	if m.text(1) != "timebank-measures/1" || class < forFunder || class > forPublic {
		x.problem("a report of another definition or class than may leave the bank")
	}
	if x.author != nil && x.author.role == evaluator && class < x.author.class {
		x.problem("an evaluator released a report of a class that its key does not get")
	}
	if m.number(3) > m.number(4) || m.number(5) == 0 {
		x.problem("a report of no period, or known at no day")
	}
	if len(m.data(8)) != 32 || len(m.data(9)) != 32 || len(m.data(10)) != 32 {
		x.problem("a report's root or checksum is not 32 bytes")
	}
}

func (x *act) revokeKey() error {
	k, err := readKey(x.order.body.data(1))
	if err != nil {
		return err
	}
	r := x.bank.keys[k]
	if r == nil || r.revoked != 0 {
		return errors.New("the key had no role that could end")
	}
	r.revoked = x.index
	if r.role != steward {
		return nil
	}
	for _, other := range x.bank.keys {
		if other.role == steward && other.revoked == 0 {
			return nil
		}
	}
	x.problem("the last steward's key is revoked")
	return nil
}

// setVoucherKey notes a key that can no more become the ledger's.
func (x *act) setVoucherKey() error {
	k, err := readKey(x.order.body.data(1))
	x.bank.formerKeys[k] = true
	return err
}

// readRotation is the ledger's next key, for which the last one and itself signed.
func readRotation(o *order, ledgerID [32]byte, last key) (next key, err error) {
	if next, err = readKey(o.body.data(1)); err != nil {
		return next, err
	}
	message := append([]byte("TBK1"), ledgerID[:]...)
	message = append(append(message, last[:]...), next[:]...)
	if !isSignedAs("timebank-key", message, last, o.body.data(2)) {
		return next, errors.New("the ledger's key did not sign for the next one")
	}
	if !isSignedAs("timebank-key", message, next, o.body.data(3)) {
		return next, errors.New("the ledger's next key did not sign")
	}
	return next, nil
}

func (x *act) rotateKey() error {
	k, err := readRotation(x.order, x.bank.ledgerID, x.bank.ledgerKeys[len(x.bank.ledgerKeys)-1])
	if err != nil {
		return err
	}
	if x.bank.formerKeys[k] || x.bank.keys[k] != nil {
		return errors.New("the key was the ledger's before, or somebody else's")
	}
	if x.order.body.number(4) > 3650 || len(x.bank.ledgerKeys) > 20 {
		x.problem("a change of key with a longer overlap, or more of them, than there may be")
	}
	x.bank.formerKeys[k] = true
	x.bank.ledgerKeys = append(x.bank.ledgerKeys, k)
	return nil
}
