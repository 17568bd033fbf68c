package convert

import (
	"slices"
	"testing"

	"relay/ingest/flv"
)

// Parameter sets made by hand as those of Apple's VideoToolbox are told of, and not taken from one: High, 1920x1080, pic_order_cnt_type 0 (order counts of 6 bits),
// whether pictures are reordered or not (mediamtx 5808). The first has no bitstream_restriction; in the second it is there,
// with a max_num_reorder_frames of 0.
var (
	appleSPS       = []byte("\x00\x00\x00\x01\x27\x64\x00\x28\xac\x56\x50\x1e\x00\x89\xf9\x66\xa0\x20\x20\x20\x40")
	appleSPSInLine = []byte("\x00\x00\x00\x01\x27\x64\x00\x28\xac\x56\x50\x1e\x00\x89\xf9\x66\xa0\x20\x20\x20\xda\x14\x2a\x58")
	applePPS       = []byte("\x00\x00\x00\x01\x28\xee\x3c\xb0")
)

// slice is the head of a picture's slice for these (H.264, 7.3.3): number is its frame_num, count its order count.
func slice(key bool, number, count int) []byte {
	bits, n := uint64(1), 1
	put := func(v, width int) { bits, n = bits<<width|uint64(v), n+width }
	put(0b00110, 5) // slice_type 5: P
	put(1, 1)
	put(number%32, 5)
	nal := []byte{0, 0, 1, 0x21}
	if key {
		nal[3] = 0x25
		bits, n = 0b1_0001000_1_00000_1, 15 // slice_type 7: I; idr_pic_id
	}
	put(count%64, 6)
	put(0b1111, 4) // the rest is nobody's affair
	bits, n = bits<<1|1, n+1
	return append(nal, byte(bits<<(64-n)>>56), byte(bits<<(64-n)>>48), byte(bits<<(64-n)>>40), byte(bits<<(64-n)>>32))
}

// Encoders that do not reorder pictures are believed where they say so, and found out where they do not: a picture is
// decoded when it is shown. Some that an encoder has left out change nothing in that if it says so.
func TestPicturesInTheOrderInWhichTheyAreShown(t *testing.T) {
	type stream struct {
		sps     []byte
		left    func(i int) bool // which pictures the encoder has left out, counted all the same
		shifted bool             // decoding times may be earlier, by the ten pictures that the library takes for reordered at most
	}
	some := func(i int) bool { return i%50 == 20 || i%50 == 21 || i%50 == 22 }
	for name, c := range map[string]stream{
		"said":                          {sps: appleSPSInLine},
		"said, and some are left out":   {sps: appleSPSInLine, left: some},
		"unsaid":                        {sps: appleSPS},
		"unsaid, and some are left out": {sps: appleSPS, left: some, shifted: true},
	} {
		s := newSession(Track{Format: H264}, Track{})
		sent := 0
		for i := range 300 {
			switch at := int64(i) * 1500; {
			case c.left != nil && c.left(i):
				continue
			case i%100 == 0:
				s.picture(at, -1, c.sps, applePPS, slice(true, 0, 0))
			default:
				s.picture(at, -1, slice(false, i%100, 2*(i%100)))
			}
			sent++
		}
		got, last := 0, uint32(0)
		for _, tag := range append(s.tags, s.Flush()...) {
			coded, ok := flv.Decode(tag)
			if !ok || coded.Config || tag.Type() != flv.Video {
				continue
			}
			if tag.Timestamp() < last || coded.Offset < 0 || coded.Offset > 0 && !c.shifted || coded.Offset > 11*1500/90+50 {
				t.Fatalf("%s: picture %d is decoded at %d ms after %d, and shown %d ms later", name, got, tag.Timestamp(), last, coded.Offset)
			}
			last = tag.Timestamp()
			got++
		}
		if got != sent || len(s.told) > 0 {
			t.Errorf("%s: %d pictures of %d; told %v", name, got, sent, s.told)
		}
	}
}

// A promise that is not kept counts no longer: what is found in the pictures does, from the next key frame on.
func TestPicturesThatAreReorderedAllTheSame(t *testing.T) {
	s := newSession(Track{Format: H264}, Track{})
	for group := range 4 {
		for i := range 31 {
			at := group*31 + 2
			if i == 0 {
				s.picture(int64(at)*3600, -1, appleSPSInLine, applePPS, slice(true, 0, 0))
				continue
			}
			shown := i + [...]int{2, -1, -1}[(i-1)%3] // a P, and two B that are shown before it
			s.picture(int64(at+shown)*3600, -1, slice(false, i, 2*shown))
		}
	}
	var shown []int64
	last := int64(0)
	for _, tag := range append(s.tags, s.Flush()...) {
		coded, ok := flv.Decode(tag)
		if !ok || coded.Config || tag.Type() != flv.Video {
			continue
		}
		at := int64(tag.Timestamp())
		if at < last || len(shown) >= 31 && coded.Offset < 0 {
			t.Errorf("picture %d is decoded at %d after %d, and shown %d ms later", len(shown), at, last, coded.Offset)
		}
		last = at
		shown = append(shown, at+int64(coded.Offset))
	}
	slices.Sort(shown)
	if len(shown) != 4*31 || len(slices.Compact(shown)) != 4*31 {
		t.Errorf("they are shown at %v", shown)
	}
}
