// SPDX-License-Identifier: Apache-2.0

// A receipt, a directory as timebank-receipt(5) says: that an order is in the ledger, and that its
// author signed it.
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const fileMax = 1 << 20

// readSmall reads a file that somebody else made.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > fileMax {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, fileMax)
	}
	return os.ReadFile(path)
}

type receipt struct {
	directory string
	vkey      *verifierKey
	signer    *verifierKey // of the head: the same, or one that came after it
	ledgerID  [32]byte     // for which the batch was signed
	lines     []string
	err       error
}

// file is a file's bytes; after a first failure nothing is read any more.
func (r *receipt) file(name string) []byte {
	if r.err != nil {
		return nil
	}
	var data []byte
	data, r.err = readSmall(filepath.Join(r.directory, name))
	return data
}

func (r *receipt) fail(format string, a ...interface{}) {
	if r.err == nil {
		r.err = fmt.Errorf(format, a...)
	}
}

func (r *receipt) say(format string, a ...interface{}) {
	if r.err == nil {
		r.lines = append(r.lines, fmt.Sprintf(format, a...))
	}
}

// inLedger checks that a record stands in the ledger under the head of its proof.
func (r *receipt) inLedger(name, what string, record []byte) (*proof, *head) {
	text := r.file(name)
	if r.err != nil {
		return nil, nil
	}
	p, err := readProof(string(text), logProof, true)
	if err != nil {
		r.fail("%s: %w", name, err)
		return nil, nil
	}
	h, err := readHead([]byte(p.checkpoint), r.signer)
	if err != nil {
		r.fail("%s: %w", name, err)
		return nil, nil
	}
	if p.extra != nil && !bytes.Equal(p.extra, record) {
		r.fail("%s: its extra line is not the record", name)
	}
	if err := tlog.CheckRecord(p.path, h.size, h.root, p.index, tlog.RecordHash(record)); err != nil {
		r.fail("%s: %w", name, err)
	}
	r.say("%s %d: in the ledger under a head of %d records", what, p.index, h.size)
	return p, h
}

// inBatch checks that the order is one of those whose root the author signed.
func (r *receipt) inBatch(h *header, record []byte) int64 {
	text := r.file("batch.proof")
	if r.err != nil {
		return 0
	}
	p, err := readProof(string(text), batchProof, false)
	if err != nil {
		r.fail("batch.proof: %w", err)
		return 0
	}
	if err := tlog.CheckRecord(p.path, int64(h.n), h.ordersRoot, p.index, tlog.RecordHash(record)); err != nil {
		r.fail("batch.proof: %w", err)
	}
	r.say("batch: the order is number %d of the %d that its author signed", p.index+1, h.n)
	return p.index
}

// readArmour takes the signature out of what ssh-keygen -Y sign writes, and makes sure that it is
// written in no other way: 70 columns, the author's key, the namespace, SHA-512.
func readArmour(text []byte, author key) ([]byte, error) {
	const begin, end = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"
	s := string(text)
	if !strings.HasPrefix(s, begin) || !strings.HasSuffix(s, end) || len(s) < len(begin)+len(end) {
		return nil, errors.New("not the armour of an SSH signature")
	}
	body := s[len(begin) : len(s)-len(end)]
	blob, err := strictBase64.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		return nil, errors.New("the armour is not in base64")
	}
	const n = 64
	if len(blob) < n {
		return nil, errors.New("the signature is too short")
	}
	signature := blob[len(blob)-n:]
	public := append(lengthed([]byte("ssh-ed25519")), lengthed(author[:])...)
	want := append([]byte("SSHSIG\x00\x00\x00\x01"), lengthed(public)...)
	for _, field := range []string{"timebank-batch", "", "sha512"} {
		want = append(want, lengthed([]byte(field))...)
	}
	want = append(want, lengthed(append(lengthed([]byte("ssh-ed25519")), lengthed(signature)...))...)
	if !bytes.Equal(blob, want) {
		return nil, errors.New("the signature is not by the header's author, or not of a batch")
	}
	text64 := base64.StdEncoding.EncodeToString(want)
	armour := begin
	for len(text64) > 70 {
		armour, text64 = armour+text64[:70]+"\n", text64[70:]
	}
	if armour+text64+"\n"+end != s {
		return nil, errors.New("the armour is not in lines of 70 columns")
	}
	return signature, nil
}

