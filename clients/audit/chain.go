// SPDX-License-Identifier: Apache-2.0

// The records beside a receipt that lead from one key of the ledger to the one that signed its head:
// timebank-receipt(5), AFTER A CHANGE OF KEY.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const chainMax = 64

// link is one of these records: a genesis, or a change of key.
type link struct {
	index  int64
	name   string // of its files, without the ending
	record []byte
}

type chain struct {
	links []link
	last  *verifierKey // that signed the head
	ids   []chainID
}

// chainID is the ledger id from a record on.
type chainID struct {
	index int64
	id    [32]byte
}

// readChain reads what there is, and follows the keys; nothing is proven yet to be in the ledger.
func (r *receipt) readChain() *chain {
	c := &chain{}
	for i := 0; ; i++ {
		name := fmt.Sprintf("chain-%d", i)
		if _, err := os.Lstat(filepath.Join(r.directory, name+".record")); err != nil || i == chainMax {
			break
		}
		record, text := r.file(name+".record"), r.file(name+".proof")
		if r.err != nil {
			return nil
		}
		p, err := readProof(string(text), logProof, true)
		if err != nil {
			r.fail("%s.proof: %w", name, err)
			return nil
		}
		c.links = append(c.links, link{p.index, name, record})
	}
	if len(c.links) > 0 {
		if err := c.follow(r.vkey); err != nil {
			r.fail("%s", err)
		}
	}
	return c
}

// follow goes from key to key, each of which signed for the next; the verifier key has to be one.
func (c *chain) follow(v *verifierKey) error {
	var origin string
	var last key
	var isKnown bool
	var id [32]byte
	for i, l := range c.links {
		if len(l.record) < 2 || len(l.record) > recordMax || i > 0 && l.index <= c.links[i-1].index {
			return fmt.Errorf("%s.record is no record, or not in its place", l.name)
		}
		switch {
		case l.record[0] == recordGenesis:
			g, err := readGenesis(l.record)
			if err != nil {
				return fmt.Errorf("%s.record: %w", l.name, err)
			}
			if int64(g.oldSize) != l.index || i > 0 && g.oldOrigin != origin {
				return fmt.Errorf("%s.record does not go on from the ledger before it", l.name)
			}
			origin, last, id = g.origin, g.ledgerKey, keyID(g.origin, g.ledgerKey)
			c.ids, isKnown = append(c.ids, chainID{l.index, id}), false
		case i == 0 || l.record[0] != recordOrder:
			return fmt.Errorf("%s.record is no genesis and no change of key", l.name)
		default:
			o, err := readOrder(l.record)
			if err == nil && o.kind != kindRotateKey {
				err = fmt.Errorf("a %s is no change of key", kindNames[o.kind])
			}
			if err == nil {
				last, err = readRotation(o, id, last)
			}
			if err != nil {
				return fmt.Errorf("%s.record: %w", l.name, err)
			}
		}
		isKnown = isKnown || origin == v.origin && last == v.public
	}
	if !isKnown {
		return fmt.Errorf("the verifier key is none of those that lead to the head")
	}
	var err error
	c.last, err = newVerifierKey(origin, last)
	return err
}

// idAt is the ledger id for which the batches after a seal were signed.
func (c *chain) idAt(seal int64) (id [32]byte) {
	for _, x := range c.ids {
		if x.index < seal {
			id = x.id
		}
	}
	return id
}

// proveChain shows that each of the records is in the ledger under the receipt's head.
func (r *receipt) proveChain(c *chain, checkpoint string) {
	for _, l := range c.links {
		p, _ := r.inLedger(l.name+".proof", "key", l.record)
		if r.err == nil && p.checkpoint != checkpoint {
			r.fail("%s is proven under another head", l.name)
		}
	}
}
