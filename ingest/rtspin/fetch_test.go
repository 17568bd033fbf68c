//go:build !lean

package rtspin

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/description"

	"relay/ingest/flv"
)

var filmed = []struct{ name, args string }{
	{"H.264 without B-frames, AAC", "-c:v libx264 -preset ultrafast -g 25 -c:a aac"},
	{"H.264 with B-frames, AAC at 44.1 kHz", "-c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:keyint=25 -c:a aac -ar 44100"},
	{"H.264 in slices with delimiters, MP3", "-c:v libx264 -preset veryfast -x264-params slices=4:aud=1:keyint=25 -c:a libmp3lame"},
	{"HEVC with B-frames, Opus", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=25:pools=1 -c:a libopus"},
	{"H.264, AC-3", "-c:v libx264 -preset ultrafast -g 25 -c:a ac3"},
	{"H.264 alone", "-map 0:v -c:v libx264 -preset ultrafast -g 25"},
	{"AAC alone", "-map 1:a -c:a aac"},
}

// What comes of a camera is what it filmed, byte for byte, and sound and pictures are as far apart as they were.
func TestFramesAreThoseThatTheCameraFilmed(t *testing.T) {
	for i, c := range filmed {
		for _, how := range []string{"", "?transport=udp"} {
			t.Run(c.name+how, func(t *testing.T) {
				t.Parallel()
				want := clip(t, c.args)
				cam := &camera{t: t}
				cam.film(want, i%2 == 1)
				got, err := fetchFrom(t, cam.start()+how, all(want))
				if err != errEnough {
					t.Error(err)
				}
				compare(t, got, want)
			})
		}
	}
}

// all reports whether all frames have come.
func all(want []flv.Tag) func([]flv.Tag) bool {
	v, a := len(framesOf(want, flv.Video)), len(framesOf(want, flv.Audio))
	return func(got []flv.Tag) bool {
		return len(framesOf(got, flv.Video)) >= v && len(framesOf(got, flv.Audio)) >= a
	}
}

func compare(t *testing.T, got, want []flv.Tag) {
	t.Helper()
	var off *int32 // ours less theirs, in milliseconds
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		g, w := framesOf(got, typ), framesOf(want, typ)
		if len(g) != len(w) {
			t.Errorf("%d frames of type %d, want %d", len(g), typ, len(w))
			continue
		}
		last := uint32(0)
		for i := range g {
			gc, _ := flv.Decode(g[i])
			wc, _ := flv.Decode(w[i])
			if !bytes.Equal(gc.Data, wc.Data) || gc.Key != wc.Key {
				t.Fatalf("frame %d of type %d has %d bytes, want %d", i, typ, len(gc.Data), len(wc.Data))
			}
			d := int32(g[i].Timestamp()+uint32(gc.Offset)) - int32(w[i].Timestamp()+uint32(wc.Offset))
			if off == nil {
				off = &d
			}
			if d-*off > 6 || *off-d > 6 {
				t.Fatalf("frame %d of type %d is shown %d ms later than the first picture's own", i, typ, d-*off)
			}
			if i > 0 && int32(g[i].Timestamp()-last) < 0 || gc.Offset < -1 {
				t.Fatalf("frame %d of type %d is to be decoded at %d behind %d, and shown %d later", i, typ, g[i].Timestamp(), last, gc.Offset)
			}
			last = g[i].Timestamp()
		}
	}
}

// lasting has each track send its last packet on, as often as the library waits, over UDP, for one that is missing: so the
// last that counts does not stay behind one that was lost.
func lasting(all []sent) []sent {
	const waits = 64
	last := make(map[*description.Media]sent)
	for _, p := range all {
		last[p.media] = p
	}
	for _, p := range last {
		for i := range uint16(waits) {
			again := *p.Packet
			again.SequenceNumber += i + 1
			all = append(all, sent{p.at, p.media, &again})
		}
	}
	return all
}

// What is lost on the way costs the pictures up to the next key frame, and nothing else: ffmpeg decodes the rest without a word.
func TestLostPacketsCostThePicturesUpToAKeyFrame(t *testing.T) {
	for i, args := range []string{"-c:v libx264 -preset veryfast -bf 3 -x264-params slices=3:keyint=10:b-adapt=0 -c:a aac", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0:keyint=10:pools=1 -c:a aac"} {
		for _, how := range []string{"", "?transport=udp"} {
			t.Run(args[5:12]+how, func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(uint64(i), 7))
				want := clip(t, args)
				cam := &camera{t: t, change: func(all []sent) (kept []sent) {
					for n, p := range all {
						if n < 20 || n > len(all)-5 || rnd.IntN(12) > 0 {
							kept = append(kept, p)
						}
					}
					return lasting(kept)
				}}
				cam.film(want, i == 0)
				end := framesOf(want, flv.Audio)
				got, err := fetchFrom(t, cam.start()+how, func(got []flv.Tag) bool {
					all := framesOf(got, flv.Audio)
					return len(all) > 0 && bytes.Equal(all[len(all)-1].Body(), end[len(end)-1].Body())
				})
				if err != errEnough {
					t.Error(err)
				}
				pictures, theirs := framesOf(got, flv.Video), framesOf(want, flv.Video)
				at := 0
				for _, g := range pictures {
					gc, _ := flv.Decode(g)
					skipped := 0
					for ; at < len(theirs); at++ {
						w, _ := flv.Decode(theirs[at])
						if bytes.Equal(w.Data, gc.Data) {
							break
						}
						skipped++
					}
					if at == len(theirs) {
						t.Fatal("a picture that was not sent")
					}
					if skipped > 0 && !gc.Key {
						t.Fatalf("%d pictures are missing in front of one that is no key frame", skipped)
					}
					at++
				}
				if len(pictures) < len(theirs)/4 || len(pictures) == len(theirs) {
					t.Errorf("%d pictures of %d", len(pictures), len(theirs))
				}
				t.Logf("%d pictures of %d", len(pictures), len(theirs))
			})
		}
	}
}
