//go:build e2e && linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"relay/ingest/flv"
)

// keyWeight is how many times longer a key frame is than another picture, as encoders make them at
// a steady rate.
const keyWeight = 6

// clip is an endless stream, made of a file that is repeated.
type clip struct {
	configs []flv.Tag // metadata and decoder configurations, with timestamp 0
	media   []flv.Tag
	period  uint32 // of the file, in milliseconds
	size    int    // of the body of a picture, in bytes; that of a key frame is keyWeight times that
	sound   int    // of the body of a sound, at least
	noise   []byte // what makes them longer
}

// contents is what a file has.
type contents struct {
	pictures, keys, sounds int
	sound                  int    // bytes, as tags with a number
	lastPicture            uint32 // its timestamp
}

// openClip reads a file with H.264 and AAC, to be sent at a rate in bits per second.
func openClip(path string, rate int) (*clip, error) {
	c, has, err := readClip(path)
	if err != nil {
		return nil, err
	}
	room := rate/8*int(c.period)/1000 - has.sound
	c.size = room/(has.pictures-has.keys+keyWeight*has.keys) - flv.TagHeaderLen - flv.TagTrailerLen
	if c.size < 1 {
		return nil, fmt.Errorf("%d bit/s have no room for pictures beside the sound", rate)
	}
	c.makeNoise(keyWeight * c.size)
	return c, nil
}

// openSound reads a file with H.264 and AAC, of which the sound is to be sent at a rate in bits
// per second. If it has a higher one, that is an error.
func openSound(path string, rate int) (*clip, error) {
	c, has, err := readClip(path)
	if err != nil {
		return nil, err
	}
	whole := rate / 8 * int(c.period) / 1000
	if whole < has.sound {
		return nil, fmt.Errorf("the sound of %s has %d bit/s, more than %d", path, has.sound*8*1000/int(c.period), rate)
	}
	c.sound = whole/has.sounds - flv.TagHeaderLen - flv.TagTrailerLen
	isPicture := func(t flv.Tag) bool { return t.Type() == flv.Video }
	c.configs, c.media = slices.DeleteFunc(c.configs, isPicture), slices.DeleteFunc(c.media, isPicture)
	c.makeNoise(c.sound)
	return c, nil
}

// readClip reads a file with H.264 and AAC.
func readClip(path string) (c *clip, has contents, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, has, err
	}
	c = &clip{}
	for r := flv.NewReader(bytes.NewReader(b)); ; {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, has, fmt.Errorf("%s: %w", path, err)
		}
		k := flv.Classify(t)
		switch {
		case k.Config:
			flv.PutTimestamp(t, 0)
			c.configs = append(c.configs, t)
			continue
		case t.Type() == flv.Video && len(t.Body()) > pictureStart && t.Body()[0]&0x0f == legacyAVC && t.Body()[1] == avcPicture:
			has.pictures++
			has.lastPicture = t.Timestamp()
			if k.Key {
				has.keys++
			}
		case t.Type() == flv.Audio && len(t.Body()) > soundStart && t.Body()[0]>>4 == legacyAAC && t.Body()[1] == aacFrame:
			has.sounds++
			has.sound += len(t) + soundDigits - soundStart + digits
		default:
			continue // script data, the end of a sequence
		}
		c.media = append(c.media, t)
	}
	if has.pictures < 2 || has.keys == 0 || has.sound == 0 {
		return nil, has, fmt.Errorf("%s has %d pictures, %d key frames and %d bytes of sound; it must have H.264 and AAC", path, has.pictures, has.keys, has.sound)
	}
	// The last picture is shown for as long as the others, and the file begins at 0.
	c.period = has.lastPicture * uint32(has.pictures) / uint32(has.pictures-1)
	return c, has, nil
}

// makeNoise makes enough to fill a tag of a size, another piece for each.
func (c *clip) makeNoise(size int) {
	c.noise = make([]byte, size+len(c.media))
	for i, x := 0, uint32(1); i < len(c.noise); i++ {
		x = x*1664525 + 1013904223
		c.noise[i] = byte(x>>24) | 1 // never 0, as numberedPicture wants
	}
}

// tag makes the tag of that number. Timestamps go on when the file begins again.
func (c *clip) tag(n int) flv.Tag {
	i := n % len(c.media)
	t := c.media[i]
	ts := t.Timestamp() + uint32(n/len(c.media))*c.period
	// Another piece of the noise for each tag, so that none is taken for another.
	filling := func(pad int) []byte { return c.noise[i : i+pad] }
	if t.Type() == flv.Audio {
		return flv.NewTag(flv.Audio, ts, numberedSound(t.Body(), n, c.sound, filling))
	}
	size := c.size
	if t.Body()[0]>>4 == keyFrameType {
		size *= keyWeight
	}
	return flv.NewTag(flv.Video, ts, numberedPicture(t.Body(), n, size, filling))
}

// head returns what an FLV stream begins with.
func (c *clip) head() []byte {
	var h flv.Header
	for _, t := range c.configs {
		h.Add(t, flv.Classify(t))
	}
	return h.Payload()
}

// config returns the body of the decoder configuration for tags of a type, nil if there is none.
func (c *clip) config(typ flv.Type) []byte {
	for _, t := range c.configs {
		if t.Type() == typ {
			return t.Body()
		}
	}
	return nil
}
