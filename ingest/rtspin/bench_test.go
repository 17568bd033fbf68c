//go:build !lean

package rtspin

import (
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/pion/rtp"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

// BenchmarkPackets makes tags of the packets of 6 Mb/s, without the library's reading of a connection. It tells what part of
// a core that takes.
func BenchmarkPackets(b *testing.B) {
	cam := &camera{t: b}
	cam.film(clip(b, "-map 0:v -vf scale=1280:720,noise=alls=60:allf=t -c:v libx264 -preset ultrafast -g 50 -b:v 6M -maxrate 6M -bufsize 3M"), false)
	var media *description.Media
	size := 0
	for _, p := range cam.packets {
		media, size = p.media, size+len(p.Payload)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		p, _ := picturesOf(media.Formats[0])
		c := convert.New(nil)
		c.Configure(p.track, convert.Track{})
		k := newClock(90000, 0)
		tags := []flv.Tag{}
		for _, s := range cam.packets {
			packet := rtp.Packet{Header: s.Header, Payload: s.Payload}
			p.take(&packet, false, func(u convert.Unit, ts uint32) {
				u.PTS, u.HasPTS = k.at(ofPictures, ts, time.Time{}), true
				tags = append(tags[:0], c.Picture(u)...)
			})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Seconds())/float64(b.N)/2*100*(6e6/8*2)/float64(size), "%core")
}
