//go:build e2e

package playback

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest"
	"relay/ingest/flv"
	"relay/relay/stream"
)

// slow is a clip of few frames, of which a long stream is made: 16 s with a key frame every 2 s.
var slow = film{
	name: "slow", input: "testsrc2=size=160x90:rate=5",
	args: "-t 16 -bf 2 -force_key_frames expr:gte(t,n_forced*2) -ar 16000 -ac 1",
}

// slowOther has pictures and sound of other parameters.
var slowOther = film{
	name: "other", input: "testsrc2=size=128x72:rate=5",
	args: "-t 16 -force_key_frames expr:gte(t,n_forced*2) -ar 22050 -ac 1",
}

// longViewer counts the frames in what an output gives, and keeps nothing.
type longViewer struct {
	suffix          string
	pictures, sound int
	rest            []byte
}

func (v *longViewer) Write(b []byte) (int, error) {
	v.rest = append(v.rest, b...)
	used := 0
	switch v.suffix {
	case ".flv":
		used = v.flv(v.rest)
	case ".ts":
		used = v.ts(v.rest)
	default:
		used = v.mp4(v.rest)
	}
	v.rest = append(v.rest[:0], v.rest[used:]...)
	return len(b), nil
}

func (v *longViewer) flv(b []byte) (used int) {
	if bytes.HasPrefix(b, []byte("FLV")) {
		used = flv.FileHeaderLen
	}
	for {
		rest := b[used:]
		if len(rest) < flv.TagHeaderLen {
			return used
		}
		n := flv.TagHeaderLen + int(flv.BodyLen(rest)) + flv.TagTrailerLen
		if len(rest) < n {
			return used
		}
		if c, ok := flv.Decode(flv.Tag(rest[:n])); ok && !c.Config {
			v.count(rest[0] == byte(flv.Video), 1)
		}
		used += n
	}
}

func (v *longViewer) ts(b []byte) (used int) {
	const packet = 188
	for ; len(b)-used >= packet; used += packet {
		p := b[used:]
		pid := int(p[1]&0x1f)<<8 | int(p[2])
		if p[1]&0x40 != 0 && pid >= 256 && pid <= 257 { // a frame begins
			v.count(pid == 256, 1)
		}
	}
	return used
}

// mp4 counts the samples of each track run (ISO/IEC 14496-12, 8.8.8). Track 1 is the pictures'.
func (v *longViewer) mp4(b []byte) (used int) {
	for len(b)-used >= 8 {
		box := b[used:]
		n := int(binary.BigEndian.Uint32(box))
		if len(box) < n {
			break
		}
		if string(box[4:8]) == "moof" {
			v.moof(box[8:n])
		}
		used += n
	}
	return used
}

func (v *longViewer) moof(b []byte) {
	track := uint32(0)
	for len(b) >= 8 {
		n := int(binary.BigEndian.Uint32(b))
		switch string(b[4:8]) {
		case "traf":
			v.moof(b[8:n])
		case "tfhd":
			track = binary.BigEndian.Uint32(b[12:])
		case "trun":
			v.count(track == 1, int(binary.BigEndian.Uint32(b[12:])))
		}
		b = b[n:]
	}
}

func (v *longViewer) count(picture bool, n int) {
	if picture {
		v.pictures += n
	} else {
		v.sound += n
	}
}

// TestTwoHoursOfAnythingGrowNothing sends two hours of what goes wrong in the world, in virtual
// time: a clock that drifts, pauses, tags that are cut, other parameters every ten minutes, an
// encoder that breaks off and comes back. Nobody is dropped or misses a frame, and after two hours
// no more memory is held than after half an hour.
func TestTwoHoursOfAnythingGrowNothing(t *testing.T) {
	clips := [][]flv.Tag{slow.shoot(t).Tags, slowOther.shoot(t).Tags}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		long := &longStream{T: t, rnd: rand.New(rand.NewPCG(seed, 0)), clips: clips}
		long.run(2 * time.Hour)
	})
}

// longStream is one run of that test.
type longStream struct {
	*testing.T
	rnd   *rand.Rand
	clips [][]flv.Tag

	in              *ingest.Input
	session         *ingest.Session
	began           time.Time
	clock           uint32 // of the encoder, in milliseconds
	pictures, sound int    // sent, that can be used
	dropped         uint64
}

