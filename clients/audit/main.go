// SPDX-License-Identifier: Apache-2.0

// timebank-audit checks what a timebank hands out, written from timebank-ledger(5) and the other
// pages of the manual alone: it shares no line with the bank or with its library.
package main

import (
	"fmt"
	"os"
)

const usage = `Example:
  timebank-audit ledger export/ ely.example/timebank+980e18d3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4

usage: timebank-audit receipt DIR VERIFIER-KEY [--json]
       timebank-audit ledger DIR VERIFIER-KEY [--since HEAD] [--json]
       timebank-audit head FILE VERIFIER-KEY [--json]

receipt  checks a receipt of timebank receipt: its proofs and its author's signature.
ledger   checks an export of timebank ledger export: with --entries each record is replayed.
         With --since, that it extends a head that was seen before, a file.
head     checks a signed head.

Exits 0 if all that it says was checked holds, 1 if not, 2 if it cannot read, 64 for wrong usage.
`

// since names the file of a head that an export has to extend, if any.
var since string

var checks = map[string]func(string, *verifierKey) *result{
	"receipt": checkReceipt,
	"ledger":  checkLedger,
	"head":    checkHead,
}

func checkHead(file string, v *verifierKey) *result {
	r := &result{}
	text, err := readSmall(file)
	if err == nil {
		var h *head
		if h, err = readHead(text, v); err == nil {
			r.Origin, r.Records = h.origin, h.size
			r.say("head: %s, %d records, root %s", h.origin, h.size, h.root)
			r.NotChecked = []string{"whether it extends another head, and the records"}
			return r
		}
	}
	r.problem("%s", err)
	return r
}

func main() {
	var words []string
	asJSON := false
	for i := 1; i < len(os.Args); i++ {
		switch word := os.Args[i]; word {
		case "--since":
			if i++; i < len(os.Args) {
				since = os.Args[i]
			}
		case "--json":
			asJSON = true
		case "--help", "-h", "help":
			fmt.Print(usage)
			return
		default:
			words = append(words, word)
		}
	}
	if len(words) != 3 || checks[words[0]] == nil || since != "" && words[0] != "ledger" {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(64)
	}
	if _, err := os.Stat(words[1]); err != nil {
		fmt.Fprintf(os.Stderr, "timebank-audit: %s: name the directory or file to check\n", err)
		os.Exit(2)
	}
	v, err := readVerifierKey(words[2])
	if err != nil {
		fmt.Fprintf(os.Stderr, "timebank-audit: %s: copy it whole, as timebank status prints it\n", err)
		os.Exit(64)
	}
	r := checks[words[0]](words[1], v)
	r.print(os.Stdout, asJSON)
	if !r.Holds {
		os.Exit(1)
	}
}
