//go:build !lean

package whip

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	payloads "github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"relay/ingest/convert"
	"relay/ingest/flv"
	ours "relay/ingest/rtp"
)

// BenchmarkPackets is what it costs to make tags of packets of 6 Mb/s, without the network and SRTP: the custom unit is of
// one core.
func BenchmarkPackets(b *testing.B) {
	const hz, bits = 30, 6_000_000
	key := append([]byte("\x00\x00\x00\x01\x67\x42\xc0\x1e\xd9\x00\xa0\x47\xfe\x88\x00\x00\x00\x01\x68\xce\x3c\x80\x00\x00\x00\x01\x65\x88"), make([]byte, bits/8/hz)...)
	for i := range key[30:] {
		key[30+i] = byte(i*7 + 1)
	}
	var all []ours.Packet
	seq := rtp.NewFixedSequencer(1)
	for i := range hz {
		packets := (&payloads.H264Payloader{}).Payload(1200, key)
		for k, p := range packets {
			all = append(all, ours.Packet{Seq: seq.NextSequenceNumber(), Time: uint32(i) * 3000, Marker: k == len(packets)-1, Payload: p})
		}
	}
	pictures := 0
	for b.Loop() {
		s := ours.New(nil)
		s.Configure(ours.Coding{Format: convert.H264, Rate: 90000}, ours.Coding{})
		for _, p := range all {
			pictures += len(s.Picture(p, 0))
		}
	}
	if pictures == 0 {
		b.Fatal("no tags")
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*100, "%core")
}

// BenchmarkCall is what a call of 6 Mb/s costs at its own pace, its sender included, which is pion, too, and does no less: the
// custom unit is of one core.
func BenchmarkCall(b *testing.B) {
	n := newNode(b)
	n.Publish = func(context.Context) (Sink, error) { return discard{}, nil }
	e := n.publish(b, settings{mime: webrtc.MimeTypeH264})
	fat := fatten(film(b))
	sent, before := 0, used(b)
	for b.Loop() {
		sent += e.send(b, fat, len(fat))
	}
	cpu := used(b) - before
	b.ReportMetric(100*cpu.Seconds()/b.Elapsed().Seconds(), "%core")
	b.ReportMetric(float64(sent)*fatBytes*8/1e6/b.Elapsed().Seconds(), "Mb/s")
}

// used is what this process has had of processors.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type discard struct{}

func (discard) Write(flv.Tag) error { return nil }
func (discard) Close()              {}

// fatBytes is what a picture of 6 Mb/s has.
const fatBytes = 25_000

// fatten has each picture of a clip have some fatBytes, with filler behind, which is left out.
func fatten(clip []flv.Tag) []flv.Tag {
	fat := make([]flv.Tag, 0, len(clip))
	for _, tag := range clip {
		if c, ok := flv.Decode(tag); ok && !c.Config {
			filler := append([]byte{0, 0, 0x61, 0xa8, 0x0c}, make([]byte, fatBytes-1)...)
			for i := range filler[5:] {
				filler[5+i] = 0xff
			}
			c.Data = append(append([]byte(nil), c.Data...), filler...)
			if f, ok := flv.Encode(flv.Video, tag.Timestamp(), c); ok {
				tag = f
			}
		}
		fat = append(fat, tag)
	}
	return fat
}
