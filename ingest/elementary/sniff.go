package elementary

import (
	"bytes"
	"slices"

	"relay/ingest/convert"
)

const (
	// SniffLen is how much of a stream [Sniff] wants to see, in bytes, if there is that much: three of the longest frames of MP3, behind
	// a part of one.
	SniffLen = 4 * mp3Most
	// mp3Most is how long a frame of MP3 is at most, in bytes: 320 kb/s at 32 kHz. ADTS may say up to 8 KiB, and has some 800 of 2.
	mp3Most = 1441
	// enough is how many frames in a row are no accident.
	enough = 3
	// id3Head is the length of the head of an ID3 tag, in bytes.
	id3Head = 10
)

// formats are those that are looked for.
var formats = [...]convert.Format{convert.MP3, convert.ADTS}

// Sniff returns what b begins with, or what it is in the middle of: MP3 or ADTS. It reports false if it is neither. If there is an ID3
// tag in front that is longer than b, nobody knows yet: the format is [convert.None].
func Sniff(b []byte) (f convert.Format, ok bool) {
	if n := id3(b); n > len(b) {
		return convert.None, true
	} else if n > 0 {
		return find(b[n:])
	}
	if signature(b) {
		return convert.None, false
	}
	return find(b)
}

// find looks for the first place from which on there is nothing but frames.
func find(b []byte) (convert.Format, bool) {
	for at := 0; at < min(len(b), mp3Most); at++ {
		for _, f := range formats {
			if b[at] == 0xff && frames(f, b[at:]) >= enough {
				return f, true
			}
		}
	}
	return convert.None, false
}

// frames is how many frames b has that begin at once one behind the other to its end, 0 if something else is between. That of which
// b has the head alone counts.
func frames(f convert.Format, b []byte) (n int) {
	for len(b) > 0 {
		size, ok := convert.FrameLen(f, b)
		switch {
		case !ok:
			return 0
		case size == 0: // the head is cut
			return n
		}
		n++
		b = b[min(size, len(b)):]
	}
	return n
}

// others begin files of other kinds, in which there may be such frames.
var others = []string{"FLV", "RIFF", "RIFX", "OggS", "fLaC", "FORM", "caff", "wvpk", "\x1a\x45\xdf\xa3"}

func signature(b []byte) bool {
	return slices.ContainsFunc(others, func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }) || len(b) > 8 && string(b[4:8]) == "ftyp"
}

// id3 is how long the ID3 tag is that b begins with, in bytes; 0 if there is none.
func id3(b []byte) int {
	if len(b) < id3Head || string(b[:3]) != "ID3" || b[3] == 0xff || b[4] == 0xff {
		return 0
	}
	n := 0
	for _, c := range b[6:id3Head] {
		if c > 0x7f {
			return 0
		}
		n = n<<7 | int(c)
	}
	const footer = 0x10
	if b[5]&footer != 0 {
		n += id3Head
	}
	return n + id3Head
}