// readPublic takes the one line of an OpenSSH public key, its comment being anything.
func readPublic(line []byte) (k key, err error) {
	words := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 3)
	want := lengthed([]byte("ssh-ed25519"))
	if len(words) < 2 || words[0] != "ssh-ed25519" || strings.Contains(strings.Join(words, " "), "\n") {
		return k, errors.New("not a line of an ssh-ed25519 public key")
	}
	blob, err := strictBase64.DecodeString(words[1])
	if err != nil || len(blob) != len(want)+4+len(k) {
		return k, errors.New("not an ssh-ed25519 public key")
	}
	copy(k[:], blob[len(blob)-len(k):])
	if !bytes.Equal(blob, append(want, lengthed(k[:])...)) {
		return k, errors.New("not an ssh-ed25519 public key")
	}
	return k, nil
}

func (r *receipt) checkAuthor(h *header, seal *header) {
	armour, public := r.file("batch.sig"), r.file("author.pub")
	if r.err != nil {
		return
	}
	signature, err := readArmour(armour, h.author)
	if err != nil {
		r.fail("batch.sig: %w", err)
		return
	}
	k, err := readPublic(public)
	if err != nil || k != h.author {
		r.fail("author.pub is not the key of the header's author")
		return
	}
	if !h.isSigned(signature) {
		r.fail("batch.sig: the author's signature does not hold")
	}
	if !bytes.Equal(signature, seal.signature) {
		r.fail("batch.sig is not the signature in the seal")
	}
	r.say("author: %s signed the batch", publicLine(h.author))
}

func publicLine(k key) string {
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(
		append(lengthed([]byte("ssh-ed25519")), lengthed(k[:])...))
}

func (r *receipt) check() {
	record, sealRecord := r.file("entry.record"), r.file("seal.record")
	if r.err != nil {
		return
	}
	if len(record) < 2 || len(record) > recordMax || record[0] != recordOrder {
		r.fail("entry.record is no order")
		return
	}
	o, err := readOrder(record)
	if err != nil {
		r.fail("entry.record: %w", err)
		return
	}
	r.signer, r.ledgerID = r.vkey, keyID(r.vkey.origin, r.vkey.public)
	keys := r.readChain()
	if r.err != nil {
		return
	}
	if keys.last != nil {
		r.signer = keys.last
	}
	entry, h := r.inLedger("entry.proof", "entry", record)
	seal, sealHead := r.inLedger("seal.proof", "seal", sealRecord)
	if r.err != nil {
		return
	}
	if *h != *sealHead || entry.checkpoint != seal.checkpoint {
		r.fail("entry and seal are proven under different heads")
	}
	if r.proveChain(keys, entry.checkpoint); keys.last != nil {
		r.ledgerID = keys.idAt(seal.index)
	}
	sealed, err := readSeal(sealRecord)
	if err != nil {
		r.fail("seal.record: %w", err)
		return
	}
	if sealed.pinSize > uint64(seal.index) {
		r.fail("the author had seen more records than stand before the seal")
	}
	r.checkBatch(record, sealed, entry.index-seal.index-1)
	r.say("order: %s", o.sentence())
	r.say("received: %s", timeText(sealed.receivedMs))
}

// checkBatch checks what the author signed; place is where the ledger has the order in the batch.
func (r *receipt) checkBatch(record []byte, sealed *header, place int64) {
	headerFile := r.file("batch.header")
	if r.err != nil {
		return
	}
	h, err := readHeader(headerFile)
	if err != nil {
		r.fail("batch.header: %w", err)
		return
	}
	if !bytes.Equal(h.bytes, sealed.bytes) {
		r.fail("batch.header is not the header in the seal")
		return
	}
	if h.ledgerID != r.ledgerID {
		r.fail("the batch was signed for another ledger than that of the verifier key")
	}
	if p := r.inBatch(h, record); p != place {
		r.fail("the order's place in the batch is not its place after the seal")
	}
	r.checkAuthor(h, sealed)
	if h.notAfterMs != 0 && sealed.receivedMs > h.notAfterMs {
		r.fail("the batch was received after its author's time limit")
	}
}

func checkReceipt(directory string, v *verifierKey) *result {
	r := &receipt{directory: directory, vkey: v}
	r.check()
	done := &result{Checks: r.lines}
	if r.err != nil {
		done.problem("%s", r.err)
	}
	done.NotChecked = []string{
		"that the author's key had the right to record this then: that takes the whole ledger",
		"that no other entry says the same, and what balances came of it",
	}
	return done
}
