package remux

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
)

// mp4Parser reads MP4 that describes its tracks any number of times.
type mp4Parser struct{ video string }

func (p *mp4Parser) pictures() string { return p.video }

func (p *mp4Parser) next(t *testing.T, b []byte) (all []found) {
	t.Helper()
	for begun, end := 0, 0; end < len(b); {
		name := string(b[end+4 : end+8])
		end += int(binary.BigEndian.Uint32(b[end:]))
		switch name {
		case "moov":
			var init fmp4.Init
			if err := init.Unmarshal(bytes.NewReader(b[begun:end])); err != nil {
				t.Fatal(err)
			}
			p.video, begun = "", end
			if init.Tracks[0].Codec.IsVideo() {
				p.video = fmt.Sprintf("%+v", init.Tracks[0].Codec)
			}
		case "mdat":
			var parts fmp4.Parts
			if err := parts.Unmarshal(b[begun:end]); err != nil {
				t.Fatal(err)
			}
			begun = end
			for _, tr := range parts[0].Tracks {
				all = append(all, p.track(tr)...)
			}
		}
	}
	return all
}

func (p *mp4Parser) track(tr *fmp4.PartTrack) (all []found) {
	at := int64(tr.BaseTime)
	for _, s := range tr.Samples {
		all = append(all, found{
			video: tr.ID == videoID, at: at, show: int64(s.PTSOffset), key: !s.IsNonSyncSample, describe: p.video, data: s.Payload,
		})
		at += int64(s.Duration)
	}
	return all
}
