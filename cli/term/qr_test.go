package term

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rsc.io/qr"
)

// The drawn code has the modules of the intended one, with an empty frame around them.
func TestCodeIsRight(t *testing.T) {
	const url = "http://192.168.100.200:65535/"
	want, err := qr.Encode(url, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range []Style{{}, {Colour: true}, {Width: want.Size + 2*qrZone}} {
		lines := QRCode(url, st)
		var dark [][]bool
		for _, l := range lines {
			if st.Colour {
				if !strings.HasPrefix(l, "\x1b[40;97m") || !strings.HasSuffix(l, Plain) {
					t.Fatalf("no colours: %q", l)
				}
				l = strings.TrimSuffix(strings.TrimPrefix(l, "\x1b[40;97m"), Plain)
			}
			var upper, lower []bool
			for _, r := range l {
				upper = append(upper, r == ' ' || r == '▄')
				lower = append(lower, r == ' ' || r == '▀')
			}
			dark = append(dark, upper, lower)
		}
		for y, row := range dark[:want.Size+2*qrZone-1] {
			for x, d := range row {
				if d != want.Black(x-qrZone, y-qrZone) {
					t.Fatalf("%+v: the module at %d, %d is wrong:\n%s", st, x-qrZone, y-qrZone, strings.Join(lines, "\n"))
				}
			}
		}
		if w := utf8.RuneCountInString(strings.TrimSuffix(strings.TrimPrefix(lines[0], "\x1b[40;97m"), Plain)); w != want.Size+2*qrZone {
			t.Errorf("it is %d wide", w)
		}
	}
	for _, st := range []Style{{ASCII: true}, {Width: want.Size + 2*qrZone - 1}} {
		if got := QRCode(url, st); got != nil {
			t.Errorf("%+v: a code is drawn where it cannot be read", st)
		}
	}
}
