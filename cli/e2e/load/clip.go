//go:build e2e && linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

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
	noise   []byte // what makes pictures longer
}

// openClip reads a file with H.264 and AAC, to be sent at a rate in bits per second.
func openClip(path string, rate int) (*clip, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &clip{}
	pictures, keys, sound := 0, 0, 0
	var lastPicture uint32
	for r := flv.NewReader(bytes.NewReader(b)); ; {
		t, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		k := flv.Classify(t)
		switch {
		case k.Config:
			flv.PutTimestamp(t, 0)
			c.configs = append(c.configs, t)
			continue
		case t.Type() == flv.Video && len(t.Body()) > pictureStart && t.Body()[0]&0x0f == legacyAVC && t.Body()[1] == avcPicture:
			pictures++
			lastPicture = t.Timestamp()
			if k.Key {
				keys++
			}
		case t.Type() == flv.Audio && len(t.Body()) > soundStart && t.Body()[0]>>4 == legacyAAC && t.Body()[1] == aacFrame:
			sound += len(t) + soundDigits - soundStart + digits
		default:
			continue // script data, the end of a sequence
		}
		c.media = append(c.media, t)
	}
	if pictures < 2 || keys == 0 || sound == 0 {
		return nil, fmt.Errorf("%s has %d pictures, %d key frames and %d bytes of sound; it must have H.264 and AAC", path, pictures, keys, sound)
	}
	// The last picture is shown for as long as the others, and the file begins at 0.
	c.period = lastPicture * uint32(pictures) / uint32(pictures-1)
	room := rate/8*int(c.period)/1000 - sound
	c.size = room/(pictures-keys+keyWeight*keys) - flv.TagHeaderLen - flv.TagTrailerLen
	if c.size < 1 {
		return nil, fmt.Errorf("%d bit/s have no room for pictures beside the sound", rate)
	}
	c.noise = make([]byte, keyWeight*c.size+len(c.media))
	for i, x := 0, uint32(1); i < len(c.noise); i++ {
		x = x*1664525 + 1013904223
		c.noise[i] = byte(x>>24) | 1 // never 0, as numberedPicture wants
	}
	return c, nil
}

// tag makes the tag of that number. Timestamps go on when the file begins again.
func (c *clip) tag(n int) flv.Tag {
	i := n % len(c.media)
	t := c.media[i]
	ts := t.Timestamp() + uint32(n/len(c.media))*c.period
	if t.Type() == flv.Audio {
		return flv.NewTag(flv.Audio, ts, numberedSound(t.Body(), n))
	}
	size := c.size
	if t.Body()[0]>>4 == keyFrameType {
		size *= keyWeight
	}
	// Another piece of the noise for each tag, so that none is taken for another.
	filling := func(pad int) []byte { return c.noise[i : i+pad] }
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
