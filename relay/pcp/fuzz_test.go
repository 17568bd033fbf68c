package pcp_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"testing"

	"relay/relay/pcp"
)

// FuzzRead reads whatever there is, and what can be read is written and read again.
func FuzzRead(f *testing.F) {
	var all []byte
	for _, name := range slices.Sorted(maps.Keys(golden)) {
		f.Add(golden[name].atom)
		all = append(all, golden[name].atom...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := pcp.NewReader(bytes.NewReader(b))
		for {
			a, err := r.Next()
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return
			}
			if err != nil {
				if _, ok := errors.AsType[*pcp.Error](err); !ok {
					t.Fatal(err)
				}
				return
			}
			n := 0
			for range a.Children() {
				n++
			}
			if n > pcp.MaxKids {
				t.Fatalf("%d children", n)
			}
			again(t, a)
		}
	})
}

// again writes what was parsed, which must give the same when it is parsed.
func again(t *testing.T, a pcp.Atom) {
	t.Helper()
	check := func(v any, err error, wire []byte) {
		if err != nil {
			return
		}
		if got, err := parse(wire); err != nil || !reflect.DeepEqual(got, v) {
			t.Fatalf("%+v, %v; want %+v", got, err, v)
		}
	}
	switch a.Name {
	case pcp.NameHelo:
		v, err := pcp.ParseHelo(a)
		check(v, err, v.Append(nil))
	case pcp.NameOleh:
		v, err := pcp.ParseOleh(a)
		if v.Remote.IsValid() {
			check(v, err, v.Append(nil))
		}
	case pcp.NameHost:
		v, err := pcp.ParseHost(a)
		v.UpstreamHops = 0 // is only written with an address
		if v.Upstream.IsValid() {
			check(v, err, v.Append(nil))
		}
	case pcp.NameChan:
		v, err := pcp.ParseChan(a)
		if v.Packet == nil || v.Packet.Kind != pcp.Other && v.Packet.Data != nil {
			check(v, err, v.Append(nil))
		}
	case pcp.NameBcst:
		pcp.ParseBcst(a)
	case pcp.NameQuit:
		pcp.ParseQuit(a)
	case pcp.NamePush:
		pcp.ParsePush(a)
	case pcp.NameRoot:
		pcp.ParseRoot(a)
	}
}
