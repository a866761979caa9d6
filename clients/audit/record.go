// SPDX-License-Identifier: Apache-2.0

// The records of a ledger taken apart: timebank-ledger(5), RECORDS and BATCH HEADER.
package main

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	recordGenesis = 0
	recordSeal    = 1
	recordOrder   = 2
	recordEvent   = 3
	recordState   = 4

	recordMax   = 32768
	headerBytes = 176
	sealBytes   = 1 + headerBytes + ed25519.SignatureSize + 8
	stateBytes  = 1 + 8 + 8 + 32 + 8
	batchMax    = 8190
	minutesMax  = 100_000_000
)

type key [ed25519.PublicKeySize]byte
type orderID [16]byte

type genesis struct {
	origin                    string
	ledgerKey                 key
	stewards                  []key
	policyNames, policyValues []string
	createdMs                 uint64
	oldOrigin                 string
	oldSize                   uint64
	oldRoot                   []byte
}

func readGenesis(record []byte) (*genesis, error) {
	m, err := genesisSchema.read(record[1:])
	if err != nil {
		return nil, err
	}
	g := &genesis{
		origin: m.text(2), policyNames: m.texts(5), policyValues: m.texts(6), createdMs: m.number(7),
		oldOrigin: m.text(8), oldSize: m.number(9), oldRoot: m.data(10),
	}
	if m.number(1) != 1 {
		return nil, fmt.Errorf("format %d is not known to this auditor", m.number(1))
	}
	if copy(g.ledgerKey[:], m.data(3)) != len(g.ledgerKey) || len(m.data(3)) != len(g.ledgerKey) {
		return nil, errors.New("the ledger's key is not 32 bytes")
	}
	if m[4] == nil {
		return nil, errors.New("there is no steward's key")
	}
	for _, b := range m[4].list {
		var k key
		if len(b) != copy(k[:], b) {
			return nil, errors.New("a steward's key is not 32 bytes")
		}
		g.stewards = append(g.stewards, k)
	}
	if len(g.policyNames) != len(g.policyValues) {
		return nil, errors.New("the policies' names and values do not pair")
	}
	for i := 1; i < len(g.policyNames); i++ {
		if g.policyNames[i-1] >= g.policyNames[i] {
			return nil, errors.New("the policies' names do not ascend")
		}
	}
	if (g.oldOrigin == "") != (g.oldSize == 0) || (g.oldOrigin == "") != (len(g.oldRoot) == 0) {
		return nil, errors.New("it names an older ledger by half")
	}
	return g, nil
}

// header is the 176 bytes that an author signs.
type header struct {
	bytes       []byte
	n           uint32
	ledgerID    [32]byte
	author      key
	batchID     [16]byte
	createdMs   uint64
	notAfterMs  uint64
	pinSize     uint64
	pinRoot     tlog.Hash
	ordersRoot  tlog.Hash
	signature   []byte
	receivedMs  uint64
	sealedAt    int64 // record number of the seal
	authorRight *right
}

func readHeader(b []byte) (*header, error) {
	if len(b) != headerBytes || string(b[:4]) != "TBB1" {
		return nil, errors.New("not a batch header")
	}
	h := &header{
		bytes: b, n: binary.BigEndian.Uint32(b[4:]), createdMs: binary.BigEndian.Uint64(b[88:]),
		notAfterMs: binary.BigEndian.Uint64(b[96:]), pinSize: binary.BigEndian.Uint64(b[104:]),
	}
	copy(h.ledgerID[:], b[8:])
	copy(h.author[:], b[40:])
	copy(h.batchID[:], b[72:])
	copy(h.pinRoot[:], b[112:])
	copy(h.ordersRoot[:], b[144:])
	if h.n < 1 || h.n > batchMax {
		return nil, fmt.Errorf("a batch of %d orders", h.n)
	}
	if h.batchID[6]>>4 != 7 || h.batchID[8]>>6 != 2 {
		return nil, errors.New("the batch id is no UUID of version 7")
	}
	if h.pinSize == 0 && h.pinRoot != (tlog.Hash{}) {
		return nil, errors.New("a pin of size 0 has a root")
	}
	return h, nil
}

func readSeal(record []byte) (*header, error) {
	if len(record) != sealBytes || record[0] != recordSeal {
		return nil, errors.New("not a seal")
	}
	h, err := readHeader(record[1 : 1+headerBytes])
	if err != nil {
		return nil, err
	}
	h.signature = record[1+headerBytes : 1+headerBytes+ed25519.SignatureSize]
	h.receivedMs = binary.BigEndian.Uint64(record[sealBytes-8:])
	return h, nil
}

