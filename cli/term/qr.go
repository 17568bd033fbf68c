package term

import (
	"strings"

	"github.com/mdp/qrterminal/v3"
)

// qrZone is the empty frame around a code, in modules. The standard wants 4; phones
// read 2, and a small window keeps two more lines.
const qrZone = 2

// QRLines draws a code of the text, two modules above each other to a character. They
// are right on a dark terminal: a full block is a light module.
func QRLines(text string) []string {
	var b strings.Builder
	qrterminal.GenerateWithConfig(text, qrterminal.Config{Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: qrZone})
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

// QRCode draws a code of the address in the terminal's own way; nil if it cannot show
// one.
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
