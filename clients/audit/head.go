// SPDX-License-Identifier: Apache-2.0

// Verifier keys and signed heads: timebank-ledger(5), NAMES AND KEYS and HEADS.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var strictBase64 = base64.StdEncoding.Strict()

// verifierKey is origin+hhhhhhhh+base64(0x01 || public key).
type verifierKey struct {
	text     string
	origin   string
	public   key
	verifier note.Verifier
}

func readVerifierKey(text string) (*verifierKey, error) {
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("not a verifier key: %w", err)
	}
	parts := strings.SplitN(text, "+", 3)
	data, err := strictBase64.DecodeString(parts[2])
	if err != nil || len(data) != 1+ed25519.PublicKeySize || data[0] != 1 {
		return nil, errors.New("not a verifier key of an Ed25519 key")
	}
	v := &verifierKey{text: text, origin: parts[0], verifier: verifier}
	copy(v.public[:], data[1:])
	return v, nil
}

// keyID is the whole hash of which signatures carry the first four bytes.
func keyID(origin string, public key) [32]byte {
	return sha256.Sum256(append([]byte(origin+"\n\x01"), public[:]...))
}

// newVerifierKey is that of a key that is known already.
func newVerifierKey(origin string, public key) (*verifierKey, error) {
	id := keyID(origin, public)
	data := append([]byte{1}, public[:]...)
	return readVerifierKey(fmt.Sprintf("%s+%x+%s", origin, id[:4], strictBase64.EncodeToString(data)))
}

type head struct {
	origin string
	size   int64
	root   tlog.Hash
}

// readHead takes a checkpoint that the key signed, and no other bytes than it would be written with.
func readHead(text []byte, v *verifierKey) (*head, error) {
	n, err := note.Open(text, note.VerifierList(v.verifier))
	if err != nil {
		return nil, fmt.Errorf("the head is not signed by %s: %w", v.origin, err)
	}
	if err := checkSignatureLines(n, string(text)); err != nil {
		return nil, err
	}
	h, err := readHeadText(n.Text)
	if err != nil {
		return nil, err
	}
	if h.origin != v.origin {
		return nil, fmt.Errorf("the head is of %s, not of %s", h.origin, v.origin)
	}
	return h, nil
}

func readHeadText(text string) (*head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return nil, errors.New("the head has not three lines")
	}
	size, err := readDecimal(lines[1])
	if err != nil || size < 1 {
		return nil, errors.New("the head's second line is no number of records")
	}
	root, err := readHash(lines[2])
	if err != nil {
		return nil, fmt.Errorf("the head's root: %w", err)
	}
	return &head{lines[0], size, root}, nil
}

// checkSignatureLines refuses what Go's base64 passes over, and two signatures by one key.
func checkSignatureLines(n *note.Note, text string) error {
	if !strings.HasPrefix(text, n.Text+"\n") || len(n.Sigs) != 1 {
		return errors.New("the head has not one signature by the ledger's key")
	}
	lines := strings.SplitAfter(strings.TrimPrefix(text, n.Text+"\n"), "\n")
	own := 0
	for _, line := range lines[:len(lines)-1] {
		words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(words) != 3 || words[0] != "\u2014" {
			return errors.New("a line of the head is no signature")
		}
		data, err := strictBase64.DecodeString(words[2])
		if err != nil || len(data) < 5 {
			return errors.New("a signature of the head is not in base64")
		}
		if words[1] == n.Sigs[0].Name && binary.BigEndian.Uint32(data) == n.Sigs[0].Hash {
			own++
		}
	}
	if own != 1 {
		return errors.New("the head has not one signature by the ledger's key")
	}
	return nil
}

func readDecimal(text string) (int64, error) {
	x, err := strconv.ParseInt(text, 10, 64)
	if err != nil || x < 0 || strconv.FormatInt(x, 10) != text {
		return 0, fmt.Errorf("%q is no decimal number", text)
	}
	return x, nil
}

func readHash(text string) (h tlog.Hash, err error) {
	data, err := strictBase64.DecodeString(text)
	if err != nil || len(data) != len(h) || strictBase64.EncodeToString(data) != text {
		return h, fmt.Errorf("%q is no hash in base64", text)
	}
	copy(h[:], data)
	return h, nil
}