// isSigned says whether the author signed the header, as ssh-keygen -Y sign -n timebank-batch does.
func (h *header) isSigned(signature []byte) bool {
	return isSignedAs("timebank-batch", h.bytes, h.author, signature)
}

// isSignedAs checks an SSHSIG with SHA-512, of which only the 64 bytes were kept.
func isSignedAs(namespace string, message []byte, by key, signature []byte) bool {
	sum := sha512.Sum512(message)
	signed := []byte("SSHSIG")
	for _, s := range []string{namespace, "", "sha512", string(sum[:])} {
		signed = append(signed, lengthed([]byte(s))...)
	}
	return len(signature) == ed25519.SignatureSize && ed25519.Verify(by[:], signed, signature)
}

func lengthed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

type state struct {
	covers, accounts uint64
	root             tlog.Hash
	timeMs           uint64
}

func readState(record []byte) (*state, error) {
	if len(record) != stateBytes || record[0] != recordState {
		return nil, errors.New("not a state")
	}
	s := &state{
		covers: binary.BigEndian.Uint64(record[1:]), accounts: binary.BigEndian.Uint64(record[9:]),
		timeMs: binary.BigEndian.Uint64(record[49:]),
	}
	copy(s.root[:], record[17:])
	return s, nil
}

type event struct {
	timeMs  uint64
	kind    int
	follows orderID
	minutes uint64
}

func readEvent(record []byte) (*event, error) {
	m, err := eventSchema.read(record[1:])
	if err != nil {
		return nil, err
	}
	e := &event{timeMs: m.number(1), kind: int(m.number(2)), minutes: m.number(4)}
	if len(m.data(3)) != copy(e.follows[:], m.data(3)) || len(m.data(3)) != len(e.follows) {
		return nil, errors.New("it names no order")
	}
	if e.kind == 0 {
		return nil, errors.New("it says of nothing that it happened")
	}
	return e, nil
}

// order is one order, what only its kind needs being in body.
type order struct {
	index          int64 // its entry number
	id             orderID
	serviceDay     uint32
	from, to       string
	fromPerson     string
	toPerson       string
	minutes, typed uint64
	authority      int
	activity       string
	sheet          string
	line           uint32
	claimedDay     uint32
	note           []byte
	override       uint32
	corrects       []byte
	source         int
	proposal       bool
	kind           int
	body           message
	leaf           tlog.Hash
	receivedMs     uint64 // of its seal
}

const (
	sourceHand    = 0
	sourceSheet   = 1
	sourceImport  = 2
	sourceHistory = 3

	overrideLimits = 1
	overrideDay    = 2
	overrideLooks  = 4
	overridePrice  = 8
)

func readOrder(record []byte) (*order, error) {
	m, err := orderSchema.read(record[1:])
	if err != nil {
		return nil, err
	}
	o := &order{
		serviceDay: uint32(m.number(2)), from: m.text(3), fromPerson: m.text(4), to: m.text(5),
		toPerson: m.text(6), minutes: m.number(7), typed: m.number(8), authority: int(m.number(9)),
		activity: m.text(10), sheet: m.text(11), line: uint32(m.number(12)),
		claimedDay: uint32(m.number(13)), note: m.data(14), override: uint32(m.number(15)),
		corrects: m.data(16), source: int(m.number(17)), proposal: m.number(18) == 1,
		leaf: tlog.RecordHash(record),
	}
	if len(m.data(1)) != copy(o.id[:], m.data(1)) || len(m.data(1)) != len(o.id) {
		return nil, errors.New("its id is not 16 bytes")
	}
	if len(o.note) != 0 && len(o.note) != 32 {
		return nil, errors.New("its note is not 32 bytes")
	}
	if len(o.corrects) != 0 && len(o.corrects) != len(o.id) {
		return nil, errors.New("the id that it corrects is not 16 bytes")
	}
	for number, v := range m {
		if number >= kindExchange {
			o.kind, o.body = number, v.message
		}
	}
	if o.kind == 0 {
		return nil, errors.New("it is of no kind")
	}
	return o, nil
}

func (o *order) isHistory() bool { return o.source == sourceHistory }

func (o *order) overrides(what uint32) bool { return o.override&what != 0 }

// target is the id that a reversal, a capture and the like are about.
func (o *order) target() (id orderID, ok bool) {
	b := o.body.data(1)
	copy(id[:], b)
	return id, len(b) == len(id)
}
