package flv

import (
	"bytes"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
)

func TestABatchKnowsItsTags(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var h Header
	config := NewTag(Video, 0, []byte("\x17\x00\x00\x00\x00avcC"))
	h.Add(config, Classify(config))
	for range 200 {
		var tags []Tag
		var b Batch
		if rnd.IntN(2) == 0 {
			b = HeaderBatch(h.Payload())
			tags = append(tags, config)
		}
		var stream []byte
		for range rnd.IntN(20) {
			tag := NewTag(Type(8+rnd.IntN(2)), rnd.Uint32(), make([]byte, rnd.IntN(50)))
			tags = append(tags, tag)
			stream = append(stream, tag...)
			b.Lens = append(b.Lens, len(tag))
		}
		for len(stream) > 0 {
			n := min(1+rnd.IntN(100), len(stream))
			b.Parts = append(b.Parts, stream[:n:n])
			stream = stream[n:]
		}
		i := 0
		for pieces := range b.Pieces() {
			if got := bytes.Join(pieces, nil); !bytes.Equal(got, tags[i]) {
				t.Fatalf("the pieces of tag %d are %x, want %x", i, got, tags[i])
			}
			i++
		}
		if i != len(tags) {
			t.Fatalf("%d tags in pieces, want %d", i, len(tags))
		}
		if got := slices.Collect(b.Tags()); !slices.EqualFunc(got, tags, func(a, b Tag) bool { return bytes.Equal(a, b) }) {
			t.Fatalf("%x, want %x", got, tags)
		}
	}
}

func TestATagInOnePieceIsNotCopied(t *testing.T) {
	one, two := NewTag(Video, 0, []byte("one")), NewTag(Audio, 0, []byte("two"))
	both := slices.Concat(one, two)
	b := Batch{Parts: net.Buffers{both}, Lens: []int{len(one), len(two)}}
	at := 0
	for tag := range b.Tags() {
		if &tag[0] != &both[at] || cap(tag) != len(tag) {
			t.Errorf("the tag at %d is not the batch's own, or reaches into the next", at)
		}
		at += len(tag)
	}
}

func TestABrokenHeaderCostsNoTagBehindIt(t *testing.T) {
	tag := NewTag(Audio, 0, []byte("sound"))
	for _, payload := range []string{"", "FLV", "no header at all", string((&Header{}).Payload()) + "\x09\x00\xff\xff"} {
		b := Batch{Parts: net.Buffers{[]byte(payload), tag}, Header: true, Lens: []int{len(tag)}}
		if got := slices.Collect(b.Tags()); len(got) != 1 || !bytes.Equal(got[0], tag) {
			t.Errorf("%q: %x", payload, got)
		}
	}
}
