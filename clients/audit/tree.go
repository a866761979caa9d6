// SPDX-License-Identifier: Apache-2.0

// The two trees: the log's, kept whole so that the root at every size can be had, and that of the
// account states, of which only what changed is hashed again.
package main

import "golang.org/x/mod/sumdb/tlog"

// hashStore holds the hashes that sumdb/tlog keeps of a log, in memory.
type hashStore []tlog.Hash

func (s hashStore) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		hashes[i] = s[x]
	}
	return hashes, nil
}

func (s *hashStore) add(n int64, leaf tlog.Hash) error {
	hashes, err := tlog.StoredHashesForRecordHash(n, leaf, *s)
	*s = append(*s, hashes...)
	return err
}

func (s hashStore) root(size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, s)
}

// rootOf is the root over a few leaves.
func rootOf(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// leafTree is a tree whose leaves change: level 0 has the leaves, level l the roots of whole 2^l.
type leafTree struct {
	levels [][]tlog.Hash
}

// set puts leaf i, which is at most one past the last.
func (t *leafTree) set(i int, leaf tlog.Hash) {
	for l := 0; ; l++ {
		if l == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		level := &t.levels[l]
		if i == len(*level) {
			*level = append(*level, leaf)
		} else {
			(*level)[i] = leaf
		}
		if i|1 >= len(*level) { // the other of the two is not there yet
			return
		}
		leaf = tlog.NodeHash((*level)[i&^1], (*level)[i|1])
		i /= 2
	}
}

func (t *leafTree) root() tlog.Hash {
	var root tlog.Hash
	isFirst := true
	for _, level := range t.levels {
		if len(level)%2 == 0 {
			continue
		}
		if last := level[len(level)-1]; isFirst {
			root, isFirst = last, false
		} else {
			root = tlog.NodeHash(last, root)
		}
	}
	return root
}
