// SPDX-License-Identifier: Apache-2.0

// A whole ledger, from its first record to its last: each is checked, and each order replayed.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

type audit struct {
	*result
	export *export
	vkey   *verifierKey
	bank   *bank

	seal       *header // whose orders come
	left       uint32  // of them
	leaves     []tlog.Hash
	receivedMs uint64 // of the last seal
	timeMs     uint64 // the ledger time
	stopped    string // why balances are not known any more
	stoppedAt  int64
	nSeals     int
}

func checkLedger(directory string, v *verifierKey) *result {
	r := &result{}
	begin := time.Now()
	x, err := openExport(directory)
	if err == nil {
		err = x.checkHead(v, r)
	} else if x.checkpoint != nil { // an unsigned head asks for what is not there
		if _, unsigned := readHead(x.checkpoint, v); unsigned != nil {
			r.problem("%s", unsigned)
		}
	}
	if err != nil {
		r.problem("%s", err)
		return r
	}
	x.checkTiles(r)
	if since != "" {
		x.checkExtends(v, r)
	}
	if !x.hasEntries {
		r.NotChecked = append(r.NotChecked, "the records: this export has none (timebank ledger export --entries)")
		return r
	}
	a := &audit{result: r, export: x, vkey: v}
	for i, record := range x.records {
		if err := a.record(int64(i), record); err != nil {
			a.problem("record %d: %s", i, err)
			if a.bank == nil {
				return r
			}
		}
	}
	a.end()
	r.Milli = time.Since(begin).Milliseconds()
	return r
}

func (a *audit) stop(index int64, format string, args ...interface{}) {
	if a.stopped == "" {
		a.stopped, a.stoppedAt = fmt.Sprintf(format, args...), index
	}
}

func (a *audit) leaf(i int64) tlog.Hash {
	return a.export.hashes[tlog.StoredHashIndex(0, i)]
}

func (a *audit) record(i int64, record []byte) error {
	if a.left > 0 && record[0] != recordOrder {
		a.left = 0
		return fmt.Errorf("an order of the batch of seal %d is missing", a.seal.sealedAt)
	}
	switch record[0] {
	case recordGenesis:
		return a.genesis(i, record)
	case recordSeal:
		return a.openBatch(i, record)
	case recordOrder:
		return a.order(i, record)
	case recordEvent:
		return a.event(i, record)
	case recordState:
		return a.state(i, record)
	}
	return fmt.Errorf("kind %d is not known", record[0])
}

func (a *audit) genesis(i int64, record []byte) error {
	g, err := readGenesis(record)
	if err != nil {
		return err
	}
	if i > 0 {
		return a.goOn(i, g)
	}
	if g.oldOrigin != "" {
		return errors.New("the first genesis goes on from another ledger")
	}
	a.bank = newBank(g)
	return nil
}

// goOn is a further genesis: the ledger was restored from a backup, under another name and key.
func (a *audit) goOn(i int64, g *genesis) error {
	b := a.bank
	root, err := a.export.hashes.root(i)
	if err != nil {
		return err
	}
	if g.oldOrigin != b.origin || g.oldSize != uint64(i) || string(g.oldRoot) != string(root[:]) {
		a.problem("record %d: a genesis that does not go on from the records before it", i)
	}
	if g.origin == b.origin || b.formerKeys[g.ledgerKey] || len(g.policyNames) > 0 || g.createdMs < a.timeMs {
		a.problem("record %d: a genesis with a name or key of before, or with policies, or from before", i)
	}
	b.origin, b.ledgerID = g.origin, keyID(g.origin, g.ledgerKey)
	b.ledgerKeys, b.formerKeys[g.ledgerKey] = []key{g.ledgerKey}, true
	for _, k := range g.stewards {
		if r := b.keys[k]; r == nil {
			b.keys[k] = &right{role: steward, granted: i}
		} else if r.role != steward || r.revoked != 0 {
			a.problem("record %d: a key that had another role, or was revoked, becomes a steward's", i)
		}
	}
	a.say("genesis: from record %d on it is %s, restored from %s", i, g.origin, g.oldOrigin)
	return nil
}

