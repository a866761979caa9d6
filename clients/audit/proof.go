// SPDX-License-Identifier: Apache-2.0

// Proofs as files: C2SP's tlog-proof, and the place of an order in its batch.
package main

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	index      int64
	path       []tlog.Hash
	extra      []byte
	checkpoint string
}

// takeLine cuts the first line off, newline included.
func takeLine(text *string) (string, error) {
	line, rest, found := strings.Cut(*text, "\n")
	if !found {
		return "", errors.New("the proof ends within a line")
	}
	*text = rest
	return line, nil
}

// readProof takes a proof under a first line; only a tlog-proof has an extra line and a checkpoint.
func readProof(text, first string, isLog bool) (*proof, error) {
	p := &proof{}
	line, err := takeLine(&text)
	if err != nil || line != first {
		return nil, fmt.Errorf("the first line is not %s", first)
	}
	if line, err = takeLine(&text); err != nil {
		return nil, err
	}
	if isLog && strings.HasPrefix(line, "extra ") {
		p.extra, err = strictBase64.DecodeString(strings.TrimPrefix(line, "extra "))
		if err != nil || strings.ContainsRune(line, '\r') {
			return nil, errors.New("what is extra is not in base64")
		}
		if line, err = takeLine(&text); err != nil {
			return nil, err
		}
	}
	if !strings.HasPrefix(line, "index ") {
		return nil, errors.New("the line of the index is missing")
	}
	if p.index, err = readDecimal(strings.TrimPrefix(line, "index ")); err != nil {
		return nil, err
	}
	for text != "" {
		if line, err = takeLine(&text); err != nil {
			return nil, err
		}
		if line == "" && isLog {
			p.checkpoint = text
			return p, nil
		}
		hash, err := readHash(line)
		if err != nil {
			return nil, err
		}
		p.path = append(p.path, hash)
	}
	if isLog {
		return nil, errors.New("the head is missing")
	}
	return p, nil
}

const (
	logProof   = "c2sp.org/tlog-proof@v1"
	batchProof = "timebank-batch-proof@v1"
)
