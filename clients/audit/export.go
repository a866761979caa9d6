// SPDX-License-Identifier: Apache-2.0

// An export, a directory of C2SP tlog-tiles: its head, its records if it has them, and every tile
// compared with what the records, or the lowest tiles, say that it is.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight   = 8
	tileWidth    = 1 << tileHeight
	entriesLevel = -1 // as Go has it
)

type export struct {
	directory  string
	checkpoint []byte
	head       *head
	hashes     hashStore
	records    [][]byte // none without entries
	hasEntries bool
}

// tilePath is C2SP's: Go's own names the height too, and calls the records data.
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), "tile/8/")
	if t.L == entriesLevel {
		path = "entries/" + strings.TrimPrefix(path, "data/")
	}
	return "tile/" + path
}

func parseTilePath(path string) (tlog.Tile, error) {
	rest := strings.TrimPrefix(path, "tile/")
	if strings.HasPrefix(rest, "entries/") {
		rest = "data/" + strings.TrimPrefix(rest, "entries/")
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err == nil && tilePath(t) != path {
		err = errors.New("not a tile's path")
	}
	return t, err
}

// tileOf is the tile n of a level in a tree of size, cut where the tree ends.
func tileOf(level int, n, size int64) tlog.Tile {
	if level > 0 {
		size >>= tileHeight * uint(level)
	}
	width := size - n*tileWidth // 0 or less: there is none
	if width > tileWidth {
		width = tileWidth
	}
	return tlog.Tile{H: tileHeight, L: level, N: n, W: int(width)}
}

// readTile reads a tile; of one that was cut also a longer one will do, whose begin is the same.
func (x *export) readTile(t tlog.Tile) ([]byte, error) {
	data, err := readTileFile(filepath.Join(x.directory, tilePath(t)))
	if errors.Is(err, fs.ErrNotExist) && t.W < tileWidth {
		whole := t
		whole.W = tileWidth
		if more, other := readTileFile(filepath.Join(x.directory, tilePath(whole))); other == nil {
			data, err = more, nil
		}
	}
	return data, err
}

func readTileFile(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > tileWidth*(2+recordMax) {
		return nil, fmt.Errorf("%s is no tile", path)
	}
	return os.ReadFile(path)
}

// cutEntries takes a bundle apart, each record with its length before it in two bytes.
func cutEntries(data []byte, n int) ([][]byte, error) {
	var records [][]byte
	for len(records) < n {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("the bundle ends within a record")
		}
		size := int(binary.BigEndian.Uint16(data))
		if size < 1 || size > recordMax {
			return nil, fmt.Errorf("a record of %d bytes", size)
		}
		records = append(records, data[2:2+size])
		data = data[2+size:]
	}
	return records, nil
}

// openExport reads head and leaves: of the records where they are there, else of the lowest tiles.
// It fails where there is no way to go on; that the head is signed is for checkHead to say.
func openExport(directory string) (*export, error) {
	x := &export{directory: directory}
	var err error
	if x.checkpoint, err = readSmall(filepath.Join(directory, "checkpoint")); err != nil {
		return x, err
	}
	text, _, found := strings.Cut(string(x.checkpoint), "\n\n")
	if !found {
		return x, errors.New("checkpoint is no signed head")
	}
	if x.head, err = readHeadText(text + "\n"); err != nil {
		return x, err
	}
	if _, err := os.Stat(filepath.Join(directory, "tile", "entries")); err == nil {
		x.hasEntries = true
	}
	for n := int64(0); n*tileWidth < x.head.size; n++ {
		if err := x.readLeaves(n); err != nil {
			return x, err
		}
	}
	return x, nil
}

// checkHead looks that the verifier key signed the head, or the last of those that came after it.
func (x *export) checkHead(v *verifierKey, r *result) error {
	signer := v
	if followers := x.followers(v); len(followers) > 0 {
		signer = followers[len(followers)-1]
		r.say("key: the verifier key was followed by %s", signer.text)
	}
	_, err := readHead(x.checkpoint, signer)
	return err
}

// followers are the keys that came after one, each signed for by the one before.
func (x *export) followers(v *verifierKey) []*verifierKey {
	var id [32]byte
	var keys []*verifierKey
	last := v.public
	for _, record := range x.records {
		if record[0] == recordGenesis {
			if g, err := readGenesis(record); err == nil {
				id = keyID(g.origin, g.ledgerKey)
			}
		}
		if record[0] != recordOrder {
			continue
		}
		o, err := readOrder(record)
		if err != nil || o.kind != kindRotateKey {
			continue
		}
		k, err := readRotation(o, id, last)
		if err != nil {
			continue
		}
		if next, err := newVerifierKey(v.origin, k); err == nil {
			keys, last = append(keys, next), k
		}
	}
	return keys
}

