package term

import (
	"slices"
	"strings"
	"testing"
)

func TestKeysAreToldApart(t *testing.T) {
	for in, want := range map[string][]Key{
		"qjk":            {'q', 'j', 'k'},
		"\x1b[A\x1b[B":   {KeyUp, KeyDown},
		"\x1bOA\x1bOB":   {KeyUp, KeyDown},
		"\x1b[5~\x1b[6~": {KeyPageUp, KeyPageDown},
		"\x1b[1~x\x1b[F": {KeyHome, 'x', KeyEnd},
		"\x1b[1;5Ax":     {'x'}, // with Ctrl
		"\x1b\x1b[A":     {KeyUp},
		"\x1bqx":         {'x'}, // with Alt
		"\x03\t":         {KeyInterrupt, KeyTab},
		"\x1b[" + strings.Repeat("1", 100) + "xy": nil,
	} {
		var whole, pieces KeyReader
		if got := whole.Keys([]byte(in)); want != nil && !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
		var got []Key
		for i := range len(in) {
			got = append(got, pieces.Keys([]byte{in[i]})...)
		}
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("%q in pieces: %v, want %v", in, got, want)
		}
		if len(whole.begun) > maxSequence || len(pieces.begun) > maxSequence {
			t.Errorf("%q: %d bytes are kept", in, len(whole.begun))
		}
	}
}
