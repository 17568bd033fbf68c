package browser

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// TestLargeInputCostsInProportion has records and hellos that are large in one way each: what is allocated may not grow
// faster than they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	rec := func(k kind, at uint64, data []byte) []byte {
		b := binary.BigEndian.AppendUint64([]byte{byte(k)}, at)
		b = append(b, data...)
		return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b)
	}
	many := func(n int, of func(i int) []byte) (b []byte) {
		for i := 0; len(b) < n; i++ {
			b = append(b, of(i)...)
		}
		return b
	}
	begin := slices.Concat(rec(pictureConfig, 0, []byte("\x01\x64\x00\x28\xff\xe1\x00\x00\x01\x00\x00")), rec(soundConfig, 0, []byte{0x11, 0x90}))
	for name, of := range map[string]func(n int) []byte{
		"a key picture":   func(n int) []byte { return slices.Concat(begin, rec(keyPicture, 0, bytes.Repeat([]byte{7}, n))) },
		"a configuration": func(n int) []byte { return rec(pictureConfig, 0, bytes.Repeat([]byte{7}, n)) },
		"configurations":  func(n int) []byte { return many(n, func(int) []byte { return begin }) },
		"pictures before a key one": func(n int) []byte {
			return slices.Concat(begin, many(n, func(int) []byte { return rec(picture, 1, []byte{1}) }))
		},
		"records of nothing": func(n int) []byte {
			return slices.Concat(begin, many(n, func(int) []byte { return rec(sound, 1, nil) }))
		},
		"times that go back": func(n int) []byte {
			return slices.Concat(begin, many(n, func(i int) []byte { return rec(sound, uint64(1<<40-i*1_000_000), []byte{1, 2, 3, 4}) }))
		},
	} {
		// A record of nothing becomes a tag with a head, and its end.
		ingesttest.InProportion(t, name, 32<<10, 16*8*32<<10, of, func(b []byte) {
			tr, _, err := newTracks(Hello{Video: &Video{Codec: "avc1.640028"}, Audio: &Audio{Codec: "mp4a.40.2"}})
			if err != nil {
				t.Fatal(err)
			}
			for len(b) > 0 {
				n := int(binary.BigEndian.Uint32(b))
				r, err := parseRecord(b[4 : 4+n])
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tr.tag(r); err != nil {
					t.Fatal(err)
				}
				b = b[4+n:]
			}
		})
	}
	for name, of := range map[string]func(n int) string{
		"a long token":      func(n int) string { return `{"token":"` + strings.Repeat("x", n) + `"}` },
		"unknown names":     func(n int) string { return `{` + strings.Repeat(`"a":{"b":[1]},`, n/15) + `"token":"x"}` },
		"tracks again":      func(n int) string { return `{` + strings.Repeat(`"video":{"codec":"avc1"},`, n/25) + `"token":"x"}` },
		"a deep one":        func(n int) string { return `{"a":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + `}` },
		"escaped letters":   func(n int) string { return `{"offer":"` + strings.Repeat(`\u0041`, n/6) + `"}` },
		"a codec of a name": func(n int) string { return `{"video":{"codec":"` + strings.Repeat("v", n) + `"}}` },
	} {
		ingesttest.InProportion(t, name, maxHello/8, 16*maxHello, func(n int) []byte { return []byte(of(n)) }, func(b []byte) {
			var h Hello
			if json.Unmarshal(b, &h) == nil {
				_, _, _ = newTracks(h) // most have no tracks
			}
		})
	}
}