func (a *audit) openBatch(i int64, record []byte) error {
	h, err := readSeal(record)
	if err != nil {
		return err
	}
	h.sealedAt = i
	a.seal, a.left, a.leaves = h, h.n, nil
	a.nSeals++
	if h.ledgerID != a.bank.ledgerID {
		a.problem("seal %d: it is of the ledger %s", i, hex.EncodeToString(h.ledgerID[:]))
	}
	if !h.isSigned(h.signature) {
		a.problem("seal %d: its author's signature does not hold", i)
	}
	a.checkTimes(i, h)
	a.checkPin(i, h)
	name := string(h.author[:]) + string(h.batchID[:])
	if earlier, found := a.bank.batchIDs[name]; found {
		a.problem("seal %d: its batch id was used by seal %d", i, earlier)
	}
	a.bank.batchIDs[name] = i
	h.authorRight = a.bank.keys[h.author]
	if r := h.authorRight; r == nil {
		a.problem("seal %d: its author's key was never granted a role", i)
	} else if r.revoked != 0 {
		a.problem("seal %d: its author's key was revoked by record %d", i, r.revoked)
	}
	return nil
}

func (a *audit) checkTimes(i int64, h *header) {
	if h.receivedMs < a.receivedMs {
		a.problem("seal %d: it was received before the seal ahead of it", i)
	}
	if h.notAfterMs != 0 {
		ahead := uint64(a.bank.policyNumber("not-after", 15)) * 60000
		if h.receivedMs > h.notAfterMs {
			a.problem("seal %d: it was received after its author's time limit", i)
		} else if h.notAfterMs > h.createdMs+ahead {
			a.problem("seal %d: its time limit is further off than the policy not-after allows", i)
		}
	}
	a.receivedMs = h.receivedMs
	if h.receivedMs > a.timeMs {
		a.timeMs = h.receivedMs
	}
	if w := a.bank.dues.first(); w != nil && w.dueMs <= h.receivedMs && a.stopped == "" {
		a.problem("seal %d: what record %d waited for was due before it and did not happen", i, w.number)
	}
}

func (a *audit) checkPin(i int64, h *header) {
	if h.pinSize == 0 {
		return
	}
	if h.pinSize > uint64(i) {
		a.problem("seal %d: its author saw %d records, more than there were", i, h.pinSize)
		return
	}
	root, err := a.export.hashes.root(int64(h.pinSize))
	if err != nil || root != h.pinRoot {
		a.problem("seal %d: its author saw another history at %d records", i, h.pinSize)
	}
}

// checkRelease holds the position of a report that left the bank against the log.
func (a *audit) checkRelease(i int64, o *order) {
	size := o.body.number(7)
	if size == 0 || size > uint64(i) {
		a.problem("order %d: a report left the bank at %d records, where the ledger had not been", i, size)
		return
	}
	root, err := a.export.hashes.root(int64(size))
	if err != nil || string(root[:]) != string(o.body.data(8)) {
		a.problem("order %d: a report left the bank with another history at %d records", i, size)
	}
}

func (a *audit) order(i int64, record []byte) error {
	if a.left == 0 {
		return fmt.Errorf("an order under no seal")
	}
	a.left--
	a.leaves = append(a.leaves, a.leaf(i))
	if a.left == 0 && rootOf(a.leaves) != a.seal.ordersRoot {
		a.problem("seal %d: its author signed other orders than follow it", a.seal.sealedAt)
	}
	o, err := readOrder(record)
	if err != nil {
		a.stop(i, "an order cannot be read")
		return err
	}
	o.index, o.receivedMs = i, a.seal.receivedMs
	if a.bank.entries[o.id] != nil {
		return fmt.Errorf("its id is that of record %d", a.bank.entries[o.id].order.index)
	}
	if o.source == sourceHand && a.seal.notAfterMs == 0 {
		a.problem("entry %d: it was typed by hand, and its batch has no time limit", i)
	}
	if o.kind == kindReleaseReport {
		a.checkRelease(i, o)
	}
	a.replay(o)
	return nil
}

// replay judges an order and lets it take effect; without an author nothing can. Once balances are not
// known any more, only who may record what is looked at.
func (a *audit) replay(o *order) {
	e := &entry{order: o, author: a.seal.authorRight, minutes: o.minutes, from: o.from, to: o.to}
	a.bank.entries[o.id] = e
	if e.author == nil {
		a.stop(o.index, "an author had no role")
		return
	}
	x := &act{bank: a.bank, index: o.index, leaf: o.leaf, nowMs: a.seal.receivedMs, author: e.author,
		order: o, entry: e}
	var err error
	if a.stopped == "" {
		err = x.checkCommon()
	} else if k := kinds[o.kind]; k != nil {
		x.checkRight(k)
	}
	if err == nil && (a.stopped == "" || o.kind == kindGrantKey || o.kind == kindRevokeKey || o.kind == kindSetMandate) {
		err = x.proposeOrApply()
	}
	for _, p := range x.problems {
		a.problem("entry %d: %s", o.index, p)
	}
	if err != nil {
		a.problem("entry %d: %s", o.index, err)
		a.stop(o.index, "an order could not take effect")
	}
	if kinds[o.kind] != nil && kinds[o.kind].is&counts != 0 {
		a.Entries++
	}
}

