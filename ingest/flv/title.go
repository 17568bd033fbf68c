package flv

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"

	"relay/relay/oneline"
)

// MaxTitle is the longest title of a stream, in characters: a line of text. What is
// longer does not fit where titles are shown.
const MaxTitle = 120

const (
	titleField    = "title"
	unlistedField = "unlisted"
	// recordingField names the channel whose recording a stream says that it is.
	recordingField = "recordingOf"
)

// CleanTitle makes a text fit to be a title: one line of printable characters, at
// most [MaxTitle] of them, without blanks around it and without two side by side.
func CleanTitle(s string) string { return shortLine(s, MaxTitle) }

// shortLine is [oneline.Clean] for texts that are passed on and compared: the marks that
// it puts in the place of what cannot be shown are left out.
func shortLine(s string, most int) string {
	s = oneline.Clean(s, len(s)) // characters are no more than bytes
	s = strings.ReplaceAll(s, string(unicode.ReplacementChar), "")
	s = strings.Join(strings.Fields(s), " ")
	return oneline.Clean(s, most)
}

// oneProperty returns the script body of an onMetaData that has one property.
func oneProperty(name string, value []byte) []byte {
	b := append(bytes.Clone(onMetaData), amfECMAArray, 0, 0, 0, 1)
	return endObject(appendProperty(b, name, value))
}

// SetTitle returns a copy of an onMetaData's script body whose title is the one
// given, cleaned. Everything else stays as it is, in its order, with one exception: a
// body with more than [MaxAMFValues], such as one with an index of a file's keyframes,
// loses its objects and arrays. Readers that keep to the bounds would ignore it
// otherwise, and a live stream needs no such index. If the body is malformed, or nil,
// the title is all that the copy has.
func SetTitle(body []byte, title string) []byte {
	return setProperty(body, titleField, amfText(CleanTitle(title)))
}

// SetUnlisted returns a copy of an onMetaData's script body that says that the stream is
// only for those who were given its invite. Nodes that relay it do not let others find
// it. The rest of the body is treated as by [SetTitle].
func SetUnlisted(body []byte) []byte { return setProperty(body, unlistedField, []byte{amfBoolean, 1}) }

// SetRecording returns a copy of an onMetaData's script body that says that the stream is a recording of a channel, by
// its ID. The rest of the body is treated as by [SetTitle].
func SetRecording(body []byte, of string) []byte {
	return setProperty(body, recordingField, amfText(shortLine(of, maxRecording)))
}

// maxRecording is the longest ID of a channel that is looked at, in characters.
const maxRecording = 64

func setProperty(body []byte, name string, to []byte) []byte {
	value, ok := bytes.CutPrefix(body, onMetaData)
	if !ok || len(body) > MaxScript {
		return oneProperty(name, to)
	}
	props, ok := properties(value)
	if !ok {
		return oneProperty(name, to)
	}
	slim := CheckAMF0(body) != nil
	var kept []byte
	n := uint32(1)
	for _, p := range props {
		if p.name != name && !(slim && p.container) {
			kept = append(kept, p.bytes...)
			n++
		}
	}
	b := bytes.Clone(onMetaData)
	if b = append(b, value[0]); value[0] == amfECMAArray {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = endObject(appendProperty(append(b, kept...), name, to))
	if CheckAMF0(b) != nil { // one value over the bound
		return oneProperty(name, to)
	}
	return b
}

// appendProperty appends a property, without what goes before and after an object's.
func appendProperty(b []byte, name string, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	return append(b, value...)
}

func endObject(b []byte) []byte { return append(b, 0, 0, amfObjectEnd) }

// property is one of an object's, with its name in front.
type property struct {
	name      string
	bytes     []byte
	container bool
}

// properties takes an AMF0 object or ECMA array apart. What follows it is left out.
// It reports false if b begins with neither, or is malformed.
func properties(b []byte) ([]property, bool) {
	if len(b) == 0 || b[0] != amfObject && b[0] != amfECMAArray {
		return nil, false
	}
	s := amfScanner{b: b, most: MaxScript}
	var props []property
	for s.value(); s.err == nil && s.depth > 0; {
		start := s.b
		s.step()
		if s.depth == 0 || s.err != nil {
			break
		}
		p := property{name: string(start[2 : 2+binary.BigEndian.Uint16(start)]), container: s.depth > 1}
		for s.depth > 1 && s.err == nil {
			s.step()
		}
		p.bytes = start[:len(start)-len(s.b)]
		props = append(props, p)
	}
	return props, s.err == nil
}
