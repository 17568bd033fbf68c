package flv

import (
	"bytes"
	"slices"
	"testing"
)

// Tags come in pieces cut anywhere; what is made of them does not depend on where.
func TestAGOPIsTheSameHoweverItsTagsAreCut(t *testing.T) {
	tags := []Tag{
		NewTag(Video, 1000, []byte("\x17\x01\x00\x00\x50key")),
		NewTag(Audio, 1010, []byte("\xaf\x01sound")),
		NewTag(Video, 1040, []byte("\x17\x00\x00\x00\x00another configuration")),
		NewTag(Video, 1040, []byte("\x27\x01\x00\x00\x50second")),
		NewTag(Video, 1080, []byte("\x27\x01\x00\x00\x50third")),
		NewTag(Video, 1120, []byte("\x27")), // shorter than what is looked at
	}
	want := [][]byte{
		NewTag(Video, 1117, []byte("\x17\x01\x00\x00\x00key")),
		NewTag(Video, 1118, []byte("\x17\x00\x00\x00\x00another configuration")),
		NewTag(Video, 1118, []byte("\x27\x01\x00\x00\x00second")),
		NewTag(Video, 1119, []byte("\x27\x01\x00\x00\x00third")),
		NewTag(Video, 1120, []byte("\x27")),
	}
	for _, cut := range []int{1, 2, 7, 11, 12, 16, 100} {
		var g GOP
		g.Add([][]byte{tags[0]}) // before the place to start
		g.Begin()
		for _, tag := range tags {
			g.Add(slices.Collect(slices.Chunk(bytes.Clone(tag), cut)))
		}
		var got [][]byte
		for pieces := range g.Squashed() {
			got = append(got, bytes.Join(pieces, nil))
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("cut after every %d bytes:\n got %q\nwant %q", cut, got, want)
		}
		if g.Pictures() != 4 || g.Since() != 1000 || g.Len() != 5 || !g.Begun() {
			t.Errorf("%d pictures of %d tags since %d", g.Pictures(), g.Len(), g.Since())
		}
	}
}

func TestAGOPThatBecomesTooMuchIsForgotten(t *testing.T) {
	var g GOP
	g.Begin()
	tag := NewTag(Video, 0, make([]byte, 1<<20))
	for range MaxGOP>>20 - 1 {
		g.Add([][]byte{tag})
	}
	if !g.Begun() || g.Size() > MaxGOP {
		t.Fatalf("%d bytes are held", g.Size())
	}
	g.Add([][]byte{tag})
	if g.Begun() || g.Size() != 0 {
		t.Errorf("%d bytes are held", g.Size())
	}
}
