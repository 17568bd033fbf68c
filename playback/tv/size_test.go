package tv

import (
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// TestCallsAndSearchesCostInProportion has TVs that say much in one way each: what is allocated may not grow faster than
// that does.
func TestCallsAndSearchesCostInProportion(t *testing.T) {
	within := func(open, in, shut string) func(n int) string {
		return func(n int) string { return open + strings.Repeat(in, n/len(in)) + shut }
	}
	const body = "<Envelope><Body>"
	for name, of := range map[string]func(n int) string{
		"a long argument":      within(body+"<Browse><ObjectID>", "x", "</ObjectID></Browse></Body></Envelope>"),
		"many arguments":       within(body+"<Browse>", "<a>1</a>", "</Browse></Body></Envelope>"),
		"one in the other":     within(body, "<a>", ""),
		"an attribute":         within(body+`<Browse a="`, "b", `"></Browse></Body></Envelope>`),
		"a name":               within(body+"<", "a", ""),
		"comments":             within(body, "<!--x-->", ""),
		"a comment":            within(body+"<!--", "x", "-->"),
		"entities":             within(body+"<Browse><ObjectID>", "&amp;", "</ObjectID></Browse></Body></Envelope>"),
		"a document type":      within("<!DOCTYPE a [", `<!ENTITY a "b">`, "]>"+body),
		"instructions":         within("", "<?a b?>", body),
		"ends of nothing":      within("", "</a>", ""),
		"beginnings of a name": within("", "<", ""),
	} {
		// More than a TV may send (maxBody), as lists are doubled while they are short.
		ingesttest.InProportion(t, name, 2*maxBody, 48*16*maxBody, func(n int) []byte { return []byte(of(n)) }, func(b []byte) {
			_, _ = parseCall(b) // some are refused
		})
	}
	// The library's list of attributes is copied as it grows: what a body of the most bytes costs is bounded all the same.
	for name, of := range map[string]func(n int) string{
		"attributes": within(body+"<Browse ", `a="b" `, "></Browse></Body></Envelope>"),
		"namespaces": within("<Envelope ", `xmlns:a="b" `, "></Envelope>"),
	} {
		b := []byte(of(maxBody))
		if n := ingesttest.Allocated(func() { _, _ = parseCall(b) }); n > 64*maxBody {
			t.Errorf("%s: %d bytes are allocated for %d KiB", name, n, maxBody>>10)
		}
	}
	for name, of := range map[string]func(n int) string{
		"targets":    within("M-SEARCH * HTTP/1.1\r\n", "ST: a\r\n", ""),
		"a target":   within("M-SEARCH * HTTP/1.1\r\nST: ", "a", "\r\n\r\n"),
		"lines":      within("M-SEARCH * HTTP/1.1\r\n", "a\n", ""),
		"for others": within("NOTIFY * HTTP/1.1\r\n", "a: b\r\n", ""),
	} {
		ingesttest.InProportion(t, name, maxSearch/8-5, 16*maxSearch, func(n int) []byte { return []byte(of(n)) }, func(b []byte) {
			_, _ = parseSearch(b) // likewise
		})
	}
}
