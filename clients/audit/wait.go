// SPDX-License-Identifier: Apache-2.0

// What waits for somebody or for a time, and what falls due: timebank-ledger(5), Event.
package main

import "container/heap"

const dayMs = 86_400_000

// waiting is something that an order opened and that is not over.
type waiting struct {
	what     int
	id       orderID // of the order that opened it
	number   int64   // of the record that opened it
	author   *right
	minutes  uint64
	dueMs    uint64 // 0: no time
	isOver   bool
	fell     bool   // over, and never took effect
	taken    uint64 // of a hold: captured
	about    *entry // itself, or the entry disputed
	from, to *account
	serials  [2]uint64 // of vouchers: the first, and one past the last
}

const (
	waitsGift = iota + 1
	waitsClaim
	waitsApproval
	waitsHold
	waitsDispute
	waitsVouchers
	waitsPledge
	waitsLeave
	waitsConflict
)

// isProposal says whether it waits for somebody's word.
func (w *waiting) isProposal() bool {
	return w != nil && (w.what == waitsGift || w.what == waitsClaim || w.what == waitsApproval)
}

// due is a time at which a waiting that may be over by then was to fall due.
type due struct {
	ms      uint64
	waiting *waiting
}

type dueHeap []due

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	return h[i].ms < h[j].ms || h[i].ms == h[j].ms && h[i].waiting.number < h[j].waiting.number
}
func (h dueHeap) Swap(i, j int)       { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x interface{}) { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() interface{} {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (h *dueHeap) add(w *waiting) {
	if w.dueMs > 0 {
		heap.Push(h, due{w.dueMs, w})
	}
}

// first is what falls due next, or nil; what is over leaves.
func (h *dueHeap) first() *waiting {
	for len(*h) > 0 {
		if first := (*h)[0]; !first.waiting.isOver && first.waiting.dueMs == first.ms {
			return first.waiting
		}
		heap.Pop(h)
	}
	return nil
}
