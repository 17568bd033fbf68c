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
	errLong    = errors.New("a record is longer than a tag")
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

// Hello is how a page begins. A track that it does not have is nil; with an offer of WebRTC it has none.
type Hello struct {
	Token string `json:"token"`
	Offer string `json:"offer"`
	Video *Video `json:"video"`
	Audio *Audio `json:"audio"`
}

// tracks makes tags of the records of one call.
type tracks struct {
	picture, sound string // codecs; "" for none
	begun          bool   // origin is set
	origin         time.Duration
	had            map[kind]bool
}

// lead is the timestamp of the first tag: what was filmed a little before it, and comes later, has one too.
const lead = time.Second

// codecs are the names in FLV of what a page may encode, by the first four letters of theirs in WebCodecs.
var (
	pictureCodecs = map[string]string{"avc1": "h264"}
	soundCodecs   = map[string]string{"mp4a": "aac", "opus": "opus"}
)

func codecOf(codec string, codecs map[string]string) (string, error) {
	name, ok := codecs[codec[:min(4, len(codec))]]
	if !ok {
		return "", fmt.Errorf("codec %q", codec)
	}
	return name, nil
}

// newTracks returns the tracks that a page announces, and the script tag that announces them to players.
func newTracks(h Hello) (*tracks, flv.Tag, error) {
	t := &tracks{had: map[kind]bool{}}
	m := flv.Metadata{Encoder: "relay, in a browser"}
	var err error
	if v := h.Video; v != nil {
		if t.picture, err = codecOf(v.Codec, pictureCodecs); err != nil {
			return nil, nil, err
		}
		m.HasVideo, m.VideoCodec, m.Width, m.Height, m.FrameRate = true, t.picture, v.Width, v.Height, v.Rate
	}
	if a := h.Audio; a != nil {
		if t.sound, err = codecOf(a.Codec, soundCodecs); err != nil {
			return nil, nil, err
		}
		m.HasAudio, m.AudioCodec, m.SampleRate, m.Channels = true, t.sound, a.Rate, a.Channels
	}
	if t.picture == "" && t.sound == "" {
		return nil, nil, errors.New("neither picture nor sound")
	}
	return t, flv.NewTag(flv.Script, 0, m.Body()), nil
}

// tag returns the tag of a record; nil for a frame that comes before its configuration, or before the
// first key picture: no player could use it.
func (t *tracks) tag(r record) (flv.Tag, error) {
	typ, codec, configures := flv.Video, t.picture, pictureConfig
	if r.kind >= soundConfig {
		typ, codec, configures = flv.Audio, t.sound, soundConfig
	}
	switch {
	case codec == "":
		return nil, errUnasked
	case r.kind != configures && !t.had[configures], r.kind == picture && !t.had[keyPicture]:
		return nil, nil
	}
	t.had[r.kind] = true
	if !t.begun {
		t.begun, t.origin = true, r.at-lead
	}
	ms := max(0, r.at-t.origin).Milliseconds()
	c := flv.Coded{Codec: codec, Config: r.kind == configures, Key: r.kind == keyPicture, Data: r.data}
	tag, ok := flv.Encode(typ, uint32(ms), c)
	if !ok {
		return nil, errLong
	}
	return tag, nil
}
