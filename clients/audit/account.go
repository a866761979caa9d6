// SPDX-License-Identifier: Apache-2.0

// Accounts and their states, the leaves of the second tree: timebank-ledger(5), ACCOUNT STATES.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	isOpen   = 0
	isFrozen = 1
	isClosed = 2

	byPolicy  = math.MinInt64
	noFloor   = math.MinInt64 + 1
	noCeiling = math.MaxInt64
)

type account struct {
	number         uint64
	kind, standing int
	code           string
	floor, ceiling int64
	balance, held  int64
	entries        uint64
	lastEntry      uint64
	running        [32]byte

	owed       uint64   // advanced and not yet earned
	mergedInto *account // that goes on
	changed    bool     // its leaf is to be hashed anew
}

func (a *account) leaf() tlog.Hash {
	b := []byte("TBA1")
	b = binary.BigEndian.AppendUint64(b, a.number)
	b = append(b, byte(a.kind), byte(a.standing), byte(len(a.code)))
	b = append(b, a.code...)
	for _, x := range []uint64{uint64(a.floor), uint64(a.ceiling), uint64(a.balance), uint64(a.held),
		a.entries, a.lastEntry} {
		b = binary.BigEndian.AppendUint64(b, x)
	}
	return tlog.RecordHash(append(b, a.running[:]...))
}

// move posts what a record did to the account.
func (a *account) move(index int64, leaf tlog.Hash, minutes, held int64) {
	a.balance += minutes
	a.held += held
	a.entries++
	a.lastEntry = uint64(index)
	b := append([]byte{3}, a.running[:]...)
	b = append(b, leaf[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.balance))
	b = binary.BigEndian.AppendUint64(b, uint64(a.held))
	a.running = sha256.Sum256(b)
}

// leg is what an order or event moves of one account.
type leg struct {
	account       *account
	minutes, held int64
}

// legs are all of one record, each account once.
type legs []leg

func (l *legs) add(a *account, minutes, held int64) {
	for i := range *l {
		if (*l)[i].account == a {
			(*l)[i].minutes += minutes
			(*l)[i].held += held
			return
		}
	}
	*l = append(*l, leg{a, minutes, held})
}

// books are all accounts.
type books struct {
	byCode map[string]*account
	list   []*account
	tree   leafTree
	dirty  []*account
}

// ownAccounts are opened by genesis, in this order and of the kinds from chest on.
var ownAccounts = []string{"chest", "issued", "retired", "expired", "advances", "vouchers", "transit", "write-offs"}

func newBooks() *books {
	b := &books{byCode: map[string]*account{}}
	for i, code := range ownAccounts {
		b.open(code, chest+i)
	}
	return b
}

func (b *books) open(code string, kind int) *account {
	a := &account{number: uint64(len(b.list)), kind: kind, code: code, floor: byPolicy, ceiling: byPolicy}
	b.byCode[code] = a
	b.list = append(b.list, a)
	b.touch(a)
	return a
}

// touch says that an account's leaf is out of date.
func (b *books) touch(a *account) {
	if !a.changed {
		a.changed = true
		b.dirty = append(b.dirty, a)
	}
}

func (b *books) post(index int64, leaf tlog.Hash, l legs) {
	for _, x := range l {
		x.account.move(index, leaf, x.minutes, x.held)
		b.touch(x.account)
	}
}

// root is the root of the tree of account states as they are now.
func (b *books) root() tlog.Hash {
	for _, a := range b.dirty {
		b.tree.set(int(a.number), a.leaf())
		a.changed = false
	}
	b.dirty = b.dirty[:0]
	return b.tree.root()
}

// sums are of all balances, which is always 0, and of all that is held, which lies in transit.
func (b *books) sums() (balances, held int64) {
	for _, a := range b.list {
		balances += a.balance
		held += a.held
	}
	return balances, held
}
