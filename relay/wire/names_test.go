package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
)

func TestFramesOfNamesHaveTheBytesOfTheSpecification(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	p := nameplate.Sign(stream.IDOf(key), key, time.UnixMilli(1), "a", true)
	for want, f := range map[string]wire.Frame{
		"34000004" + "00000e10": wire.Audience{Watching: 3600},
		"33000011" + "02" + "0102030405060708" + "1112131415161718": wire.WhoIs{Of: []wire.NodeTag{{1, 2, 3, 4, 5, 6, 7, 8}, {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18}}},
		"32000001" + "00": wire.Names{},
		"3200006c" + "01" + hex.EncodeToString(key[32:]) + "0000000000000001" + "01" + "01" + "61" + hex.EncodeToString([]byte(p[len(p)-64:])): wire.Names{Of: []nameplate.Plate{p}},
	} {
		if got := hex.EncodeToString(wire.Append(nil, f)); got != want {
			t.Errorf("%T is %s, want %s", f, got, want)
		}
	}
}

func TestListsOfNamesHaveBounds(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	longest := nameplate.Sign(stream.IDOf(key), key, time.UnixMilli(1), strings.Repeat("x", nameplate.MaxName), false)
	many := slices.Repeat([]nameplate.Plate{longest}, wire.MaxNames+1)
	tags := make([]wire.NodeTag, wire.MaxNames+1)
	for _, r := range specTable(t) {
		for name, f := range map[string]wire.Frame{"names": wire.Names{Of: many}, "whois": wire.WhoIs{Of: tags}} {
			if b := wire.Append(nil, f); r.name == name && len(b) != r.most+stream.PreludeLen {
				t.Errorf("the longest %s has %d bytes, the specification says %d", name, len(b)-stream.PreludeLen, r.most)
			}
		}
	}
	plates := func(n int) []byte { return append([]byte{byte(n)}, bytes.Repeat([]byte(longest), n)...) }
	for name, b := range map[string][]byte{
		"a plate too few":       append([]byte{2}, longest...),
		"a plate too many":      append([]byte{1}, longest+longest...),
		"too many plates":       plates(wire.MaxNames + 1),
		"a name that is longer": bytes.Replace(plates(1), []byte{0, nameplate.MaxName}, []byte{0, nameplate.MaxName + 1}, 1),
		"a flag not known":      bytes.Replace(plates(1), []byte{0, nameplate.MaxName}, []byte{2, nameplate.MaxName}, 1),
	} {
		if f, err := wire.Parse(frameOf(0x32, b...)); f != nil || !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	for name, b := range map[string][]byte{"nobody": {0, 1, 2, 3, 4, 5, 6, 7, 8}, "one too few": {2, 1, 2, 3, 4, 5, 6, 7, 8}, "one too many": append([]byte{1}, make([]byte, 16)...)} {
		if f, err := wire.Parse(frameOf(0x33, b...)); f != nil || !errors.Is(err, wire.ErrFrame) {
			t.Errorf("asked for %s: %v, %v", name, f, err)
		}
	}
	// A plate keeps nothing of the frame that it came in.
	b := wire.Append(nil, wire.Names{Of: []nameplate.Plate{longest}})
	f, err := wire.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if f.(wire.Names).Of[0] != longest {
		t.Error("it has changed with the bytes of the frame")
	}
}
