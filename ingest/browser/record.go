package browser

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"relay/ingest/flv"
)

// recordHead is the length of what a record has in front of its data, in bytes.
const recordHead = 1 + 8

// kind says what a record is.
type kind byte

const (
	pictureConfig kind = 1
	keyPicture    kind = 2
	picture       kind = 3
	soundConfig   kind = 4
	sound         kind = 5
)

var (
	errShort   = errors.New("a record is shorter than its head")
	errKind    = errors.New("a record of a kind that nobody knows")
	errUnasked = errors.New("a record of a track that was not announced")
)

// record is one message of the page.
type record struct {
	kind kind
	at   time.Duration // from the page's origin on
	data []byte        // shares the message's memory
}

func parseRecord(b []byte) (record, error) {
	if len(b) < recordHead {
		return record{}, errShort
	}
	k := kind(b[0])
	if k < pictureConfig || k > sound {
		return record{}, errKind
	}
	us := int64(binary.BigEndian.Uint64(b[1:]))
	return record{k, time.Duration(us) * time.Microsecond, b[recordHead:]}, nil
}

// Video and Audio are what a page says of its tracks.
type (
	Video struct {
		Codec  string  `json:"codec"` // as WebCodecs has it: avc1.…
		Width  int     `json:"width"`
		Height int     `json:"height"` // pixels
		Rate   float64 `json:"rate"`   // pictures a second
	}
	Audio struct {
		Codec    string `json:"codec"` // mp4a.40.2 or opus
		Rate     int    `json:"rate"`  // Hz
		Channels int    `json:"channels"`
	}
)

// Hello is how a page begins. A track that it does not have is nil.
type Hello struct {
	Token string `json:"token"`
	Video *Video `json:"video"`
	Audio *Audio `json:"audio"`
}

// tracks makes tags of the records of one call.
type tracks struct {
	picture, sound *coding // nil for none
	begun          bool    // origin is set
	origin         time.Duration
	had            map[kind]bool
}

// lead is the timestamp of the first tag: what was filmed a little before it, and comes later, has one too.
const lead = time.Second

// coding is how FLV has one codec: what its tags' bodies begin with.
type coding struct{ name, config, key, frame string }

// Legacy AVC and AAC, which every player of FLV knows (annex E.4), and enhanced Opus (Veovera, v2). The
// composition time is 0: what a page encodes is shown as it is decoded.
var codings = map[string]*coding{
	"avc1": {"h264", "\x17\x00\x00\x00\x00", "\x17\x01\x00\x00\x00", "\x27\x01\x00\x00\x00"},
	"mp4a": {"aac", "\xaf\x00", "\xaf\x01", "\xaf\x01"},
	"opus": {"opus", "\x90Opus", "\x91Opus", "\x91Opus"},
}

// codingOf knows a codec by the first four letters of its name in WebCodecs.
func codingOf(codec string, video bool) (*coding, error) {
	c := codings[codec[:min(4, len(codec))]]
	if c == nil || video != (c.name == "h264") {
		return nil, fmt.Errorf("codec %q", codec)
	}
	return c, nil
}

// newTracks returns the tracks that a page announces, and the script tag that announces them to players.
func newTracks(h Hello) (*tracks, flv.Tag, error) {
	t := &tracks{had: map[kind]bool{}}
	m := flv.Metadata{Encoder: "relay, in a browser"}
	var err error
	if v := h.Video; v != nil {
		if t.picture, err = codingOf(v.Codec, true); err != nil {
			return nil, nil, err
		}
		m.VideoCodec, m.Width, m.Height, m.FrameRate = t.picture.name, v.Width, v.Height, v.Rate
	}
	if a := h.Audio; a != nil {
		if t.sound, err = codingOf(a.Codec, false); err != nil {
			return nil, nil, err
		}
		m.AudioCodec, m.SampleRate, m.Channels = t.sound.name, a.Rate, a.Channels
	}
	if t.picture == nil && t.sound == nil {
		return nil, nil, errors.New("neither picture nor sound")
	}
	return t, flv.NewTag(flv.Script, 0, flv.Announce(m)), nil
}

// tag returns the tag of a record; nil for a frame that comes before its configuration, or before the
// first key picture: no player could use it.
func (t *tracks) tag(r record) (flv.Tag, error) {
	typ, c, configures := flv.Video, t.picture, pictureConfig
	if r.kind >= soundConfig {
		typ, c, configures = flv.Audio, t.sound, soundConfig
	}
	if c == nil {
		return nil, errUnasked
	}
	head := c.frame
	switch {
	case r.kind == configures:
		head, t.had[r.kind] = c.config, true
	case !t.had[configures]:
		return nil, nil
	case r.kind == keyPicture:
		head, t.had[r.kind] = c.key, true
	case r.kind == picture && !t.had[keyPicture]:
		return nil, nil
	}
	if !t.begun {
		t.begun, t.origin = true, r.at-lead
	}
	ms := max(0, r.at-t.origin).Milliseconds()
	return flv.NewTag(typ, uint32(ms), append([]byte(head), r.data...)), nil
}
