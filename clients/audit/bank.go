// SPDX-License-Identifier: Apache-2.0

// What the rules look at: keys and their rights, policies, the register, what was recorded before.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// right is what a key may do, from one record on up to another.
type right struct {
	role             int
	class            int // of an evaluator: which reports
	account          string
	granted, revoked int64 // revoked 0: in force
}

func (r *right) isBroker() bool { return brokers.has(r.role) }

// entry is an order that is recorded, and what became of it.
type entry struct {
	order    *order
	author   *right
	reversed uint64
	repaid   map[*account]uint64 // of what was advanced
	waits    *waiting            // what it opened
	pledge   *waiting
	dispute  *waiting
	hold     *entry // of a capture
	voucher  *voucher
	minutes  uint64 // of which some may be taken back
	from, to string
}

// stands says why an entry cannot be taken back or disputed, if so.
func (e *entry) stands() error {
	switch {
	case e.waits.isProposal() && !e.waits.isOver:
		return errors.New("its target still waits for somebody")
	case e.waits.isProposal() && e.waits.fell:
		return errors.New("its target never took effect")
	case e.dispute != nil && !e.dispute.isOver:
		return errors.New("its target is disputed")
	}
	return nil
}

type voucher struct {
	standing int
	minutes  uint64
	mint     *waiting
	usedBy   *order
}

const (
	voucherOpen = iota
	voucherUsed
	voucherVoid
	voucherExpired
)

type mandate struct {
	kind           int
	fromDay, toDay uint32
}

type offer struct {
	price     uint64
	withdrawn bool
}

type bank struct {
	origin     string
	ledgerID   [32]byte
	keys       map[key]*right
	ledgerKeys []key // under this origin, the last one being in use
	formerKeys map[key]bool
	policies   map[string]string
	books      *books
	activities map[string]bool
	funders    map[string]bool
	offers     map[string]*offer // venue/name
	mandates   map[string]*mandate
	entries    map[orderID]*entry
	batchIDs   map[string]int64
	transfers  map[string]bool
	trusts     map[string]bool // receiver and giver
	dues       dueHeap
	byOpener   map[orderID][]*waiting
	pledges    []*waiting
	nextSerial uint64
	leaving    map[*account]*waiting
	vouchers   map[uint64]*voucher
}

// defaults are those of policies that an older genesis may lack and that are looked at here.
var defaults = map[string]string{
	"advance-max": "none", "advance-repay": "all", "age-of-service": "any", "approval-days": "30",
	"approve-members": "off", "ceiling-member": "none", "ceiling-organisation": "none",
	"ceiling-venue": "none", "claim-days": "14", "claim-lapse": "stands", "claims": "off",
	"dispute-days": "30", "floor-chest": "0", "floor-member": "-1200", "floor-organisation": "0",
	"floor-venue": "0", "gift": "at-once", "gift-days": "30", "hold-days": "60", "leave-days": "90",
	"member-code": "1-3/1-9", "not-after": "15", "quantum": "15", "rounding": "refuse",
	"second-person-above": "off", "short-allotment": "warn", "venue-undo": "15", "voucher-lapse": "back", "voucher-grace-days": "14",
}

func newBank(g *genesis) *bank {
	b := &bank{
		origin: g.origin, ledgerID: keyID(g.origin, g.ledgerKey), keys: map[key]*right{},
		ledgerKeys: []key{g.ledgerKey}, formerKeys: map[key]bool{g.ledgerKey: true}, policies: map[string]string{}, books: newBooks(),
		activities: map[string]bool{}, funders: map[string]bool{}, offers: map[string]*offer{},
		mandates: map[string]*mandate{}, entries: map[orderID]*entry{}, batchIDs: map[string]int64{},
		transfers: map[string]bool{}, leaving: map[*account]*waiting{},
		vouchers: map[uint64]*voucher{}, trusts: map[string]bool{},
		byOpener: map[orderID][]*waiting{}, nextSerial: 1,
	}
	for name, value := range defaults {
		b.policies[name] = value
	}
	for i, name := range g.policyNames {
		b.policies[name] = g.policyValues[i]
	}
	for _, k := range g.stewards {
		b.keys[k] = &right{role: steward}
	}
	return b
}

// policyNumber is a policy's number, or otherwise where it is none, any or off.
func (b *bank) policyNumber(name string, otherwise int64) int64 {
	x, err := strconv.ParseInt(b.policies[name], 10, 64)
	if err != nil {
		return otherwise
	}
	return x
}

func (b *bank) account(code string) *account { return b.books.byCode[code] }

// own is one of the bank's own accounts.
func (b *bank) own(code string) *account { return b.books.byCode[code] }

// matchesPattern says whether a code is letters and digits in such numbers: 1-3/1-9, or 1/4.
func matchesPattern(code, pattern string) bool {
	letters := 0
	for letters < len(code) && code[letters] >= 'a' && code[letters] <= 'z' {
		letters++
	}
	digits := 0
	for letters+digits < len(code) && code[letters+digits] >= '0' && code[letters+digits] <= '9' {
		digits++
	}
	left, right, found := strings.Cut(pattern, "/")
	return found && letters+digits == len(code) && inSpan(letters, left) && inSpan(digits, right)
}

func inSpan(n int, span string) bool {
	low, high, found := strings.Cut(span, "-")
	if !found {
		high = low
	}
	least, err := strconv.Atoi(low)
	most, err2 := strconv.Atoi(high)
	return err == nil && err2 == nil && n >= least && n <= most
}

// checkCode says what is wrong with a new account's code.
func (b *bank) checkCode(code string, kind int) error {
	name := code
	if kind == otherBank {
		if !strings.HasPrefix(code, "bank:") {
			return fmt.Errorf("%s is no other bank's code", code)
		}
		name = strings.TrimPrefix(code, "bank:")
	}
	if len(code) > 32 || name == "" || name[0] == '-' || strings.Contains(name, "--") ||
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%s is no code", code)
	}
	switch name {
	case "bank", "all", "none", "next":
		if kind != otherBank {
			return fmt.Errorf("the code %s is reserved", code)
		}
	}
	if kind == member && !matchesPattern(code, b.policies["member-code"]) {
		return fmt.Errorf("%s is not as the policy member-code says", code)
	}
	if b.account(code) != nil {
		return fmt.Errorf("the code %s is in use", code)
	}
	return nil
}

// floor is the lowest balance that an account may have, if there is one.
func (b *bank) floor(a *account) (int64, bool) {
	names := map[int]string{member: "floor-member", organisation: "floor-organisation",
		venue: "floor-venue", chest: "floor-chest"}
	return b.limit(a, a.floor, names)
}

func (b *bank) ceiling(a *account) (int64, bool) {
	names := map[int]string{member: "ceiling-member", organisation: "ceiling-organisation",
		venue: "ceiling-venue"}
	return b.limit(a, a.ceiling, names)
}

func (b *bank) limit(a *account, own int64, names map[int]string) (int64, bool) {
	if own != byPolicy {
		return own, own != noFloor && own != noCeiling
	}
	name, found := names[a.kind]
	if !found {
		return 0, false
	}
	x, err := strconv.ParseInt(b.policies[name], 10, 64)
	return x, err == nil
}
