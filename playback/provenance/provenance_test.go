package provenance

import (
	"bytes"
	"reflect"
	"testing"

	"relay/ingest/flv"
	"relay/relay/stream"
)

func whole() *Proof {
	return &Proof{
		Of: stream.ChannelID{1, 2}, Header: []byte("header"), Chunks: make([]Chunk, 3), Stamps: []uint32{0, 40, 1<<32 - 1},
		Configs: []Config{{0, flv.NewTag(flv.Script, 0, []byte("meta"))}, {3, flv.NewTag(flv.Audio, 7, []byte{0xaf, 0, 1})}},
	}
}

func TestAProofSurvivesItsTag(t *testing.T) {
	want := whole()
	tag, err := want.Tag(1234)
	if err != nil || !Is(tag) || tag.Timestamp() != 1234 || flv.Classify(tag).Config || flv.CheckAMF0(tag.Body()) != nil {
		t.Fatalf("tag %.60q, %v", tag, err)
	}
	if got, err := Parse(tag); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := len(name); n < len(tag.Body()); n++ {
		if _, err := Parse(flv.NewTag(flv.Script, 0, tag.Body()[:n])); err == nil {
			t.Fatalf("%d bytes are a proof", n)
		}
	}
}

func TestWhatIsTooLargeHasNoProof(t *testing.T) {
	for name, grow := range map[string]func(*Proof){
		"chunks":        func(p *Proof) { p.Chunks = make([]Chunk, maxChunks+1) },
		"tags":          func(p *Proof) { p.Stamps = make([]uint32, maxTags+1) },
		"header":        func(p *Proof) { p.Header = make([]byte, maxProof) },
		"configuration": func(p *Proof) { p.Configs[0].Tag = flv.NewTag(flv.Script, 0, make([]byte, maxProof)) },
	} {
		p := whole()
		grow(p)
		if tag, err := p.Tag(0); err == nil {
			t.Errorf("%s: a tag of %d bytes", name, len(tag))
		}
	}
	p := whole()
	p.Header, p.Chunks = nil, make([]Chunk, maxChunks)
	tag, err := p.Tag(0)
	if err != nil || len(tag.Body()) > flv.MaxScript || flv.CheckAMF0(tag.Body()) != nil {
		t.Errorf("the largest: %d bytes, %v", len(tag.Body()), err)
	}
	if got, err := Parse(tag); err != nil || len(got.Chunks) != maxChunks {
		t.Errorf("the largest is read as %v", err)
	}
}

// TestTagsWaitWithinBounds has a source send without end what no proof follows.
func TestTagsWaitWithinBounds(t *testing.T) {
	for name, tag := range map[string]flv.Tag{
		"large": flv.NewTag(flv.Video, 0, make([]byte, flv.MaxBody)),
		"small": flv.NewTag(flv.Audio, 0, []byte{0xaf}),
		"empty": flv.NewTag(flv.Script, 0, nil),
	} {
		c := NewChecker(stream.ChannelID{1})
		for range 3 * maxTags {
			if c.waiting > maxWaiting || len(c.tags) > maxTags {
				t.Fatalf("%s: %d tags of %d bytes wait", name, len(c.tags), c.waiting)
			}
			c.Add(tag)
			if name == "large" && len(c.tags) == 1 && c.waiting == len(tag) { // it has begun anew
				break
			}
		}
		for i := range uint32(maxConfigs * 3) {
			c.Add(flv.NewTag(flv.Audio, i, []byte{0xaf, 0, byte(i)}))
		}
		if len(c.came) > maxConfigs {
			t.Errorf("%s: %d configurations", name, len(c.came))
		}
	}
}

func FuzzProof(f *testing.F) {
	tag, err := whole().Tag(0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tag.Body(), []byte("picture"))
	f.Add(tag.Body()[:40], []byte{})
	f.Fuzz(func(t *testing.T, body, media []byte) {
		tag := flv.NewTag(flv.Script, 0, body[:min(len(body), flv.MaxBody)])
		if Is(tag) {
			if p, err := Parse(tag); err == nil {
				again, err := p.Tag(0)
				if err != nil {
					t.Fatalf("it was read, and cannot be written: %v", err)
				}
				if q, err := Parse(again); err != nil || !reflect.DeepEqual(p, q) {
					t.Fatalf("read again: %+v, %v", q, err)
				}
			}
		}
		c := NewChecker(stream.ChannelID{1})
		c.Header(media)
		c.Add(flv.NewTag(flv.Video, 0, media[:min(len(media), flv.MaxBody)]))
		c.Add(tag)
		if r := c.Report(); r.Proved > 0 && !bytes.Contains(body, []byte("onProvenance")) {
			t.Fatal("proved by nothing")
		}
	})
}
