package flv

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// The composition time offset is where the packet type says, whatever stands in front of it.
func TestCompositionTimeIsReadBehindModifiersAndTracks(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		offset int32
		data   string
	}{
		"legacy":                        {"\x27\x01\x00\x00\x50pic", 80, "pic"},
		"legacy, negative":              {"\x27\x01\xff\xff\xd8pic", -40, "pic"},
		"legacy, the least":             {"\x27\x01\x80\x00\x00pic", -1 << 23, "pic"},
		"enhanced":                      {"\xa1hvc1\x00\x00\x50pic", 80, "pic"},
		"enhanced without":              {"\xa3hvc1pic", 0, "pic"},
		"a codec that has none":         {"\xa1av01pic", 0, "pic"},
		"behind a nanosecond offset":    {"\xa7\x02\x07\xa1\x20\x01avc1\x00\x00\x50pic", 80, "pic"},
		"behind two modifiers":          {"\xa7\x00a\x07\x00a\x01hvc1\xff\xff\xd8pic", -40, "pic"},
		"behind a long modifier":        {"\xa7\xff\x00\x02abc\x01avc1\x00\x00\x50pic", 80, "pic"},
		"in one track":                  {"\xa6\x01avc1\x00\x00\x00\x50pic", 80, "pic"},
		"in the first of many":          {"\xa6\x11avc1\x00\x00\x00\x06\x00\x00\x50pic\x01\x00\x00\x03\x00\x00\x00", 80, "pic"},
		"in the first of many codecs":   {"\xa6\x21hvc1\x00\x00\x00\x06\x00\x00\x50picav01\x01\x00\x00\x01x", 80, "pic"},
		"behind a modifier, in a track": {"\xa7\x00a\x06\x01avc1\x00\xff\xff\xd8pic", -40, "pic"},
	} {
		got, ok := Decode(NewTag(Video, 0, []byte(c.body)))
		if !ok || got.Offset != c.offset || string(got.Data) != c.data {
			t.Errorf("%s: %t, %d ms, %q; want %d ms, %q", name, ok, got.Offset, got.Data, c.offset, c.data)
		}
		f, ok := FramingOf([]byte(c.body))
		if want := got.Codec != av1; ok != want {
			t.Errorf("%s: its framing is found: %t, want %t", name, ok, want)
		} else if !ok {
			continue
		}
		more := NewTag(Video, 0, f.Insert([]byte(c.body), []byte("more")))
		f.ClearOffset(more.Body())
		if got, ok := Decode(more); !ok || got.Offset != 0 || string(got.Data) != "more"+c.data {
			t.Errorf("%s, with more in it: %t, %d ms, %q", name, ok, got.Offset, got.Data)
		}
	}
	for name, body := range map[string]string{
		"cut in its offset":            "\x27\x01\x00\x00",
		"cut in it behind a modifier":  "\xa7\x00a\x01avc1\x00",
		"a second track alone":         "\xa6\x01avc1\x01\x00\x00\x50pic",
		"a first track that is cut":    "\xa6\x11avc1\x00\x00\x00\x09\x00\x00\x50pic",
		"a modifier that is too long":  "\xa7\xff\xff\xffabc",
		"a legacy configuration alone": "\x17\x00\x00\x00\x00",
	} {
		if got, ok := Decode(NewTag(Video, 0, []byte(body))); ok {
			t.Errorf("%s: %+v", name, got)
		}
		if got, ok := FramingOf([]byte(body)); ok && name != "a first track that is cut" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestPiecesTellWhatTheWholeTagTells decodes tags that are in pieces of any length, and are cut short
// or have any byte changed, from their start.
func TestPiecesTellWhatTheWholeTagTells(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	bodies := []string{
		"\x27\x01\x00\x00\x50", "\x17\x00\x00\x00\x00", "\xa1hvc1\x00\x00\x50", "\xa3hvc1", "\x90av01", "\xa1vp09",
		"\xa7\x02\x07\xa1\x20\x01avc1\x00\x00\x50", "\xa7\xff\x00\x02abc\x01avc1\x00\x00\x50", "\xa6\x01avc1\x00\x00\x00\x50",
		"\xa6\x11avc1\x00\x00\x00\x06\x00\x00\x50pic\x01\x00\x00\x03\x00\x00\x00", "\xa6\x21hvc1\x00\x00\x00\x06\x00\x00\x50picav01\x01\x00\x00\x01x",
		"\xaf\x01", "\xaf\x00", "\x2f", "\x91Opus", "\x95\x11Opus\x00\x00\x00\x02ab", "\x97\x00a\x01mp4a",
	}
	decoded := 0
	for range 20_000 {
		body := []byte(bodies[rnd.IntN(len(bodies))])
		for range rnd.IntN(100) {
			body = append(body, byte(rnd.Uint32()))
		}
		if rnd.IntN(4) == 0 {
			body[rnd.IntN(len(body))] = byte(rnd.Uint32())
		}
		if rnd.IntN(4) == 0 {
			body = body[:rnd.IntN(len(body)+1)]
		}
		tag := NewTag([]Type{Video, Audio}[rnd.IntN(2)], 0, body)
		batch := Batch{Lens: []int{len(tag)}}
		for rest := tag; len(rest) > 0; {
			n := rnd.IntN(min(len(rest), 1+rnd.IntN(40)) + 1)
			batch.Parts, rest = append(batch.Parts, rest[:n]), rest[n:]
		}
		want, wanted := Decode(tag)
		for pieces := range batch.Pieces() {
			start := Start(pieces, TagHeaderLen+StartLen)
			if !bytes.HasPrefix(tag, start) || len(start) < min(len(tag), TagHeaderLen+StartLen) {
				t.Fatalf("%x begins with %x", tag, start)
			}
			got, from, to, ok := DecodeStart(tag.Type(), start[TagHeaderLen:min(len(start), TagHeaderLen+len(body))], len(body))
			if !ok && wanted && cap(tag.Body())-cap(want.Data) > StartLen {
				continue // behind a modifier that nobody sends
			}
			if ok {
				decoded++
				got.Data = bytes.Join(AppendCut(nil, pieces, TagHeaderLen+from, TagHeaderLen+to), nil)
			} else {
				got.Data, want.Data = nil, nil
			}
			if ok != wanted || !bytes.Equal(got.Data, want.Data) || got.Offset != want.Offset || got.Key != want.Key || got.Config != want.Config || got.Codec != want.Codec {
				t.Fatalf("%x in %d pieces: %t, %+v; as a whole %t, %+v", body, len(pieces), ok, got, wanted, want)
			}
		}
	}
	if decoded < 1000 {
		t.Errorf("%d tags are decoded: the test tests nothing", decoded)
	}
}
