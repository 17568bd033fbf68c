package wire_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"testing"

	"relay/relay/stream"
	"relay/relay/wire"
)

func FuzzParse(f *testing.F) {
	frames := fixedMaker().frames()
	for _, name := range slices.Sorted(maps.Keys(frames)) {
		f.Add(wire.Append(nil, frames[name]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := wire.Parse(b)
		if err != nil {
			if frame != nil || !ours(err) {
				t.Fatalf("%v, %v", frame, err)
			}
			return
		}
		again := wire.Append(nil, frame)
		if !bytes.Equal(again, b) {
			t.Fatalf("%+v\n is %x\nfrom %x", frame, again, b)
		}
		if second, err := wire.Parse(again); err != nil || !reflect.DeepEqual(second, frame) {
			t.Fatalf("%+v, %v; want %+v", second, err, frame)
		}
	})
}

func FuzzReader(f *testing.F) {
	sides := []wire.Side{wire.Parent, wire.Child, wire.Stranger}
	from, frames := senders(f), fixedMaker().frames()
	for i, side := range sides {
		var b []byte
		for _, name := range slices.Sorted(maps.Keys(frames)) {
			if slices.Contains(from[name], side) {
				b = wire.Append(b, frames[name])
			}
		}
		f.Add(byte(i), b)
	}
	f.Fuzz(func(t *testing.T, side byte, b []byte) {
		r := wire.NewReader(bytes.NewReader(b), sides[int(side)%len(sides)])
		var again []byte
		for {
			frame, err := r.Next()
			if err == nil {
				again = wire.Append(again, frame)
				continue
			}
			if frame != nil || err != io.EOF && err != io.ErrUnexpectedEOF && !ours(err) {
				t.Fatalf("%v, %v", frame, err)
			}
			if !bytes.HasPrefix(b, again) || err == io.EOF && len(again) != len(b) {
				t.Fatalf("frames are %x\nfrom %x", again, b)
			}
			return
		}
	})
}

// ours reports whether an error is one that Next and Parse name.
func ours(err error) bool {
	return slices.ContainsFunc([]error{
		wire.ErrFrame, wire.ErrNotDue, wire.ErrVersion, stream.ErrFrame, stream.ErrVersion,
	}, func(e error) bool { return errors.Is(err, e) })
}
