package whip

import (
	"fmt"
	"slices"
	"strings"

	"relay/relay/oneline"
)

const (
	// offerMost bounds a description, in bytes: those of browsers have some 6,000.
	offerMost = 64 << 10
	// offerLines and offerMedia bound its lines and its parts.
	offerLines, offerMedia = 2000, 4
	// namesMost bounds how many codecs are named in a refusal, and nameMost how long each name may be.
	namesMost, nameMost = 8, 16
)

// carried are the codecs that can be carried, as descriptions name them, in lower case.
var carried = []string{"h264", "h265", "av1", "vp9", "opus"}

// cleaned returns an offer without what it says of addresses, which nobody here needs. It refuses with [ErrOffer] what has
// no picture and no sound, or more than that, and with a [CodecError] what has a part of which nothing can be carried.
func cleaned(offer string) (string, error) {
	if len(offer) > offerMost || strings.ContainsRune(offer, 0) {
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrOffer, offerMost)
	}
	var b strings.Builder
	var names []string
	lines, parts, fits := 0, 0, true
	var refused error
	end := func() {
		if parts > 0 && !fits && refused == nil {
			refused = &CodecError{strings.Join(names, ", ")}
		}
	}
	for line := range strings.Lines(offer) {
		line = strings.TrimRight(line, "\r\n")
		if lines++; lines > offerLines {
			return "", fmt.Errorf("%w: it has more than %d lines", ErrOffer, offerLines)
		}
		attr, value, _ := strings.Cut(line, ":")
		switch {
		case line == "" || attr == "a=candidate" || attr == "a=end-of-candidates" || attr == "a=remote-candidates":
			continue
		case strings.HasPrefix(line, "m="):
			end()
			kind, _, _ := strings.Cut(line[2:], " ")
			if parts++; parts > offerMedia || kind != "audio" && kind != "video" {
				return "", fmt.Errorf("%w: it has other parts than one of pictures and one of sound", ErrOffer)
			}
			names, fits = nil, false
		case attr == "a=rtpmap":
			_, name, _ := strings.Cut(value, " ")
			name, _, _ = strings.Cut(name, "/")
			fits = fits || slices.Contains(carried, strings.ToLower(name))
			if name = oneline.Clean(name, nameMost); name != "" && len(names) < namesMost && !slices.Contains(names, name) && !strings.EqualFold(name, "rtx") {
				names = append(names, name)
			}
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	end()
	switch {
	case parts == 0:
		return "", fmt.Errorf("%w: it has neither pictures nor sound", ErrOffer)
	case refused != nil:
		return "", refused
	}
	return b.String(), nil
}
