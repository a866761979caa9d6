// SPDX-License-Identifier: Apache-2.0

// Protobuf in the one form that timebank-ledger(5), CANONICAL FORM, takes: a reader that insists on
// it, so that whatever was read would be written again with the same bytes.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

type fieldKind int

const (
	isUint32 fieldKind = iota
	isUint64
	isSint64
	isBool
	isEnum
	isBytes
	isString
	isMessage
)

// field is one line of a message in timebank.proto.
type field struct {
	number   int
	name     string
	kind     fieldKind
	repeated bool
	oneof    string  // name of the oneof, or empty
	most     uint64  // of an enum: its highest number, all from 0 being named
	message  *schema // of a message
}

// schema is a message: its fields in ascending number.
type schema struct {
	name   string
	fields []field
}

// value is a field that was there: a number, bytes, a list of either, or a message.
type value struct {
	number  uint64
	data    []byte
	numbers []uint64
	list    [][]byte
	message message
}

// message holds what was there by field number.
type message map[int]*value

var errNotCanonical = errors.New("not in canonical form")

func notCanonical(s *schema, what string) error {
	return fmt.Errorf("%w: %s: %s", errNotCanonical, s.name, what)
}

// varint reads one in the fewest bytes; n is 0 where there is none.
func varint(b []byte) (x uint64, n int) {
	for i := 0; i < len(b) && i < 10; i++ {
		x |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 || i == 9 && b[i] > 1 {
				return 0, 0
			}
			return x, i + 1
		}
	}
	return 0, 0
}

func (s *schema) find(number uint64) *field {
	for i := range s.fields {
		if uint64(s.fields[i].number) == number {
			return &s.fields[i]
		}
	}
	return nil
}

// read takes a whole message apart.
func (s *schema) read(b []byte) (message, error) {
	m := message{}
	last := uint64(0)
	chosen := map[string]bool{}
	for len(b) > 0 {
		tag, n := varint(b)
		if n == 0 || tag>>3 > 1<<29-1 {
			return nil, notCanonical(s, "a tag is not a shortest varint")
		}
		b = b[n:]
		f := s.find(tag >> 3)
		if f == nil {
			return nil, notCanonical(s, fmt.Sprintf("field %d is not known", tag>>3))
		}
		if tag>>3 < last || tag>>3 == last && !(f.repeated && f.isLengthed()) {
			return nil, notCanonical(s, f.name+" stands twice, or after a later field")
		}
		last = tag >> 3
		if f.oneof != "" {
			if chosen[f.oneof] {
				return nil, notCanonical(s, "two of "+f.oneof)
			}
			chosen[f.oneof] = true
		}
		if m[f.number] == nil {
			m[f.number] = &value{}
		}
		var err error
		b, err = f.read(s, int(tag&7), b, m[f.number])
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (f *field) isLengthed() bool {
	return f.kind == isBytes || f.kind == isString || f.kind == isMessage
}

// read puts one occurrence into v and returns what follows it.
func (f *field) read(s *schema, wire int, b []byte, v *value) ([]byte, error) {
	want := 0
	if f.isLengthed() || f.repeated {
		want = 2
	}
	if wire != want {
		return nil, notCanonical(s, f.name+" is of another wire type")
	}
	x, n := varint(b)
	if n == 0 {
		return nil, notCanonical(s, f.name+" is not a shortest varint")
	}
	b = b[n:]
	if want == 0 {
		v.number = x
		if x == 0 && f.oneof == "" {
			return nil, notCanonical(s, f.name+" is at its default")
		}
		return b, f.checkNumber(s, x)
	}
	if x > uint64(len(b)) {
		return nil, notCanonical(s, f.name+" is longer than the message")
	}
	data, rest := b[:x], b[x:]
	if !f.isLengthed() {
		return rest, f.readPacked(s, data, v)
	}
	if x == 0 && !f.repeated && f.oneof == "" {
		return nil, notCanonical(s, f.name+" is empty")
	}
	return rest, f.readData(s, data, v)
}

func (f *field) checkNumber(s *schema, x uint64) error {
	switch {
	case f.kind == isUint32 && x > 1<<32-1, f.kind == isBool && x > 1, f.kind == isEnum && x > f.most:
		return notCanonical(s, fmt.Sprintf("%s cannot be %d", f.name, x))
	}
	return nil
}

func (f *field) readPacked(s *schema, data []byte, v *value) error {
	if len(data) == 0 {
		return notCanonical(s, f.name+" is an empty list")
	}
	for len(data) > 0 {
		x, n := varint(data)
		if n == 0 {
			return notCanonical(s, f.name+" is not a list of shortest varints")
		}
		if err := f.checkNumber(s, x); err != nil {
			return err
		}
		v.numbers = append(v.numbers, x)
		data = data[n:]
	}
	return nil
}

func (f *field) readData(s *schema, data []byte, v *value) error {
	if f.kind == isString && (!utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0) {
		return notCanonical(s, f.name+" is no text")
	}
	if f.kind == isMessage {
		m, err := f.message.read(data)
		v.message = m
		return err
	}
	if f.repeated {
		v.list = append(v.list, data)
	} else {
		v.data = data
	}
	return nil
}

func (m message) number(n int) uint64 {
	if v := m[n]; v != nil {
		return v.number
	}
	return 0
}

func (m message) signed(n int) int64 {
	x := m.number(n)
	return int64(x>>1) ^ -int64(x&1)
}

func (m message) data(n int) []byte {
	if v := m[n]; v != nil {
		return v.data
	}
	return nil
}

func (m message) text(n int) string {
	return string(m.data(n))
}

func (m message) numbers(n int) []uint64 {
	if v := m[n]; v != nil {
		return v.numbers
	}
	return nil
}

func (m message) texts(n int) []string {
	v := m[n]
	if v == nil {
		return nil
	}
	texts := make([]string, len(v.list))
	for i, t := range v.list {
		texts[i] = string(t)
	}
	return texts
}