var eventWaits = map[int]int{1: waitsHold, 2: waitsGift, 3: waitsClaim, 4: waitsClaim, 5: waitsApproval,
	6: waitsDispute, 7: waitsVouchers, 8: waitsPledge, 9: waitsLeave}

func (a *audit) event(i int64, record []byte) error {
	e, err := readEvent(record)
	if err != nil {
		a.stop(i, "an event cannot be read")
		return err
	}
	a.Events++
	if e.timeMs < a.timeMs {
		a.problem("record %d: an event from before the record ahead of it", i)
	}
	ledgerMs := a.timeMs
	a.timeMs = e.timeMs
	if a.stopped != "" {
		return nil
	}
	w := a.bank.dues.first()
	if w == nil || w.id != e.follows || w.what != eventWaits[e.kind] {
		a.stop(i, "an event that does not follow from the records before it")
		return fmt.Errorf("something happened that was not what was due next")
	}
	want := w.dueMs
	if ledgerMs > want {
		want = ledgerMs
	}
	if e.timeMs != want {
		a.problem("record %d: what was due at %s happened at %s", i, timeText(w.dueMs), timeText(e.timeMs))
	}
	x := &act{bank: a.bank, index: i, leaf: a.leaf(i), nowMs: e.timeMs, order: w.about.order, entry: w.about}
	minutes, err := x.happen(e.kind, w)
	for _, p := range x.problems {
		a.problem("record %d: %s", i, p)
	}
	if err != nil {
		a.stop(i, "an event could not take effect")
		return err
	}
	if minutes != e.minutes {
		a.problem("record %d: the event is of %d minutes, and %d were due", i, e.minutes, minutes)
	}
	return nil
}

func (a *audit) state(i int64, record []byte) error {
	s, err := readState(record)
	if err != nil {
		return err
	}
	if s.covers != uint64(i) {
		a.problem("record %d: a state that covers %d records", i, s.covers)
	}
	if s.timeMs < a.timeMs {
		a.problem("record %d: the time of the state is before the record ahead of it", i)
	}
	a.timeMs = s.timeMs
	if a.stopped != "" {
		return nil
	}
	a.States++
	if int(s.accounts) != len(a.bank.books.list) {
		a.problem("record %d: a state of %d accounts, and there are %d", i, s.accounts, len(a.bank.books.list))
	} else if root := a.bank.books.root(); root != s.root {
		a.problem("record %d: the root of the account states is not that of the replay: balances differ from here on", i)
		a.stop(i, "the accounts differ")
	}
	return nil
}

func (a *audit) end() {
	if a.left > 0 {
		a.problem("the records end within the batch of seal %d", a.seal.sealedAt)
	}
	if a.bank == nil {
		a.problem("there is no genesis")
		return
	}
	if a.vkey.origin != a.bank.origin || !a.bank.isLedgerKey(a.vkey.public) {
		a.problem("the verifier key is not one that the ledger's records name")
	}
	if len(a.export.records) < 2 || a.export.records[len(a.export.records)-1][0] != recordState {
		a.problem("the head is no published one: its last record is no state")
	}
	a.Accounts, a.Replayed = len(a.bank.books.list), a.Records
	if a.stopped != "" {
		a.Replayed = a.stoppedAt
	}
	balances, held := a.bank.books.sums()
	if balances != 0 || held != a.bank.own("transit").balance {
		a.problem("the balances sum to %d minutes, and transit does not hold what is held", balances)
	}
	a.say("seals: %d, each signed by its author, with rights, pin and times", a.nSeals)
	a.say("replay: %d entries, %d events, %d accounts; %d state records compared", a.Entries, a.Events, a.Accounts, a.States)
	if a.stopped != "" {
		a.NotChecked = append(a.NotChecked, fmt.Sprintf(
			"records %d on: %s; balances and roots are checked up to there", a.stoppedAt, a.stopped))
	}
	a.NotChecked = append(a.NotChecked, notReplayed...)
}

// notReplayed are rules of the bank that this auditor leaves to it. None of them moves a balance.
var notReplayed = []string{
	"hours of one person on one day, entries that look like another, limits by day, week, month and year",
	"venues' caps and offers' rules but the price, persons of a household, safeguarding, periods and programmes",
	"days and signatures of vouchers, who may expire how much, to whom a leaver's credits go",
	"the figures of reports that left the bank",
}

func (b *bank) isLedgerKey(k key) bool {
	for _, known := range b.ledgerKeys {
		if known == k {
			return true
		}
	}
	return false
}
