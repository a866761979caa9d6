// SPDX-License-Identifier: Apache-2.0

// What an audit found, for people and for programs.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

const problemsShown = 100

// result is what a check found; it holds if there are no problems.
type result struct {
	Holds      bool     `json:"holds"`
	Origin     string   `json:"origin,omitempty"`
	Records    int64    `json:"records,omitempty"`
	Replayed   int64    `json:"replayed_records,omitempty"`
	States     int64    `json:"states_compared,omitempty"`
	Entries    int64    `json:"entries,omitempty"`
	Events     int      `json:"events"`
	Accounts   int      `json:"accounts,omitempty"`
	Milli      int64    `json:"milliseconds,omitempty"`
	Checks     []string `json:"checks"`
	Problems   []string `json:"problems"`
	NotChecked []string `json:"not_checked"`

	nProblems int
}

func (r *result) problem(format string, a ...interface{}) {
	r.nProblems++
	if r.nProblems <= problemsShown {
		r.Problems = append(r.Problems, fmt.Sprintf(format, a...))
	}
}

func (r *result) say(format string, a ...interface{}) {
	r.Checks = append(r.Checks, fmt.Sprintf(format, a...))
}

func (r *result) print(w io.Writer, asJSON bool) {
	if r.nProblems > problemsShown {
		r.Problems = append(r.Problems, fmt.Sprintf("and %d more", r.nProblems-problemsShown))
	}
	r.Holds = r.nProblems == 0
	if asJSON {
		for _, list := range []*[]string{&r.Checks, &r.Problems, &r.NotChecked} {
			if *list == nil {
				*list = []string{}
			}
		}
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(r)
		return
	}
	for _, line := range r.Checks {
		fmt.Fprintln(w, line)
	}
	for _, line := range r.NotChecked {
		fmt.Fprintln(w, "not checked:", line)
	}
	for _, line := range r.Problems {
		fmt.Fprintln(w, "PROBLEM:", line)
	}
	if r.Holds {
		fmt.Fprintln(w, "0 problems")
	} else {
		fmt.Fprintf(w, "%d problem%s: do not rely on this; keep it, and ask the bank's steward\n",
			r.nProblems, plural(r.nProblems))
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func timeText(ms uint64) string {
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02 15:04:05.000 UTC")
}

func dayText(day uint32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format("2006-01-02")
}

// sentence says what an order asks for.
func (o *order) sentence() string {
	s := kindNames[o.kind]
	if o.minutes > 0 {
		s += fmt.Sprintf(" of %d minutes", o.minutes)
	}
	if o.from != "" {
		s += " from " + o.from
	}
	if o.to != "" {
		s += " to " + o.to
	}
	if o.activity != "" {
		s += ", " + o.activity
	}
	if o.serviceDay != 0 {
		s += ", on " + dayText(o.serviceDay)
	}
	return s
}
