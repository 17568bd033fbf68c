package whip

import (
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// TestAnOfferCostsInProportion has offers that are long in one way each: what is allocated may not grow faster than they do.
func TestAnOfferCostsInProportion(t *testing.T) {
	const head = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
	for name, line := range map[string]string{
		"addresses":        "a=candidate:1 1 udp 2122317823 198.51.100.1 9 typ host\r\n",
		"codecs":           "a=rtpmap:97 xyzzy/90000\r\n",
		"lines of a byte":  "a\n",
		"ends of lines":    "\n",
		"parts":            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
		"one long line":    "a=x",
		"one of colons":    ":",
		"a name of spaces": "a=rtpmap: ",
	} {
		ingesttest.InProportion(t, name, offerMost/8-len(head), 8*offerMost, func(n int) []byte {
			return []byte(head + strings.Repeat(line, n/len(line)))
		}, func(b []byte) { _, _ = cleaned(string(b)) }) // some are refused
	}
}
