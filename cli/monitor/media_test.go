package monitor

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// headerOf is a signed header with that video configuration.
func headerOf(t *testing.T, config ...byte) *stream.Header {
	t.Helper()
	var h flv.Header
	tag := flv.NewTag(flv.Video, 0, config)
	h.Add(tag, flv.Classify(tag))
	ring := stream.NewRing(stream.Limits{})
	w := stream.NewWriter(ring, testKey(9), stream.Epoch{Ms: 1}, time.Now())
	if err := w.SetHeader(h.Payload()); err != nil {
		t.Fatal(err)
	}
	return ring.Header()
}

func TestWhatBecomesOfTheMediaIsSeen(t *testing.T) {
	avc := headerOf(t, 0x17, 0, 0, 0, 0, 1)
	again := headerOf(t, 0x17, 0, 0, 0, 0, 1)
	hevc := headerOf(t, 0x90, 'h', 'v', 'c', '1', 1)
	if playback.CodecOf(flv.Describe(avc.Payload())) == playback.CodecOf(flv.Describe(hevc.Payload())) {
		t.Fatal("the two headers are of one codec")
	}
	begin := time.Now()
	at := func(s float64) time.Time { return begin.Add(time.Duration(s * float64(time.Second))) }
	var a Media
	for i, step := range []struct {
		now  float64
		s    Facts
		want string
	}{
		{0, Facts{Source: true}, ""},
		{1, Facts{Source: true, Encoder: true}, "publish started;"},
		{2, Facts{Source: true, Encoder: true, Header: avc, Came: at(1.9)}, "codec h264;media started;"},
		{3, Facts{Source: true, Encoder: true, Header: again, Came: at(2.9)}, ""},
		{4, Facts{Source: true, Encoder: true, Header: hevc, Came: at(3.9)}, "codec hevc;"},
		{5, Facts{Source: true, Header: hevc, Came: at(4)}, "publish stopped;"},
		{8.9, Facts{Source: true, Header: hevc, Came: at(4)}, ""},
		{9, Facts{Source: true, Header: hevc, Came: at(4)}, "media stopped;"},
		{20, Facts{Source: true, Header: hevc, Came: at(4)}, ""},
		{21, Facts{Source: true, Encoder: true, Header: hevc, Came: at(21)}, "publish started;media started;"},
	} {
		if got := said(a.Look(at(step.now), step.s)); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
	if got := said(a.End()); got != "publish stopped;media stopped;" {
		t.Errorf("the end: %q", got)
	}
	if got := said(a.End()); got != "" {
		t.Errorf("the end again: %q", got)
	}
	if api.FreshFor != 5*time.Second {
		t.Errorf("media are gone after %v", api.FreshFor)
	}
}

func said(es []api.Event) (s string) {
	for _, e := range es {
		text := e.State
		if e.Codec != nil {
			text = e.Codec.Video
		}
		s += fmt.Sprintf("%s %s;", e.Type, text)
	}
	return s
}

// testKey is the key that a seed of one byte makes.
func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}
