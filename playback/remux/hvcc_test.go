package remux

import (
	"bytes"
	"encoding/hex"
	"testing"

	"relay/ingest/flv"
)

// TestAnInitializationHasTheConstraintsOfItsHEVC has a record of x265's, whose SPS has emulation prevention among profile,
// constraints and level.
func TestAnInitializationHasTheConstraintsOfItsHEVC(t *testing.T) {
	record, err := hex.DecodeString("0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01" +
		"ffff01600000030090000003000003003c959409a10001002b42010101600000" +
		"030090000003000003003ca00a080c1f3e595952930bc05a0200000300020000" +
		"03003210a2000100064401c073c189")
	if err != nil {
		t.Fatal(err)
	}
	const layers, two = 21, 2 << 3 // layers of time
	for name, change := range map[string]func(b []byte){
		"as it is":                    func([]byte) {},
		"two layers":                  func(b []byte) { b[layers] = b[layers]&^(7<<3) | two },
		"lengths of two bytes":        func(b []byte) { b[layers] &^= 0b10 },
		"high tier and another level": func(b []byte) { b[1], b[12] = b[1]|0x20, 153 },
	} {
		r := bytes.Clone(record)
		change(r)
		track, err := newTrack(flv.Coded{Codec: "hevc", Data: r})
		if err != nil {
			t.Fatal(err)
		}
		var m fragmenter
		if err := m.open(track, nil); err != nil {
			t.Fatal(err)
		}
		_, box, ok := bytes.Cut(m.init, []byte("hvcC"))
		if !ok || !bytes.Equal(box[:13], r[:13]) || box[layers] != r[layers]|0b11 {
			t.Errorf("%s: % x … %08b, want % x … %08b", name, box[:13], box[layers], r[:13], r[layers]|0b11)
		}
	}
	for _, short := range []string{"", "hvcC", "hvcC\x01\x02"} { // nothing to mend, and nothing to fail at
		mendHEVC([]byte(short), record)
		mendHEVC(bytes.Clone(record), []byte(short))
	}
}