func (x *export) readLeaves(n int64) error {
	level := 0
	if x.hasEntries {
		level = entriesLevel
	}
	t := tileOf(level, n, x.head.size)
	data, err := x.readTile(t)
	if err != nil {
		return err
	}
	if !x.hasEntries && len(data) < t.W*tlog.HashSize {
		return fmt.Errorf("%s is too short", tilePath(t))
	}
	var records [][]byte
	if x.hasEntries {
		if records, err = cutEntries(data, t.W); err != nil {
			return fmt.Errorf("%s: %w", tilePath(t), err)
		}
		x.records = append(x.records, records...)
	}
	for i := 0; i < t.W; i++ {
		var leaf tlog.Hash
		if x.hasEntries {
			leaf = tlog.RecordHash(records[i])
		} else {
			copy(leaf[:], data[i*tlog.HashSize:])
		}
		if err := x.hashes.add(n*tileWidth+int64(i), leaf); err != nil {
			return err
		}
	}
	return nil
}

// checkTiles compares every file below tile/ with the tree, and looks that none is missing.
func (x *export) checkTiles(r *result) {
	r.Records, r.Origin = x.head.size, x.head.origin
	root, err := x.hashes.root(x.head.size)
	if err != nil || root != x.head.root {
		r.problem("the records do not have the root of the head")
	} else {
		r.say("head: %s, %d records, root %s", x.head.origin, x.head.size, x.head.root)
	}
	n := 0
	err = filepath.WalkDir(filepath.Join(x.directory, "tile"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(x.directory, path)
		if err == nil {
			n++
			x.checkTile(filepath.ToSlash(name), r)
		}
		return err
	})
	if err != nil {
		r.problem("%s", err)
	}
	for level := 0; x.head.size>>(tileHeight*uint(level)) > 0; level++ {
		for n := int64(0); tileOf(level, n, x.head.size).W > 0; n++ {
			if _, err := x.readTile(tileOf(level, n, x.head.size)); err != nil {
				r.problem("%s", err)
			}
		}
	}
	r.say("tiles: %d files agree with the tree", n)
}

// checkExtends proves that a head which was seen before is the beginning of this one.
func (x *export) checkExtends(v *verifierKey, r *result) {
	text, err := readSmall(since)
	if err != nil {
		r.problem("%s", err)
		return
	}
	old, err := readHead(text, v)
	if err != nil {
		r.problem("%s: %s", since, err)
		return
	}
	if old.size > x.head.size {
		r.problem("the ledger went back: %s was of %d records", since, old.size)
		return
	}
	path, err := tlog.ProveTree(x.head.size, old.size, x.hashes)
	if err == nil {
		err = tlog.CheckTree(path, x.head.size, x.head.root, old.size, old.root)
	}
	if err != nil {
		r.problem("the head does not extend %s of %d records, which the same key signed: keep both", since, old.size)
		return
	}
	r.say("since: it extends a head of %d records", old.size)
}

func (x *export) checkTile(name string, r *result) {
	t, err := parseTilePath(name)
	if err != nil {
		r.NotChecked = append(r.NotChecked, name+", which is no tile's name")
		return
	}
	last := t.N*tileWidth + int64(t.W)
	if t.L > 0 {
		last <<= tileHeight * uint(t.L)
	}
	if t.L > 6 || last > x.head.size {
		r.NotChecked = append(r.NotChecked, name+", which lies beyond the head")
		return
	}
	data, err := readTileFile(filepath.Join(x.directory, filepath.FromSlash(name)))
	if err != nil {
		r.problem("%s", err)
		return
	}
	var want []byte
	if t.L == entriesLevel {
		for _, record := range x.records[t.N*tileWidth : last] {
			want = binary.BigEndian.AppendUint16(want, uint16(len(record)))
			want = append(want, record...)
		}
	} else if want, err = tlog.ReadTileData(t, x.hashes); err != nil {
		r.problem("%s: %s", name, err)
		return
	}
	switch {
	case bytes.Equal(data, want):
	case t.L == 0 && x.hasEntries:
		r.problem("%s does not have the hashes of the records in %s", name,
			tilePath(tlog.Tile{H: tileHeight, L: entriesLevel, N: t.N, W: t.W}))
	default:
		r.problem("%s is not what the tree has there", name)
	}
}
