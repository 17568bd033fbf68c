package term

import (
	"strings"

	"github.com/mdp/qrterminal/v3"
)

// qrZone is the empty frame around a code, in modules. The standard asks for 4. Phones can read
// a code with 2, which saves lines in a small window.
const qrZone = 2

// QRLines draws a QR code of the text. Each character holds two modules, one above the other.
// The colours are right on a dark terminal: a full block is a light module.
func QRLines(text string) []string {
	var b strings.Builder
	qrterminal.GenerateWithConfig(text, qrterminal.Config{Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: qrZone})
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

// QRCode draws a QR code of the address as the terminal can show it; nil if it cannot.
func QRCode(url string, st Style) []string {
	if st.ASCII {
		return nil
	}
	lines := QRLines(url)
	for i, l := range lines {
		if st.Width > 0 && Width(Cell{Text: l}) > st.Width {
			return nil
		}
		if st.Colour { // right on a light terminal, too
			lines[i] = "\x1b[40;97m" + l + Plain
		}
	}
	return lines
}