func (l *longStream) run(length time.Duration) {
	ring := stream.NewRing(stream.Limits{})
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	l.in = ingest.NewInput(stream.NewWriter(ring, key, stream.Epoch{Ms: 1}, time.Now()), nil)
	l.open()
	channel := NewChannel(stream.ChannelID{1}, ring, nil)
	server := NewServer(Config{Channels: list(channel)})
	ctx, cancel := context.WithCancel(l.Context())
	defer cancel()
	var viewers sync.WaitGroup
	all := []*longViewer{{suffix: ".flv"}, {suffix: ".mp4"}, {suffix: ".ts"}, {suffix: "hls"}}
	for _, v := range all {
		viewers.Go(func() {
			if v.suffix == "hls" {
				w := &watched{suffix: "hls", to: v}
				if w.play(l.T, &routes{server, ctx}, channel); w.said != "" {
					l.Error(w.said)
				}
			} else if err := (Recording{Ring: ring, Start: GOP, Suffix: v.suffix}).Run(ctx, v); err != nil {
				l.Errorf("%s: %v", v.suffix, err)
			}
		})
	}
	synctest.Wait()
	l.began = time.Now()
	early := uint64(0)
	for time.Since(l.began) < length && !l.Failed() {
		l.round()
		if since := time.Since(l.began); early == 0 && since > length/4 {
			early = inUse()
		}
	}
	late := inUse()
	l.session.Close()
	synctest.Wait()
	server.Finish(l.Context())
	ring.Close()
	viewers.Wait()
	for _, v := range all {
		if v.pictures != l.pictures || v.sound != l.sound {
			l.Errorf("%s: %d pictures and %d frames of sound, want %d and %d", v.suffix, v.pictures, v.sound, l.pictures, l.sound)
		}
	}
	var dropped uint64
	for _, n := range l.in.Status().Dropped {
		dropped += n
	}
	if dropped != l.dropped {
		l.Errorf("%d tags were dropped, want %d", dropped, l.dropped)
	}
	const slack = 16 << 20 // what a garbage collection leaves differs
	if late > early+slack {
		l.Errorf("%d bytes are held after two hours, %d after half an hour", late, early)
	}
	l.Logf("%d pictures, %d frames of sound, %d tags dropped; %d KiB held after half an hour, %d KiB after two", l.pictures, l.sound, dropped, early>>10, late>>10)
}

func (l *longStream) open() {
	s, err := l.in.Open()
	if err != nil {
		l.Fatal(err)
	}
	l.session = s
}

// round sends a clip, with something wrong in it.
func (l *longStream) round() {
	clip := l.clips[int(time.Since(l.began)/(10*time.Minute))%len(l.clips)]
	began, from := time.Now(), l.clock
	wrong := l.rnd.IntN(5)
	for _, tag := range clip {
		ts := tag.Timestamp()
		time.Sleep(time.Until(began.Add(time.Duration(ts) * time.Millisecond)))
		drifted := from + ts + ts/100 // its clock is 1% too fast
		tag = slices.Clone(tag)
		flv.PutTimestamp(tag, drifted)
		l.clock = max(l.clock, drifted)
		c, ok := flv.Decode(tag)
		frame := ok && !c.Config
		if wrong == 0 && frame && tag.Type() == flv.Video && l.rnd.IntN(10) == 0 {
			cut := flv.NewTag(flv.Video, drifted, tag.Body()[:5+l.rnd.IntN(4)])
			l.write(cut)
			l.dropped++
		}
		if frame && tag.Type() == flv.Video {
			l.pictures++
		} else if frame {
			l.sound++
		}
		l.write(tag)
	}
	time.Sleep(time.Until(began.Add(16 * time.Second)))
	l.clock = from + 16_160
	switch wrong {
	case 1: // it breaks off, and comes back with timestamps of its own
		l.session.Close()
		time.Sleep(time.Duration(l.rnd.IntN(20_000)) * time.Millisecond)
		l.open()
		l.clock = l.rnd.Uint32N(1 << 20)
	case 2: // it falls silent, and goes on
		n := l.rnd.Uint32N(8000)
		time.Sleep(time.Duration(n) * time.Millisecond)
		l.clock += n
	case 3: // its clock jumps
		l.clock += l.rnd.Uint32N(1 << 30)
	}
}

func (l *longStream) write(tag flv.Tag) {
	if err := l.session.Write(tag); err != nil {
		l.Fatal(err)
	}
}
