package remux

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"relay/ingest/flv"
	"relay/ingest/mpegts"
)

// encoded are the tags of some seconds that ffmpeg makes with further arguments, by way of MPEG-TS, which carries it all.
func encoded(t *testing.T, args string) (tags []flv.Tag) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(strings.Fields("-v error -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=sample_rate=48000 -t 4 -pix_fmt yuv420p -ac 2"), strings.Fields(args+" -f mpegts -")...)...)
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	d := mpegts.NewDemuxer(0, nil)
	for ; len(b) >= 188; b = b[188:] {
		got, err := d.Packet(b[:188])
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, got...)
	}
	return tags
}

// TestHLSIsAsIPhonesWantIt reads what Apple's rules for HLS ask for (HTTP Live Streaming Authoring Specification for Apple
// Devices; RFC 8216) from the playlists and the files themselves.
func TestHLSIsAsIPhonesWantIt(t *testing.T) {
	const h264, keys = "-c:v libx264 -preset ultrafast -profile:v baseline -g 25 -bf 0 ", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25 "
	for name, c := range map[string]struct {
		args, codecs string // CODECS as a regular expression
		entries      []string
		pictures     bool
	}{
		"H.264 and AAC":  {h264 + "-c:a aac", `avc1\.42c0[0-9a-f]{2},mp4a\.40\.2`, []string{"avc1", "mp4a"}, true},
		"HEVC and AAC":   {keys + "-c:a aac", `hvc1\.1\.6\.L[0-9]+\.90,mp4a\.40\.2`, []string{"hvc1", "mp4a"}, true},
		"H.264 and Opus": {h264 + "-c:a libopus", `avc1\.42c0[0-9a-f]{2},opus`, []string{"avc1", "Opus", "dOps"}, true},
		"sound alone":    {"-vn -c:a aac", `mp4a\.40\.2`, []string{"mp4a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := NewHLS()
			defer h.Close()
			f := follow(t, h)
			for _, tag := range encoded(t, c.args) {
				if err := h.Write(flv.BatchOf(tag)); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.End(); err != nil {
				t.Fatal(err)
			}
			f.read()
			master := string(f.get(HLSMaster))
			want := `^#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=[0-9]+,CODECS="` + c.codecs + `"`
			if c.pictures {
				want += `,RESOLUTION=320x180,FRAME-RATE=2[3-6]\.[0-9]{3}`
			}
			if !regexp.MustCompile(want + `\nindex.m3u8\n$`).MatchString(master) {
				t.Errorf("%s\nwant %s", master, want)
			}
			checkPlaylist(t, f)
			init := f.get(f.init)
			for _, e := range c.entries {
				if !bytes.Contains(init, []byte(e)) {
					t.Errorf("the initialization has no %s", e)
				}
			}
			for _, e := range []string{"hev1", "avc3"} { // whose parameter sets are in the samples
				if bytes.Contains(init, []byte(e)) {
					t.Errorf("the initialization has %s", e)
				}
			}
			if at := bytes.Index(init, []byte("avcC")); at >= 0 {
				if says := fmt.Sprintf(`"avc1.%x`, init[at+5:at+8]); !strings.Contains(master, says) {
					t.Errorf("avcC says %s, and the playlist %s", says, master)
				}
			}
		})
	}
}

// checkPlaylist looks at a playlist, and at where its segments begin.
func checkPlaylist(t *testing.T, f *follower) {
	t.Helper()
	target := 0
	ends := map[int]float64{} // track: where the segment before has ended, in seconds
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(f.get(f.init))); err != nil {
		t.Fatal(err)
	}
	scale := map[int]float64{}
	video := -1
	for _, tr := range init.Tracks {
		scale[tr.ID] = float64(tr.TimeScale)
		if tr.Codec.IsVideo() {
			video = tr.ID
		}
	}
	for _, tag := range []string{"#EXT-X-VERSION:7\n", "#EXT-X-INDEPENDENT-SEGMENTS\n", "#EXT-X-MAP:URI=", "#EXT-X-PROGRAM-DATE-TIME:", "#EXT-X-ENDLIST\n"} {
		if !strings.Contains(f.text, tag) {
			t.Errorf("%s lacks %s", f.text, tag)
		}
	}
	for line := range strings.Lines(f.text) {
		line = strings.TrimSpace(line)
		if s, ok := strings.CutPrefix(line, "#EXT-X-TARGETDURATION:"); ok {
			target, _ = strconv.Atoi(s)
		}
		if s, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
			if lasts, err := strconv.ParseFloat(strings.TrimSuffix(s, ","), 64); err != nil || int(math.Round(lasts)) > target {
				t.Errorf("%s, where the target is %d", line, target)
			}
		}
		if line == "" || line[0] == '#' {
			continue
		}
		var parts fmp4.Parts
		if err := parts.Unmarshal(f.get(line)); err != nil {
			t.Fatal(err)
		}
		first := true
		for _, p := range parts {
			for _, tr := range p.Tracks {
				at := float64(tr.BaseTime) / scale[tr.ID]
				if was, ok := ends[tr.ID]; ok && math.Abs(at-was) > 0.05 {
					t.Errorf("%s: track %d goes on at %.3f s, and had ended at %.3f", line, tr.ID, at, was)
				}
				for _, s := range tr.Samples {
					if tr.ID == video && first && s.IsNonSyncSample {
						t.Errorf("%s does not begin with a key frame", line)
					}
					first = first && tr.ID != video
					at += float64(s.Duration) / scale[tr.ID]
				}
				ends[tr.ID] = at
			}
		}
	}
}

func TestCodecsAreNamedAsPlayersKnowThem(t *testing.T) {
	for want, r := range map[string]string{ // HEVCDecoderConfigurationRecords (ISO/IEC 14496-15, E.3, has the first as an example)
		"hvc1.1.6.L93.B0":       "\x01\x01\x60\x00\x00\x00\xb0\x00\x00\x00\x00\x00\x5d",
		"hvc1.2.4.L120.90":      "\x01\x02\x20\x00\x00\x00\x90\x00\x00\x00\x00\x00\x78",
		"hvc1.A4.10.H153.B0.23": "\x01\x64\x08\x00\x00\x00\xb0\x23\x00\x00\x00\x00\x99",
		"":                      "\x01\x01",
	} {
		if got := hevcText([]byte(r)); got != want {
			t.Errorf("%x is %s, want %s", r, got, want)
		}
	}
}

// A segment that begins without a key frame ends what the playlist has said of all of them.
func TestOnlyIndependentSegmentsAreSaidToBe(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	h := NewHLS()
	defer h.Close()
	f := follow(t, h)
	if err := h.Write(flv.BatchOf(firstConfig(tags))); err != nil {
		t.Fatal(err)
	}
	for i := range 25 * 30 { // one key frame
		if err := h.Write(flv.BatchOf(padded(uint32(i*40), i == 0, 100))); err != nil {
			t.Fatal(err)
		}
	}
	f.read()
	if len(f.had) < 2 || strings.Contains(f.text, "INDEPENDENT") {
		t.Errorf("%s", f.text)
	}
}
