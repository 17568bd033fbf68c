package cli

import (
	"strings"

	"github.com/mdp/qrterminal/v3"
)

// qrZone is the empty frame around a code, in modules. The standard wants 4; phones
// read 2, and a small window keeps two more lines.
const qrZone = 2

// qrLines draws a code of the text, two modules above each other to a character. They
// are right on a dark terminal: a full block is a light module.
func qrLines(text string) []string {
	var b strings.Builder
	qrterminal.GenerateWithConfig(text, qrterminal.Config{Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: qrZone})
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

// qrCode draws a code of the address in the terminal's own way; nil if it cannot show
// one.
func qrCode(url string, st style) []string {
	if st.ascii {
		return nil
	}
	lines := qrLines(url)
	for i, l := range lines {
		if st.width > 0 && width(cell{text: l}) > st.width {
			return nil
		}
		if st.colour { // right on a light terminal, too
			lines[i] = "\x1b[40;97m" + l + plain
		}
	}
	return lines
}
